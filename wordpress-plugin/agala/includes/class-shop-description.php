<?php
/**
 * What Agala learns about the shop when it is connected.
 *
 * @package Agala
 */

namespace Agala;

use DateTime;
use DateTimeZone;

defined( 'ABSPATH' ) || exit;

/**
 * The shop's own data, nothing about shoppers.
 */
final class Shop_Description {

	/**
	 * The body of the call that connects.
	 */
	public static function of_this_shop(): array {
		$place = wc_get_base_location();
		return array(
			'platform'              => 'woocommerce',
			'name'                  => self::name(),
			'url'                   => home_url( '/' ),
			'rest_url'              => rest_url(),
			'country'               => $place['country'],
			'currency'              => get_woocommerce_currency(),
			'timezone'              => self::timezone( wp_timezone_string(), $place['country'] ),
			'locale'                => self::locale( get_locale() ),
			'abandon_after_minutes' => Options::settings()['abandon_after_minutes'],
			'versions'              => array(
				'plugin'      => AGALA_VERSION,
				'woocommerce' => (string) WC_VERSION,
				'wordpress'   => (string) get_bloginfo( 'version' ),
				'php'         => PHP_VERSION,
			),
		);
	}

	/**
	 * Shoppers see this name; a shop without one goes by its host.
	 */
	private static function name(): string {
		$name = trim( wp_specialchars_decode( get_bloginfo( 'name' ), ENT_QUOTES ) );
		return '' !== $name ? mb_substr( $name, 0, 200 ) : (string) wp_parse_url( home_url(), PHP_URL_HOST );
	}

	/**
	 * Language and country: WordPress also has `de_DE_formal`, which is no language of its own.
	 *
	 * @param string $locale As WordPress names it.
	 */
	public static function locale( string $locale ): string {
		return preg_match( '/^([a-z]{2,3})(?:_([A-Z]{2}))?/', $locale, $found ) ? implode( '-', array_slice( $found, 1 ) ) : 'en';
	}

	/**
	 * A zone by its name. A shop may be set to a bare offset such as +02:00; then the zone of its country that has
	 * this offset now is meant, if there is one, for a bare offset knows no summer time.
	 *
	 * @param string $zone    As `wp_timezone_string` names it.
	 * @param string $country ISO 3166 alpha-2.
	 */
	public static function timezone( string $zone, string $country ): string {
		if ( ! preg_match( '/^[+-]\d\d:\d\d$/', $zone ) ) {
			return $zone;
		}
		$now    = new DateTime( 'now', new DateTimeZone( $zone ) );
		$offset = $now->getOffset();
		foreach ( self::zones_of( $country ) as $name ) {
			if ( ( new DateTimeZone( $name ) )->getOffset( $now ) === $offset ) {
				return $name;
			}
		}
		if ( 0 === $offset ) {
			return 'UTC';
		}
		if ( 0 === $offset % HOUR_IN_SECONDS ) {
			// These names count the other way round: Etc/GMT-2 is two hours ahead.
			return sprintf( 'Etc/GMT%+d', -$offset / HOUR_IN_SECONDS );
		}
		$name = timezone_name_from_abbr( '', $offset, 0 );
		return is_string( $name ) ? $name : 'UTC';
	}

	/**
	 * The zones of a country.
	 *
	 * @param string $country ISO 3166 alpha-2, or whatever the shop has there.
	 * @return string[]
	 */
	private static function zones_of( string $country ): array {
		return preg_match( '/^[A-Z]{2}$/', $country ) ? (array) DateTimeZone::listIdentifiers( DateTimeZone::PER_COUNTRY, $country ) : array();
	}
}
