<?php
/**
 * What the plugin works with.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

/**
 * Declares what of WooCommerce we are compatible with, and tells the owner when WooCommerce is missing or too old.
 */
final class Compatibility {

	public const LEAST_WOOCOMMERCE = '8.3';

	/**
	 * Adds the hooks.
	 */
	public function register(): void {
		add_action( 'before_woocommerce_init', array( $this, 'declare_features' ) );
		add_action( 'admin_notices', array( $this, 'show_missing_woocommerce' ) );
	}

	/**
	 * Whether a WooCommerce that we can work with is active.
	 */
	public static function has_woocommerce(): bool {
		return class_exists( 'WooCommerce' ) && defined( 'WC_VERSION' ) && version_compare( WC_VERSION, self::LEAST_WOOCOMMERCE, '>=' );
	}

	/**
	 * High-performance order storage, and the cart and checkout blocks.
	 */
	public function declare_features(): void {
		$features = '\Automattic\WooCommerce\Utilities\FeaturesUtil';
		if ( class_exists( $features ) ) {
			$features::declare_compatibility( 'custom_order_tables', AGALA_FILE, true );
			$features::declare_compatibility( 'cart_checkout_blocks', AGALA_FILE, true );
		}
	}

	/**
	 * Says that nothing happens without WooCommerce, to those who can do something about it.
	 */
	public function show_missing_woocommerce(): void {
		if ( self::has_woocommerce() || ! current_user_can( 'activate_plugins' ) ) {
			return;
		}
		$sentence = sprintf(
			/* translators: %s: a version number of WooCommerce. */
			__( 'Agala is waiting for WooCommerce: install and activate WooCommerce %s or newer, and Agala goes on by itself.', 'agala' ),
			self::LEAST_WOOCOMMERCE
		);
		printf( '<div class="notice notice-warning"><p>%s</p></div>', esc_html( $sentence ) );
	}
}
