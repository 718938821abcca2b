<?php
/** Connecting the shop with Agala and letting go again. */

namespace Agala\Tests;

use Agala\Connection;
use Agala\Connection_Handler;
use Agala\Connection_State;
use Agala\Options;
use Agala\Settings_Guard;
use Agala\Settings_Page;
use Agala\Shop_Keys;
use Agala\Shop_Webhooks;

require_once __DIR__ . '/ConnectedShop.php';

final class ConnectionTest extends ShopTestCase {
	use ConnectedShop;

	private function agala_connects( string $address = 'https://agala.example' ): void {
		$this->agala_answers( array( '/v1/connections' => self::response( 201, wp_json_encode( self::connection_answer( $address ) ) ) ) );
	}

	private function paste( string $typed ): string {
		self::form( Connection_Handler::CONNECT, array( 'agala_where' => $typed ) );
		return $this->redirect_of( array( new Connection_Handler(), 'connect' ) );
	}

	public function test_a_pasted_code_connects_and_goes_on_to_woocommerces_own_page(): void {
		self::log_in_as_owner();
		update_option( 'permalink_structure', '/%postname%/' );
		$this->agala_connects();
		$where = $this->paste( self::code() );
		parse_str( (string) wp_parse_url( $where, PHP_URL_QUERY ), $asked );
		$this->assertStringStartsWith( home_url( '/wc-auth/v1/authorize?' ), $where );
		$this->assertSame( array( 'Agala', 'read_write', '01shop' ), array( $asked['app_name'], $asked['scope'], $asked['user_id'] ) );
		$this->assertSame( 'https://agala.example/v1/connections/01shop/keys/once', $asked['callback_url'] );
		$this->assertSame( Settings_Guard::page(), $asked['return_url'] );
		$this->assertSame( 'secret-of-the-shop', Options::connection()['secret'] );
		$this->assertSame( 'Bearer the-key', $this->requests[0]['headers']['Authorization'] );
	}

	public function test_agala_learns_about_the_shop_and_about_nobody_in_it(): void {
		update_option( 'blogname', 'Tom &amp; Dana&#039;s' );
		$this->agala_connects();
		Connection::connect( 'https://agala.example', 'the-key' );
		$told = json_decode( $this->requests[0]['body'], true );
		$this->assertSame( "Tom & Dana's", $told['name'] );
		$this->assertSame( array( 'woocommerce', home_url( '/' ), rest_url(), 60 ), array( $told['platform'], $told['url'], $told['rest_url'], $told['abandon_after_minutes'] ) );
		$this->assertSame( array( get_woocommerce_currency(), wp_timezone_string(), get_locale() ), array( $told['currency'], $told['timezone'], $told['locale'] ) );
		$this->assertStringNotContainsString( '@', $this->requests[0]['body'] );
	}

	public function test_on_this_computer_the_plugin_makes_the_key_itself(): void {
		$owner = self::log_in_as_owner();
		$this->agala_connects( 'http://127.0.0.1:8000' );
		$this->assertSame( Settings_Guard::page(), $this->paste( self::code( 'http://127.0.0.1:8000' ) ) );
		$given = json_decode( end( $this->requests )['body'], true );
		$row   = $GLOBALS['wpdb']->get_row( "SELECT * FROM {$GLOBALS['wpdb']->prefix}woocommerce_api_keys" );
		$this->assertSame( 'http://127.0.0.1:8000/v1/connections/01shop/keys/once', end( $this->requests )['url'] );
		$this->assertSame( wc_api_hash( $given['consumer_key'] ), $row->consumer_key );
		$this->assertSame( $given['consumer_secret'], $row->consumer_secret );
		$this->assertSame( array( (string) $owner, 'read_write' ), array( (string) $row->user_id, $row->permissions ) );
		$this->assertArrayNotHasKey( 'keys_url', Options::connection() );
	}

	public function test_a_key_that_agala_did_not_take_is_taken_back_and_can_be_given_again(): void {
		self::log_in_as_owner();
		$answer = wp_json_encode( self::connection_answer( 'http://127.0.0.1:8000' ) );
		$this->agala_answers( array( '/v1/connections' => self::response( 201, $answer ), '/keys/once' => self::response( 503, '{}' ) ) );
		$this->paste( self::code( 'http://127.0.0.1:8000' ) );
		$this->assertSame( 0, Shop_Keys::count() );
		$this->assertStringContainsString( 'Allow', self::notices() );
		$this->responder = null;
		self::form( Connection_Handler::KEYS );
		$this->redirect_of( array( new Connection_Handler(), 'keys' ) );
		$this->assertSame( 1, Shop_Keys::count() );
	}

	public function test_an_address_leads_to_agalas_page_and_back_once(): void {
		self::log_in_as_owner();
		$where = $this->paste( 'agala.example' );
		parse_str( (string) wp_parse_url( $where, PHP_URL_QUERY ), $asked );
		$this->assertStringStartsWith( 'https://agala.example/connect?', $where );
		$this->assertSame( Settings_Guard::page(), $asked['return'] );
		$this->assertFalse( Options::is_connected() );

		$this->agala_connects( 'http://127.0.0.1:8000' );
		$_GET = array( 'code' => self::code( 'http://127.0.0.1:8000' ), 'state' => $asked['state'] );
		$this->redirect_of( array( new Connection_Handler(), 'come_back' ) );
		$this->assertTrue( Options::is_connected() );
		$this->assertFalse( Connection_State::end( $asked['state'] ) );
	}

	/** @dataProvider strange_states */
	public function test_a_way_back_that_the_owner_did_not_begin_connects_nothing( bool $begun, string $state ): void {
		self::log_in_as_owner();
		if ( $begun ) {
			Connection_State::begin();
		}
		$this->agala_connects();
		$_GET = array( 'code' => self::code(), 'state' => $state );
		$this->assertSame( Settings_Guard::page(), $this->redirect_of( array( new Connection_Handler(), 'come_back' ) ) );
		$this->assertFalse( Options::is_connected() );
		$this->assertSame( array(), $this->requests );
	}

	public function strange_states(): array {
		return array( 'never begun' => array( false, '' ), 'not the one' => array( true, str_repeat( 'a', 32 ) ), 'empty' => array( true, '' ) );
	}

	public function test_another_persons_state_is_worth_nothing(): void {
		self::log_in_as_owner();
		$state = Connection_State::begin();
		wp_set_current_user( wp_insert_user( array( 'user_login' => 'mallory', 'user_pass' => 'x', 'role' => 'administrator' ) ) );
		$this->assertFalse( Connection_State::end( $state ) );
	}

	public function test_who_may_not_manage_the_shop_connects_nothing(): void {
		wp_set_current_user( wp_insert_user( array( 'user_login' => 'shopper', 'user_pass' => 'x', 'role' => 'subscriber' ) ) );
		self::form( Connection_Handler::CONNECT, array( 'agala_where' => self::code() ) );
		add_filter( 'wp_die_handler', static fn() => static function ( $words ) {
			throw new \RuntimeException( (string) $words );
		} );
		$this->expectException( \RuntimeException::class );
		( new Connection_Handler() )->connect();
	}

	public function test_a_form_without_its_nonce_connects_nothing(): void {
		self::log_in_as_owner();
		self::form( Connection_Handler::CONNECT, array( 'agala_where' => self::code(), '_wpnonce' => 'wrong' ) );
		add_filter( 'wp_die_handler', static fn() => static function () {
			throw new \RuntimeException( 'refused' );
		} );
		$this->expectExceptionMessage( 'refused' );
		( new Connection_Handler() )->connect();
	}

	public function test_success_without_a_key_is_no_success(): void {
		self::log_in_as_owner();
		self::connect( array( 'keys_url' => 'https://agala.example/v1/connections/01shop/keys/once' ) );
		$_GET = array( 'success' => '1' );
		$this->redirect_of( array( new Connection_Handler(), 'come_back' ) );
		$this->assertArrayHasKey( 'keys_url', Options::connection() );
	}

	/** @dataProvider poor_answers */
	public function test_an_answer_that_is_not_whole_connects_nothing( array $changes ): void {
		$answer = array_filter( $changes + self::connection_answer() );
		$this->agala_answers( array( '/v1/connections' => self::response( 201, wp_json_encode( $answer ) ) ) );
		$this->assertInstanceOf( \WP_Error::class, Connection::connect( 'https://agala.example', 'the-key' ) );
		$this->assertFalse( Options::is_connected() );
	}

	public function poor_answers(): array {
		return array(
			'no secret'                => array( array( 'secret' => '' ) ),
			'no text'                  => array( array( 'store_id' => array( 1 ) ) ),
			'carts go somewhere else'  => array( array( 'carts_url' => 'https://other.example/carts' ) ),
			'everything is less safe'  => array( array_map( static fn( $value ) => str_replace( 'https://', 'http://', $value ), self::connection_answer() ) ),
		);
	}

	public function test_a_shop_that_agala_does_not_know_any_more_is_simply_disconnected(): void {
		self::connect();
		$this->responder = static fn() => self::response( 404, '{"title":"Not found"}' );
		$this->assertTrue( Connection::disconnect() );
		$this->assertFalse( Options::is_connected() );
	}

	/** @dataProvider whether_agala_answers */
	public function test_disconnecting_undoes_everything_of_ours_and_nothing_else( bool $agala_answers ): void {
		self::log_in_as_owner();
		$connection = self::connect();
		$this->responder = $agala_answers ? null : static fn() => new \WP_Error( 'http_request_failed', 'cURL error 7: refused' );
		self::webhook( $connection['webhook_url'] );
		self::webhook( 'https://other.example/hook' );
		$this->key( 'Agala - API (2026-11-22 01:00:00)' );
		$this->key( 'Agala for my accountant' );
		as_schedule_single_action( time() + 100, 'agala_send_cart', array( 'x' ), 'agala' );
		as_schedule_single_action( time() + 100, 'other_action', array(), 'other' );

		self::form( Connection_Handler::DISCONNECT );
		$this->redirect_of( array( new Connection_Handler(), 'disconnect' ) );

		$this->assertSame( $connection['plugin_url'] . '/disconnect', $this->requests[0]['url'] );
		$this->assertArrayHasKey( 'X-Agala-Signature', $this->requests[0]['headers'] );
		$this->assertFalse( Options::is_connected() );
		$this->assertSame( array(), Shop_Webhooks::to( $connection['webhook_url'] ) );
		$this->assertCount( 1, Shop_Webhooks::to( 'https://other.example/hook' ) );
		$this->assertSame( array( 'Agala for my accountant' ), $GLOBALS['wpdb']->get_col( "SELECT description FROM {$GLOBALS['wpdb']->prefix}woocommerce_api_keys" ) );
		$this->assertFalse( as_has_scheduled_action( 'agala_send_cart', array( 'x' ), 'agala' ) );
		$this->assertTrue( as_has_scheduled_action( 'other_action', array(), 'other' ) );
		$said = self::notices();
		$this->assertSame( ! $agala_answers, false !== strpos( $said, 'could not be told' ), $said );
	}

	public function whether_agala_answers(): array {
		return array( 'Agala answers' => array( true ), 'Agala is out' => array( false ) );
	}

	public function test_the_page_is_in_the_menu_only_for_those_who_manage_the_shop(): void {
		( new Settings_Page() )->register();
		$this->assertSame( 'manage_woocommerce', Settings_Guard::CAPABILITY );
		$links = ( new Settings_Page() )->add_link( array( 'deactivate' => 'x' ) );
		$this->assertStringContainsString( 'page=agala', $links['settings'] );
	}

	private static function webhook( string $url ): int {
		$webhook = new \WC_Webhook();
		$webhook->set_name( 'A webhook' );
		$webhook->set_topic( 'order.updated' );
		$webhook->set_status( 'active' );
		$webhook->set_delivery_url( $url );
		return (int) $webhook->save();
	}

	private function key( string $description ): void {
		$GLOBALS['wpdb']->insert(
			$GLOBALS['wpdb']->prefix . 'woocommerce_api_keys',
			array( 'user_id' => 1, 'description' => $description, 'permissions' => 'read', 'consumer_key' => wp_generate_password( 40, false ), 'consumer_secret' => 'cs_x', 'truncated_key' => 'x' )
		);
	}
}
