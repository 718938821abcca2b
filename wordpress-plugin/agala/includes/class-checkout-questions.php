<?php
/**
 * What a purchase is for.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

/**
 * Asks, where the owner wants it, for the occasion of a purchase, its day of the year and whether to be reminded.
 *
 * What was told is `{occasion, day, month, remind}`; what is kept with the order is
 * `{occasion, date: MM-DD or "", remind: bool, text: the words beside the box, at: RFC 3339 UTC}`.
 */
final class Checkout_Questions {

	/**
	 * Order meta: the answer as JSON.
	 */
	public const META = '_agala_occasion';

	private const SHOWN = 'agala_remind_text';

	/**
	 * Adds the hooks of both checkouts.
	 */
	public function register(): void {
		( new Questions_Form() )->register();
		( new Questions_Block() )->register();
	}

	/**
	 * Whether the owner wants the questions and offers any occasion.
	 */
	public static function are_asked(): bool {
		return Options::settings()['questions']['enabled'] && Occasions::offered();
	}

	/**
	 * The days of a month, for a choice.
	 *
	 * @return array<int, string>
	 */
	public static function days(): array {
		return array_map( 'strval', array_combine( range( 1, 31 ), range( 1, 31 ) ) );
	}

	/**
	 * The months with their names in the language of the page, for a choice.
	 *
	 * @return array<int, string>
	 */
	public static function months(): array {
		global $wp_locale;
		$months = array();
		for ( $month = 1; $month <= 12; $month++ ) {
			$months[ $month ] = $wp_locale->get_month( $month );
		}
		return $months;
	}

	/**
	 * The words beside the box.
	 */
	public static function remind_text(): string {
		return __( 'Remind me in time before this date, every year.', 'agala' );
	}

	/**
	 * The page that asks is being made: the words beside the box as they stand on it.
	 */
	public static function remember_shown(): void {
		if ( WC()->session ) {
			WC()->session->set( self::SHOWN, self::remind_text() );
		}
	}

	/**
	 * What is wrong with what was told, in words for the shopper; nothing is.
	 *
	 * @param array $told {occasion, day, month, remind}, of any kind.
	 */
	public static function mistake( array $told ): string {
		list( $occasion, $day, $month, $remind ) = self::values( $told );
		if ( '' !== $occasion && ! isset( Occasions::offered()[ $occasion ] ) ) {
			return __( 'Please choose an occasion from the list.', 'agala' );
		}
		if ( ( 0 === $day ) !== ( 0 === $month ) ) {
			return __( 'Please choose both the day and the month of the occasion.', 'agala' );
		}
		if ( 0 !== $day && ! checkdate( $month, $day, 2024 ) ) { // A leap year: the 29th of February is a day.
			return __( 'The month of the occasion does not have that many days.', 'agala' );
		}
		if ( '' === $occasion && 0 !== $day ) {
			return __( 'Please choose the occasion of this date.', 'agala' );
		}
		if ( $remind && ( '' === $occasion || 0 === $day ) ) {
			return __( 'To be reminded, please choose the occasion and its date.', 'agala' );
		}
		return '';
	}

	/**
	 * Keeps the answer with an order, which the caller saves. No answer, or one that is wrong, takes an earlier one away.
	 *
	 * @param \WC_Order $order The order.
	 * @param array     $told  {occasion, day, month, remind}, of any kind.
	 */
	public static function keep_with_order( \WC_Order $order, array $told ): void {
		list( $occasion, $day, $month, $remind ) = self::values( $told );
		if ( '' === $occasion || '' !== self::mistake( $told ) ) {
			$order->delete_meta_data( self::META );
			return;
		}
		$shown  = WC()->session ? WC()->session->get( self::SHOWN ) : null;
		$answer = array(
			'occasion' => $occasion,
			'date'     => 0 === $day ? '' : sprintf( '%02d-%02d', $month, $day ),
			'remind'   => $remind,
			'text'     => is_string( $shown ) ? $shown : self::remind_text(),
			'at'       => gmdate( 'Y-m-d\TH:i:s\Z' ),
		);
		$order->update_meta_data( self::META, (string) wp_json_encode( $answer, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES ) );
	}

	/**
	 * Occasion, day, month (0: not told; -1: nonsense) and remind, of the right kinds.
	 *
	 * @param array $told Of any kind.
	 * @return array{0: string, 1: int, 2: int, 3: bool}
	 */
	private static function values( array $told ): array {
		$numbers = array();
		foreach ( array( 'day', 'month' ) as $part ) {
			$value     = isset( $told[ $part ] ) && is_scalar( $told[ $part ] ) ? (string) $told[ $part ] : '';
			$numbers[] = '' === $value ? 0 : ( preg_match( '/^\d{1,2}$/D', $value ) && (int) $value > 0 ? (int) $value : -1 );
		}
		$occasion = isset( $told['occasion'] ) && is_string( $told['occasion'] ) ? $told['occasion'] : '';
		return array( $occasion, $numbers[0], $numbers[1], ! empty( $told['remind'] ) );
	}
}
