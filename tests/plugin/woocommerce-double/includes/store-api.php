<?php
/**
 * The Store API (wc/store/v1) and the checkout page made of blocks that speaks to it.
 */

use Automattic\WooCommerce\StoreApi\Exceptions\RouteException;

function wc_double_register_store_api() {
	add_action( 'rest_api_init', 'wc_double_store_routes' );
	add_action( 'init', 'wc_double_register_checkout_block', 9 );
	add_action( 'enqueue_block_assets', static fn() => null );
}

function wc_double_store_routes() {
	$routes = array(
		'/cart'                 => array( 'GET', 'wc_double_store_cart' ),
		'/cart/add-item'        => array( 'POST', 'wc_double_store_add' ),
		'/cart/update-item'     => array( 'POST', 'wc_double_store_update' ),
		'/cart/remove-item'     => array( 'POST', 'wc_double_store_remove' ),
		'/cart/apply-coupon'    => array( 'POST', 'wc_double_store_apply' ),
		'/cart/remove-coupon'   => array( 'POST', 'wc_double_store_unapply' ),
		'/cart/update-customer' => array( 'POST', 'wc_double_store_customer' ),
		'/cart/extensions'      => array( 'POST', 'wc_double_store_extensions' ),
		'/batch'                => array( 'POST', 'wc_double_store_batch' ),
		'/checkout'             => array( 'GET, POST, PUT, PATCH', 'wc_double_store_checkout' ),
	);
	foreach ( $routes as $path => list( $methods, $answer ) ) {
		$callback = static fn( WP_REST_Request $request ) => wc_double_store_answer( $answer, $request );
		register_rest_route( 'wc/store/v1', $path, array( 'methods' => $methods, 'callback' => $callback, 'permission_callback' => '__return_true' ) );
	}
}

/** Loads the cart, asks for the nonce where something changes, turns refusals into answers. */
function wc_double_store_answer( $answer, WP_REST_Request $request ) {
	$first = null === WC()->cart;
	wc_load_cart();
	if ( $first ) {
		WC()->cart->get_cart_from_session();
	}
	if ( wc_double_is_old() && $first || 'GET' === $request->get_method() && '/wc/store/v1/cart' === $request->get_route() ) {
		WC()->cart->calculate_totals();
	}
	$inside = ! empty( $GLOBALS['wc_double_in_batch'] );
	if ( 'GET' !== $request->get_method() && ! $inside ) {
		$nonce = $request->get_header( 'Nonce' ) ?? $request->get_header( 'X-WC-Store-API-Nonce' );
		if ( ! apply_filters( 'woocommerce_store_api_disable_nonce_check', false ) && 'wc_double_store_batch' !== $answer && ! wp_verify_nonce( (string) $nonce, 'wc_store_api' ) ) {
			return new WP_Error( 'woocommerce_rest_invalid_nonce', 'Nonce is invalid.', array( 'status' => 403 ) );
		}
	}
	try {
		$response = rest_ensure_response( $answer( $request ) );
	} catch ( RouteException $refusal ) {
		return new WP_Error( $refusal->getErrorCode(), $refusal->getMessage(), array( 'status' => $refusal->getCode() ) );
	}
	if ( ! $inside ) {
		WC()->cart->maybe_set_cart_cookies();
	}
	$response->header( 'Nonce', wp_create_nonce( 'wc_store_api' ) );
	return $response;
}

/** A refused change leaves a notice; the Store API answers it. */
function wc_double_store_refusal( $code ) {
	$errors = array_column( wc_get_notices( 'error' ), 'notice' );
	wc_clear_notices();
	throw new RouteException( $code, wp_strip_all_tags( implode( ' ', $errors ) ), 400 ); // phpcs:ignore
}

function wc_double_store_cart() {
	$minor = static fn( $amount ) => (string) (int) round( (float) $amount * pow( 10, wc_get_price_decimals() ) );
	$items = array();
	foreach ( WC()->cart->get_cart() as $key => $line ) {
		$items[] = array( 'key' => $key, 'id' => $line['data']->get_id(), 'quantity' => $line['quantity'], 'name' => $line['data']->get_title(), 'prices' => array( 'price' => $minor( $line['data']->get_price() ), 'currency_code' => get_woocommerce_currency(), 'currency_minor_unit' => wc_get_price_decimals() ) );
	}
	$coupons = array_map( static fn( $code ) => array( 'code' => $code ), WC()->cart->get_applied_coupons() );
	return array(
		'items'           => $items,
		'coupons'         => $coupons,
		'items_count'     => WC()->cart->get_cart_contents_count(),
		'totals'          => array( 'total_price' => $minor( WC()->cart->get_total( 'edit' ) ), 'currency_code' => get_woocommerce_currency(), 'currency_minor_unit' => wc_get_price_decimals() ),
		'billing_address' => WC()->customer->get_billing(),
		'extensions'      => (object) array(),
	);
}

function wc_double_store_add( WP_REST_Request $request ) {
	apply_filters( 'woocommerce_store_api_add_to_cart_data', array( 'id' => $request['id'], 'quantity' => $request['quantity'] ), $request );
	$variation = array();
	foreach ( (array) ( $request['variation'] ?? array() ) as $pair ) {
		$variation[ 'attribute_' . sanitize_title( $pair['attribute'] ) ] = $pair['value'];
	}
	if ( false === WC()->cart->add_to_cart( (int) $request['id'], (float) ( $request['quantity'] ?? 1 ), 0, $variation ) ) {
		wc_double_store_refusal( 'woocommerce_rest_cart_invalid_product' );
	}
	return new WP_REST_Response( wc_double_store_cart(), 201 );
}

function wc_double_store_update( WP_REST_Request $request ) {
	if ( ! WC()->cart->get_cart_item( $request['key'] ) ) {
		throw new RouteException( 'woocommerce_rest_cart_invalid_key', 'Cart item no longer exists or is invalid.', 409 );
	}
	WC()->cart->set_quantity( $request['key'], (float) $request['quantity'] );
	return wc_double_store_cart();
}

function wc_double_store_remove( WP_REST_Request $request ) {
	if ( ! WC()->cart->remove_cart_item( $request['key'] ) ) {
		throw new RouteException( 'woocommerce_rest_cart_invalid_key', 'Cart item no longer exists or is invalid.', 409 );
	}
	return wc_double_store_cart();
}

function wc_double_store_apply( WP_REST_Request $request ) {
	if ( ! WC()->cart->apply_coupon( $request['code'] ) ) {
		wc_double_store_refusal( 'woocommerce_rest_cart_coupon_error' );
	}
	wc_clear_notices();
	return wc_double_store_cart();
}

function wc_double_store_unapply( WP_REST_Request $request ) {
	WC()->cart->remove_coupon( $request['code'] );
	WC()->cart->calculate_totals();
	return wc_double_store_cart();
}

/** What the block checkout sends by itself while the shopper types. */
function wc_double_store_customer( WP_REST_Request $request ) {
	wc_double_store_address( $request );
	do_action( 'woocommerce_store_api_cart_update_customer_from_request', WC()->customer, $request );
	WC()->customer->save();
	WC()->cart->calculate_totals();
	if ( wc_double_is_old() && WC()->session->get( 'store_api_draft_order' ) ) {
		$order = wc_get_order( WC()->session->get( 'store_api_draft_order' ) );
		$order->set_address( WC()->customer->get_billing() );
		$order->save();
		do_action( 'woocommerce_store_api_cart_update_order_from_request', $order, $request );
	}
	return wc_double_store_cart();
}

function wc_double_store_address( WP_REST_Request $request ) {
	foreach ( (array) ( $request['billing_address'] ?? array() ) as $field => $value ) {
		if ( array_key_exists( $field, WC()->customer->get_billing() ) ) {
			if ( 'email' === $field && '' !== $value && ! is_email( $value ) ) {
				throw new RouteException( 'rest_invalid_param', 'The provided email address is not valid', 400 );
			}
			WC()->customer->{"set_billing_$field"}( wc_clean( $value ) );
		}
	}
}

/** woocommerce_store_api_register_update_callback() by namespace. */
function wc_double_store_extensions( WP_REST_Request $request ) {
	$callback = $GLOBALS['wc_double_update_callbacks'][ $request['namespace'] ] ?? null;
	if ( ! $callback ) {
		throw new RouteException( 'woocommerce_rest_cart_extensions_error', 'There is no such namespace registered.', 400 );
	}
	$callback( $request['data'] );
	WC()->cart->calculate_totals();
	return wc_double_store_cart();
}

function wc_double_store_batch( WP_REST_Request $request ) {
	$answers                       = array();
	$GLOBALS['wc_double_in_batch'] = true;
	apply_filters( 'woocommerce_store_api_disable_nonce_check', false );
	foreach ( (array) $request['requests'] as $one ) {
		$inner = new WP_REST_Request( $one['method'] ?? 'POST', strtok( $one['path'], '?' ) );
		$nonce = $one['headers']['Nonce'] ?? ( $request->get_header( 'Nonce' ) ?? '' );
		if ( ! wp_verify_nonce( $nonce, 'wc_store_api' ) && ! apply_filters( 'woocommerce_store_api_disable_nonce_check', false ) ) {
			$answers[] = array( 'status' => 403, 'body' => array( 'code' => 'woocommerce_rest_invalid_nonce' ), 'headers' => array() );
			continue;
		}
		$inner->set_header( 'Content-Type', 'application/json' );
		$inner->set_body( wp_json_encode( $one['body'] ?? $one['data'] ?? array() ) );
		$answer    = rest_ensure_response( rest_do_request( $inner ) );
		$answers[] = array( 'status' => $answer->get_status(), 'body' => $answer->get_data(), 'headers' => $answer->get_headers() );
	}
	$GLOBALS['wc_double_in_batch'] = false;
	return new WP_REST_Response( array( 'responses' => $answers ), 207 );
}

/** GET: the draft. PUT, PATCH: what is filled in so far. POST: place the order. */
function wc_double_store_checkout( WP_REST_Request $request ) {
	if ( WC()->cart->is_empty() ) {
		throw new RouteException( 'woocommerce_rest_cart_empty', 'Cannot create order from empty cart.', 400 );
	}
	WC()->cart->calculate_totals();
	if ( 'GET' === $request->get_method() ) {
		return array( 'order_id' => wc_double_draft()->get_id(), 'status' => 'checkout-draft' );
	}
	wc_double_store_address( $request );
	if ( 'POST' === $request->get_method() ) {
		do_action( 'woocommerce_store_api_checkout_update_customer_from_request', WC()->customer, $request );
	}
	$known = (int) WC()->session->get( 'store_api_draft_order' );
	$order = wc_double_draft();
	wc_double_fill_order_from_cart( $order );
	$order->set_address( WC()->customer->get_billing() );
	$order->set_customer_id( get_current_user_id() );
	$order->set_payment_method( wc_clean( $request['payment_method'] ?? '' ) );
	$order->save();
	if ( ! wc_double_is_old() && ! $known ) {
		do_action( 'woocommerce_store_api_checkout_order_created', $order );
	}
	do_action( 'woocommerce_store_api_checkout_update_order_meta', $order );
	wc_double_keep_additional_fields( $order, (array) ( $request['additional_fields'] ?? array() ) );
	do_action( 'woocommerce_store_api_checkout_update_order_from_request', $order, $request );
	$order->save();
	if ( 'POST' !== $request->get_method() ) {
		return array( 'order_id' => $order->get_id(), 'status' => 'checkout-draft' );
	}
	if ( ! is_email( $order->get_billing_email() ) ) {
		throw new RouteException( 'woocommerce_rest_invalid_email_address', 'The provided email address is not valid', 400 );
	}
	if ( ! empty( $request['create_account'] ) && ! get_current_user_id() ) {
		$order->set_customer_id( wc_create_new_customer( $order->get_billing_email(), '', '', array( 'source' => 'store-api' ) ) );
		$order->save();
	}
	return wc_double_store_place( $order, $request );
}

function wc_double_store_place( WC_Order $order, WP_REST_Request $request ) {
	if ( wc_double_is_old() ) {
		do_action( 'woocommerce_store_api_checkout_order_processed', $order );
		$order->update_status( 'pending' );
	} else {
		$order->update_status( 'pending' );
		do_action( 'woocommerce_store_api_checkout_order_processed', $order );
	}
	WC()->session->set( 'store_api_draft_order', null );
	$answer = wc_double_pay( wc_get_order( $order->get_id() ) );
	if ( 'failure' === $answer['result'] ) {
		throw new RouteException( 'woocommerce_rest_checkout_process_payment_error', 'The payment was refused.', 400 );
	}
	return array( 'order_id' => $order->get_id(), 'status' => wc_get_order( $order->get_id() )->get_status(), 'order_key' => $order->get_order_key(), 'payment_result' => array( 'payment_status' => 'success', 'redirect_url' => $answer['redirect'] ) );
}

function wc_double_draft() {
	$order = wc_get_order( WC()->session->get( 'store_api_draft_order' ) );
	if ( ! $order || ! $order->has_status( 'checkout-draft' ) ) {
		$order = new WC_Order();
		$order->set_status( 'checkout-draft' );
		$order->set_created_via( 'store-api' );
		wc_double_fill_order_from_cart( $order );
		$order->save();
		WC()->session->set( 'store_api_draft_order', $order->get_id() );
	}
	return $order;
}

/** The fields that plugins added to the block checkout, by their id. Since release 8.9. */
if ( version_compare( WC_VERSION, '8.9', '>=' ) ) {
	function woocommerce_register_additional_checkout_field( $options ) {
		foreach ( array( 'id', 'label', 'location' ) as $needed ) {
			if ( empty( $options[ $needed ] ) ) {
				_doing_it_wrong( __FUNCTION__, esc_html( "The field needs its $needed." ), '8.6.0' );
				return;
			}
		}
		if ( ! did_action( 'woocommerce_init' ) ) {
			_doing_it_wrong( __FUNCTION__, 'Register after woocommerce_init.', '8.6.0' );
			return;
		}
		$GLOBALS['wc_double_additional_fields'][ $options['id'] ] = $options + array( 'type' => 'text', 'required' => false );
	}
}


/** Checks, cleans and keeps them with the order under _wc_other/{id}. */
function wc_double_keep_additional_fields( WC_Order $order, array $told ) {
	foreach ( $GLOBALS['wc_double_additional_fields'] ?? array() as $id => $field ) {
		if ( ! array_key_exists( $id, $told ) ) {
			continue;
		}
		$value = isset( $field['sanitize_callback'] ) ? call_user_func( $field['sanitize_callback'], $told[ $id ], $field ) : $told[ $id ];
		$value = 'checkbox' === $field['type'] ? ( $value ? '1' : '0' ) : wc_clean( $value );
		if ( isset( $field['validate_callback'] ) ) {
			$wrong = call_user_func( $field['validate_callback'], $value, $field );
			if ( is_wp_error( $wrong ) ) {
				throw new RouteException( 'woocommerce_rest_checkout_invalid_additional_field', $wrong->get_error_message(), 400 ); // phpcs:ignore
			}
		}
		$group = 'order' === $field['location'] || 'contact' === $field['location'] ? 'other' : 'billing';
		do_action( 'woocommerce_set_additional_field_value', $id, $value, $group, $order );
		$order->update_meta_data( "_wc_$group/$id", $value );
	}
}

function woocommerce_store_api_register_endpoint_data( $arguments ) {
	$GLOBALS['wc_double_endpoint_data'][] = $arguments;
}

function woocommerce_store_api_register_update_callback( $arguments ) {
	$GLOBALS['wc_double_update_callbacks'][ $arguments['namespace'] ] = $arguments['callback'];
}

/** The checkout page: the fields of the real block by their ids, and a script that makes its calls. */
function wc_double_register_checkout_block() {
	register_block_type( 'woocommerce/checkout', array( 'render_callback' => 'wc_double_render_checkout_block', 'title' => 'Checkout', 'api_version' => 3 ) );
}

function wc_double_render_checkout_block() {
	if ( is_wc_endpoint_url( 'order-received' ) || is_wc_endpoint_url( 'order-pay' ) ) {
		return wc_double_checkout_page();
	}
	if ( WC()->cart->is_empty() ) {
		return '<p class="cart-empty">Your cart is currently empty.</p>';
	}
	$registry = new Automattic\WooCommerce\Blocks\Integrations\IntegrationRegistry();
	do_action( 'woocommerce_blocks_checkout_block_registration', $registry );
	foreach ( $registry->get_all_registered() as $integration ) {
		array_map( 'wp_enqueue_script', $integration->get_script_handles() );
	}
	do_action( 'woocommerce_blocks_checkout_enqueue_data' );
	apply_filters( 'woocommerce_store_api_disable_nonce_check', false );
	if ( wc_double_is_old() ) {
		do_action( 'woocommerce_store_api_checkout_update_order_meta', wc_double_draft() );
	}
	$boxes = '';
	foreach ( $GLOBALS['wc_double_additional_fields'] ?? array() as $id => $field ) {
		$type   = 'checkbox' === $field['type'] ? 'checkbox' : 'text';
		$boxes .= sprintf( '<label><input type="%s" class="additional" data-id="%s"/>%s</label>', $type, esc_attr( $id ), esc_html( $field['label'] ) );
	}
	$first = esc_attr( WC()->customer->get_billing_first_name() );
	$phone = esc_attr( WC()->customer->get_billing_phone() );
	$email = esc_attr( WC()->customer->get_billing_email() );
	$where = wp_json_encode( array( 'root' => rest_url( 'wc/store/v1' ), 'nonce' => wp_create_nonce( 'wc_store_api' ) ) );
	$form  = "<div class=\"wp-block-woocommerce-checkout wc-block-checkout\"><input type=\"email\" id=\"email\" value=\"$email\"/><input id=\"billing-first_name\" value=\"$first\"/><input id=\"billing-phone\" type=\"tel\" value=\"$phone\"/>$boxes<button class=\"wc-block-components-checkout-place-order-button\">Place Order</button></div>";
	return $form . "<script>var wcDoubleStore = $where;</script>" . wc_double_block_script();
}

function wc_double_block_script() {
	return <<<'HTML'
<script>
(function () {
	var block = document.querySelector('.wc-block-checkout');
	var call = function (path, body) {
		return fetch(wcDoubleStore.root + path, {method: 'POST', credentials: 'same-origin', headers: {'Content-Type': 'application/json', 'Nonce': wcDoubleStore.nonce}, body: JSON.stringify(body)}).then(function (answer) { return answer.json(); });
	};
	var address = function () {
		return {email: block.querySelector('#email').value, first_name: block.querySelector('#billing-first_name').value, phone: block.querySelector('#billing-phone').value};
	};
	var additional = function () {
		var fields = {};
		block.querySelectorAll('.additional').forEach(function (input) { fields[input.dataset.id] = 'checkbox' === input.type ? input.checked : input.value; });
		return fields;
	};
	block.addEventListener('change', function (event) {
		if (event.target.classList.contains('additional')) { return; }
		call('/batch', {requests: [{path: '/wc/store/v1/cart/update-customer', method: 'POST', headers: {Nonce: wcDoubleStore.nonce}, body: {billing_address: address()}}]});
	});
	block.querySelector('button').addEventListener('click', function () {
		call('/checkout', {billing_address: address(), payment_method: 'bacs', additional_fields: additional(), extensions: {}}).then(function (answer) {
			if (answer.payment_result) { window.location = answer.payment_result.redirect_url; return; }
			block.insertAdjacentText('afterbegin', answer.message);
		});
	});
})();
</script>
HTML;
}
