<?php
/**
 * Connecting the shop with Agala, and letting go again.
 *
 * @package Agala
 */

namespace Agala;

use WP_Error;

defined( 'ABSPATH' ) || exit;

/**
 * The steps of connecting and disconnecting; who may do it is checked by Connection_Handler.
 */
final class Connection {

	private const ADDRESSES = array( 'webhook_url', 'carts_url', 'plugin_url', 'keys_url' );

	/**
	 * Agala's page on which the owner says yes, for owners who have no code. Checks first that Agala lives there.
	 *
	 * @param string $address    Agala's address.
	 * @param string $return_url Where the owner comes back to, with `code` and `state`.
	 * @return string|WP_Error The page.
	 */
	public static function consent_page( string $address, string $return_url ) {
		$answer = ( new Agala_Api() )->health( $address );
		if ( is_wp_error( $answer ) ) {
			return $answer;
		}
		return add_query_arg(
			array(
				// Agala sends the owner back to the origin named here and nowhere else.
				'shop'   => rawurlencode( Connection_Code::origin( $return_url ) ),
				'return' => rawurlencode( $return_url ),
				'state'  => Connection_State::begin(),
				'lang'   => strtok( get_user_locale(), '_' ),
			),
			$address . '/connect'
		);
	}

	/**
	 * Connects with a code's key. Keys to the shop's REST API are the next step: see `hand_over_keys`.
	 *
	 * @param string $address Agala's address.
	 * @param string $key     The code's key.
	 * @return true|WP_Error
	 */
	public static function connect( string $address, string $key ) {
		$answer = ( new Agala_Api() )->with_key( $address . '/v1/connections', $key, Shop_Description::of_this_shop() );
		if ( is_wp_error( $answer ) ) {
			return $answer;
		}
		$connection = self::read_answer( $address, $answer );
		if ( null === $connection ) {
			return new WP_Error( 'agala_unexpected', __( 'Agala\'s answer lacks something this plugin needs. A newer version of the plugin may be needed.', 'agala' ) );
		}
		Options::save_connection( $connection );
		/**
		 * The shop has just been connected.
		 */
		do_action( 'agala_connected' );
		return true;
	}

	/**
	 * Lets Agala read the shop: at once where that is possible, else over WooCommerce's authorisation page.
	 *
	 * @param string $return_url Where the owner comes back to.
	 * @return string|true|WP_Error The page where the owner goes on; true where all is done.
	 */
	public static function hand_over_keys( string $return_url ) {
		$connection = Options::connection();
		if ( null === $connection || empty( $connection['keys_url'] ) ) {
			return true;
		}
		Shop_Keys::revoke();
		if ( Shop_Keys::can_be_authorised( $connection['keys_url'] ) ) {
			return Shop_Keys::authorisation_page( $connection['store_id'], $connection['keys_url'], $return_url );
		}
		$sent = Shop_Keys::make_and_send( $connection['store_id'], $connection['keys_url'] );
		if ( true === $sent ) {
			self::keys_are_handed_over();
		}
		return $sent;
	}

	/**
	 * The address for the keys works once: it is forgotten when they are there.
	 */
	public static function keys_are_handed_over(): void {
		$connection = Options::connection();
		if ( null !== $connection ) {
			unset( $connection['keys_url'] );
			Options::save_connection( $connection );
		}
	}

	/**
	 * Undoes all of it, also when Agala does not answer.
	 *
	 * @return true|WP_Error What went wrong on telling Agala; here everything is gone either way.
	 */
	public static function disconnect() {
		$connection = Options::connection();
		if ( null === $connection ) {
			return true;
		}
		$answer = ( new Agala_Api() )->signed( $connection['plugin_url'] . '/disconnect', array() );
		// The plugin may be deleted while WooCommerce is switched off; Agala hears of it all the same.
		if ( Compatibility::has_woocommerce() ) {
			Shop_Webhooks::delete( $connection['webhook_url'] );
			Shop_Keys::revoke();
		}
		Installation::unschedule_all();
		Options::forget_connection();
		/**
		 * The shop has just been disconnected.
		 */
		do_action( 'agala_disconnected' );
		// A shop that Agala does not know is disconnected there already.
		return is_wp_error( $answer ) && 'agala_gone' !== $answer->get_error_code() ? $answer : true;
	}

	/**
	 * What we keep of Agala's answer, or null if it is not whole. All its addresses are on one Agala, which need not be
	 * spelled as the owner typed it, but never less safe: WordPress is told to deliver there and nowhere else.
	 *
	 * @param string $address Agala's address.
	 * @param array  $answer  The answer of the call that connects.
	 */
	private static function read_answer( string $address, array $answer ): ?array {
		$connection = array(
			'address'      => $address,
			'connected_at' => time(),
		);
		foreach ( array_merge( array( 'store_id', 'secret' ), self::ADDRESSES ) as $key ) {
			if ( empty( $answer[ $key ] ) || ! is_string( $answer[ $key ] ) ) {
				return null;
			}
			$connection[ $key ] = $answer[ $key ];
		}
		$origin = Connection_Code::origin( $connection['webhook_url'] );
		foreach ( self::ADDRESSES as $key ) {
			if ( Connection_Code::origin( $connection[ $key ] ) !== $origin ) {
				return null;
			}
		}
		$less_safe = 0 === strpos( $address, 'https://' ) && 0 !== strpos( $origin, 'https://' );
		return '' === $origin || $less_safe ? null : $connection;
	}
}
