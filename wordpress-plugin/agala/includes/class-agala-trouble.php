<?php
/**
 * Why a call to Agala failed, in words.
 *
 * @package Agala
 */

namespace Agala;

use WP_Error;

defined( 'ABSPATH' ) || exit;

/**
 * Turns a failed call into a sentence that tells a shop's owner what to do.
 *
 * Codes: agala_address, agala_certificate, agala_refused, agala_slow, agala_blocked, agala_firewall, agala_clock,
 * agala_key, agala_gone, agala_conflict, agala_fields, agala_busy, agala_down, agala_not_json, agala_redirect, agala_unexpected. Data: `status` (0: no answer),
 * `errors` (of a 422: a list of `field` and `message`), `detail` (of a 400 or 409: Agala's own words), `retry_after` (seconds, where Agala said it).
 */
final class Agala_Trouble {

	/**
	 * How far the clocks may be apart, in seconds; Agala refuses what is signed further away.
	 */
	public const CLOCK_LIMIT = 300;

	/**
	 * What the transport's own message says, by code: cURL's numbers, and the words of PHP's streams.
	 */
	private const TRANSPORT = array(
		'agala_address'     => '/cURL error (3|6):|resolve host|getaddrinfo|php_network_getaddresses/i',
		'agala_certificate' => '/cURL error (35|51|58|60|77|80|83|90|91):|SSL|certificate/i',
		'agala_refused'     => '/cURL error 7:|refused|unreachable/i',
		'agala_slow'        => '/cURL error 28:|timed out/i',
		'agala_firewall'    => '/cURL error (52|55|56):|reset by peer|empty reply/i',
	);

	/**
	 * The call brought no answer.
	 *
	 * @param WP_Error $error What WordPress says.
	 * @param string   $url   Where the call went.
	 */
	public static function of_no_answer( WP_Error $error, string $url ): WP_Error {
		if ( 'http_request_not_executed' === $error->get_error_code() ) {
			return self::trouble( 'agala_blocked', $url, 0 );
		}
		if ( 'http_request_failed' === $error->get_error_code() && ! wp_parse_url( $url, PHP_URL_HOST ) ) {
			return self::trouble( 'agala_address', $url, 0 );
		}
		foreach ( self::TRANSPORT as $code => $pattern ) {
			if ( preg_match( $pattern, $error->get_error_message() ) ) {
				return self::trouble( $code, $url, 0 );
			}
		}
		return self::trouble( 'agala_firewall', $url, 0 );
	}

	/**
	 * An answer came that is not what we asked for.
	 *
	 * @param array  $answer As the WordPress HTTP functions return it.
	 * @param string $url    Where the call went.
	 */
	public static function of_answer( array $answer, string $url ): WP_Error {
		$status = (int) wp_remote_retrieve_response_code( $answer );
		$told   = json_decode( wp_remote_retrieve_body( $answer ), true );
		$data   = array();
		if ( is_array( $told ) && isset( $told['errors'] ) && is_array( $told['errors'] ) ) {
			$data['errors'] = $told['errors'];
		}
		if ( is_array( $told ) && isset( $told['detail'] ) && is_string( $told['detail'] ) && ( 409 === $status || 400 === $status ) ) {
			$data['detail'] = sanitize_text_field( $told['detail'] );
		}
		$pause = wp_remote_retrieve_header( $answer, 'retry-after' );
		if ( is_string( $pause ) && ctype_digit( $pause ) ) {
			$data['retry_after'] = (int) $pause;
		}
		return self::trouble( self::code_of( $status, is_array( $told ), $answer ), $url, $status, $data );
	}

	/**
	 * Our code for an answer.
	 *
	 * @param int   $status  The HTTP status.
	 * @param bool  $is_json Whether the answer's body is JSON.
	 * @param array $answer  As the WordPress HTTP functions return it.
	 */
	private static function code_of( int $status, bool $is_json, array $answer ): string {
		if ( $status >= 300 && $status < 400 ) {
			return 'agala_redirect';
		}
		if ( 429 === $status ) {
			return 'agala_busy';
		}
		if ( $status >= 500 ) {
			return 'agala_down';
		}
		if ( ! $is_json ) {
			return 403 === $status ? 'agala_firewall' : 'agala_not_json';
		}
		if ( 401 === $status ) {
			return abs( (int) self::clock_difference( $answer ) ) > self::CLOCK_LIMIT - 30 ? 'agala_clock' : 'agala_key';
		}
		$codes = array(
			403 => 'agala_key',
			404 => 'agala_gone',
			409 => 'agala_conflict',
			410 => 'agala_gone',
			422 => 'agala_fields',
		);
		return isset( $codes[ $status ] ) ? $codes[ $status ] : 'agala_unexpected';
	}

	/**
	 * Whether the same call may go well later without anybody doing anything.
	 *
	 * @param WP_Error $trouble One of ours.
	 */
	public static function may_pass( WP_Error $trouble ): bool {
		return in_array( $trouble->get_error_code(), array( 'agala_address', 'agala_refused', 'agala_slow', 'agala_firewall', 'agala_busy', 'agala_down' ), true );
	}

	/**
	 * By how many seconds our clock is ahead of the clock of who answered; null where the answer does not tell.
	 *
	 * @param array $answer As the WordPress HTTP functions return it.
	 */
	public static function clock_difference( array $answer ): ?int {
		$date = wp_remote_retrieve_header( $answer, 'date' );
		$then = is_string( $date ) && '' !== $date ? strtotime( $date ) : false;
		return false === $then ? null : time() - $then;
	}

	/**
	 * The error for a code.
	 *
	 * @param string $code   One of ours.
	 * @param string $url    Where the call went.
	 * @param int    $status The HTTP status, 0 where no answer came.
	 * @param array  $data   Further data of the error.
	 */
	private static function trouble( string $code, string $url, int $status, array $data = array() ): WP_Error {
		$words = self::words( $code, $url, $status );
		if ( ! empty( $data['errors'] ) ) {
			$words .= ' ' . self::fields( $data['errors'] );
		} elseif ( ! empty( $data['detail'] ) ) {
			$words .= ' (' . $data['detail'] . ')';
		}
		return new WP_Error( $code, $words, array_merge( $data, array( 'status' => $status ) ) );
	}

	/**
	 * The sentence for a code.
	 *
	 * @param string $code   One of ours.
	 * @param string $url    Where the call went; only its host is named.
	 * @param int    $status The HTTP status.
	 */
	private static function words( string $code, string $url, int $status ): string {
		$host = (string) wp_parse_url( $url, PHP_URL_HOST );
		switch ( $code ) {
			case 'agala_address':
				/* translators: %s: a host name. */
				return sprintf( __( 'No computer answers to the name "%s". Please check the Agala address for a typing mistake; if it is right, the name service (DNS) of your hosting does not know it yet.', 'agala' ), $host );
			case 'agala_certificate':
				/* translators: %s: a host name. */
				return sprintf( __( 'The security certificate of %s could not be trusted. Either it is expired or made for another name, or the certificates known to your hosting are out of date.', 'agala' ), $host );
			case 'agala_refused':
				/* translators: %s: a host name. */
				return sprintf( __( '%s is there but refuses the connection. Please check the port in the Agala address, and whether Agala is running.', 'agala' ), $host );
			case 'agala_slow':
				/* translators: %s: a host name. */
				return sprintf( __( '%s did not answer within 10 seconds. It may be busy, or a firewall of your hosting swallows outgoing calls.', 'agala' ), $host );
			case 'agala_blocked':
				/* translators: %s: a host name. */
				return sprintf( __( 'This WordPress blocks outgoing calls (WP_HTTP_BLOCK_EXTERNAL in wp-config.php). Add %s to WP_ACCESSIBLE_HOSTS.', 'agala' ), $host );
			case 'agala_firewall':
				/* translators: %s: a host name. */
				return sprintf( __( 'The call to %s was cut off on its way. Most often a firewall does that: ask your hosting to let calls to it through.', 'agala' ), $host );
			case 'agala_clock':
				return __( 'The clock of this server is more than five minutes off, so Agala does not accept its signature. Ask your hosting to set the clock.', 'agala' );
			case 'agala_key':
				return __( 'Agala did not accept the key. A connection code works once and for 24 hours: if you have just pasted one, make a new one in Agala. If the shop was connected before, disconnect it and connect it again.', 'agala' );
			case 'agala_gone':
				return __( 'Agala does not know this shop or this page. The shop may have been removed there: disconnect and connect again. If you have just typed the address, check that it is the address of Agala itself.', 'agala' );
			case 'agala_conflict':
				return __( 'Agala cannot do this now.', 'agala' );
			case 'agala_fields':
				return __( 'Agala did not accept some of the data.', 'agala' );
			case 'agala_busy':
				return __( 'Agala is asked too much just now. Please try again in a minute.', 'agala' );
			case 'agala_down':
				/* translators: %d: an HTTP status. */
				return sprintf( __( 'Agala has a problem of its own (answer %d). Please try again in a few minutes; nothing is lost in the meantime.', 'agala' ), $status );
			case 'agala_not_json':
				/* translators: %s: a host name. */
				return sprintf( __( '%s answered with a web page instead of data. The address belongs to something else, or a protection page stands before Agala.', 'agala' ), $host );
			case 'agala_redirect':
				/* translators: %s: a host name. */
				return sprintf( __( '%s sends calls on to another address. Please enter the final address of Agala (often https:// instead of http://, or with or without www).', 'agala' ), $host );
			default:
				/* translators: %d: an HTTP status. */
				return sprintf( __( 'Agala answered in a way this plugin does not know (%d). A newer version of the plugin may be needed.', 'agala' ), $status );
		}
	}

	/**
	 * The fields that Agala named.
	 *
	 * @param array $errors A list of `field` and `message`.
	 */
	private static function fields( array $errors ): string {
		$named = array();
		foreach ( array_slice( $errors, 0, 5 ) as $error ) {
			if ( is_array( $error ) && isset( $error['field'], $error['message'] ) ) {
				$named[] = sanitize_text_field( $error['field'] . ': ' . $error['message'] );
			}
		}
		return implode( '; ', $named );
	}
}
