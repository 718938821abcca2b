<?php
/**
 * Webhooks: registered over REST, told of by the shop's hooks, delivered by a scheduled action with the body of that moment.
 */

class WC_Webhook extends WC_Data {
	protected $object_type = 'webhook';
	protected $data        = array( 'name' => '', 'status' => 'disabled', 'topic' => '', 'delivery_url' => '', 'secret' => '', 'user_id' => 0, 'failure_count' => 0, 'pending_delivery' => false, 'api_version' => 3, 'date_created' => null, 'date_modified' => null );

	public function __construct( $id = 0 ) {
		global $wpdb;
		$row = $id ? $wpdb->get_row( $wpdb->prepare( "SELECT * FROM {$wpdb->prefix}wc_webhooks WHERE webhook_id = %d", $id ), ARRAY_A ) : null;
		if ( $id && ! $row ) {
			throw new Exception( 'Invalid webhook.' );
		}
		if ( $row ) {
			$this->id   = (int) $row['webhook_id'];
			$this->data = array_merge( $this->data, array_intersect_key( $row, $this->data ) );
			foreach ( array( 'date_created', 'date_modified' ) as $date ) {
				$this->data[ $date ] = wc_double_date( $row[ $date ] );
			}
			$this->data['failure_count'] = (int) $row['failure_count'];
		}
	}

	public function save() {
		global $wpdb;
		$this->data['date_modified'] = wc_double_date( time() );
		$this->data['date_created']  = $this->data['date_created'] ?? $this->data['date_modified'];
		$row                         = $this->data;
		foreach ( array( 'date_created', 'date_modified' ) as $date ) {
			$row[ $date ] = gmdate( 'Y-m-d H:i:s', $row[ $date ]->getTimestamp() );
		}
		$row['pending_delivery'] = (int) $row['pending_delivery'];
		if ( $this->id ) {
			$wpdb->update( "{$wpdb->prefix}wc_webhooks", $row, array( 'webhook_id' => $this->id ) );
		} else {
			$wpdb->insert( "{$wpdb->prefix}wc_webhooks", $row );
			$this->id = (int) $wpdb->insert_id;
		}
		return $this->id;
	}

	public function delete( $force = false ) {
		global $wpdb;
		$wpdb->delete( "{$wpdb->prefix}wc_webhooks", array( 'webhook_id' => $this->id ) );
		do_action( 'woocommerce_webhook_deleted', $this->id, $this );
		return true;
	}

	public function get_resource() {
		return explode( '.', $this->data['topic'] )[0];
	}

	public function get_event() {
		return explode( '.', $this->data['topic'] )[1] ?? '';
	}

	public function generate_signature( $payload ) {
		return base64_encode( hash_hmac( 'sha256', $payload, wp_specialchars_decode( $this->data['secret'], ENT_QUOTES ), true ) ); // phpcs:ignore
	}

	/** The call at registration: unsigned, not JSON. */
	public function deliver_ping() {
		$answer = wp_safe_remote_post( $this->data['delivery_url'], array( 'user-agent' => $this->user_agent(), 'body' => "webhook_id={$this->id}" ) );
		if ( is_wp_error( $answer ) ) {
			return new WP_Error( 'error', 'Error: Delivery URL cannot be reached: ' . $answer->get_error_message() );
		}
		$status = wp_remote_retrieve_response_code( $answer );
		return 200 === $status ? true : new WP_Error( 'error', "Error: Delivery URL returned response code: $status" );
	}

	public function deliver( $arg ) {
		if ( 'active' !== $this->data['status'] ) {
			return;
		}
		$payload = wp_json_encode( $this->build_payload( $arg ) );
		$headers = array(
			'Content-Type'           => 'application/json',
			'X-WC-Webhook-Source'    => home_url( '/' ),
			'X-WC-Webhook-Topic'     => $this->data['topic'],
			'X-WC-Webhook-Resource'  => $this->get_resource(),
			'X-WC-Webhook-Event'     => $this->get_event(),
			'X-WC-Webhook-Signature' => $this->generate_signature( $payload ),
			'X-WC-Webhook-ID'        => $this->id,
			'X-WC-Webhook-Delivery-ID' => wp_hash( $this->id . strtotime( 'now' ) ),
		);
		$answer  = wp_safe_remote_request( $this->data['delivery_url'], array( 'method' => 'POST', 'timeout' => MINUTE_IN_SECONDS, 'redirection' => 0, 'user-agent' => $this->user_agent(), 'body' => $payload, 'headers' => $headers ) );
		$status  = wp_remote_retrieve_response_code( $answer );
		$this->count( $status >= 200 && $status <= 302 );
		do_action( 'woocommerce_webhook_delivery', array(), $answer, 0, $arg, $this->id );
	}

	/** Disabled after more than five failures in a row. */
	private function count( $taken ) {
		$this->data['failure_count'] = $taken ? 0 : $this->data['failure_count'] + 1;
		if ( $this->data['failure_count'] > apply_filters( 'woocommerce_max_webhook_delivery_failures', 5 ) ) {
			$this->data['status'] = 'disabled';
			do_action( 'woocommerce_webhook_disabled_due_delivery_failures', $this->id );
		}
		$this->save();
	}

	private function user_agent() {
		return 'WooCommerce/' . WC_VERSION . ' Hookshot (WordPress/' . get_bloginfo( 'version' ) . ')';
	}

	public function build_payload( $id ) {
		if ( 'deleted' === $this->get_event() ) {
			return array( 'id' => (int) $id );
		}
		$before = get_current_user_id();
		wp_set_current_user( $this->data['user_id'] );
		$bodies = array( 'order' => array( 'wc_get_order', 'wc_double_order_body' ), 'product' => array( 'wc_get_product', 'wc_double_product_body' ), 'customer' => array( 'wc_double_customer', 'wc_double_customer_body' ), 'coupon' => array( 'wc_double_coupon', 'wc_double_coupon_body' ) );
		list( $read, $body ) = $bodies[ $this->get_resource() ];
		$found   = $read( (int) $id );
		$payload = $found ? $body( $found ) : array( 'id' => (int) $id );
		wp_set_current_user( $before );
		return apply_filters( 'woocommerce_webhook_payload', $payload, $this->get_resource(), $id, $this->id );
	}
}

/** topic => the hooks that tell of it. */
function wc_double_webhook_topics() {
	return array(
		'order.created'    => array( 'woocommerce_new_order' ),
		'order.updated'    => array( 'woocommerce_update_order', 'woocommerce_order_refunded' ),
		'order.deleted'    => array( 'woocommerce_trash_order', 'woocommerce_before_delete_order' ),
		'order.restored'   => array( 'woocommerce_untrash_order' ),
		'customer.created' => array( 'user_register', 'woocommerce_created_customer', 'woocommerce_new_customer' ),
		'customer.updated' => array( 'profile_update', 'woocommerce_update_customer' ),
		'customer.deleted' => array( 'delete_user' ),
		'product.created'  => array( 'woocommerce_new_product', 'woocommerce_new_product_variation' ),
		'product.updated'  => array( 'woocommerce_update_product', 'woocommerce_update_product_variation' ),
		'product.deleted'  => array( 'wp_trash_post', 'before_delete_post' ),
		'product.restored' => array( 'untrashed_post' ),
		'coupon.created'   => array( 'woocommerce_new_coupon' ),
		'coupon.updated'   => array( 'woocommerce_update_coupon' ),
		'coupon.deleted'   => array(),
	);
}

function wc_double_register_webhooks() {
	add_action( 'woocommerce_deliver_webhook_async', 'wc_double_deliver_webhook', 10, 2 );
	foreach ( wc_double_webhook_topics() as $topic => $hooks ) {
		foreach ( $hooks as $hook ) {
			add_action( $hook, static fn( $arg ) => wc_double_tell_webhooks( $topic, $arg ), 10, 1 );
		}
	}
}

/** Each webhook once per thing and request. */
function wc_double_tell_webhooks( $topic, $arg ) {
	static $told = array();
	if ( 0 === strpos( $topic, 'product.' ) && ! in_array( get_post_type( $arg ), array( 'product', 'product_variation' ), true ) ) {
		return;
	}
	if ( 0 === strpos( $topic, 'order.' ) && wc_get_order( $arg ) && wc_get_order( $arg )->has_status( 'checkout-draft' ) ) {
		return;
	}
	foreach ( wc_double_webhook_ids() as $id ) {
		$webhook = wc_get_webhook( $id );
		if ( $webhook->get_topic() !== $topic || 'active' !== $webhook->get_status() || isset( $told[ "$id|$arg" ] ) ) {
			continue;
		}
		if ( did_action( 'init' ) && ! defined( 'AGALA_TESTS_TELL_ALWAYS' ) ) {
			$told[ "$id|$arg" ] = true;
		}
		as_enqueue_async_action( 'woocommerce_deliver_webhook_async', array( 'webhook_id' => $id, 'arg' => $arg ), 'woocommerce-webhooks' );
	}
}

function wc_double_deliver_webhook( $webhook_id, $arg ) {
	$webhook = wc_get_webhook( $webhook_id );
	if ( $webhook ) {
		$webhook->deliver( $arg );
	}
}

function wc_double_webhook_ids() {
	global $wpdb;
	return array_map( 'intval', $wpdb->get_col( "SELECT webhook_id FROM {$wpdb->prefix}wc_webhooks ORDER BY webhook_id" ) );
}

function wc_get_webhook( $id ) {
	try {
		return $id ? new WC_Webhook( $id instanceof WC_Webhook ? $id->get_id() : (int) $id ) : null;
	} catch ( Exception $unknown ) {
		return null;
	}
}

/** WC_Data_Store::load( 'webhook' ). */
class WC_Double_Webhook_Store {
	public function get_webhooks_ids( $status = '' ) {
		return array_values( array_filter( wc_double_webhook_ids(), static fn( $id ) => '' === $status || wc_get_webhook( $id )->get_status() === $status ) );
	}

	public function search_webhooks( $query ) {
		return $this->get_webhooks_ids( $query['status'] ?? '' );
	}
}

function wc_double_webhook_body( WC_Webhook $webhook ) {
	return array(
		'id'           => $webhook->get_id(),
		'name'         => $webhook->get_name(),
		'status'       => $webhook->get_status(),
		'topic'        => $webhook->get_topic(),
		'resource'     => $webhook->get_resource(),
		'event'        => $webhook->get_event(),
		'hooks'        => wc_double_webhook_topics()[ $webhook->get_topic() ] ?? array(),
		'delivery_url' => $webhook->get_delivery_url(),
	) + wc_double_dates( 'date_created', $webhook->get_date_created() ) + wc_double_dates( 'date_modified', $webhook->get_date_modified() );
}

function wc_double_rest_create_webhook( WP_REST_Request $request ) {
	if ( ! isset( wc_double_webhook_topics()[ $request['topic'] ?? '' ] ) ) {
		return new WP_Error( 'woocommerce_rest_shop_webhook_invalid_topic', 'Webhook topic is required and must be valid.', array( 'status' => 400 ) );
	}
	if ( ! preg_match( '#^https?://#', $request['delivery_url'] ?? '' ) ) {
		return new WP_Error( 'woocommerce_rest_shop_webhook_invalid_delivery_url', 'Webhook delivery URL must be a valid URL starting with http:// or https://.', array( 'status' => 400 ) );
	}
	$webhook = new WC_Webhook();
	$webhook->set_props( array( 'name' => (string) $request['name'], 'topic' => $request['topic'], 'delivery_url' => $request['delivery_url'], 'secret' => (string) ( $request['secret'] ?? wp_generate_password( 50, true, true ) ), 'user_id' => get_current_user_id(), 'status' => $request['status'] ?? 'active' ) );
	$webhook->save();
	$webhook->deliver_ping();
	return new WP_REST_Response( wc_double_webhook_body( $webhook ), 201 );
}

function wc_double_rest_update_webhook( WP_REST_Request $request ) {
	$webhook = wc_get_webhook( (int) $request['id'] );
	if ( ! $webhook ) {
		return new WP_Error( 'woocommerce_rest_shop_webhook_invalid_id', 'Invalid ID.', array( 'status' => 404 ) );
	}
	if ( 'active' === $request['status'] && 'active' !== $webhook->get_status() ) {
		$webhook->set_failure_count( 0 );
	}
	foreach ( array( 'name', 'status', 'topic', 'delivery_url', 'secret' ) as $name ) {
		if ( null !== $request[ $name ] ) {
			$webhook->{"set_$name"}( $request[ $name ] );
		}
	}
	$webhook->save();
	return wc_double_webhook_body( $webhook );
}

function wc_double_rest_delete_webhook( WP_REST_Request $request ) {
	$webhook = wc_get_webhook( (int) $request['id'] );
	if ( ! $webhook ) {
		return new WP_Error( 'woocommerce_rest_shop_webhook_invalid_id', 'Invalid ID.', array( 'status' => 404 ) );
	}
	$body = wc_double_webhook_body( $webhook );
	$webhook->delete( true );
	return $body;
}
