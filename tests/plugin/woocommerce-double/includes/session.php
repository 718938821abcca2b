<?php
/**
 * A shopper's session: a row in woocommerce_sessions, found by a signed cookie (guests) or the user's id.
 */

class WC_Session_Handler {
	private $customer_id  = '';
	private $values       = array();
	private $dirty        = false;
	private $has_cookie   = false;
	private $cookie       = '';
	private $session_ends = 0;

	public function __construct() {
		$this->cookie       = apply_filters( 'woocommerce_cookie', 'wp_woocommerce_session_' . COOKIEHASH );
		$this->session_ends = time() + 2 * DAY_IN_SECONDS;
	}

	public function init() {
		$known = $this->get_session_cookie();
		if ( $known ) {
			$this->customer_id = $known[0];
			$this->has_cookie  = true;
			$this->values      = $this->get_session( $this->customer_id, array() );
			if ( is_user_logged_in() && (string) get_current_user_id() !== $this->customer_id ) {
				$this->become_user();
			}
		} else {
			$this->customer_id = $this->generate_customer_id();
			$this->values      = $this->get_session( $this->customer_id, array() );
		}
		add_action( 'woocommerce_set_cart_cookies', array( $this, 'set_customer_session_cookie' ), 10 );
		add_action( 'shutdown', array( $this, 'save_data' ), 20 );
		add_action( 'wp_logout', array( $this, 'destroy_session' ) );
		add_filter( 'nonce_user_logged_out', array( $this, 'name_of_nonces' ), 10, 2 );
	}

	/** Guests' nonces for WooCommerce's own actions are of their session alone. */
	public function name_of_nonces( $uid, $action ) {
		return is_string( $action ) && 0 === strpos( $action, 'woocommerce' ) && $this->has_session() ? $this->customer_id : $uid;
	}

	/** The first request after somebody with a guest's cart logged in. */
	private function become_user() {
		$guest             = $this->customer_id;
		$this->customer_id = (string) get_current_user_id();
		$this->values      = $this->values ? $this->values : $this->get_session( $this->customer_id, array() );
		$this->dirty       = true;
		$this->save_data( $guest );
		do_action( 'woocommerce_guest_session_to_user_id', $guest, $this->customer_id );
		$this->set_customer_session_cookie( true );
	}

	public function generate_customer_id() {
		return is_user_logged_in() ? (string) get_current_user_id() : 't_' . substr( md5( wp_generate_password( 32, true, true ) ), 2 );
	}

	public function get_customer_id() {
		return $this->customer_id;
	}

	/** An id even before there is a session. */
	public function get_customer_unique_id() {
		return $this->has_session() || $this->customer_id ? $this->customer_id : '';
	}

	public function has_session() {
		return isset( $_COOKIE[ $this->cookie ] ) || $this->has_cookie || is_user_logged_in();
	}

	public function set_customer_session_cookie( $set ) {
		if ( ! $set || $this->has_cookie && isset( $_COOKIE[ $this->cookie ] ) && 0 === strpos( $_COOKIE[ $this->cookie ], $this->customer_id . '||' ) ) {
			return;
		}
		$value            = "{$this->customer_id}||{$this->session_ends}||" . $this->hash( $this->customer_id, $this->session_ends );
		$this->has_cookie = true;
		wc_setcookie( $this->cookie, $value, $this->session_ends );
	}

	/** [customer id, end] when the cookie is there and ours; else false. */
	public function get_session_cookie() {
		$parts = explode( '||', wp_unslash( $_COOKIE[ $this->cookie ] ?? '' ) );
		if ( 3 !== count( $parts ) || ! hash_equals( $this->hash( $parts[0], $parts[1] ), $parts[2] ) ) {
			return false;
		}
		return $parts;
	}

	private function hash( $customer_id, $ends ) {
		return hash_hmac( 'md5', "$customer_id|$ends", wp_hash( "$customer_id|$ends" ) );
	}

	public function get( $key, $default = null ) {
		return array_key_exists( $key, $this->values ) ? $this->values[ $key ] : $default;
	}

	public function set( $key, $value ) {
		if ( $value !== $this->get( $key ) ) {
			$this->values[ $key ] = $value;
			$this->dirty          = true;
		}
	}

	public function __get( $key ) {
		return $this->get( $key );
	}

	public function __set( $key, $value ) {
		$this->set( $key, $value );
	}

	public function __isset( $key ) {
		return array_key_exists( $key, $this->values );
	}

	public function __unset( $key ) {
		unset( $this->values[ $key ] );
		$this->dirty = true;
	}

	public function get_session( $customer_id, $default = false ) {
		global $wpdb;
		$value = $wpdb->get_var( $wpdb->prepare( "SELECT session_value FROM {$wpdb->prefix}woocommerce_sessions WHERE session_key = %s", $customer_id ) );
		return null === $value ? $default : (array) maybe_unserialize( $value );
	}

	public function save_data( $old_session_key = 0 ) {
		global $wpdb;
		if ( ! $this->dirty || ! $this->has_session() ) {
			return;
		}
		$row = array( 'session_key' => $this->customer_id, 'session_value' => maybe_serialize( $this->values ), 'session_expiry' => $this->session_ends );
		$wpdb->delete( "{$wpdb->prefix}woocommerce_sessions", array( 'session_key' => $this->customer_id ) );
		$wpdb->insert( "{$wpdb->prefix}woocommerce_sessions", $row );
		$this->dirty = false;
		if ( $old_session_key && $old_session_key !== $this->customer_id ) {
			$wpdb->delete( "{$wpdb->prefix}woocommerce_sessions", array( 'session_key' => $old_session_key ) );
		}
	}

	public function get_session_data() {
		return $this->values;
	}

	public function destroy_session() {
		global $wpdb;
		$wpdb->delete( "{$wpdb->prefix}woocommerce_sessions", array( 'session_key' => $this->customer_id ) );
		$this->forget_session();
	}

	public function forget_session() {
		wc_setcookie( $this->cookie, '', time() - YEAR_IN_SECONDS );
		$this->values      = array();
		$this->dirty       = false;
		$this->has_cookie  = false;
		$this->customer_id = $this->generate_customer_id();
	}
}

function wc_setcookie( $name, $value, $expire = 0, $secure = false, $httponly = false ) {
	if ( ! headers_sent() ) {
		setcookie( $name, $value, array( 'expires' => $expire, 'path' => '/', 'secure' => $secure, 'httponly' => $httponly ) );
	}
	$_COOKIE[ $name ] = $value;
}
