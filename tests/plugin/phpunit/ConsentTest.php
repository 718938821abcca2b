<?php
/** What shoppers agree to: asked only where the owner wants it, kept with its words, time and page. */

namespace Agala\Tests;

use Agala\Consent;
use Agala\Consent_Block;
use Agala\Consent_Forms;

final class ConsentTest extends ShopTestCase {
	private const WORDS = 'כן, "כתבו" לי <b>חדשות</b>';
	private const PLAIN = 'כן, "כתבו" לי חדשות';

	protected function setUp(): void {
		parent::setUp();
		self::ask( array( 'email' => self::WORDS, 'sms' => 'Text me' ) );
	}

	private static function ask( array $texts ): void {
		$consent = array();
		foreach ( $texts as $channel => $text ) {
			$consent[ $channel ] = array( 'enabled' => true, 'text' => $text );
		}
		update_option( 'agala_settings', array( 'consent' => $consent ) );
	}

	/** The form fields that a page shows, as a browser would send them; the channels in $ticked are ticked, others not. */
	private static function filled_in( string $hook, array $ticked ): array {
		ob_start();
		do_action( $hook, WC()->checkout() );
		$page = ob_get_clean();
		preg_match( '/name="agala_consent_asked" value="([^"]+)"/', $page, $asked );
		return $asked ? array( 'agala_consent_asked' => $asked[1], 'agala_consent' => array_fill_keys( $ticked, '1' ) ) : array();
	}

	private static function customer( array $choices = array() ): int {
		$id = wp_insert_user( array( 'user_login' => 'noa', 'user_email' => 'noa@shopper.example', 'user_pass' => 'x', 'role' => 'customer' ) );
		if ( $choices ) {
			update_user_meta( $id, Consent::META, wp_slash( wp_json_encode( $choices ) ) );
		}
		return $id;
	}

	private static function choice( string $status, string $at = '2026-01-01T00:00:00Z' ): array {
		return array( 'status' => $status, 'text' => 'Words of then', 'at' => $at, 'source' => 'account' );
	}

	private function order( array $fields ): \WC_Order {
		WC()->cart->add_to_cart( self::product( 'MUG-1' )->get_id() );
		$answer = self::place_order( $fields );
		$this->assertSame( 'success', $answer['result'], wp_json_encode( $answer ) );
		return wc_get_order( $answer['order_id'] );
	}

	private static function kept( \WC_Order $order ): array {
		return (array) json_decode( (string) $order->get_meta( '_agala_consent' ), true );
	}

	public function test_nothing_is_asked_unless_the_owner_wants_it(): void {
		delete_option( 'agala_settings' );
		foreach ( array( 'woocommerce_after_checkout_billing_form', 'woocommerce_register_form', 'woocommerce_edit_account_form' ) as $hook ) {
			ob_start();
			do_action( $hook, WC()->checkout() );
			$this->assertStringNotContainsString( 'agala', ob_get_clean() );
		}
		$this->assertSame( '', $this->order( array() )->get_meta( '_agala_consent' ) );
	}

	public function test_boxes_are_shown_in_the_owners_words_escaped_and_not_ticked(): void {
		ob_start();
		do_action( 'woocommerce_after_checkout_billing_form', WC()->checkout() );
		$page = ob_get_clean();
		$this->assertStringContainsString( esc_html( self::PLAIN ), $page );
		$this->assertStringNotContainsString( '<b>', $page );
		$this->assertStringNotContainsString( 'checked', $page );
		$this->assertStringContainsString( 'agala_consent[sms]', $page );
		$this->assertStringNotContainsString( 'agala_consent[whatsapp]', $page );
	}

	public function test_without_words_of_the_owner_ours_are_shown(): void {
		self::ask( array( 'whatsapp' => '  ' ) );
		$this->assertStringContainsString( 'WhatsApp', Consent::asked()['whatsapp']['text'] );
	}

	public function test_an_order_keeps_yes_no_and_not_asked_apart(): void {
		$kept = self::kept( $this->order( self::filled_in( 'woocommerce_after_checkout_billing_form', array( 'email' ) ) ) );
		$this->assertSame( array( 'email', 'sms' ), array_keys( $kept ) );
		$this->assertSame( array( 'subscribed', self::PLAIN, 'checkout' ), array( $kept['email']['status'], $kept['email']['text'], $kept['email']['source'] ) );
		$this->assertSame( 'unsubscribed', $kept['sms']['status'] );
		$this->assertMatchesRegularExpression( '/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/', $kept['email']['at'] );
	}

	public function test_a_checkout_that_did_not_show_the_boxes_did_not_ask(): void {
		$this->assertSame( '', $this->order( array() )->get_meta( '_agala_consent' ) );
	}

	public function test_the_words_are_those_that_were_shown_even_if_the_owner_changed_them_meanwhile(): void {
		$fields = self::filled_in( 'woocommerce_after_checkout_billing_form', array( 'sms' ) );
		self::ask( array( 'sms' => 'New words' ) );
		$this->assertSame( 'Text me', self::kept( $this->order( $fields ) )['sms']['text'] );
	}

	public function test_a_form_that_was_tampered_with_counts_as_not_asked(): void {
		$fields = self::filled_in( 'woocommerce_after_checkout_billing_form', array( 'email' ) );
		list( $content, $seal )        = explode( '.', $fields['agala_consent_asked'] );
		$fields['agala_consent_asked'] = base64_encode( str_replace( 'Text me', 'Tax me', base64_decode( $content ) ) ) . ".$seal";
		$this->assertSame( array(), self::kept( $this->order( $fields ) ) );
		foreach ( array( array( 'x' ), 'x', '.', '' ) as $nonsense ) {
			$this->assertFalse( Consent_Forms::note_at_checkout( array( 'agala_consent_asked' => $nonsense, 'agala_consent' => 'x' ) ) );
		}
	}

	public function test_a_form_of_another_page_does_not_count_here(): void {
		$fields = self::filled_in( 'woocommerce_register_form', array( 'email' ) );
		$this->assertSame( array(), self::kept( $this->order( $fields ) ) );
	}

	public function test_a_cart_carries_what_was_ticked_and_no_untouched_box(): void {
		$this->assertFalse( Consent_Forms::note_at_checkout( self::filled_in( 'woocommerce_after_checkout_billing_form', array() ) ) );
		$this->assertSame( array(), Consent::of_cart() );
		$fields = self::filled_in( 'woocommerce_after_checkout_billing_form', array( 'email' ) );
		$this->assertTrue( Consent_Forms::note_at_checkout( $fields ) );
		$this->assertFalse( Consent_Forms::note_at_checkout( $fields ) );
		$this->assertSame( array( 'email' ), array_keys( Consent::of_cart() ) );
		$this->assertSame( 'subscribed', Consent::of_cart()['email']['status'] );
		$this->assertTrue( Consent_Forms::note_at_checkout( array( 'agala_consent' => array() ) + $fields ) );
		$this->assertSame( 'unsubscribed', Consent::of_cart()['email']['status'], 'ticked and unticked again' );
	}

	public function test_a_known_yes_is_shown_ticked_and_stays_as_it_was_given(): void {
		$id = self::customer( array( 'email' => self::choice( 'subscribed' ) ) );
		wp_set_current_user( $id );
		$this->assertTrue( Consent::asked()['email']['ticked'] );
		$this->assertFalse( Consent::asked()['sms']['ticked'] );
		$kept = self::kept( $this->order( self::filled_in( 'woocommerce_after_checkout_billing_form', array( 'email' ) ) ) );
		$this->assertSame( self::choice( 'subscribed' ), $kept['email'], 'a box that we ticked is no new consent' );
		$this->assertSame( 'unsubscribed', $kept['sms']['status'] );
		$this->assertSame( $kept, Consent::of_customer( $id ) );
	}

	public function test_a_known_yes_ends_when_the_ticked_box_is_emptied(): void {
		$id = self::customer( array( 'email' => self::choice( 'subscribed' ) ) );
		wp_set_current_user( $id );
		$kept = self::kept( $this->order( self::filled_in( 'woocommerce_after_checkout_billing_form', array() ) ) );
		$this->assertSame( array( 'unsubscribed', self::PLAIN ), array( $kept['email']['status'], $kept['email']['text'] ) );
		$this->assertSame( 'unsubscribed', Consent::of_customer( $id )['email']['status'] );
	}

	public function test_a_known_yes_does_not_end_by_a_box_that_was_shown_empty(): void {
		$id     = self::customer( array( 'email' => self::choice( 'subscribed' ) ) );
		$fields = self::filled_in( 'woocommerce_after_checkout_billing_form', array() ); // As a guest; then logs in.
		wp_set_current_user( $id );
		$this->assertFalse( Consent_Forms::note_at_checkout( $fields ) );
		$this->assertSame( self::choice( 'subscribed' ), self::kept( $this->order( $fields ) )['email'] );
	}

	public function test_a_guests_choice_is_remembered_in_the_visit(): void {
		$first = self::kept( $this->order( self::filled_in( 'woocommerce_after_checkout_billing_form', array( 'email' ) ) ) );
		$this->assertTrue( Consent::asked()['email']['ticked'] );
		$again = self::kept( $this->order( self::filled_in( 'woocommerce_after_checkout_billing_form', array( 'email' ) ) ) );
		$this->assertSame( $first['email'], $again['email'] );
	}

	public function test_an_account_made_at_the_checkout_knows_the_choice(): void {
		add_filter( 'send_auth_cookies', '__return_false' ); // PHPUnit has written already.
		$fields = self::filled_in( 'woocommerce_after_checkout_billing_form', array( 'email' ) );
		$order  = $this->order( $fields + array( 'billing_email' => 'tal@shopper.example', 'createaccount' => '1', 'account_password' => 'Xyz!2345abc' ) );
		$this->assertGreaterThan( 0, $order->get_customer_id() );
		$this->assertSame( self::kept( $order ), Consent::of_customer( $order->get_customer_id() ) );
	}

	public function test_registration_asks_and_an_empty_box_is_a_refusal(): void {
		$_POST = wp_slash( self::filled_in( 'woocommerce_register_form', array( 'sms' ) ) );
		$id    = wc_create_new_customer( 'new@shopper.example', '', 'Xyz!2345abc' );
		$kept  = Consent::of_customer( $id );
		$this->assertSame( array( 'unsubscribed', 'subscribed' ), array( $kept['email']['status'], $kept['sms']['status'] ) );
		$this->assertSame( array( 'register', self::PLAIN ), array( $kept['email']['source'], $kept['email']['text'] ) );
		$this->assertGreaterThanOrEqual( strtotime( $kept['sms']['at'] ), (int) get_user_meta( $id, 'last_update', true ) );
	}

	public function test_an_account_made_elsewhere_was_not_asked(): void {
		$this->assertSame( array(), Consent::of_customer( wc_create_new_customer( 'shop@shopper.example', '', 'Xyz!2345abc' ) ) );
	}

	public function test_in_the_account_only_a_changed_box_is_a_choice(): void {
		$id = self::customer( array( 'email' => self::choice( 'subscribed' ) ) );
		wp_set_current_user( $id );
		$_POST = wp_slash( self::filled_in( 'woocommerce_edit_account_form', array( 'email' ) ) );
		( new Consent_Forms() )->keep_for_account( $id );
		$this->assertSame( array( 'email' => self::choice( 'subscribed' ) ), Consent::of_customer( $id ) );
		$_POST = wp_slash( self::filled_in( 'woocommerce_edit_account_form', array( 'sms' ) ) );
		( new Consent_Forms() )->keep_for_account( $id );
		$kept = Consent::of_customer( $id );
		$this->assertSame( array( 'unsubscribed', 'account' ), array( $kept['email']['status'], $kept['email']['source'] ) );
		$this->assertSame( 'subscribed', $kept['sms']['status'] );
	}

	public function test_the_rest_api_tells_a_customers_choices_once(): void {
		$user   = get_user_by( 'id', self::customer( array( 'email' => self::choice( 'subscribed' ) ) ) );
		$answer = apply_filters( 'woocommerce_rest_prepare_customer', new \WP_REST_Response( array( 'id' => $user->ID, 'meta_data' => array() ) ), $user, new \WP_REST_Request() );
		$answer = apply_filters( 'woocommerce_rest_prepare_customer', $answer, $user, new \WP_REST_Request() );
		$told   = $answer->get_data()['meta_data'];
		$this->assertCount( 1, $told );
		$this->assertSame( '_agala_consent', $told[0]['key'] );
		$this->assertSame( 'subscribed', json_decode( $told[0]['value'], true )['email']['status'] );
	}

	/** The block tells `$fields` in a request of this method; WooCommerce saves the order after it. */
	private static function block( string $method, array $fields ): \WC_Order {
		$order = wc_create_order();
		foreach ( $fields as $id => $value ) {
			$order->update_meta_data( "_wc_other/$id", $value ? '1' : '0' );
		}
		$request = new \WP_REST_Request( $method, '/wc/store/v1/checkout' );
		$request->set_param( 'additional_fields', $fields );
		( new Consent_Block() )->read_request( $order, $request );
		$order->save();
		return $order;
	}

	public function test_the_block_keeps_choices_with_the_order_only_when_it_is_placed(): void {
		$told  = did_action( 'agala_shopper_typed' );
		$draft = self::block( 'PUT', array( 'agala/consent-email' => true ) );
		self::block( 'PUT', array( 'agala/consent-email' => true ) );
		$this->assertSame( 1, did_action( 'agala_shopper_typed' ) - $told, 'the cart is told anew, once' );
		$this->assertSame( array(), self::kept( $draft ) );
		$this->assertSame( 'checkout_block', Consent::of_cart()['email']['source'] );
		$this->assertSame( '1', $draft->get_meta( '_wc_other/agala/consent-email' ) );
		$order = self::block( 'POST', array( 'agala/consent-email' => true, 'agala/consent-sms' => false ) );
		$kept  = self::kept( $order );
		$this->assertSame( '', $order->get_meta( '_wc_other/agala/consent-email' ), 'kept in one place' );
		$this->assertSame( Consent::of_cart()['email'], $kept['email'] );
		$this->assertSame( 'unsubscribed', $kept['sms']['status'] );
	}

	public function test_a_payment_button_that_shows_no_boxes_did_not_ask(): void {
		$this->assertSame( array(), self::kept( self::block( 'POST', array() ) ) );
		$this->assertSame( array( 'sms' ), array_keys( self::kept( self::block( 'POST', array( 'agala/consent-sms' => true ) ) ) ) );
	}

	public function test_nonsense_that_is_kept_is_no_choice(): void {
		foreach ( array( '{', '[]', '"x"', '{"email":"yes"}', '{"email":{"status":"perhaps","at":"x"}}', '{"email":{"status":"subscribed"}}' ) as $kept ) {
			$id = self::customer();
			update_user_meta( $id, Consent::META, wp_slash( $kept ) );
			$this->assertSame( array(), Consent::of_customer( $id ), $kept );
			wp_delete_user( $id );
		}
	}
}
