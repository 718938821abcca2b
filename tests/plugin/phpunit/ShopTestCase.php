<?php
/**
 * A test in a shop: what it changes in the database, in hooks and in options is undone after it, and each begins with a new
 * shopper who is a guest with an empty cart.
 */

namespace Agala\Tests;

abstract class ShopTestCase extends \PHPUnit\Framework\TestCase {
	/** @var array<int, array{url: string, method: string, headers: array, body: mixed, arguments: array}> What was asked of other servers. */
	protected $requests = array();
	/** @var callable|null fn( array $request ): array|\WP_Error|null; null answers 200 with {}. */
	protected $responder = null;
	private $hooks       = array();
	private $server      = array();

	protected function setUp(): void {
		global $wpdb, $wp_filter;
		parent::setUp();
		foreach ( $wp_filter as $name => $hook ) {
			$this->hooks[ $name ] = clone $hook;
		}
		$this->server = $_SERVER;
		$wpdb->query( 'START TRANSACTION' );
		wp_cache_flush();
		wp_set_current_user( 0 );
		$_GET            = array();
		$_POST           = array();
		$_REQUEST        = array();
		$_COOKIE         = array();
		$this->requests  = array();
		$this->responder = null;
		add_filter( 'pre_http_request', array( $this, 'answer' ), 10, 3 );
		if ( method_exists( WC(), 'wc_double_new_shopper' ) ) {
			WC()->wc_double_new_shopper();
		} else {
			wc_load_cart();
			WC()->cart->empty_cart();
		}
	}

	protected function tearDown(): void {
		global $wpdb, $wp_filter;
		$wpdb->query( 'ROLLBACK' );
		wp_cache_flush();
		$wp_filter = $this->hooks; // phpcs:ignore
		$_SERVER   = $this->server;
		parent::tearDown();
	}

	/** No test speaks to another server: every call is kept in $requests and answered by $responder. */
	public function answer( $preempt, $arguments, $url ) {
		$request          = array(
			'url'       => $url,
			'method'    => $arguments['method'] ?? 'GET',
			'headers'   => $arguments['headers'] ?? array(),
			'body'      => $arguments['body'] ?? '',
			'arguments' => $arguments,
		);
		$this->requests[] = $request;
		$answer           = $this->responder ? ( $this->responder )( $request ) : null;
		return null === $answer ? self::response( 200, '{}' ) : $answer;
	}

	/** An answer as wp_remote_request() gives it. */
	protected static function response( int $status, string $body = '', array $headers = array() ): array {
		return array(
			'headers'  => $headers,
			'body'     => $body,
			'response' => array( 'code' => $status, 'message' => get_status_header_desc( $status ) ),
			'cookies'  => array(),
			'filename' => null,
		);
	}

	/** A product by its SKU: MUG-1, SHIRT-M, SHIRT-L, JUG-1 (sold out). */
	protected static function product( string $sku ): \WC_Product {
		return wc_get_product( wc_get_product_id_by_sku( $sku ) );
	}

	/** Runs what Action Scheduler has due at $now (Unix seconds; default: now). Gives [hook, status, trouble] of each. */
	protected static function run_actions( ?int $now = null ): array {
		if ( defined( 'WC_DOUBLE_FOR_TESTS' ) ) {
			return wc_double_run_actions( $now );
		}
		self::assertNull( $now, 'The real Action Scheduler knows no other time.' );
		\ActionScheduler_QueueRunner::instance()->run();
		return array();
	}

	/** The present shopper places an order of the cart at the classic checkout. Gives the answer that the browser gets. */
	protected static function place_order( array $fields = array() ): array {
		$_POST = wp_slash(
			$fields + array(
				'billing_first_name' => 'Dana',
				'billing_last_name'  => 'Levi',
				'billing_country'    => 'IL',
				'billing_address_1'  => '1 Herzl',
				'billing_city'       => 'Haifa',
				'billing_phone'      => '0505550101',
				'billing_email'      => 'dana@shopper.example',
				'payment_method'     => 'bacs',
			)
		);
		$_REQUEST['woocommerce-process-checkout-nonce'] = wp_create_nonce( 'woocommerce-process_checkout' );
		return defined( 'WC_DOUBLE_FOR_TESTS' ) ? WC()->checkout()->process_checkout() : self::place_real_order();
	}

	/** The real checkout prints its answer and ends the request. */
	private static function place_real_order(): array {
		$end = static function () {
			throw new \OutOfBoundsException( 'the request ended' );
		};
		add_filter( 'wp_doing_ajax', '__return_true' );
		add_filter( 'wp_die_ajax_handler', static fn() => $end );
		ob_start();
		try {
			WC()->checkout()->process_checkout();
		} catch ( \OutOfBoundsException $ended ) {
			remove_filter( 'wp_doing_ajax', '__return_true' );
		}
		return json_decode( ob_get_clean(), true );
	}
}
