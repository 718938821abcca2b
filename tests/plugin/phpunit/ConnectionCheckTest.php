<?php
/** "Test connection". */

namespace Agala\Tests;

use Agala\Connection_Check;
use WP_Error;

require_once __DIR__ . '/ConnectedShop.php';

final class ConnectionCheckTest extends ShopTestCase {
	use ConnectedShop;

	/** The results by name: state and words. */
	private function results(): array {
		$results = array();
		foreach ( ( new Connection_Check() )->run() as $result ) {
			$results[ $result['name'] ] = $result['state'] . ': ' . $result['words'];
		}
		return $results;
	}

	private static function healthy( array $sync = array( 'status' => 'done', 'parts' => array() ), int $clock = 0 ): array {
		$headers = array( 'date' => gmdate( 'D, d M Y H:i:s', time() - $clock ) . ' GMT' );
		$status  = array( 'store' => array( 'id' => '01shop', 'name' => 'Clay' ), 'connection' => array( 'status' => 'connected' ), 'sync' => $sync );
		return array( '/health' => self::response( 200, '{"status":"ok"}', $headers ), '/status' => self::response( 200, wp_json_encode( $status ), $headers ) );
	}

	private static function webhook( string $status ): void {
		$webhook = new \WC_Webhook();
		$webhook->set_name( 'Agala' );
		$webhook->set_topic( 'order.updated' );
		$webhook->set_status( $status );
		$webhook->set_delivery_url( 'https://agala.example/webhooks/woocommerce/01shop' );
		$webhook->save();
	}

	private static function key(): void {
		$GLOBALS['wpdb']->insert(
			$GLOBALS['wpdb']->prefix . 'woocommerce_api_keys',
			array( 'user_id' => 1, 'description' => 'Agala - API (2026-11-22 01:00:00)', 'permissions' => 'read_write', 'consumer_key' => 'x', 'consumer_secret' => 'cs_x', 'truncated_key' => 'x' )
		);
	}

	public function test_a_healthy_connection_is_good_in_every_respect(): void {
		self::connect();
		self::key();
		self::webhook( 'active' );
		$this->agala_answers( self::healthy() );
		$results = $this->results();
		$this->assertSame( array( 'Outgoing calls', 'Address', 'Certificate', 'Clock', 'Signature', 'Reading the shop', 'Live updates', 'Background work' ), array_keys( $results ) );
		foreach ( $results as $name => $result ) {
			$this->assertStringStartsWith( 'good', $result, $name );
		}
		$this->assertStringContainsString( '"Clay"', $results['Signature'] );
	}

	public function test_a_bad_certificate_is_told_from_a_bad_address(): void {
		self::connect();
		$this->responder = static fn() => new WP_Error( 'http_request_failed', 'cURL error 60: SSL certificate problem' );
		$results         = $this->results();
		$this->assertStringStartsWith( 'good', $results['Address'] );
		$this->assertStringStartsWith( 'bad', $results['Certificate'] );
		$this->responder = static fn() => new WP_Error( 'http_request_failed', 'cURL error 6: Could not resolve host' );
		$results         = $this->results();
		$this->assertStringStartsWith( 'bad', $results['Address'] );
		$this->assertStringStartsWith( 'unknown', $results['Certificate'] );
		$this->assertStringStartsWith( 'unknown', $results['Clock'] );
	}

	public function test_a_clock_that_is_off_is_told_with_by_how_much(): void {
		self::connect();
		$this->agala_answers( self::healthy( array(), 3600 ) );
		$this->assertStringStartsWith( 'bad: The clock of this server is off by 1 hour', $this->results()['Clock'] );
	}

	public function test_switched_off_webhooks_are_counted(): void {
		self::connect();
		self::webhook( 'active' );
		self::webhook( 'disabled' );
		$this->agala_answers( self::healthy() );
		$this->assertStringStartsWith( 'bad: 1 of 2', $this->results()['Live updates'] );
	}

	public function test_what_agala_cannot_read_is_told_in_its_words(): void {
		self::connect();
		self::key();
		$this->agala_answers( self::healthy( array( 'status' => 'waiting', 'parts' => array(), 'trouble' => array( 'words' => 'the shop answered with a web page' ) ) ) );
		$this->assertStringContainsString( 'the shop answered with a web page', $this->results()['Reading the shop'] );
	}

	public function test_a_shop_that_agala_has_not_looked_at_is_not_called_good(): void {
		self::connect();
		self::key();
		$parts = array( array( 'kind' => 'webhooks', 'done' => 0, 'total' => null ) );
		$this->agala_answers( self::healthy( array( 'status' => 'running', 'parts' => $parts ) ) );
		$this->assertStringStartsWith( 'unknown', $this->results()['Reading the shop'] );
		self::webhook( 'active' );
		$this->assertStringStartsWith( 'good', $this->results()['Reading the shop'] );
	}

	public function test_work_that_waits_for_too_long_is_told(): void {
		self::connect();
		as_schedule_single_action( time() - 7200, 'agala_nothing_runs', array(), 'agala' );
		$this->assertStringStartsWith( 'bad', $this->results()['Background work'] );
	}

	public function test_without_a_connection_there_is_nothing_to_test(): void {
		$this->assertSame( array( 'Connection' => 'bad: The shop is not connected to Agala.' ), $this->results() );
		$this->assertSame( array(), $this->requests );
	}
}
