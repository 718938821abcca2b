<?php
/**
 * The double's tables. Those that plugins look into by themselves have WooCommerce's names and columns.
 */

function wc_double_name_tables() {
	global $wpdb;
	foreach ( array( 'woocommerce_sessions', 'woocommerce_api_keys', 'wc_webhooks', 'wc_orders', 'wc_orders_meta', 'actionscheduler_actions' ) as $table ) {
		$wpdb->$table = $wpdb->prefix . $table;
	}
}

function wc_double_create_tables() {
	global $wpdb;
	$tables = array(
		'woocommerce_sessions'    => 'session_id bigint unsigned NOT NULL auto_increment, session_key varchar(32) NOT NULL, session_value longtext NOT NULL, session_expiry bigint unsigned NOT NULL, PRIMARY KEY (session_id), UNIQUE KEY session_key (session_key)',
		'woocommerce_api_keys'    => 'key_id bigint unsigned NOT NULL auto_increment, user_id bigint unsigned NOT NULL, description varchar(200) NULL, permissions varchar(10) NOT NULL, consumer_key char(64) NOT NULL, consumer_secret char(43) NOT NULL, nonces longtext NULL, truncated_key char(7) NOT NULL, last_access datetime NULL default null, PRIMARY KEY (key_id), KEY consumer_key (consumer_key)',
		'wc_webhooks'             => "webhook_id bigint unsigned NOT NULL auto_increment, status varchar(200) NOT NULL, name text NOT NULL, user_id bigint unsigned NOT NULL, delivery_url text NOT NULL, secret text NOT NULL, topic varchar(200) NOT NULL, date_created datetime NOT NULL, date_modified datetime NOT NULL, api_version smallint NOT NULL DEFAULT 3, failure_count smallint NOT NULL DEFAULT 0, pending_delivery tinyint NOT NULL DEFAULT 0, PRIMARY KEY (webhook_id)",
		'wc_orders'               => 'id bigint unsigned NOT NULL auto_increment, status varchar(20) NULL, currency varchar(10) NULL, type varchar(20) NULL, total_amount decimal(26,8) NULL, customer_id bigint unsigned NULL, billing_email varchar(320) NULL, date_created_gmt datetime NULL, date_updated_gmt datetime NULL, double_data longtext NOT NULL, PRIMARY KEY (id)',
		'wc_orders_meta'          => 'id bigint unsigned NOT NULL auto_increment, order_id bigint unsigned NULL, meta_key varchar(255) NULL, meta_value longtext NULL, PRIMARY KEY (id), KEY order_id (order_id)',
		'actionscheduler_actions' => "action_id bigint unsigned NOT NULL auto_increment, hook varchar(191) NOT NULL, status varchar(20) NOT NULL, args longtext NOT NULL, action_group varchar(191) NOT NULL, scheduled_at bigint NOT NULL, recurs bigint NOT NULL DEFAULT 0, PRIMARY KEY (action_id), KEY hook (hook)",
	);
	foreach ( $tables as $name => $columns ) {
		$wpdb->query( "CREATE TABLE IF NOT EXISTS {$wpdb->prefix}$name ($columns)" );
	}
}
