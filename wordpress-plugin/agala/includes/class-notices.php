<?php
/**
 * What the settings page says after it did something.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

/**
 * Sentences that wait for the present user until the settings page is shown next.
 */
final class Notices {

	/**
	 * Keeps a sentence.
	 *
	 * @param string $kind     success, warning or error.
	 * @param string $sentence Plain text.
	 */
	public static function add( string $kind, string $sentence ): void {
		$waiting   = self::waiting();
		$waiting[] = array(
			'kind'     => $kind,
			'sentence' => $sentence,
		);
		set_transient( self::name(), $waiting, HOUR_IN_SECONDS );
	}

	/**
	 * Shows what waits, once.
	 */
	public static function show(): void {
		$waiting = self::waiting();
		delete_transient( self::name() );
		foreach ( $waiting as $notice ) {
			printf(
				'<div class="notice notice-%s is-dismissible inline" role="%s"><p>%s</p></div>',
				esc_attr( $notice['kind'] ),
				esc_attr( 'error' === $notice['kind'] ? 'alert' : 'status' ),
				esc_html( $notice['sentence'] )
			);
		}
	}

	/**
	 * The sentences.
	 *
	 * @return array[] Each with `kind` and `sentence`.
	 */
	private static function waiting(): array {
		$waiting = get_transient( self::name() );
		return is_array( $waiting ) ? $waiting : array();
	}

	/**
	 * Everybody has their own.
	 */
	private static function name(): string {
		return 'agala_notices_' . get_current_user_id();
	}
}
