<?php
/**
 * Tells Agala of carts.
 *
 * @package Agala
 */

namespace Agala;

use WP_Error;

defined( 'ABSPATH' ) || exit;

/**
 * Sends carts from Action Scheduler's queue, never from a shopper's request.
 *
 * A cart is told once somebody can be reached (email or phone), or when it was bought. What Agala did not take is sent
 * again after growing pauses; a sweep every hour finds what the queue has lost, and forgets old carts.
 */
final class Cart_Sender {

	public const SEND  = 'agala_send_cart';
	public const SWEEP = 'agala_sweep_carts';

	private const FIRST_PAUSE    = MINUTE_IN_SECONDS;
	private const LONGEST_PAUSE  = 6 * HOUR_IN_SECONDS;
	private const KEY_PAUSE      = HOUR_IN_SECONDS; // After a 401: somebody has to mend a clock or a key first.
	private const TOLD_WITHIN    = 14 * DAY_IN_SECONDS; // Older changes are no news any more.
	private const QUEUE_PATIENCE = 15 * MINUTE_IN_SECONDS; // What the queue has not begun by then counts as lost.
	private const SWEPT_AT_ONCE  = 500;
	public const KEPT_BESIDES    = 30; // Days that a row outlives its last restore link.

	/**
	 * Answers after which the same call would be refused again.
	 */
	private const REFUSALS = array( 400, 404, 405, 409, 410, 413, 414, 415, 422 );

	/**
	 * How often such an answer is asked again where it is not Agala's own (a page of whatever stands before it).
	 */
	private const STRANGER_TRIES = 5;

	/**
	 * What a row's `answer` says when none came.
	 */
	private const NO_ANSWER = 1;

	/**
	 * Set while Agala does not answer: all carts wait then, or each would hold up the shop's whole queue.
	 */
	private const RESTING = 'agala_carts_resting';

	/**
	 * Unix time in seconds.
	 *
	 * @var callable
	 */
	private $clock;

	/**
	 * A sender.
	 *
	 * @param callable|null $clock Unix time in seconds.
	 */
	public function __construct( ?callable $clock = null ) {
		$this->clock = null === $clock ? 'time' : $clock;
	}

	/**
	 * Adds the hooks.
	 */
	public function register(): void {
		add_action( self::SEND, array( $this, 'send' ) );
		add_action( self::SWEEP, array( $this, 'sweep' ) );
		add_action( 'admin_init', array( $this, 'schedule_sweep' ) );
		add_action( 'agala_connected', array( $this, 'begin_again' ) );
	}

	/**
	 * When a changed cart is to be sent: now, or with an earlier change that is in the queue already; 0 for not at all.
	 *
	 * @param array $row The cart's row as it is after the change, but for `queued_at`.
	 * @param int   $now Unix seconds.
	 */
	public static function due( array $row, int $now ): int {
		if ( ! self::is_news( $row ) || ! Options::is_connected() ) {
			return 0;
		}
		$queued = isset( $row['queued_at'] ) ? (int) $row['queued_at'] : 0;
		// One that rests for long after a failure is not waited for.
		return $queued > $now - self::QUEUE_PATIENCE && $queued <= $now + self::FIRST_PAUSE ? $queued : $now;
	}

	/**
	 * Puts a cart into the queue, unless it is there.
	 *
	 * @param string $token  The cart's token.
	 * @param int    $due    What `due` said, and the row says now.
	 * @param int    $before What the row said before.
	 */
	public static function enqueue( string $token, int $due, int $before = 0 ): void {
		if ( $due > 0 && $due !== $before ) {
			as_enqueue_async_action( self::SEND, array( $token ), Installation::ACTION_GROUP );
		}
	}

	/**
	 * Sends the present state of a cart. Called by Action Scheduler.
	 *
	 * @param string $token The cart's token.
	 */
	public function send( $token ): void {
		$token = (string) $token;
		// Before the row is read, so that whatever changes from here on is queued anew.
		Cart_Table::note_queued( $token, 0 );
		$row = Cart_Table::find( $token );
		if ( null === $row || Cart_Table::WAITING !== $row['outcome'] || ! Options::is_connected() ) {
			return;
		}
		if ( ! self::is_news( $row ) ) {
			Cart_Table::note( $token, $row['changed_at'], array( 'outcome' => Cart_Table::SETTLED ) );
			return;
		}
		$rest = (int) get_transient( self::RESTING ) - $this->now();
		if ( $rest > 0 ) {
			$this->again( $row, $rest + self::spread( $token ), array() );
			return;
		}
		$answer = ( new Agala_Api() )->signed( Options::connection()['carts_url'], Cart_Message::of_row( $row ) );
		$this->note_answer( $row, $answer );
	}

	/**
	 * Queues what was lost, and forgets what is old. Called by Action Scheduler.
	 */
	public function sweep(): void {
		$now = $this->now();
		Cart_Table::purge( 1000 * ( $now - ( (int) Options::settings()['restore_days'] + self::KEPT_BESIDES ) * DAY_IN_SECONDS ) );
		if ( ! Options::is_connected() ) {
			return;
		}
		foreach ( Cart_Table::waiting( $now - self::QUEUE_PATIENCE, 1000 * ( $now - self::TOLD_WITHIN ), self::SWEPT_AT_ONCE ) as $token ) {
			Cart_Table::note_queued( $token, $now );
			self::enqueue( $token, $now );
		}
	}

	/**
	 * The sweep is scheduled from the administration, never from a shopper's request.
	 */
	public function schedule_sweep(): void {
		if ( wp_doing_ajax() || as_has_scheduled_action( self::SWEEP, null, Installation::ACTION_GROUP ) ) {
			return;
		}
		as_schedule_recurring_action( $this->now() + HOUR_IN_SECONDS, HOUR_IN_SECONDS, self::SWEEP, array(), Installation::ACTION_GROUP );
	}

	/**
	 * The shop was connected: what waited for that is sent, what the connection of before was refused is tried with this one.
	 */
	public function begin_again(): void {
		delete_transient( self::RESTING );
		Cart_Table::wait_again( 1000 * ( $this->now() - self::TOLD_WITHIN ) );
		$this->schedule_sweep();
		as_enqueue_async_action( self::SWEEP, array(), Installation::ACTION_GROUP );
	}

	/**
	 * Whether there is anything about this cart that Agala should hear.
	 *
	 * @param array $row The cart's row.
	 */
	private static function is_news( array $row ): bool {
		if ( Cart_Table::CONVERTED === $row['step'] ) {
			return true;
		}
		// That a cart was emptied is news only to who may have heard of it.
		$is_unheard = empty( $row['sent_at'] ) && empty( $row['answer'] );
		return ( '' !== $row['email'] || '' !== $row['phone'] ) && ! ( Cart_Table::EMPTIED === $row['step'] && $is_unheard );
	}

	/**
	 * Writes down how it went, and plans the next attempt where there should be one.
	 *
	 * @param array          $row    The row that was sent.
	 * @param array|WP_Error $answer Of Agala_Api.
	 */
	private function note_answer( array $row, $answer ): void {
		$data   = is_wp_error( $answer ) ? (array) $answer->get_error_data() : array();
		$status = is_wp_error( $answer ) ? (int) $data['status'] : 202;
		if ( $status >= 200 && $status < 300 ) {
			delete_transient( self::RESTING );
			$this->note_settled( $row, $status );
			return;
		}
		$tries   = (int) $row['tries'] + 1;
		$is_over = 1000 * $this->now() - (int) $row['changed_at'] > 1000 * self::TOLD_WITHIN;
		if ( $is_over || $this->is_refusal( $status, $answer, $tries ) ) {
			$this->note_refused( $row, $status, $answer );
			return;
		}
		$pause = min( self::FIRST_PAUSE * 2 ** min( $tries - 1, 20 ), self::LONGEST_PAUSE );
		if ( 0 === $status || 429 === $status || $status >= 500 ) {
			$asked = isset( $data['retry_after'] ) ? min( (int) $data['retry_after'], self::LONGEST_PAUSE ) : 0;
			$pause = max( $pause, $asked );
			$rest  = max( self::FIRST_PAUSE, $asked );
			set_transient( self::RESTING, $this->now() + $rest, $rest );
		} elseif ( 401 === $status ) {
			$pause = max( $pause, self::KEY_PAUSE );
		}
		$this->again(
			$row,
			$pause + self::spread( $row['token'] ),
			array(
				'tries'  => $tries,
				'answer' => max( $status, self::NO_ANSWER ),
			)
		);
	}

	/**
	 * Agala has it.
	 *
	 * @param array $row    The row that was sent.
	 * @param int   $status The HTTP status.
	 */
	private function note_settled( array $row, int $status ): void {
		$sent = array(
			'sent_at' => $row['changed_at'],
			'answer'  => $status,
		);
		$done = array(
			'outcome'   => Cart_Table::SETTLED,
			'tries'     => 0,
			'queued_at' => 0,
		);
		if ( ! Cart_Table::note( $row['token'], $row['changed_at'], $sent + $done ) ) {
			// It has changed meanwhile, and is in the queue for that.
			Cart_Table::note_sent( $row['token'], $row['changed_at'] );
		}
	}

	/**
	 * Agala will never take it: not repeated, but noted for whoever looks for it.
	 *
	 * @param array    $row    The row that was sent.
	 * @param int      $status The HTTP status.
	 * @param WP_Error $error  What went wrong.
	 */
	private function note_refused( array $row, int $status, WP_Error $error ): void {
		$refused = array(
			'outcome' => Cart_Table::REFUSED,
			'answer'  => max( $status, self::NO_ANSWER ),
		);
		Cart_Table::note( $row['token'], $row['changed_at'], $refused );
		wc_get_logger()->warning( 'Cart ' . $row['token'] . ' was not taken: ' . $error->get_error_message(), array( 'source' => 'agala' ) );
	}

	/**
	 * Whether the same call would be refused again.
	 *
	 * @param int      $status The HTTP status.
	 * @param WP_Error $error  What went wrong.
	 * @param int      $tries  How often this change was sent.
	 */
	private function is_refusal( int $status, WP_Error $error, int $tries ): bool {
		if ( ! in_array( $status, self::REFUSALS, true ) ) {
			return false;
		}
		return 'agala_not_json' !== $error->get_error_code() || $tries >= self::STRANGER_TRIES;
	}

	/**
	 * Plans another attempt, unless the cart has changed meanwhile and is in the queue for that.
	 *
	 * @param array $row   The row that was sent.
	 * @param int   $pause Seconds.
	 * @param array $noted Further columns to write.
	 */
	private function again( array $row, int $pause, array $noted ): void {
		$at = $this->now() + $pause;
		if ( Cart_Table::note( $row['token'], $row['changed_at'], $noted + array( 'queued_at' => $at ) ) ) {
			as_schedule_single_action( $at, self::SEND, array( $row['token'] ), Installation::ACTION_GROUP );
		}
	}

	/**
	 * Up to half a minute, so that not all carts come back in the same second.
	 *
	 * @param string $token The cart's token.
	 */
	private static function spread( string $token ): int {
		return crc32( $token ) % 30;
	}

	/**
	 * Unix seconds.
	 */
	private function now(): int {
		return (int) call_user_func( $this->clock );
	}
}
