<?php
/** The occasion of a purchase: asked where the owner wants it, kept with the order when it makes sense. */

namespace Agala\Tests;

use Agala\Checkout_Questions;
use Agala\Questions_Block;
use Automattic\WooCommerce\StoreApi\Exceptions\RouteException;

final class CheckoutQuestionsTest extends ShopTestCase {
	protected function setUp(): void {
		parent::setUp();
		update_option( 'agala_settings', array( 'questions' => array( 'enabled' => true, 'occasions' => array( 'birthday', 'other' ) ) ) );
		WC()->cart->add_to_cart( self::product( 'MUG-1' )->get_id() );
	}

	private static function told( string $occasion, string $day, string $month, bool $remind ): array {
		return array_filter( compact( 'occasion', 'day', 'month' ) + array( 'remind' => $remind ? '1' : '' ) );
	}

	private static function kept( \WC_Order $order ): ?array {
		return json_decode( (string) $order->get_meta( '_agala_occasion' ), true );
	}

	public function test_nothing_is_asked_unless_the_owner_wants_it(): void {
		delete_option( 'agala_settings' );
		ob_start();
		do_action( 'woocommerce_after_order_notes', WC()->checkout() );
		$this->assertStringNotContainsString( 'agala', ob_get_clean() );
		$answer = self::place_order( array( 'agala_occasion' => self::told( 'birthday', '3', '4', true ) ) );
		$this->assertNull( self::kept( wc_get_order( $answer['order_id'] ) ) );
	}

	public function test_the_owners_occasions_are_offered(): void {
		ob_start();
		do_action( 'woocommerce_after_order_notes', WC()->checkout() );
		$page = ob_get_clean();
		$this->assertStringContainsString( 'value="birthday"', $page );
		$this->assertStringNotContainsString( 'value="wedding"', $page );
		$this->assertStringNotContainsString( 'checked', $page );
	}

	public function test_an_answer_is_kept_with_the_order(): void {
		$answer = self::place_order( array( 'agala_occasion' => self::told( 'birthday', '3', '4', true ) ) );
		$kept   = self::kept( wc_get_order( $answer['order_id'] ) );
		$this->assertSame( array( 'birthday', '04-03', true, Checkout_Questions::remind_text() ), array( $kept['occasion'], $kept['date'], $kept['remind'], $kept['text'] ) );
		$this->assertMatchesRegularExpression( '/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/', $kept['at'] );
	}

	public function test_no_answer_and_no_wish_to_be_reminded_are_told_apart(): void {
		$answer = self::place_order();
		$this->assertNull( self::kept( wc_get_order( $answer['order_id'] ) ) );
		WC()->cart->add_to_cart( self::product( 'MUG-1' )->get_id() );
		$answer = self::place_order( array( 'agala_occasion' => self::told( 'other', '', '', false ) ) );
		$kept   = self::kept( wc_get_order( $answer['order_id'] ) );
		$this->assertSame( array( 'other', '', false ), array( $kept['occasion'], $kept['date'], $kept['remind'] ) );
	}

	public function mistakes(): array {
		return array(
			'not offered'        => array( array( 'occasion' => 'wedding' ) ),
			'a day alone'        => array( array( 'occasion' => 'other', 'day' => '3' ) ),
			'a month alone'      => array( array( 'occasion' => 'other', 'month' => '3' ) ),
			'no such day'        => array( array( 'occasion' => 'other', 'day' => '31', 'month' => '2' ) ),
			'no such month'      => array( array( 'occasion' => 'other', 'day' => '1', 'month' => '13' ) ),
			'nonsense'           => array( array( 'occasion' => 'other', 'day' => '1x', 'month' => "2\n" ) ),
			'a date of nothing'  => array( array( 'day' => '1', 'month' => '2' ) ),
			'nothing to remind'  => array( array( 'occasion' => 'other', 'remind' => '1' ) ),
		);
	}

	/** @dataProvider mistakes */
	public function test_a_mistake_is_told_and_no_order_is_made( array $told ): void {
		$answer = self::place_order( array( 'agala_occasion' => $told ) );
		$this->assertSame( 'failure', $answer['result'] );
		$this->assertStringContainsString( esc_html( Checkout_Questions::mistake( $told ) ), $answer['messages'] );
	}

	public function test_the_29th_of_february_is_a_day(): void {
		$this->assertSame( '', Checkout_Questions::mistake( self::told( 'other', '29', '2', true ) ) );
	}

	/** The block tells these fields in a request of this method. */
	private static function block( string $method, array $fields ): \WC_Order {
		$order   = wc_create_order();
		$request = new \WP_REST_Request( $method, '/wc/store/v1/checkout' );
		$request->set_param( 'additional_fields', $fields );
		( new Questions_Block() )->keep( $order, $request );
		return $order;
	}

	public function test_the_block_is_looked_at_when_the_order_is_placed(): void {
		if ( ! \Agala\Consent_Block::is_available() ) {
			$this->markTestSkipped( 'this WooCommerce has no additional checkout fields' );
		}
		$half = array( 'agala/occasion-occasion' => 'birthday', 'agala/occasion-day' => '3' );
		$this->assertNull( self::kept( self::block( 'PUT', $half ) ) );
		$this->assertSame( '04-03', self::kept( self::block( 'POST', $half + array( 'agala/occasion-month' => '4' ) ) )['date'] );
		$this->expectException( RouteException::class );
		self::block( 'POST', $half );
	}
}
