<?php
/**
 * The shop's one object: when which of its parts is there. As in WooCommerce, a cart and a session exist only in a shopper's
 * request: not in wp-admin, not in WP-Cron or an action, not in the REST API (the Store API loads them itself).
 */

final class WooCommerce {
	public $version = WC_VERSION;
	/** @var WC_Session_Handler|null */
	public $session = null;
	/** @var WC_Cart|null */
	public $cart = null;
	/** @var WC_Customer|null */
	public $customer = null;
	/** @var WC_Countries|null */
	public $countries = null;
	private static $instance   = null;
	private $checkout          = null;
	private $payment_gateways_ = null;

	public static function instance() {
		if ( null === self::$instance ) {
			self::$instance = new self();
			self::$instance->register();
		}
		return self::$instance;
	}

	private function register() {
		wc_double_name_tables();
		add_action( 'plugins_loaded', array( $this, 'on_plugins_loaded' ), -1 );
		add_action( 'init', 'wc_double_register_types', 5 );
		add_action( 'init', array( $this, 'init' ), 0 );
		add_action( 'admin_menu', 'wc_double_admin_menu', 9 );
		wc_double_register_scheduler();
		wc_double_register_pages();
		wc_double_register_account();
		wc_double_register_forms();
		wc_double_register_checkout();
		wc_double_register_store_api();
		wc_double_register_rest();
		wc_double_register_authorisation();
		wc_double_register_webhooks();
	}

	public function on_plugins_loaded() {
		do_action( 'woocommerce_loaded' );
	}

	public function init() {
		do_action( 'before_woocommerce_init' );
		$this->countries = new WC_Countries();
		if ( $this->is_shoppers_request() ) {
			$this->initialize_session();
			$this->initialize_cart();
		}
		do_action( 'woocommerce_init' );
	}

	private function is_shoppers_request() {
		return ( ! is_admin() || wp_doing_ajax() ) && ! wp_doing_cron() && ! $this->is_rest_api_request() && ! ( defined( 'WP_CLI' ) && WP_CLI ) && ! defined( 'WC_DOUBLE_NO_SHOPPER' );
	}

	public function is_rest_api_request() {
		return ! empty( $_SERVER['REQUEST_URI'] ) && false !== strpos( $_SERVER['REQUEST_URI'], '/' . trailingslashit( rest_get_url_prefix() ) );
	}

	public function is_store_api_request() {
		return $this->is_rest_api_request() && false !== strpos( $_SERVER['REQUEST_URI'], '/wc/store/' );
	}

	public function initialize_session() {
		if ( null === $this->session ) {
			$class         = apply_filters( 'woocommerce_session_handler', 'WC_Session_Handler' );
			$this->session = new $class();
			$this->session->init();
		}
	}

	public function initialize_cart() {
		if ( null === $this->customer ) {
			$this->customer = new WC_Customer( get_current_user_id(), true );
			add_action( 'shutdown', array( $this->customer, 'save' ), 10 );
		}
		if ( null === $this->cart ) {
			$this->cart = new WC_Cart();
		}
	}

	public function checkout() {
		$this->checkout = $this->checkout ?? new WC_Checkout();
		return $this->checkout;
	}

	public function plugin_url() {
		return untrailingslashit( plugins_url( '/', WC_PLUGIN_FILE ) );
	}

	public function plugin_path() {
		return untrailingslashit( WC_ABSPATH );
	}

	public function ajax_url() {
		return admin_url( 'admin-ajax.php', 'relative' );
	}

	public function api_request_url( $request ) {
		return home_url( "/wc-api/$request/" );
	}

	/** For PHPUnit: another shopper comes, with nothing in the hands. */
	public function wc_double_new_shopper() {
		foreach ( array( $this->cart, $this->session, $this->customer ) as $part ) {
			wc_double_unhook( $part );
		}
		$_COOKIE        = array();
		$this->session  = null;
		$this->cart     = null;
		$this->customer = null;
		$this->checkout = null;
		wc_load_cart();
		$this->cart->get_cart_from_session();
	}
}

/** Takes an object's methods off all hooks. */
function wc_double_unhook( $thing ) {
	foreach ( $thing ? $GLOBALS['wp_filter'] : array() as $name => $hook ) {
		foreach ( $hook->callbacks as $priority => $callbacks ) {
			foreach ( $callbacks as $callback ) {
				if ( is_array( $callback['function'] ) && $callback['function'][0] === $thing ) {
					remove_filter( $name, $callback['function'], $priority );
				}
			}
		}
	}
}

/** Whether to fire the hooks as release 8.3.1 was recorded. */
function wc_double_is_old() {
	return version_compare( WC_VERSION, '9.0', '<' );
}

function wc_double_register_types() {
	register_taxonomy( 'product_type', 'product', array( 'public' => false ) );
	register_taxonomy( 'product_cat', 'product', array( 'public' => true, 'hierarchical' => true, 'rewrite' => array( 'slug' => 'product-category' ) ) );
	register_post_type( 'product', array( 'public' => true, 'label' => 'Products', 'has_archive' => false, 'rewrite' => array( 'slug' => 'product' ), 'supports' => array( 'title', 'editor', 'thumbnail' ) ) );
	register_post_type( 'product_variation', array( 'public' => false ) );
	register_post_type( 'shop_coupon', array( 'public' => false ) );
	do_action( 'woocommerce_after_register_post_type' );
}

function wc_double_admin_menu() {
	add_menu_page( 'WooCommerce', 'WooCommerce', 'manage_woocommerce', 'woocommerce', 'wc_double_admin_page', '', 55 );
}

function wc_double_admin_page() {
	echo '<div class="wrap"><h1>WooCommerce (double for Agala\'s tests)</h1></div>';
}
