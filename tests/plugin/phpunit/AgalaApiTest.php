<?php
/** Calls to Agala, and why they fail. */

namespace Agala\Tests;

use Agala\Agala_Api;
use WP_Error;

require_once __DIR__ . '/ConnectedShop.php';

final class AgalaApiTest extends ShopTestCase {
	use ConnectedShop;

	public function test_a_call_is_signed_over_time_and_raw_body(): void {
		self::connect();
		( new Agala_Api() )->signed( 'https://agala.example/v1/stores/01shop/carts', array( 'name' => 'כד "חרס" / 1' ) );
		$request   = $this->requests[0];
		$timestamp = $request['headers']['X-Agala-Timestamp'];
		$this->assertSame( hash_hmac( 'sha256', $timestamp . '.' . $request['body'], 'secret-of-the-shop' ), $request['headers']['X-Agala-Signature'] );
		$this->assertEqualsWithDelta( time(), (int) $timestamp, 5 );
		$this->assertSame( array( 'name' => 'כד "חרס" / 1' ), json_decode( $request['body'], true ) );
	}

	public function test_a_call_waits_ten_seconds_and_follows_no_redirect(): void {
		self::connect();
		( new Agala_Api() )->signed( 'https://agala.example/x', array() );
		$this->assertSame( 10, $this->requests[0]['arguments']['timeout'] );
		$this->assertSame( 0, $this->requests[0]['arguments']['redirection'] );
		$this->assertSame( '{}', $this->requests[0]['body'] );
	}

	public function test_without_a_connection_nothing_is_called(): void {
		$this->assertSame( 'agala_not_connected', ( new Agala_Api() )->signed( 'https://agala.example/x', array() )->get_error_code() );
		$this->assertSame( array(), $this->requests );
	}

	public function test_an_answer_without_a_body_is_fine(): void {
		$this->responder = static fn() => self::response( 202, '' );
		$this->assertSame( array(), ( new Agala_Api() )->post( 'https://agala.example/x', array() ) );
	}

	/** @dataProvider failures */
	public function test_a_failure_is_told_in_words( $answer, string $code, string $word ): void {
		$this->responder = static fn() => $answer;
		$trouble         = ( new Agala_Api() )->post( 'https://agala.example/x', array() );
		$this->assertInstanceOf( WP_Error::class, $trouble );
		$this->assertSame( $code, $trouble->get_error_code() );
		$this->assertStringContainsString( $word, $trouble->get_error_message() );
		$this->assertSame( is_array( $answer ) ? $answer['response']['code'] : 0, $trouble->get_error_data()['status'] );
	}

	public function failures(): array {
		$failed  = static fn( string $words ) => new WP_Error( 'http_request_failed', $words );
		$problem = '{"title":"No","status":400,"detail":"no"}';
		return array(
			'no such name'      => array( $failed( 'cURL error 6: Could not resolve host: agala.example' ), 'agala_address', 'agala.example' ),
			'no such name 2'    => array( $failed( 'php_network_getaddresses: getaddrinfo failed' ), 'agala_address', 'agala.example' ),
			'certificate'       => array( $failed( 'cURL error 60: SSL certificate problem: certificate has expired' ), 'agala_certificate', 'certificate' ),
			'refused'           => array( $failed( 'cURL error 7: Failed to connect to agala.example port 443: Connection refused' ), 'agala_refused', 'refuses' ),
			'slow'              => array( $failed( 'cURL error 28: Operation timed out after 10001 milliseconds' ), 'agala_slow', '10 seconds' ),
			'cut off'           => array( $failed( 'cURL error 56: Recv failure: Connection reset by peer' ), 'agala_firewall', 'firewall' ),
			'blocked'           => array( new WP_Error( 'http_request_not_executed', 'User has blocked requests through HTTP.' ), 'agala_blocked', 'WP_HTTP_BLOCK_EXTERNAL' ),
			'firewall page'     => array( self::response( 403, '<html>Access denied</html>' ), 'agala_firewall', 'firewall' ),
			'redirect'          => array( self::response( 301, '', array( 'location' => 'https://www.agala.example/x' ) ), 'agala_redirect', 'final address' ),
			'a web page'        => array( self::response( 200, '<!doctype html><p>Hello' ), 'agala_not_json', 'web page' ),
			'key'               => array( self::response( 401, $problem ), 'agala_key', 'key' ),
			'store gone'        => array( self::response( 404, $problem ), 'agala_gone', 'does not know' ),
			'conflict'          => array( self::response( 409, '{"detail":"made for a store on shopify"}' ), 'agala_conflict', 'made for a store on shopify' ),
			'too many'          => array( self::response( 429, $problem ), 'agala_busy', 'minute' ),
			'broken'            => array( self::response( 500, $problem ), 'agala_down', '500' ),
			'broken, with HTML' => array( self::response( 502, '<html>Bad gateway' ), 'agala_down', '502' ),
			'something new'     => array( self::response( 418, $problem ), 'agala_unexpected', '418' ),
		);
	}

	public function test_fields_that_agala_refuses_are_named(): void {
		$this->responder = static fn() => self::response( 422, '{"errors":[{"field":"timezone","message":"expected <b>a city</b>"}]}' );
		$trouble         = ( new Agala_Api() )->post( 'https://agala.example/x', array() );
		$this->assertSame( 'agala_fields', $trouble->get_error_code() );
		$this->assertStringContainsString( 'timezone: expected a city', $trouble->get_error_message() );
		$this->assertSame( 'timezone', $trouble->get_error_data()['errors'][0]['field'] );
	}

	public function test_a_refused_signature_is_the_clocks_fault_when_the_clock_is_off(): void {
		$this->responder = static fn() => self::response( 401, '{}', array( 'date' => gmdate( 'D, d M Y H:i:s', time() - 900 ) . ' GMT' ) );
		$api             = new Agala_Api();
		$this->assertSame( 'agala_clock', $api->post( 'https://agala.example/x', array() )->get_error_code() );
		$this->assertEqualsWithDelta( 900, $api->clock_difference(), 5 );
	}

	public function test_how_long_to_wait_is_passed_on(): void {
		$this->responder = static fn() => self::response( 503, '{}', array( 'retry-after' => '40' ) );
		$this->assertSame( 40, ( new Agala_Api() )->post( 'https://agala.example/x', array() )->get_error_data()['retry_after'] );
	}
}
