<?php
/** What shoppers do, in the order in which the hooks of real shops were recorded, becomes exactly these rows. */

namespace Agala\Tests;

use Agala\Cart_Session;
use Agala\Cart_Table;
use Agala\Conversion;

require_once __DIR__ . '/CartTestCase.php';

final class CartTrackerTest extends CartTestCase {
	public function test_a_guest_adds_something(): void {
		$this->add( 'MUG-1', 2 );
		$row = $this->row();
		$this->assertSame( 'updated', $row['step'] );
		$this->assertSame( Cart_Session::token(), $row['token'] );
		$this->assertMatchesRegularExpression( '/^[0-9a-f]{32}$/', $row['token'] );
		$this->assertSame( WC()->session->get_customer_id(), $row['session_key'] );
		$this->assertSame( 9000, $row['state']['total'] );
		$item = $row['state']['items'][0];
		$this->assertSame( array( self::product( 'MUG-1' )->get_id(), 0, 2, 'Café crème mug', 4500 ), array( $item['product_id'], $item['variation_id'], $item['quantity'], $item['name'], $item['price'] ) );
		$this->assertCount( 1, $this->writes );
	}

	public function test_nobody_to_reach_is_not_told(): void {
		$this->add();
		$this->assertSame( 0, self::queued() );
		self::run_actions();
		$this->assertSame( array(), $this->told() );
		$this->assertSame( 'waiting', $this->row()['outcome'] );
	}

	public function test_page_views_and_empty_carts_write_nothing(): void {
		$this->look_at_page();
		$this->assertSame( array(), self::rows() );
		$this->add();
		$this->writes = array();
		$this->look_at_page();
		$this->look_at_page();
		$this->assertSame( array(), $this->writes );
	}

	public function test_several_hooks_in_one_request_are_one_write(): void {
		WC()->cart->add_to_cart( self::product( 'MUG-1' )->get_id() );
		WC()->cart->add_to_cart( self::product( 'MUG-1' )->get_id() );
		WC()->cart->add_to_cart( self::product( 'SHIRT-M' )->get_id() );
		WC()->cart->apply_coupon( 'ten' );
		do_action( 'woocommerce_add_to_cart' );
		$this->end_of_request();
		$this->assertCount( 1, $this->writes );
		$this->assertCount( 2, $this->row()['state']['items'] );
		$this->assertSame( array( 'ten' ), $this->row()['state']['coupons'] );
	}

	public function test_hooks_without_a_change_write_nothing(): void {
		$this->add();
		$this->writes = array();
		do_action( 'woocommerce_add_to_cart' );
		do_action( 'woocommerce_after_cart_item_quantity_update' );
		$this->end_of_request();
		$this->assertSame( array(), $this->writes );
	}

	public function test_quantity_coupons_removal_and_undo(): void {
		$this->add( 'MUG-1', 1 );
		$this->add( 'SHIRT-M', 1 );
		$token = Cart_Session::token();
		$key   = array_keys( WC()->cart->get_cart() )[0];
		$this->store_api( '/cart/update-item', array( 'key' => $key, 'quantity' => 3 ) );
		$this->assertSame( 3, $this->row()['state']['items'][0]['quantity'] );
		$this->store_api( '/cart/apply-coupon', array( 'code' => 'ten' ) );
		$this->assertSame( array( 19350, array( 'ten' ) ), array( $this->row()['state']['total'], $this->row()['state']['coupons'] ) );
		$this->store_api( '/cart/remove-coupon', array( 'code' => 'ten' ) );
		$this->assertSame( array( 21500, array() ), array( $this->row()['state']['total'], $this->row()['state']['coupons'] ) );
		$this->store_api( '/cart/remove-item', array( 'key' => $key ) );
		$this->assertCount( 1, $this->row()['state']['items'] );
		WC()->cart->restore_cart_item( $key );
		$this->end_of_request();
		$this->assertCount( 2, $this->row()['state']['items'] );
		$this->assertSame( $token, $this->row()['token'] );
	}

	public function test_a_cart_that_is_emptied_and_filled_again_is_the_same_cart(): void {
		$this->add();
		$this->type_email();
		self::run_actions();
		$this->store_api( '/cart/remove-item', array( 'key' => array_keys( WC()->cart->get_cart() )[0] ) );
		$this->assertSame( 'emptied', $this->row()['step'] );
		self::run_actions();
		$this->add( 'SHIRT-M' );
		self::run_actions();
		$told = $this->told();
		$this->assertSame( array( 'updated', 'emptied', 'updated' ), array_column( $told, 'event' ) );
		$this->assertSame( array(), $told[1]['items'] );
		$this->assertCount( 1, array_unique( array_column( $told, 'token' ) ) );
	}

	public function test_the_block_checkout_as_recorded(): void {
		$this->add( 'MUG-1', 2 );
		$this->open_block_checkout();
		$this->assertSame( 'checkout', $this->row()['step'] );
		$this->type_email();
		$this->assertSame( array( 'noa@shopper.example', '050-555-0102', 'Noa' ), array( $this->row()['email'], $this->row()['phone'], $this->row()['state']['first_name'] ) );
		self::run_actions();
		$told = $this->told();
		$this->assertCount( 1, $told );
		$this->assertSame( array( 'checkout', 'noa@shopper.example' ), array( $told[0]['event'], $told[0]['email'] ) );
		$this->writes = array();
		$this->type_email();
		$this->open_block_checkout();
		$this->assertSame( array(), $this->writes, 'the same once more is nothing new' );
		$address = array( 'first_name' => 'Noa', 'last_name' => 'Levi', 'email' => 'noa@shopper.example', 'phone' => '0505550102', 'country' => 'IL', 'city' => 'Haifa', 'address_1' => '1 Herzl' );
		$answer  = $this->store_api( '/checkout', array( 'billing_address' => $address, 'payment_method' => 'bacs' ) );
		$this->assertSame( 200, $answer->get_status(), wp_json_encode( $answer->get_data() ) );
		$order = wc_get_order( $answer->get_data()['order_id'] );
		$this->assertSame( $this->row()['token'], $order->get_meta( Conversion::CART ) );
		$this->assertSame( determine_locale(), $order->get_meta( Conversion::LOCALE ) );
		self::run_actions();
		$told = $this->told();
		$this->assertCount( 1, $told );
		$this->assertSame( array( 'converted', (string) $order->get_id() ), array( $told[0]['event'], $told[0]['order_id'] ) );
		$this->assertNull( Cart_Session::token(), 'the next cart is another one' );
	}

	public function test_the_classic_checkout_as_recorded(): void {
		$this->add();
		$this->open_classic_checkout();
		$this->assertSame( 'checkout', $this->row()['step'] );
		self::place_order();
		$this->end_of_request();
		self::run_actions();
		$this->assertSame( array( 'converted' ), array_column( $this->told(), 'event' ) );
		$this->add();
		$this->assertSame( array( 'converted', 'updated' ), array_column( self::rows(), 'step' ) );
	}

	public function test_that_the_checkout_was_reached_is_told_once(): void {
		$this->add();
		$this->open_block_checkout();
		$this->type_email();
		$this->add( 'SHIRT-M' ); // Before anything was sent.
		self::run_actions();
		$this->add( 'SHIRT-L' );
		self::run_actions();
		$this->assertSame( array( 'checkout', 'updated' ), array_column( $this->told(), 'event' ) );
	}

	public function test_a_customer_is_known_at_once(): void {
		wp_set_current_user( get_user_by( 'email', 'dana@shopper.example' )->ID );
		WC()->wc_double_new_shopper();
		$this->add();
		$row = $this->row();
		$this->assertSame( array( 'dana@shopper.example', (string) get_current_user_id(), 'Dana' ), array( $row['email'], $row['customer_id'], $row['state']['first_name'] ) );
		$this->assertSame( 1, self::queued() );
	}

	public function test_a_guest_who_logs_in_keeps_the_one_cart(): void {
		$this->add();
		$user = get_user_by( 'email', 'dana@shopper.example' );
		do_action( 'wp_login', $user->user_login, $user );
		$this->end_of_request();
		$this->assertSame( 'dana@shopper.example', $this->row()['email'] );
		// The next request: the session has got the customer's name.
		$values = WC()->session->get_session_data();
		wp_set_current_user( $user->ID );
		WC()->wc_double_new_shopper();
		foreach ( $values as $key => $value ) {
			WC()->session->set( $key, $value );
		}
		$this->look_at_page();
		$this->assertSame( (string) $user->ID, $this->row()['session_key'] );
		// They log out, which ends the session but not the cart, and come back.
		WC()->cart->empty_cart( false );
		$this->end_of_request();
		$this->assertSame( 'updated', $this->row()['step'] );
		WC()->session->forget_session();
		$this->add( 'SHIRT-M' );
		$this->assertSame( 'SHIRT-M', wc_get_product( $this->row()['state']['items'][0]['variation_id'] )->get_sku() );
	}

	public function test_a_customers_other_cart_ends_when_a_guests_cart_takes_its_place(): void {
		$user = get_user_by( 'email', 'dana@shopper.example' );
		wp_set_current_user( $user->ID );
		WC()->wc_double_new_shopper();
		$this->add( 'SHIRT-M' );
		self::run_actions();
		wp_set_current_user( 0 );
		WC()->wc_double_new_shopper();
		$this->add( 'MUG-1' );
		$values = WC()->session->get_session_data();
		wp_set_current_user( $user->ID );
		WC()->wc_double_new_shopper();
		foreach ( $values as $key => $value ) {
			WC()->session->set( $key, $value );
		}
		$this->look_at_page();
		self::run_actions();
		$this->assertSame( array( 'emptied', 'updated' ), array_column( self::rows(), 'step' ) );
		$this->assertEqualsCanonicalizing( array( 'updated', 'emptied', 'updated' ), array_column( $this->told(), 'event' ) );
	}

	public function test_two_first_requests_at_once_make_one_cart(): void {
		$this->add();
		$token = Cart_Session::token();
		Cart_Session::forget_token(); // As the second request sees the session, which the first has not saved yet.
		$this->add( 'SHIRT-M' );
		$this->assertSame( $token, $this->row()['token'] );
		$this->assertSame( $token, Cart_Session::token() );
		$this->assertCount( 2, $this->row()['state']['items'] );
	}

	/** @dataProvider not_shoppers */
	public function test_others_than_shoppers_leave_nothing( string $agent, string $role ): void {
		$_SERVER['HTTP_USER_AGENT'] = $agent;
		if ( '' !== $role ) {
			$id = wp_insert_user( array( 'user_login' => 'staff', 'user_pass' => 'password', 'user_email' => 'staff@shop.example', 'role' => $role ) );
			wp_set_current_user( $id );
		}
		$this->add();
		$this->open_block_checkout();
		$this->assertSame( array(), self::rows() );
		$this->assertNull( Cart_Session::token() );
	}

	public static function not_shoppers(): array {
		$browser = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36';
		return array(
			'no user agent' => array( '', '' ),
			'Googlebot'     => array( 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)', '' ),
			'a crawler'     => array( 'Mozilla/5.0 (compatible; AhrefsBot/7.0)', '' ),
			'administrator' => array( $browser, 'administrator' ),
			'shop manager'  => array( $browser, 'shop_manager' ),
		);
	}

	/** @dataProvider browsers */
	public function test_shoppers_are_not_taken_for_crawlers( string $agent ): void {
		$_SERVER['HTTP_USER_AGENT'] = $agent;
		$this->add();
		$this->assertCount( 1, self::rows() );
	}

	public static function browsers(): array {
		return array(
			array( 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1' ),
			array( 'Mozilla/5.0 (Linux; Android 15; CUBOT X90) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36' ),
			array( 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Instagram 400.0.0.1' ),
			array( 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Mobile [FBAN/FBIOS;FBAV/500.0]' ),
		);
	}

	public function test_a_failed_payment_ends_the_cart_and_a_real_change_begins_another(): void {
		$this->add();
		$answer = self::place_order( array( 'payment_method' => 'refused' ) );
		$this->assertSame( 'failure', $answer['result'] );
		$this->end_of_request();
		$this->assertSame( 'converted', $this->row()['step'] );
		$this->assertFalse( WC()->cart->is_empty() );
		$this->look_at_page();
		$this->open_classic_checkout();
		$this->assertCount( 1, self::rows(), 'looking is no change' );
		$this->add( 'SHIRT-M' );
		$this->assertSame( array( 'converted', 'updated' ), array_column( self::rows(), 'step' ) );
	}

	public function test_names_are_plain_text_and_long_ones_are_cut(): void {
		global $wpdb;
		$product = new \WC_Product_Simple();
		$product->set_props( array( 'name' => 'Tea', 'regular_price' => '10' ) );
		$wpdb->update( $wpdb->posts, array( 'post_title' => 'Tea <b onclick="x()">"Green"</b> &amp; Mint<script>alert(1)</script>' ), array( 'ID' => $product->save() ) );
		clean_post_cache( $product->get_id() );
		$long = new \WC_Product_Simple();
		$long->set_props( array( 'name' => str_repeat( 'קפה טוב מאוד ', 1600 ), 'regular_price' => '10' ) );
		WC()->cart->add_to_cart( $product->get_id() );
		WC()->cart->add_to_cart( $long->save() );
		$this->end_of_request();
		$names = array_column( $this->row()['state']['items'], 'name' );
		$this->assertSame( 'Tea "Green" & Mint', $names[0] );
		$this->assertSame( 200, mb_strlen( $names[1] ) );
		$this->assertStringStartsWith( 'קפה טוב מאוד קפה', $names[1] );
	}

	public function test_what_other_plugins_keep_with_an_item_is_kept_if_it_is_plain(): void {
		WC()->cart->add_to_cart( self::product( 'MUG-1' )->get_id(), 1, 0, array(), array( 'engraving' => 'Noa', 'boxes' => array( 'a', 2 ), 'thing' => new \stdClass() ) );
		$this->end_of_request();
		$this->assertSame( array( 'engraving' => 'Noa', 'boxes' => array( 'a', 2 ) ), $this->row()['state']['items'][0]['data'] );
	}

	public function test_changes_in_one_millisecond_keep_their_order(): void {
		$this->add();
		$first = (int) $this->row()['changed_at'];
		global $wpdb;
		$wpdb->query( 'UPDATE ' . Cart_Table::name() . ' SET changed_at = ' . ( $first + 60000 ) ); // Another server's clock is ahead.
		$this->add( 'SHIRT-M' );
		$this->assertSame( $first + 60001, (int) $this->row()['changed_at'] );
	}
}
