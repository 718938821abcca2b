<?php
/**
 * Gives a real WooCommerce what the double has from the start (see its seed.php): wp eval-file. Stock is not held for
 * unpaid orders: the query for that is one that SQLite cannot answer, and no order for the mug could be placed.
 */

foreach ( array( 'woocommerce_currency' => 'ILS', 'woocommerce_default_country' => 'IL', 'woocommerce_enable_myaccount_registration' => 'yes', 'woocommerce_coming_soon' => 'no', 'woocommerce_hold_stock_minutes' => '', 'timezone_string' => 'Asia/Jerusalem', 'woocommerce_bacs_settings' => array( 'enabled' => 'yes' ), 'woocommerce_cod_settings' => array( 'enabled' => 'yes' ) ) as $agala_tests_name => $agala_tests_value ) {
	update_option( $agala_tests_name, $agala_tests_value );
}
WC_Install::create_pages();
foreach ( array( 'classic-cart' => '[woocommerce_cart]', 'classic-checkout' => '[woocommerce_checkout]' ) as $agala_tests_name => $agala_tests_value ) {
	wp_insert_post( array( 'post_type' => 'page', 'post_status' => 'publish', 'post_title' => $agala_tests_name, 'post_name' => $agala_tests_name, 'post_content' => $agala_tests_value ) );
}

$agala_tests_mug = new WC_Product_Simple();
$agala_tests_mug->set_props( array( 'name' => 'Café crème mug', 'sku' => 'MUG-1', 'regular_price' => '45', 'manage_stock' => true, 'stock_quantity' => 100, 'category_ids' => array( wp_insert_term( 'Coffee', 'product_cat' )['term_id'] ) ) );
$agala_tests_mug->save();

$agala_tests_size = new WC_Product_Attribute();
$agala_tests_size->set_name( 'Size' );
$agala_tests_size->set_options( array( 'M', 'L' ) );
$agala_tests_size->set_variation( true );
$agala_tests_shirt = new WC_Product_Variable();
$agala_tests_shirt->set_props( array( 'name' => 'T-shirt', 'attributes' => array( $agala_tests_size ), 'category_ids' => array( wp_insert_term( 'Clothes', 'product_cat' )['term_id'] ) ) );
$agala_tests_shirt->save();
foreach ( array( 'M' => '80', 'L' => '90' ) as $agala_tests_name => $agala_tests_value ) {
	$agala_tests_variation = new WC_Product_Variation();
	$agala_tests_variation->set_props( array( 'sku' => "SHIRT-$agala_tests_name", 'parent_id' => $agala_tests_shirt->get_id(), 'regular_price' => $agala_tests_value, 'attributes' => array( 'size' => $agala_tests_name ) ) );
	$agala_tests_variation->save();
}
WC_Product_Variable::sync( $agala_tests_shirt->get_id() );

$agala_tests_jug = new WC_Product_Simple();
$agala_tests_jug->set_props( array( 'name' => 'Sold out jug', 'sku' => 'JUG-1', 'regular_price' => '120', 'manage_stock' => true, 'stock_quantity' => 0 ) );
$agala_tests_jug->save();

$agala_tests_coupon = new WC_Coupon( 'TEN' );
$agala_tests_coupon->set_props( array( 'discount_type' => 'percent', 'amount' => 10 ) );
$agala_tests_coupon->save();

$agala_tests_dana = wc_create_new_customer( 'dana@shopper.example', 'dana', 'password' );
foreach ( array( 'first_name' => 'Dana', 'last_name' => 'Levi', 'billing_first_name' => 'Dana', 'billing_last_name' => 'Levi', 'billing_phone' => '0505550101', 'billing_country' => 'IL' ) as $agala_tests_name => $agala_tests_value ) {
	update_user_meta( $agala_tests_dana, $agala_tests_name, $agala_tests_value );
}
