<?php
/**
 * How long a product lasts.
 *
 * @package Agala
 */

namespace Agala;

use WC_Admin_Meta_Boxes;

defined( 'ABSPATH' ) || exit;

/**
 * A field on the product's edit page: after how many days a buyer has used it up. Agala reminds of it in time.
 */
final class Product_Lifetime {

	public const META       = '_agala_lifetime_days';
	private const MOST_DAYS = 3650;

	/**
	 * Adds the hooks.
	 */
	public function register(): void {
		add_action( 'woocommerce_product_options_general_product_data', array( $this, 'show' ) );
		add_action( 'woocommerce_admin_process_product_object', array( $this, 'save' ) );
	}

	/**
	 * The field.
	 */
	public function show(): void {
		echo '<div class="options_group">';
		woocommerce_wp_text_input(
			array(
				'id'                => self::META,
				'label'             => __( 'Lasts for (days)', 'agala' ),
				'description'       => __( 'After how many days a buyer has used this product up. Agala can then remind of it in time. Leave it empty for products that are not used up.', 'agala' ),
				'desc_tip'          => true,
				'type'              => 'number',
				'custom_attributes' => array(
					'min'  => '1',
					'max'  => (string) self::MOST_DAYS,
					'step' => '1',
				),
			)
		);
		echo '</div>';
	}

	/**
	 * Keeps the field; WooCommerce has checked the form's nonce and saves the product afterwards.
	 *
	 * @param \WC_Product $product The product.
	 */
	public function save( $product ): void {
		// phpcs:ignore WordPress.Security.NonceVerification.Missing -- See above.
		$sent = isset( $_POST[ self::META ] ) ? sanitize_text_field( wp_unslash( $_POST[ self::META ] ) ) : null;
		if ( null === $sent ) {
			return;
		}
		if ( '' === $sent ) {
			$product->delete_meta_data( self::META );
		} elseif ( preg_match( '/^\d{1,4}$/', $sent ) && (int) $sent >= 1 && (int) $sent <= self::MOST_DAYS ) {
			$product->update_meta_data( self::META, (string) (int) $sent );
		} else {
			/* translators: %d: the greatest number of days. */
			WC_Admin_Meta_Boxes::add_error( sprintf( __( '"Lasts for (days)" was not changed: it takes a whole number from 1 to %d.', 'agala' ), self::MOST_DAYS ) );
		}
	}
}
