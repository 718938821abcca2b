<?php
/**
 * What the plugin keeps about people, for WordPress's privacy tools.
 *
 * @package Agala
 */

namespace Agala;

use WC_Order;
use WP_User;

defined( 'ABSPATH' ) || exit;

/**
 * Text for the shop's privacy policy; exporting and erasing what this shop keeps for Agala about a person: carts, and
 * what orders and accounts say of consent and occasions. What Agala itself keeps is exported and erased in Agala.
 */
final class Privacy {

	private const PER_PAGE = 20;

	/**
	 * Of orders; the first of them of users as well.
	 */
	private const META = array( '_agala_consent', '_agala_occasion', '_agala_cart_token', '_agala_locale' );

	/**
	 * How WooCommerce names the answers at the checkout block on an order (see Consent_Block and Questions_Block).
	 */
	public const BLOCK_FIELDS = '_wc_other/agala/';

	/**
	 * Adds the hooks.
	 */
	public function register(): void {
		add_action( 'admin_init', array( $this, 'suggest_policy' ) );
		add_filter( 'wp_privacy_personal_data_exporters', array( $this, 'add_exporter' ) );
		add_filter( 'wp_privacy_personal_data_erasers', array( $this, 'add_eraser' ) );
	}

	/**
	 * Suggests what the shop's privacy policy may say.
	 */
	public function suggest_policy(): void {
		$tutorial  = __( 'This shop sends what happens in carts and orders to Agala, which writes to shoppers for you. Check that the text below says what you do, and name who runs Agala for you.', 'agala' );
		$sentences = array(
			sprintf(
				/* translators: %d: a number of days. */
				__( 'When you put something into the cart, we remember the cart together with your email address and phone number as soon as you have entered them, so that we can help you to complete the purchase. It is deleted here %d days after its last change.', 'agala' ),
				(int) Options::settings()['restore_days'] + Cart_Sender::KEPT_BESIDES
			),
			__( 'Carts, orders and the contact details in them are sent to Agala, the service with which we send messages. Agala writes to you about offers only if you agreed to it, and every message has a way to stop them.', 'agala' ),
			__( 'If you agree to messages, we keep what you agreed to, when and on which page, as proof.', 'agala' ),
			__( 'If you tell us the occasion of a purchase and its date and ask to be reminded, we keep both to remind you in time.', 'agala' ),
		);
		$policy    = '<p class="privacy-policy-tutorial">' . esc_html( $tutorial ) . '</p>';
		foreach ( $sentences as $sentence ) {
			$policy .= '<p>' . esc_html( $sentence ) . '</p>';
		}
		$policy .= '<p class="privacy-policy-tutorial">' . esc_html( self::how_to_erase_there() ) . '</p>';
		wp_add_privacy_policy_content( __( 'Agala', 'agala' ), $policy );
	}

	/**
	 * Names our exporter.
	 *
	 * @param array[] $exporters The exporters there.
	 */
	public function add_exporter( $exporters ) {
		$exporters['agala'] = array(
			'exporter_friendly_name' => __( 'Agala', 'agala' ),
			'callback'               => array( $this, 'export' ),
		);
		return $exporters;
	}

	/**
	 * Names our eraser.
	 *
	 * @param array[] $erasers The erasers there.
	 */
	public function add_eraser( $erasers ) {
		$erasers['agala'] = array(
			'eraser_friendly_name' => __( 'Agala', 'agala' ),
			'callback'             => array( $this, 'erase' ),
		);
		return $erasers;
	}

	/**
	 * What this shop keeps about a person.
	 *
	 * @param string $email The person's email.
	 * @param int    $page  From 1.
	 */
	public function export( $email, $page = 1 ): array {
		$page   = (int) $page;
		$carts  = Cart_Table::of_person( $email, $page, self::PER_PAGE, self::account_of( $email ) );
		$orders = self::orders_of( $email, $page );
		$data   = 1 === $page ? self::export_user( $email ) : array();
		foreach ( $carts as $cart ) {
			$data[] = self::group( 'carts', __( 'Carts', 'agala' ), 'agala-cart-' . $cart['token'], self::cart_lines( $cart ) );
		}
		foreach ( $orders as $order ) {
			$lines = self::meta_lines( array( $order, 'get_meta' ) );
			if ( $lines ) {
				$data[] = self::group( 'orders', __( 'What you agreed to and told us with orders', 'agala' ), 'agala-order-' . $order->get_id(), $lines );
			}
		}
		return array(
			'data' => $data,
			'done' => count( $carts ) < self::PER_PAGE && count( $orders ) < self::PER_PAGE,
		);
	}

	/**
	 * Erases what this shop keeps about a person for Agala. Nothing is sent to Agala: the answer says what to do there.
	 *
	 * @param string $email The person's email.
	 * @param int    $page  From 1.
	 */
	public function erase( $email, $page = 1 ): array {
		$removed = 0;
		if ( 1 === (int) $page ) {
			$removed = Cart_Table::erase( $email, self::account_of( $email ) );
			$user    = get_user_by( 'email', $email );
			if ( $user instanceof WP_User && delete_user_meta( $user->ID, self::META[0] ) ) {
				++$removed;
			}
		}
		$orders = self::orders_of( $email, (int) $page );
		foreach ( $orders as $order ) {
			$removed += self::erase_order( $order ) ? 1 : 0;
		}
		$done = count( $orders ) < self::PER_PAGE;
		return array(
			'items_removed'  => $removed > 0,
			'items_retained' => false,
			'messages'       => $done && Options::is_connected() ? array( self::how_to_erase_there() ) : array(),
			'done'           => $done,
		);
	}

	/**
	 * The shop's copy is one thing, Agala's another.
	 */
	private static function how_to_erase_there(): string {
		return __( 'Agala keeps a record of its own about each contact. To export or erase it there, open the contact in Agala and choose "Export" or "Erase"; the tools of WordPress do not do that.', 'agala' );
	}

	/**
	 * The account with this email, 0 for none.
	 *
	 * @param string $email The person's email.
	 */
	private static function account_of( string $email ): int {
		$user = get_user_by( 'email', $email );
		return $user instanceof WP_User ? $user->ID : 0;
	}

	/**
	 * A page of a person's orders.
	 *
	 * @param string $email The person's email.
	 * @param int    $page  From 1.
	 * @return WC_Order[]
	 */
	private static function orders_of( string $email, int $page ): array {
		$user = get_user_by( 'email', $email );
		return wc_get_orders(
			array(
				'type'     => 'shop_order',
				'customer' => $user instanceof WP_User ? array( $email, $user->ID ) : array( $email ),
				'limit'    => self::PER_PAGE,
				'page'     => $page,
				'orderby'  => 'ID',
				'order'    => 'ASC',
			)
		);
	}

	/**
	 * Takes our meta from an order.
	 *
	 * @param WC_Order $order The order.
	 * @return bool Whether there was any.
	 */
	private static function erase_order( WC_Order $order ): bool {
		$kept = array();
		foreach ( $order->get_meta_data() as $meta ) {
			if ( in_array( $meta->key, self::META, true ) || 0 === strpos( $meta->key, self::BLOCK_FIELDS ) ) {
				$kept[] = $meta->key;
			}
		}
		foreach ( $kept as $key ) {
			$order->delete_meta_data( $key );
		}
		if ( $kept ) {
			$order->save();
		}
		return array() !== $kept;
	}

	/**
	 * What a person's account says.
	 *
	 * @param string $email The person's email.
	 */
	private static function export_user( string $email ): array {
		$user = get_user_by( 'email', $email );
		if ( ! $user instanceof WP_User ) {
			return array();
		}
		$lines = self::meta_lines(
			function ( $key ) use ( $user ) {
				return get_user_meta( $user->ID, $key, true );
			}
		);
		return $lines ? array( self::group( 'account', __( 'What you agreed to in your account', 'agala' ), 'agala-user-' . $user->ID, $lines ) ) : array();
	}

	/**
	 * A cart, line by line.
	 *
	 * @param array $cart A row of Cart_Table.
	 */
	private static function cart_lines( array $cart ): array {
		$state = json_decode( $cart['state'], true );
		$items = array();
		foreach ( isset( $state['items'] ) && is_array( $state['items'] ) ? $state['items'] : array() as $item ) {
			$items[] = $item['name'] . ' × ' . $item['quantity'];
		}
		return self::lines(
			array(
				__( 'Last change', 'agala' ) => wp_date( 'c', intdiv( (int) $cart['changed_at'], 1000 ) ),
				__( 'Email', 'agala' )       => $cart['email'],
				__( 'Phone', 'agala' )       => $cart['phone'],
				__( 'In the cart', 'agala' ) => implode( ', ', $items ),
			)
		);
	}

	/**
	 * Our meta of an order or a user, line by line.
	 *
	 * @param callable $read Gives the meta of a key.
	 */
	private static function meta_lines( callable $read ): array {
		$names = array(
			'_agala_consent'    => __( 'Consent', 'agala' ),
			'_agala_occasion'   => __( 'Occasion', 'agala' ),
			'_agala_cart_token' => __( 'Cart', 'agala' ),
			'_agala_locale'     => __( 'Language', 'agala' ),
		);
		$lines = array();
		foreach ( $names as $key => $name ) {
			$value          = $read( $key );
			$lines[ $name ] = is_scalar( $value ) ? (string) $value : (string) wp_json_encode( $value, JSON_UNESCAPED_UNICODE );
		}
		return self::lines( $lines );
	}

	/**
	 * In the shape that WordPress wants, without empty lines.
	 *
	 * @param array<string, string> $lines Names and values.
	 */
	private static function lines( array $lines ): array {
		$told = array();
		foreach ( $lines as $name => $value ) {
			if ( '' !== $value ) {
				$told[] = array(
					'name'  => $name,
					'value' => esc_html( $value ),
				);
			}
		}
		return $told;
	}

	/**
	 * One thing in the export.
	 *
	 * @param string $group What kind of thing.
	 * @param string $words The kind's name.
	 * @param string $id    The thing's id.
	 * @param array  $lines Its lines.
	 */
	private static function group( string $group, string $words, string $id, array $lines ): array {
		return array(
			'group_id'    => 'agala-' . $group,
			'group_label' => $words,
			'item_id'     => $id,
			'data'        => $lines,
		);
	}
}
