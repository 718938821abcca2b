<?php
/** What an owner types to connect. */

namespace Agala\Tests;

use Agala\Connection_Code;

require_once __DIR__ . '/ConnectedShop.php';

final class ConnectionCodeTest extends ShopTestCase {
	use ConnectedShop;

	public function test_a_code_tells_the_address_and_the_key(): void {
		$this->assertSame(
			array( 'address' => 'https://agala.example', 'key' => 'the-key' ),
			Connection_Code::read( self::code( 'https://agala.example/' ) )
		);
	}

	public function test_line_breaks_that_a_mail_program_put_into_a_code_do_not_matter(): void {
		$this->assertIsArray( Connection_Code::read( chunk_split( self::code(), 20, "\r\n " ) ) );
	}

	/** @dataProvider broken_codes */
	public function test_a_broken_code_is_refused_in_words( string $code ): void {
		$read = Connection_Code::read( $code );
		$this->assertWPError( $read );
		$this->assertStringContainsString( 'agala_', $read->get_error_message() );
	}

	public function broken_codes(): array {
		return array(
			'nothing'          => array( 'agala_' ),
			'cut off'          => array( substr( self::code(), 0, 20 ) ),
			'no JSON'          => array( 'agala_' . base64_encode( 'hello' ) ),
			'no key'           => array( self::code( 'https://agala.example', '' ) ),
			'a key with lines' => array( self::code( 'https://agala.example', "a\r\nX-Evil: 1" ) ),
			'another scheme'   => array( self::code( 'file:///etc/passwd' ) ),
		);
	}

	/** @dataProvider addresses */
	public function test_an_address_is_made_whole( string $typed, string $address ): void {
		$this->assertSame( $address, Connection_Code::address( $typed ) );
	}

	public function addresses(): array {
		return array(
			array( 'agala.example', 'https://agala.example' ),
			array( ' https://Agala.example/ ', 'https://agala.example' ),
			array( 'https://agala.example:443', 'https://agala.example' ),
			array( 'https://api.example/live/', 'https://api.example/live' ),
			array( 'http://agala.example:8080', 'http://agala.example:8080' ),
			array( 'localhost:8000', 'http://localhost:8000' ),
			array( '127.0.0.1:8000', 'http://127.0.0.1:8000' ),
			array( 'https://agala.example/?x=1#y', 'https://agala.example' ),
		);
	}

	/** @dataProvider no_addresses */
	public function test_what_is_no_address_is_refused( string $typed ): void {
		$this->assertWPError( Connection_Code::address( $typed ) );
	}

	public function no_addresses(): array {
		return array( array( '' ), array( 'ftp://agala.example' ), array( 'https://a:b@agala.example' ), array( 'javascript:alert(1)' ), array( 'two words' ), array( 'https://' ) );
	}

	private function assertWPError( $value ): void {
		$this->assertInstanceOf( \WP_Error::class, $value );
	}
}
