<?php
/**
 * How the connection stands, in words.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

/**
 * Asks Agala how the connection and the sync are, and says it in the owner's language.
 */
final class Connection_Status {

	/**
	 * What the page shows.
	 *
	 * @return array {
	 *     @type string $state   off, working, ready, trouble.
	 *     @type string $words   One sentence.
	 *     @type string $trouble Another one where something is wrong, else ''.
	 *     @type array  $parts   Of the sync: `words`, `count` (to be shown), `done` and `total` (null while unknown) per kind.
	 *     @type int    $percent Of the whole sync, 0 to 100.
	 * }
	 */
	public static function now(): array {
		$connection = Options::connection();
		if ( null === $connection ) {
			return self::told( 'off', __( 'Not connected', 'agala' ) );
		}
		if ( ! empty( $connection['keys_url'] ) ) {
			return self::told( 'trouble', __( 'One step is missing', 'agala' ), __( 'Agala may not read the shop yet. Press "Allow" and approve, so that it learns about your products and orders.', 'agala' ) );
		}
		$answer = ( new Agala_Api() )->signed( $connection['plugin_url'] . '/status', array() );
		if ( is_wp_error( $answer ) ) {
			return self::told( 'trouble', __( 'Connected, but Agala does not answer properly', 'agala' ), $answer->get_error_message() );
		}
		return self::of_answer( $answer );
	}

	/**
	 * Agala's answer in words.
	 *
	 * @param array $answer Of the status call.
	 */
	public static function of_answer( array $answer ): array {
		if ( isset( $answer['connection']['status'] ) && 'disconnected' === $answer['connection']['status'] ) {
			return self::told( 'trouble', __( 'Agala has let this shop go', 'agala' ), __( 'The shop was disconnected at Agala. Disconnect it here as well, then connect it again.', 'agala' ) );
		}
		$sync    = isset( $answer['sync'] ) && is_array( $answer['sync'] ) ? $answer['sync'] : array();
		$status  = isset( $sync['status'] ) ? $sync['status'] : 'never';
		$parts   = isset( $sync['parts'] ) && is_array( $sync['parts'] ) ? $sync['parts'] : array();
		$is_look = isset( $sync['mode'] ) && 'reconcile' === $sync['mode'];
		if ( $is_look ) {
			// A look at what was missed usually finds nothing, which must not read as if Agala knew nothing of the shop.
			$parts  = array_filter( $parts, array( self::class, 'is_about_webhooks' ) );
			$status = 'done';
		}
		$parts   = self::parts( $parts );
		$percent = 'done' === $status ? 100 : self::percent( $parts );
		$trouble = self::trouble( $answer, $sync );
		if ( '' !== $trouble ) {
			return self::told( 'trouble', __( 'Connected; something needs a look', 'agala' ), $trouble, $parts, $percent );
		}
		if ( 'done' === $status ) {
			return self::told( 'ready', __( 'Connected: Agala knows your shop', 'agala' ), '', $parts, $percent );
		}
		if ( 'never' === $status ) {
			return self::told( 'working', __( 'Connected: the first sync begins in a moment', 'agala' ) );
		}
		return self::told( 'working', __( 'Connected: Agala is getting to know your shop', 'agala' ), '', $parts, $percent );
	}

	/**
	 * What Agala says is wrong.
	 *
	 * @param array $answer Of the status call.
	 * @param array $sync   The answer's sync.
	 */
	private static function trouble( array $answer, array $sync ): string {
		if ( ! empty( $answer['connection']['trouble'] ) ) {
			// The connection itself has but one trouble: the keys never came.
			return Sync_Trouble::words( array( 'code' => 'no_key' ) );
		}
		$words = isset( $sync['trouble'] ) && is_array( $sync['trouble'] ) ? Sync_Trouble::words( $sync['trouble'] ) : '';
		/* translators: %s: a sentence that says what is wrong. */
		return '' === $words ? '' : sprintf( __( 'Agala cannot read the shop at the moment and will try again by itself. %s', 'agala' ), $words );
	}

	/**
	 * Whether a part of the sync is about webhooks; the others count records.
	 *
	 * @param mixed $part Agala's.
	 */
	private static function is_about_webhooks( $part ): bool {
		return is_array( $part ) && isset( $part['kind'] ) && 'webhooks' === $part['kind'];
	}

	/**
	 * The parts of the sync in words.
	 *
	 * @param array $parts Agala's: `kind`, `done`, `total`.
	 */
	private static function parts( array $parts ): array {
		$names = array(
			'webhooks'  => __( 'Live updates', 'agala' ),
			'products'  => __( 'Products', 'agala' ),
			'customers' => __( 'Customers', 'agala' ),
			'orders'    => __( 'Orders', 'agala' ),
		);
		$told  = array();
		foreach ( $parts as $part ) {
			if ( is_array( $part ) && isset( $part['kind'], $names[ $part['kind'] ] ) ) {
				$done   = isset( $part['done'] ) ? max( 0, (int) $part['done'] ) : 0;
				$total  = isset( $part['total'] ) ? max( 0, (int) $part['total'] ) : null;
				$told[] = array(
					'words' => $names[ $part['kind'] ],
					'done'  => $done,
					'total' => $total,
					'count' => 'webhooks' === $part['kind'] ? self::switched_on( $done, $total ) : self::count( $done, $total ),
				);
			}
		}
		return $told;
	}

	/**
	 * Webhooks are on or not; how many there are tells an owner nothing.
	 *
	 * @param int      $done  How far it is.
	 * @param int|null $total How much there is, null while unknown.
	 */
	private static function switched_on( int $done, ?int $total ): string {
		return null !== $total && $done >= $total ? __( 'on', 'agala' ) : __( 'not yet', 'agala' );
	}

	/**
	 * How many of how many.
	 *
	 * @param int      $done  How far it is.
	 * @param int|null $total How much there is, null while unknown.
	 */
	private static function count( int $done, ?int $total ): string {
		return null === $total ? number_format_i18n( $done ) : number_format_i18n( $done ) . ' / ' . number_format_i18n( $total );
	}

	/**
	 * How much of it all is done.
	 *
	 * @param array $parts As `parts` returns them.
	 */
	private static function percent( array $parts ): int {
		$done  = 0;
		$total = 0;
		foreach ( $parts as $part ) {
			$done  += $part['done'];
			$total += max( $part['done'], (int) $part['total'] );
		}
		// It is done when Agala says so, not a moment earlier.
		return 0 === $total ? 0 : min( 99, (int) floor( 100 * $done / $total ) );
	}

	/**
	 * One shape for all answers.
	 *
	 * @param string $state   off, working, ready, trouble.
	 * @param string $words   One sentence.
	 * @param string $trouble Another one.
	 * @param array  $parts   Of the sync.
	 * @param int    $percent Of the sync.
	 */
	private static function told( string $state, string $words, string $trouble = '', array $parts = array(), int $percent = 0 ): array {
		return compact( 'state', 'words', 'trouble', 'parts', 'percent' );
	}
}
