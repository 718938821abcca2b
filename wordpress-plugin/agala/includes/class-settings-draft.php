<?php
/**
 * A form that could not be saved.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

/**
 * Keeps what the present user typed until the page shows it again, so that nothing has to be typed twice.
 */
final class Settings_Draft {

	/**
	 * Keeps a form.
	 *
	 * @param Settings_Form $form The form.
	 */
	public static function keep( Settings_Form $form ): void {
		set_transient(
			self::name(),
			array(
				'settings' => $form->settings(),
				'errors'   => $form->errors(),
			),
			HOUR_IN_SECONDS
		);
	}

	/**
	 * What the page shows: the form that was kept, once, else what is saved.
	 *
	 * @return array{settings: array, errors: array<string, string>}
	 */
	public static function take(): array {
		$kept = get_transient( self::name() );
		delete_transient( self::name() );
		if ( is_array( $kept ) ) {
			return $kept;
		}
		return array(
			'settings' => Options::settings(),
			'errors'   => array(),
		);
	}

	/**
	 * Everybody has their own.
	 */
	private static function name(): string {
		return 'agala_draft_' . get_current_user_id();
	}
}
