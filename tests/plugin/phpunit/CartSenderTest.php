<?php
/** How carts get to Agala: as the contract says, once, and also after a bad day. */

namespace Agala\Tests;

use Agala\Cart_Sender;
use Agala\Cart_Session;
use Agala\Cart_Table;
use Agala\Consent;
use Agala\Minor_Units;
use Agala\Options;

require_once __DIR__ . '/CartTestCase.php';

final class CartSenderTest extends CartTestCase {
	protected function setUp(): void {
		parent::setUp();
		$this->take_the_clock();
	}

	private function answer_with( int $status, string $body = '{}', array $headers = array() ): void {
		$this->responder = static function () use ( $status, $body, $headers ) {
			return self::response( $status, $body, $headers );
		};
	}

	public function test_the_call_is_exactly_the_contracts(): void {
		Consent::keep_for_cart( array( 'email' => array( 'status' => 'subscribed', 'text' => 'כן, שלחו לי', 'at' => '2026-11-22T01:00:00Z', 'source' => 'checkout' ) ) );
		WC()->cart->add_to_cart( self::product( 'MUG-1' )->get_id(), 2 );
		WC()->cart->add_to_cart( self::product( 'SHIRT-M' )->get_id() );
		WC()->cart->apply_coupon( 'ten' );
		$this->open_block_checkout();
		$this->type_email();
		$this->answer_with( 202 );
		$this->pass( 60 );
		$this->assertCount( 1, $this->requests );
		$request = $this->requests[0];
		$this->assertSame( 'https://agala.example/v1/stores/01shop/carts', $request['url'] );
		$this->assertSame( 'POST', $request['method'] );
		$timestamp = $request['headers']['X-Agala-Timestamp'];
		$this->assertEqualsWithDelta( time(), (int) $timestamp, 10 );
		$this->assertSame( hash_hmac( 'sha256', $timestamp . '.' . $request['body'], 'secret-of-the-shop' ), $request['headers']['X-Agala-Signature'] );
		$told = json_decode( $request['body'], true );
		$this->assertMatchesRegularExpression( '/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/', $told['id'] );
		$this->assertMatchesRegularExpression( '/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/', $told['occurred_at'] );
		$this->assertEqualsWithDelta( microtime( true ), (float) ( new \DateTime( $told['occurred_at'] ) )->format( 'U.u' ), 10 );
		$mug   = self::product( 'MUG-1' );
		$shirt = self::product( 'SHIRT-M' );
		unset( $told['id'], $told['occurred_at'], $told['restore_url'], $told['items'][0]['image'], $told['items'][1]['image'] );
		$this->assertEquals(
			array(
				'token'      => Cart_Session::token(),
				'event'      => 'checkout',
				'email'      => 'noa@shopper.example',
				'phone'      => '050-555-0102',
				'first_name' => 'Noa',
				'locale'     => 'en_US',
				'items'      => array(
					array(
						'product_id' => (string) $mug->get_id(),
						'name'       => 'Café crème mug',
						'quantity'   => 2,
						'price'      => array( 'amount' => 4500, 'currency' => 'ILS' ),
						'url'        => $mug->get_permalink(),
						'categories' => array_map( 'strval', $mug->get_category_ids() ),
					),
					array(
						'product_id'   => (string) $shirt->get_parent_id(),
						'variation_id' => (string) $shirt->get_id(),
						'name'         => 'T-shirt - M',
						'quantity'     => 1,
						'price'        => array( 'amount' => 8000, 'currency' => 'ILS' ),
						'url'          => $shirt->get_permalink(),
						'categories'   => array_map( 'strval', wc_get_product( $shirt->get_parent_id() )->get_category_ids() ),
					),
				),
				'total'      => array( 'amount' => 15300, 'currency' => 'ILS' ),
				'coupons'    => array( 'ten' ),
				'consent'    => array( 'email' => array( 'status' => 'subscribed', 'text' => 'כן, שלחו לי', 'at' => '2026-11-22T01:00:00Z' ) ),
			),
			$told
		);
	}

	public function test_pictures_and_the_restore_link_go_along(): void {
		$this->add();
		$this->type_email();
		$this->pass( 60 );
		$told = $this->told()[0];
		$this->assertStringEndsWith( '.png', $told['items'][0]['image'] );
		$this->assertStringStartsWith( home_url( '/?agala-restore=' . Cart_Session::token() . '.' ), $told['restore_url'] );
	}

	public function test_what_was_taken_is_not_sent_again(): void {
		$this->add();
		$this->type_email();
		$this->answer_with( 202, '' );
		$this->pass( DAY_IN_SECONDS );
		$this->assertCount( 1, $this->told() );
		$this->assertSame( array( 'settled', '202' ), array( $this->row()['outcome'], $this->row()['answer'] ) );
	}

	public function test_many_changes_wait_in_the_queue_once(): void {
		$this->add();
		$this->type_email();
		$this->add( 'SHIRT-M' );
		$this->add( 'SHIRT-L' );
		$this->assertSame( 1, self::queued() );
		$this->pass( 60 );
		$told = $this->told();
		$this->assertCount( 1, $told );
		$this->assertCount( 3, $told[0]['items'] );
	}

	public function test_a_retry_has_the_same_id_and_a_change_another(): void {
		$this->add();
		$this->type_email();
		$this->answer_with( 503 );
		$this->pass( 15 * MINUTE_IN_SECONDS );
		$this->add( 'SHIRT-M' );
		$this->answer_with( 202 );
		$this->pass( HOUR_IN_SECONDS );
		$ids = array_column( $this->told(), 'id' );
		$this->assertGreaterThanOrEqual( 3, count( $ids ) );
		$last = array_pop( $ids );
		$this->assertCount( 1, array_unique( $ids ) );
		$this->assertNotContains( $last, $ids );
	}

	/** @dataProvider outages */
	public function test_after_a_day_without_agala_every_cart_arrives_once( callable $answer ): void {
		$this->responder = $answer;
		$tokens          = array();
		for ( $shopper = 0; $shopper < 5; $shopper++ ) {
			WC()->wc_double_new_shopper();
			$this->add();
			$this->type_email( "shopper{$shopper}@shopper.example" );
			$tokens[] = Cart_Session::token();
		}
		$this->pass( DAY_IN_SECONDS );
		$this->assertLessThan( 5 * 40, count( $this->told() ), 'the pauses grow' );
		$this->answer_with( 202 );
		$this->pass( 7 * HOUR_IN_SECONDS );
		$this->assertEqualsCanonicalizing( $tokens, array_column( $this->told(), 'token' ) );
		$this->pass( DAY_IN_SECONDS );
		$this->assertSame( array(), $this->told() );
	}

	public static function outages(): array {
		return array(
			'an error'  => array( static fn() => self::response( 503, 'down' ) ),
			'no answer' => array( static fn() => new \WP_Error( 'http_request_failed', 'cURL error 7: Failed to connect' ) ),
			'a web page' => array( static fn() => self::response( 502, '<html>' ) ),
		);
	}

	public function test_it_keeps_trying_for_more_than_three_days(): void {
		$this->add();
		$this->type_email();
		$this->answer_with( 500 );
		$this->pass( 4 * DAY_IN_SECONDS );
		$this->told();
		$this->answer_with( 202 );
		$this->pass( 7 * HOUR_IN_SECONDS );
		$this->assertCount( 1, $this->told() );
	}

	public function test_while_agala_is_out_the_queue_is_not_held_up_by_every_cart(): void {
		$this->answer_with( 503 );
		for ( $shopper = 0; $shopper < 10; $shopper++ ) {
			WC()->wc_double_new_shopper();
			$this->add();
			$this->type_email( "shopper{$shopper}@shopper.example" );
		}
		self::run_actions( $this->now );
		$this->assertCount( 1, $this->told() );
	}

	/** @dataProvider refusals */
	public function test_a_refusal_is_noted_and_not_repeated( int $status ): void {
		$this->add();
		$this->type_email();
		$this->answer_with( $status, '{"title":"No","errors":[{"field":"token","message":"expected 32 digits"}]}' );
		$this->pass( 2 * DAY_IN_SECONDS );
		$this->assertCount( 1, $this->told() );
		$this->assertSame( array( 'refused', (string) $status ), array( $this->row()['outcome'], $this->row()['answer'] ) );
		$this->answer_with( 202 );
		$this->add( 'SHIRT-M' );
		$this->pass( 60 );
		$this->assertCount( 1, $this->told(), 'its next change is another matter' );
	}

	public static function refusals(): array {
		return array( array( 404 ), array( 422 ), array( 413 ) );
	}

	public function test_a_refused_signature_is_tried_again_later(): void {
		$this->add();
		$this->type_email();
		$this->answer_with( 401, '{"title":"no"}' );
		$this->pass( 50 * MINUTE_IN_SECONDS );
		$this->assertCount( 1, $this->told() );
		$this->answer_with( 202 );
		$this->pass( 2 * HOUR_IN_SECONDS );
		$this->assertCount( 1, $this->told() );
		$this->assertSame( 'settled', $this->row()['outcome'] );
	}

	public function test_a_change_while_it_is_sent_is_sent_too(): void {
		$this->add();
		$this->type_email();
		$this->responder = function () {
			$this->responder = null;
			$this->add( 'SHIRT-M' );
			return self::response( 202, '{}' );
		};
		self::run_actions( $this->now );
		$this->assertSame( 'waiting', $this->row()['outcome'] );
		$this->pass( 60 );
		$told = $this->told();
		$this->assertSame( array( 1, 2 ), array_map( 'count', array_column( $told, 'items' ) ) );
		$this->assertLessThan( $told[1]['occurred_at'], $told[0]['occurred_at'] );
	}

	public function test_without_a_connection_carts_wait_for_it(): void {
		Options::forget_connection();
		$this->add();
		$this->type_email();
		$this->assertSame( 0, self::queued() );
		self::connect();
		do_action( 'agala_connected' );
		$this->pass( 10 * MINUTE_IN_SECONDS );
		$this->assertCount( 1, $this->told() );
		$this->assertTrue( as_has_scheduled_action( Cart_Sender::SWEEP, null, 'agala' ) );
	}

	public function test_what_the_queue_lost_is_found_by_the_sweep(): void {
		$this->add();
		$this->type_email();
		as_unschedule_all_actions( Cart_Sender::SEND );
		( new Cart_Sender() )->schedule_sweep();
		$this->pass( 2 * HOUR_IN_SECONDS );
		$this->assertCount( 1, $this->told() );
	}

	public function test_the_sweep_forgets_old_carts_only(): void {
		global $wpdb;
		$this->add();
		$old = 1000 * ( $this->now - 61 * DAY_IN_SECONDS );
		$wpdb->query( 'UPDATE ' . Cart_Table::name() . " SET changed_at = {$old}" );
		WC()->wc_double_new_shopper();
		$this->add( 'SHIRT-M' );
		do_action( Cart_Sender::SWEEP );
		$this->assertSame( Cart_Session::token(), $this->row()['token'] );
	}

	public function test_an_emptied_cart_that_nobody_heard_of_is_no_news(): void {
		$this->add();
		$this->type_email();
		WC()->cart->empty_cart();
		$this->end_of_request();
		$this->pass( 2 * HOUR_IN_SECONDS );
		$this->assertSame( array(), $this->told() );
	}

	/** @dataProvider currencies */
	public function test_amounts_are_right_whatever_the_shop_shows( string $currency, int $decimals, float $price, int $amount ): void {
		update_option( 'woocommerce_currency', $currency );
		update_option( 'woocommerce_price_num_decimals', $decimals );
		$product = new \WC_Product_Simple();
		$product->set_props( array( 'name' => 'Thing', 'regular_price' => (string) $price ) );
		WC()->cart->add_to_cart( $product->save(), 3 );
		$this->type_email();
		$this->pass( 60 );
		$told = $this->told()[0];
		$this->assertSame( array( 'amount' => $amount, 'currency' => $currency ), $told['items'][0]['price'] );
		$this->assertSame( array( 'amount' => 3 * $amount, 'currency' => $currency ), $told['total'] );
	}

	public static function currencies(): array {
		return array(
			array( 'JPY', 0, 1500.0, 1500 ),
			array( 'JPY', 2, 1500.0, 1500 ),
			array( 'ILS', 2, 19.99, 1999 ),
			array( 'ILS', 0, 20.0, 2000 ),
			array( 'KWD', 3, 1.234, 1234 ),
			array( 'KWD', 2, 1.25, 1250 ),
			array( 'USD', 2, 0.29, 29 ),
		);
	}

	public function test_minor_units_round_half_up(): void {
		$this->assertSame( array( 5, 101, -101, 0, 1235 ), array( Minor_Units::of( 4.5, 'JPY' ), Minor_Units::of( 1.005, 'EUR' ), Minor_Units::of( -1.005, 'EUR' ), Minor_Units::of( 0.0, 'EUR' ), Minor_Units::of( 1.2345, 'KWD' ) ) );
	}

	public function test_half_a_kilo_is_one_of_what_half_a_kilo_costs(): void {
		WC()->cart->add_to_cart( self::product( 'SHIRT-M' )->get_id(), 0.5 );
		$this->type_email();
		$this->pass( 60 );
		$item = $this->told()[0]['items'][0];
		$this->assertSame( array( 1, 4000 ), array( $item['quantity'], $item['price']['amount'] ) );
		$this->assertSame( 0.5, $this->row()['state']['items'][0]['quantity'] );
	}

	public function test_five_hundred_lines(): void {
		for ( $line = 0; $line < 500; $line++ ) {
			WC()->cart->cart_contents[ "line{$line}" ] = array( 'key' => "line{$line}", 'product_id' => self::mug()->get_id(), 'variation_id' => 0, 'variation' => array(), 'quantity' => 1, 'data' => self::mug(), 'engraving' => str_repeat( 'א', 150 ) . $line );
		}
		WC()->cart->calculate_totals();
		$this->type_email();
		$this->assertCount( 500, $this->row()['state']['items'] );
		$this->pass( 60 );
		$this->assertLessThan( 1000000, strlen( $this->requests[0]['body'] ) );
		$told = $this->told()[0];
		$this->assertCount( 500, $told['items'] );
		$this->assertSame( 500 * 4500, $told['total']['amount'] );
	}

	private static function mug(): \WC_Product {
		static $mug = null;
		$mug        = null === $mug ? self::product( 'MUG-1' ) : $mug;
		return $mug;
	}

	public function test_no_personal_data_is_logged(): void {
		$this->add();
		$this->type_email();
		$lines  = array();
		$logger = static function ( $message ) use ( &$lines ) {
			$lines[] = $message;
			return $message;
		};
		add_filter( 'woocommerce_logger_log_message', $logger );
		$this->answer_with( 422, '{"title":"x","errors":[{"field":"email","message":"not valid"}]}' );
		$this->pass( 60 );
		$this->assertStringNotContainsString( 'noa@', implode( ' ', $lines ) . wp_json_encode( as_get_scheduled_actions( array( 'hook' => Cart_Sender::SEND ), 'ids' ) ) );
	}
}
