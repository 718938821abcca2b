<?php
/**
 * The settings of a WordPress that lives for one test. Its address stands in url.txt beside it.
 */

$agala_tests_url = trim( (string) file_get_contents( __DIR__ . '/url.txt' ) );
define( 'WP_HOME', $agala_tests_url );
define( 'WP_SITEURL', $agala_tests_url );
if ( empty( $_SERVER['HTTP_HOST'] ) ) {
	$_SERVER['HTTP_HOST'] = preg_replace( '#^https?://#', '', $agala_tests_url );
}

define( 'DB_NAME', 'shop' );
define( 'DB_USER', '' );
define( 'DB_PASSWORD', '' );
define( 'DB_HOST', '' );
define( 'DB_CHARSET', 'utf8mb4' );
define( 'DB_COLLATE', '' );

foreach ( array( 'AUTH_KEY', 'SECURE_AUTH_KEY', 'LOGGED_IN_KEY', 'NONCE_KEY', 'AUTH_SALT', 'SECURE_AUTH_SALT', 'LOGGED_IN_SALT', 'NONCE_SALT' ) as $agala_tests_key ) {
	define( $agala_tests_key, 'fixed for tests: ' . $agala_tests_key );
}

$table_prefix = 'wp_';

define( 'WP_DEBUG', true );
define( 'WP_DEBUG_LOG', __DIR__ . '/debug.log' );
define( 'WP_DEBUG_DISPLAY', false );
define( 'WP_ENVIRONMENT_TYPE', 'local' );
define( 'AUTOMATIC_UPDATER_DISABLED', true );
define( 'DISABLE_WP_CRON', ! file_exists( __DIR__ . '/cron.txt' ) ); // Tests run what is due themselves, at once.
define( 'FS_METHOD', 'direct' );

if ( ! defined( 'ABSPATH' ) ) {
	define( 'ABSPATH', __DIR__ . '/' );
}
require_once ABSPATH . 'wp-settings.php';
