<?php
/**
 * Calls to Agala.
 *
 * @package Agala
 */

namespace Agala;

use WP_Error;

defined( 'ABSPATH' ) || exit;

/**
 * The only place that calls out. Never used inside a shopper's request.
 *
 * Every call returns the answer's JSON object as an array, or a WP_Error that says in words what is wrong (see
 * Agala_Trouble), with `status` in its data: the HTTP status, 0 where no answer came.
 */
final class Agala_Api {

	private const SECONDS = 10;

	/**
	 * See `clock_difference`.
	 *
	 * @var int|null
	 */
	private $clock_difference;

	/**
	 * A call signed with the connection's secret.
	 *
	 * @param string $url  One of the connection's addresses.
	 * @param array  $body Becomes the JSON object of the call.
	 * @return array|WP_Error
	 */
	public function signed( string $url, array $body ) {
		$connection = Options::connection();
		if ( null === $connection ) {
			return new WP_Error( 'agala_not_connected', __( 'The shop is not connected to Agala.', 'agala' ), array( 'status' => 0 ) );
		}
		$json      = self::json( $body );
		$timestamp = (string) time();
		return $this->call(
			'POST',
			$url,
			$json,
			array(
				'X-Agala-Timestamp' => $timestamp,
				'X-Agala-Signature' => self::signature( $connection['secret'], $timestamp, $json ),
			)
		);
	}

	/**
	 * A call with the key of a connection code.
	 *
	 * @param string $url  Where to.
	 * @param string $key  The code's key.
	 * @param array  $body Becomes the JSON object of the call.
	 * @return array|WP_Error
	 */
	public function with_key( string $url, string $key, array $body ) {
		return $this->call( 'POST', $url, self::json( $body ), array( 'Authorization' => 'Bearer ' . $key ) );
	}

	/**
	 * A call to an address that is a secret itself.
	 *
	 * @param string $url  Where to.
	 * @param array  $body Becomes the JSON object of the call.
	 * @return array|WP_Error
	 */
	public function post( string $url, array $body ) {
		return $this->call( 'POST', $url, self::json( $body ), array() );
	}

	/**
	 * Asks whether Agala answers at this address at all.
	 *
	 * @param string $address Agala's address, without a slash at its end.
	 * @return array|WP_Error
	 */
	public function health( string $address ) {
		return $this->call( 'GET', $address . '/health', null, array() );
	}

	/**
	 * By how many seconds our clock was ahead of Agala's at the last call; null as long as no answer told.
	 */
	public function clock_difference(): ?int {
		return $this->clock_difference;
	}

	/**
	 * Hex HMAC-SHA256 of timestamp, full stop and raw body.
	 *
	 * @param string $secret    The connection's secret.
	 * @param string $timestamp Unix seconds.
	 * @param string $body      The body, byte for byte as it is sent.
	 */
	public static function signature( string $secret, string $timestamp, string $body ): string {
		return hash_hmac( 'sha256', $timestamp . '.' . $body, $secret );
	}

	/**
	 * An empty array is an empty object: Agala's calls take objects only.
	 *
	 * @param array $body The body.
	 */
	private static function json( array $body ): string {
		return (string) wp_json_encode( (object) $body );
	}

	/**
	 * One attempt. A redirect is not followed: what is signed for one address is not meant for another.
	 *
	 * @param string      $method  GET or POST.
	 * @param string      $url     Where to.
	 * @param string|null $json    The body.
	 * @param array       $headers Further headers.
	 * @return array|WP_Error
	 */
	private function call( string $method, string $url, ?string $json, array $headers ) {
		$answer = wp_remote_request(
			$url,
			array(
				'method'              => $method,
				'timeout'             => self::SECONDS,
				'redirection'         => 0,
				'limit_response_size' => MB_IN_BYTES,
				'user-agent'          => 'Agala/' . AGALA_VERSION . '; WordPress/' . get_bloginfo( 'version' ),
				'headers'             => array_merge(
					array(
						'Accept'       => 'application/json',
						'Content-Type' => 'application/json',
					),
					$headers
				),
				'body'                => $json,
			)
		);
		if ( is_wp_error( $answer ) ) {
			return Agala_Trouble::of_no_answer( $answer, $url );
		}
		$this->clock_difference = Agala_Trouble::clock_difference( $answer );
		$status                 = (int) wp_remote_retrieve_response_code( $answer );
		$body                   = trim( wp_remote_retrieve_body( $answer ) );
		$told                   = '' === $body ? array() : json_decode( $body, true );
		if ( $status >= 200 && $status < 300 && is_array( $told ) ) {
			return $told;
		}
		return Agala_Trouble::of_answer( $answer, $url );
	}
}
