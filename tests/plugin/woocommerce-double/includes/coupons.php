<?php
/**
 * Coupons: posts of the type shop_coupon, named by their code.
 */

class WC_Coupon extends WC_Data {
	protected $object_type = 'coupon';
	protected $data        = array(
		'code'               => '',
		'amount'             => 0,
		'discount_type'      => 'fixed_cart',
		'date_expires'       => null,
		'usage_limit'        => 0,
		'usage_count'        => 0,
		'minimum_amount'     => '',
		'free_shipping'      => false,
		'individual_use'     => false,
		'email_restrictions' => array(),
		'description'        => '',
		'date_created'       => null,
		'date_modified'      => null,
	);

	public function __construct( $given = '' ) {
		$id = $given instanceof WC_Coupon ? $given->get_id() : ( is_int( $given ) ? $given : wc_get_coupon_id_by_code( $given ) );
		if ( is_string( $given ) ) {
			$this->data['code'] = wc_format_coupon_code( $given );
		}
		$post = $id ? get_post( $id ) : null;
		if ( $post && 'shop_coupon' === $post->post_type ) {
			$this->id   = $post->ID;
			$this->data = array_merge( $this->data, (array) get_post_meta( $this->id, '_double_coupon', true ), array( 'code' => $post->post_title ) );
		}
	}

	public function save() {
		$post = array( 'post_type' => 'shop_coupon', 'post_title' => $this->data['code'], 'post_status' => 'publish' );
		$this->id ? wp_update_post( array( 'ID' => $this->id ) + $post ) : ( $this->id = (int) wp_insert_post( $post ) );
		update_post_meta( $this->id, '_double_coupon', $this->data );
		return $this->id;
	}

	public function delete( $force = false ) {
		return (bool) wp_delete_post( $this->id, true );
	}

	public function is_type( $type ) {
		return in_array( $this->data['discount_type'], (array) $type, true );
	}

	/** Empty when it may be used on this sum; else why not. */
	public function wc_double_refusal( $subtotal ) {
		$expires = wc_double_date( $this->data['date_expires'] );
		if ( ! $this->id ) {
			return sprintf( 'Coupon "%s" does not exist!', $this->data['code'] );
		}
		if ( $expires && $expires->getTimestamp() < time() ) {
			return 'This coupon has expired.';
		}
		if ( $this->data['usage_limit'] && $this->data['usage_count'] >= $this->data['usage_limit'] ) {
			return 'Coupon usage limit has been reached.';
		}
		return (float) $this->data['minimum_amount'] > $subtotal ? 'The minimum spend for this coupon is not reached.' : '';
	}

	public function is_valid() {
		return '' === $this->wc_double_refusal( WC()->cart ? (float) WC()->cart->get_subtotal() : 0.0 );
	}

	public function wc_double_discount( $subtotal ) {
		$amount = (float) $this->data['amount'];
		return min( $subtotal, 'percent' === $this->data['discount_type'] ? $subtotal * $amount / 100 : $amount );
	}
}

function wc_format_coupon_code( $code ) {
	return strtolower( trim( (string) $code ) );
}

function wc_get_coupon_id_by_code( $code ) {
	global $wpdb;
	$code = wc_format_coupon_code( $code );
	return (int) $wpdb->get_var( $wpdb->prepare( "SELECT ID FROM $wpdb->posts WHERE post_type = 'shop_coupon' AND post_status = 'publish' AND LOWER(post_title) = %s", $code ) );
}

function wc_coupons_enabled() {
	return true;
}
