<?php
/**
 * What shoppers' forms and links do, before a page is shown.
 */

function wc_double_register_forms() {
	foreach ( array( 'add_to_cart', 'update_cart', 'register', 'login', 'pay', 'checkout' ) as $form ) {
		add_action( 'wp_loaded', "wc_double_form_$form", 20 );
	}
	add_action( 'template_redirect', 'wc_double_form_save_account', 10 );
}

function wc_double_form_add_to_cart() {
	$product_id = absint( $_REQUEST['add-to-cart'] ?? 0 ); // phpcs:ignore
	if ( ! $product_id || ! WC()->cart ) {
		return;
	}
	$variation_id = absint( $_REQUEST['variation_id'] ?? 0 ); // phpcs:ignore
	$quantity     = (float) ( $_REQUEST['quantity'] ?? 1 ); // phpcs:ignore
	$valid        = apply_filters( 'woocommerce_add_to_cart_validation', true, $product_id, $quantity, $variation_id, array() );
	if ( $valid && WC()->cart->add_to_cart( $product_id, $quantity, $variation_id ) ) {
		wc_add_notice( sprintf( '&ldquo;%s&rdquo; has been added to your cart.', esc_html( get_the_title( $product_id ) ) ) );
	}
}

function wc_double_form_update_cart() {
	if ( ! WC()->cart ) {
		return;
	}
	if ( ! empty( $_REQUEST['remove_coupon'] ) ) { // phpcs:ignore
		WC()->cart->remove_coupon( wc_clean( wp_unslash( $_REQUEST['remove_coupon'] ) ) ); // phpcs:ignore
	}
	$link_nonce = wp_verify_nonce( $_REQUEST['_wpnonce'] ?? '', 'woocommerce-cart' );
	if ( ! empty( $_GET['remove_item'] ) && $link_nonce ) {
		WC()->cart->remove_cart_item( sanitize_key( $_GET['remove_item'] ) );
		wp_safe_redirect( add_query_arg( 'removed_item', '1', remove_query_arg( array( 'remove_item', '_wpnonce' ) ) ) );
		exit;
	}
	if ( ! empty( $_GET['undo_item'] ) && $link_nonce ) {
		WC()->cart->restore_cart_item( sanitize_key( $_GET['undo_item'] ) );
		wp_safe_redirect( remove_query_arg( array( 'undo_item', '_wpnonce' ) ) );
		exit;
	}
	if ( ! wp_verify_nonce( $_POST['woocommerce-cart-nonce'] ?? '', 'woocommerce-cart' ) ) {
		return;
	}
	if ( ! empty( $_POST['apply_coupon'] ) && ! empty( $_POST['coupon_code'] ) ) {
		WC()->cart->apply_coupon( wc_clean( wp_unslash( $_POST['coupon_code'] ) ) );
	}
	foreach ( (array) ( $_POST['cart'] ?? array() ) as $key => $line ) {
		$there = WC()->cart->get_cart_item( $key );
		if ( $there && (float) $line['qty'] !== (float) $there['quantity'] ) {
			WC()->cart->set_quantity( $key, (float) $line['qty'], false );
		}
	}
	WC()->cart->calculate_totals();
}

function wc_double_form_register() {
	if ( empty( $_POST['register'] ) || ! wp_verify_nonce( $_POST['woocommerce-register-nonce'] ?? '', 'woocommerce-register' ) ) {
		return;
	}
	$errors = apply_filters( 'woocommerce_process_registration_errors', new WP_Error(), '', $_POST['password'] ?? '', $_POST['email'] ?? '' );
	$id     = $errors->has_errors() ? $errors : wc_create_new_customer( sanitize_email( wp_unslash( $_POST['email'] ?? '' ) ), '', $_POST['password'] ?? '' );
	if ( is_wp_error( $id ) ) {
		wc_add_notice( $id->get_error_message(), 'error' );
		return;
	}
	wc_set_customer_auth_cookie( $id );
	wp_safe_redirect( wc_get_page_permalink( 'myaccount' ) );
	exit;
}

function wc_double_form_login() {
	if ( empty( $_POST['login'] ) || ! wp_verify_nonce( $_POST['woocommerce-login-nonce'] ?? '', 'woocommerce-login' ) ) {
		return;
	}
	$user = wp_signon( array( 'user_login' => trim( wp_unslash( $_POST['username'] ) ), 'user_password' => $_POST['password'], 'remember' => true ), is_ssl() );
	if ( is_wp_error( $user ) ) {
		wc_add_notice( $user->get_error_message(), 'error' );
		return;
	}
	wp_safe_redirect( wc_get_page_permalink( 'myaccount' ) );
	exit;
}

/** The page that asks again to pay for an order. */
function wc_double_form_pay() {
	if ( empty( $_POST['woocommerce_pay'] ) || ! wp_verify_nonce( $_POST['woocommerce-pay-nonce'] ?? '', 'woocommerce-pay' ) ) {
		return;
	}
	$order = wc_get_order( wc_get_order_id_by_order_key( wc_clean( wp_unslash( $_GET['key'] ?? '' ) ) ) );
	if ( ! $order || ! $order->needs_payment() ) {
		return;
	}
	do_action( 'woocommerce_before_pay_action', $order );
	$order->set_payment_method( wc_clean( wp_unslash( $_POST['payment_method'] ?? 'cod' ) ) );
	$order->save();
	$answer = wc_double_pay( $order );
	if ( 'success' === $answer['result'] ) {
		do_action( 'woocommerce_after_pay_action', $order );
		wp_safe_redirect( $answer['redirect'] );
		exit;
	}
}

/** The checkout's form without the browser's script. */
function wc_double_form_checkout() {
	if ( isset( $_POST['woocommerce_checkout_place_order'] ) && ! isset( $_GET['wc-ajax'] ) && WC()->cart ) { // phpcs:ignore
		$answer = WC()->checkout()->process_checkout();
		if ( 'success' === $answer['result'] ) {
			wp_redirect( $answer['redirect'] ); // phpcs:ignore
			exit;
		}
		wc_add_notice( wp_strip_all_tags( $answer['messages'] ), 'error' );
	}
}

function wc_double_form_save_account() {
	if ( empty( $_POST['save_account_details'] ) || ! wp_verify_nonce( $_POST['save-account-details-nonce'] ?? '', 'save_account_details' ) ) {
		return;
	}
	$user   = (object) array( 'ID' => get_current_user_id(), 'first_name' => wc_clean( wp_unslash( $_POST['account_first_name'] ?? '' ) ), 'user_email' => sanitize_email( wp_unslash( $_POST['account_email'] ?? '' ) ) );
	$errors = new WP_Error();
	do_action_ref_array( 'woocommerce_save_account_details_errors', array( &$errors, &$user ) );
	if ( $errors->has_errors() ) {
		wc_add_notice( $errors->get_error_message(), 'error' );
		return;
	}
	wp_update_user( array_filter( (array) $user ) );
	wc_add_notice( 'Account details changed successfully.' );
	do_action( 'woocommerce_save_account_details', get_current_user_id() );
	wp_safe_redirect( wc_get_page_permalink( 'myaccount' ) );
	exit;
}
