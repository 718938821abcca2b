<?php
/**
 * Action Scheduler: actions in a table, run when WP-Cron comes (every minute), or at once by wc_double_run_actions().
 */

function wc_double_register_scheduler() {
	add_filter( 'cron_schedules', static fn( $schedules ) => $schedules + array( 'every_minute' => array( 'interval' => MINUTE_IN_SECONDS, 'display' => 'Every minute' ) ) ); // phpcs:ignore
	add_action( 'action_scheduler_run_queue', 'wc_double_run_actions', 10, 0 );
	add_action( 'init', 'wc_double_start_scheduler', 1 );
	add_action( 'wp_ajax_nopriv_double_run_actions', 'wc_double_answer_run_actions' );
	add_action( 'wp_ajax_double_run_actions', 'wc_double_answer_run_actions' );
}

function wc_double_start_scheduler() {
	if ( ! wp_next_scheduled( 'action_scheduler_run_queue' ) ) {
		wp_schedule_event( time(), 'every_minute', 'action_scheduler_run_queue' );
	}
	do_action( 'action_scheduler_init' );
}

/** /wp-admin/admin-ajax.php?action=double_run_actions: runs what is due now, and answers which hooks that were. */
function wc_double_answer_run_actions() {
	wp_send_json( wc_double_run_actions() );
}

/**
 * Runs what is due, one after the other, as Action Scheduler does: an action that throws is failed, not repeated.
 *
 * @param int|null $now The time to count as now.
 * @return array<int, array{hook: string, status: string, trouble: string}>
 */
function wc_double_run_actions( $now = null ) {
	global $wpdb;
	$ran   = array();
	$table = "{$wpdb->prefix}actionscheduler_actions";
	$due   = $wpdb->prepare( "SELECT * FROM $table WHERE status = 'pending' AND scheduled_at <= %d ORDER BY scheduled_at, action_id LIMIT 100", $now ?? time() );
	foreach ( $wpdb->get_results( $due ) as $action ) {
		if ( ! $wpdb->update( $table, array( 'status' => 'in-progress' ), array( 'action_id' => $action->action_id, 'status' => 'pending' ) ) ) {
			continue;
		}
		$status  = 'complete';
		$trouble = '';
		try {
			do_action_ref_array( $action->hook, array_values( json_decode( $action->args, true ) ) );
		} catch ( Throwable $thrown ) {
			$status  = 'failed';
			$trouble = (string) $thrown;
			do_action( 'action_scheduler_failed_execution', $action->action_id, $thrown, '' );
		}
		$wpdb->update( $table, array( 'status' => $status ), array( 'action_id' => $action->action_id, 'status' => 'in-progress' ) );
		if ( $action->recurs ) {
			wc_double_schedule( ( $now ?? time() ) + $action->recurs, $action->hook, json_decode( $action->args, true ), $action->action_group, (int) $action->recurs );
		}
		$ran[] = array( 'hook' => $action->hook, 'status' => $status, 'trouble' => $trouble );
	}
	return $ran;
}

function wc_double_schedule( $at, $hook, $args, $group, $recurs = 0, $unique = false ) {
	global $wpdb;
	if ( $unique && as_has_scheduled_action( $hook, null, $group ) ) {
		return 0;
	}
	$row = array( 'hook' => $hook, 'status' => 'pending', 'args' => wp_json_encode( $args ), 'action_group' => $group, 'scheduled_at' => (int) $at, 'recurs' => $recurs );
	$wpdb->insert( "{$wpdb->prefix}actionscheduler_actions", $row );
	return (int) $wpdb->insert_id;
}

function as_enqueue_async_action( $hook, $args = array(), $group = '', $unique = false, $priority = 10 ) {
	return wc_double_schedule( 0, $hook, $args, $group, 0, $unique );
}

function as_schedule_single_action( $timestamp, $hook, $args = array(), $group = '', $unique = false, $priority = 10 ) {
	return wc_double_schedule( $timestamp, $hook, $args, $group, 0, $unique );
}

function as_schedule_recurring_action( $timestamp, $interval_in_seconds, $hook, $args = array(), $group = '', $unique = false, $priority = 10 ) {
	return wc_double_schedule( $timestamp, $hook, $args, $group, (int) $interval_in_seconds, $unique );
}

/** The condition of a search; null or empty means any. */
function wc_double_actions_where( $hook, $args, $group, $statuses = array( 'pending' ) ) {
	global $wpdb;
	$where = "status IN ('" . implode( "','", array_map( 'esc_sql', $statuses ) ) . "')";
	if ( $hook ) {
		$where .= $wpdb->prepare( ' AND hook = %s', $hook );
	}
	if ( is_array( $args ) ) {
		$where .= $wpdb->prepare( ' AND args = %s', wp_json_encode( $args ) );
	}
	return $group ? $where . $wpdb->prepare( ' AND action_group = %s', $group ) : $where;
}

function as_unschedule_action( $hook, $args = array(), $group = '' ) {
	global $wpdb;
	$id = $wpdb->get_var( "SELECT action_id FROM {$wpdb->prefix}actionscheduler_actions WHERE " . wc_double_actions_where( $hook, $args, $group ) . ' ORDER BY scheduled_at LIMIT 1' );
	$id && $wpdb->update( "{$wpdb->prefix}actionscheduler_actions", array( 'status' => 'canceled' ), array( 'action_id' => $id ) );
	return $id ? (int) $id : null;
}

function as_unschedule_all_actions( $hook = '', $args = array(), $group = '' ) {
	global $wpdb;
	$args = $args ? $args : null;
	$wpdb->query( "UPDATE {$wpdb->prefix}actionscheduler_actions SET status = 'canceled' WHERE " . wc_double_actions_where( $hook, $args, $group ) );
}

/** The time of the next one in seconds; true when it is async or runs now; false when there is none. */
function as_next_scheduled_action( $hook, $args = null, $group = '' ) {
	global $wpdb;
	$row = $wpdb->get_row( "SELECT * FROM {$wpdb->prefix}actionscheduler_actions WHERE " . wc_double_actions_where( $hook, $args, $group, array( 'pending', 'in-progress' ) ) . ' ORDER BY scheduled_at LIMIT 1' );
	return $row ? ( 'in-progress' === $row->status || ! (int) $row->scheduled_at ? true : (int) $row->scheduled_at ) : false;
}

function as_has_scheduled_action( $hook, $args = null, $group = '' ) {
	return false !== as_next_scheduled_action( $hook, $args, $group );
}

/** Known words: hook, args, group, status, per_page. 'ids' gives ids, else objects with get_hook(), get_args(), get_group(). */
function as_get_scheduled_actions( $query = array(), $return_format = OBJECT ) {
	global $wpdb;
	$statuses = (array) ( $query['status'] ?? array( 'pending', 'in-progress', 'complete', 'failed', 'canceled' ) );
	$where    = wc_double_actions_where( $query['hook'] ?? '', $query['args'] ?? null, $query['group'] ?? '', $statuses );
	$rows     = $wpdb->get_results( "SELECT * FROM {$wpdb->prefix}actionscheduler_actions WHERE $where ORDER BY scheduled_at, action_id" );
	if ( 'ids' === $return_format ) {
		return array_map( static fn( $row ) => (int) $row->action_id, $rows );
	}
	$actions = array();
	foreach ( $rows as $row ) {
		$actions[ (int) $row->action_id ] = new ActionScheduler_Action( $row );
	}
	return $actions;
}

/** One action, as as_get_scheduled_actions() gives it. `at` is its time in Unix seconds, 0 for an async one. */
class ActionScheduler_Action {
	public $at;
	private $row;

	public function __construct( $row ) {
		$this->row = $row;
		$this->at  = (int) $row->scheduled_at;
	}

	public function get_hook() {
		return $this->row->hook;
	}

	public function get_args() {
		return json_decode( $this->row->args, true );
	}

	public function get_group() {
		return $this->row->action_group;
	}
}

class ActionScheduler_Store {
	const STATUS_PENDING  = 'pending';
	const STATUS_COMPLETE = 'complete';
	const STATUS_RUNNING  = 'in-progress';
	const STATUS_FAILED   = 'failed';
	const STATUS_CANCELED = 'canceled';
}

function as_get_datetime_object( $date_string = null, $timezone = 'UTC' ) {
	return new DateTime( is_numeric( $date_string ) ? "@$date_string" : ( $date_string ?? 'now' ), new DateTimeZone( $timezone ) );
}
