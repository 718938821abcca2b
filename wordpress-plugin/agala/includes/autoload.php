<?php
/**
 * Finds our classes: `Agala\Cart_Tracker` is in `includes/class-cart-tracker.php`.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

spl_autoload_register(
	function ( $name ) {
		if ( 0 !== strpos( $name, __NAMESPACE__ . '\\' ) ) {
			return;
		}
		$short = substr( $name, strlen( __NAMESPACE__ ) + 1 );
		$file  = __DIR__ . '/class-' . strtolower( str_replace( '_', '-', $short ) ) . '.php';
		if ( is_readable( $file ) ) {
			require $file;
		}
	}
);
