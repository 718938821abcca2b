<?php
/** An order ends its cart by the cart's own token, however it was placed and paid. */

namespace Agala\Tests;

use Agala\Cart_Session;
use Agala\Conversion;

require_once __DIR__ . '/CartTestCase.php';

final class ConversionTest extends CartTestCase {
	/** Makes the cart's order at the classic checkout. */
	private function order( string $method = 'bacs', string $email = 'dana@shopper.example' ): \WC_Order {
		self::place_order( array( 'payment_method' => $method, 'billing_email' => $email ) );
		$this->end_of_request();
		$orders = wc_get_orders( array( 'limit' => 1, 'orderby' => 'id', 'order' => 'DESC' ) );
		return $orders[0];
	}

	/** @dataProvider payments */
	public function test_every_way_of_paying_ends_the_cart( string $method, string $status ): void {
		$this->add();
		$token = Cart_Session::token();
		$order = $this->order( $method );
		$this->assertSame( $status, $order->get_status() );
		$this->assertSame( $token, $order->get_meta( Conversion::CART ) );
		$this->assertSame( array( 'converted', (string) $order->get_id() ), array( $this->row()['step'], $this->row()['order_id'] ) );
		$this->assertNull( $this->row()['session_key'] );
	}

	public static function payments(): array {
		return array(
			'on hold'    => array( 'bacs', 'on-hold' ),
			'processing' => array( 'cod', 'processing' ),
			'pending'    => array( 'away', 'pending' ),
			'refused'    => array( 'refused', 'failed' ),
		);
	}

	public function test_it_is_told_at_once_and_once(): void {
		$this->add();
		$this->type_email();
		self::run_actions();
		$this->told();
		$order = $this->order( 'cod' );
		$this->assertSame( 1, self::queued() );
		self::run_actions();
		$order->update_status( 'completed' );
		do_action( 'woocommerce_checkout_order_processed', $order->get_id(), array(), $order );
		do_action( 'woocommerce_store_api_checkout_order_processed', $order );
		self::run_actions();
		$told = $this->told();
		$this->assertCount( 1, $told );
		$this->assertSame( array( 'converted', (string) $order->get_id() ), array( $told[0]['event'], $told[0]['order_id'] ) );
		$this->assertArrayNotHasKey( 'restore_url', $told[0] );
	}

	public function test_another_email_at_the_end_does_not_matter(): void {
		$this->add();
		$this->type_email( 'noa@shopper.example' );
		$this->order( 'cod', 'office@shopper.example' );
		self::run_actions();
		$told = $this->told();
		$this->assertSame( array( 'converted', 'office@shopper.example' ), array( end( $told )['event'], end( $told )['email'] ) );
	}

	public function test_the_page_after_the_bank_empties_the_cart_and_nothing_more_is_told(): void {
		$this->add();
		$this->order( 'away' );
		self::run_actions();
		$this->told();
		WC()->cart->empty_cart();
		$this->end_of_request();
		self::run_actions();
		$this->assertSame( array(), $this->told() );
		$this->assertSame( 'converted', $this->row()['step'] );
		$this->assertNull( Cart_Session::token() );
	}

	public function test_an_order_that_is_told_by_the_bank_alone(): void {
		$this->add();
		$order = new \WC_Order();
		do_action( 'woocommerce_checkout_create_order', $order, array() );
		$order->save();
		$order->update_status( 'processing' ); // Without the checkout's own hook, from a request without a shopper.
		$this->assertSame( 'converted', $this->row()['step'] );
	}

	public function test_a_draft_and_a_cancelled_draft_end_nothing(): void {
		$this->add();
		$order = new \WC_Order();
		$order->set_status( 'checkout-draft' );
		do_action( 'woocommerce_store_api_checkout_update_order_meta', $order );
		$order->save();
		do_action( 'woocommerce_new_order', $order->get_id(), $order );
		$order->update_status( 'cancelled' );
		$this->assertSame( 'updated', $this->row()['step'] );
	}

	public function test_an_order_made_by_hand_has_no_cart(): void {
		$this->add();
		$order = new \WC_Order();
		$order->save();
		$order->update_status( 'processing' );
		$this->assertSame( '', $order->get_meta( Conversion::CART ) );
		$this->assertSame( 'updated', $this->row()['step'] );
	}

	public function test_a_bought_cart_is_never_opened_again(): void {
		$this->add();
		$token = Cart_Session::token();
		$this->order( 'cod' );
		$this->assertFalse( \Agala\Cart_Table::change( $token, array( 'step' => 'updated' ) ) );
	}

	public function test_the_same_goods_bought_twice_are_two_carts(): void {
		$this->add();
		$this->order( 'cod' );
		$this->add();
		$this->order( 'cod' );
		$this->assertSame( array( 'converted', 'converted' ), array_column( self::rows(), 'step' ) );
		$this->assertCount( 2, array_unique( array_column( self::rows(), 'token' ) ) );
	}

	public function test_a_checkout_that_did_not_mark_its_order(): void {
		$this->add();
		$token = Cart_Session::token();
		$order = new \WC_Order();
		$order->save();
		do_action( 'woocommerce_checkout_order_processed', $order->get_id(), array(), $order );
		$this->assertSame( $token, wc_get_order( $order->get_id() )->get_meta( Conversion::CART ) );
		$this->assertSame( 'converted', $this->row()['step'] );
	}
}
