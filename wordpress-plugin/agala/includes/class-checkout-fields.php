<?php
/**
 * What is typed at the classic checkout, before anything is bought.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

/**
 * The classic checkout tells the server nothing of an email that is typed until the order is placed: a small script
 * does, to an address of ours in this shop. The block checkout tells it by itself (see Cart_Tracker).
 */
final class Checkout_Fields {

	private const ENDPOINT = 'agala_typed';

	/**
	 * WooCommerce ties nonces whose names begin like this to the guest's session.
	 */
	private const NONCE = 'woocommerce-agala-typed';

	/**
	 * Adds the hooks.
	 */
	public function register(): void {
		add_action( 'woocommerce_before_checkout_form', array( $this, 'add_script' ), 20, 0 );
		add_action( 'wc_ajax_' . self::ENDPOINT, array( $this, 'receive' ) );
	}

	/**
	 * Adds the script to the classic checkout's page.
	 */
	public function add_script(): void {
		if ( ! Cart_Session::is_there() || ! Cart_Visitor::is_shopper() ) {
			return;
		}
		$person   = Cart_Person::known();
		$settings = array(
			'url'   => \WC_AJAX::get_endpoint( self::ENDPOINT ),
			'nonce' => wp_create_nonce( self::NONCE ),
			'known' => array(
				'email'      => $person['email'],
				'phone'      => $person['phone'],
				'first_name' => $person['first_name'],
			),
		);
		wp_enqueue_script( 'agala-checkout', plugins_url( 'assets/checkout.js', AGALA_FILE ), array(), AGALA_VERSION, true );
		wp_add_inline_script( 'agala-checkout', 'window.agalaCheckout = ' . wp_json_encode( $settings, JSON_HEX_TAG | JSON_HEX_AMP ) . ';', 'before' );
	}

	/**
	 * Answers the script: `{kept: bool}`, or 403 and `{nonce}` for a page that is too old (or came out of a cache), which then
	 * tells it once more. Another site's page cannot read that answer.
	 */
	public function receive(): void {
		nocache_headers();
		$nonce = isset( $_POST['nonce'] ) ? sanitize_text_field( wp_unslash( $_POST['nonce'] ) ) : '';
		if ( ! wp_verify_nonce( $nonce, self::NONCE ) ) {
			wp_send_json( array( 'nonce' => wp_create_nonce( self::NONCE ) ), 403 );
		}
		wp_send_json( array( 'kept' => $this->keep( wp_unslash( $_POST ) ) ) );
	}

	/**
	 * Keeps what makes sense of what was typed, and tells the tracker.
	 *
	 * @param array $posted Unslashed.
	 * @return bool Whether there was anything new.
	 */
	private function keep( array $posted ): bool {
		if ( ! Cart_Session::is_there() || ! isset( WC()->cart ) || WC()->cart->is_empty() ) {
			return false;
		}
		$typed = array();
		foreach ( array( 'email', 'phone', 'first_name' ) as $key ) {
			$typed[ $key ] = isset( $posted[ $key ] ) ? Cart_Person::$key( $posted[ $key ] ) : '';
		}
		$before = Cart_Session::typed();
		Cart_Session::keep_typed( array_filter( $typed, 'strlen' ) );
		$consent = Consent_Forms::note_at_checkout( $posted );
		if ( Cart_Session::typed() === $before && ! $consent ) {
			return false;
		}
		/**
		 * The shopper has told something about themselves that is newer than the cart's row.
		 */
		do_action( 'agala_shopper_typed' );
		return true;
	}
}
