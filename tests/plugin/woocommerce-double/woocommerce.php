<?php
/**
 * Plugin Name: WooCommerce (double for Agala's tests)
 * Description: Not WooCommerce. Just the functions, classes, hooks and pages that Agala's plugin and server use, so that they can be tested where WooCommerce cannot be had. Written anew from WooCommerce's documented behaviour and our recorded traces.
 * Version: 11.0.1
 * Text Domain: woocommerce
 * License: Apache-2.0
 *
 * The option `double_version` ("8.3.1") makes it fire the hooks in the order that the older release was recorded with.
 */

defined( 'ABSPATH' ) || exit;

define( 'WC_DOUBLE_FOR_TESTS', true );
define( 'WC_PLUGIN_FILE', __FILE__ );
define( 'WC_ABSPATH', __DIR__ . '/' );
define( 'WC_VERSION', get_option( 'double_version', '11.0.1' ) );
define( 'WOOCOMMERCE_VERSION', WC_VERSION );

foreach (
	array(
		'namespaced', 'data', 'products', 'orders', 'coupons', 'session', 'customer', 'cart', 'checkout', 'functions', 'action-scheduler',
		'shop-pages', 'account-pages', 'forms', 'store-api', 'rest-authentication', 'rest-api', 'wc-auth', 'webhooks', 'tables', 'seed', 'woocommerce',
	) as $wc_double_part
) {
	require_once __DIR__ . "/includes/$wc_double_part.php";
}

/**
 * The shop's one object.
 *
 * @return WooCommerce
 */
function WC() { // phpcs:ignore
	return WooCommerce::instance();
}

register_activation_hook( __FILE__, 'wc_double_install' );
WC();
