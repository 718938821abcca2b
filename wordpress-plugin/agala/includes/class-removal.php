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
		$connection = Options::connection();
		Connection::disconnect();
		self::remove_from_woocommerce( $connection );
		self::remove_actions();
		self::remove_order_meta();
		Cart_Table::drop();
		self::remove_options();
		wp_cache_flush();
	}

	/**
	 * Keys and webhooks that stand also while WooCommerce is switched off: switched on again, it would go on using them.
	 *
	 * @param array|null $connection The connection that was.
	 */
	private static function remove_from_woocommerce( ?array $connection ): void {
		global $wpdb;
		if ( self::has_table( 'woocommerce_api_keys' ) ) {
			Shop_Keys::revoke();
		}
		if ( null !== $connection && self::has_table( 'wc_webhooks' ) ) {
			$wpdb->delete( $wpdb->prefix . 'wc_webhooks', array( 'delivery_url' => $connection['webhook_url'] ), array( '%s' ) );
		}
	}

	/**
	 * Scheduled actions with all that is remembered of those that ran; Action Scheduler itself only cancels.
	 */
	private static function remove_actions(): void {
		global $wpdb;
		Installation::unschedule_all();
		if ( ! self::has_table( 'actionscheduler_actions' ) ) {
			return;
		}
		$ours = $wpdb->esc_like( 'agala_' ) . '%';
		if ( self::has_table( 'actionscheduler_logs' ) ) {
			$wpdb->query( $wpdb->prepare( "DELETE FROM {$wpdb->prefix}actionscheduler_logs WHERE action_id IN ( SELECT action_id FROM {$wpdb->prefix}actionscheduler_actions WHERE hook LIKE %s )", $ours ) );
		}
		$wpdb->query( $wpdb->prepare( "DELETE FROM {$wpdb->prefix}actionscheduler_actions WHERE hook LIKE %s", $ours ) );
		if ( self::has_table( 'actionscheduler_groups' ) ) {
			$wpdb->delete( $wpdb->prefix . 'actionscheduler_groups', array( 'slug' => Installation::ACTION_GROUP ), array( '%s' ) );
		}
	}

	/**
	 * Of orders, in WooCommerce's own table and where they are posts.
	 */
	private static function remove_order_meta(): void {
		global $wpdb;
		$ours   = $wpdb->esc_like( '_agala_' ) . '%';
		$fields = $wpdb->esc_like( Privacy::BLOCK_FIELDS ) . '%';
		foreach ( array( 'postmeta', 'wc_orders_meta' ) as $table ) {
			if ( self::has_table( $table ) ) {
				$wpdb->query( $wpdb->prepare( "DELETE FROM {$wpdb->prefix}{$table} WHERE ( meta_key LIKE %s AND meta_key <> %s ) OR meta_key LIKE %s", $ours, Product_Lifetime::META, $fields ) );
			}
		}
	}

	/**
	 * Whether this site has a table.
	 *
	 * @param string $name Its name without the site's prefix.
	 */
	private static function has_table( string $name ): bool {
		global $wpdb;
		$table = $wpdb->prefix . $name;
		return $wpdb->get_var( $wpdb->prepare( 'SHOW TABLES LIKE %s', $wpdb->esc_like( $table ) ) ) === $table;
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
