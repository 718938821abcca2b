<?php
/**
 * Links that bring a cart back.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

/**
 * Makes and checks `?agala-restore={token}.{expires}.{signature}.{recipient}`: the cart's random token, Unix seconds,
 * 128 bits of HMAC-SHA256 of all the rest with a key of this shop alone; and, where there is one, whom the link was made for.
 *
 * A link is passed on, and whoever it is passed on to may type who they are: a cart then goes on as theirs. So only the
 * address that a link was made for is filled in by it, never what its cart has learned since.
 */
final class Restore_Link {

	public const PARAMETER = 'agala-restore';

	/**
	 * The link to a cart. The same change of a cart always gets the same one.
	 *
	 * @param string $token      The cart's token.
	 * @param int    $changed_at When the cart changed, Unix milliseconds.
	 * @param string $address    The email or phone number that the link is made for, '' for nobody's.
	 */
	public static function url( string $token, int $changed_at, string $address = '' ): string {
		$expires   = intdiv( $changed_at, 1000 ) + (int) Options::settings()['restore_days'] * DAY_IN_SECONDS;
		$recipient = '' === $address ? '' : '.' . self::recipient( $token, $address );
		$value     = $token . '.' . $expires . '.' . self::signature( $token, $expires, $recipient ) . $recipient;
		return add_query_arg( self::PARAMETER, $value, home_url( '/' ) );
	}

	/**
	 * The cart's token, or null for a link that is expired, changed or another shop's.
	 *
	 * @param string $value What the address says.
	 * @param int    $now   Unix seconds.
	 */
	public static function token( string $value, int $now ): ?string {
		if ( 1 !== preg_match( '/^([0-9a-f]{32})\.([1-9]\d{0,10})\.([0-9a-f]{32})(\.[0-9a-f]{16})?$/D', $value, $part ) ) {
			return null;
		}
		$signature = self::signature( $part[1], (int) $part[2], isset( $part[4] ) ? $part[4] : '' );
		return hash_equals( $signature, $part[3] ) && (int) $part[2] >= $now ? $part[1] : null;
	}

	/**
	 * Whether a link was made for this address.
	 *
	 * @param string $value   What the address bar says: a link that `token` accepts.
	 * @param string $token   The cart's token.
	 * @param string $address An email or a phone number.
	 */
	public static function is_for( string $value, string $token, string $address ): bool {
		$told = (string) substr( (string) strrchr( $value, '.' ), 1 );
		return '' !== $address && hash_equals( self::recipient( $token, $address ), $told );
	}

	/**
	 * Names an address to nobody but this shop: 16 hex digits of HMAC-SHA256.
	 *
	 * @param string $token   The cart's token.
	 * @param string $address An email or a phone number.
	 */
	private static function recipient( string $token, string $address ): string {
		return substr( hash_hmac( 'sha256', 'recipient|' . $token . '|' . $address, Options::restore_key() ), 0, 16 );
	}

	/**
	 * 32 hex digits of HMAC-SHA256: in an SMS every letter costs.
	 *
	 * @param string $token     The cart's token.
	 * @param int    $expires   Unix seconds.
	 * @param string $recipient The link's last part with its full stop, '' where it has none.
	 */
	private static function signature( string $token, int $expires, string $recipient ): string {
		return substr( hash_hmac( 'sha256', 'restore|' . $token . '|' . $expires . '|' . $recipient, Options::restore_key() ), 0, 32 );
	}
}
