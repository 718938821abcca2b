<?php
/**
 * What is in a cart.
 *
 * @package Agala
 */

namespace Agala;

use WC_Cart;
use WC_Product;

defined( 'ABSPATH' ) || exit;

/**
 * Reads WooCommerce's cart into plain data, from memory alone: pictures, addresses and categories are looked up when
 * the cart is sent, not while the shopper waits.
 */
final class Cart_Snapshot {

	public const LONGEST_NAME = 200; // Characters.

	private const MOST_DATA = 2000; // Bytes of the JSON of what other plugins keep with an item.

	/**
	 * Keys of a cart item that are WooCommerce's own, or that belong to the session it lay in.
	 */
	private const NOT_DATA = array(
		'key',
		'product_id',
		'variation_id',
		'variation',
		'quantity',
		'data',
		'data_hash',
		'line_tax_data',
		'line_subtotal',
		'line_subtotal_tax',
		'line_total',
		'line_tax',
		'bundled_items',
		'composite_children',
		'mnm_contents',
	);

	/**
	 * Keys that say that an item is part of another one, which brings it along by itself.
	 */
	private const PART_OF = array( 'bundled_by', 'composite_parent', 'mnm_container' );

	/**
	 * The cart as it is now.
	 *
	 * @param WC_Cart $cart WooCommerce's cart, its totals calculated.
	 * @return array {
	 *     @type string   $currency ISO code.
	 *     @type int      $total    In minor units, all in, as the shopper sees it.
	 *     @type string[] $coupons  Codes.
	 *     @type array[]  $items    Each `product_id`, `variation_id`, `quantity`, `name`, `price` (minor units, of one, with or
	 *                              without tax as the shop shows it), `variation` (attributes), `data` (of other plugins), `part` (bool).
	 * }
	 */
	public static function of_cart( WC_Cart $cart ): array {
		$currency = get_woocommerce_currency();
		$with_tax = $cart->display_prices_including_tax();
		$items    = array();
		foreach ( $cart->get_cart() as $item ) {
			if ( isset( $item['data'] ) && $item['data'] instanceof WC_Product ) {
				$items[] = self::item( $item, $currency, $with_tax );
			}
		}
		return array(
			'currency' => $currency,
			'total'    => $items ? Minor_Units::of( (float) $cart->get_total( 'edit' ), $currency ) : 0,
			'coupons'  => array_values( array_map( 'strval', $cart->get_applied_coupons() ) ),
			'items'    => $items,
		);
	}

	/**
	 * Names the goods and coupons, whatever they cost.
	 *
	 * @param array $snapshot As `of_cart` returns it.
	 */
	public static function goods_hash( array $snapshot ): string {
		$goods = array();
		foreach ( $snapshot['items'] as $item ) {
			$goods[] = array( $item['product_id'], $item['variation_id'], $item['variation'], $item['quantity'], $item['data'] );
		}
		return md5( (string) wp_json_encode( array( $goods, $snapshot['coupons'] ) ) );
	}

	/**
	 * One line of the cart.
	 *
	 * @param array  $item     WooCommerce's cart item.
	 * @param string $currency ISO code.
	 * @param bool   $with_tax Whether the shop shows prices with tax.
	 */
	private static function item( array $item, string $currency, bool $with_tax ): array {
		$quantity = (float) $item['quantity'];
		return array(
			'product_id'   => (int) $item['product_id'],
			'variation_id' => (int) $item['variation_id'],
			'quantity'     => floor( $quantity ) === $quantity ? (int) $quantity : $quantity,
			'name'         => self::plain( $item['data']->get_name() ),
			'price'        => Minor_Units::of( self::price( $item, $quantity, $with_tax ), $currency ),
			'variation'    => self::attributes( isset( $item['variation'] ) ? $item['variation'] : array() ),
			'data'         => self::data( $item ),
			'part'         => array() !== array_intersect( self::PART_OF, array_keys( $item ) ),
		);
	}

	/**
	 * The price of one, as the cart's line was calculated; the product's own where it was not.
	 *
	 * @param array $item     WooCommerce's cart item.
	 * @param float $quantity How many.
	 * @param bool  $with_tax Whether the shop shows prices with tax.
	 */
	private static function price( array $item, float $quantity, bool $with_tax ): float {
		if ( ! isset( $item['line_subtotal'] ) || $quantity <= 0 ) {
			return (float) $item['data']->get_price();
		}
		$line = (float) $item['line_subtotal'];
		if ( $with_tax && isset( $item['line_subtotal_tax'] ) ) {
			$line += (float) $item['line_subtotal_tax'];
		}
		return $line / $quantity;
	}

	/**
	 * The chosen attributes of a variation.
	 *
	 * @param mixed $variation As WooCommerce keeps it.
	 */
	private static function attributes( $variation ): array {
		return is_array( $variation ) ? array_map( 'strval', array_filter( $variation, 'is_scalar' ) ) : array();
	}

	/**
	 * What other plugins keep with an item (an engraving, a gift wrap), as far as it is plain data of sensible size.
	 *
	 * @param array $item WooCommerce's cart item.
	 */
	private static function data( array $item ): array {
		$data = array_filter( array_diff_key( $item, array_flip( self::NOT_DATA ) ), array( self::class, 'is_plain' ) );
		if ( ! $data ) {
			return array();
		}
		$json = wp_json_encode( $data );
		return is_string( $json ) && strlen( $json ) <= self::MOST_DATA ? $data : array();
	}

	/**
	 * Whether a value is text, a number, yes or no, or a list of such.
	 *
	 * @param mixed $value Any value.
	 */
	private static function is_plain( $value ): bool {
		if ( is_array( $value ) ) {
			foreach ( $value as $part ) {
				if ( ! self::is_plain( $part ) ) {
					return false;
				}
			}
			return true;
		}
		return null === $value || is_scalar( $value );
	}

	/**
	 * A name as text, without tags and entities, at most `LONGEST_NAME` characters.
	 *
	 * @param string $name As WordPress keeps it.
	 */
	private static function plain( string $name ): string {
		// Cut roughly first: stripping tags from a whole novel would take the shopper's time.
		$text = wp_check_invalid_utf8( substr( $name, 0, 20 * self::LONGEST_NAME ), true );
		return mb_substr( html_entity_decode( wp_strip_all_tags( $text ), ENT_QUOTES, 'UTF-8' ), 0, self::LONGEST_NAME );
	}
}
