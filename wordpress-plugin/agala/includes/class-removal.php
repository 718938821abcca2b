<?php
/**
 * Removes everything the plugin ever kept.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

/**
 * What is left of the plugin after it is deleted: nothing but the days that a product lasts. Those are the owner's own
 * knowledge of the products, hours of work in a big shop, and tell nothing about anybody.
 */
final class Removal {

	/**
	 * On every site of a network.
	 */
	public static function run(): void {
		if ( ! is_multisite() ) {
			self::remove_site();
		} else {
			$sites = get_sites(
				array(
					'fields' => 'ids',
					'number' => 0,
				)
			);
			foreach ( $sites as $site ) {
				switch_to_blog( $site );
				self::remove_site();
				restore_current_blog();
			}
		}
		// Users are one list for all sites.
		delete_metadata( 'user', 0, '_agala_consent', '', true );
	}

	/**
	 * On the present site.
	 */
	private static function remove_site(): void {
		global $wpdb;
		Connection::disconnect();
		self::remove_order_meta();
		Cart_Table::drop();
		self::remove_options();
		wp_cache_flush();
	}

	/**
	 * Of orders, in WooCommerce's own table and where they are posts.
	 */
	private static function remove_order_meta(): void {
		global $wpdb;
		$ours   = $wpdb->esc_like( '_agala_' ) . '%';
		$tables = array( $wpdb->postmeta, $wpdb->prefix . 'wc_orders_meta' );
		foreach ( $tables as $table ) {
			if ( $wpdb->get_var( $wpdb->prepare( 'SHOW TABLES LIKE %s', $wpdb->esc_like( $table ) ) ) === $table ) {
				$wpdb->query( $wpdb->prepare( "DELETE FROM `$table` WHERE meta_key LIKE %s AND meta_key <> %s", $ours, Product_Lifetime::META ) );
			}
		}
	}

	/**
	 * Options and transients.
	 */
	private static function remove_options(): void {
		global $wpdb;
		$names = $wpdb->get_col(
			$wpdb->prepare(
				"SELECT option_name FROM {$wpdb->options} WHERE option_name LIKE %s OR option_name LIKE %s OR option_name LIKE %s",
				$wpdb->esc_like( 'agala_' ) . '%',
				$wpdb->esc_like( '_transient_agala_' ) . '%',
				$wpdb->esc_like( '_transient_timeout_agala_' ) . '%'
			)
		);
		foreach ( $names as $name ) {
			delete_option( $name );
		}
	}
}
