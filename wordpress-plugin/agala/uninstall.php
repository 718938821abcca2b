<?php
/**
 * Runs when the owner deletes the plugin.
 *
 * @package Agala
 */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

require_once __DIR__ . '/agala.php';

Agala\Removal::run();
