<?php
/**
 * The time that a shopper's add-to-cart request spends in our plugin, in microseconds of CPU, on the WordPress of the tests (whose
 * database is in the same process, and translates every statement from MySQL's words to SQLite's).
 *
 *     php tests/plugin/bench_cart.php <folder of a ready WordPress> [rounds]
 *
 * Shoppers alternate: one with the plugin's cart hooks, one without. Each can be reached, so that with the plugin a row is written
 * and the sender is queued: the most that a request costs. Each request is a transaction that is rolled back: how long a disk takes for a
 * commit is not the plugin's time, and differs between machines by a hundred. Prints one JSON object.
 */

$agala_bench_folder = $argv[1] ?? '';
$agala_bench_rounds = (int) ( $argv[2] ?? 200 );
if ( ! is_file( "$agala_bench_folder/wp-load.php" ) ) {
	fwrite( STDERR, "usage: php bench_cart.php <folder of a WordPress> [rounds]\n" );
	exit( 2 );
}
$_SERVER = array_merge( $_SERVER, array( 'REQUEST_METHOD' => 'GET', 'REQUEST_URI' => '/', 'SERVER_PROTOCOL' => 'HTTP/1.1', 'REMOTE_ADDR' => '127.0.0.1', 'HTTP_USER_AGENT' => 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36' ) );
require_once "$agala_bench_folder/wp-load.php";

/** Takes the plugin's carts off all hooks, or puts them back. */
function agala_bench_hooks( bool $on ): void {
	static $taken = array();
	global $wp_filter;
	if ( $on ) {
		foreach ( $taken as list( $name, $priority, $callback ) ) {
			add_filter( $name, $callback['function'], $priority, $callback['accepted_args'] );
		}
		$taken = array();
		return;
	}
	foreach ( $wp_filter as $name => $hook ) {
		foreach ( $hook->callbacks as $priority => $callbacks ) {
			foreach ( $callbacks as $callback ) {
				if ( is_array( $callback['function'] ) && $callback['function'][0] instanceof Agala\Cart_Tracker ) {
					$taken[] = array( $name, $priority, $callback );
				}
			}
		}
	}
	foreach ( $taken as list( $name, $priority, $callback ) ) {
		remove_filter( $name, $callback['function'], $priority );
	}
}

/** What the tracker does when a request ends. */
function agala_bench_end(): void {
	foreach ( $GLOBALS['wp_filter']['shutdown']->callbacks[5] ?? array() as $callback ) {
		if ( is_array( $callback['function'] ) && $callback['function'][0] instanceof Agala\Cart_Tracker ) {
			call_user_func( $callback['function'] );
		}
	}
}

/** Microseconds of CPU that this process has used. */
function agala_bench_clock(): float {
	$used = getrusage();
	return ( $used['ru_utime.tv_sec'] + $used['ru_stime.tv_sec'] ) * 1e6 + $used['ru_utime.tv_usec'] + $used['ru_stime.tv_usec'];
}

/** One request that adds a product; microseconds. */
function agala_bench_request( int $product_id, int $quantity ): float {
	global $wpdb;
	$wpdb->query( 'START TRANSACTION' );
	$start = agala_bench_clock();
	WC()->cart->add_to_cart( $product_id, $quantity );
	agala_bench_end();
	$time = agala_bench_clock() - $start;
	$wpdb->query( 'ROLLBACK' );
	return $time;
}

function agala_bench_median( array $values ): float {
	sort( $values );
	return round( $values[ intdiv( count( $values ), 2 ) ], 1 );
}

$agala_bench_calls   = 0;
$agala_bench_queries = array();
add_filter(
	'pre_http_request',
	static function () use ( &$agala_bench_calls ) {
		++$agala_bench_calls;
		return new WP_Error( 'bench', 'no network here' );
	}
);
$agala_bench_address = 'https://agala.example';
Agala\Options::save_connection( array( 'address' => $agala_bench_address, 'store_id' => 'bench', 'secret' => 'bench', 'webhook_url' => "$agala_bench_address/w", 'carts_url' => "$agala_bench_address/c", 'plugin_url' => "$agala_bench_address/p", 'connected_at' => 1 ) );
$agala_bench_product = wc_get_product_id_by_sku( 'SHIRT-M' );
$agala_bench_found   = array( 'with' => array(), 'without' => array(), 'unchanged' => array() );

for ( $agala_bench_round = 0; $agala_bench_round <= $agala_bench_rounds; $agala_bench_round++ ) {
	foreach ( array( 'with', 'without' ) as $agala_bench_way ) {
		WC()->wc_double_new_shopper();
		WC()->customer->set_billing_email( "shopper{$agala_bench_round}@shopper.example" );
		$agala_bench_before = $wpdb->num_queries;
		if ( 'without' === $agala_bench_way ) {
			agala_bench_hooks( false );
		}
		$agala_bench_time = agala_bench_request( $agala_bench_product, 1 );
		if ( 'without' === $agala_bench_way ) {
			agala_bench_hooks( true );
		}
		if ( $agala_bench_round ) { // The first warms both up.
			$agala_bench_found[ $agala_bench_way ][]   = $agala_bench_time;
			$agala_bench_queries[ $agala_bench_way ][] = $wpdb->num_queries - $agala_bench_before;
		}
	}
	$agala_bench_start = agala_bench_clock();
	for ( $agala_bench_view = 0; $agala_bench_view < 100; $agala_bench_view++ ) {
		agala_bench_end(); // Of a request in which nothing happened to the cart.
	}
	$agala_bench_found['unchanged'][] = ( agala_bench_clock() - $agala_bench_start ) / 100;
}

// The floor: the same two rows written by bare statements.
$agala_bench_row   = array( 'email' => 'shopper@shopper.example', 'state' => str_repeat( 'x', 600 ), 'changed_at' => 1 );
$agala_bench_floor = array();
$wpdb->query( 'START TRANSACTION' );
for ( $agala_bench_round = 0; $agala_bench_round < $agala_bench_rounds; $agala_bench_round++ ) {
	$agala_bench_token = Agala\Cart_Session::new_token();
	$agala_bench_start = agala_bench_clock();
	Agala\Cart_Table::add( array( 'token' => $agala_bench_token, 'session_key' => $agala_bench_token ) + $agala_bench_row );
	as_enqueue_async_action( Agala\Cart_Sender::SEND, array( $agala_bench_token ), 'agala' );
	$agala_bench_floor[] = agala_bench_clock() - $agala_bench_start;
}
$wpdb->query( 'ROLLBACK' );

$agala_bench_with    = agala_bench_median( $agala_bench_found['with'] );
$agala_bench_without = agala_bench_median( $agala_bench_found['without'] );
echo wp_json_encode(
	array(
		'with_us'       => $agala_bench_with,
		'without_us'    => $agala_bench_without,
		'plugin_us'     => round( $agala_bench_with - $agala_bench_without, 1 ),
		'page_view_us'  => agala_bench_median( $agala_bench_found['unchanged'] ),
		'floor_us'      => agala_bench_median( $agala_bench_floor ),
		'statements'    => agala_bench_median( $agala_bench_queries['with'] ) - agala_bench_median( $agala_bench_queries['without'] ),
		'network_calls' => $agala_bench_calls,
	)
), "\n";
