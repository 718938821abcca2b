<?php
/**
 * Loads the WordPress that AGALA_TESTS_WORDPRESS names, with the shop and our plugin, for PHPUnit.
 *
 * By hand: AGALA_TESTS_WORDPRESS=$(python -m tests.plugin.environment) phpunit --bootstrap tests/plugin/phpunit/bootstrap.php <test>
 */

$agala_tests_folder = getenv( 'AGALA_TESTS_WORDPRESS' );
if ( ! $agala_tests_folder || ! is_file( "$agala_tests_folder/wp-load.php" ) ) {
	fwrite( STDERR, "AGALA_TESTS_WORDPRESS names no WordPress; make one: python -m tests.plugin.environment\n" );
	exit( 2 );
}

$_SERVER['REQUEST_METHOD']  = 'GET';
$_SERVER['REQUEST_URI']     = '/';
$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
$_SERVER['HTTP_USER_AGENT'] = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36';
$_SERVER['REMOTE_ADDR']     = '127.0.0.1';

// WordPress is loaded inside a function of PHPUnit, so what it leaves in the global scope must be named.
foreach ( array( 'wpdb', 'wp', 'wp_query', 'wp_the_query', 'wp_rewrite', 'wp_filter', 'wp_actions', 'wp_filters', 'wp_current_filter', 'table_prefix', 'wp_version', 'wp_db_version', 'wp_local_package', 'required_php_version', 'required_mysql_version', 'wp_widget_factory', 'wp_roles', 'wp_locale', 'wp_locale_switcher', 'wp_embed', 'wp_plugin_paths', 'shortcode_tags', 'l10n', 'pagenow', 'blog_id', 'current_blog', 'wp_textdomain_registry', 'wp_object_cache', 'timestart', 'locale', 'allowedposttags', 'allowedtags' ) as $agala_tests_global ) {
	global $$agala_tests_global;
}
require_once "$agala_tests_folder/wp-load.php";
require_once ABSPATH . 'wp-admin/includes/admin.php';
require_once __DIR__ . '/ShopTestCase.php';
