<?php
/**
 * Why Agala cannot read the shop, in words.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

/**
 * Agala names what keeps it from reading the shop by a code and in English words; here it is in the owner's language.
 */
final class Sync_Trouble {

	/**
	 * What to tell the owner.
	 *
	 * @param array $trouble Agala's: `code`, `words`.
	 */
	public static function words( array $trouble ): string {
		$known = self::known();
		$code  = isset( $trouble['code'] ) && is_string( $trouble['code'] ) ? $trouble['code'] : '';
		$words = isset( $trouble['words'] ) && is_string( $trouble['words'] ) ? sanitize_text_field( $trouble['words'] ) : '';
		return isset( $known[ $code ] ) ? $known[ $code ] : $words;
	}

	/**
	 * The sentences by Agala's codes; a newer Agala may have others.
	 *
	 * @return array<string, string>
	 */
	private static function known(): array {
		return array(
			'no_key'          => __( 'Agala has no key to the shop. Press "Allow"; if there is no such button, disconnect and connect again.', 'agala' ),
			'key_refused'     => __( 'The shop refuses Agala\'s key. Disconnect and connect again.', 'agala' ),
			'not_allowed'     => __( 'The shop does not let Agala in: the key may read too little, or a security plugin or firewall stands in the way. Allow Agala there, or connect again.', 'agala' ),
			'no_rest'         => __( 'The shop\'s REST API was not found at its address. Save the permalinks (Settings → Permalinks) once more, and check that no plugin switches the REST API off.', 'agala' ),
			'slow_down'       => __( 'The shop asks Agala to wait; Agala goes on later.', 'agala' ),
			'failing'         => __( 'The shop answers with an error of its own; it may be overloaded or updating.', 'agala' ),
			'web_page'        => __( 'The shop answers with a web page instead of data: a security plugin, a maintenance page or a password page may stand in front of it.', 'agala' ),
			'broken_answer'   => __( 'The shop\'s answer is not complete. Another plugin may print something into it.', 'agala' ),
			'too_large'       => __( 'The shop\'s answer is larger than Agala reads.', 'agala' ),
			'redirect_loop'   => __( 'The shop sends Agala round in a circle of redirects.', 'agala' ),
			'moved'           => __( 'The shop redirects to another address. If it has moved, disconnect and connect again.', 'agala' ),
			'certificate'     => __( 'The shop\'s security certificate is not valid: it may be expired or made for another name.', 'agala' ),
			'unknown_host'    => __( 'The name in the shop\'s address is not found from where Agala runs.', 'agala' ),
			'private_address' => __( 'The shop\'s address leads to a private network, which Agala does not enter.', 'agala' ),
			'no_connection'   => __( 'No connection to the shop can be made from where Agala runs.', 'agala' ),
			'no_answer'       => __( 'The shop takes too long to answer.', 'agala' ),
		);
	}
}
