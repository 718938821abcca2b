<?php
/** The tests' own ground: each test finds the shop as it was. */

namespace Agala\Tests;

final class EnvironmentTest extends ShopTestCase {
	public function test_what_a_test_changes_is_undone(): void {
		update_option( 'agala_environment_test', 'left behind' );
		add_action( 'agala_environment_test', '__return_true' );
		$this->assertNotFalse( WC()->cart->add_to_cart( self::product( 'MUG-1' )->get_id() ) );
		$this->assertSame( 1, WC()->cart->get_cart_contents_count() );
	}

	/** @depends test_what_a_test_changes_is_undone */
	public function test_the_next_one_finds_nothing_of_it(): void {
		$this->assertFalse( get_option( 'agala_environment_test' ) );
		$this->assertFalse( has_action( 'agala_environment_test' ) );
		$this->assertTrue( WC()->cart->is_empty() );
	}

	public function test_an_order_comes_of_a_cart(): void {
		WC()->cart->add_to_cart( self::product( 'SHIRT-M' )->get_id(), 2 );
		WC()->cart->apply_coupon( 'ten' );
		$answer = self::place_order();
		$this->assertSame( 'success', $answer['result'], wp_json_encode( $answer ) );
		$order = wc_get_order( $answer['order_id'] );
		$this->assertSame( 'on-hold', $order->get_status() );
		$this->assertEquals( 144, $order->get_total() );
		$this->assertSame( array( 'ten' ), $order->get_coupon_codes() );
		$this->assertTrue( WC()->cart->is_empty() );
	}

	public function test_a_call_to_another_server_is_kept_and_answered(): void {
		$this->responder = static fn( $request ) => self::response( 503, 'later' );
		$this->assertSame( 503, wp_remote_retrieve_response_code( wp_remote_post( 'https://agala.example/x', array( 'body' => 'b' ) ) ) );
		$this->assertSame( 'https://agala.example/x', $this->requests[0]['url'] );
	}

	public function test_actions_run_when_they_are_due(): void {
		$ran = array();
		add_action( 'agala_environment_test', static function ( $which ) use ( &$ran ) {
			$ran[] = $which;
		} );
		as_enqueue_async_action( 'agala_environment_test', array( 'now' ), 'agala' );
		as_schedule_single_action( time() + 3600, 'agala_environment_test', array( 'later' ), 'agala' );
		self::run_actions();
		$this->assertSame( array( 'now' ), $ran );
		$this->assertTrue( as_has_scheduled_action( 'agala_environment_test', array( 'later' ), 'agala' ) );
		self::run_actions( time() + 3601 );
		$this->assertSame( array( 'now', 'later' ), $ran );
	}
}
