<?php
/**
 * For tests of a connected shop: a connection, and an Agala that answers as told.
 */

namespace Agala\Tests;

use Agala\Options;

trait ConnectedShop {
	/** A connection as Agala's answer makes it. */
	protected static function connect( array $changes = array() ): array {
		$address    = 'https://agala.example';
		$connection = array(
			'address'      => $address,
			'store_id'     => '01shop',
			'secret'       => 'secret-of-the-shop',
			'webhook_url'  => "$address/webhooks/woocommerce/01shop",
			'carts_url'    => "$address/v1/stores/01shop/carts",
			'plugin_url'   => "$address/v1/stores/01shop/plugin",
			'connected_at' => 1700000000,
		);
		Options::save_connection( $changes + $connection );
		return $changes + $connection;
	}

	/** What Agala answers to the call that connects. */
	protected static function connection_answer( string $address = 'https://agala.example' ): array {
		return array(
			'store_id'    => '01shop',
			'secret'      => 'secret-of-the-shop',
			'webhook_url' => "$address/webhooks/woocommerce/01shop",
			'carts_url'   => "$address/v1/stores/01shop/carts",
			'plugin_url'  => "$address/v1/stores/01shop/plugin",
			'keys_url'    => "$address/v1/connections/01shop/keys/once",
		);
	}

	/** Answers per end of the address; everything else gets 200 and {}. */
	protected function agala_answers( array $answers ): void {
		$this->responder = static function ( $request ) use ( $answers ) {
			foreach ( $answers as $end => $answer ) {
				if ( substr( $request['url'], -strlen( $end ) ) === $end ) {
					return $answer;
				}
			}
			return null;
		};
	}

	/** A code as Agala makes it. */
	protected static function code( string $address = 'https://agala.example', string $key = 'the-key' ): string {
		$json = wp_json_encode( array( 'address' => $address, 'key' => $key ), JSON_UNESCAPED_SLASHES );
		return 'agala_' . rtrim( strtr( base64_encode( $json ), '+/', '-_' ), '=' );
	}

	/** Somebody who may manage the shop. */
	protected static function log_in_as_owner(): int {
		$users = get_users( array( 'role' => 'administrator', 'number' => 1, 'fields' => 'ID' ) );
		wp_set_current_user( (int) $users[0] );
		return (int) $users[0];
	}

	/** Runs what ends with a redirect; gives where to. */
	protected function redirect_of( callable $what ): string {
		$stop = static function ( $where ) {
			throw new Redirected( $where );
		};
		add_filter( 'wp_redirect', $stop );
		try {
			$what();
		} catch ( Redirected $redirected ) {
			return $redirected->getMessage();
		} finally {
			remove_filter( 'wp_redirect', $stop );
		}
		$this->fail( 'no redirect' );
	}

	/** Sends a form of ours as the present user would. */
	protected static function form( string $action, array $fields = array() ): void {
		$_POST    = wp_slash( $fields + array( '_wpnonce' => wp_create_nonce( $action ) ) );
		$_REQUEST = $_POST;
	}

	/** What the settings page would say next, as plain text. */
	protected static function notices(): string {
		ob_start();
		\Agala\Notices::show();
		return html_entity_decode( wp_strip_all_tags( ob_get_clean() ), ENT_QUOTES );
	}
}

final class Redirected extends \Exception {}
