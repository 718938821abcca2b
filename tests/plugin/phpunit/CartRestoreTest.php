<?php
/** A restore link opens the cart for a person, on any device, and does nothing for a machine. */

namespace Agala\Tests;

use Agala\Cart_Restore;
use Agala\Cart_Session;
use Agala\Options;
use Agala\Restore_Link;

require_once __DIR__ . '/CartTestCase.php';

final class CartRestoreTest extends CartTestCase {
	/** @var string The value of a link to a cart of two mugs, a shirt and the coupon. */
	private $link = '';
	/** @var string Its token. */
	private $token = '';

	protected function setUp(): void {
		parent::setUp();
		WC()->cart->add_to_cart( self::product( 'MUG-1' )->get_id(), 2 );
		WC()->cart->add_to_cart( self::product( 'SHIRT-M' )->get_id(), 1, 0, array(), array( 'engraving' => 'Noa' ) );
		WC()->cart->apply_coupon( 'ten' );
		$this->type_email();
		self::run_actions();
		$told = $this->told();
		wp_parse_str( wp_parse_url( $told[0]['restore_url'], PHP_URL_QUERY ), $query );
		$this->link  = $query[ Restore_Link::PARAMETER ];
		$this->token = Cart_Session::token();
		$this->another_device();
	}

	private function another_device(): void {
		wp_set_current_user( 0 );
		WC()->wc_double_new_shopper();
		wc_clear_notices();
	}

	/** Follows a link; gives where it leads, or the page's status. */
	private function open( $link, string $method = 'GET', ?int $now = null ) {
		$_GET[ Restore_Link::PARAMETER ] = $link;
		$_SERVER['REQUEST_METHOD']       = $method;
		$dies                            = static function () {
			return static function ( $message, $title, $arguments ) {
				throw new Died( $message, $arguments['response'] );
			};
		};
		add_filter( 'wp_die_handler', $dies );
		try {
			return $this->redirect_of(
				static function () use ( $now ) {
					( new Cart_Restore( static function () use ( $now ) {
						return null === $now ? time() : $now;
					} ) )->open();
				}
			);
		} catch ( Died $died ) {
			return $died->getCode();
		} finally {
			unset( $_GET[ Restore_Link::PARAMETER ] );
			$_SERVER['REQUEST_METHOD'] = 'GET';
			remove_filter( 'wp_die_handler', $dies );
			$this->end_of_request();
		}
	}

	private static function in_cart(): array {
		$lines = array();
		foreach ( WC()->cart->get_cart() as $line ) {
			$lines[ $line['data']->get_sku() ] = $line['quantity'];
		}
		return $lines;
	}

	private static function notices_text(): string {
		return implode( "\n", array_column( array_merge( array(), ...array_values( wc_get_notices() ) ), 'notice' ) );
	}

	public function test_everything_is_back_on_another_device(): void {
		$this->assertSame( wc_get_cart_url(), $this->open( $this->link ) );
		$this->assertSame( array( 'MUG-1' => 2, 'SHIRT-M' => 1 ), self::in_cart() );
		$this->assertSame( array( 'ten' ), WC()->cart->get_applied_coupons() );
		$this->assertEquals( 153, WC()->cart->get_total( 'edit' ) );
		$this->assertSame( 'noa@shopper.example', WC()->customer->get_billing_email() );
		$this->assertSame( $this->token, Cart_Session::token() );
		$this->assertSame( 'Noa', array_values( WC()->cart->get_cart() )[1]['engraving'] );
		$this->assertSame( '', self::notices_text() );
	}

	public function test_nothing_but_the_address_that_it_was_sent_to_is_filled_in(): void {
		$this->open( $this->link );
		$this->assertSame( array( '', '' ), array( WC()->customer->get_billing_phone(), WC()->customer->get_billing_first_name() ) );
	}

	public function test_whoever_passed_a_link_on_does_not_learn_who_took_it_up(): void {
		$this->open( $this->link );
		$this->type_email( 'friend@shopper.example' );
		$this->assertSame( 'friend@shopper.example', $this->row()['email'] );
		$this->another_device();
		$this->open( $this->link );
		$this->assertSame( array( 'MUG-1' => 2, 'SHIRT-M' => 1 ), self::in_cart() );
		$this->assertSame( '', (string) WC()->customer->get_billing_email() );
	}

	public function test_a_link_says_nothing_of_somebody_else_to_a_customer_who_is_logged_in(): void {
		$user = wp_create_user( 'ruth', wp_generate_password(), 'ruth@shopper.example' );
		wp_set_current_user( $user );
		WC()->customer->set_billing_email( '' );
		$this->open( $this->link );
		$this->assertSame( '', (string) WC()->customer->get_billing_email() );
	}

	public function test_two_people_of_one_cart_do_not_become_one(): void {
		global $wpdb;
		$wpdb->update( \Agala\Cart_Table::name(), array( 'customer_id' => 77 ), array( 'token' => $this->token ) );
		$this->open( $this->link );
		$this->store_api( '/cart/update-customer', array( 'billing_address' => array( 'email' => 'friend@shopper.example' ) ) );
		$row = $this->row();
		$this->assertSame( array( '0', 'friend@shopper.example', '', '' ), array( $row['customer_id'], $row['email'], $row['phone'], $row['state']['first_name'] ) );
	}

	public function test_an_order_under_another_email_tells_nothing_of_who_filled_the_cart(): void {
		global $wpdb;
		$wpdb->update( \Agala\Cart_Table::name(), array( 'customer_id' => 77 ), array( 'token' => $this->token ) );
		$this->open( $this->link );
		self::place_order( array( 'billing_email' => 'friend@shopper.example', 'billing_phone' => '050-555-0103', 'billing_first_name' => 'Tamar' ) );
		$this->end_of_request();
		$row = $this->row();
		$this->assertSame( array( 'converted', '0', 'friend@shopper.example', '050-555-0103', 'Tamar' ), array( $row['step'], $row['customer_id'], $row['email'], $row['phone'], $row['state']['first_name'] ) );
	}

	public function test_consent_stays_with_the_address_that_it_was_given_for(): void {
		global $wpdb;
		$state            = $this->row()['state'];
		$yes              = array( 'status' => 'subscribed', 'text' => 'Yes', 'at' => '2026-11-01T10:00:00Z', 'source' => 'checkout' );
		$state['consent'] = array( 'email' => $yes, 'sms' => $yes );
		$wpdb->update( \Agala\Cart_Table::name(), array( 'state' => wp_json_encode( $state ) ), array( 'token' => $this->token ) );
		$this->open( $this->link );
		$this->add( 'SHIRT-L' );
		$this->assertSame( array( 'email', 'sms' ), array_keys( $this->row()['state']['consent'] ) );
		$this->type_email( 'friend@shopper.example' );
		$this->assertSame( array( 'sms' ), array_keys( $this->row()['state']['consent'] ) );
	}

	public function test_the_address_that_it_leads_to_has_no_token(): void {
		$this->assertStringNotContainsString( $this->token, $this->open( $this->link ) );
	}

	public function test_restoring_is_no_change_of_the_cart(): void {
		$this->writes = array();
		$this->open( $this->link );
		$this->look_at_page();
		$this->open_block_checkout();
		$this->assertSame( array(), $this->writes );
		$this->assertSame( 0, self::queued() );
	}

	public function test_who_only_follows_a_link_does_not_become_the_carts_person(): void {
		$this->add( 'MUG-1' );
		$this->type_email( 'friend@shopper.example' );
		$this->writes = array();
		$this->open( $this->link );
		$this->look_at_page();
		$this->assertSame( array(), $this->writes );
	}

	public function test_a_real_change_afterwards_goes_on_with_the_cart(): void {
		$this->open( $this->link );
		$this->add( 'SHIRT-L' );
		$this->assertSame( $this->token, $this->row()['token'] );
		$this->assertSame( 'noa@shopper.example', $this->row()['email'] );
		$this->assertCount( 3, $this->row()['state']['items'] );
	}

	public function test_an_order_on_another_device_ends_the_cart(): void {
		$this->open( $this->link );
		self::place_order( array( 'billing_email' => 'somebody.else@shopper.example' ) );
		$this->end_of_request();
		$this->assertSame( 'converted', $this->row()['step'] );
	}

	public function test_who_reached_the_checkout_comes_back_to_the_checkout(): void {
		$this->open( $this->link );
		WC()->session->set( Cart_Session::RESTORED, null );
		$this->open_block_checkout();
		$this->another_device();
		$this->assertSame( wc_get_checkout_url(), $this->open( $this->link ) );
	}

	public function test_following_it_twice_doubles_nothing(): void {
		$this->open( $this->link );
		$this->open( $this->link );
		$this->assertSame( array( 'MUG-1' => 2, 'SHIRT-M' => 1 ), self::in_cart() );
	}

	public function test_the_visitors_own_things_stay_and_are_not_doubled(): void {
		$this->add( 'MUG-1', 3 );
		$this->add( 'SHIRT-L', 1 );
		$this->open( $this->link );
		$this->assertSame( array( 'MUG-1' => 3, 'SHIRT-L' => 1, 'SHIRT-M' => 1 ), self::in_cart() );
	}

	public function test_a_visitor_who_said_who_they_are_stays_that(): void {
		$this->add( 'MUG-1' );
		$this->type_email( 'friend@shopper.example' );
		$this->open( $this->link );
		$this->assertSame( 'friend@shopper.example', WC()->customer->get_billing_email() );
	}

	/** @dataProvider machines */
	public function test_machines_change_nothing( string $method, array $headers ): void {
		$_SERVER      = array_merge( $_SERVER, $headers );
		$this->writes = array();
		$this->assertSame( wc_get_cart_url(), $this->open( $this->link, $method ) );
		$this->assertTrue( WC()->cart->is_empty() );
		$this->assertSame( '', (string) WC()->customer->get_billing_email() );
		$this->assertNull( Cart_Session::token() );
		$this->assertSame( array(), $this->writes );
	}

	public static function machines(): array {
		return array(
			'HEAD'          => array( 'HEAD', array() ),
			'prefetch'      => array( 'GET', array( 'HTTP_SEC_PURPOSE' => 'prefetch;prerender' ) ),
			'old prefetch'  => array( 'GET', array( 'HTTP_X_MOZ' => 'prefetch' ) ),
			'preview'       => array( 'GET', array( 'HTTP_PURPOSE' => 'preview' ) ),
			'no user agent' => array( 'GET', array( 'HTTP_USER_AGENT' => '' ) ),
			'a scanner'     => array( 'GET', array( 'HTTP_USER_AGENT' => 'Mozilla/5.0 (compatible; BarracudaCentral)' ) ),
			'a preview bot' => array( 'GET', array( 'HTTP_USER_AGENT' => 'WhatsApp/2.23.20.0' ) ),
		);
	}

	public function test_a_link_that_was_changed_or_is_another_shops_is_not_found(): void {
		list( $token, $expires, $signature, $recipient ) = explode( '.', $this->link );
		$wrong = array(
			"$token.$expires." . strrev( $signature ) . ".$recipient",
			$token . '.' . ( $expires + 1 ) . ".$signature.$recipient",
			"$token.0$expires.$signature.$recipient",
			str_repeat( 'a', 32 ) . ".$expires.$signature.$recipient",
			"$token.$expires.$signature." . strrev( $recipient ),
			"$token.$expires.$signature",
			$token,
			'',
			'../..',
			array( $this->link ),
		);
		foreach ( $wrong as $link ) {
			$this->assertSame( 404, $this->open( $link ), wp_json_encode( $link ) );
		}
		update_option( Options::RESTORE_KEY, bin2hex( random_bytes( 32 ) ) );
		$this->assertSame( 404, $this->open( $this->link ) );
		$this->assertTrue( WC()->cart->is_empty() );
	}

	public function test_a_link_ends_when_the_owner_says_so(): void {
		$this->assertSame( 404, $this->open( $this->link, 'GET', time() + 31 * DAY_IN_SECONDS ) );
		$this->assertSame( wc_get_cart_url(), $this->open( $this->link, 'GET', time() + 29 * DAY_IN_SECONDS ) );
	}

	public function test_a_cart_that_is_forgotten_is_not_found(): void {
		\Agala\Cart_Table::erase( 'noa@shopper.example' );
		$this->assertSame( 404, $this->open( $this->link ) );
	}

	public function test_what_is_gone_is_left_out_and_named_safely(): void {
		global $wpdb;
		$mug = self::product( 'MUG-1' );
		$row = $this->row();
		$row['state']['items'][0]['name'] = '<script>alert(1)</script>Mug';
		$wpdb->update( \Agala\Cart_Table::name(), array( 'state' => wp_json_encode( $row['state'] ) ), array( 'token' => $this->token ) );
		wp_trash_post( $mug->get_id() );
		$this->assertSame( wc_get_cart_url(), $this->open( $this->link ) );
		$this->assertSame( array( 'SHIRT-M' => 1 ), self::in_cart() );
		$this->assertStringContainsString( '&lt;script&gt;alert(1)&lt;/script&gt;Mug', self::notices_text() );
		$this->assertStringNotContainsString( '<script>', self::notices_text() );
	}

	public function test_sold_out_and_deleted_products_are_left_out(): void {
		$mug = self::product( 'MUG-1' );
		$mug->set_stock_quantity( 0 );
		$mug->save();
		wp_delete_post( self::product( 'SHIRT-M' )->get_id(), true );
		$this->open( $this->link );
		$this->assertSame( array(), self::in_cart() );
		$this->assertStringContainsString( 'Café crème mug', self::notices_text() );
		$this->assertStringContainsString( 'T-shirt - M', self::notices_text() );
		$this->assertSame( 1, substr_count( self::notices_text(), 'Café' ), 'WooCommerce does not say it as well' );
	}

	public function test_what_is_missing_is_said_once_on_a_cart_made_of_blocks(): void {
		wp_trash_post( self::product( 'MUG-1' )->get_id() );
		$this->open( $this->link );
		$html = apply_filters( 'render_block_woocommerce/cart', '<div>cart</div>' );
		$this->assertStringContainsString( 'Café crème mug', $html );
		$this->assertStringEndsWith( '<div>cart</div>', $html );
		wc_add_notice( 'of somebody else' );
		$this->assertSame( '<div>cart</div>', apply_filters( 'render_block_woocommerce/cart', '<div>cart</div>' ) );
	}

	public function test_fewer_in_stock_are_taken_as_far_as_they_go(): void {
		$mug = self::product( 'MUG-1' );
		$mug->set_stock_quantity( 1 );
		$mug->save();
		$this->open( $this->link );
		$this->assertSame( array( 'MUG-1' => 1, 'SHIRT-M' => 1 ), self::in_cart() );
		$this->assertStringContainsString( 'Café crème mug', self::notices_text() );
	}

	public function test_a_coupon_that_ended_is_left_out(): void {
		$coupon = new \WC_Coupon( 'ten' );
		$coupon->set_date_expires( time() - DAY_IN_SECONDS );
		$coupon->save();
		$this->open( $this->link );
		$this->assertSame( array(), WC()->cart->get_applied_coupons() );
		$this->assertStringContainsString( 'ten', self::notices_text() );
	}

	public function test_a_cart_that_was_bought_leads_to_the_shop(): void {
		$this->open( $this->link );
		self::place_order();
		$this->end_of_request();
		$this->another_device();
		$this->assertSame( wc_get_page_permalink( 'shop' ), $this->open( $this->link ) );
		$this->assertTrue( WC()->cart->is_empty() );
		$this->assertStringContainsString( 'already bought', self::notices_text() );
	}

	public function test_the_signature_needs_the_shops_key(): void {
		list( $token, $expires, $signature, $recipient ) = explode( '.', $this->link );
		$this->assertSame( substr( hash_hmac( 'sha256', "restore|$token|$expires|.$recipient", Options::restore_key() ), 0, 32 ), $signature );
		$this->assertGreaterThanOrEqual( 32, strlen( Options::restore_key() ) );
	}
}

final class Died extends \Exception {}
