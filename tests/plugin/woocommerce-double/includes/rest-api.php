<?php
/**
 * The REST API wc/v3, as far as Agala's server asks it: products and variations, customers, orders, coupons, webhooks.
 */

function wc_double_register_rest() {
	add_filter( 'determine_current_user', 'wc_double_authenticate', 15 );
	add_action( 'rest_api_init', 'wc_double_rest_routes' );
}

function wc_double_rest_routes() {
	wc_double_rest_collection( '/products', 'wc_double_rest_products', 'wc_double_product_body', 'wc_get_product' );
	wc_double_rest_collection( '/products/(?P<parent>\d+)/variations', 'wc_double_rest_variations', 'wc_double_product_body', 'wc_get_product' );
	wc_double_rest_collection( '/customers', 'wc_double_rest_customers', 'wc_double_customer_body', 'wc_double_customer' );
	wc_double_rest_collection( '/orders', 'wc_double_rest_orders', 'wc_double_order_body', 'wc_get_order' );
	wc_double_rest_collection( '/coupons', 'wc_double_rest_coupons', 'wc_double_coupon_body', 'wc_double_coupon' );
	wc_double_rest_collection( '/webhooks', 'wc_double_rest_webhooks', 'wc_double_webhook_body', 'wc_get_webhook' );
	wc_double_rest_route( '/webhooks', 'POST', 'wc_double_rest_create_webhook' );
	wc_double_rest_route( '/webhooks/(?P<id>\d+)', 'POST, PUT, PATCH', 'wc_double_rest_update_webhook' );
	wc_double_rest_route( '/webhooks/(?P<id>\d+)', 'DELETE', 'wc_double_rest_delete_webhook' );
	wc_double_rest_route( '/coupons', 'POST', 'wc_double_rest_create_coupon' );
	wc_double_rest_route( '/orders', 'POST', 'wc_double_rest_create_order' );
	wc_double_rest_route( '/orders/(?P<id>\d+)', 'POST, PUT, PATCH', 'wc_double_rest_update_order' );
	wc_double_rest_route( '/orders/(?P<id>\d+)', 'DELETE', 'wc_double_rest_delete_order' );
	wc_double_rest_route( '/products/(?P<id>\d+)', 'POST, PUT, PATCH', 'wc_double_rest_update_product' );
	wc_double_rest_route( '/system_status', 'GET', 'wc_double_rest_system_status' );
}

function wc_double_rest_route( $path, $methods, $callback ) {
	register_rest_route( 'wc/v3', $path, array( 'methods' => $methods, 'callback' => $callback, 'permission_callback' => 'wc_double_rest_permission' ) );
}

/** A list in pages and one by its id. $find gives all ids that the request asks for, in their order. */
function wc_double_rest_collection( $path, $find, $body, $read ) {
	wc_double_rest_route(
		$path,
		'GET',
		static function ( WP_REST_Request $request ) use ( $find, $body, $read ) {
			$ids  = $find( $request );
			$size = max( 1, min( 100, (int) ( $request['per_page'] ?? 10 ) ) );
			if ( (int) ( $request['per_page'] ?? 10 ) > 100 ) {
				return new WP_Error( 'rest_invalid_param', 'Invalid parameter(s): per_page', array( 'status' => 400 ) );
			}
			$page     = max( 1, (int) ( $request['page'] ?? 1 ) );
			$offset   = (int) ( $request['offset'] ?? $size * ( $page - 1 ) );
			$items    = array_map( static fn( $id ) => $body( $read( $id ) ), array_slice( $ids, $offset, $size ) );
			$response = new WP_REST_Response( $items );
			$response->header( 'X-WP-Total', (string) count( $ids ) );
			$response->header( 'X-WP-TotalPages', (string) (int) ceil( count( $ids ) / $size ) );
			return $response;
		}
	);
	wc_double_rest_route(
		"$path/(?P<id>\d+)",
		'GET',
		static function ( WP_REST_Request $request ) use ( $body, $read, $path ) {
			$found = $read( (int) $request['id'] );
			$kind  = array( '/orders' => 'shop_order', '/products' => 'product', '/webhooks' => 'shop_webhook', '/coupons' => 'shop_coupon' )[ $path ] ?? '';
			return $found ? $body( $found ) : new WP_Error( "woocommerce_rest_{$kind}_invalid_id", 'Invalid ID.', array( 'status' => 404 ) );
		}
	);
}

/** Sorts and filters [id, created, modified] (Unix seconds) by orderby, order, after, before, modified_after, modified_before, include. */
function wc_double_rest_select( array $rows, WP_REST_Request $request ) {
	$column = array( 'id' => 0, 'date' => 1, 'modified' => 2, 'registered_date' => 1, 'include' => 0 )[ $request['orderby'] ?? 'date' ] ?? 0;
	$down   = 'asc' !== strtolower( $request['order'] ?? ( 3 === $column ? 'asc' : 'desc' ) );
	$time   = static fn( $text ) => ( new DateTime( $text, wc_string_to_bool( $request['dates_are_gmt'] ?? false ) ? new DateTimeZone( 'UTC' ) : wp_timezone() ) )->getTimestamp();
	foreach ( array( 'after' => 1, 'modified_after' => 2 ) as $word => $index ) {
		if ( ! empty( $request[ $word ] ) ) {
			$rows = array_filter( $rows, static fn( $row ) => $row[ $index ] > $time( $request[ $word ] ) );
		}
	}
	foreach ( array( 'before' => 1, 'modified_before' => 2 ) as $word => $index ) {
		if ( ! empty( $request[ $word ] ) ) {
			$rows = array_filter( $rows, static fn( $row ) => $row[ $index ] < $time( $request[ $word ] ) );
		}
	}
	if ( ! empty( $request['include'] ) ) {
		$wanted = wp_parse_id_list( $request['include'] );
		$rows   = array_filter( $rows, static fn( $row ) => in_array( $row[0], $wanted, true ) );
	}
	usort( $rows, static fn( $one, $other ) => ( $down ? -1 : 1 ) * ( array( $one[ $column ], $one[0] ) <=> array( $other[ $column ], $other[0] ) ) );
	return array_column( $rows, 0 );
}

function wc_double_post_rows( $query ) {
	$rows = array();
	foreach ( get_posts( $query + array( 'numberposts' => -1, 'post_status' => array( 'publish', 'draft', 'private', 'pending' ) ) ) as $post ) {
		$rows[] = array( $post->ID, strtotime( $post->post_date_gmt . ' UTC' ), strtotime( $post->post_modified_gmt . ' UTC' ) );
	}
	return $rows;
}

function wc_double_rest_products( WP_REST_Request $request ) {
	return wc_double_rest_select( wc_double_post_rows( array( 'post_type' => 'product' ) ), $request );
}

function wc_double_rest_variations( WP_REST_Request $request ) {
	return wc_double_rest_select( wc_double_post_rows( array( 'post_type' => 'product_variation', 'post_parent' => (int) $request['parent'] ) ), $request );
}

function wc_double_rest_coupons( WP_REST_Request $request ) {
	if ( ! empty( $request['code'] ) ) {
		return array_filter( array( wc_get_coupon_id_by_code( $request['code'] ) ) );
	}
	return wc_double_rest_select( wc_double_post_rows( array( 'post_type' => 'shop_coupon' ) ), $request );
}

function wc_double_rest_customers( WP_REST_Request $request ) {
	$rows = array();
	$role = $request['role'] ?? 'customer';
	foreach ( get_users( 'all' === $role ? array() : array( 'role' => $role ) ) as $user ) {
		if ( empty( $request['email'] ) || $user->user_email === $request['email'] ) {
			$rows[] = array( $user->ID, strtotime( $user->user_registered . ' UTC' ), (int) get_user_meta( $user->ID, 'last_update', true ) );
		}
	}
	return wc_double_rest_select( $rows, $request );
}

function wc_double_rest_orders( WP_REST_Request $request ) {
	$rows   = array();
	$status = wp_parse_list( $request['status'] ?? 'any' );
	foreach ( wc_get_orders( array( 'limit' => -1 ) ) as $order ) {
		if ( $order->has_status( 'checkout-draft' ) || ! ( in_array( 'any', $status, true ) || $order->has_status( $status ) ) ) {
			continue;
		}
		$rows[] = array( $order->get_id(), $order->get_date_created()->getTimestamp(), $order->get_date_modified()->getTimestamp() );
	}
	return wc_double_rest_select( $rows, $request );
}

function wc_double_rest_webhooks( WP_REST_Request $request ) {
	$status = $request['status'] ?? 'all';
	$ids    = array_filter( wc_double_webhook_ids(), static fn( $id ) => 'all' === $status || wc_get_webhook( $id )->get_status() === $status );
	return wc_double_rest_select( array_map( static fn( $id ) => array( $id, $id, $id ), $ids ), $request );
}

function wc_double_customer( $id ) {
	return get_userdata( $id ) ? new WC_Customer( $id ) : false;
}

function wc_double_coupon( $id ) {
	$coupon = new WC_Coupon( (int) $id );
	return $coupon->get_id() ? $coupon : false;
}

/** name, name_gmt: in the shop's time and in GMT. */
function wc_double_dates( $name, $date ) {
	$gmt = $date ? gmdate( 'Y-m-d\TH:i:s', $date->getTimestamp() ) : null;
	return array( $name => $date ? $date->format( 'Y-m-d\TH:i:s' ) : null, "{$name}_gmt" => $gmt );
}

function wc_double_meta_body( WC_Data $thing ) {
	return array_map( static fn( $meta ) => $meta->get_data(), $thing->get_meta_data() );
}

function wc_double_product_body( WC_Product $product ) {
	$categories = array();
	foreach ( wp_get_object_terms( $product->get_id(), 'product_cat' ) as $term ) {
		$categories[] = array( 'id' => $term->term_id, 'name' => $term->name, 'slug' => $term->slug );
	}
	$image      = $product->get_image_id() ? array( 'id' => (int) $product->get_image_id(), 'src' => wp_get_attachment_url( $product->get_image_id() ), 'name' => '', 'alt' => '' ) : null;
	$variation  = $product->is_type( 'variation' );
	$attributes = array();
	foreach ( $product->get_attributes() as $name => $value ) {
		$attributes[] = array( 'id' => 0, 'name' => $name, 'slug' => sanitize_title( $name ) ) + ( $variation ? array( 'option' => $value ) : array( 'variation' => true, 'visible' => true, 'options' => array_map( 'trim', explode( '|', $value ) ) ) );
	}
	$body     = array(
		'id'                => $product->get_id(),
		'name'              => $product->get_name(),
		'slug'              => $product->get_slug(),
		'permalink'         => $product->get_permalink(),
		'type'              => $product->get_type(),
		'status'            => $product->get_status(),
		'description'       => $product->get_description(),
		'short_description' => $product->get_short_description(),
		'sku'               => $product->get_sku(),
		'price'             => (string) $product->get_price(),
		'regular_price'     => (string) $product->get_regular_price(),
		'sale_price'        => (string) $product->get_sale_price(),
		'on_sale'           => $product->is_on_sale(),
		'purchasable'       => $product->is_purchasable(),
		'manage_stock'      => $product->managing_stock(),
		'stock_quantity'    => $product->managing_stock() ? (int) $product->get_stock_quantity() : null,
		'stock_status'      => $product->get_stock_status(),
		'parent_id'         => (int) $product->get_parent_id(),
		'categories'        => $categories,
		'tags'              => array(),
		'images'            => $image ? array( $image ) : array(),
		'attributes'        => $attributes,
		'variations'        => $product->get_children(),
		'meta_data'         => wc_double_meta_body( $product ),
	) + ( $variation ? array( 'image' => $image ) : array() );
	$body    += wc_double_dates( 'date_created', $product->get_date_created() ) + wc_double_dates( 'date_modified', $product->get_date_modified() );
	$response = apply_filters( 'woocommerce_rest_prepare_product_object', new WP_REST_Response( $body ), $product, new WP_REST_Request() );
	return $response->get_data();
}

function wc_double_customer_body( WC_Customer $customer ) {
	$paid     = wc_get_orders( array( 'customer_id' => $customer->get_id(), 'status' => wc_get_is_paid_statuses(), 'limit' => 1 ) );
	$shown    = array_values( array_filter( wc_double_meta_body( $customer ), static fn( $meta ) => 0 !== strpos( $meta['key'], '_' ) ) );
	$body     = array(
		'id'                 => $customer->get_id(),
		'email'              => $customer->get_email(),
		'first_name'         => $customer->get_first_name(),
		'last_name'          => $customer->get_last_name(),
		'role'               => $customer->get_role(),
		'username'           => $customer->get_username(),
		'billing'            => $customer->get_billing(),
		'shipping'           => $customer->get_shipping(),
		'is_paying_customer' => array() !== $paid,
		'avatar_url'         => '',
		'meta_data'          => $shown,
	) + wc_double_dates( 'date_created', $customer->get_date_created() ) + wc_double_dates( 'date_modified', $customer->get_date_modified() );
	$response = apply_filters( 'woocommerce_rest_prepare_customer', new WP_REST_Response( $body ), get_userdata( $customer->get_id() ), new WP_REST_Request() );
	return $response->get_data();
}

function wc_double_order_body( WC_Order $order ) {
	$money = static fn( $amount ) => wc_format_decimal( $amount, '' );
	$lines = array();
	foreach ( $order->get_items() as $item ) {
		$product = $item->get_product();
		$image   = $product && $product->get_image_id() ? array( 'id' => (int) $product->get_image_id(), 'src' => wp_get_attachment_url( $product->get_image_id() ) ) : array( 'id' => '', 'src' => '' );
		$lines[] = array(
			'id'           => $item->get_id(),
			'name'         => $item->get_name(),
			'product_id'   => $item->get_product_id(),
			'variation_id' => $item->get_variation_id(),
			'quantity'     => $item->get_quantity(),
			'subtotal'     => $money( $item->get_subtotal() ),
			'subtotal_tax' => $money( 0 ),
			'total'        => $money( $item->get_total() ),
			'total_tax'    => $money( 0 ),
			'taxes'        => array(),
			'meta_data'    => wc_double_meta_body( $item ),
			'sku'          => $product ? $product->get_sku() : '',
			'price'        => $item->get_quantity() ? $item->get_total() / $item->get_quantity() : 0,
			'image'        => $image,
			'parent_name'  => $product && $product->is_type( 'variation' ) ? $product->get_title() : null,
		);
	}
	$coupons = array();
	foreach ( $order->get_items( 'coupon' ) as $item ) {
		$coupons[] = array( 'id' => $item->get_id(), 'code' => $item->get_code(), 'discount' => $money( $item->get_discount() ), 'discount_tax' => $money( 0 ), 'meta_data' => array() );
	}
	$refunded = $order->get_total_refunded();
	$body     = array(
		'id'                   => $order->get_id(),
		'parent_id'            => 0,
		'status'               => $order->get_status(),
		'currency'             => $order->get_currency(),
		'version'              => WC_VERSION,
		'prices_include_tax'   => false,
		'discount_total'       => $money( $order->get_discount_total() ),
		'discount_tax'         => $money( 0 ),
		'shipping_total'       => $money( 0 ),
		'shipping_tax'         => $money( 0 ),
		'cart_tax'             => $money( 0 ),
		'total'                => $money( $order->get_total() ),
		'total_tax'            => $money( 0 ),
		'customer_id'          => (int) $order->get_customer_id(),
		'order_key'            => $order->get_order_key(),
		'billing'              => $order->get_address( 'billing' ),
		'shipping'             => $order->get_address( 'shipping' ),
		'payment_method'       => $order->get_payment_method(),
		'payment_method_title' => $order->get_payment_method_title(),
		'transaction_id'       => $order->get_transaction_id(),
		'customer_ip_address'  => '',
		'customer_user_agent'  => $order->get_customer_user_agent(),
		'created_via'          => $order->get_created_via(),
		'customer_note'        => $order->get_customer_note(),
		'cart_hash'            => $order->get_cart_hash(),
		'number'               => $order->get_order_number(),
		'meta_data'            => wc_double_meta_body( $order ),
		'line_items'           => $lines,
		'tax_lines'            => array(),
		'shipping_lines'       => array(),
		'fee_lines'            => array(),
		'coupon_lines'         => $coupons,
		'refunds'              => $refunded > 0 ? array( array( 'id' => $order->get_id() * 1000, 'reason' => '', 'total' => $money( -$refunded ) ) ) : array(),
		'payment_url'          => $order->get_checkout_payment_url(),
		'needs_payment'        => $order->needs_payment(),
	);
	foreach ( array( 'created', 'modified', 'completed', 'paid' ) as $name ) {
		$body += wc_double_dates( "date_$name", $order->{"get_date_$name"}() );
	}
	$response = apply_filters( 'woocommerce_rest_prepare_shop_order_object', new WP_REST_Response( $body ), $order, new WP_REST_Request() );
	return $response->get_data();
}

function wc_double_coupon_body( WC_Coupon $coupon ) {
	return array(
		'id'                 => $coupon->get_id(),
		'code'               => $coupon->get_code(),
		'amount'             => wc_format_decimal( $coupon->get_amount(), 2 ),
		'status'             => 'publish',
		'discount_type'      => $coupon->get_discount_type(),
		'description'        => $coupon->get_description(),
		'usage_count'        => (int) $coupon->get_usage_count(),
		'usage_limit'        => $coupon->get_usage_limit() ? (int) $coupon->get_usage_limit() : null,
		'individual_use'     => (bool) $coupon->get_individual_use(),
		'free_shipping'      => (bool) $coupon->get_free_shipping(),
		'minimum_amount'     => wc_format_decimal( $coupon->get_minimum_amount(), 2 ),
		'email_restrictions' => $coupon->get_email_restrictions(),
	) + wc_double_dates( 'date_expires', wc_double_date( $coupon->get_date_expires() ) );
}

function wc_double_rest_create_coupon( WP_REST_Request $request ) {
	if ( empty( $request['code'] ) || wc_get_coupon_id_by_code( $request['code'] ) ) {
		return new WP_Error( 'woocommerce_rest_coupon_code_already_exists', 'The coupon code already exists', array( 'status' => 400 ) );
	}
	$coupon = new WC_Coupon( (string) $request['code'] );
	foreach ( array( 'amount', 'discount_type', 'usage_limit', 'minimum_amount', 'free_shipping', 'individual_use', 'email_restrictions', 'description' ) as $name ) {
		if ( null !== $request[ $name ] ) {
			$coupon->{"set_$name"}( $request[ $name ] );
		}
	}
	$coupon->set_date_expires( $request['date_expires_gmt'] ?? $request['date_expires'] );
	$coupon->save();
	return new WP_REST_Response( wc_double_coupon_body( $coupon ), 201 );
}

function wc_double_rest_create_order( WP_REST_Request $request ) {
	$order = new WC_Order();
	$order->set_created_via( 'rest-api' );
	foreach ( (array) $request['line_items'] as $line ) {
		$order->add_product( wc_get_product( ! empty( $line['variation_id'] ) ? $line['variation_id'] : $line['product_id'] ), $line['quantity'] ?? 1 );
	}
	$order->calculate_totals();
	return new WP_REST_Response( wc_double_order_body( wc_double_change_order( $order, $request ) ), 201 );
}

function wc_double_rest_update_order( WP_REST_Request $request ) {
	$order = wc_get_order( (int) $request['id'] );
	return $order ? wc_double_order_body( wc_double_change_order( $order, $request ) ) : new WP_Error( 'woocommerce_rest_shop_order_invalid_id', 'Invalid ID.', array( 'status' => 404 ) );
}

function wc_double_change_order( WC_Order $order, WP_REST_Request $request ) {
	foreach ( array( 'customer_id', 'status', 'currency', 'payment_method' ) as $name ) {
		if ( null !== $request[ $name ] ) {
			$order->{"set_$name"}( $request[ $name ] );
		}
	}
	$order->set_address( (array) ( $request['billing'] ?? array() ) );
	foreach ( (array) ( $request['meta_data'] ?? array() ) as $meta ) {
		$order->update_meta_data( $meta['key'], $meta['value'] );
	}
	$order->save();
	return $order;
}

function wc_double_rest_delete_order( WP_REST_Request $request ) {
	$order = wc_get_order( (int) $request['id'] );
	if ( ! $order ) {
		return new WP_Error( 'woocommerce_rest_shop_order_invalid_id', 'Invalid ID.', array( 'status' => 404 ) );
	}
	$body = wc_double_order_body( $order );
	$order->delete( wc_string_to_bool( $request['force'] ?? false ) );
	return $body;
}

function wc_double_rest_update_product( WP_REST_Request $request ) {
	$product = wc_get_product( (int) $request['id'] );
	if ( ! $product ) {
		return new WP_Error( 'woocommerce_rest_product_invalid_id', 'Invalid ID.', array( 'status' => 404 ) );
	}
	foreach ( array( 'name', 'regular_price', 'manage_stock', 'stock_quantity', 'stock_status', 'status' ) as $name ) {
		if ( null !== $request[ $name ] ) {
			$product->{"set_$name"}( $request[ $name ] );
		}
	}
	if ( null !== $request['regular_price'] ) {
		$product->set_price( $request['regular_price'] );
	}
	$product->save();
	return wc_double_product_body( $product );
}

function wc_double_rest_system_status() {
	return array(
		'environment' => array( 'home_url' => home_url(), 'site_url' => site_url(), 'version' => WC_VERSION, 'wp_version' => get_bloginfo( 'version' ), 'php_version' => PHP_VERSION ),
		'settings'    => array( 'currency' => get_woocommerce_currency(), 'number_of_decimals' => wc_get_price_decimals() ),
	);
}
