<?php
/**
 * Agala's keys to the shop's REST API.
 *
 * @package Agala
 */

namespace Agala;

use WP_Error;

defined( 'ABSPATH' ) || exit;

/**
 * How Agala gets its keys, and how they are taken away again.
 *
 * WooCommerce's own authorisation page is the way. It insists on an https address that WordPress may call, so for an
 * Agala on this very computer, or without https, the plugin makes the key itself, in the same table and the same shape.
 */
final class Shop_Keys {

	/**
	 * WooCommerce's authorisation page describes the keys it makes as "<app name> - API (<time>)".
	 */
	private const APP = 'Agala';

	/**
	 * Whether WooCommerce's authorisation page can hand the keys to this address.
	 *
	 * @param string $keys_url Where Agala takes the keys.
	 */
	public static function can_be_authorised( string $keys_url ): bool {
		$pretty_links = '' !== (string) get_option( 'permalink_structure' );
		$host         = (string) wp_parse_url( $keys_url, PHP_URL_HOST );
		return $pretty_links && 'https' === wp_parse_url( $keys_url, PHP_URL_SCHEME ) && ! Connection_Code::is_loopback( $host );
	}

	/**
	 * WooCommerce's page on which the owner approves.
	 *
	 * @param string $store_id   The shop's id at Agala; comes back with the keys.
	 * @param string $keys_url   Where WooCommerce sends the keys.
	 * @param string $return_url Where the owner goes afterwards.
	 */
	public static function authorisation_page( string $store_id, string $keys_url, string $return_url ): string {
		return add_query_arg(
			array(
				'app_name'     => self::APP,
				'scope'        => 'read_write',
				'user_id'      => rawurlencode( $store_id ),
				'return_url'   => rawurlencode( $return_url ),
				'callback_url' => rawurlencode( $keys_url ),
			),
			home_url( '/wc-auth/v1/authorize' )
		);
	}

	/**
	 * Makes a key in the name of the present user and hands it to Agala. If that fails the key is taken back.
	 *
	 * @param string $store_id The shop's id at Agala.
	 * @param string $keys_url Where Agala takes the keys.
	 * @return true|WP_Error
	 */
	public static function make_and_send( string $store_id, string $keys_url ) {
		global $wpdb;
		$key    = 'ck_' . wc_rand_hash();
		$secret = 'cs_' . wc_rand_hash();
		$kept   = $wpdb->insert(
			$wpdb->prefix . 'woocommerce_api_keys',
			array(
				'user_id'         => get_current_user_id(),
				'description'     => sprintf( '%s - API (%s)', self::APP, gmdate( 'Y-m-d H:i:s' ) ),
				'permissions'     => 'read_write',
				'consumer_key'    => wc_api_hash( $key ),
				'consumer_secret' => $secret,
				'truncated_key'   => substr( $key, -7 ),
			),
			array( '%d', '%s', '%s', '%s', '%s', '%s' )
		);
		$key_id = (int) $wpdb->insert_id;
		if ( ! $kept ) {
			return new WP_Error( 'agala_keys', __( 'WooCommerce could not keep a new key for Agala in its database.', 'agala' ) );
		}
		$answer = ( new Agala_Api() )->post(
			$keys_url,
			array(
				'key_id'          => $key_id,
				'user_id'         => $store_id,
				'consumer_key'    => $key,
				'consumer_secret' => $secret,
				'key_permissions' => 'read_write',
			)
		);
		if ( is_wp_error( $answer ) ) {
			$wpdb->delete( $wpdb->prefix . 'woocommerce_api_keys', array( 'key_id' => $key_id ), array( '%d' ) );
			return $answer;
		}
		return true;
	}

	/**
	 * Takes all of Agala's keys away, those of WooCommerce's page and ours.
	 *
	 * @return int How many there were.
	 */
	public static function revoke(): int {
		global $wpdb;
		return (int) $wpdb->query(
			$wpdb->prepare(
				"DELETE FROM {$wpdb->prefix}woocommerce_api_keys WHERE description LIKE %s",
				$wpdb->esc_like( self::APP . ' - API (' ) . '%'
			)
		);
	}

	/**
	 * How many keys Agala has.
	 */
	public static function count(): int {
		global $wpdb;
		return (int) $wpdb->get_var(
			$wpdb->prepare(
				"SELECT COUNT(*) FROM {$wpdb->prefix}woocommerce_api_keys WHERE description LIKE %s",
				$wpdb->esc_like( self::APP . ' - API (' ) . '%'
			)
		);
	}
}
