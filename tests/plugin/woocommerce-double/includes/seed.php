<?php
/**
 * What a shop of the tests has from the start: pages, products with pictures, a coupon, a customer.
 */

function wc_double_install() {
	wc_double_create_tables();
	wc_double_register_types();
	wc_double_add_endpoints();
	$GLOBALS['wp_rewrite']->init();
	WC()->countries = new WC_Countries();
	foreach ( array( 'woocommerce_currency' => 'ILS', 'woocommerce_default_country' => 'IL', 'woocommerce_price_num_decimals' => 2, 'woocommerce_enable_myaccount_registration' => 'yes', 'woocommerce_enable_guest_checkout' => 'yes', 'timezone_string' => 'Asia/Jerusalem' ) as $name => $value ) {
		update_option( $name, $value );
	}
	wc_double_give_rights();
	if ( ! get_option( 'woocommerce_shop_page_id' ) ) {
		wc_double_seed_pages();
		wc_double_seed_products();
		wc_double_seed_people();
	}
	flush_rewrite_rules();
}

function wc_double_give_rights() {
	add_role( 'customer', 'Customer', array( 'read' => true ) );
	add_role( 'shop_manager', 'Shop manager', array( 'read' => true, 'manage_woocommerce' => true, 'view_woocommerce_reports' => true, 'edit_products' => true ) );
	get_role( 'administrator' )->add_cap( 'manage_woocommerce' );
	get_role( 'administrator' )->add_cap( 'view_woocommerce_reports' );
}

function wc_double_seed_pages() {
	$pages = array(
		'shop'             => array( 'Shop', '[double_shop]' ),
		'cart'             => array( 'Cart', '[woocommerce_cart]' ),
		'checkout'         => array( 'Checkout', '<!-- wp:woocommerce/checkout /-->' ),
		'my-account'       => array( 'My account', '[woocommerce_my_account]' ),
		'classic-cart'     => array( 'Classic cart', '[woocommerce_cart]' ),
		'classic-checkout' => array( 'Classic checkout', '[woocommerce_checkout]' ),
	);
	$options = array( 'shop' => 'shop', 'cart' => 'cart', 'checkout' => 'checkout', 'my-account' => 'myaccount' );
	foreach ( $pages as $slug => list( $title, $content ) ) {
		$id = wp_insert_post( array( 'post_type' => 'page', 'post_status' => 'publish', 'post_title' => $title, 'post_name' => $slug, 'post_content' => $content ) );
		if ( isset( $options[ $slug ] ) ) {
			update_option( "woocommerce_{$options[$slug]}_page_id", $id );
		}
	}
}

function wc_double_seed_products() {
	$category = wp_insert_term( 'Coffee', 'product_cat' )['term_id'];
	$mug      = new WC_Product_Simple();
	$mug->set_props( array( 'name' => 'Café crème mug', 'sku' => 'MUG-1', 'regular_price' => '45', 'manage_stock' => true, 'stock_quantity' => 100, 'category_ids' => array( $category ), 'image_id' => wc_double_seed_picture( 'mug' ) ) );
	$mug->save();
	$shirt = new WC_Product_Variable();
	$shirt->set_props( array( 'name' => 'T-shirt', 'category_ids' => array( wp_insert_term( 'Clothes', 'product_cat' )['term_id'] ), 'attributes' => array( 'Size' => 'M | L' ), 'image_id' => wc_double_seed_picture( 'shirt' ) ) );
	$shirt->save();
	foreach ( array( 'M' => '80', 'L' => '90' ) as $size => $price ) {
		$variation = new WC_Product_Variation();
		$variation->set_props( array( 'name' => "T-shirt - $size", 'sku' => "SHIRT-$size", 'parent_id' => $shirt->get_id(), 'regular_price' => $price, 'attributes' => array( 'Size' => $size ) ) );
		$variation->save();
	}
	$gone = new WC_Product_Simple();
	$gone->set_props( array( 'name' => 'Sold out jug', 'sku' => 'JUG-1', 'regular_price' => '120', 'manage_stock' => true, 'stock_quantity' => 0 ) );
	$gone->save();
	$coupon = new WC_Coupon( 'TEN' );
	$coupon->set_props( array( 'discount_type' => 'percent', 'amount' => 10 ) );
	$coupon->save();
}

function wc_double_seed_people() {
	$id = wc_create_new_customer( 'dana@shopper.example', 'dana', 'password' );
	foreach ( array( 'first_name' => 'Dana', 'last_name' => 'Levi', 'billing_first_name' => 'Dana', 'billing_last_name' => 'Levi', 'billing_phone' => '0505550101', 'billing_country' => 'IL' ) as $key => $value ) {
		update_user_meta( $id, $key, $value );
	}
}

/** A one-pixel picture in the library; gives its id. */
function wc_double_seed_picture( $name ) {
	$pixel  = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
	$upload = wp_upload_bits( "$name.png", null, base64_decode( $pixel ) ); // phpcs:ignore
	return wp_insert_attachment( array( 'post_title' => $name, 'post_mime_type' => 'image/png', 'post_status' => 'inherit' ), $upload['file'] );
}
