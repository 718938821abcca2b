<?php
/**
 * A customer: a user's meta data, or what a guest's session holds.
 */

class WC_Customer extends WC_Data {
	protected $object_type = 'customer';
	protected $data        = array();
	private $is_session    = false;

	private const FIELDS = array( 'first_name', 'last_name', 'company', 'address_1', 'address_2', 'city', 'state', 'postcode', 'country', 'phone' );

	public function __construct( $user_id = 0, $is_session = false ) {
		foreach ( self::FIELDS as $field ) {
			$this->data[ "billing_$field" ]  = '';
			$this->data[ "shipping_$field" ] = '';
		}
		$this->data += array( 'billing_email' => '', 'email' => '', 'first_name' => '', 'last_name' => '', 'display_name' => '', 'username' => '', 'role' => 'customer', 'date_created' => null, 'date_modified' => null, 'is_paying_customer' => false );
		$user_id     = $user_id instanceof WC_Customer ? $user_id->get_id() : (int) $user_id;
		$user        = $user_id ? get_userdata( $user_id ) : false;
		if ( $user_id && ! $user ) {
			throw new Exception( 'Invalid customer.' );
		}
		if ( $user ) {
			$this->read( $user );
		} else {
			$this->data['billing_country'] = WC()->countries->get_base_country();
		}
		$this->is_session = $is_session;
		if ( $is_session ) {
			foreach ( (array) WC()->session->get( 'customer', array() ) as $field => $value ) {
				if ( array_key_exists( $field, $this->data ) && '' !== $value ) {
					$this->data[ $field ] = $value;
				}
			}
		}
	}

	private function read( WP_User $user ) {
		$this->id = $user->ID;
		foreach ( array_keys( $this->data ) as $field ) {
			$value = get_user_meta( $user->ID, $field, true );
			if ( '' !== $value && 'role' !== $field ) {
				$this->data[ $field ] = $value;
			}
		}
		$this->data['email']         = $user->user_email;
		$this->data['username']      = $user->user_login;
		$this->data['display_name']  = $user->display_name;
		$this->data['role']          = (string) reset( $user->roles );
		$this->data['date_created']  = wc_double_date( $user->user_registered );
		$this->data['date_modified'] = wc_double_date( get_user_meta( $user->ID, 'last_update', true ) );
		if ( '' === $this->data['billing_email'] ) {
			$this->data['billing_email'] = $user->user_email;
		}
		foreach ( get_user_meta( $user->ID ) as $key => $values ) {
			if ( 0 === strpos( $key, '_' ) ) {
				$this->meta[] = new WC_Meta_Data( array( 'key' => $key, 'value' => maybe_unserialize( $values[0] ) ) );
			}
		}
	}

	/** A session's customer is kept with the session; one with an account in the user's meta data. */
	public function save() {
		if ( $this->is_session ) {
			WC()->session->set( 'customer', array_map( 'strval', array_filter( $this->data, 'is_scalar' ) ) );
			return $this->id;
		}
		foreach ( $this->data as $field => $value ) {
			if ( 0 === strpos( $field, 'billing_' ) || 0 === strpos( $field, 'shipping_' ) || in_array( $field, array( 'first_name', 'last_name' ), true ) ) {
				update_user_meta( $this->id, $field, $value );
			}
		}
		foreach ( $this->meta as $meta ) {
			null === $meta->value ? delete_user_meta( $this->id, $meta->key ) : update_user_meta( $this->id, $meta->key, wp_slash( $meta->value ) );
		}
		update_user_meta( $this->id, 'last_update', time() );
		do_action( 'woocommerce_update_customer', $this->id, $this );
		return $this->id;
	}

	public function get_billing() {
		return $this->part( 'billing_' );
	}

	public function get_shipping() {
		return $this->part( 'shipping_' );
	}

	private function part( $prefix ) {
		$part = array();
		foreach ( $this->data as $field => $value ) {
			if ( 0 === strpos( $field, $prefix ) ) {
				$part[ substr( $field, strlen( $prefix ) ) ] = $value;
			}
		}
		return $part;
	}
}

class WC_Countries {
	public function get_base_country() {
		return explode( ':', (string) get_option( 'woocommerce_default_country', 'IL' ) )[0];
	}

	public function get_countries() {
		return array( 'FR' => 'France', 'GB' => 'United Kingdom (UK)', 'IL' => 'Israel', 'US' => 'United States (US)' );
	}

	public function get_base_state() {
		return '';
	}

	public function get_country_calling_code( $country ) {
		return array( 'FR' => '+33', 'GB' => '+44', 'IL' => '+972', 'US' => '+1' )[ $country ] ?? '';
	}
}

/**
 * Makes an account. Fires woocommerce_created_customer. Gives the user's id or a WP_Error.
 */
function wc_create_new_customer( $email, $username = '', $password = '', $args = array() ) {
	if ( ! is_email( $email ) ) {
		return new WP_Error( 'registration-error-invalid-email', 'Please provide a valid email address.' );
	}
	if ( email_exists( $email ) ) {
		return new WP_Error( 'registration-error-email-exists', 'An account is already registered with that email.' );
	}
	$generated = '' === $password;
	$data      = array(
		'user_login' => $username ? $username : sanitize_user( strtok( $email, '@' ) . wp_rand( 100, 99999 ) ),
		'user_pass'  => $generated ? wp_generate_password() : $password,
		'user_email' => $email,
		'role'       => 'customer',
		'source'     => $args['source'] ?? '',
	);
	$errors    = new WP_Error();
	do_action( 'woocommerce_register_post', $data['user_login'], $email, $errors );
	$errors = apply_filters( 'woocommerce_registration_errors', $errors, $data['user_login'], $email );
	if ( $errors->has_errors() ) {
		return $errors;
	}
	$id = wp_insert_user( apply_filters( 'woocommerce_new_customer_data', $data ) );
	if ( ! is_wp_error( $id ) ) {
		do_action( 'woocommerce_created_customer', $id, $data, $generated );
	}
	return $id;
}

function wc_set_customer_auth_cookie( $customer_id ) {
	wp_set_current_user( $customer_id );
	wp_set_auth_cookie( $customer_id, true );
	if ( WC()->session ) {
		WC()->session->save_data();
	}
}
