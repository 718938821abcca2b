<?php
/**
 * Reads the owner's settings from the form.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

/**
 * From what a form sent to settings that hold, or to a sentence per field that does not.
 */
final class Settings_Form {

	private const LONGEST_TEXT = 500;

	/**
	 * The units in which the owner may say after how long a cart counts as left, in minutes.
	 */
	public const UNITS = array(
		'minutes' => 1,
		'hours'   => 60,
		'days'    => 1440,
	);

	/**
	 * The settings, in the shape of `Options::settings()`.
	 *
	 * @var array
	 */
	private $settings;

	/**
	 * What is wrong, by field: abandon_after, restore_days, consent_email, consent_sms, consent_whatsapp, occasions.
	 *
	 * @var array<string, string>
	 */
	private $errors = array();

	/**
	 * Reads a form.
	 *
	 * @param array $sent The form's fields, without WordPress's slashes.
	 */
	public function __construct( array $sent ) {
		$this->settings = array(
			'abandon_after_minutes' => $this->minutes( $sent ),
			'restore_days'          => $this->days( $sent ),
			'consent'               => $this->consent( $sent ),
			'questions'             => $this->questions( $sent ),
			'pixel'                 => ! empty( $sent['pixel'] ),
		);
	}

	/**
	 * The settings as sent; hold only if there are no errors.
	 */
	public function settings(): array {
		return $this->settings;
	}

	/**
	 * What is wrong, by field.
	 *
	 * @return array<string, string>
	 */
	public function errors(): array {
		return $this->errors;
	}

	/**
	 * Minutes as an amount and the largest unit that shows them whole.
	 *
	 * @param int $minutes The minutes.
	 * @return array{0: int, 1: string}
	 */
	public static function in_units( int $minutes ): array {
		foreach ( array_reverse( self::UNITS ) as $unit => $size ) {
			if ( 0 === $minutes % $size ) {
				return array( intdiv( $minutes, $size ), $unit );
			}
		}
		return array( $minutes, 'minutes' );
	}

	/**
	 * After how many minutes a cart counts as left.
	 *
	 * @param array $sent The form's fields.
	 */
	private function minutes( array $sent ): int {
		$unit    = self::text( $sent, 'abandon_unit' );
		$size    = isset( self::UNITS[ $unit ] ) ? self::UNITS[ $unit ] : 1;
		$amount  = self::whole( $sent, 'abandon_after' );
		$minutes = null === $amount ? 0 : $amount * $size;
		if ( $minutes < Options::LEAST_MINUTES || $minutes > Options::MOST_MINUTES ) {
			$this->errors['abandon_after'] = __( 'Please give a whole number, from 10 minutes to 7 days.', 'agala' );
		}
		return $minutes;
	}

	/**
	 * For how many days a link that restores a cart works.
	 *
	 * @param array $sent The form's fields.
	 */
	private function days( array $sent ): int {
		$days = (int) self::whole( $sent, 'restore_days' );
		if ( $days < Options::LEAST_DAYS || $days > Options::MOST_DAYS ) {
			$this->errors['restore_days'] = sprintf(
				/* translators: 1: the least number of days, 2: the greatest. */
				__( 'Please give a whole number of days, from %1$d to %2$d.', 'agala' ),
				Options::LEAST_DAYS,
				Options::MOST_DAYS
			);
		}
		return $days;
	}

	/**
	 * What shoppers are asked to agree to. A question without words cannot be asked.
	 *
	 * @param array $sent The form's fields.
	 */
	private function consent( array $sent ): array {
		$consent = array();
		foreach ( Options::CHANNELS as $channel ) {
			$fields  = isset( $sent['consent'][ $channel ] ) && is_array( $sent['consent'][ $channel ] ) ? $sent['consent'][ $channel ] : array();
			$enabled = ! empty( $fields['enabled'] );
			$text    = self::text( $fields, 'text' );
			if ( mb_strlen( $text ) > self::LONGEST_TEXT ) {
				/* translators: %d: a number of characters. */
				$this->errors[ 'consent_' . $channel ] = sprintf( __( 'Please say it in at most %d characters.', 'agala' ), self::LONGEST_TEXT );
			} elseif ( $enabled && '' === $text ) {
				$this->errors[ 'consent_' . $channel ] = __( 'Please write what shoppers agree to, in your own words.', 'agala' );
			}
			$consent[ $channel ] = array(
				'enabled' => $enabled,
				'text'    => $text,
			);
		}
		return $consent;
	}

	/**
	 * The questions at checkout.
	 *
	 * @param array $sent The form's fields.
	 */
	private function questions( array $sent ): array {
		$chosen    = isset( $sent['occasions'] ) && is_array( $sent['occasions'] ) ? $sent['occasions'] : array();
		$questions = array(
			'enabled'   => ! empty( $sent['questions'] ),
			'occasions' => array_values( array_intersect( Options::OCCASIONS, $chosen ) ),
		);
		if ( $questions['enabled'] && ! $questions['occasions'] ) {
			$this->errors['occasions'] = __( 'Please choose at least one occasion.', 'agala' );
		}
		return $questions;
	}

	/**
	 * A line of plain text.
	 *
	 * @param array  $fields The fields.
	 * @param string $name   The field.
	 */
	private static function text( array $fields, string $name ): string {
		return isset( $fields[ $name ] ) && is_string( $fields[ $name ] ) ? sanitize_text_field( $fields[ $name ] ) : '';
	}

	/**
	 * A whole number of at most five digits, or null.
	 *
	 * @param array  $fields The fields.
	 * @param string $name   The field.
	 */
	private static function whole( array $fields, string $name ): ?int {
		$text = self::text( $fields, $name );
		return preg_match( '/^\d{1,5}$/', $text ) ? (int) $text : null;
	}
}
