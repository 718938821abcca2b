<?php
/**
 * Plugin Name: Hook trace (Agala's tests)
 * Description: While hooks.jsonl lies beside wp-config.php, each request adds a line: which of the shop's hooks it fired, in the order of their first time.
 */

if ( file_exists( ABSPATH . 'hooks.jsonl' ) ) {
	$agala_tests_hooks = array();
	add_action(
		'all',
		static function ( $name ) use ( &$agala_tests_hooks ) {
			if ( preg_match( '/^(woocommerce_|wc_ajax_|wp_login$)/', $name ) ) {
				$agala_tests_hooks[ $name ] = 1 + ( $agala_tests_hooks[ $name ] ?? 0 );
			}
		}
	);
	register_shutdown_function(
		static function () use ( &$agala_tests_hooks ) {
			$line = array( 'method' => $_SERVER['REQUEST_METHOD'] ?? '', 'path' => $_SERVER['REQUEST_URI'] ?? '', 'hooks' => $agala_tests_hooks );
			file_put_contents( ABSPATH . 'hooks.jsonl', wp_json_encode( $line ) . "\n", FILE_APPEND | LOCK_EX );
		}
	);
}
