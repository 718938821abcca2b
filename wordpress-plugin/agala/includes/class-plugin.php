<?php
/**
 * The map of the plugin.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

/**
 * Starts every part of the plugin once WooCommerce is there, and says so when it is not.
 *
 * A part is a class without constructor arguments whose `register()` adds its hooks and does nothing else.
 */
final class Plugin {

	/**
	 * The parts, each a class of its own.
	 */
	private const PARTS = array(
		// The shop and Agala know each other.
		Connection_Handler::class,
		Delivery_Permission::class,
		Settings_Page::class,
		Settings_Handler::class,
		Product_Lifetime::class,
		Pixel::class,
		Privacy::class,

		// Carts that are left, restored and bought.
		Cart_Tracker::class,
		Cart_Sender::class,
		Checkout_Fields::class,
		Cart_Restore::class,
		Conversion::class,

		// What shoppers agree to and tell us.
		Consent::class,
		Checkout_Questions::class,
	);

	/**
	 * Called once, when WordPress loads the plugin.
	 */
	public static function boot(): void {
		( new Compatibility() )->register();
		add_filter( 'wpmu_drop_tables', array( Installation::class, 'with_our_table' ) );
		add_action( 'init', array( self::class, 'load_translations' ), 0 );
		add_action( 'plugins_loaded', array( self::class, 'start' ), 20 );
	}

	/**
	 * Registers the parts. Without WooCommerce nothing of ours runs.
	 */
	public static function start(): void {
		if ( ! Compatibility::has_woocommerce() ) {
			return;
		}
		Installation::upgrade();
		foreach ( self::PARTS as $part ) {
			( new $part() )->register();
		}
	}

	/**
	 * The plugin brings its own translations, so WordPress has to be told where they are.
	 */
	public static function load_translations(): void {
		load_plugin_textdomain( 'agala', false, dirname( plugin_basename( AGALA_FILE ) ) . '/languages' );
	}
}
