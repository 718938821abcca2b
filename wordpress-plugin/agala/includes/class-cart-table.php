<?php
/**
 * The carts as this shop remembers them.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

/**
 * One row per cart, named by its token. The only place that knows the table's SQL.
 *
 * A row is an array of strings as the database gives them:
 * `token`; `session_key` (whose cart it is while it can still change, else null: one open cart to a session);
 * `customer_id`, `email`, `phone`; `state` (see `Cart_Snapshot` and `Cart_Person`, JSON in ASCII); `cart_hash` (what
 * was last noticed of cart and person); `step` (updated, checkout, emptied, converted); `checkout_at`, `created_at`, `changed_at`
 * (Unix milliseconds, 0: never); `outcome` of telling Agala (waiting, settled, refused), `answer` (its last HTTP status);
 * `sent_at` (`changed_at` of the last change that Agala took), `tries` since the last change, `queued_at` (Unix seconds at which the
 * queue will send it, 0: it will not); `order_id`.
 *
 * All values are ASCII: for others WordPress would first ask the database for the table's character set.
 */
final class Cart_Table {

	public const UPDATED   = 'updated';
	public const CHECKOUT  = 'checkout';
	public const EMPTIED   = 'emptied';
	public const CONVERTED = 'converted';

	public const WAITING = 'waiting';
	public const SETTLED = 'settled';
	public const REFUSED = 'refused';

	private const NUMBERS = array( 'customer_id', 'checkout_at', 'created_at', 'changed_at', 'sent_at', 'answer', 'tries', 'queued_at', 'order_id' );

	/**
	 * The table's name on this site.
	 */
	public static function name(): string {
		global $wpdb;
		return $wpdb->prefix . 'agala_carts';
	}

	/**
	 * Makes the table, or brings it to what this version needs.
	 */
	public static function install(): void {
		global $wpdb;
		require_once ABSPATH . 'wp-admin/includes/upgrade.php';
		$table   = self::name();
		$charset = $wpdb->get_charset_collate();
		dbDelta(
			"CREATE TABLE {$table} (
			token varchar(32) NOT NULL,
			session_key varchar(64) NULL,
			customer_id bigint(20) unsigned NOT NULL DEFAULT 0,
			email varchar(254) NOT NULL DEFAULT '',
			phone varchar(40) NOT NULL DEFAULT '',
			state longtext NOT NULL,
			cart_hash varchar(32) NOT NULL DEFAULT '',
			step varchar(10) NOT NULL DEFAULT 'updated',
			checkout_at bigint(20) unsigned NOT NULL DEFAULT 0,
			created_at bigint(20) unsigned NOT NULL DEFAULT 0,
			changed_at bigint(20) unsigned NOT NULL DEFAULT 0,
			sent_at bigint(20) unsigned NOT NULL DEFAULT 0,
			outcome varchar(10) NOT NULL DEFAULT 'waiting',
			answer smallint(5) unsigned NOT NULL DEFAULT 0,
			tries smallint(5) unsigned NOT NULL DEFAULT 0,
			queued_at bigint(20) unsigned NOT NULL DEFAULT 0,
			order_id bigint(20) unsigned NOT NULL DEFAULT 0,
			PRIMARY KEY  (token),
			UNIQUE KEY session_key (session_key),
			KEY email (email(100)),
			KEY outcome_changed (outcome,changed_at),
			KEY changed_at (changed_at)
			) {$charset};"
		);
	}

	/**
	 * The cart with this token.
	 *
	 * @param string $token The cart's token.
	 */
	public static function find( string $token ): ?array {
		global $wpdb;
		// phpcs:ignore WordPress.DB.DirectDatabaseQuery -- our own table; a cart that is cached is a cart that is out of date.
		$row = $wpdb->get_row( $wpdb->prepare( 'SELECT * FROM %i WHERE token = %s', self::name(), $token ), ARRAY_A );
		return is_array( $row ) ? $row : null;
	}

	/**
	 * The cart that this session has open.
	 *
	 * @param string $session_key WooCommerce's name of the session.
	 */
	public static function find_open( string $session_key ): ?array {
		global $wpdb;
		// phpcs:ignore WordPress.DB.DirectDatabaseQuery -- as in `find`.
		$row = $wpdb->get_row( $wpdb->prepare( 'SELECT * FROM %i WHERE session_key = %s', self::name(), $session_key ), ARRAY_A );
		return is_array( $row ) ? $row : null;
	}

	/**
	 * Adds a cart. False when the session has an open one already, or the token is taken.
	 *
	 * @param array $row Columns and their values.
	 */
	public static function add( array $row ): bool {
		global $wpdb;
		$columns = array_keys( $row );
		$sql     = 'INSERT IGNORE INTO %i (' . implode( ', ', array_fill( 0, count( $row ), '%i' ) ) . ') VALUES (' . implode( ', ', array_map( array( self::class, 'placeholder' ), $columns ) ) . ')';
		return 1 === self::run( $sql, array_merge( array( self::name() ), $columns, array_values( $row ) ) );
	}

	/**
	 * Changes a cart that has not been bought. False when it has been, or is not there.
	 *
	 * @param string $token   The cart's token.
	 * @param array  $changed Columns and their new values.
	 */
	public static function change( string $token, array $changed ): bool {
		list( $sql, $values ) = self::assignments( $changed );
		return 1 === self::run(
			"UPDATE %i SET {$sql} WHERE token = %s AND step <> %s",
			array_merge( array( self::name() ), $values, array( $token, self::CONVERTED ) )
		);
	}

	/**
	 * Writes down how telling Agala went, unless the cart has changed since.
	 *
	 * @param string $token      The cart's token.
	 * @param string $changed_at The row's `changed_at` when it was read.
	 * @param array  $noted      Columns and their new values.
	 */
	public static function note( string $token, string $changed_at, array $noted ): bool {
		list( $sql, $values ) = self::assignments( $noted );
		return 1 === self::run(
			"UPDATE %i SET {$sql} WHERE token = %s AND changed_at = %d",
			array_merge( array( self::name() ), $values, array( $token, $changed_at ) )
		);
	}

	/**
	 * Writes down when the queue will send it, 0 for when it will not.
	 *
	 * @param string $token The cart's token.
	 * @param int    $at    Unix seconds.
	 */
	public static function note_queued( string $token, int $at ): void {
		self::run( 'UPDATE %i SET queued_at = %d WHERE token = %s', array( self::name(), $at, $token ) );
	}

	/**
	 * Tokens of carts that wait to be told and that the queue has lost or never had, oldest change first.
	 *
	 * @param int $queued_before Unix seconds: what the queue should have sent by then.
	 * @param int $changed_after Unix milliseconds.
	 * @param int $most          How many at most.
	 * @return string[]
	 */
	public static function waiting( int $queued_before, int $changed_after, int $most ): array {
		global $wpdb;
		// phpcs:ignore WordPress.DB.DirectDatabaseQuery -- as in `find`.
		return $wpdb->get_col(
			$wpdb->prepare(
				"SELECT token FROM %i WHERE outcome = %s AND changed_at > %d AND queued_at < %d AND (email <> '' OR phone <> '' OR step = %s) ORDER BY changed_at LIMIT %d",
				self::name(),
				self::WAITING,
				$changed_after,
				$queued_before,
				self::CONVERTED,
				$most
			)
		);
	}

	/**
	 * Agala took an earlier change of this cart.
	 *
	 * @param string $token      The cart's token.
	 * @param string $changed_at The `changed_at` of that change.
	 */
	public static function note_sent( string $token, string $changed_at ): void {
		self::run( 'UPDATE %i SET sent_at = %d WHERE token = %s AND sent_at < %d', array( self::name(), $changed_at, $token, $changed_at ) );
	}

	/**
	 * With a new connection: the queue of before is gone, and what was refused because of the connection waits again.
	 *
	 * @param int $changed_after Unix milliseconds: older ones stay as they are.
	 */
	public static function wait_again( int $changed_after ): void {
		self::run(
			'UPDATE %i SET outcome = %s, tries = 0, queued_at = 0 WHERE changed_at > %d AND (outcome = %s OR (outcome = %s AND answer IN (404, 410)))',
			array( self::name(), self::WAITING, $changed_after, self::WAITING, self::REFUSED )
		);
	}

	/**
	 * Forgets carts that nobody touched since.
	 *
	 * @param int $changed_before Unix milliseconds.
	 */
	public static function purge( int $changed_before ): void {
		self::run( 'DELETE FROM %i WHERE changed_at < %d', array( self::name(), $changed_before ) );
	}

	/**
	 * The carts of a person, newest first, as the privacy tools page through them.
	 *
	 * @param string $email       The person's email.
	 * @param int    $page        From 1.
	 * @param int    $most        Rows per page.
	 * @param int    $customer_id The person's account, 0 for none: its carts may have another email.
	 * @return array[]
	 */
	public static function of_person( string $email, int $page = 1, int $most = 50, int $customer_id = 0 ): array {
		global $wpdb;
		// phpcs:ignore WordPress.DB.DirectDatabaseQuery -- as in `find`.
		return $wpdb->get_results(
			$wpdb->prepare(
				'SELECT * FROM %i WHERE email = %s OR ( customer_id = %d AND customer_id > 0 ) ORDER BY changed_at DESC LIMIT %d OFFSET %d',
				self::name(),
				strtolower( $email ),
				$customer_id,
				$most,
				max( 0, $page - 1 ) * $most
			),
			ARRAY_A
		);
	}

	/**
	 * Forgets all carts of a person.
	 *
	 * @param string $email       The person's email.
	 * @param int    $customer_id The person's account, 0 for none.
	 * @return int How many there were.
	 */
	public static function erase( string $email, int $customer_id = 0 ): int {
		return self::run(
			'DELETE FROM %i WHERE email = %s OR ( customer_id = %d AND customer_id > 0 )',
			array( self::name(), strtolower( $email ), $customer_id )
		);
	}

	/**
	 * Removes the table with all that is in it.
	 */
	public static function drop(): void {
		self::run( 'DROP TABLE IF EXISTS %i', array( self::name() ) );
	}

	/**
	 * `column = value` for each, and what to fill in.
	 *
	 * @param array $columns Columns and their values.
	 * @return array SQL and its values.
	 */
	private static function assignments( array $columns ): array {
		$parts  = array();
		$values = array();
		foreach ( $columns as $column => $value ) {
			$values[] = $column;
			if ( null === $value ) {
				$parts[] = '%i = NULL';
				continue;
			}
			$parts[]  = '%i = ' . self::placeholder( $column );
			$values[] = $value;
		}
		return array( implode( ', ', $parts ), $values );
	}

	/**
	 * How a column's value is written.
	 *
	 * @param string $column The column's name.
	 */
	private static function placeholder( string $column ): string {
		return in_array( $column, self::NUMBERS, true ) ? '%d' : '%s';
	}

	/**
	 * Runs a statement; gives the number of rows it touched.
	 *
	 * @param string $sql    With placeholders for everything.
	 * @param array  $values What to fill in.
	 */
	private static function run( string $sql, array $values ): int {
		global $wpdb;
		// phpcs:ignore WordPress.DB -- $sql consists of this class's own literals and placeholders only.
		return (int) $wpdb->query( $wpdb->prepare( $sql, $values ) );
	}
}
