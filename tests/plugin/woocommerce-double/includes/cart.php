<?php
/**
 * The cart of one shopper. No tax; shipping is free.
 */

class WC_Cart {
	public $cart_contents         = array();
	public $removed_cart_contents = array();
	public $applied_coupons       = array();
	private $totals               = array();
	private $fees                 = array();
	private $loaded               = false;

	private const NO_TOTALS = array(
		'subtotal'            => 0,
		'subtotal_tax'        => 0,
		'shipping_total'      => 0,
		'shipping_tax'        => 0,
		'discount_total'      => 0,
		'discount_tax'        => 0,
		'cart_contents_total' => 0,
		'cart_contents_tax'   => 0,
		'fee_total'           => 0,
		'fee_tax'             => 0,
		'total'               => 0,
		'total_tax'           => 0,
	);

	public function __construct() {
		$this->totals = self::NO_TOTALS;
		add_action( 'wp_loaded', array( $this, 'get_cart_from_session' ) );
		add_action( 'woocommerce_add_to_cart', array( $this, 'calculate_totals' ), 20, 0 );
		add_action( 'woocommerce_applied_coupon', array( $this, 'calculate_totals' ), 20, 0 );
		add_action( 'woocommerce_removed_coupon', array( $this, 'calculate_totals' ), 20, 0 );
		add_action( 'woocommerce_cart_item_removed', array( $this, 'calculate_totals' ), 20, 0 );
		add_action( 'woocommerce_cart_item_restored', array( $this, 'calculate_totals' ), 20, 0 );
		add_action( 'woocommerce_add_to_cart', array( $this, 'maybe_set_cart_cookies' ), 10, 0 );
		add_action( 'wp', array( $this, 'maybe_set_cart_cookies' ), 99, 0 );
		add_action( 'shutdown', array( $this, 'maybe_set_cart_cookies' ), 0, 0 );
	}

	public function get_cart_from_session() {
		$this->loaded = true;
		$session      = WC()->session;
		foreach ( (array) $session->get( 'cart', array() ) as $key => $values ) {
			$product = wc_get_product( $values['variation_id'] ? $values['variation_id'] : $values['product_id'] );
			if ( $product && $product->is_purchasable() && $values['quantity'] > 0 ) {
				$this->cart_contents[ $key ] = array_merge( $values, array( 'data' => $product ) );
			}
		}
		$this->applied_coupons       = array_values( (array) $session->get( 'applied_coupons', array() ) );
		$this->removed_cart_contents = (array) $session->get( 'removed_cart_contents', array() );
		$this->totals                = array_merge( self::NO_TOTALS, (array) $session->get( 'cart_totals', array() ) );
		do_action( 'woocommerce_cart_loaded_from_session', $this );
		if ( wc_double_is_old() ) {
			do_action( 'woocommerce_cart_updated' );
		}
		if ( $this->is_empty() ) {
			$this->calculate_totals();
		}
	}

	public function get_cart() {
		if ( ! $this->loaded && did_action( 'wp_loaded' ) ) {
			$this->get_cart_from_session();
		}
		return array_filter( $this->cart_contents );
	}

	public function get_cart_contents() {
		return $this->cart_contents;
	}

	public function set_cart_contents( $contents ) {
		$this->cart_contents = (array) $contents;
	}

	public function get_cart_item( $key ) {
		return $this->cart_contents[ $key ] ?? array();
	}

	public function is_empty() {
		return array() === $this->get_cart();
	}

	public function get_cart_contents_count() {
		return (int) array_sum( array_column( $this->get_cart(), 'quantity' ) );
	}

	/** How many of each product or variation, over all lines. */
	public function get_cart_item_quantities() {
		$quantities = array();
		foreach ( $this->get_cart() as $line ) {
			$id                = $line['data']->get_stock_managed_by_id();
			$quantities[ $id ] = ( $quantities[ $id ] ?? 0 ) + $line['quantity'];
		}
		return $quantities;
	}

	public function get_cart_for_session() {
		$kept = array();
		foreach ( $this->get_cart() as $key => $item ) {
			unset( $item['data'] );
			$kept[ $key ] = $item;
		}
		return $kept;
	}

	public function get_cart_hash() {
		$kept = $this->get_cart_for_session();
		$hash = $kept ? md5( wp_json_encode( $kept ) . $this->get_total( 'edit' ) ) : '';
		return apply_filters( 'woocommerce_cart_hash', $hash, $kept );
	}

	public function generate_cart_id( $product_id, $variation_id = 0, $variation = array(), $cart_item_data = array() ) {
		$parts = array( $product_id );
		if ( $variation_id ) {
			$parts[] = $variation_id;
		}
		foreach ( array( $variation, $cart_item_data ) as $pairs ) {
			if ( $pairs ) {
				$parts[] = wp_json_encode( $pairs );
			}
		}
		return apply_filters( 'woocommerce_cart_id', md5( implode( '_', $parts ) ), $product_id, $variation_id, $variation, $cart_item_data );
	}

	public function find_product_in_cart( $cart_id = '' ) {
		return isset( $this->cart_contents[ $cart_id ] ) ? $cart_id : '';
	}

	/** The line's key, or false with a notice. */
	public function add_to_cart( $product_id = 0, $quantity = 1, $variation_id = 0, $variation = array(), $cart_item_data = array() ) {
		try {
			return $this->add( (int) $product_id, $quantity, (int) $variation_id, (array) $variation, (array) $cart_item_data );
		} catch ( Exception $refusal ) {
			wc_add_notice( $refusal->getMessage(), 'error' );
			return false;
		}
	}

	private function add( $product_id, $quantity, $variation_id, $variation, $cart_item_data ) {
		$given = wc_get_product( $variation_id ? $variation_id : $product_id );
		if ( $given && $given->is_type( 'variation' ) ) {
			$variation_id = $given->get_id();
			$product_id   = $given->get_parent_id();
			$variation    = array_filter( $variation ) + $given->get_variation_attributes();
		}
		if ( ! $given || $quantity <= 0 || 'trash' === $given->get_status() ) {
			return false;
		}
		if ( $given->is_type( 'variable' ) ) {
			throw new Exception( 'Please choose product options&hellip;' );
		}
		$cart_item_data = (array) apply_filters( 'woocommerce_add_cart_item_data', $cart_item_data, $product_id, $variation_id, $quantity );
		$key            = $this->generate_cart_id( $product_id, $variation_id, $variation, $cart_item_data );
		$there          = $this->cart_contents[ $key ]['quantity'] ?? 0;
		if ( ! $given->is_purchasable() ) {
			throw new Exception( 'Sorry, this product cannot be purchased.' );
		}
		if ( ! $given->is_in_stock() ) {
			throw new Exception( sprintf( 'You cannot add &quot;%s&quot; to the cart because the product is out of stock.', $given->get_name() ) );
		}
		if ( ! $given->has_enough_stock( $there + $quantity ) ) {
			throw new Exception( sprintf( 'You cannot add that amount of &quot;%s&quot; to the cart because there is not enough stock.', $given->get_name() ) );
		}
		if ( $given->is_sold_individually() && $there ) {
			throw new Exception( sprintf( 'You cannot add another "%s" to your cart.', $given->get_name() ) );
		}
		if ( $there ) {
			$this->set_quantity( $key, $there + $quantity, false );
		} else {
			$line                        = compact( 'key', 'product_id', 'variation_id', 'variation', 'quantity' ) + array( 'data' => $given, 'data_hash' => wc_get_cart_item_data_hash( $given ) );
			$this->cart_contents[ $key ] = apply_filters( 'woocommerce_add_cart_item', array_merge( $cart_item_data, $line ), $key );
		}
		do_action( 'woocommerce_add_to_cart', $key, $product_id, $quantity, $variation_id, $variation, $cart_item_data );
		return $key;
	}

	public function set_quantity( $cart_item_key, $quantity = 1, $refresh_totals = true ) {
		if ( 0 === (int) $quantity || $quantity < 0 ) {
			return $this->remove_cart_item( $cart_item_key );
		}
		$old = $this->cart_contents[ $cart_item_key ]['quantity'];
		$this->cart_contents[ $cart_item_key ]['quantity'] = $quantity;
		do_action( 'woocommerce_after_cart_item_quantity_update', $cart_item_key, $quantity, $old, $this );
		if ( $refresh_totals ) {
			$this->calculate_totals();
		}
		do_action( 'woocommerce_cart_item_set_quantity', $cart_item_key, $quantity, $this );
		return true;
	}

	public function remove_cart_item( $cart_item_key ) {
		if ( ! isset( $this->cart_contents[ $cart_item_key ] ) ) {
			return false;
		}
		$this->removed_cart_contents[ $cart_item_key ] = $this->cart_contents[ $cart_item_key ];
		unset( $this->removed_cart_contents[ $cart_item_key ]['data'] );
		do_action( 'woocommerce_remove_cart_item', $cart_item_key, $this );
		unset( $this->cart_contents[ $cart_item_key ] );
		do_action( 'woocommerce_cart_item_removed', $cart_item_key, $this );
		return true;
	}

	public function restore_cart_item( $cart_item_key ) {
		if ( ! isset( $this->removed_cart_contents[ $cart_item_key ] ) ) {
			return false;
		}
		$line         = $this->removed_cart_contents[ $cart_item_key ];
		$line['data'] = wc_get_product( $line['variation_id'] ? $line['variation_id'] : $line['product_id'] );
		$this->cart_contents[ $cart_item_key ] = $line;
		do_action( 'woocommerce_restore_cart_item', $cart_item_key, $this );
		unset( $this->removed_cart_contents[ $cart_item_key ] );
		do_action( 'woocommerce_cart_item_restored', $cart_item_key, $this );
		return true;
	}

	public function empty_cart( $clear_persistent_cart = true ) {
		do_action( 'woocommerce_before_cart_emptied', $clear_persistent_cart );
		$this->cart_contents         = array();
		$this->removed_cart_contents = array();
		$this->applied_coupons       = array();
		$this->fees                  = array();
		$this->totals                = self::NO_TOTALS;
		$this->keep( false );
		do_action( 'woocommerce_cart_emptied', $clear_persistent_cart );
	}

	public function get_applied_coupons() {
		return array_values( $this->applied_coupons );
	}

	public function set_applied_coupons( $codes = array() ) {
		$this->applied_coupons = $codes;
	}

	public function get_coupons() {
		$coupons = array();
		foreach ( $this->applied_coupons as $code ) {
			$coupons[ $code ] = new WC_Coupon( $code );
		}
		return $coupons;
	}

	public function has_discount( $code = '' ) {
		return $code ? in_array( wc_format_coupon_code( $code ), $this->applied_coupons, true ) : array() !== $this->applied_coupons;
	}

	/** False with a notice when the coupon cannot be used. */
	public function apply_coupon( $code ) {
		$code    = wc_format_coupon_code( $code );
		$refusal = ( new WC_Coupon( $code ) )->wc_double_refusal( (float) $this->get_subtotal() );
		if ( '' === $refusal && $this->has_discount( $code ) ) {
			$refusal = 'Coupon code already applied!';
		}
		if ( '' !== $refusal ) {
			wc_add_notice( $refusal, 'error' );
			return false;
		}
		$this->applied_coupons[] = $code;
		wc_add_notice( 'Coupon code applied successfully.' );
		do_action( 'woocommerce_applied_coupon', $code );
		return true;
	}

	public function remove_coupon( $code ) {
		$code                  = wc_format_coupon_code( $code );
		$this->applied_coupons = array_values( array_diff( $this->applied_coupons, array( $code ) ) );
		do_action( 'woocommerce_removed_coupon', $code );
		return true;
	}

	public function remove_coupons() {
		$this->applied_coupons = array();
	}

	public function add_fee( $name, $amount ) {
		$this->fees[] = (object) compact( 'name', 'amount' );
	}

	public function get_fees() {
		return $this->fees;
	}

	public function calculate_totals() {
		$this->totals = self::NO_TOTALS;
		$this->fees   = array();
		do_action( 'woocommerce_cart_reset', $this, false );
		if ( $this->is_empty() ) {
			$this->keep();
			return;
		}
		do_action( 'woocommerce_before_calculate_totals', $this );
		$subtotal = 0.0;
		foreach ( $this->cart_contents as $key => $line ) {
			$sum       = round( (float) $line['data']->get_price() * $line['quantity'], wc_get_price_decimals() );
			$subtotal += $sum;
			$this->cart_contents[ $key ] = array_merge( $line, array( 'line_subtotal' => $sum, 'line_subtotal_tax' => 0.0, 'line_total' => $sum, 'line_tax' => 0.0 ) );
		}
		$discount = 0.0;
		foreach ( $this->get_coupons() as $coupon ) {
			$discount += $coupon->wc_double_discount( $subtotal - $discount );
		}
		do_action( 'woocommerce_cart_calculate_fees', $this );
		$fees         = array_sum( array_column( $this->fees, 'amount' ) );
		$sums         = array( 'subtotal' => $subtotal, 'discount_total' => $discount, 'cart_contents_total' => $subtotal - $discount, 'fee_total' => $fees, 'total' => $subtotal - $discount + $fees );
		$this->totals = array_merge( self::NO_TOTALS, array_map( static fn( $sum ) => round( $sum, wc_get_price_decimals() ), $sums ) );
		foreach ( $this->cart_contents as $key => $line ) {
			$this->cart_contents[ $key ]['line_total'] = $subtotal > 0 ? round( $line['line_subtotal'] * ( 1 - $discount / $subtotal ), wc_get_price_decimals() ) : 0.0;
		}
		do_action( 'woocommerce_after_calculate_totals', $this );
		$this->keep();
	}

	private function keep( $tell = true ) {
		$this->set_session( $tell );
	}

	public function set_session( $tell = true ) {
		WC()->session->set( 'cart', $this->get_cart_for_session() );
		WC()->session->set( 'cart_totals', $this->totals );
		WC()->session->set( 'applied_coupons', $this->applied_coupons );
		WC()->session->set( 'removed_cart_contents', $this->removed_cart_contents );
		if ( $tell ) {
			do_action( 'woocommerce_cart_updated' );
		}
	}

	public function maybe_set_cart_cookies() {
		if ( headers_sent() || ! $this->loaded ) {
			return;
		}
		if ( ! $this->is_empty() ) {
			wc_setcookie( 'woocommerce_items_in_cart', '1' );
			wc_setcookie( 'woocommerce_cart_hash', $this->get_cart_hash() );
			do_action( 'woocommerce_set_cart_cookies', true );
		} elseif ( isset( $_COOKIE['woocommerce_items_in_cart'] ) && '' !== $_COOKIE['woocommerce_items_in_cart'] ) {
			wc_setcookie( 'woocommerce_items_in_cart', '', time() - HOUR_IN_SECONDS );
			wc_setcookie( 'woocommerce_cart_hash', '', time() - HOUR_IN_SECONDS );
			do_action( 'woocommerce_set_cart_cookies', false );
		}
	}

	public function get_totals() {
		return $this->totals;
	}

	public function get_total( $context = 'view' ) {
		$total = apply_filters( 'woocommerce_cart_get_total', $this->totals['total'] );
		return 'view' === $context ? apply_filters( 'woocommerce_cart_total', wc_price( $total ) ) : $total;
	}

	public function get_subtotal() {
		return apply_filters( 'woocommerce_cart_get_subtotal', $this->totals['subtotal'] );
	}

	public function get_subtotal_tax() {
		return 0.0;
	}

	public function get_total_tax() {
		return 0.0;
	}

	public function get_discount_total() {
		return $this->totals['discount_total'];
	}

	public function get_discount_tax() {
		return 0.0;
	}

	public function get_shipping_total() {
		return $this->totals['shipping_total'];
	}

	public function get_cart_contents_total() {
		return $this->totals['cart_contents_total'];
	}

	public function get_fee_total() {
		return $this->totals['fee_total'];
	}

	public function get_product_price( $product ) {
		return wc_price( $product->get_price() );
	}

	public function get_customer() {
		return WC()->customer;
	}

	public function needs_payment() {
		return $this->totals['total'] > 0;
	}

	public function needs_shipping() {
		return ! $this->is_empty();
	}

	public function display_prices_including_tax() {
		return false;
	}

	public function check_cart_items() {
		do_action( 'woocommerce_check_cart_items' );
		return true;
	}
}

function wc_get_cart_item_data_hash( $product ) {
	return md5( wp_json_encode( array( 'type' => $product->get_type(), 'attributes' => $product->is_type( 'variation' ) ? $product->get_variation_attributes() : '' ) ) );
}

function wc_load_cart() {
	WC()->initialize_session();
	WC()->initialize_cart();
}

function wc_empty_cart() {
	if ( WC()->cart ) {
		WC()->cart->empty_cart( false );
	}
}
