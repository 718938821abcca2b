<?php
/**
 * Orders in tables of their own (HPOS): wc_orders and wc_orders_meta.
 */

/** A line of an order. */
class WC_Order_Item extends WC_Data {
	protected $object_type = 'order_item';
	protected $data        = array( 'type' => 'line_item', 'name' => '', 'product_id' => 0, 'variation_id' => 0, 'quantity' => 1, 'subtotal' => 0, 'total' => 0, 'total_tax' => 0, 'code' => '', 'discount' => 0 );

	public function __construct( $values = array(), $id = 0 ) {
		$this->id   = $id;
		$this->data = array_merge( $this->data, array_diff_key( $values, array( 'meta' => 1 ) ) );
		foreach ( $values['meta'] ?? array() as $key => $value ) {
			$this->add_meta_data( $key, $value );
		}
	}

	public function get_product() {
		return wc_get_product( $this->data['variation_id'] ? $this->data['variation_id'] : $this->data['product_id'] );
	}

	public function is_type( $type ) {
		return $this->data['type'] === $type;
	}

	public function save() {
		return $this->id;
	}

	public function wc_double_values() {
		$meta = array();
		foreach ( $this->get_meta_data() as $one ) {
			$meta[ $one->key ] = $one->value;
		}
		return $this->data + array( 'meta' => $meta );
	}
}

class WC_Order_Item_Product extends WC_Order_Item {}
class WC_Order_Item_Coupon extends WC_Order_Item {}

class WC_Order extends WC_Data {
	protected $object_type = 'order';
	protected $data        = array();
	private $items         = array();
	private $was           = null;

	private const FIELDS = array( 'first_name', 'last_name', 'company', 'address_1', 'address_2', 'city', 'state', 'postcode', 'country', 'phone' );

	public function __construct( $order = 0 ) {
		foreach ( self::FIELDS as $field ) {
			$this->data[ "billing_$field" ]  = '';
			$this->data[ "shipping_$field" ] = '';
		}
		$this->data += array(
			'billing_email'        => '',
			'status'               => 'pending',
			'currency'             => get_woocommerce_currency(),
			'customer_id'          => 0,
			'order_key'            => '',
			'created_via'          => '',
			'cart_hash'            => '',
			'customer_note'        => '',
			'payment_method'       => '',
			'payment_method_title' => '',
			'transaction_id'       => '',
			'customer_ip_address'  => '',
			'customer_user_agent'  => '',
			'total'                => 0,
			'total_tax'            => 0,
			'discount_total'       => 0,
			'shipping_total'       => 0,
			'refunded'             => 0,
			'date_created'         => null,
			'date_modified'        => null,
			'date_paid'            => null,
			'date_completed'       => null,
		);
		$id          = $order instanceof WC_Order ? $order->get_id() : (int) $order;
		if ( $id ) {
			$this->read( $id );
		}
	}

	private function read( $id ) {
		global $wpdb;
		$row = $wpdb->get_row( $wpdb->prepare( "SELECT * FROM {$wpdb->prefix}wc_orders WHERE id = %d", $id ), ARRAY_A );
		if ( ! $row ) {
			throw new Exception( 'Invalid order.' );
		}
		$this->id   = $id;
		$kept       = json_decode( $row['double_data'], true );
		$this->data = array_merge( $this->data, $kept['data'] );
		foreach ( array( 'date_created', 'date_modified', 'date_paid', 'date_completed' ) as $date ) {
			$this->data[ $date ] = wc_double_date( $this->data[ $date ] );
		}
		foreach ( $kept['items'] as $item_id => $values ) {
			$class                   = 'line_item' === $values['type'] ? 'WC_Order_Item_Product' : 'WC_Order_Item_Coupon';
			$this->items[ $item_id ] = new $class( $values, $item_id );
		}
		$this->was = $this->data['status'];
		foreach ( $wpdb->get_results( $wpdb->prepare( "SELECT * FROM {$wpdb->prefix}wc_orders_meta WHERE order_id = %d ORDER BY id", $id ), ARRAY_A ) as $meta ) {
			$this->meta[] = new WC_Meta_Data( array( 'id' => (int) $meta['id'], 'key' => $meta['meta_key'], 'value' => maybe_unserialize( $meta['meta_value'] ) ) );
		}
	}

	public function save() {
		$is_new                      = ! $this->id;
		$this->data['date_modified'] = wc_double_date( time() );
		if ( $is_new ) {
			$this->data['date_created'] = $this->data['date_created'] ?? wc_double_date( time() );
			$this->data['order_key']    = $this->data['order_key'] ? $this->data['order_key'] : 'wc_order_' . wp_generate_password( 13, false );
		}
		$before    = $this->was;
		$this->was = $this->data['status'];
		$this->write( $is_new );
		$hidden = 'checkout-draft' === $this->data['status'] && ! wc_double_is_old();
		if ( ( $is_new && ! $hidden ) || ( 'checkout-draft' === $before && 'checkout-draft' !== $this->was && ! wc_double_is_old() ) ) {
			do_action( 'woocommerce_new_order', $this->id, $this );
		} elseif ( ! $is_new ) {
			do_action( 'woocommerce_update_order', $this->id, $this );
		}
		if ( null !== $before && $before !== $this->was ) {
			$this->tell_status( $before, $this->was );
		}
		return $this->id;
	}

	private function tell_status( $from, $to ) {
		do_action( "woocommerce_order_status_$to", $this->id, $this, array() );
		do_action( "woocommerce_order_status_{$from}_to_$to", $this->id, $this );
		do_action( 'woocommerce_order_status_changed', $this->id, $from, $to, $this );
	}

	private function write( $is_new ) {
		global $wpdb;
		$data = $this->data;
		foreach ( $data as $name => $value ) {
			$data[ $name ] = $value instanceof DateTimeInterface ? $value->getTimestamp() : $value;
		}
		$items = array_map( static fn( $item ) => $item->wc_double_values(), $this->items );
		$row   = array(
			'status'           => 'wc-' . $this->data['status'],
			'currency'         => $this->data['currency'],
			'type'             => 'shop_order',
			'total_amount'     => $this->data['total'],
			'customer_id'      => $this->data['customer_id'],
			'billing_email'    => $this->data['billing_email'],
			'date_created_gmt' => gmdate( 'Y-m-d H:i:s', $data['date_created'] ),
			'date_updated_gmt' => gmdate( 'Y-m-d H:i:s', $data['date_modified'] ),
			'double_data'      => wp_json_encode( compact( 'data', 'items' ) ),
		);
		if ( $is_new ) {
			$wpdb->insert( "{$wpdb->prefix}wc_orders", $row );
			$this->id = (int) $wpdb->insert_id;
		} else {
			$wpdb->update( "{$wpdb->prefix}wc_orders", $row, array( 'id' => $this->id ) );
		}
		$wpdb->delete( "{$wpdb->prefix}wc_orders_meta", array( 'order_id' => $this->id ) );
		foreach ( $this->get_meta_data() as $meta ) {
			$wpdb->insert( "{$wpdb->prefix}wc_orders_meta", array( 'order_id' => $this->id, 'meta_key' => $meta->key, 'meta_value' => maybe_serialize( $meta->value ) ) );
			$meta->id = (int) $wpdb->insert_id;
		}
	}

	public function delete( $force = false ) {
		global $wpdb;
		if ( ! $force ) {
			$this->update_status( 'trash' );
			do_action( 'woocommerce_trash_order', $this->id );
			return true;
		}
		do_action( 'woocommerce_before_delete_order', $this->id, $this );
		$wpdb->delete( "{$wpdb->prefix}wc_orders", array( 'id' => $this->id ) );
		$wpdb->delete( "{$wpdb->prefix}wc_orders_meta", array( 'order_id' => $this->id ) );
		do_action( 'woocommerce_delete_order', $this->id );
		return true;
	}

	public function set_status( $status, $note = '', $manual = false ) {
		$this->data['status'] = preg_replace( '/^wc-/', '', $status );
		if ( $this->id ) {
			apply_filters( 'woocommerce_payment_complete_order_status', 'processing', $this->id, $this ); // Asked at every change, to know when the order counts as paid.
		}
		if ( in_array( $this->data['status'], wc_get_is_paid_statuses(), true ) && ! $this->data['date_paid'] ) {
			$this->data['date_paid'] = wc_double_date( time() );
		}
		if ( 'completed' === $this->data['status'] && ! $this->data['date_completed'] ) {
			$this->data['date_completed'] = wc_double_date( time() );
		}
	}

	public function update_status( $status, $note = '', $manual = false ) {
		$this->set_status( $status, $note, $manual );
		return (bool) $this->save();
	}

	public function set_date_created( $date ) {
		$this->data['date_created'] = wc_double_date( $date );
	}

	public function set_date_paid( $date ) {
		$this->data['date_paid'] = wc_double_date( $date );
	}

	public function has_status( $status ) {
		return in_array( $this->get_status(), (array) $status, true );
	}

	public function is_paid() {
		return $this->has_status( wc_get_is_paid_statuses() );
	}

	public function needs_payment() {
		return $this->has_status( array( 'pending', 'failed' ) ) && $this->data['total'] > 0;
	}

	public function payment_complete( $transaction_id = '' ) {
		do_action( 'woocommerce_pre_payment_complete', $this->id, $transaction_id );
		$this->data['transaction_id'] = $transaction_id;
		$this->set_status( apply_filters( 'woocommerce_payment_complete_order_status', 'processing', $this->id, $this ) );
		$this->save();
		do_action( 'woocommerce_payment_complete', $this->id, $transaction_id );
		return true;
	}

	public function key_is_valid( $key ) {
		return hash_equals( (string) $this->data['order_key'], (string) $key );
	}

	public function add_product( $product, $quantity = 1, $args = array() ) {
		$values = array(
			'name'         => $product->get_name(),
			'product_id'   => $product->is_type( 'variation' ) ? $product->get_parent_id() : $product->get_id(),
			'variation_id' => $product->is_type( 'variation' ) ? $product->get_id() : 0,
			'quantity'     => $quantity,
			'subtotal'     => $args['subtotal'] ?? (float) $product->get_price() * $quantity,
			'total'        => $args['total'] ?? (float) $product->get_price() * $quantity,
			'meta'         => $product->is_type( 'variation' ) ? $product->get_variation_attributes( false ) : array(),
		);
		return $this->add_item( new WC_Order_Item_Product( $values ) );
	}

	public function add_item( $item ) {
		$id = $this->items ? max( array_keys( $this->items ) ) + 1 : 1;
		$item->set_id( $id );
		$this->items[ $id ] = $item;
		return $id;
	}

	public function remove_order_items( $type = null ) {
		$this->items = array_filter( $this->items, static fn( $item ) => null !== $type && ! $item->is_type( $type ) );
	}

	public function get_items( $types = 'line_item' ) {
		return array_filter( $this->items, static fn( $item ) => in_array( $item->get_type(), (array) $types, true ) );
	}

	public function get_item_count() {
		return (int) array_sum( array_map( static fn( $item ) => $item->get_quantity(), $this->get_items() ) );
	}

	public function get_coupon_codes() {
		return array_values( array_map( static fn( $item ) => $item->get_code(), $this->get_items( 'coupon' ) ) );
	}

	public function calculate_totals( $and_taxes = true ) {
		$this->data['total'] = array_sum( array_map( static fn( $item ) => (float) $item->get_total(), $this->get_items() ) );
		return $this->data['total'];
	}

	public function get_total_refunded() {
		return (float) $this->data['refunded'];
	}

	public function get_user_id( $context = 'view' ) {
		return (int) $this->data['customer_id'];
	}

	public function get_user() {
		return $this->data['customer_id'] ? get_user_by( 'id', $this->data['customer_id'] ) : false;
	}

	public function get_order_number() {
		return (string) $this->id;
	}

	public function get_type() {
		return 'shop_order';
	}

	public function get_formatted_billing_full_name() {
		return trim( "{$this->data['billing_first_name']} {$this->data['billing_last_name']}" );
	}

	public function get_address( $type = 'billing' ) {
		$part = array();
		foreach ( $this->data as $name => $value ) {
			if ( 0 === strpos( $name, "{$type}_" ) ) {
				$part[ substr( $name, strlen( $type ) + 1 ) ] = $value;
			}
		}
		return $part;
	}

	public function set_address( $address, $type = 'billing' ) {
		foreach ( $address as $name => $value ) {
			$this->data[ "{$type}_$name" ] = $value;
		}
	}

	public function get_checkout_payment_url( $on_checkout = false ) {
		$url = wc_get_endpoint_url( 'order-pay', $this->id, wc_get_checkout_url() );
		return add_query_arg( $on_checkout ? array( 'key' => $this->data['order_key'] ) : array( 'pay_for_order' => 'true', 'key' => $this->data['order_key'] ), $url );
	}

	public function get_checkout_order_received_url() {
		return add_query_arg( 'key', $this->data['order_key'], wc_get_endpoint_url( 'order-received', $this->id, wc_get_checkout_url() ) );
	}

	public function get_edit_order_url() {
		return \Automattic\WooCommerce\Utilities\OrderUtil::get_order_admin_edit_url( $this->id );
	}

	public function get_view_order_url() {
		return wc_get_endpoint_url( 'view-order', $this->id, wc_get_page_permalink( 'myaccount' ) );
	}

	public function add_order_note( $note, $is_customer_note = 0, $added_by_user = false ) {
		return 1;
	}
}

function wc_get_order( $order = false ) {
	if ( $order instanceof WC_Order ) {
		return $order;
	}
	try {
		return (int) $order ? new WC_Order( (int) $order ) : false;
	} catch ( Exception $unknown ) {
		return false;
	}
}

function wc_create_order( $args = array() ) {
	$order = new WC_Order();
	$order->set_status( $args['status'] ?? 'pending' );
	$order->set_customer_id( $args['customer_id'] ?? 0 );
	$order->set_created_via( $args['created_via'] ?? '' );
	$order->save();
	return $order;
}

/** Known query words: limit, paged, status, customer (an id, an email, or several of them), customer_id, billing_email, meta_key, meta_value, order, return. */
function wc_get_orders( $query = array() ) {
	global $wpdb;
	$where = array( "status NOT IN ('wc-trash')" );
	if ( ! empty( $query['status'] ) && 'any' !== $query['status'] ) {
		$in      = array_map( static fn( $status ) => "'wc-" . esc_sql( preg_replace( '/^wc-/', '', $status ) ) . "'", (array) $query['status'] );
		$where[] = 'status IN (' . implode( ',', $in ) . ')';
	}
	if ( isset( $query['customer_id'] ) ) {
		$where[] = $wpdb->prepare( 'customer_id = %d', $query['customer_id'] );
	}
	if ( isset( $query['billing_email'] ) ) {
		$where[] = $wpdb->prepare( 'LOWER(billing_email) = %s', strtolower( $query['billing_email'] ) );
	}
	$of = array();
	foreach ( (array) ( $query['customer'] ?? array() ) as $customer ) {
		$of[] = is_numeric( $customer ) ? $wpdb->prepare( 'customer_id = %d', $customer ) : $wpdb->prepare( 'LOWER(billing_email) = %s', strtolower( $customer ) );
	}
	if ( $of ) {
		$where[] = '(' . implode( ' OR ', $of ) . ')';
	}
	$metas = $query['meta_query'] ?? array();
	if ( isset( $query['meta_key'] ) ) {
		$metas[] = array( 'key' => $query['meta_key'] ) + ( isset( $query['meta_value'] ) ? array( 'value' => $query['meta_value'] ) : array() );
	}
	foreach ( $metas as $meta ) {
		$value   = isset( $meta['value'] ) ? $wpdb->prepare( ' AND meta_value = %s', $meta['value'] ) : '';
		$where[] = $wpdb->prepare( "id IN (SELECT order_id FROM {$wpdb->prefix}wc_orders_meta WHERE meta_key = %s", $meta['key'] ) . "$value)";
	}
	$limit = (int) ( $query['limit'] ?? 10 );
	$sql   = "SELECT id FROM {$wpdb->prefix}wc_orders WHERE " . implode( ' AND ', $where ) . ' ORDER BY id ' . ( 'ASC' === strtoupper( $query['order'] ?? 'DESC' ) ? 'ASC' : 'DESC' );
	if ( $limit > 0 ) {
		$sql .= sprintf( ' LIMIT %d OFFSET %d', $limit, $limit * ( max( 1, (int) ( $query['paged'] ?? ( $query['page'] ?? 1 ) ) ) - 1 ) );
	}
	$ids = array_map( 'intval', $wpdb->get_col( $sql ) );
	return 'ids' === ( $query['return'] ?? 'objects' ) ? $ids : array_map( 'wc_get_order', $ids );
}

function wc_get_is_paid_statuses() {
	return apply_filters( 'woocommerce_order_is_paid_statuses', array( 'processing', 'completed' ) );
}

function wc_get_order_statuses() {
	$names = array( 'pending' => 'Pending payment', 'processing' => 'Processing', 'on-hold' => 'On hold', 'completed' => 'Completed', 'cancelled' => 'Cancelled', 'refunded' => 'Refunded', 'failed' => 'Failed' );
	return array_combine( array_map( static fn( $status ) => "wc-$status", array_keys( $names ) ), $names );
}

function wc_get_order_id_by_order_key( $key ) {
	foreach ( wc_get_orders( array( 'limit' => -1 ) ) as $order ) {
		if ( $order->get_order_key() === $key ) {
			return $order->get_id();
		}
	}
	return 0;
}
