<?php
/**
 * What Agala learns about the shop when it is connected.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

/**
 * The shop's own data, nothing about shoppers, in WordPress's own words (a time zone may be `+02:00`, a locale `he_IL`).
 */
final class Shop_Description {

	/**
	 * The body of the call that connects.
	 */
	public static function of_this_shop(): array {
		return array(
			'platform'              => 'woocommerce',
			'name'                  => self::name(),
			'url'                   => home_url( '/' ),
			'rest_url'              => rest_url(),
			'country'               => WC()->countries->get_base_country(),
			'currency'              => get_woocommerce_currency(),
			'timezone'              => wp_timezone_string(),
			'locale'                => get_locale(),
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
	 * What of it may change while the shop is connected; an amount of money does not change its currency.
	 */
	public static function as_it_is_now(): array {
		return array_diff_key( self::of_this_shop(), array_flip( array( 'platform', 'currency' ) ) );
	}

	/**
	 * Shoppers see this name; a shop without one goes by its host.
	 */
	private static function name(): string {
		$name = trim( wp_specialchars_decode( get_bloginfo( 'name' ), ENT_QUOTES ) );
		return '' !== $name ? mb_substr( $name, 0, 200 ) : (string) wp_parse_url( home_url(), PHP_URL_HOST );
	}
}
