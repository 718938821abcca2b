<?php
/**
 * Who is at the shop's door.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

/**
 * Tells shoppers from crawlers, link scanners, the shop's own people and machines.
 */
final class Cart_Visitor {

	/**
	 * Not CUBOT, which makes telephones.
	 */
	private const CRAWLERS = '~(?<!cu)bot\b|(?<!cu)bot_|crawl|spider|slurp|mediapartners|archiver|facebookexternalhit|meta-externalagent|whatsapp/|telegram|skypeuripreview|embedly|quora link|pinterest/|bingpreview|lighthouse|pagespeed|gtmetrix|pingdom|uptime|monitor|feedfetcher|google-inspectiontool|googleother|google-read-aloud|apis-google|yandex(images|metrika|turbo)|petalsearch|ia_archiver|scrapy|nutch|httrack~i';

	private const SCANNERS = '~safelinks|barracuda|proofpoint|mimecast|symantec|messagelabs|forcepoint|fireeye|trendmicro|sophos|avast|kaspersky|urldefense|link ?check|linkscan|virustotal|urlscan|mailscanner|googleimageproxy|yahoomailproxy|outlook-ios-preview|microsoft office|ms-office|officeagent|previewer~i';

	/**
	 * Whether this request is a shopper's own.
	 */
	public static function is_shopper(): bool {
		if ( wp_doing_cron() || ( is_admin() && ! wp_doing_ajax() ) ) {
			return false;
		}
		if ( self::is_crawler() || self::has_api_key() ) {
			return false;
		}
		return ! current_user_can( 'manage_woocommerce' ) && ! current_user_can( 'manage_options' );
	}

	/**
	 * Whether a machine follows a link before, or instead of, a person.
	 */
	public static function is_scanner(): bool {
		if ( 'GET' !== self::server( 'REQUEST_METHOD' ) ) {
			return true;
		}
		$purpose = self::server( 'HTTP_SEC_PURPOSE' ) . ' ' . self::server( 'HTTP_PURPOSE' ) . ' ' . self::server( 'HTTP_X_PURPOSE' ) . ' ' . self::server( 'HTTP_X_MOZ' );
		if ( preg_match( '/prefetch|prerender|preview/i', $purpose ) ) {
			return true;
		}
		return self::is_crawler() || 1 === preg_match( self::SCANNERS, self::server( 'HTTP_USER_AGENT' ) );
	}

	/**
	 * Whether the user agent says so itself, or says nothing.
	 */
	private static function is_crawler(): bool {
		$agent = self::server( 'HTTP_USER_AGENT' );
		return '' === $agent || 1 === preg_match( self::CRAWLERS, $agent );
	}

	/**
	 * Whether a program calls with a key: WooCommerce's, or an application password.
	 */
	private static function has_api_key(): bool {
		if ( '' !== self::server( 'PHP_AUTH_USER' ) && defined( 'REST_REQUEST' ) && REST_REQUEST ) {
			return true;
		}
		// phpcs:ignore WordPress.Security.NonceVerification -- asks only whether they are there.
		return isset( $_GET['consumer_key'] ) || isset( $_GET['oauth_consumer_key'] ) || 0 === stripos( self::server( 'HTTP_AUTHORIZATION' ), 'OAuth ' );
	}

	/**
	 * A value that the web server tells, at most 1,000 bytes of it.
	 *
	 * @param string $name Its name.
	 */
	private static function server( string $name ): string {
		return isset( $_SERVER[ $name ] ) && is_string( $_SERVER[ $name ] ) ? substr( sanitize_text_field( wp_unslash( $_SERVER[ $name ] ) ), 0, 1000 ) : '';
	}
}
