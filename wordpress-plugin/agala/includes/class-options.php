<?php
/**
 * What the plugin keeps in WordPress's options.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

/**
 * The only reader and writer of the plugin's options.
 */
final class Options {

	public const CONNECTION  = 'agala_connection';
	public const SETTINGS    = 'agala_settings';
	public const RESTORE_KEY = 'agala_restore_key';
	public const VERSION     = 'agala_version';

	public const LEAST_MINUTES = 10;
	public const MOST_MINUTES  = 10080;
	public const LEAST_DAYS    = 1;
	public const MOST_DAYS     = 90;

	public const CHANNELS  = array( 'email', 'sms', 'whatsapp' );
	public const OCCASIONS = array( 'birthday', 'wedding', 'anniversary', 'newborn', 'holiday', 'housewarming', 'other' );

	/**
	 * How we reach Agala, or null while the shop is not connected.
	 *
	 * @return array|null {
	 *     @type string $address      Agala's public address, without a slash at its end.
	 *     @type string $store_id     The shop's id at Agala.
	 *     @type string $secret       Signs webhooks and our calls.
	 *     @type string $webhook_url  Where WooCommerce's webhooks go.
	 *     @type string $carts_url    Where cart activity goes.
	 *     @type string $plugin_url   Where the plugin's own calls go; `/status` and others are added to it.
	 *     @type int    $connected_at Unix seconds.
	 * }
	 */
	public static function connection(): ?array {
		$connection = get_option( self::CONNECTION );
		foreach ( array( 'address', 'store_id', 'secret', 'webhook_url', 'carts_url', 'plugin_url' ) as $key ) {
			if ( ! is_array( $connection ) || empty( $connection[ $key ] ) || ! is_string( $connection[ $key ] ) ) {
				return null;
			}
		}
		return $connection;
	}

	/**
	 * Whether the shop is connected.
	 */
	public static function is_connected(): bool {
		return null !== self::connection();
	}

	/**
	 * Keeps the connection, in the shape that `connection()` returns.
	 *
	 * @param array $connection The connection.
	 */
	public static function save_connection( array $connection ): void {
		update_option( self::CONNECTION, $connection, true );
	}

	/**
	 * Forgets the connection.
	 */
	public static function forget_connection(): void {
		delete_option( self::CONNECTION );
	}

	/**
	 * The owner's settings, complete: what was never saved has its default.
	 *
	 * @return array {
	 *     @type int   $abandon_after_minutes After how many minutes without activity a cart counts as left.
	 *     @type int   $restore_days          For how many days a link that restores a cart works.
	 *     @type array $consent               Per channel (email, sms, whatsapp): `enabled` bool, `text` string.
	 *     @type array $questions             `enabled` bool, `occasions` string[] (of OCCASIONS).
	 *     @type bool  $pixel                 Whether Agala's script is added to the shop's pages.
	 * }
	 */
	public static function settings(): array {
		$saved    = get_option( self::SETTINGS );
		$settings = array_merge( self::default_settings(), is_array( $saved ) ? $saved : array() );
		foreach ( self::CHANNELS as $channel ) {
			$told                            = isset( $settings['consent'][ $channel ] ) ? (array) $settings['consent'][ $channel ] : array();
			$settings['consent'][ $channel ] = array(
				'enabled' => ! empty( $told['enabled'] ),
				'text'    => isset( $told['text'] ) ? (string) $told['text'] : '',
			);
		}
		return $settings;
	}

	/**
	 * Keeps the owner's settings, already checked (see Settings_Form).
	 *
	 * @param array $settings In the shape that `settings()` returns.
	 */
	public static function save_settings( array $settings ): void {
		update_option( self::SETTINGS, $settings, true );
	}

	/**
	 * The key that signs restore links; made at its first use, for this shop alone.
	 */
	public static function restore_key(): string {
		$key = get_option( self::RESTORE_KEY );
		if ( is_string( $key ) && '' !== $key ) {
			return $key;
		}
		// Of two requests that come here at once the first one's key stands.
		add_option( self::RESTORE_KEY, bin2hex( random_bytes( 32 ) ), '', false );
		return (string) get_option( self::RESTORE_KEY );
	}

	/**
	 * What holds until the owner says otherwise: nothing is asked of shoppers, nothing is added to pages.
	 */
	private static function default_settings(): array {
		return array(
			'abandon_after_minutes' => 60,
			'restore_days'          => 30,
			'consent'               => array(),
			'questions'             => array(
				'enabled'   => false,
				'occasions' => array( 'birthday', 'anniversary', 'holiday', 'other' ),
			),
			'pixel'                 => false,
		);
	}
}
