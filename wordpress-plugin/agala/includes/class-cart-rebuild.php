<?php
/**
 * Puts a cart together again.
 *
 * @package Agala
 */

namespace Agala;

use WC_Cart;
use WC_Product;

defined( 'ABSPATH' ) || exit;

/**
 * Adds what a cart held to the visitor's own cart, as far as the shop still has it, and tells what is missing.
 */
final class Cart_Rebuild {

	/**
	 * The visitor's cart.
	 *
	 * @var WC_Cart
	 */
	private $cart;

	/**
	 * Names of what is gone.
	 *
	 * @var string[]
	 */
	private $gone = array();

	/**
	 * Names of what there are fewer of.
	 *
	 * @var string[]
	 */
	private $fewer = array();

	/**
	 * Codes of coupons that do not apply any more.
	 *
	 * @var string[]
	 */
	private $coupons = array();

	/**
	 * Puts together one cart.
	 *
	 * @param WC_Cart $cart The visitor's cart.
	 */
	public function __construct( WC_Cart $cart ) {
		$this->cart = $cart;
	}

	/**
	 * Adds goods and coupons. What the visitor has in the cart already is not doubled.
	 *
	 * @param array $state As Cart_Snapshot describes it.
	 */
	public function put_back( array $state ): void {
		// What WooCommerce says about each item is said once, in our words: see `notices`.
		$notices = wc_get_notices();
		foreach ( $state['items'] as $item ) {
			if ( empty( $item['part'] ) ) {
				$this->add( $item );
			}
		}
		foreach ( $state['coupons'] as $code ) {
			if ( ! $this->cart->has_discount( $code ) && ! $this->cart->apply_coupon( $code ) ) {
				$this->coupons[] = $code;
			}
		}
		$this->cart->calculate_totals();
		wc_set_notices( $notices );
	}

	/**
	 * What the visitor should know, as HTML.
	 *
	 * @return string[]
	 */
	public function notices(): array {
		$notices = array();
		if ( $this->gone ) {
			/* translators: %s: names of products. */
			$notices[] = sprintf( esc_html__( 'No longer available, so not in your cart: %s', 'agala' ), self::named( $this->gone ) );
		}
		if ( $this->fewer ) {
			/* translators: %s: names of products. */
			$notices[] = sprintf( esc_html__( 'There are fewer in stock than you had chosen: %s', 'agala' ), self::named( $this->fewer ) );
		}
		if ( $this->coupons ) {
			/* translators: %s: coupon codes. */
			$notices[] = sprintf( esc_html__( 'These coupons no longer apply: %s', 'agala' ), self::named( $this->coupons ) );
		}
		return $notices;
	}

	/**
	 * Adds one item.
	 *
	 * @param array $item As Cart_Snapshot describes it.
	 */
	private function add( array $item ): void {
		$product = wc_get_product( $item['variation_id'] ? $item['variation_id'] : $item['product_id'] );
		if ( ! $product instanceof WC_Product || ! $product->is_purchasable() || ! $product->is_in_stock() ) {
			$this->gone[] = $item['name'];
			return;
		}
		$id     = $this->cart->generate_cart_id( $item['product_id'], $item['variation_id'], $item['variation'], $item['data'] );
		$lying  = $this->cart->get_cart_item( $this->cart->find_product_in_cart( $id ) );
		$own    = $lying ? (float) $lying['quantity'] : 0.0;
		$wanted = (float) $item['quantity'];
		$most   = min( $wanted, $this->most( $product, $own ) );
		if ( $most <= 0 && $own <= 0 ) {
			$this->gone[] = $item['name'];
			return;
		}
		if ( $most < $wanted ) {
			$this->fewer[] = $item['name'];
		}
		if ( $most > $own && ! $this->put( $item, $most - $own ) ) {
			$this->gone[] = $item['name'];
		}
	}

	/**
	 * Adds so many of an item, if other plugins agree.
	 *
	 * @param array $item     As Cart_Snapshot describes it.
	 * @param float $quantity How many.
	 */
	private function put( array $item, float $quantity ): bool {
		$quantity = floor( $quantity ) === $quantity ? (int) $quantity : $quantity;
		// phpcs:ignore WordPress.NamingConventions -- WooCommerce's own hook, asked as it asks for an order that is ordered again.
		$is_fine = apply_filters( 'woocommerce_add_to_cart_validation', true, $item['product_id'], $quantity, $item['variation_id'], $item['variation'], $item['data'] );
		return $is_fine && false !== $this->cart->add_to_cart( $item['product_id'], $quantity, $item['variation_id'], $item['variation'], $item['data'] );
	}

	/**
	 * How many of a product this cart line may hold.
	 *
	 * @param WC_Product $product The product or variation.
	 * @param float      $own     How many the line holds now.
	 */
	private function most( WC_Product $product, float $own ): float {
		if ( $product->is_sold_individually() ) {
			return 1.0;
		}
		if ( ! $product->managing_stock() || $product->backorders_allowed() ) {
			return INF;
		}
		$quantities = $this->cart->get_cart_item_quantities();
		$stock_id   = $product->get_stock_managed_by_id();
		$in_cart    = isset( $quantities[ $stock_id ] ) ? (float) $quantities[ $stock_id ] : 0.0;
		return floor( (float) $product->get_stock_quantity() ) - ( $in_cart - $own );
	}

	/**
	 * Names in a list.
	 *
	 * @param string[] $names Plain texts.
	 */
	private static function named( array $names ): string {
		return esc_html( implode( ', ', array_unique( $names ) ) );
	}
}
