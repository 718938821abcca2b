<?php
/**
 * Agala's script on the shop's pages.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

/**
 * Adds the script where the owner allows it; it never holds up a page, and never sees those who run the shop.
 */
final class Pixel {

	private const HANDLE = 'agala-pixel';

	/**
	 * Adds the hooks.
	 */
	public function register(): void {
		add_action( 'wp_enqueue_scripts', array( $this, 'add' ) );
		add_filter( 'script_loader_tag', array( $this, 'never_wait' ), 10, 2 );
	}

	/**
	 * Adds the script.
	 */
	public function add(): void {
		if ( ! self::is_allowed() ) {
			return;
		}
		$connection = Options::connection();
		$url        = add_query_arg( 'store', rawurlencode( $connection['store_id'] ), $connection['address'] . '/pixel.js' );
		// Without a version: the script is Agala's, not of this plugin.
		wp_enqueue_script( self::HANDLE, $url, array(), null, true );
	}

	/**
	 * The page does not wait for the script.
	 *
	 * @param string $tag    The script's tag.
	 * @param string $handle Its handle.
	 */
	public function never_wait( $tag, $handle ) {
		return self::HANDLE === $handle ? str_replace( ' src=', ' async defer src=', $tag ) : $tag;
	}

	/**
	 * Whether the present page gets the script.
	 */
	private static function is_allowed(): bool {
		$allowed = Options::settings()['pixel'] && Options::is_connected() && ! current_user_can( Settings_Guard::CAPABILITY );
		/**
		 * For plugins that ask visitors first: whether Agala's script may be on this page.
		 *
		 * @param bool $allowed Whether the owner allows it.
		 */
		return (bool) apply_filters( 'agala_pixel_allowed', $allowed ) && $allowed;
	}
}
