<?php
/**
 * For tests of carts: a connected shop, requests that end, rows and calls that can be looked at.
 */

namespace Agala\Tests;

use Agala\Cart_Sender;
use Agala\Cart_Table;

require_once __DIR__ . '/ConnectedShop.php';

abstract class CartTestCase extends ShopTestCase {
	use ConnectedShop;

	/** @var string[] Statements that wrote to our table. */
	protected $writes = array();
	/** @var int Unix seconds that a sender of `send_at` believes in. */
	protected $now = 0;

	protected function setUp(): void {
		parent::setUp();
		self::connect();
		$this->writes = array();
		add_filter( 'query', array( $this, 'watch' ) );
	}

	public function watch( $sql ) {
		if ( preg_match( '/^\s*(INSERT|UPDATE|DELETE)\b/i', $sql ) && false !== strpos( $sql, Cart_Table::name() ) ) {
			$this->writes[] = $sql;
		}
		return $sql;
	}

	/** The request is over: what our plugin does then. (All of `shutdown` would end PHPUnit's own output.) */
	protected function end_of_request(): void {
		global $wp_filter;
		foreach ( $wp_filter['shutdown']->callbacks as $callbacks ) {
			foreach ( $callbacks as $callback ) {
				if ( is_array( $callback['function'] ) && is_object( $callback['function'][0] ) && 0 === strpos( get_class( $callback['function'][0] ), 'Agala\\' ) ) {
					call_user_func( $callback['function'] );
				}
			}
		}
	}

	/** One request that puts a product into the cart. */
	protected function add( string $sku = 'MUG-1', int $quantity = 1 ): void {
		$this->assertNotFalse( WC()->cart->add_to_cart( self::product( $sku )->get_id(), $quantity ) );
		$this->end_of_request();
	}

	/** A call of the block cart or checkout. */
	protected function store_api( string $path, array $body, string $method = 'POST' ): \WP_REST_Response {
		$request = new \WP_REST_Request( $method, '/wc/store/v1' . $path );
		$request->set_header( 'Content-Type', 'application/json' );
		$request->set_header( 'Nonce', wp_create_nonce( 'wc_store_api' ) );
		$request->set_body( wp_json_encode( $body ) );
		$response = rest_ensure_response( rest_do_request( $request ) );
		$this->end_of_request();
		return $response;
	}

	/** The block checkout is opened. */
	protected function open_block_checkout(): void {
		WC()->cart->calculate_totals();
		do_blocks( '<!-- wp:woocommerce/checkout /-->' );
		$this->end_of_request();
	}

	/** The classic checkout is opened. */
	protected function open_classic_checkout(): string {
		$html = wc_double_checkout_page();
		$this->end_of_request();
		return $html;
	}

	/** A page is looked at. */
	protected function look_at_page(): void {
		WC()->cart->get_cart_from_session();
		WC()->cart->calculate_totals();
		$this->end_of_request();
	}

	/** @return array[] All rows, oldest first, their state decoded. */
	protected static function rows(): array {
		global $wpdb;
		$rows = $wpdb->get_results( 'SELECT * FROM ' . Cart_Table::name() . ' ORDER BY created_at, changed_at', ARRAY_A );
		foreach ( $rows as &$row ) {
			$row['state'] = json_decode( $row['state'], true );
		}
		return $rows;
	}

	/** The only row. */
	protected function row(): array {
		$rows = self::rows();
		$this->assertCount( 1, $rows );
		return $rows[0];
	}

	/** @return array[] Bodies of the calls to the carts door since last asked. */
	protected function told(): array {
		$told = array();
		foreach ( $this->requests as $request ) {
			if ( '/carts' === substr( $request['url'], -6 ) ) {
				$told[] = json_decode( $request['body'], true );
			}
		}
		$this->requests = array();
		return $told;
	}

	/** How often our cart waits in the queue. */
	protected static function queued(): int {
		return count( as_get_scheduled_actions( array( 'hook' => Cart_Sender::SEND, 'status' => 'pending' ), 'ids' ) );
	}

	/** From here on the sender believes in $this->now. */
	protected function take_the_clock(): void {
		$this->now = time();
		remove_all_actions( Cart_Sender::SEND );
		remove_all_actions( Cart_Sender::SWEEP );
		( new Cart_Sender( function () {
			return $this->now;
		} ) )->register();
	}

	/** Time passes; the queue runs whenever something in it is due. */
	protected function pass( int $seconds ): void {
		global $wpdb;
		$end = $this->now + $seconds;
		do {
			$next      = $wpdb->get_var( "SELECT MIN(scheduled_at) FROM {$wpdb->prefix}actionscheduler_actions WHERE status = 'pending'" );
			$is_due    = null !== $next && (int) $next <= $end;
			$this->now = $is_due ? max( $this->now, (int) $next ) : $end;
			self::run_actions( $this->now );
		} while ( $is_due );
	}

	/** A shopper whom Agala could reach: an email typed at the block checkout. */
	protected function type_email( string $email = 'noa@shopper.example' ): void {
		$this->store_api( '/cart/update-customer', array( 'billing_address' => array( 'email' => $email, 'first_name' => 'Noa', 'phone' => '050-555-0102' ) ) );
	}
}
