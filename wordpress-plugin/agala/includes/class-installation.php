<?php
/**
 * What happens when the plugin is activated, upgraded or deactivated.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

/**
 * Brings the shop's database to what this version of the plugin needs.
 */
final class Installation {

	/**
	 * The Action Scheduler group of everything we schedule.
	 */
	public const ACTION_GROUP = 'agala';

	/**
	 * On activation. The table is made here or, for other sites of a network, at their first request (see `upgrade`).
	 */
	public static function activate(): void {
		self::install();
	}

	/**
	 * A site of a network is deleted: our table goes with it.
	 *
	 * @param string[] $tables The tables that WordPress drops, while it has switched to that site.
	 * @return string[]
	 */
	public static function with_our_table( $tables ): array {
		return array_merge( (array) $tables, array( Cart_Table::name() ) );
	}

	/**
	 * On deactivation: nothing of ours waits for a plugin that does not run. The connection and the carts stay.
	 */
	public static function deactivate(): void {
		self::unschedule_all();
	}

	/**
	 * At every request: does something only when the plugin's files are newer than what was installed.
	 */
	public static function upgrade(): void {
		if ( AGALA_VERSION !== get_option( Options::VERSION ) ) {
			self::install();
		}
	}

	/**
	 * Ends all our scheduled actions.
	 */
	public static function unschedule_all(): void {
		if ( function_exists( 'as_unschedule_all_actions' ) ) {
			as_unschedule_all_actions( '', array(), self::ACTION_GROUP );
		}
	}

	/**
	 * May run any number of times.
	 */
	private static function install(): void {
		Cart_Table::install();
		update_option( Options::VERSION, AGALA_VERSION, true );
	}
}
