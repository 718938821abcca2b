<?php
/**
 * Orders end carts.
 *
 * @package Agala
 */

namespace Agala;

use WC_Order;

defined( 'ABSPATH' ) || exit;

/**
 * Writes the cart's token on the order, and ends the cart once the order is placed: by that token alone, whatever
 * email the order has. The order need not be paid: what is on hold or waits for its payment was not left.
 *
 * Never by `woocommerce_new_order`: on WooCommerce 8.3 it fires when the block checkout merely opens.
 */
final class Conversion {

	public const CART   = '_agala_cart_token';
	public const LOCALE = '_agala_locale';

	/**
	 * Statuses of an order that nobody has placed, or that ended without having been placed.
	 */
	private const NOT_PLACED = array( 'checkout-draft', 'auto-draft', 'draft', 'new', 'cancelled', 'failed', 'trash' );

	/**
	 * Adds the hooks.
	 */
	public function register(): void {
		add_action( 'woocommerce_checkout_create_order', array( $this, 'mark' ) );
		add_action( 'woocommerce_store_api_checkout_update_order_meta', array( $this, 'mark' ) );
		add_action( 'woocommerce_checkout_order_processed', array( $this, 'placed_classic' ), 10, 3 );
		add_action( 'woocommerce_store_api_checkout_order_processed', array( $this, 'placed' ) );
		add_action( 'woocommerce_order_status_changed', array( $this, 'status_changed' ), 10, 4 );
	}

	/**
	 * The checkout makes or changes an order, which it saves after this.
	 *
	 * @param WC_Order $order The order.
	 */
	public function mark( $order ): void {
		$token = Cart_Session::token();
		if ( null !== $token ) {
			$order->update_meta_data( self::CART, $token );
		}
		$order->update_meta_data( self::LOCALE, determine_locale() );
	}

	/**
	 * An order was placed at the classic checkout.
	 *
	 * @param int      $order_id Its id.
	 * @param array    $posted   What the checkout's form said.
	 * @param WC_Order $order    The order.
	 */
	public function placed_classic( $order_id, $posted = array(), $order = null ): void {
		$order = $order instanceof WC_Order ? $order : wc_get_order( $order_id );
		if ( $order instanceof WC_Order ) {
			$this->placed( $order );
		}
	}

	/**
	 * An order was placed.
	 *
	 * @param WC_Order $order The order.
	 */
	public function placed( $order ): void {
		if ( '' === (string) $order->get_meta( self::CART ) && null !== Cart_Session::token() ) {
			// A checkout that did not tell us while it made the order.
			$this->mark( $order );
			$order->save_meta_data();
		}
		$this->end_cart( $order );
	}

	/**
	 * An order got another status: placed at the order-pay page, or told by a payment provider.
	 *
	 * @param int      $order_id Its id.
	 * @param string   $from     The status of before.
	 * @param string   $to       The status of now.
	 * @param WC_Order $order    The order.
	 */
	public function status_changed( $order_id, $from, $to, $order ): void {
		if ( $order instanceof WC_Order && ! in_array( $to, self::NOT_PLACED, true ) ) {
			$this->end_cart( $order );
		}
	}

	/**
	 * The order's cart is bought.
	 *
	 * @param WC_Order $order The order.
	 */
	private function end_cart( WC_Order $order ): void {
		$token = $order->get_meta( self::CART );
		$row   = is_string( $token ) && Cart_Session::is_token( $token ) ? Cart_Table::find( $token ) : null;
		if ( null === $row || Cart_Table::CONVERTED === $row['step'] ) {
			return;
		}
		$state               = (array) json_decode( $row['state'], true );
		$person              = Cart_Person::with_before( Cart_Person::of_order( $order ), $row, $state );
		$state['first_name'] = $person['first_name'];
		$state['consent']    = Cart_Person::choices( $state, $row, $person ); // The order tells of its own.
		unset( $person['first_name'] );
		$changed = $person + array(
			'state'       => (string) wp_json_encode( $state ),
			'session_key' => null,
			'step'        => Cart_Table::CONVERTED,
			'order_id'    => $order->get_id(),
			'changed_at'  => max( (int) floor( 1000 * microtime( true ) ), (int) $row['changed_at'] + 1 ),
			'outcome'     => Cart_Table::WAITING,
			'tries'       => 0,
		);
		$changed['queued_at'] = Cart_Sender::due( array_merge( $row, $changed ), intdiv( $changed['changed_at'], 1000 ) );
		if ( Cart_Table::change( $token, $changed ) ) {
			Cart_Sender::enqueue( $token, $changed['queued_at'], (int) $row['queued_at'] );
		}
	}
}
