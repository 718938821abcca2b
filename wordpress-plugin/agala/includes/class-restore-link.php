<?php
/**
 * Links that bring a cart back.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

/**
 * Makes and checks `?agala-restore={token}.{expires}.{signature}`: the cart's random token, Unix seconds, and HMAC-SHA256 of both
 * with a key of this shop alone.
 */
final class Restore_Link {

	public const PARAMETER = 'agala-restore';

	/**
	 * The link to a cart. The same change of a cart always gets the same one.
	 *
	 * @param string $token      The cart's token.
	 * @param int    $changed_at When the cart changed, Unix milliseconds.
	 */
	public static function url( string $token, int $changed_at ): string {
		$expires = intdiv( $changed_at, 1000 ) + (int) Options::settings()['restore_days'] * DAY_IN_SECONDS;
		return add_query_arg( self::PARAMETER, $token . '.' . $expires . '.' . self::signature( $token, $expires ), home_url( '/' ) );
	}

	/**
	 * The cart's token, or null for a link that is expired, changed or another shop's.
	 *
	 * @param string $value What the address says.
	 * @param int    $now   Unix seconds.
	 */
	public static function token( string $value, int $now ): ?string {
		if ( 1 !== preg_match( '/^([0-9a-f]{32})\.(\d{1,11})\.([0-9a-f]{64})$/D', $value, $part ) ) {
			return null;
		}
		if ( ! hash_equals( self::signature( $part[1], (int) $part[2] ), $part[3] ) || (int) $part[2] < $now ) {
			return null;
		}
		return $part[1];
	}

	/**
	 * Hex HMAC-SHA256.
	 *
	 * @param string $token   The cart's token.
	 * @param int    $expires Unix seconds.
	 */
	private static function signature( string $token, int $expires ): string {
		return hash_hmac( 'sha256', 'restore|' . $token . '|' . $expires, Options::restore_key() );
	}
}
