<?php
/**
 * A cart in the words of Agala's API.
 *
 * @package Agala
 */

namespace Agala;

use WC_Product;

defined( 'ABSPATH' ) || exit;

/**
 * Builds the body of a cart call out of a cart's row. Runs in the background: pictures, addresses and categories are
 * looked up here.
 */
final class Cart_Message {

	private const LONGEST_URL  = 1000; // Bytes; Agala drops longer ones.
	private const LARGEST_BODY = 800000; // Bytes; Agala takes a MiB.
	private const FEWER_ITEMS  = 100; // Sent of a cart whose body would be larger.

	/**
	 * The body.
	 *
	 * @param array $row As Cart_Table returns it.
	 */
	public static function of_row( array $row ): array {
		$state = (array) json_decode( $row['state'], true );
		$body  = array_filter(
			array(
				'id'          => self::id( $row ),
				'token'       => $row['token'],
				'event'       => $row['step'],
				'occurred_at' => self::time( $row ),
				'email'       => $row['email'],
				'phone'       => $row['phone'],
				'first_name'  => self::text( $state, 'first_name' ),
				'locale'      => self::text( $state, 'locale' ),
				'customer_id' => (int) $row['customer_id'] ? (string) $row['customer_id'] : '',
				'order_id'    => (int) $row['order_id'] ? (string) $row['order_id'] : '',
			),
			'strlen'
		);
		$body['items'] = self::items( $row, $state );
		$body['total'] = Minor_Units::money( Cart_Table::EMPTIED === $row['step'] ? 0 : (int) $state['total'], $state['currency'] );
		if ( ! empty( $state['coupons'] ) ) {
			$body['coupons'] = $state['coupons'];
		}
		if ( in_array( $row['step'], array( Cart_Table::UPDATED, Cart_Table::CHECKOUT ), true ) ) {
			$body['restore_url'] = Restore_Link::url( $row['token'], (int) $row['changed_at'], '' !== $row['email'] ? $row['email'] : $row['phone'] );
		}
		if ( ! empty( $state['consent'] ) ) {
			$body['consent'] = self::consent( $state['consent'] );
		}
		if ( strlen( (string) wp_json_encode( $body ) ) > self::LARGEST_BODY ) {
			$body['items'] = array_slice( $body['items'], 0, self::FEWER_ITEMS );
		}
		return $body;
	}

	/**
	 * Names one change of one cart: the same however often it is sent.
	 *
	 * @param array $row As Cart_Table returns it.
	 */
	private static function id( array $row ): string {
		$hash = sha1( 'agala-cart|' . $row['token'] . '|' . $row['changed_at'] . '|' . $row['step'] );
		return sprintf( '%s-%s-5%s-a%s-%s', substr( $hash, 0, 8 ), substr( $hash, 8, 4 ), substr( $hash, 13, 3 ), substr( $hash, 17, 3 ), substr( $hash, 20, 12 ) );
	}

	/**
	 * When it changed, in UTC with milliseconds.
	 *
	 * @param array $row As Cart_Table returns it.
	 */
	private static function time( array $row ): string {
		$at = (int) $row['changed_at'];
		return sprintf( '%s.%03dZ', gmdate( 'Y-m-d\TH:i:s', intdiv( $at, 1000 ) ), $at % 1000 );
	}

	/**
	 * The lines; none for an emptied cart.
	 *
	 * @param array $row   As Cart_Table returns it.
	 * @param array $state Its state.
	 */
	private static function items( array $row, array $state ): array {
		if ( Cart_Table::EMPTIED === $row['step'] ) {
			return array();
		}
		$items = array();
		foreach ( $state['items'] as $item ) {
			$items[] = self::item( $item, $state['currency'] );
		}
		return $items;
	}

	/**
	 * One line.
	 *
	 * @param array  $item     As Cart_Snapshot describes it.
	 * @param string $currency ISO code.
	 */
	private static function item( array $item, string $currency ): array {
		$quantity = (float) $item['quantity'];
		$is_whole = floor( $quantity ) === $quantity && $quantity >= 1;
		// Half a kilo is one of what half a kilo costs: Agala counts in whole numbers.
		$price = $is_whole ? (int) $item['price'] : (int) round( $item['price'] * $quantity );
		$told  = array( 'product_id' => (string) $item['product_id'] );
		if ( $item['variation_id'] ) {
			$told['variation_id'] = (string) $item['variation_id'];
		}
		$told['name']     = $item['name'];
		$told['quantity'] = $is_whole ? (int) $quantity : 1;
		$told['price']    = Minor_Units::money( $price, $currency );
		$product          = wc_get_product( $item['variation_id'] ? $item['variation_id'] : $item['product_id'] );
		return $product instanceof WC_Product ? array_merge( $told, self::looks( $product, (int) $item['product_id'] ) ) : $told;
	}

	/**
	 * Picture, page and categories of a product.
	 *
	 * @param WC_Product $product    The product or variation.
	 * @param int        $product_id The product that has the categories.
	 */
	private static function looks( WC_Product $product, int $product_id ): array {
		$looks = array();
		$image = $product->get_image_id() ? wp_get_attachment_image_url( $product->get_image_id(), 'woocommerce_thumbnail' ) : false;
		if ( $image && strlen( $image ) <= self::LONGEST_URL ) {
			$looks['image'] = $image;
		}
		$url = $product->get_permalink();
		if ( $url && strlen( $url ) <= self::LONGEST_URL ) {
			$looks['url'] = $url;
		}
		$parent     = $product->get_id() === $product_id ? $product : wc_get_product( $product_id );
		$categories = $parent instanceof WC_Product ? $parent->get_category_ids() : array();
		if ( $categories ) {
			$looks['categories'] = array_values( array_map( 'strval', $categories ) );
		}
		return $looks;
	}

	/**
	 * The shopper's choices.
	 *
	 * @param array $choices As Consent keeps them.
	 */
	private static function consent( array $choices ): array {
		$told = array();
		foreach ( $choices as $channel => $choice ) {
			$told[ $channel ] = array(
				'status' => $choice['status'],
				'text'   => $choice['text'],
				'at'     => $choice['at'],
			);
		}
		return $told;
	}

	/**
	 * A text of the state.
	 *
	 * @param array  $state The state.
	 * @param string $key   Its key.
	 */
	private static function text( array $state, string $key ): string {
		return isset( $state[ $key ] ) && is_string( $state[ $key ] ) ? $state[ $key ] : '';
	}
}
