<?php
/**
 * What plugins declare and ask under WooCommerce's own namespaces.
 */

namespace Automattic\WooCommerce\Utilities {

	/** Which plugin says that it works with which feature. */
	class FeaturesUtil {
		/** @var array<string, array<string, bool>> feature => plugin file => compatible */
		public static $declared = array();

		public static function declare_compatibility( string $feature_id, string $plugin_file, bool $positive_compatibility = true ): bool {
			if ( ! doing_action( 'before_woocommerce_init' ) ) {
				_doing_it_wrong( __METHOD__, 'Declare inside before_woocommerce_init.', '7.0' );
				return false;
			}
			self::$declared[ $feature_id ][ plugin_basename( $plugin_file ) ] = $positive_compatibility;
			return true;
		}

		public static function feature_is_enabled( string $feature_id ): bool {
			return in_array( $feature_id, array( 'custom_order_tables', 'cart_checkout_blocks' ), true );
		}
	}

	/** Orders live in tables of their own here. */
	class OrderUtil {
		public static function custom_orders_table_usage_is_enabled(): bool {
			return true;
		}

		public static function get_order_type( $order_id ) {
			return wc_get_order( $order_id ) ? 'shop_order' : null;
		}

		public static function get_order_admin_edit_url( int $order_id ): string {
			return admin_url( "admin.php?page=wc-orders&action=edit&id=$order_id" );
		}
	}
}

namespace Automattic\WooCommerce\Blocks\Integrations {

	/** A plugin's scripts for the blocks. */
	interface IntegrationInterface {
		public function get_name();
		public function initialize();
		public function get_script_handles();
		public function get_editor_script_handles();
		public function get_script_data();
	}

	/** Which plugins brought scripts for a block. */
	class IntegrationRegistry {
		/** @var array<string, IntegrationInterface> */
		private $registered = array();

		public function register( IntegrationInterface $integration ) {
			$this->registered[ $integration->get_name() ] = $integration;
			$integration->initialize();
			return true;
		}

		public function is_registered( $name ) {
			return isset( $this->registered[ $name ] );
		}

		public function get_all_registered() {
			return $this->registered;
		}
	}
}

namespace Automattic\WooCommerce\StoreApi\Exceptions {

	/** An answer of the Store API that is an error. */
	class RouteException extends \Exception {
		/** @var string */
		public $error_code;

		public function __construct( $error_code, $message, $http_status_code = 400 ) {
			$this->error_code = $error_code;
			parent::__construct( $message, $http_status_code );
		}

		public function getErrorCode() {
			return $this->error_code;
		}
	}
}
