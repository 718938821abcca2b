<?php
/**
 * "Test connection".
 *
 * @package Agala
 */

namespace Agala;

use WP_Error;
use WP_Http;

defined( 'ABSPATH' ) || exit;

/**
 * Looks at everything the connection needs, one after the other, and says of each in words how it is.
 *
 * A result is `{name, state: good|bad|unknown, words}`.
 */
final class Connection_Check {

	/**
	 * An action that is due this long and has not run: nothing runs.
	 */
	private const OVERDUE = '-30 minutes';

	/**
	 * The results so far.
	 *
	 * @var array[]
	 */
	private $results = array();

	/**
	 * Runs all checks.
	 *
	 * @return array[]
	 */
	public function run(): array {
		$connection = Options::connection();
		if ( null === $connection ) {
			$this->say( __( 'Connection', 'agala' ), 'bad', __( 'The shop is not connected to Agala.', 'agala' ) );
			return $this->results;
		}
		$api = new Agala_Api();
		$this->outgoing( $connection['address'] );
		$health = $api->health( $connection['address'] );
		$this->address( $connection['address'], $health );
		$this->certificate( $connection['address'], $health );
		$status = $api->signed( $connection['plugin_url'] . '/status', array() );
		$this->clock( $api->clock_difference() );
		$this->signature( $status );
		$this->rest( $connection, $status );
		$this->webhooks( $connection['webhook_url'] );
		$this->scheduler();
		return $this->results;
	}

	/**
	 * Does this WordPress let calls out?
	 *
	 * @param string $address Agala's address.
	 */
	private function outgoing( string $address ): void {
		$name = __( 'Outgoing calls', 'agala' );
		if ( ( new WP_Http() )->block_request( $address ) ) {
			$this->say( $name, 'bad', Agala_Trouble::of_no_answer( new WP_Error( 'http_request_not_executed' ), $address )->get_error_message() );
		} else {
			$this->say( $name, 'good', __( 'WordPress may call Agala.', 'agala' ) );
		}
	}

	/**
	 * Does Agala answer there?
	 *
	 * @param string         $address Agala's address.
	 * @param array|WP_Error $health  Its answer.
	 */
	private function address( string $address, $health ): void {
		$name = __( 'Address', 'agala' );
		if ( is_wp_error( $health ) && 'agala_certificate' !== $health->get_error_code() ) {
			$this->say( $name, 'bad', $health->get_error_message() );
		} else {
			/* translators: %s: Agala's address. */
			$this->say( $name, 'good', sprintf( __( 'Agala answers at %s.', 'agala' ), $address ) );
		}
	}

	/**
	 * Is its certificate good?
	 *
	 * @param string         $address Agala's address.
	 * @param array|WP_Error $health  Its answer.
	 */
	private function certificate( string $address, $health ): void {
		$name = __( 'Certificate', 'agala' );
		if ( 0 !== strpos( $address, 'https://' ) ) {
			$this->say( $name, 'unknown', __( 'The address is http:// without a certificate. That is fine for trying out on one computer, not for a shop that sells.', 'agala' ) );
		} elseif ( ! is_wp_error( $health ) ) {
			$this->say( $name, 'good', __( 'The certificate is trusted.', 'agala' ) );
		} elseif ( 'agala_certificate' === $health->get_error_code() ) {
			$this->say( $name, 'bad', $health->get_error_message() );
		} else {
			$this->say( $name, 'unknown', __( 'Not known as long as Agala does not answer.', 'agala' ) );
		}
	}

	/**
	 * Do the clocks agree?
	 *
	 * @param int|null $difference Seconds by which ours is ahead.
	 */
	private function clock( ?int $difference ): void {
		$name = __( 'Clock', 'agala' );
		if ( null === $difference ) {
			$this->say( $name, 'unknown', __( 'Not known as long as Agala does not answer.', 'agala' ) );
		} elseif ( abs( $difference ) > Agala_Trouble::CLOCK_LIMIT ) {
			/* translators: %s: a length of time such as "12 minutes". */
			$this->say( $name, 'bad', sprintf( __( 'The clock of this server is off by %s; five minutes are allowed. Ask your hosting to set it.', 'agala' ), human_time_diff( 0, abs( $difference ) ) ) );
		} else {
			$this->say( $name, 'good', __( 'The clock of this server and Agala\'s agree.', 'agala' ) );
		}
	}

	/**
	 * Does Agala accept our signature?
	 *
	 * @param array|WP_Error $status The answer to the signed call.
	 */
	private function signature( $status ): void {
		$name = __( 'Signature', 'agala' );
		if ( is_wp_error( $status ) ) {
			$this->say( $name, 'bad', $status->get_error_message() );
			return;
		}
		$shop = isset( $status['store']['name'] ) ? sanitize_text_field( (string) $status['store']['name'] ) : '';
		/* translators: %s: the shop's name. */
		$this->say( $name, 'good', sprintf( __( 'Agala knows this shop as "%s" and accepts its signature.', 'agala' ), $shop ) );
	}

	/**
	 * Can Agala read the shop?
	 *
	 * @param array          $connection The connection.
	 * @param array|WP_Error $status     The answer to the signed call.
	 */
	private function rest( array $connection, $status ): void {
		$name = __( 'Reading the shop', 'agala' );
		if ( ! empty( $connection['keys_url'] ) || 0 === Shop_Keys::count() ) {
			$this->say( $name, 'bad', __( 'Agala has no key to the shop. Press "Allow"; if there is no such button, disconnect and connect again.', 'agala' ) );
			return;
		}
		if ( is_wp_error( $status ) ) {
			$this->say( $name, 'unknown', __( 'Not known as long as Agala does not answer.', 'agala' ) );
			return;
		}
		$told = Connection_Status::of_answer( $status );
		if ( 'trouble' === $told['state'] ) {
			$this->say( $name, 'bad', $told['trouble'] );
		} elseif ( 'ready' === $told['state'] || array_sum( array_column( $told['parts'], 'done' ) ) > 0 || Shop_Webhooks::to( $connection['webhook_url'] ) ) {
			// Webhooks of ours are there only because Agala came and made them.
			$this->say( $name, 'good', __( 'Agala reaches the shop and reads it.', 'agala' ) );
		} else {
			$this->say( $name, 'unknown', __( 'Agala has not looked yet. Try again in a minute.', 'agala' ) );
		}
	}

	/**
	 * Do purchases and changes reach Agala?
	 *
	 * @param string $webhook_url Where our webhooks go.
	 */
	private function webhooks( string $webhook_url ): void {
		$name = __( 'Live updates', 'agala' );
		$ours = Shop_Webhooks::to( $webhook_url );
		$off  = 0;
		foreach ( $ours as $webhook ) {
			$off += 'active' === $webhook->get_status() ? 0 : 1;
		}
		if ( ! $ours ) {
			$this->say( $name, 'bad', __( 'Agala has not set up its webhooks yet. It does so at the start of the first sync.', 'agala' ) );
		} elseif ( $off > 0 ) {
			/* translators: 1: how many webhooks are switched off, 2: how many there are. */
			$this->say( $name, 'bad', sprintf( __( '%1$d of %2$d webhooks are switched off. Agala switches them on again every night; WooCommerce → Settings → Advanced → Webhooks does it at once.', 'agala' ), $off, count( $ours ) ) );
		} else {
			/* translators: %d: how many webhooks there are. */
			$this->say( $name, 'good', sprintf( __( 'All %d webhooks are active.', 'agala' ), count( $ours ) ) );
		}
	}

	/**
	 * Does WordPress do its work in the background?
	 */
	private function scheduler(): void {
		$name    = __( 'Background work', 'agala' );
		$overdue = as_get_scheduled_actions(
			array(
				'status'       => 'pending',
				'date'         => as_get_datetime_object( self::OVERDUE ),
				'date_compare' => '<=',
				'per_page'     => 1,
			),
			'ids'
		);
		if ( $overdue ) {
			$this->say( $name, 'bad', __( 'Actions that are due have not run for half an hour. WordPress works in the background only while the shop has visitors, or when your hosting calls wp-cron.php every few minutes; without it, carts and orders reach Agala late.', 'agala' ) );
		} else {
			$this->say( $name, 'good', __( 'Action Scheduler runs what is due.', 'agala' ) );
		}
	}

	/**
	 * Keeps a result.
	 *
	 * @param string $name  What was looked at.
	 * @param string $state good, bad or unknown.
	 * @param string $words How it is.
	 */
	private function say( string $name, string $state, string $words ): void {
		$this->results[] = compact( 'name', 'state', 'words' );
	}
}
