<?php
/**
 * Remembers who went to Agala to connect.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

/**
 * The `state` that goes to Agala with the owner and must come back with the same owner, once, within an hour:
 * nobody can make an owner's browser connect the shop with an Agala that the owner did not choose.
 */
final class Connection_State {

	/**
	 * Begins the way of the present user.
	 *
	 * @return string The state.
	 */
	public static function begin(): string {
		$state = bin2hex( random_bytes( 16 ) );
		set_transient( self::name(), $state, HOUR_IN_SECONDS );
		return $state;
	}

	/**
	 * Ends the way of the present user, whatever comes of it.
	 *
	 * @param string $state The state that came back.
	 * @return bool Whether it is the one that went.
	 */
	public static function end( string $state ): bool {
		$begun = get_transient( self::name() );
		delete_transient( self::name() );
		return is_string( $begun ) && hash_equals( $begun, $state );
	}

	/**
	 * One way per user.
	 */
	private static function name(): string {
		return 'agala_connecting_' . get_current_user_id();
	}
}
