<?php
/**
 * The occasion at the classic checkout.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

/**
 * The questions at the classic checkout, after the order's notes.
 */
final class Questions_Form {

	/**
	 * The form field that holds {occasion, day, month, remind}.
	 */
	private const FIELD = 'agala_occasion';

	/**
	 * Adds the hooks.
	 */
	public function register(): void {
		add_action( 'woocommerce_after_order_notes', array( $this, 'show' ) );
		add_action( 'woocommerce_after_checkout_validation', array( $this, 'check' ), 10, 2 );
		add_action( 'woocommerce_checkout_create_order', array( $this, 'keep' ) );
	}

	/**
	 * Draws the questions.
	 */
	public function show(): void {
		if ( ! Checkout_Questions::are_asked() ) {
			return;
		}
		Checkout_Questions::remember_shown();
		echo '<div class="agala-occasion">';
		$this->show_choice( 'occasion', __( 'Is it for an occasion?', 'agala' ), Occasions::offered(), 'form-row-wide' );
		$this->show_choice( 'day', __( 'Day of the occasion', 'agala' ), Checkout_Questions::days(), 'form-row-first' );
		$this->show_choice( 'month', __( 'Month of the occasion', 'agala' ), Checkout_Questions::months(), 'form-row-last' );
		printf(
			'<p class="form-row form-row-wide"><label class="woocommerce-form__label woocommerce-form__label-for-checkbox checkbox"><input type="checkbox" class="woocommerce-form__input woocommerce-form__input-checkbox input-checkbox" name="%1$s[remind]" value="1" /> <span dir="auto">%2$s</span></label></p></div>',
			esc_attr( self::FIELD ),
			esc_html( Checkout_Questions::remind_text() )
		);
	}

	/**
	 * The checkout is checked before an order is made of it.
	 *
	 * @param array     $data   Not needed: WooCommerce's own fields.
	 * @param \WP_Error $errors What is wrong.
	 */
	public function check( $data, $errors ): void {
		$mistake = Checkout_Questions::are_asked() ? Checkout_Questions::mistake( $this->posted() ) : '';
		if ( '' !== $mistake ) {
			$errors->add( 'agala_occasion', esc_html( $mistake ) );
		}
	}

	/**
	 * The order, before it is saved.
	 *
	 * @param \WC_Order $order The order.
	 */
	public function keep( $order ): void {
		if ( Checkout_Questions::are_asked() ) {
			Checkout_Questions::keep_with_order( $order, $this->posted() );
		}
	}

	/**
	 * One choice out of a list, none at first.
	 *
	 * @param string $name    Its name in the form.
	 * @param string $label   What it asks.
	 * @param array  $choices Value => words.
	 * @param string $row     WooCommerce's class for its place in the row.
	 */
	private function show_choice( string $name, string $label, array $choices, string $row ): void {
		woocommerce_form_field(
			self::FIELD . '[' . $name . ']',
			array(
				'id'      => self::FIELD . '_' . $name,
				'type'    => 'select',
				'label'   => $label,
				'class'   => array( $row ),
				'options' => array( '' => __( 'Choose…', 'agala' ) ) + $choices,
			)
		);
	}

	/**
	 * What came with this request.
	 */
	private function posted(): array {
		// phpcs:disable WordPress.Security.NonceVerification.Missing -- WooCommerce checked its own before it called us.
		return isset( $_POST[ self::FIELD ] ) && is_array( $_POST[ self::FIELD ] ) ? array_map( 'sanitize_text_field', wp_unslash( $_POST[ self::FIELD ] ) ) : array();
		// phpcs:enable
	}
}
