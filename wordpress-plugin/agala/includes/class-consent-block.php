<?php
/**
 * Consent at the checkout block.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

/**
 * The boxes at the checkout block, through WooCommerce's additional checkout fields (8.9 and newer).
 *
 * An older checkout block takes no fields from plugins: there nothing is shown, and nobody counts as asked.
 */
final class Consent_Block {

	private const FIELD = 'agala/consent-';
	private const SHOWN = 'agala_consent_shown';

	/**
	 * Before a field's id: the order meta where WooCommerce keeps it.
	 */
	public const KEPT = '_wc_other/';

	/**
	 * Whether this WooCommerce's checkout block takes additional fields.
	 */
	public static function is_available(): bool {
		return function_exists( 'woocommerce_register_additional_checkout_field' );
	}

	/**
	 * Adds the hooks.
	 */
	public function register(): void {
		add_action( 'init', array( $this, 'add_fields' ), 20 );
		add_action( 'woocommerce_blocks_checkout_enqueue_data', array( $this, 'remember_shown' ) );
		add_action( 'woocommerce_store_api_checkout_update_order_from_request', array( $this, 'read_request' ), 10, 2 );
		add_action( 'woocommerce_store_api_checkout_order_processed', array( Consent::class, 'learn_from_order' ) );
	}

	/**
	 * One box per channel. They belong to the order alone: the account keeps its choices itself (see Consent).
	 */
	public function add_fields(): void {
		if ( ! self::is_available() ) {
			return;
		}
		foreach ( Consent::asked() as $channel => $question ) {
			woocommerce_register_additional_checkout_field(
				array(
					'id'                         => self::FIELD . $channel,
					'label'                      => $question['text'],
					'optionalLabel'              => $question['text'],
					'location'                   => 'order',
					'type'                       => 'checkbox',
					'show_in_order_confirmation' => false,
				)
			);
			add_filter(
				'woocommerce_get_default_value_for_' . self::FIELD . $channel,
				static function ( $value, $group, $record ) use ( $channel ) {
					if ( $record instanceof \WC_Order && ! $record->has_status( 'checkout-draft' ) ) {
						return $value; // An order of the past: who looks at it is not who chose.
					}
					$asked = Consent::asked();
					return isset( $asked[ $channel ] ) && $asked[ $channel ]['ticked'] ? '1' : '0';
				},
				10,
				3
			);
		}
	}

	/**
	 * The page with the checkout block is being made: what it asks, with the words as they stand on it.
	 */
	public function remember_shown(): void {
		if ( self::is_available() && WC()->session ) {
			WC()->session->set( self::SHOWN, Consent::asked() );
		}
	}

	/**
	 * The checkout block tells its fields: while they are filled in (PUT) and when the order is placed (POST).
	 *
	 * @param \WC_Order        $order   The order, which WooCommerce saves after this.
	 * @param \WP_REST_Request $request The request.
	 */
	public function read_request( $order, $request ): void {
		$told   = (array) $request['additional_fields'];
		$shown  = WC()->session ? (array) WC()->session->get( self::SHOWN ) : array();
		$asked  = array();
		$ticked = array();
		foreach ( Consent::asked() as $channel => $question ) {
			if ( ! isset( $told[ self::FIELD . $channel ] ) ) {
				continue; // Not on the page that sent this: a payment button in the cart, another client.
			}
			$asked[ $channel ] = isset( $shown[ $channel ] ) ? $shown[ $channel ] : $question;
			if ( $told[ self::FIELD . $channel ] ) {
				$ticked[] = $channel;
			}
		}
		$placed  = 'POST' === $request->get_method();
		$choices = Consent::chosen( $asked, $ticked, 'checkout_block', $placed );
		if ( ! $placed ) {
			$this->note( $choices );
			return;
		}
		Consent::keep_with_order( $order, $choices );
		foreach ( Options::CHANNELS as $channel ) {
			$order->delete_meta_data( self::KEPT . self::FIELD . $channel ); // A bare yes or no says less, in a second place.
		}
	}

	/**
	 * Choices of a checkout that is still being filled in are the cart's, which tells Agala of new ones.
	 *
	 * @param array $choices The choices.
	 */
	private function note( array $choices ): void {
		$before = Consent::of_cart();
		Consent::keep_for_cart( $choices );
		if ( Consent::of_cart() !== $before ) {
			/** This action is documented in includes/class-checkout-fields.php */
			do_action( 'agala_shopper_typed' );
		}
	}
}
