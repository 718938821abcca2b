<?php
/**
 * The occasion at the checkout block.
 *
 * @package Agala
 */

namespace Agala;

use Automattic\WooCommerce\StoreApi\Exceptions\RouteException;

defined( 'ABSPATH' ) || exit;

/**
 * The questions at the checkout block, through WooCommerce's additional checkout fields (8.9 and newer); an older
 * checkout block takes no fields from plugins and asks nothing.
 */
final class Questions_Block {

	private const FIELD = 'agala/occasion-';
	private const PARTS = array( 'occasion', 'day', 'month', 'remind' );

	/**
	 * Adds the hooks.
	 */
	public function register(): void {
		add_action( 'init', array( $this, 'add_fields' ), 20 );
		add_action( 'woocommerce_blocks_checkout_enqueue_data', array( $this, 'remember_shown' ) );
		add_action( 'woocommerce_store_api_checkout_update_order_from_request', array( $this, 'keep' ), 10, 2 );
	}

	/**
	 * The fields; they belong to the order.
	 */
	public function add_fields(): void {
		if ( ! $this->are_asked() ) {
			return;
		}
		$this->add_choice( 'occasion', __( 'Is it for an occasion?', 'agala' ), Occasions::offered() );
		$this->add_choice( 'day', __( 'Day of the occasion', 'agala' ), Checkout_Questions::days() );
		$this->add_choice( 'month', __( 'Month of the occasion', 'agala' ), Checkout_Questions::months() );
		$this->add_field( 'remind', Checkout_Questions::remind_text(), array( 'type' => 'checkbox' ) );
	}

	/**
	 * The page with the checkout block is being made.
	 */
	public function remember_shown(): void {
		if ( $this->are_asked() ) {
			Checkout_Questions::remember_shown();
		}
	}

	/**
	 * The checkout block tells its fields. The answer counts, and is looked at, when the order is placed: before, it is
	 * told in pieces.
	 *
	 * @param \WC_Order        $order   The order, which WooCommerce saves after this.
	 * @param \WP_REST_Request $request The request.
	 * @throws RouteException With the mistake, which the block shows.
	 */
	public function keep( $order, $request ): void {
		if ( ! $this->are_asked() || 'POST' !== $request->get_method() ) {
			return;
		}
		$told    = $this->told( (array) $request['additional_fields'] );
		$mistake = Checkout_Questions::mistake( $told );
		if ( '' !== $mistake ) {
			throw new RouteException( 'agala_occasion', esc_html( $mistake ), 400 );
		}
		Checkout_Questions::keep_with_order( $order, $told );
		foreach ( self::PARTS as $part ) {
			$order->delete_meta_data( Consent_Block::KEPT . self::FIELD . $part ); // Kept in one place.
		}
	}

	/**
	 * Whether this checkout asks.
	 */
	private function are_asked(): bool {
		return Consent_Block::is_available() && Checkout_Questions::are_asked();
	}

	/**
	 * Adds one choice out of a list.
	 *
	 * @param string $part    What it is.
	 * @param string $label   What it asks.
	 * @param array  $choices Value => words.
	 */
	private function add_choice( string $part, string $label, array $choices ): void {
		$options = array();
		foreach ( $choices as $value => $words ) {
			$options[] = array(
				'value' => (string) $value,
				'label' => $words,
			);
		}
		$this->add_field(
			$part,
			$label,
			array(
				'type'        => 'select',
				'placeholder' => __( 'Choose…', 'agala' ),
				'options'     => $options,
			)
		);
	}

	/**
	 * Adds one field.
	 *
	 * @param string $part  What it is.
	 * @param string $label What it asks.
	 * @param array  $more  Its kind.
	 */
	private function add_field( string $part, string $label, array $more ): void {
		woocommerce_register_additional_checkout_field(
			array_merge(
				array(
					'id'                         => self::FIELD . $part,
					'label'                      => $label,
					'optionalLabel'              => $label,
					'location'                   => 'order',
					'show_in_order_confirmation' => false,
				),
				$more
			)
		);
	}

	/**
	 * {occasion, day, month, remind} out of the block's fields.
	 *
	 * @param array $fields The block's fields by their ids.
	 */
	private function told( array $fields ): array {
		$told = array();
		foreach ( self::PARTS as $part ) {
			if ( isset( $fields[ self::FIELD . $part ] ) ) {
				$told[ $part ] = $fields[ self::FIELD . $part ];
			}
		}
		return $told;
	}
}
