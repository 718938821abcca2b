<?php
/**
 * Saves the settings and answers the settings page's questions.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

/**
 * What the settings page asks for while it is open, and when it is saved.
 */
final class Settings_Handler {

	public const SAVE   = 'agala_save_settings';
	public const STATUS = 'agala_status';
	public const CHECK  = 'agala_check';

	/**
	 * Tells Agala what was saved, again until it hears it.
	 */
	private const TELL = 'agala_tell_settings';

	/**
	 * Adds the hooks.
	 */
	public function register(): void {
		add_action( 'admin_post_' . self::SAVE, array( $this, 'save' ) );
		add_action( 'wp_ajax_' . self::STATUS, array( $this, 'show_status' ) );
		add_action( 'wp_ajax_' . self::CHECK, array( $this, 'check' ) );
		add_action( self::TELL, array( $this, 'tell_again' ) );
	}

	/**
	 * Saves the form if all of it holds; else it is shown again as it was sent, with a sentence per field.
	 */
	public function save(): void {
		Settings_Guard::admit_form( self::SAVE );
		// phpcs:ignore WordPress.Security.NonceVerification.Missing, WordPress.Security.ValidatedSanitizedInput.InputNotSanitized -- admit_form has checked the nonce; Settings_Form cleans each field.
		$form = new Settings_Form( wp_unslash( $_POST ) );
		if ( $form->errors() ) {
			Settings_Draft::keep( $form );
			Notices::add( 'error', __( 'Nothing was saved yet: please look at the fields marked below.', 'agala' ) );
			Settings_Guard::back();
		}
		Options::save_settings( $form->settings() );
		$told = self::tell();
		if ( ! is_wp_error( $told ) ) {
			Notices::add( 'success', __( 'The settings are saved.', 'agala' ) );
		} elseif ( Agala_Trouble::may_pass( $told ) ) {
			/* translators: %s: a sentence that says what went wrong. */
			Notices::add( 'warning', sprintf( __( 'The settings are saved. Agala could not be told yet; the shop goes on trying. %s', 'agala' ), $told->get_error_message() ) );
			self::tell_later();
		} else {
			/* translators: %s: a sentence that says what went wrong. */
			Notices::add( 'warning', sprintf( __( 'The settings are saved here, but Agala did not take them. %s', 'agala' ), $told->get_error_message() ) );
		}
		Settings_Guard::back();
	}

	/**
	 * A later attempt to tell Agala what was saved.
	 */
	public function tell_again(): void {
		$told = self::tell();
		if ( is_wp_error( $told ) && Agala_Trouble::may_pass( $told ) ) {
			self::tell_later();
		}
	}

	/**
	 * How the connection and the first sync stand.
	 */
	public function show_status(): void {
		Settings_Guard::admit_ajax( self::STATUS );
		wp_send_json_success( Connection_Status::now() );
	}

	/**
	 * Tests the connection.
	 */
	public function check(): void {
		Settings_Guard::admit_ajax( self::CHECK );
		wp_send_json_success( ( new Connection_Check() )->run() );
	}

	/**
	 * Tells Agala what it has to know of the settings, and of the shop where that has changed since it was connected.
	 *
	 * @return true|\WP_Error
	 */
	private static function tell() {
		$connection = Options::connection();
		if ( null === $connection ) {
			return true;
		}
		$answer = ( new Agala_Api() )->signed( $connection['plugin_url'] . '/settings', Shop_Description::as_it_is_now() );
		return is_wp_error( $answer ) ? $answer : true;
	}

	/**
	 * In ten minutes, with whatever is saved by then.
	 */
	private static function tell_later(): void {
		if ( ! as_has_scheduled_action( self::TELL, array(), Installation::ACTION_GROUP ) ) {
			as_schedule_single_action( time() + 10 * MINUTE_IN_SECONDS, self::TELL, array(), Installation::ACTION_GROUP );
		}
	}
}
