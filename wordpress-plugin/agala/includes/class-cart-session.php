<?php
/**
 * What the shopper's session says of their cart.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

/**
 * The cart's token and what the shopper typed about themselves, in WooCommerce's session.
 */
final class Cart_Session {

	public const TOKEN    = 'agala_cart_token';
	public const PERSON   = 'agala_cart_person';
	public const OWNER    = 'agala_cart_owner';
	public const GOODS    = 'agala_cart_goods';
	public const RESTORED = 'agala_cart_restored';
	public const NOTICES  = 'agala_cart_notices';

	/**
	 * The cart's token, null where there is none yet.
	 */
	public static function token(): ?string {
		$token = self::is_there() ? WC()->session->get( self::TOKEN ) : null;
		return is_string( $token ) && self::is_token( $token ) ? $token : null;
	}

	/**
	 * Whether this could be a cart's token.
	 *
	 * @param string $text Any text.
	 */
	public static function is_token( string $text ): bool {
		return 1 === preg_match( '/^[0-9a-f]{32}$/D', $text );
	}

	/**
	 * A new token, known to nobody.
	 */
	public static function new_token(): string {
		return bin2hex( random_bytes( 16 ) );
	}

	/**
	 * From now on the session's cart has this token.
	 *
	 * @param string $token The cart's token.
	 */
	public static function keep_token( string $token ): void {
		if ( self::is_there() && self::token() !== $token ) {
			WC()->session->set( self::TOKEN, $token );
		}
	}

	/**
	 * The next cart of this session is another one.
	 */
	public static function forget_token(): void {
		if ( self::is_there() && null !== WC()->session->get( self::TOKEN ) ) {
			WC()->session->set( self::TOKEN, null );
		}
	}

	/**
	 * WooCommerce's own name of the session.
	 */
	public static function key(): string {
		return self::is_there() ? substr( (string) WC()->session->get_customer_id(), 0, 64 ) : '';
	}

	/**
	 * What the shopper typed: `email`, `phone`, `first_name`, each only where it was typed.
	 */
	public static function typed(): array {
		$typed = self::is_there() ? WC()->session->get( self::PERSON ) : null;
		return is_array( $typed ) ? $typed : array();
	}

	/**
	 * Keeps what the shopper typed. What is not named stays as it was.
	 *
	 * @param array $typed In the shape of `typed`.
	 */
	public static function keep_typed( array $typed ): void {
		$all = array_merge( self::typed(), $typed );
		if ( self::is_there() && self::typed() !== $all ) {
			WC()->session->set( self::PERSON, $all );
		}
	}

	/**
	 * Whether the session got another name since its cart was last looked at: its guest has logged in.
	 */
	public static function was_renamed(): bool {
		return null !== self::token() && WC()->session->get( self::OWNER ) !== self::key();
	}

	/**
	 * Whether the session's cart holds the same goods as when it was last looked at.
	 *
	 * @param string $goods As `Cart_Snapshot::goods_hash` names them.
	 */
	public static function has_seen( string $goods ): bool {
		return self::is_there() && WC()->session->get( self::GOODS ) === $goods;
	}

	/**
	 * The cart has been looked at.
	 *
	 * @param string $goods As `Cart_Snapshot::goods_hash` names them.
	 */
	public static function keep_seen( string $goods ): void {
		if ( ! self::is_there() ) {
			return;
		}
		if ( ! self::has_seen( $goods ) ) {
			WC()->session->set( self::GOODS, $goods );
		}
		if ( self::was_renamed() ) {
			WC()->session->set( self::OWNER, self::key() );
		}
	}

	/**
	 * Whether a link has put the cart back, and nobody has touched it since.
	 */
	public static function is_restored(): bool {
		return self::is_there() && true === WC()->session->get( self::RESTORED );
	}

	/**
	 * A link has put the cart back, or somebody has touched it since.
	 *
	 * @param bool $restored Which of the two.
	 */
	public static function keep_restored( bool $restored ): void {
		if ( self::is_there() && self::is_restored() !== $restored ) {
			WC()->session->set( self::RESTORED, $restored );
		}
	}

	/**
	 * Whether a link has left something to say to the shopper.
	 */
	public static function has_notices(): bool {
		return self::is_there() && true === WC()->session->get( self::NOTICES );
	}

	/**
	 * A link has left something to say, or it has been said.
	 *
	 * @param bool $has Which of the two.
	 */
	public static function keep_notices( bool $has ): void {
		if ( self::is_there() && self::has_notices() !== $has ) {
			WC()->session->set( self::NOTICES, $has );
		}
	}

	/**
	 * Whether this request has a session of WooCommerce at all.
	 */
	public static function is_there(): bool {
		return function_exists( 'WC' ) && isset( WC()->session ) && is_object( WC()->session );
	}
}
