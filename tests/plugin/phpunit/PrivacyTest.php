<?php
/** What the shop keeps about a person for Agala: exported, erased, explained. */

namespace Agala\Tests;

use Agala\Cart_Table;
use Agala\Privacy;

require_once __DIR__ . '/ConnectedShop.php';

final class PrivacyTest extends ShopTestCase {
	use ConnectedShop;

	private const MAYA = 'maya@shopper.example';

	private static function cart( string $token, string $email ): void {
		$state = wp_json_encode( array( 'items' => array( array( 'name' => 'כד <b>חרס</b>', 'quantity' => 2 ) ) ) );
		Cart_Table::add( array( 'token' => $token, 'session_key' => $token, 'email' => $email, 'phone' => '+972505550101', 'state' => $state, 'changed_at' => 1700000000000 ) );
	}

	private static function order( string $email, int $customer = 0 ): \WC_Order {
		$order = wc_create_order( array( 'customer_id' => $customer ) );
		$order->set_billing_email( $email );
		$order->update_meta_data( '_agala_consent', '{"email":{"status":"subscribed","text":"Yes & please"}}' );
		$order->update_meta_data( '_agala_cart_token', str_repeat( 'a', 32 ) );
		$order->update_meta_data( '_wc_other/agala/occasion-occasion', 'birthday' );
		$order->update_meta_data( '_other', 'stays' );
		$order->save();
		return $order;
	}

	/** Every value of the export, by its name. */
	private static function exported( string $email ): array {
		$values = array();
		for ( $page = 1; $page < 10; $page++ ) {
			$told = ( new Privacy() )->export( $email, $page );
			foreach ( $told['data'] as $thing ) {
				foreach ( $thing['data'] as $line ) {
					$values[ $line['name'] ][] = $line['value'];
				}
			}
			if ( $told['done'] ) {
				return $values;
			}
		}
		self::fail( 'the export never ends' );
	}

	private static function erase( string $email ): array {
		$page = 1;
		do {
			$told = ( new Privacy() )->erase( $email, $page );
		} while ( ! $told['done'] && ++$page < 10 );
		return $told;
	}

	public function test_a_person_gets_what_we_keep_and_nothing_of_others(): void {
		self::cart( str_repeat( 'a', 32 ), self::MAYA );
		self::cart( str_repeat( 'b', 32 ), 'noa@shopper.example' );
		self::order( self::MAYA );
		$values = self::exported( 'Maya@Shopper.example' );
		$this->assertSame( array( self::MAYA ), $values['Email'] );
		$this->assertSame( array( 'כד &lt;b&gt;חרס&lt;/b&gt; × 2' ), $values['In the cart'] );
		$this->assertStringContainsString( 'Yes &amp; please', $values['Consent'][0] );
	}

	public function test_an_account_and_its_orders_under_another_email_are_of_the_same_person(): void {
		$user = wp_insert_user( array( 'user_login' => 'maya', 'user_pass' => 'x', 'user_email' => self::MAYA ) );
		update_user_meta( $user, '_agala_consent', '{"sms":{"status":"unsubscribed"}}' );
		self::order( 'at-work@shopper.example', $user );
		$this->assertCount( 2, self::exported( self::MAYA )['Consent'] );
	}

	public function test_an_accounts_carts_under_another_email_are_shown_and_erased(): void {
		$user = wp_insert_user( array( 'user_login' => 'maya', 'user_pass' => 'x', 'user_email' => self::MAYA ) );
		self::cart( str_repeat( 'a', 32 ), 'at-work@shopper.example' );
		self::cart( str_repeat( 'b', 32 ), 'noa@shopper.example' );
		Cart_Table::change( str_repeat( 'a', 32 ), array( 'customer_id' => $user ) );
		$this->assertSame( array( 'at-work@shopper.example' ), self::exported( self::MAYA )['Email'] );
		self::erase( self::MAYA );
		$this->assertNull( Cart_Table::find( str_repeat( 'a', 32 ) ) );
		$this->assertNotNull( Cart_Table::find( str_repeat( 'b', 32 ) ) );
	}

	public function test_erasing_takes_what_is_ours_and_leaves_the_orders(): void {
		$user = wp_insert_user( array( 'user_login' => 'maya', 'user_pass' => 'x', 'user_email' => self::MAYA ) );
		update_user_meta( $user, '_agala_consent', '{}' );
		self::cart( str_repeat( 'a', 32 ), self::MAYA );
		self::cart( str_repeat( 'b', 32 ), 'noa@shopper.example' );
		$hers  = self::order( self::MAYA );
		$other = self::order( 'noa@shopper.example' );
		self::connect();
		$told = self::erase( self::MAYA );
		$this->assertTrue( $told['items_removed'] );
		$this->assertStringContainsString( 'Agala keeps a record of its own', $told['messages'][0] );
		$this->assertSame( array(), self::exported( self::MAYA ) );
		$this->assertSame( array( '', 'stays' ), array( wc_get_order( $hers->get_id() )->get_meta( '_wc_other/agala/occasion-occasion' ), wc_get_order( $hers->get_id() )->get_meta( '_other' ) ) );
		$this->assertNotSame( '', wc_get_order( $other->get_id() )->get_meta( '_agala_consent' ) );
		$this->assertNotNull( Cart_Table::find( str_repeat( 'b', 32 ) ) );
		$this->assertSame( array(), $this->requests );
	}

	public function test_many_orders_are_erased_page_by_page(): void {
		for ( $n = 0; $n < 25; $n++ ) {
			$orders[] = self::order( self::MAYA );
		}
		$this->assertFalse( ( new Privacy() )->erase( self::MAYA, 1 )['done'] );
		self::erase( self::MAYA );
		foreach ( $orders as $order ) {
			$this->assertSame( '', wc_get_order( $order->get_id() )->get_meta( '_agala_consent' ) );
		}
	}

	public function test_who_is_unknown_has_nothing(): void {
		$this->assertSame( array(), self::exported( 'nobody@shopper.example' ) );
		$this->assertFalse( self::erase( 'nobody@shopper.example' )['items_removed'] );
	}

	public function test_wordpress_hears_of_exporter_and_eraser(): void {
		$this->assertArrayHasKey( 'agala', apply_filters( 'wp_privacy_personal_data_exporters', array() ) );
		$this->assertArrayHasKey( 'agala', apply_filters( 'wp_privacy_personal_data_erasers', array() ) );
	}
}
