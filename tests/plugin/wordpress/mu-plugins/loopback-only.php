<?php
/**
 * Plugin Name: Loopback only (Agala's tests)
 * Description: A test's WordPress speaks to nobody but this machine: no update checks, no pictures of avatars.
 */

add_filter(
	'pre_http_request',
	static function ( $answer, $arguments, $url ) {
		$host = (string) wp_parse_url( $url, PHP_URL_HOST );
		if ( false !== $answer || in_array( $host, array( '127.0.0.1', 'localhost', '[::1]' ), true ) ) {
			return $answer;
		}
		if ( 'api.wordpress.org' === $host ) {
			return array(
				'headers'  => array(),
				'body'     => '{"plugins":[],"themes":[],"no_update":[],"translations":[],"offers":[]}', // Nothing is newer.
				'response' => array( 'code' => 200, 'message' => 'OK' ),
				'cookies'  => array(),
				'filename' => null,
			);
		}
		return new WP_Error( 'http_request_failed', "cURL error 6: Could not resolve host: $host" );
	},
	PHP_INT_MAX,
	3
);
add_filter( 'translations_api', static fn() => array( 'translations' => array() ) ); // wp-login.php asks which languages there are.
add_filter( 'pre_get_avatar', '__return_empty_string' );
remove_action( 'init', 'wp_schedule_update_checks' );
