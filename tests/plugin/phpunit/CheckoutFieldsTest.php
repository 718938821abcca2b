<?php
/** What is typed at the classic checkout reaches the cart before anything is bought. */

namespace Agala\Tests;

use Agala\Checkout_Fields;
use Agala\Consent_Forms;
use Agala\Options;

require_once __DIR__ . '/CartTestCase.php';

final class CheckoutFieldsTest extends CartTestCase {
	private const NONCE = 'woocommerce-agala-typed';

	/** Tells what was typed as the script does; gives the answer. */
	private function tell( array $fields, ?string $nonce = null ): array {
		$_POST = wp_slash( $fields + array( 'nonce' => null === $nonce ? wp_create_nonce( self::NONCE ) : $nonce ) );
		$dies  = static function () {
			return static function () {
				throw new Answered();
			};
		};
		add_filter( 'wp_die_ajax_handler', $dies );
		add_filter( 'wp_doing_ajax', '__return_true' );
		ob_start();
		try {
			do_action( 'wc_ajax_agala_typed' );
		} catch ( Answered $answered ) {
			unset( $answered );
		} finally {
			$answer = json_decode( ob_get_clean(), true );
			remove_filter( 'wp_die_ajax_handler', $dies );
			remove_filter( 'wp_doing_ajax', '__return_true' );
			$_POST = array();
			$this->end_of_request();
		}
		return $answer;
	}

	public function test_an_email_that_is_typed_is_the_carts(): void {
		$this->add();
		$this->open_classic_checkout();
		$answer = $this->tell( array( 'email' => ' Noa@Shopper.Example ', 'phone' => '050-555-0102', 'first_name' => 'נועה' ) );
		$this->assertSame( array( 'kept' => true ), $answer );
		$row = $this->row();
		$this->assertSame( array( 'checkout', 'noa@shopper.example', '050-555-0102', 'נועה' ), array( $row['step'], $row['email'], $row['phone'], $row['state']['first_name'] ) );
		self::run_actions();
		$this->assertSame( array( 'noa@shopper.example' ), array_column( $this->told(), 'email' ) );
	}

	public function test_the_same_once_more_writes_nothing(): void {
		$this->add();
		$this->tell( array( 'email' => 'noa@shopper.example' ) );
		$this->writes = array();
		$this->assertSame( array( 'kept' => false ), $this->tell( array( 'email' => 'noa@shopper.example' ) ) );
		$this->assertSame( array(), $this->writes );
	}

	/** @dataProvider nonsense */
	public function test_nonsense_is_not_kept( array $fields ): void {
		$this->add();
		$this->writes = array();
		$this->assertSame( array( 'kept' => false ), $this->tell( $fields ) );
		$this->assertSame( array(), $this->writes );
	}

	public static function nonsense(): array {
		return array(
			array( array( 'email' => 'noa@', 'phone' => '12' ) ),
			array( array( 'email' => '<script>@x', 'phone' => '<b>0505550102</b>' ) ),
			array( array( 'email' => array( 'noa@shopper.example' ), 'phone' => array() ) ),
			array( array( 'email' => str_repeat( 'a', 300 ) . '@shopper.example', 'phone' => str_repeat( '1', 50 ) ) ),
			array( array() ),
		);
	}

	public function test_a_half_typed_email_leaves_the_one_before(): void {
		$this->add();
		$this->tell( array( 'email' => 'noa@shopper.example' ) );
		$this->tell( array( 'email' => 'noa@shop', 'phone' => '050-555-0102' ) );
		$this->assertSame( array( 'noa@shopper.example', '050-555-0102' ), array( $this->row()['email'], $this->row()['phone'] ) );
	}

	public function test_a_page_from_a_cache_gets_a_new_nonce_and_keeps_nothing(): void {
		$this->add();
		$this->writes = array();
		$answer = $this->tell( array( 'email' => 'noa@shopper.example' ), 'old' );
		$this->assertSame( array( 'nonce' ), array_keys( $answer ) );
		$this->assertSame( array(), $this->writes );
		$this->assertSame( array( 'kept' => true ), $this->tell( array( 'email' => 'noa@shopper.example' ), $answer['nonce'] ) );
	}

	public function test_without_a_cart_nothing_is_kept(): void {
		$this->assertSame( array( 'kept' => false ), $this->tell( array( 'email' => 'noa@shopper.example' ) ) );
		$this->assertSame( array(), self::rows() );
	}

	public function test_long_names_are_cut_and_tags_dropped(): void {
		$this->add();
		$this->tell( array( 'email' => 'noa@shopper.example', 'first_name' => '<b>' . str_repeat( 'נ', 20000 ) ) );
		$this->assertSame( str_repeat( 'נ', 100 ), $this->row()['state']['first_name'] );
	}

	public function test_the_consent_boxes_go_along(): void {
		$settings                     = Options::settings();
		$settings['consent']['email'] = array( 'enabled' => true, 'text' => 'Write to me' );
		Options::save_settings( $settings );
		$this->add();
		$html = $this->open_classic_checkout();
		$this->assertSame( 1, preg_match( '/name="' . Consent_Forms::ASKED . '" value="([^"]+)"/', $html, $asked ) );
		$this->tell( array( 'email' => 'noa@shopper.example', Consent_Forms::ASKED => $asked[1], Consent_Forms::TICKED => array( 'email' => '1' ) ) );
		self::run_actions();
		$told = $this->told()[0];
		$this->assertSame( array( 'subscribed', 'Write to me' ), array( $told['consent']['email']['status'], $told['consent']['email']['text'] ) );
	}

	public function test_the_script_is_on_the_classic_checkout_for_shoppers_only(): void {
		$this->add();
		$this->open_classic_checkout();
		$this->assertTrue( wp_script_is( 'agala-checkout', 'enqueued' ) );
		$this->assertSame( array(), wp_scripts()->registered['agala-checkout']->deps );
		$settings = implode( '', wp_scripts()->get_data( 'agala-checkout', 'before' ) );
		$this->assertStringContainsString( 'wc-ajax=agala_typed', stripslashes( $settings ) );
		$this->assertFileExists( dirname( AGALA_FILE ) . '/assets/checkout.js' );
		wp_dequeue_script( 'agala-checkout' );
		wp_deregister_script( 'agala-checkout' );
		$_SERVER['HTTP_USER_AGENT'] = 'Googlebot/2.1';
		( new Checkout_Fields() )->add_script();
		$this->assertFalse( wp_script_is( 'agala-checkout', 'enqueued' ) );
	}
}

final class Answered extends \Exception {}
