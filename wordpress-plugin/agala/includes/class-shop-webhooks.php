<?php
/**
 * WooCommerce's webhooks that go to Agala.
 *
 * @package Agala
 */

namespace Agala;

use WC_Data_Store;

defined( 'ABSPATH' ) || exit;

/**
 * Agala registers the webhooks over REST; here they are looked at and, on disconnecting, deleted.
 */
final class Shop_Webhooks {

	/**
	 * Ours are those that deliver to this address.
	 *
	 * @param string $delivery_url The connection's webhook address.
	 * @return \WC_Webhook[]
	 */
	public static function to( string $delivery_url ): array {
		$ours = array();
		foreach ( WC_Data_Store::load( 'webhook' )->get_webhooks_ids() as $id ) {
			$webhook = wc_get_webhook( $id );
			if ( $webhook && $webhook->get_delivery_url() === $delivery_url ) {
				$ours[] = $webhook;
			}
		}
		return $ours;
	}

	/**
	 * Deletes ours.
	 *
	 * @param string $delivery_url The connection's webhook address.
	 * @return int How many there were.
	 */
	public static function delete( string $delivery_url ): int {
		$ours = self::to( $delivery_url );
		foreach ( $ours as $webhook ) {
			$webhook->delete( true );
		}
		return count( $ours );
	}
}
