<?php
/** What a connection changes in the shop itself: deliveries, the script, the product's field, and what is removed in the end. */

namespace Agala\Tests;

use Agala\Compatibility;
use Agala\Delivery_Permission;
use Agala\Installation;
use Agala\Options;
use Agala\Pixel;
use Agala\Product_Lifetime;
use Agala\Removal;

require_once __DIR__ . '/ConnectedShop.php';

final class ShopSideTest extends ShopTestCase {
	use ConnectedShop;

	public function test_wordpress_may_deliver_to_exactly_the_connected_agala(): void {
		$agala = 'http://127.0.0.1:8000';
		$this->assertFalse( wp_http_validate_url( "$agala/webhooks/woocommerce/01shop" ) );
		self::connect( array( 'webhook_url' => "$agala/webhooks/woocommerce/01shop" ) );
		( new Delivery_Permission() )->register();
		$this->assertNotFalse( wp_http_validate_url( "$agala/webhooks/woocommerce/01shop" ) );
		$this->assertNotFalse( wp_http_validate_url( "$agala/v1/connections/01shop/keys/once" ) );
		foreach ( array( 'http://127.0.0.1:8001/x', 'http://127.0.0.1/x', 'https://127.0.0.1:8000/x', 'http://127.0.0.2:8000/x', 'http://10.0.0.1:8000/x', 'http://agala.example:9999/x' ) as $other ) {
			$this->assertFalse( wp_http_validate_url( $other ), $other );
		}
		Options::forget_connection();
		$this->assertFalse( wp_http_validate_url( "$agala/webhooks/woocommerce/01shop" ) );
	}

	public function test_the_script_is_added_only_where_the_owner_allows(): void {
		$this->assertFalse( $this->has_script() );
		self::connect();
		$this->assertFalse( $this->has_script() );
		Options::save_settings( array( 'pixel' => true ) + Options::settings() );
		$this->assertTrue( $this->has_script() );
		self::log_in_as_owner();
		$this->assertFalse( $this->has_script() );
		wp_set_current_user( 0 );
		add_filter( 'agala_pixel_allowed', '__return_false' );
		$this->assertFalse( $this->has_script() );
	}

	public function test_a_page_does_not_wait_for_the_script(): void {
		self::connect();
		Options::save_settings( array( 'pixel' => true ) + Options::settings() );
		( new Pixel() )->register();
		( new Pixel() )->add();
		ob_start();
		wp_scripts()->do_item( 'agala-pixel' );
		$tag = ob_get_clean();
		wp_dequeue_script( 'agala-pixel' );
		$this->assertMatchesRegularExpression( '#<script[^>]* async[^>]* defer[^>]* src="https://agala\.example/pixel\.js\?store=01shop"#', $tag );
	}

	/** The shop's double has no edit pages of products, and so nothing that collects their errors. */
	public static function setUpBeforeClass(): void {
		if ( ! class_exists( 'WC_Admin_Meta_Boxes' ) ) {
			class_alias( Product_Errors::class, 'WC_Admin_Meta_Boxes' );
		}
	}

	/** @dataProvider lifetimes */
	public function test_how_long_a_product_lasts( string $sent, string $kept ): void {
		$product = self::product( 'MUG-1' );
		$product->update_meta_data( '_agala_lifetime_days', '40' );
		$_POST = array( '_agala_lifetime_days' => $sent );
		( new Product_Lifetime() )->save( $product );
		$this->assertSame( $kept, (string) $product->get_meta( '_agala_lifetime_days' ) );
	}

	public function lifetimes(): array {
		return array( 'days' => array( '030', '30' ), 'emptied' => array( '', '' ), 'too many' => array( '3651', '40' ), 'none' => array( '0', '40' ), 'no number' => array( 'a month', '40' ) );
	}

	public function test_an_upgrade_brings_the_database_to_this_version_once(): void {
		update_option( Options::VERSION, '0.0.1' );
		Installation::upgrade();
		$this->assertSame( AGALA_VERSION, get_option( Options::VERSION ) );
	}

	public function test_the_restore_key_is_random_and_stays(): void {
		delete_option( Options::RESTORE_KEY );
		$key = Options::restore_key();
		$this->assertMatchesRegularExpression( '/^[0-9a-f]{64}$/', $key );
		$this->assertSame( $key, Options::restore_key() );
	}

	public function test_a_missing_woocommerce_is_said_to_those_who_can_install_it(): void {
		$this->assertTrue( Compatibility::has_woocommerce() );
		ob_start();
		( new Compatibility() )->show_missing_woocommerce();
		$this->assertSame( '', ob_get_clean() );
	}

	public function test_deleting_the_plugin_leaves_only_what_the_owner_knows_of_products(): void {
		global $wpdb;
		$owner = self::log_in_as_owner();
		self::connect();
		Options::restore_key();
		set_transient( 'agala_connecting_1', 'x', 100 );
		update_option( 'other_option', 'stays' );
		update_user_meta( $owner, '_agala_consent', '{}' );
		$order = wc_create_order();
		$order->update_meta_data( '_agala_cart_token', 'x' );
		$order->update_meta_data( '_wc_other/agala/occasion-occasion', 'birthday' );
		$order->update_meta_data( '_other', 'stays' );
		$order->save();
		$product = self::product( 'MUG-1' );
		update_post_meta( $product->get_id(), '_agala_lifetime_days', '30' );
		update_post_meta( $product->get_id(), '_agala_consent', 'of an order that is a post' );
		as_schedule_single_action( time() + 100, 'agala_send_cart', array( 'x' ), 'agala' );

		Removal::run();

		$this->assertSame( array(), $wpdb->get_col( "SELECT option_name FROM {$wpdb->options} WHERE option_name LIKE '%agala\\_%'" ) );
		$this->assertSame( 'stays', get_option( 'other_option' ) );
		$this->assertSame( '', get_user_meta( $owner, '_agala_consent', true ) );
		$this->assertSame( array( '', 'stays' ), array( wc_get_order( $order->get_id() )->get_meta( '_agala_cart_token' ), wc_get_order( $order->get_id() )->get_meta( '_other' ) ) );
		$this->assertSame( array( '30', '' ), array( get_post_meta( $product->get_id(), '_agala_lifetime_days', true ), get_post_meta( $product->get_id(), '_agala_consent', true ) ) );
		$this->assertSame( '', wc_get_order( $order->get_id() )->get_meta( '_wc_other/agala/occasion-occasion' ) );
		$this->assertSame( '0', $wpdb->get_var( "SELECT COUNT(*) FROM {$wpdb->prefix}actionscheduler_actions WHERE hook LIKE 'agala%'" ), 'cancelled ones are gone as well' );
		$this->assertStringEndsWith( '/disconnect', $this->requests[0]['url'] );
	}

	public function test_a_shop_that_was_never_connected_keeps_no_action_and_no_key_either(): void {
		global $wpdb;
		Options::forget_connection();
		as_schedule_single_action( time() + 100, 'agala_sweep_carts', array(), 'agala' );
		as_schedule_single_action( time() + 100, 'another_plugins', array(), 'others' );
		$wpdb->insert( $wpdb->prefix . 'woocommerce_api_keys', array( 'user_id' => 1, 'description' => 'Agala - API (2026-11-22 01:00:00)', 'permissions' => 'read_write', 'consumer_key' => 'k', 'consumer_secret' => 's', 'truncated_key' => 'k' ) );
		Removal::run();
		$this->assertSame( array( 'another_plugins' ), $wpdb->get_col( "SELECT DISTINCT hook FROM {$wpdb->prefix}actionscheduler_actions WHERE hook LIKE 'agala%' OR hook = 'another_plugins'" ) );
		$this->assertSame( 0, \Agala\Shop_Keys::count() );
		$this->assertSame( array(), $this->requests );
	}

	public function test_with_a_site_of_a_network_our_table_goes(): void {
		$this->assertSame( array( 'other', \Agala\Cart_Table::name() ), apply_filters( 'wpmu_drop_tables', array( 'other' ), 2 ) );
	}

	private function has_script(): bool {
		wp_dequeue_script( 'agala-pixel' );
		( new Pixel() )->add();
		$has = wp_script_is( 'agala-pixel', 'enqueued' );
		wp_dequeue_script( 'agala-pixel' );
		wp_deregister_script( 'agala-pixel' );
		return $has;
	}
}

final class Product_Errors {
	/** @param string $text What is wrong. */
	public static function add_error( $text ): void {}
}
