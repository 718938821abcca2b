<?php
/**
 * Opens a restore link.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

/**
 * Puts a cart back into the session of whoever opens its link, on any device, and sends them on to an address without
 * the token. Machines that look at links change nothing.
 */
final class Cart_Restore {

	/**
	 * After WooCommerce has the visitor's own cart (10), before it reads forms and `?add-to-cart=` (20).
	 */
	private const ONCE_LOADED = 15;

	/**
	 * Unix time in seconds.
	 *
	 * @var callable
	 */
	private $clock;

	/**
	 * Opens links.
	 *
	 * @param callable|null $clock Unix time in seconds.
	 */
	public function __construct( ?callable $clock = null ) {
		$this->clock = null === $clock ? 'time' : $clock;
	}

	/**
	 * Adds the hooks.
	 */
	public function register(): void {
		add_action( 'wp_loaded', array( $this, 'open' ), self::ONCE_LOADED, 0 );
		add_filter( 'render_block_woocommerce/cart', array( $this, 'show_notices' ) );
		add_filter( 'render_block_woocommerce/checkout', array( $this, 'show_notices' ) );
	}

	/**
	 * On a page made of blocks older WooCommerces keep their notices to themselves: what a link has to say is said here.
	 *
	 * @param string $html The cart or the checkout.
	 */
	public function show_notices( $html ): string {
		if ( is_admin() || ! Cart_Session::is_there() || ! Cart_Session::has_notices() ) {
			return (string) $html;
		}
		Cart_Session::keep_notices( false );
		return ( wc_notice_count() > 0 ? '<div class="woocommerce">' . wc_print_notices( true ) . '</div>' : '' ) . $html;
	}

	/**
	 * Does its work only where the address carries a restore link.
	 */
	public function open(): void {
		// phpcs:disable WordPress.Security.NonceVerification -- the link's own signature is checked.
		if ( ! isset( $_GET[ Restore_Link::PARAMETER ] ) || is_admin() || ! Cart_Session::is_there() || ! isset( WC()->cart ) ) {
			return;
		}
		$value = $_GET[ Restore_Link::PARAMETER ]; // phpcs:ignore WordPress.Security.ValidatedSanitizedInput -- matched against a pattern of hex digits.
		// phpcs:enable
		$this->send_headers();
		if ( Cart_Visitor::is_scanner() ) {
			$this->go( wc_get_cart_url() );
			return;
		}
		$token = is_string( $value ) ? Restore_Link::token( $value, (int) call_user_func( $this->clock ) ) : null;
		$row   = null === $token ? null : Cart_Table::find( $token );
		if ( null === $row ) {
			$this->refuse();
			return;
		}
		$this->go( $this->restore( $row, $value ) );
	}

	/**
	 * Restores a cart.
	 *
	 * @param array  $row  The cart's row.
	 * @param string $link The link's value.
	 * @return string Where to go on.
	 */
	private function restore( array $row, string $link ): string {
		if ( Cart_Session::token() === $row['token'] && ! WC()->cart->is_empty() ) {
			return wc_get_cart_url(); // It is lying there, as the visitor has left it.
		}
		WC()->session->set_customer_session_cookie( true );
		if ( Cart_Table::CONVERTED === $row['step'] ) {
			wc_add_notice( __( 'You have already bought what was in this cart. Thank you!', 'agala' ), 'notice' );
			return wc_get_page_permalink( 'shop' );
		}
		$state = (array) json_decode( $row['state'], true );
		if ( empty( $state['items'] ) ) {
			wc_add_notice( __( 'This cart is empty.', 'agala' ), 'notice' );
			return wc_get_page_permalink( 'shop' );
		}
		$this->fill_in( $row, $link );
		$rebuild = new Cart_Rebuild( WC()->cart );
		$rebuild->put_back( $state );
		Cart_Session::keep_token( $row['token'] );
		Cart_Session::keep_seen( Cart_Snapshot::goods_hash( Cart_Snapshot::of_cart( WC()->cart ) ) );
		Cart_Session::keep_restored( true );
		/**
		 * A link has just put a cart back.
		 */
		do_action( 'agala_cart_restored' );
		foreach ( $rebuild->notices() as $notice ) {
			wc_add_notice( $notice, 'notice' );
		}
		Cart_Session::keep_notices( array() !== $rebuild->notices() );
		return ! $rebuild->notices() && (int) $row['checkout_at'] > 0 ? wc_get_checkout_url() : wc_get_cart_url();
	}

	/**
	 * Fills in the address that the link was made for, where the visitor has not said who they are: that and nothing
	 * else, for a link may have been passed on.
	 *
	 * @param array  $row  The cart's row.
	 * @param string $link The link's value.
	 */
	private function fill_in( array $row, string $link ): void {
		if ( is_user_logged_in() && get_current_user_id() !== (int) $row['customer_id'] ) {
			return;
		}
		$customer = WC()->customer;
		foreach ( array( 'email', 'phone' ) as $key ) {
			if ( Restore_Link::is_for( $link, $row['token'], $row[ $key ] ) && '' === (string) $customer->{ "get_billing_{$key}" }() ) {
				$customer->{ "set_billing_{$key}" }( $row[ $key ] );
				$customer->save();
				Cart_Session::keep_typed( Cart_Session::typed() + array( $key => $row[ $key ] ) );
			}
		}
	}

	/**
	 * Neither a cache nor a search engine keeps what a link shows.
	 */
	private function send_headers(): void {
		if ( ! defined( 'DONOTCACHEPAGE' ) ) {
			define( 'DONOTCACHEPAGE', true ); // phpcs:ignore WordPress.NamingConventions -- the name that page caches look for.
		}
		if ( headers_sent() ) {
			return;
		}
		nocache_headers();
		header( 'Cache-Control: no-store, no-cache, must-revalidate, max-age=0, private' );
		header( 'X-Robots-Tag: noindex, nofollow' );
		header( 'Referrer-Policy: no-referrer' );
	}

	/**
	 * Says that the link does not work (any more), without saying why.
	 */
	private function refuse(): void {
		wp_die(
			esc_html__( 'This link to a cart does not work any more. Your shop is still here for you.', 'agala' ),
			esc_html__( 'Cart not found', 'agala' ),
			array(
				'response'  => 404,
				'link_url'  => esc_url( wc_get_page_permalink( 'shop' ) ),
				'link_text' => esc_html__( 'Go to the shop', 'agala' ),
			)
		);
	}

	/**
	 * Sends the visitor on.
	 *
	 * @param string $url A page of this shop.
	 */
	private function go( string $url ): void {
		wp_safe_redirect( $url, 302, 'Agala' );
		exit;
	}
}
