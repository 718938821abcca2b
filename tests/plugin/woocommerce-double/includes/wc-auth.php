<?php
/**
 * /wc-auth/v1/authorize: the owner approves, a key pair is made and posted to the one who asked.
 */

function wc_double_register_authorisation() {
	add_action( 'template_redirect', 'wc_double_authorisation_page', -1 );
}

function wc_double_authorisation_page() {
	$path = (string) wp_parse_url( $_SERVER['REQUEST_URI'], PHP_URL_PATH );
	if ( ! preg_match( '#/wc-auth/v1/(authorize|access_granted|login)/?$#', $path, $match ) ) {
		return;
	}
	nocache_headers();
	status_header( 200 );
	try {
		$asked = wc_double_authorisation_request();
		if ( ! is_user_logged_in() || 'login' === $match[1] ) {
			auth_redirect();
		}
		if ( ! current_user_can( 'manage_woocommerce' ) ) {
			throw new Exception( 'You do not have permission to access this page' );
		}
		'authorize' === $match[1] ? wc_double_authorisation_form( $asked ) : wc_double_authorisation_granted( $asked );
	} catch ( Exception $refusal ) {
		wp_die( esc_html( sprintf( 'Error: %s.', $refusal->getMessage() ) ), 'Access denied', array( 'response' => 401 ) );
	}
	exit;
}

/** What was asked for, checked in the order that WooCommerce documents. */
function wc_double_authorisation_request() {
	$asked = array();
	foreach ( array( 'app_name', 'user_id', 'return_url', 'callback_url', 'scope' ) as $name ) {
		if ( empty( $_GET[ $name ] ) ) { // phpcs:ignore
			throw new Exception( "Missing parameter $name" ); // phpcs:ignore
		}
		$asked[ $name ] = wc_clean( wp_unslash( $_GET[ $name ] ) ); // phpcs:ignore
	}
	if ( ! in_array( $asked['scope'], array( 'read', 'write', 'read_write' ), true ) ) {
		throw new Exception( 'Invalid scope ' . $asked['scope'] ); // phpcs:ignore
	}
	foreach ( array( 'return_url', 'callback_url' ) as $name ) {
		if ( false === filter_var( urldecode( $asked[ $name ] ), FILTER_VALIDATE_URL ) ) {
			throw new Exception( "The $name is not a valid URL" ); // phpcs:ignore
		}
	}
	if ( 0 !== stripos( $asked['callback_url'], 'https://' ) ) {
		throw new Exception( 'The callback_url needs to be over SSL' );
	}
	return $asked;
}

function wc_double_authorisation_form( array $asked ) {
	$granted = add_query_arg( array_map( 'rawurlencode', $asked ) + array( 'wc_auth_nonce' => wp_create_nonce( 'wc_auth_grant_access' ) ), home_url( '/wc-auth/v1/access_granted' ) );
	$denied  = add_query_arg( array( 'success' => 0, 'user_id' => rawurlencode( $asked['user_id'] ) ), urldecode( $asked['return_url'] ) );
	printf(
		'<!doctype html><title>Authorise</title><h1>%s would like to connect to your store</h1><p>This will give "%s" <strong>%s</strong> access.</p><a class="button button-primary wc-auth-approve" href="%s">Approve</a> <a class="button wc-auth-deny" href="%s">Deny</a>',
		esc_html( $asked['app_name'] ),
		esc_html( $asked['app_name'] ),
		esc_html( $asked['scope'] ),
		esc_url( $granted ),
		esc_url( $denied )
	);
}

function wc_double_authorisation_granted( array $asked ) {
	if ( ! wp_verify_nonce( $_GET['wc_auth_nonce'] ?? '', 'wc_auth_grant_access' ) ) {
		throw new Exception( 'Invalid nonce verification' );
	}
	$key    = wc_double_make_key( $asked['app_name'], $asked['scope'] );
	$body   = array( 'key_id' => $key['key_id'], 'user_id' => $asked['user_id'], 'consumer_key' => $key['consumer_key'], 'consumer_secret' => $key['consumer_secret'], 'key_permissions' => $asked['scope'] );
	$answer = wp_safe_remote_post( urldecode( $asked['callback_url'] ), array( 'body' => wp_json_encode( $body ), 'timeout' => 60, 'headers' => array( 'Content-Type' => 'application/json;charset=' . get_bloginfo( 'charset' ) ) ) );
	if ( is_wp_error( $answer ) || 200 !== (int) wp_remote_retrieve_response_code( $answer ) ) {
		$GLOBALS['wpdb']->delete( $GLOBALS['wpdb']->prefix . 'woocommerce_api_keys', array( 'key_id' => $key['key_id'] ) );
		throw new Exception( is_wp_error( $answer ) ? $answer->get_error_message() : 'An error occurred in the request and at the time were unable to send the consumer data' ); // phpcs:ignore
	}
	wp_redirect( add_query_arg( array( 'success' => 1, 'user_id' => rawurlencode( $asked['user_id'] ) ), urldecode( $asked['return_url'] ) ) ); // phpcs:ignore
}

/** A row of woocommerce_api_keys as WooCommerce writes it; gives the plain pair too. */
function wc_double_make_key( $app_name, $scope ) {
	global $wpdb;
	$consumer_key    = 'ck_' . wc_rand_hash();
	$consumer_secret = 'cs_' . wc_rand_hash();
	$wpdb->insert(
		"{$wpdb->prefix}woocommerce_api_keys",
		array( 'user_id' => get_current_user_id(), 'description' => sprintf( '%s - API (%s)', $app_name, gmdate( 'Y-m-d H:i:s' ) ), 'permissions' => $scope, 'consumer_key' => wc_api_hash( $consumer_key ), 'consumer_secret' => $consumer_secret, 'truncated_key' => substr( $consumer_key, -7 ) )
	);
	return compact( 'consumer_key', 'consumer_secret' ) + array( 'key_id' => (int) $wpdb->insert_id );
}
