<?php
/**
 * Notices what shoppers do with their carts.
 *
 * @package Agala
 */

namespace Agala;

use WP_User;

defined( 'ABSPATH' ) || exit;

/**
 * Hooks only remember that something happened. Once per request, when the page is on its way to the shopper, the cart is looked
 * at; if it or what is known of the shopper really changed, one row is written and the sender is queued. Nothing calls out.
 */
final class Cart_Tracker {

	/**
	 * WooCommerce's hooks after which the cart may be another one. Not `woocommerce_cart_updated`: it fires on
	 * nearly every page view.
	 */
	private const CHANGES = array(
		'woocommerce_add_to_cart',
		'woocommerce_after_cart_item_quantity_update',
		'woocommerce_cart_item_removed',
		'woocommerce_cart_item_restored',
		'woocommerce_applied_coupon',
		'woocommerce_removed_coupon',
		'woocommerce_guest_session_to_user_id',
		'woocommerce_store_api_cart_update_customer_from_request',
		'woocommerce_store_api_checkout_update_order_from_request',
		'agala_shopper_typed',
	);

	private const CHECKOUTS = array( 'woocommerce_before_checkout_form', 'woocommerce_blocks_checkout_enqueue_data' );

	/**
	 * Before WooCommerce saves the session (at 20), so that the cart's token is saved with it.
	 */
	private const AT_THE_END = 5;

	/**
	 * Unix time in seconds, with a fraction.
	 *
	 * @var callable
	 */
	private $clock;

	/**
	 * Whether the cart may have changed in this request.
	 *
	 * @var bool
	 */
	private $changed = false;

	/**
	 * Whether the checkout was opened in this request.
	 *
	 * @var bool
	 */
	private $checkout = false;

	/**
	 * Who logged in in this request, whom WordPress does not count as logged in before the next.
	 *
	 * @var WP_User|null
	 */
	private $user = null;

	/**
	 * A tracker for one request.
	 *
	 * @param callable|null $clock Unix time in seconds, with a fraction.
	 */
	public function __construct( ?callable $clock = null ) {
		$this->clock = null === $clock ? static function () {
			return microtime( true );
		} : $clock;
	}

	/**
	 * Adds the hooks.
	 */
	public function register(): void {
		foreach ( self::CHANGES as $hook ) {
			add_action( $hook, array( $this, 'cart_changed' ), 99, 0 );
		}
		foreach ( self::CHECKOUTS as $hook ) {
			add_action( $hook, array( $this, 'checkout_opened' ), 99, 0 );
		}
		add_action( 'woocommerce_store_api_cart_update_customer_from_request', array( $this, 'customer_typed' ), 98 );
		add_action( 'woocommerce_cart_loaded_from_session', array( $this, 'cart_loaded' ), 99, 0 );
		add_action( 'woocommerce_cart_emptied', array( $this, 'cart_emptied' ), 99 );
		add_action( 'wp_login', array( $this, 'logged_in' ), 99, 2 );
		add_action( 'agala_cart_restored', array( $this, 'cart_restored' ), 10, 0 );
		add_action( 'shutdown', array( $this, 'look' ), self::AT_THE_END, 0 );
	}

	/**
	 * Something happened to the cart or to what is known of the shopper.
	 */
	public function cart_changed(): void {
		$this->changed = true;
	}

	/**
	 * The checkout is being shown.
	 */
	public function checkout_opened(): void {
		$this->changed  = true;
		$this->checkout = true;
	}

	/**
	 * The checkout block tells what is typed: newer than anything that was typed before.
	 *
	 * @param \WC_Customer $customer The session's customer, already changed.
	 */
	public function customer_typed( $customer ): void {
		$typed = array_filter(
			array(
				'email'      => Cart_Person::email( $customer->get_billing_email() ),
				'phone'      => Cart_Person::phone( $customer->get_billing_phone() ),
				'first_name' => Cart_Person::first_name( $customer->get_billing_first_name() ),
			),
			'strlen'
		);
		Cart_Session::keep_typed( $typed );
	}

	/**
	 * The cart has come out of the session. Older WooCommerces do not say that its guest has logged in.
	 */
	public function cart_loaded(): void {
		if ( Cart_Session::was_renamed() ) {
			$this->changed = true;
		}
	}

	/**
	 * The cart was emptied.
	 *
	 * @param bool $for_good False when a session ends (the shopper logs out): their cart is kept for their return.
	 */
	public function cart_emptied( $for_good = true ): void {
		$this->changed = (bool) $for_good;
	}

	/**
	 * A shopper logged in.
	 *
	 * @param string  $login Their name.
	 * @param WP_User $user  The shopper.
	 */
	public function logged_in( $login, $user ): void {
		$this->user    = $user instanceof WP_User ? $user : null;
		$this->changed = true;
	}

	/**
	 * The cart was put back by a link. That is no change of the cart: whoever follows a link may be a machine.
	 */
	public function cart_restored(): void {
		$this->changed  = false;
		$this->checkout = false;
	}

	/**
	 * The request's end: looks at the cart, if there is a reason to, and remembers it.
	 */
	public function look(): void {
		if ( ! $this->changed || ! Cart_Session::is_there() || ! isset( WC()->cart ) || ! Cart_Visitor::is_shopper() ) {
			return;
		}
		$user = $this->user;
		if ( $user && ( $user->has_cap( 'manage_woocommerce' ) || $user->has_cap( 'manage_options' ) ) ) {
			return;
		}
		$this->changed = false;
		$this->remember( Cart_Snapshot::of_cart( WC()->cart ) );
		$this->checkout = false;
	}

	/**
	 * Writes the cart's row, if it differs.
	 *
	 * @param array $snapshot The cart.
	 */
	private function remember( array $snapshot ): void {
		$token = Cart_Session::token();
		$goods = Cart_Snapshot::goods_hash( $snapshot );
		$row   = null === $token ? null : Cart_Table::find( $token );
		if ( null !== $row && Cart_Table::CONVERTED === $row['step'] ) {
			if ( $this->is_left_over( $snapshot, $goods ) ) {
				return;
			}
			$token = null;
			$row   = null;
		}
		if ( null === $row && ! $snapshot['items'] ) {
			return;
		}
		if ( null === $row ) {
			$row = $this->begin( $token, $snapshot );
		}
		if ( null !== $row ) {
			$this->update( $row, $snapshot, Cart_Session::has_seen( $goods ) );
		}
		Cart_Session::keep_seen( $goods );
	}

	/**
	 * Whether what lies in a bought cart still lies there untouched: its payment failed or is yet to come, or it was bought on
	 * another device. Once it is empty, the next cart is a new one.
	 *
	 * @param array  $snapshot The cart of now.
	 * @param string $goods    Its goods.
	 */
	private function is_left_over( array $snapshot, string $goods ): bool {
		if ( ! $snapshot['items'] ) {
			Cart_Session::forget_token();
			return true;
		}
		return Cart_Session::has_seen( $goods );
	}

	/**
	 * Adds the row of a cart that is new; null when that is all there is to do, else the row that the session has already.
	 *
	 * @param string|null $token    Its token, where the session has one (of a row that is gone).
	 * @param array       $snapshot The cart.
	 */
	private function begin( ?string $token, array $snapshot ): ?array {
		$key   = Cart_Session::key();
		$token = null === $token ? Cart_Session::new_token() : $token;
		$row   = $this->next( array(), $snapshot );
		$new   = array_merge(
			$row,
			array(
				'token'       => $token,
				'session_key' => $key,
				'created_at'  => $row['changed_at'],
			)
		);
		if ( Cart_Table::add( $new ) ) {
			Cart_Session::keep_token( $token );
			Cart_Sender::enqueue( $token, $new['queued_at'] );
			return null;
		}
		// A second request of the same shopper came first, or they have come back to a cart of theirs.
		return Cart_Table::find_open( $key );
	}

	/**
	 * Changes the row of a known cart, if there is something new.
	 *
	 * @param array $row      The row.
	 * @param array $snapshot The cart.
	 * @param bool  $is_seen  Whether the goods are those that the session has seen last.
	 */
	private function update( array $row, array $snapshot, bool $is_seen ): void {
		$token   = $row['token'];
		$changed = $this->next( $row, $snapshot );
		if ( Cart_Session::is_restored() && $is_seen && $changed['email'] === $row['email'] && $changed['phone'] === $row['phone'] ) {
			// A link put it back and nothing more has happened. Another total on a device that knows no address, or a look at the
			// checkout, may be those of a machine that follows links.
			return;
		}
		Cart_Session::keep_token( $token );
		Cart_Session::keep_restored( false );
		$key      = Cart_Session::key();
		$is_moved = $key !== $row['session_key'];
		if ( $is_moved ) {
			$this->take_over( $key );
			$changed['session_key'] = $key;
		}
		if ( $changed['cart_hash'] !== $row['cart_hash'] ) {
			if ( Cart_Table::change( $token, $changed ) ) {
				Cart_Sender::enqueue( $token, $changed['queued_at'], (int) $row['queued_at'] );
			}
		} elseif ( $is_moved ) {
			Cart_Table::change( $token, array( 'session_key' => $key ) );
		}
	}

	/**
	 * The session's cart is another one from now on: what it had open before has gone into this one.
	 *
	 * @param string $key The session.
	 */
	private function take_over( string $key ): void {
		$other = Cart_Table::find_open( $key );
		if ( null === $other ) {
			return;
		}
		$ended = array(
			'session_key' => null,
			'step'        => Cart_Table::EMPTIED,
			'cart_hash'   => '',
			'changed_at'  => $this->now_after( $other ),
			'outcome'     => Cart_Table::WAITING,
			'tries'       => 0,
		);

		$ended['queued_at'] = Cart_Sender::due( array_merge( $other, $ended ), intdiv( $ended['changed_at'], 1000 ) );
		if ( Cart_Table::change( $other['token'], $ended ) ) {
			Cart_Sender::enqueue( $other['token'], $ended['queued_at'], (int) $other['queued_at'] );
		}
	}

	/**
	 * A row's columns as they are after this request.
	 *
	 * @param array $row      The row, empty for a new cart.
	 * @param array $snapshot The cart.
	 */
	private function next( array $row, array $snapshot ): array {
		$now      = $this->now_after( $row );
		$before   = isset( $row['state'] ) ? (array) json_decode( $row['state'], true ) : array();
		$person   = Cart_Person::with_before( Cart_Person::known( $this->user ), $row, $before );
		$consent  = array_merge( Cart_Person::choices( $before, $row, $person ), Consent::of_cart() );
		$checkout = isset( $row['checkout_at'] ) ? (int) $row['checkout_at'] : 0;
		$checkout = 0 === $checkout && $this->checkout ? $now : $checkout;
		$state    = array_merge(
			$snapshot,
			array(
				'first_name' => $person['first_name'],
				'locale'     => $this->locale( $before ),
				'consent'    => $consent,
			)
		);
		$changed = array(
			'customer_id' => $person['customer_id'],
			'email'       => $person['email'],
			'phone'       => $person['phone'],
			'state'       => (string) wp_json_encode( $state ),
			'cart_hash'   => self::hash( $snapshot, $person, $consent, $checkout > 0 ),
			'step'        => $this->step( $row, $snapshot, $checkout ),
			'checkout_at' => $checkout,
			'changed_at'  => $now,
			'outcome'     => Cart_Table::WAITING,
			'tries'       => 0,
		);
		// In the same write: a change costs one.
		$changed['queued_at'] = Cart_Sender::due( array_merge( $row, $changed ), intdiv( $now, 1000 ) );
		return $changed;
	}

	/**
	 * Names all that counts as a change when it differs.
	 *
	 * @param array $snapshot The cart.
	 * @param array $person   The shopper.
	 * @param array $consent  The shopper's choices.
	 * @param bool  $checkout Whether the checkout was reached.
	 */
	private static function hash( array $snapshot, array $person, array $consent, bool $checkout ): string {
		ksort( $person );
		ksort( $consent );
		return md5( (string) wp_json_encode( array( $snapshot, $person, $consent, $checkout ) ) );
	}

	/**
	 * What there is to tell. That the checkout was reached is told until Agala has taken it.
	 *
	 * @param array $row      The row, empty for a new cart.
	 * @param array $snapshot The cart.
	 * @param int   $checkout When the checkout was reached, 0: not yet.
	 */
	private function step( array $row, array $snapshot, int $checkout ): string {
		if ( ! $snapshot['items'] ) {
			return Cart_Table::EMPTIED;
		}
		$told = isset( $row['sent_at'] ) && (int) $row['sent_at'] >= $checkout;
		return $checkout > 0 && ! $told ? Cart_Table::CHECKOUT : Cart_Table::UPDATED;
	}

	/**
	 * The language of the page. Calls in the background do not know it, so a cart keeps the one it has.
	 *
	 * @param array $before The state of before, empty for a new cart.
	 */
	private function locale( array $before ): string {
		$is_page = ! wp_doing_ajax() && ! ( defined( 'REST_REQUEST' ) && REST_REQUEST );
		return empty( $before['locale'] ) || $is_page ? determine_locale() : (string) $before['locale'];
	}

	/**
	 * Now in Unix milliseconds, later than the row's last change also where two follow at once.
	 *
	 * @param array $row The row, empty for a new cart.
	 */
	private function now_after( array $row ): int {
		$now = (int) floor( call_user_func( $this->clock ) * 1000 );
		return isset( $row['changed_at'] ) ? max( $now, (int) $row['changed_at'] + 1 ) : $now;
	}
}
