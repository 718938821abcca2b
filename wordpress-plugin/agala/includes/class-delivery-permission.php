<?php
/**
 * WordPress's leave to deliver to Agala.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

/**
 * WordPress does not let WooCommerce deliver to private addresses and unusual ports. Exactly the connected Agala,
 * host and port and scheme, is let through; everything else stays as it was.
 */
final class Delivery_Permission {

	/**
	 * Adds the hooks.
	 */
	public function register(): void {
		add_filter( 'http_request_host_is_external', array( $this, 'allow_host' ), 10, 3 );
		add_filter( 'http_allowed_safe_ports', array( $this, 'allow_port' ), 10, 3 );
	}

	/**
	 * Whether WordPress may call a host that looks like one of its own network.
	 *
	 * @param bool   $external What WordPress thinks.
	 * @param string $host     The host.
	 * @param string $url      The whole address.
	 */
	public function allow_host( $external, $host, $url ) {
		return $external || self::is_agala( (string) $url );
	}

	/**
	 * The ports that WordPress may call.
	 *
	 * @param int[]  $ports What WordPress allows.
	 * @param string $host  The host.
	 * @param string $url   The whole address.
	 */
	public function allow_port( $ports, $host, $url ) {
		if ( self::is_agala( (string) $url ) ) {
			$ports[] = Connection_Code::port( (string) $url );
		}
		return $ports;
	}

	/**
	 * Whether an address is on the connected Agala.
	 *
	 * @param string $url An address.
	 */
	private static function is_agala( string $url ): bool {
		$connection = Options::connection();
		$origin     = Connection_Code::origin( $url );
		return null !== $connection && '' !== $origin && Connection_Code::origin( $connection['webhook_url'] ) === $origin;
	}
}
