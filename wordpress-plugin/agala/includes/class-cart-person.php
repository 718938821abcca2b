<?php
/**
 * Whose cart it is.
 *
 * @package Agala
 */

namespace Agala;

use WC_Order;
use WP_User;

defined( 'ABSPATH' ) || exit;

/**
 * What is known of a cart's shopper: `customer_id` (0: guest), `email`, `phone`, `first_name` (each '' if unknown).
 */
final class Cart_Person {

	private const LONGEST_FIRST_NAME = 100; // Characters.

	/**
	 * What is known now. What was typed for this cart goes before what the account says.
	 *
	 * @param WP_User|null $user Who has just logged in, where WordPress does not count them as logged in yet.
	 */
	public static function known( ?WP_User $user = null ): array {
		$user     = null === $user ? wp_get_current_user() : $user;
		$typed    = Cart_Session::typed();
		$customer = WC()->customer;
		$emails   = array( isset( $typed['email'] ) ? $typed['email'] : '', $customer ? $customer->get_billing_email() : '', $user->user_email );
		$phones   = array( isset( $typed['phone'] ) ? $typed['phone'] : '', $customer ? $customer->get_billing_phone() : '' );
		$names    = array( isset( $typed['first_name'] ) ? $typed['first_name'] : '', $customer ? $customer->get_billing_first_name() : '', $user->first_name );
		return array(
			'customer_id' => (int) $user->ID,
			'email'       => self::first_of( $emails, 'email' ),
			'phone'       => self::first_of( $phones, 'phone' ),
			'first_name'  => self::first_of( $names, 'first_name' ),
		);
	}

	/**
	 * Who bought.
	 *
	 * @param WC_Order $order The order.
	 */
	public static function of_order( WC_Order $order ): array {
		return array(
			'customer_id' => (int) $order->get_customer_id(),
			'email'       => self::email( $order->get_billing_email() ),
			'phone'       => self::phone( $order->get_billing_phone() ),
			'first_name'  => self::first_name( $order->get_billing_first_name() ),
		);
	}

	/**
	 * What is known now, with what the cart knew before: it may go on where the session knows nobody. Not so where it goes on
	 * as another's, who followed a link that was passed on: two people do not become one.
	 *
	 * @param array $now   Who it is, as `known` says it.
	 * @param array $row   The cart's row, empty for a new cart.
	 * @param array $state Its state.
	 */
	public static function with_before( array $now, array $row, array $state ): array {
		$before     = array(
			'customer_id' => isset( $row['customer_id'] ) ? (int) $row['customer_id'] : 0,
			'email'       => isset( $row['email'] ) ? $row['email'] : '',
			'phone'       => isset( $row['phone'] ) ? $row['phone'] : '',
			'first_name'  => isset( $state['first_name'] ) ? $state['first_name'] : '',
		);
		$key        = '' !== $now['email'] ? 'email' : 'phone';
		$is_another = '' !== $now[ $key ] && '' !== $before[ $key ] && $now[ $key ] !== $before[ $key ];
		return $is_another ? $now : array_filter( $now ) + $before;
	}

	/**
	 * The choices of a cart that still hold: each was made for the address that was known then, and is nobody else's.
	 *
	 * @param array $state  The state of the cart's row, empty for a new cart.
	 * @param array $row    The row, empty for a new cart.
	 * @param array $person What is known of the shopper now.
	 */
	public static function choices( array $state, array $row, array $person ): array {
		$choices = isset( $state['consent'] ) ? (array) $state['consent'] : array();
		foreach ( array_keys( $choices ) as $channel ) {
			$key    = 'email' === $channel ? 'email' : 'phone';
			$before = isset( $row[ $key ] ) ? $row[ $key ] : '';
			if ( '' !== $before && ! empty( $person[ $key ] ) && $person[ $key ] !== $before ) {
				unset( $choices[ $channel ] );
			}
		}
		return $choices;
	}

	/**
	 * An email in small letters, '' for what is none.
	 *
	 * @param mixed $value What was typed.
	 */
	public static function email( $value ): string {
		$email = is_string( $value ) ? strtolower( trim( $value ) ) : '';
		return strlen( $email ) <= 254 && is_email( $email ) ? $email : '';
	}

	/**
	 * A phone number as it was typed, '' for what cannot be one.
	 *
	 * @param mixed $value What was typed.
	 */
	public static function phone( $value ): string {
		$phone  = is_string( $value ) ? trim( $value ) : '';
		$digits = preg_replace( '/\D/', '', $phone );
		$is_one = strlen( $phone ) <= 40 && strlen( $digits ) >= 6 && strlen( $digits ) <= 15 && preg_match( '/^[+\d\s().\/-]+$/D', $phone );
		return $is_one ? preg_replace( '/\s+/', ' ', $phone ) : '';
	}

	/**
	 * A first name as plain text of sensible length.
	 *
	 * @param mixed $value What was typed.
	 */
	public static function first_name( $value ): string {
		return is_string( $value ) ? mb_substr( sanitize_text_field( mb_substr( $value, 0, 1000 ) ), 0, self::LONGEST_FIRST_NAME ) : '';
	}

	/**
	 * The first value that makes sense.
	 *
	 * @param array  $values From the best source to the least.
	 * @param string $kind   email, phone or first_name: the function that reads it.
	 */
	private static function first_of( array $values, string $kind ): string {
		foreach ( $values as $value ) {
			$read = self::$kind( $value );
			if ( '' !== $read ) {
				return $read;
			}
		}
		return '';
	}
}
