<?php
/**
 * Who may change something here.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

/**
 * Every form and button of the settings page asks here first, and goes back to the page at the end.
 */
final class Settings_Guard {

	public const CAPABILITY = 'manage_woocommerce';
	public const PAGE       = 'agala';

	/**
	 * Ends the request unless the user may manage the shop and sent our own form.
	 *
	 * @param string $action The form's action, which is its nonce's as well.
	 */
	public static function admit_form( string $action ): void {
		if ( ! current_user_can( self::CAPABILITY ) ) {
			wp_die( esc_html__( 'You may not manage this shop.', 'agala' ), '', array( 'response' => 403 ) );
		}
		check_admin_referer( $action );
	}

	/**
	 * Ends an admin-ajax request unless the user may manage the shop and the page asked.
	 *
	 * @param string $action The request's action, which is its nonce's as well.
	 */
	public static function admit_ajax( string $action ): void {
		if ( ! current_user_can( self::CAPABILITY ) || ! check_ajax_referer( $action, false, false ) ) {
			wp_send_json_error( array( 'words' => __( 'Your session is over. Please load the page again.', 'agala' ) ), 403 );
		}
	}

	/**
	 * The settings page's address.
	 */
	public static function page(): string {
		return admin_url( 'admin.php?page=' . self::PAGE );
	}

	/**
	 * Back to the settings page.
	 */
	public static function back(): void {
		wp_safe_redirect( self::page() );
		exit;
	}
}
