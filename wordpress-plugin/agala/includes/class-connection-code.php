<?php
/**
 * What an owner types to connect.
 *
 * @package Agala
 */

namespace Agala;

use WP_Error;

defined( 'ABSPATH' ) || exit;

/**
 * Reads connection codes and addresses of Agala.
 *
 * A code is `agala_` and base64url of the JSON `{"address": …, "key": …}`.
 */
final class Connection_Code {

	private const PREFIX = 'agala_';

	/**
	 * Whether this is meant to be a code rather than an address.
	 *
	 * @param string $typed What the owner typed.
	 */
	public static function is_code( string $typed ): bool {
		return 0 === strpos( $typed, self::PREFIX );
	}

	/**
	 * Reads a code.
	 *
	 * @param string $typed What the owner pasted.
	 * @return array|WP_Error `address` and `key`.
	 */
	public static function read( string $typed ) {
		$packed = preg_replace( '/\s+/', '', substr( $typed, strlen( self::PREFIX ) ) );
		$told    = json_decode( (string) base64_decode( strtr( $packed, '-_', '+/' ), false ), true );
		$address = is_array( $told ) && isset( $told['address'] ) && is_string( $told['address'] ) ? self::address( $told['address'] ) : null;
		if ( ! is_string( $address ) || empty( $told['key'] ) || ! is_string( $told['key'] ) || preg_match( '/[^\x21-\x7e]/', $told['key'] ) ) {
			return new WP_Error( 'agala_code', __( 'This connection code is not complete. Copy all of it from Agala, from "agala_" to its end.', 'agala' ) );
		}
		return array(
			'address' => $address,
			'key'     => $told['key'],
		);
	}

	/**
	 * An address of Agala as typed, made whole: with a scheme, without a slash at its end.
	 *
	 * @param string $typed What the owner typed.
	 * @return string|WP_Error
	 */
	public static function address( string $typed ) {
		$typed = trim( $typed );
		if ( '' !== $typed && ! preg_match( '#^[a-z][a-z0-9+.-]*://#i', $typed ) ) {
			$host  = (string) wp_parse_url( 'http://' . $typed, PHP_URL_HOST );
			$typed = ( self::is_loopback( $host ) ? 'http://' : 'https://' ) . $typed;
		}
		$parts = wp_parse_url( $typed );
		$good  = is_array( $parts ) && isset( $parts['scheme'], $parts['host'] )
			&& in_array( strtolower( $parts['scheme'] ), array( 'http', 'https' ), true )
			&& ! isset( $parts['user'] ) && ! isset( $parts['pass'] )
			&& preg_match( '/^(\[[0-9a-f:.]+\]|[a-z0-9]([a-z0-9.-]*[a-z0-9])?)$/i', $parts['host'] );
		if ( ! $good ) {
			return new WP_Error( 'agala_address', __( 'This is neither a connection code nor an address such as https://agala.example.', 'agala' ) );
		}
		$path = isset( $parts['path'] ) ? rtrim( $parts['path'], '/' ) : '';
		return esc_url_raw( self::origin( $typed ) . $path );
	}

	/**
	 * Scheme, host and (where it is not the scheme's own) port, in one spelling; '' for what is no address.
	 *
	 * @param string $url An address.
	 */
	public static function origin( string $url ): string {
		$parts = wp_parse_url( $url );
		if ( ! is_array( $parts ) || ! isset( $parts['scheme'], $parts['host'] ) ) {
			return '';
		}
		$scheme = strtolower( $parts['scheme'] );
		$port   = self::port( $url );
		$usual  = 'https' === $scheme ? 443 : 80;
		return $scheme . '://' . strtolower( $parts['host'] ) . ( $port === $usual ? '' : ':' . $port );
	}

	/**
	 * The port of an address, also where it goes without saying.
	 *
	 * @param string $url An address.
	 */
	public static function port( string $url ): int {
		$parts = wp_parse_url( $url );
		if ( is_array( $parts ) && isset( $parts['port'] ) ) {
			return (int) $parts['port'];
		}
		return isset( $parts['scheme'] ) && 'https' === strtolower( $parts['scheme'] ) ? 443 : 80;
	}

	/**
	 * Whether a host is this very computer.
	 *
	 * @param string $host A host name or an IP address.
	 */
	public static function is_loopback( string $host ): bool {
		return 1 === preg_match( '/^(localhost|.*\.localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i', $host );
	}
}
