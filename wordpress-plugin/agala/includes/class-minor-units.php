<?php
/**
 * Money in whole minor units.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

/**
 * Turns a shop's decimals into agorot, cents and fils.
 *
 * What counts is the currency's own number of decimals (ISO 4217), never how many of them the shop shows.
 */
final class Minor_Units {

	private const NONE  = array( 'BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF' );
	private const THREE = array( 'BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND' );

	/**
	 * Digits after the point in this currency.
	 *
	 * @param string $currency ISO code.
	 */
	public static function decimals( string $currency ): int {
		if ( in_array( $currency, self::NONE, true ) ) {
			return 0;
		}
		return in_array( $currency, self::THREE, true ) ? 3 : 2;
	}

	/**
	 * An amount, rounded half up to the currency's minor unit.
	 *
	 * @param float  $value    In major units.
	 * @param string $currency ISO code.
	 */
	public static function of( float $value, string $currency ): int {
		return (int) str_replace( '.', '', number_format( $value, self::decimals( $currency ), '.', '' ) );
	}

	/**
	 * As Agala's API writes money.
	 *
	 * @param int    $amount   In minor units.
	 * @param string $currency ISO code.
	 */
	public static function money( int $amount, string $currency ): array {
		return array(
			'amount'   => $amount,
			'currency' => $currency,
		);
	}
}
