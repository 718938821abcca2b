<?php
/**
 * Who asks the REST API: a key pair, by Basic authentication over https, by OAuth 1.0a over http.
 */

function wc_double_authenticate( $user_id ) {
	if ( $user_id || ! WC()->is_rest_api_request() || false === strpos( $_SERVER['REQUEST_URI'], '/wc/v3' ) ) {
		return $user_id;
	}
	$trouble = null;
	$key     = is_ssl() ? wc_double_basic_key( $trouble ) : wc_double_oauth_key( $trouble );
	if ( $trouble ) {
		$GLOBALS['wc_double_rest_trouble'] = new WP_Error( 'woocommerce_rest_authentication_error', $trouble, array( 'status' => 401 ) );
	}
	if ( ! $key || $trouble ) {
		return $user_id;
	}
	$GLOBALS['wc_double_rest_key'] = $key;
	return (int) $key->user_id;
}

function wc_double_find_key( $consumer_key ) {
	global $wpdb;
	return $wpdb->get_row( $wpdb->prepare( "SELECT * FROM {$wpdb->prefix}woocommerce_api_keys WHERE consumer_key = %s", wc_api_hash( $consumer_key ) ) );
}

function wc_double_basic_key( &$trouble ) {
	$name   = $_GET['consumer_key'] ?? $_SERVER['PHP_AUTH_USER'] ?? ''; // phpcs:ignore
	$secret = $_GET['consumer_secret'] ?? $_SERVER['PHP_AUTH_PW'] ?? ''; // phpcs:ignore
	if ( '' === $name ) {
		return null;
	}
	$key = wc_double_find_key( $name );
	if ( ! $key || ! hash_equals( $key->consumer_secret, $secret ) ) {
		$trouble = 'Consumer secret is invalid.';
	}
	return $key;
}

/** The parameters of OAuth 1.0a, from the header or the address. */
function wc_double_oauth_parameters() {
	$header     = $_SERVER['HTTP_AUTHORIZATION'] ?? '';
	$parameters = array();
	if ( 0 === stripos( $header, 'oauth ' ) ) {
		preg_match_all( '/(\w+)="([^"]*)"/', $header, $pairs, PREG_SET_ORDER );
		foreach ( $pairs as $pair ) {
			$parameters[ $pair[1] ] = rawurldecode( $pair[2] );
		}
		unset( $parameters['realm'] );
	}
	return $parameters;
}

function wc_double_oauth_key( &$trouble ) {
	$query = array();
	parse_str( (string) wp_parse_url( $_SERVER['REQUEST_URI'], PHP_URL_QUERY ), $query );
	$all = $query + wc_double_oauth_parameters();
	if ( empty( $all['oauth_consumer_key'] ) ) {
		return null;
	}
	$key = wc_double_find_key( $all['oauth_consumer_key'] );
	if ( ! $key ) {
		$trouble = 'Consumer key is invalid.';
		return null;
	}
	$signature = rawurldecode( $all['oauth_signature'] ?? '' );
	unset( $all['oauth_signature'] );
	$algorithm = array( 'HMAC-SHA1' => 'sha1', 'HMAC-SHA256' => 'sha256' )[ $all['oauth_signature_method'] ?? '' ] ?? '';
	if ( ! $algorithm ) {
		$trouble = 'Invalid signature - signature method is invalid.';
		return null;
	}
	$pairs = array();
	foreach ( explode( '&', http_build_query( $all, '', '&', PHP_QUERY_RFC3986 ) ) as $pair ) {
		list( $name, $value )  = explode( '=', $pair, 2 );
		$pairs[]               = rawurlencode( rawurldecode( $name ) ) . '=' . rawurlencode( rawurldecode( $value ) );
	}
	sort( $pairs );
	$address = home_url( strtok( $_SERVER['REQUEST_URI'], '?' ) );
	$base    = strtoupper( $_SERVER['REQUEST_METHOD'] ) . '&' . rawurlencode( $address ) . '&' . rawurlencode( implode( '&', $pairs ) );
	$wanted  = base64_encode( hash_hmac( $algorithm, $base, $key->consumer_secret . '&', true ) ); // phpcs:ignore
	if ( ! hash_equals( $wanted, $signature ) && ! hash_equals( $wanted, str_replace( ' ', '+', $signature ) ) ) {
		$trouble = 'Invalid signature - provided signature does not match.';
	} elseif ( abs( time() - (int) $all['oauth_timestamp'] ) > 15 * MINUTE_IN_SECONDS ) {
		$trouble = 'Invalid timestamp.';
	}
	return $key;
}

/** The rights of the key that asks: read for GET, write for the rest. */
function wc_double_rest_permission( WP_REST_Request $request ) {
	$trouble = $GLOBALS['wc_double_rest_trouble'] ?? null;
	if ( $trouble ) {
		return $trouble;
	}
	$key  = $GLOBALS['wc_double_rest_key'] ?? null;
	$want = 'GET' === $request->get_method() ? array( 'read', 'read_write' ) : array( 'write', 'read_write' );
	if ( $key && ! in_array( $key->permissions, $want, true ) ) {
		return new WP_Error( 'woocommerce_rest_authentication_error', 'The API key provided does not have the needed permissions.', array( 'status' => 401 ) );
	}
	if ( ! current_user_can( 'manage_woocommerce' ) ) {
		return new WP_Error( 'woocommerce_rest_cannot_view', 'Sorry, you cannot list resources.', array( 'status' => rest_authorization_required_code() ) );
	}
	return true;
}
