<?php
/**
 * The classic checkout: its fields, what is checked, and how a cart becomes an order.
 */

class WC_Checkout {
	private $fields = null;

	public static function instance() {
		return WC()->checkout();
	}

	/** All fieldsets, or one: billing, account, order. */
	public function get_checkout_fields( $fieldset = '' ) {
		if ( null === $this->fields ) {
			$text         = static fn( $label, $required, $type = 'text' ) => array( 'label' => $label, 'required' => $required, 'type' => $type, 'class' => array( 'form-row-wide' ) );
			$this->fields = apply_filters(
				'woocommerce_checkout_fields',
				array(
					'billing'  => apply_filters(
						'woocommerce_billing_fields',
						array(
							'billing_first_name' => $text( 'First name', true ),
							'billing_last_name'  => $text( 'Last name', true ),
							'billing_country'    => array( 'options' => WC()->countries->get_countries() ) + $text( 'Country', true, 'select' ),
							'billing_address_1'  => $text( 'Street address', true ),
							'billing_city'       => $text( 'Town / City', true ),
							'billing_postcode'   => $text( 'Postcode', false ),
							'billing_phone'      => $text( 'Phone', true, 'tel' ),
							'billing_email'      => $text( 'Email address', true, 'email' ),
						)
					),
					'shipping' => array(),
					'account'  => array(),
					'order'    => array( 'order_comments' => $text( 'Order notes', false, 'textarea' ) ),
				)
			);
		}
		return $fieldset ? ( $this->fields[ $fieldset ] ?? array() ) : $this->fields;
	}

	public function get_value( $input ) {
		if ( ! empty( $_POST[ $input ] ) ) { // phpcs:ignore
			return wc_clean( wp_unslash( $_POST[ $input ] ) ); // phpcs:ignore
		}
		$getter = array( WC()->customer, "get_$input" );
		$value  = 0 === strpos( $input, 'billing_' ) ? $getter() : null;
		return apply_filters( 'default_checkout_' . $input, $value ? $value : null, $input );
	}

	public function get_posted_data() {
		$data = array( 'terms' => 0, 'payment_method' => wc_clean( wp_unslash( $_POST['payment_method'] ?? '' ) ), 'createaccount' => (int) ! empty( $_POST['createaccount'] ), 'account_password' => $_POST['account_password'] ?? '' ); // phpcs:ignore
		foreach ( $this->get_checkout_fields() as $fieldset ) {
			foreach ( $fieldset as $key => $field ) {
				$posted       = wp_unslash( $_POST[ $key ] ?? '' ); // phpcs:ignore
				$data[ $key ] = 'checkbox' === ( $field['type'] ?? '' ) ? (int) ! empty( $posted ) : ( 'textarea' === ( $field['type'] ?? '' ) ? sanitize_textarea_field( $posted ) : wc_clean( $posted ) );
			}
		}
		return apply_filters( 'woocommerce_checkout_posted_data', $data );
	}

	/** Answers what the browser is told: [result, redirect] or [result, messages]. */
	public function process_checkout() {
		try {
			if ( ! wp_verify_nonce( $_REQUEST['woocommerce-process-checkout-nonce'] ?? '', 'woocommerce-process_checkout' ) ) { // phpcs:ignore
				throw new Exception( 'We were unable to process your order, please try again.' );
			}
			do_action( 'woocommerce_before_checkout_process' );
			if ( WC()->cart->is_empty() ) {
				throw new Exception( 'Sorry, your session has expired.' );
			}
			do_action( 'woocommerce_checkout_process' );
			$data   = $this->get_posted_data();
			$errors = new WP_Error();
			$this->update_session( $data );
			$this->validate( $data, $errors );
			do_action( 'woocommerce_after_checkout_validation', $data, $errors );
			foreach ( $errors->get_error_messages() as $message ) {
				wc_add_notice( $message, 'error' );
			}
			if ( 0 < wc_notice_count( 'error' ) ) {
				throw new Exception( '' );
			}
			$customer_id = $this->process_customer( $data );
			return $this->pay( $this->create_order( $data, $customer_id ), $data );
		} catch ( Exception $refusal ) {
			if ( '' !== $refusal->getMessage() ) {
				wc_add_notice( $refusal->getMessage(), 'error' );
			}
			return array( 'result' => 'failure', 'messages' => wc_print_notices( true ) );
		}
	}

	private function update_session( $data ) {
		foreach ( $data as $key => $value ) {
			if ( 0 === strpos( $key, 'billing_' ) && is_callable( array( WC()->customer, "set_$key" ) ) ) {
				try {
					WC()->customer->{"set_$key"}( $value );
				} catch ( BadMethodCallException $own_field ) {
					continue; // A plugin's own field is not the customer's.
				}
			}
		}
		WC()->customer->save();
		WC()->cart->calculate_totals();
	}

	private function validate( $data, WP_Error $errors ) {
		foreach ( $this->get_checkout_fields() as $fieldset ) {
			foreach ( $fieldset as $key => $field ) {
				if ( ! empty( $field['required'] ) && empty( $data[ $key ] ) ) {
					$errors->add( "{$key}_required", sprintf( '<strong>%s</strong> is a required field.', esc_html( $field['label'] ) ), array( 'id' => $key ) );
				}
			}
		}
		if ( '' !== $data['billing_email'] && ! is_email( $data['billing_email'] ) ) {
			$errors->add( 'billing_email_validation', '<strong>Email address</strong> is not a valid email address.', array( 'id' => 'billing_email' ) );
		}
	}

	private function process_customer( $data ) {
		$customer_id = apply_filters( 'woocommerce_checkout_customer_id', get_current_user_id() );
		if ( ! $customer_id && $data['createaccount'] ) {
			$customer_id = wc_create_new_customer( $data['billing_email'], '', $data['account_password'], array( 'source' => 'checkout' ) );
			if ( is_wp_error( $customer_id ) ) {
				throw new Exception( $customer_id->get_error_message() );
			}
			wc_set_customer_auth_cookie( $customer_id );
		}
		if ( $customer_id ) {
			$customer = new WC_Customer( $customer_id );
			foreach ( array( 'billing_first_name', 'billing_last_name', 'billing_phone', 'billing_email', 'billing_country' ) as $field ) {
				$customer->{"set_$field"}( $data[ $field ] ?? '' );
			}
			$customer->save();
		}
		do_action( 'woocommerce_checkout_update_user_meta', $customer_id, $data );
		return (int) $customer_id;
	}

	/** The order's id. */
	public function create_order( $data, $customer_id = 0 ) {
		$order = new WC_Order();
		$order->set_created_via( 'checkout' );
		$order->set_customer_id( $customer_id );
		wc_double_fill_order_from_cart( $order );
		foreach ( $order->get_address( 'billing' ) as $field => $unused ) {
			$order->set_address( array( $field => $data[ "billing_$field" ] ?? '' ) );
		}
		$order->set_payment_method( $data['payment_method'] );
		$order->set_customer_note( $data['order_comments'] ?? '' );
		do_action( 'woocommerce_checkout_create_order', $order, $data );
		$id = $order->save();
		do_action( 'woocommerce_checkout_update_order_meta', $id, $data );
		do_action( 'woocommerce_checkout_order_created', $order );
		return $id;
	}

	private function pay( $order_id, $data ) {
		$order = wc_get_order( $order_id );
		WC()->session->set( 'order_awaiting_payment', $order_id );
		do_action( 'woocommerce_checkout_order_processed', $order_id, $data, $order );
		return wc_double_pay( wc_get_order( $order_id ) );
	}
}

/** Lines, coupons, money and the cart's hash. */
function wc_double_fill_order_from_cart( WC_Order $order ) {
	$order->remove_order_items();
	foreach ( WC()->cart->get_cart() as $key => $line ) {
		$id   = $order->add_product( $line['data'], $line['quantity'], array( 'subtotal' => $line['line_subtotal'], 'total' => $line['line_total'] ) );
		$item = $order->get_items()[ $id ];
		do_action( 'woocommerce_checkout_create_order_line_item', $item, $key, $line, $order );
	}
	foreach ( WC()->cart->get_coupons() as $code => $coupon ) {
		$order->add_item( new WC_Order_Item_Coupon( array( 'type' => 'coupon', 'name' => $code, 'code' => $code, 'discount' => WC()->cart->get_discount_total() ) ) );
	}
	$order->set_cart_hash( WC()->cart->get_cart_hash() );
	$order->set_total( WC()->cart->get_total( 'edit' ) );
	$order->set_discount_total( WC()->cart->get_discount_total() );
	$order->set_currency( get_woocommerce_currency() );
	$order->set_customer_user_agent( wc_get_user_agent() );
}

/**
 * The payment methods of the double: bacs (on hold), cod (processing), away (the shopper is sent to a bank and the order stays
 * pending), refused (failed).
 */
function wc_double_pay( WC_Order $order ) {
	$received = array( 'result' => 'success', 'order_id' => $order->get_id(), 'redirect' => $order->get_checkout_order_received_url() );
	switch ( $order->get_payment_method() ) {
		case 'away':
			return array_merge( $received, array( 'redirect' => add_query_arg( 'bank', 1, home_url( '/' ) ) ) );
		case 'refused':
			$order->update_status( 'failed' );
			wc_add_notice( 'The payment was refused.', 'error' );
			return array( 'result' => 'failure', 'order_id' => $order->get_id(), 'messages' => wc_print_notices( true ) );
		case 'cod':
			$order->payment_complete();
			break;
		default:
			$order->update_status( 'on-hold' );
	}
	if ( WC()->cart ) {
		WC()->cart->empty_cart();
	}
	return $received;
}

function wc_double_register_checkout() {
	add_action( 'template_redirect', 'wc_double_answer_ajax', 0 );
	add_action( 'wc_ajax_update_order_review', 'wc_double_update_order_review' );
	add_action( 'wc_ajax_checkout', static fn() => wp_send_json( WC()->checkout()->process_checkout() ) );
	add_action( 'wc_ajax_add_to_cart', 'wc_double_ajax_add_to_cart' );
	add_action( 'wc_ajax_get_refreshed_fragments', static fn() => wp_send_json( array( 'fragments' => array(), 'cart_hash' => WC()->cart->get_cart_hash() ) ) );
	add_shortcode( 'woocommerce_checkout', 'wc_double_checkout_page' );
	add_action( 'wp_enqueue_scripts', 'wc_double_checkout_scripts' );
}

class WC_AJAX {
	public static function get_endpoint( $request = '' ) {
		return esc_url_raw( add_query_arg( 'wc-ajax', $request, home_url( '/', 'relative' ) ) );
	}
}

/** /?wc-ajax=… */
function wc_double_answer_ajax() {
	$action = sanitize_key( $_GET['wc-ajax'] ?? '' ); // phpcs:ignore
	if ( $action ) {
		nocache_headers();
		WC()->cart->maybe_set_cart_cookies();
		do_action( "wc_ajax_$action" );
		wp_die( '0' );
	}
}

function wc_double_update_order_review() {
	check_ajax_referer( 'update-order-review', 'security' );
	do_action( 'woocommerce_checkout_update_order_review', wp_unslash( $_POST['post_data'] ?? '' ) );
	foreach ( array( 'country', 'city', 'postcode' ) as $field ) {
		if ( isset( $_POST[ $field ] ) ) {
			WC()->customer->{"set_billing_$field"}( wc_clean( wp_unslash( $_POST[ $field ] ) ) );
		}
	}
	WC()->customer->save();
	WC()->cart->calculate_totals();
	wp_send_json( array( 'result' => 'success', 'messages' => '', 'fragments' => array( '.woocommerce-checkout-review-order-table' => wc_double_review_table() ) ) );
}

function wc_double_ajax_add_to_cart() {
	$product_id = absint( $_POST['product_id'] ?? 0 ); // phpcs:ignore
	$quantity   = max( 1, absint( $_POST['quantity'] ?? 1 ) ); // phpcs:ignore
	$valid      = apply_filters( 'woocommerce_add_to_cart_validation', true, $product_id, $quantity );
	if ( ! $valid || false === WC()->cart->add_to_cart( $product_id, $quantity ) ) {
		wp_send_json( array( 'error' => true, 'product_url' => get_permalink( $product_id ) ) );
	}
	do_action( 'woocommerce_ajax_added_to_cart', $product_id );
	wp_send_json( array( 'fragments' => array(), 'cart_hash' => WC()->cart->get_cart_hash() ) );
}

function wc_double_review_table() {
	$rows = '';
	foreach ( WC()->cart->get_cart() as $line ) {
		$rows .= sprintf( '<tr class="cart_item"><td>%s × %d</td></tr>', esc_html( $line['data']->get_name() ), $line['quantity'] );
	}
	return "<table class=\"shop_table woocommerce-checkout-review-order-table\">$rows<tr class=\"order-total\"><td>" . WC()->cart->get_total() . '</td></tr></table>';
}

/** [woocommerce_checkout]: the form, or one of the checkout's endpoints. */
function wc_double_checkout_page() {
	global $wp;
	if ( isset( $wp->query_vars['order-received'] ) ) {
		return wc_double_order_received( absint( $wp->query_vars['order-received'] ) );
	}
	if ( isset( $wp->query_vars['order-pay'] ) ) {
		return wc_double_order_pay( absint( $wp->query_vars['order-pay'] ) );
	}
	if ( WC()->cart->is_empty() ) {
		return '<p class="cart-empty">Your cart is currently empty.</p>';
	}
	WC()->cart->maybe_set_cart_cookies();
	WC()->cart->calculate_totals();
	ob_start();
	wc_double_checkout_form( WC()->checkout() );
	return '<div class="woocommerce">' . ob_get_clean() . '</div>';
}

function wc_double_checkout_form( WC_Checkout $checkout ) {
	wc_print_notices();
	do_action( 'woocommerce_before_checkout_form', $checkout );
	echo '<form name="checkout" method="post" class="checkout woocommerce-checkout" action="' . esc_url( wc_get_checkout_url() ) . '">';
	do_action( 'woocommerce_checkout_before_customer_details' );
	echo '<div id="customer_details">';
	do_action( 'woocommerce_checkout_billing' );
	wc_double_fieldset( $checkout, 'billing', 'woocommerce-billing-fields' );
	do_action( 'woocommerce_checkout_shipping' );
	do_action( 'woocommerce_before_order_notes', $checkout );
	wc_double_fieldset( $checkout, 'order', 'woocommerce-additional-fields' );
	do_action( 'woocommerce_after_order_notes', $checkout );
	echo '</div>';
	do_action( 'woocommerce_checkout_after_customer_details' );
	do_action( 'woocommerce_checkout_before_order_review' );
	echo '<div id="order_review" class="woocommerce-checkout-review-order">' . wc_double_review_table(); // phpcs:ignore
	wc_double_payment_box();
	echo '</div>';
	do_action( 'woocommerce_checkout_after_order_review' );
	echo '</form>';
	do_action( 'woocommerce_after_checkout_form', $checkout );
}

function wc_double_fieldset( WC_Checkout $checkout, $fieldset, $class ) {
	echo '<div class="' . esc_attr( $class ) . '">';
	do_action( "woocommerce_before_checkout_{$fieldset}_form", $checkout );
	foreach ( $checkout->get_checkout_fields( $fieldset ) as $key => $field ) {
		woocommerce_form_field( $key, $field, $checkout->get_value( $key ) );
	}
	do_action( "woocommerce_after_checkout_{$fieldset}_form", $checkout );
	if ( 'billing' === $fieldset && ! is_user_logged_in() ) {
		woocommerce_form_field( 'createaccount', array( 'type' => 'checkbox', 'label' => 'Create an account?' ), '' );
		do_action( 'woocommerce_after_checkout_registration_form', $checkout );
	}
	echo '</div>';
}

function wc_double_payment_box() {
	do_action( 'woocommerce_review_order_before_payment' );
	echo '<div id="payment">';
	foreach ( array( 'bacs' => 'Direct bank transfer', 'cod' => 'Cash on delivery', 'away' => 'At the bank\'s site', 'refused' => 'A card that is refused' ) as $method => $title ) {
		printf( '<label><input type="radio" name="payment_method" value="%s" %s/> %s</label>', esc_attr( $method ), checked( $method, 'bacs', false ), esc_html( $title ) );
	}
	do_action( 'woocommerce_checkout_before_terms_and_conditions' );
	do_action( 'woocommerce_checkout_terms_and_conditions' );
	do_action( 'woocommerce_checkout_after_terms_and_conditions' );
	do_action( 'woocommerce_review_order_before_submit' );
	echo '<button type="submit" class="button alt" name="woocommerce_checkout_place_order" id="place_order" value="Place order">Place order</button>';
	do_action( 'woocommerce_review_order_after_submit' );
	wp_nonce_field( 'woocommerce-process_checkout', 'woocommerce-process-checkout-nonce' );
	echo '</div>';
	do_action( 'woocommerce_review_order_after_payment' );
}

function wc_double_checkout_scripts() {
	wp_register_script( 'wc-checkout', '', array( 'jquery' ), WC_VERSION, true );
	if ( ! is_checkout() ) {
		return;
	}
	wp_enqueue_script( 'wc-checkout' );
	wp_localize_script( 'wc-checkout', 'wc_checkout_params', array( 'wc_ajax_url' => home_url( '/?wc-ajax=%%endpoint%%' ), 'update_order_review_nonce' => wp_create_nonce( 'update-order-review' ) ) );
	$script = <<<'JS'
jQuery(function ($) {
	var form = $('form.checkout');
	if (!form.length) { return; }
	var address = function (name) { return wc_checkout_params.wc_ajax_url.replace('%%endpoint%%', name); };
	var review = function () {
		$.post(address('update_order_review'), {security: wc_checkout_params.update_order_review_nonce, country: $('#billing_country').val(), city: $('#billing_city').val(), postcode: $('#billing_postcode').val(), post_data: form.serialize()}, function (answer) {
			$.each(answer.fragments, function (selector, html) { $(selector).replaceWith(html); });
			$(document.body).trigger('updated_checkout', [answer]);
		});
	};
	form.on('change', '#billing_country, #billing_city, #billing_postcode', review);
	form.on('submit', function (event) {
		event.preventDefault();
		$.post(address('checkout'), form.serialize(), function (answer) {
			if ('success' === answer.result) { window.location = answer.redirect; return; }
			form.prepend($('<div class="woocommerce-NoticeGroup">').html(answer.messages));
			$(document.body).trigger('checkout_error', [answer.messages]);
		}, 'json');
	});
	$(document.body).trigger('init_checkout');
	review();
});
JS;
	wp_add_inline_script( 'wc-checkout', $script );
}

function wc_double_order_received( $id ) {
	$order = wc_get_order( $id );
	if ( ! $order || ! $order->key_is_valid( wc_clean( wp_unslash( $_GET['key'] ?? '' ) ) ) ) { // phpcs:ignore
		return '<p>Thank you.</p>';
	}
	ob_start();
	do_action( 'woocommerce_before_thankyou', $id );
	echo '<p class="woocommerce-thankyou-order-received">Thank you. Your order has been received.</p><b class="order-number">' . esc_html( $id ) . '</b>';
	do_action( 'woocommerce_thankyou', $id );
	return ob_get_clean();
}

function wc_double_order_pay( $id ) {
	$order = wc_get_order( $id );
	if ( ! $order || ! $order->key_is_valid( wc_clean( wp_unslash( $_GET['key'] ?? '' ) ) ) ) { // phpcs:ignore
		return '<p>Sorry, this order is invalid and cannot be paid for.</p>';
	}
	ob_start();
	wc_print_notices();
	do_action( 'before_woocommerce_pay' );
	echo '<form id="order_review" method="post">';
	do_action( 'woocommerce_pay_order_before_payment' );
	foreach ( array( 'cod', 'bacs', 'refused' ) as $method ) {
		printf( '<label><input type="radio" name="payment_method" value="%1$s" %2$s/> %1$s</label>', esc_attr( $method ), checked( $method, 'cod', false ) );
	}
	echo '<input type="hidden" name="woocommerce_pay" value="1" />';
	do_action( 'woocommerce_pay_order_before_submit' );
	echo '<button type="submit" id="place_order">Pay for order</button>';
	wp_nonce_field( 'woocommerce-pay', 'woocommerce-pay-nonce' );
	echo '</form>';
	do_action( 'after_woocommerce_pay' );
	return ob_get_clean();
}
