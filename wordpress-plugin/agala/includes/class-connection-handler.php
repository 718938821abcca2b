<?php
/**
 * The settings page's connection forms.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

/**
 * Takes what the owner does about the connection, and the owner's return from Agala and from WooCommerce.
 */
final class Connection_Handler {

	public const CONNECT    = 'agala_connect';
	public const KEYS       = 'agala_keys';
	public const DISCONNECT = 'agala_disconnect';

	/**
	 * Adds the hooks.
	 */
	public function register(): void {
		add_action( 'admin_post_' . self::CONNECT, array( $this, 'connect' ) );
		add_action( 'admin_post_' . self::KEYS, array( $this, 'keys' ) );
		add_action( 'admin_post_' . self::DISCONNECT, array( $this, 'disconnect' ) );
		add_action( Settings_Page::OPENED, array( $this, 'come_back' ) );
	}

	/**
	 * The owner pressed "Connect": with a code at once, with an address by way of Agala's own page.
	 */
	public function connect(): void {
		Settings_Guard::admit_form( self::CONNECT );
		// phpcs:ignore WordPress.Security.NonceVerification.Missing -- admit_form has checked it.
		$typed = isset( $_POST['agala_where'] ) ? trim( sanitize_text_field( wp_unslash( $_POST['agala_where'] ) ) ) : '';
		if ( Connection_Code::is_code( $typed ) ) {
			$this->connect_with( $typed );
		}
		$address = Connection_Code::address( $typed );
		$page    = is_wp_error( $address ) ? $address : Connection::consent_page( $address, Settings_Guard::page() );
		if ( is_wp_error( $page ) ) {
			Notices::add( 'error', $page->get_error_message() );
			Settings_Guard::back();
		}
		self::go( $page );
	}

	/**
	 * The owner pressed "Allow": the keys are still missing.
	 */
	public function keys(): void {
		Settings_Guard::admit_form( self::KEYS );
		$this->hand_over_keys();
	}

	/**
	 * The owner pressed "Disconnect".
	 */
	public function disconnect(): void {
		Settings_Guard::admit_form( self::DISCONNECT );
		$told = Connection::disconnect();
		if ( is_wp_error( $told ) ) {
			/* translators: %s: a sentence that says what went wrong. */
			Notices::add( 'warning', sprintf( __( 'The shop is disconnected: webhooks, keys and the connection are removed here. Agala itself could not be told, so please disconnect the shop there too. %s', 'agala' ), $told->get_error_message() ) );
		} else {
			Notices::add( 'success', __( 'The shop is disconnected. Webhooks and keys are removed, and Agala sends nothing more for it.', 'agala' ) );
		}
		Settings_Guard::back();
	}

	/**
	 * The owner comes back: from Agala with `code` and `state`, or from WooCommerce's page with `success`.
	 */
	public function come_back(): void {
		if ( ! current_user_can( Settings_Guard::CAPABILITY ) ) {
			return;
		}
		// phpcs:disable WordPress.Security.NonceVerification.Recommended -- The state is the proof; `success` proves nothing and changes nothing that matters.
		if ( isset( $_GET['code'], $_GET['state'] ) ) {
			$code  = sanitize_text_field( wp_unslash( $_GET['code'] ) );
			$state = sanitize_text_field( wp_unslash( $_GET['state'] ) );
			if ( ! Connection_State::end( $state ) ) {
				Notices::add( 'error', __( 'This way back from Agala is over or was not begun by you. Please press "Connect" again.', 'agala' ) );
				Settings_Guard::back();
			}
			$this->connect_with( $code );
		}
		if ( isset( $_GET['success'] ) ) {
			$this->come_back_from_woocommerce( '1' === sanitize_text_field( wp_unslash( $_GET['success'] ) ) );
		}
		// phpcs:enable
	}

	/**
	 * After WooCommerce's authorisation page. Only a key in the shop's table counts as "approved".
	 *
	 * @param bool $approved Whether WooCommerce says that the owner approved.
	 */
	private function come_back_from_woocommerce( bool $approved ): void {
		if ( $approved && Shop_Keys::count() > 0 ) {
			Connection::keys_are_handed_over();
			Notices::add( 'success', self::connected() );
		} else {
			Notices::add( 'warning', __( 'Agala may not read the shop yet. Press "Allow" and approve, so that it learns about your products and orders.', 'agala' ) );
		}
		Settings_Guard::back();
	}

	/**
	 * Connects with a code and goes on to the keys.
	 *
	 * @param string $typed The code.
	 */
	private function connect_with( string $typed ): void {
		if ( Options::is_connected() ) {
			Notices::add( 'warning', __( 'The shop is connected already. To connect it anew, disconnect it first.', 'agala' ) );
			Settings_Guard::back();
		}
		$code      = Connection_Code::read( $typed );
		$connected = is_wp_error( $code ) ? $code : Connection::connect( $code['address'], $code['key'] );
		if ( is_wp_error( $connected ) ) {
			Notices::add( 'error', $connected->get_error_message() );
			Settings_Guard::back();
		}
		$this->hand_over_keys();
	}

	/**
	 * Hands over the keys and goes where that leads.
	 */
	private function hand_over_keys(): void {
		$next = Connection::hand_over_keys( Settings_Guard::page() );
		if ( is_string( $next ) ) {
			self::go( $next );
		}
		if ( is_wp_error( $next ) ) {
			/* translators: %s: a sentence that says what went wrong. */
			Notices::add( 'error', sprintf( __( 'The shop is connected, but Agala could not be given its keys. Press "Allow" to try again. %s', 'agala' ), $next->get_error_message() ) );
		} else {
			Notices::add( 'success', self::connected() );
		}
		Settings_Guard::back();
	}

	/**
	 * The good news.
	 */
	private static function connected(): string {
		return __( 'The shop is connected. Agala is now getting to know your products, customers and orders; no messages are sent about the past.', 'agala' );
	}

	/**
	 * To another site: Agala's, or the shop's own front, which WordPress may count as another one.
	 *
	 * @param string $page Its address.
	 */
	private static function go( string $page ): void {
		wp_redirect( esc_url_raw( $page ) );
		exit;
	}
}
