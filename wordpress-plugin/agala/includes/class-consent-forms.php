<?php
/**
 * Consent on pages that WordPress draws.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

/**
 * The boxes at the classic checkout, at registration and in the customer's account.
 *
 * Each form carries, signed, what it asked: so a choice is kept with the very words that were shown, whatever the
 * settings or the language are when the form comes back; and a form without it did not ask.
 */
final class Consent_Forms {

	/**
	 * Form fields: what was asked, and the ticked channels.
	 */
	public const ASKED  = 'agala_consent_asked';
	public const TICKED = 'agala_consent';

	/**
	 * Adds the hooks.
	 */
	public function register(): void {
		add_action( 'woocommerce_after_checkout_billing_form', array( $this, 'show_at_checkout' ) );
		add_action( 'woocommerce_register_form', array( $this, 'show_at_registration' ) );
		add_action( 'woocommerce_edit_account_form', array( $this, 'show_in_account' ) );

		add_action( 'woocommerce_created_customer', array( $this, 'keep_for_new_customer' ) );
		add_action( 'woocommerce_checkout_create_order', array( $this, 'keep_with_order' ) );
		add_action( 'woocommerce_checkout_order_processed', array( $this, 'learn_from_order' ), 10, 3 );
		add_action( 'woocommerce_save_account_details', array( $this, 'keep_for_account' ) );
	}

	/**
	 * What was chosen so far on a checkout that is still being filled in: kept for the cart. A box that nobody touched
	 * says nothing.
	 *
	 * @param array $posted The checkout's form fields, unslashed.
	 * @return bool Whether something changed.
	 */
	public static function note_at_checkout( array $posted ): bool {
		$before = Consent::of_cart();
		$form   = self::form( $posted, array( 'checkout' ) );
		if ( $form ) {
			Consent::keep_for_cart( Consent::chosen( $form['asked'], $form['ticked'], 'checkout', false ) );
		}
		return Consent::of_cart() !== $before;
	}

	/**
	 * After the billing fields.
	 */
	public function show_at_checkout(): void {
		$this->show( 'checkout' );
	}

	/**
	 * Before the registration's button.
	 */
	public function show_at_registration(): void {
		$this->show( 'register' );
	}

	/**
	 * Before the button of the account's details.
	 */
	public function show_in_account(): void {
		$this->show( 'account' );
	}

	/**
	 * An account made at registration or at the classic checkout.
	 *
	 * @param int $user_id The new customer.
	 */
	public function keep_for_new_customer( $user_id ): void {
		Consent::keep_for_customer( (int) $user_id, $this->choices( array( 'checkout', 'register' ) ) );
	}

	/**
	 * An order of the classic checkout, before it is saved.
	 *
	 * @param \WC_Order $order The order.
	 */
	public function keep_with_order( $order ): void {
		Consent::keep_with_order( $order, $this->choices( array( 'checkout' ) ) );
	}

	/**
	 * An order of the classic checkout, once it is saved.
	 *
	 * @param int       $order_id Not needed.
	 * @param array     $posted   Not needed.
	 * @param \WC_Order $order    The order.
	 */
	public function learn_from_order( $order_id, $posted, $order ): void {
		Consent::learn_from_order( $order );
	}

	/**
	 * The account's details were saved. Only a box that was changed is a choice: the page is about other things too.
	 *
	 * @param int $user_id The customer.
	 */
	public function keep_for_account( $user_id ): void {
		Consent::keep_for_customer( (int) $user_id, $this->choices( array( 'account' ) ) );
	}

	/**
	 * Draws the boxes.
	 *
	 * @param string $page Which page draws them.
	 */
	private function show( string $page ): void {
		$asked = Consent::asked();
		if ( ! $asked ) {
			return;
		}
		echo '<div class="agala-consent">';
		foreach ( $asked as $channel => $question ) {
			printf(
				'<p class="form-row form-row-wide"><label class="woocommerce-form__label woocommerce-form__label-for-checkbox checkbox"><input type="checkbox" class="woocommerce-form__input woocommerce-form__input-checkbox input-checkbox" name="%1$s[%2$s]" value="1"%3$s /> <span dir="auto">%4$s</span></label></p>',
				esc_attr( self::TICKED ),
				esc_attr( $channel ),
				checked( $question['ticked'], true, false ),
				esc_html( $question['text'] )
			);
		}
		printf( '<input type="hidden" name="%1$s" value="%2$s" />', esc_attr( self::ASKED ), esc_attr( self::sealed( $page, $asked ) ) );
		echo '</div>';
	}

	/**
	 * The choices that came with this request, from one of these pages.
	 *
	 * @param string[] $pages The pages.
	 */
	private function choices( array $pages ): array {
		// phpcs:ignore WordPress.Security.NonceVerification.Missing -- WooCommerce checked its own before it called us.
		$form = self::form( wp_unslash( $_POST ), $pages );
		return $form ? Consent::chosen( $form['asked'], $form['ticked'], $form['page'], 'account' !== $form['page'] ) : array();
	}

	/**
	 * What was asked, on which page, as a text that only we can have made.
	 *
	 * @param string $page  The page.
	 * @param array  $asked What `Consent::asked()` returned.
	 */
	private static function sealed( string $page, array $asked ): string {
		// phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions.obfuscation_base64_encode -- so that no form encoding changes a letter.
		$content = base64_encode( (string) wp_json_encode( compact( 'page', 'asked' ) ) );
		return $content . '.' . wp_hash( $content );
	}

	/**
	 * A form that asked for consent, or null: none of ours, of another page, or not as we drew it.
	 *
	 * @param array    $posted Form fields, unslashed.
	 * @param string[] $pages  The pages that may have asked.
	 * @return array|null {page, asked, ticked}
	 */
	private static function form( array $posted, array $pages ): ?array {
		$sealed = isset( $posted[ self::ASKED ] ) && is_string( $posted[ self::ASKED ] ) ? explode( '.', $posted[ self::ASKED ] ) : array();
		if ( 2 !== count( $sealed ) || ! hash_equals( wp_hash( $sealed[0] ), $sealed[1] ) ) {
			return null;
		}
		// phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions.obfuscation_base64_decode -- our own, its seal was just checked.
		$form = json_decode( (string) base64_decode( $sealed[0], true ), true );
		if ( ! is_array( $form ) || ! in_array( $form['page'], $pages, true ) ) {
			return null;
		}
		$ticked         = isset( $posted[ self::TICKED ] ) ? array_filter( (array) $posted[ self::TICKED ] ) : array();
		$form['ticked'] = array_map( 'strval', array_keys( $ticked ) );
		return $form;
	}
}
