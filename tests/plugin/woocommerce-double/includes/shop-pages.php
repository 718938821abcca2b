<?php
/**
 * The shop's pages: all products, one product, the cart.
 */

function wc_double_endpoints() {
	return array( 'order-pay', 'order-received', 'view-order', 'edit-account', 'customer-logout', 'orders' );
}

function wc_double_add_endpoints() {
	foreach ( wc_double_endpoints() as $endpoint ) {
		add_rewrite_endpoint( $endpoint, EP_PAGES );
	}
}

function wc_double_register_pages() {
	add_action( 'init', 'wc_double_add_endpoints' );
	add_shortcode( 'double_shop', 'wc_double_shop_page' );
	add_shortcode( 'woocommerce_cart', 'wc_double_cart_page' );
	add_filter( 'the_content', 'wc_double_product_page', 20 );
	add_action( 'wp', 'wc_double_page_totals', 50 );
	add_action( 'template_redirect', 'wc_double_after_order', 20 );
}

/** What every page does once: the small cart in its head wants totals. */
function wc_double_page_totals() {
	if ( WC()->cart && ! is_admin() && ! isset( $_GET['wc-ajax'] ) && ! wc_double_has_shortcode( 'woocommerce_checkout' ) && ! wc_double_has_shortcode( 'woocommerce_cart' ) ) { // phpcs:ignore
		WC()->cart->calculate_totals();
	}
}

/** The page that thanks for an order empties what is left of the cart. */
function wc_double_after_order() {
	if ( is_order_received_page() ) {
		$order = wc_get_order( absint( get_query_var( 'order-received' ) ) );
		if ( $order && $order->key_is_valid( wc_clean( wp_unslash( $_GET['key'] ?? '' ) ) ) ) { // phpcs:ignore
			WC()->cart->empty_cart();
		}
	}
}

function wc_double_shop_page() {
	$html = wc_print_notices( true );
	foreach ( wc_get_products( array( 'limit' => -1 ) ) as $product ) {
		$html .= sprintf( '<p class="product"><a href="%s">%s</a> %s</p>', esc_url( $product->get_permalink() ), esc_html( $product->get_name() ), $product->get_price_html() );
	}
	return "<div class=\"woocommerce\">$html</div>";
}

function wc_double_product_page( $content ) {
	if ( ! is_singular( 'product' ) || ! in_the_loop() || ! is_main_query() ) {
		return $content;
	}
	$product = wc_get_product( get_the_ID() );
	$form    = '';
	if ( $product->is_type( 'variable' ) ) {
		foreach ( array_map( 'wc_get_product', $product->get_children() ) as $variation ) {
			$form .= sprintf( '<option value="%d">%s</option>', $variation->get_id(), esc_html( $variation->get_name() ) );
		}
		$form = "<select name=\"variation_id\">$form</select>";
	}
	$form = sprintf( '<form class="cart" method="post" action="%s">%s<input type="number" name="quantity" value="1" class="qty"/><button type="submit" name="add-to-cart" value="%d" class="single_add_to_cart_button">Add to cart</button></form>', esc_url( $product->get_permalink() ), $form, $product->get_id() );
	return '<div class="woocommerce">' . wc_print_notices( true ) . '</div>' . $content . $product->get_price_html() . ( $product->is_in_stock() ? $form : '<p class="stock out-of-stock">Out of stock</p>' );
}

function wc_double_cart_page() {
	$cart = WC()->cart;
	$cart->maybe_set_cart_cookies();
	$cart->calculate_totals();
	$html = wc_print_notices( true );
	if ( $cart->is_empty() ) {
		return "<div class=\"woocommerce\">$html<p class=\"cart-empty\">Your cart is currently empty.</p></div>";
	}
	$rows  = '';
	$nonce = wp_create_nonce( 'woocommerce-cart' );
	foreach ( $cart->get_cart() as $key => $line ) {
		$rows .= sprintf(
			'<tr class="cart_item"><td class="product-name">%s</td><td><input type="number" name="cart[%s][qty]" value="%s" class="qty"/></td><td><a class="remove" href="%s">×</a></td></tr>',
			esc_html( $line['data']->get_name() ),
			esc_attr( $key ),
			esc_attr( $line['quantity'] ),
			esc_url( add_query_arg( array( 'remove_item' => $key, '_wpnonce' => $nonce ), get_permalink() ) )
		);
	}
	ob_start();
	do_action( 'woocommerce_cart_coupon' );
	$more = ob_get_clean();
	return sprintf(
		'<div class="woocommerce">%s<form class="woocommerce-cart-form" method="post"><table class="cart">%s</table><input name="coupon_code"/><button name="apply_coupon" value="1">Apply coupon</button>%s<button name="update_cart" value="1">Update cart</button>%s</form><p class="coupons">%s</p><p class="order-total">%s</p><a class="checkout-button" href="%s">Checkout</a></div>',
		$html,
		$rows,
		$more,
		wp_nonce_field( 'woocommerce-cart', 'woocommerce-cart-nonce', true, false ),
		esc_html( implode( ', ', $cart->get_applied_coupons() ) ),
		$cart->get_total(),
		esc_url( wc_get_checkout_url() )
	);
}
