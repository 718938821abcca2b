<?php
/**
 * The settings on the settings page.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

/**
 * The form whose fields Settings_Form reads.
 */
final class Settings_Fields {

	/**
	 * In the shape of `Options::settings()`.
	 *
	 * @var array
	 */
	private $settings;

	/**
	 * What is wrong, by field (see Settings_Form).
	 *
	 * @var array<string, string>
	 */
	private $errors;

	/**
	 * What to show.
	 *
	 * @param array $draft `settings` and `errors`.
	 */
	public function __construct( array $draft ) {
		$this->settings = $draft['settings'];
		$this->errors   = $draft['errors'];
	}

	/**
	 * The form.
	 */
	public function show(): void {
		printf(
			'<form method="post" action="%s" novalidate><input type="hidden" name="action" value="%s">',
			esc_url( admin_url( 'admin-post.php' ) ),
			esc_attr( Settings_Handler::SAVE )
		);
		wp_nonce_field( Settings_Handler::SAVE, '_wpnonce', false );
		$this->show_carts();
		$this->show_consent();
		$this->show_questions();
		$this->show_pixel();
		printf( '<p class="submit"><button type="submit" class="button button-primary button-hero">%s</button></p></form>', esc_html__( 'Save settings', 'agala' ) );
	}

	/**
	 * When a cart counts as left, and how long it can be restored.
	 */
	private function show_carts(): void {
		$this->open( __( 'Carts', 'agala' ), '' );
		list( $amount, $unit ) = Settings_Form::in_units( (int) $this->settings['abandon_after_minutes'] );
		$units                 = array(
			'minutes' => __( 'minutes', 'agala' ),
			'hours'   => __( 'hours', 'agala' ),
			'days'    => __( 'days', 'agala' ),
		);
		printf( '<label class="agala-label" for="agala-abandon-after">%s</label><div class="agala-row">', esc_html__( 'A cart counts as left when nothing happened in it for', 'agala' ) );
		printf( '<input type="number" class="small-text" id="agala-abandon-after" name="abandon_after" min="1" max="10080" step="1" value="%d"%s> ', (int) $amount, $this->marks( 'abandon_after' ) ); // phpcs:ignore WordPress.Security.EscapeOutput.OutputNotEscaped -- marks() escapes.
		printf( '<select name="abandon_unit" aria-label="%s">', esc_attr__( 'Unit of time', 'agala' ) );
		foreach ( $units as $key => $words ) {
			printf( '<option value="%s"%s>%s</option>', esc_attr( $key ), selected( $unit, $key, false ), esc_html( $words ) );
		}
		echo '</select></div>';
		$this->show_error( 'abandon_after' );
		printf( '<p class="description">%s</p>', esc_html__( 'From 10 minutes to 7 days. An hour suits most shops: long enough to find the credit card, soon enough to remember.', 'agala' ) );

		printf( '<label class="agala-label" for="agala-restore-days">%s</label><div class="agala-row">', esc_html__( 'The link that brings a cart back works for', 'agala' ) );
		printf( '<input type="number" class="small-text" id="agala-restore-days" name="restore_days" min="%d" max="%d" step="1" value="%d"%s> ', (int) Options::LEAST_DAYS, (int) Options::MOST_DAYS, (int) $this->settings['restore_days'], $this->marks( 'restore_days' ) ); // phpcs:ignore WordPress.Security.EscapeOutput.OutputNotEscaped -- marks() escapes.
		printf( '<span>%s</span></div>', esc_html__( 'days', 'agala' ) );
		$this->show_error( 'restore_days' );
		$this->close();
	}

	/**
	 * What shoppers are asked to agree to.
	 */
	private function show_consent(): void {
		$this->open( __( 'Consent', 'agala' ), __( 'A box that shoppers may tick at checkout, on registration and in their account. It is never ticked beforehand. What they agree to is kept with its time, its words and its page; who was not asked did not refuse.', 'agala' ) );
		$channels = array(
			'email'    => array( __( 'Ask for consent to email', 'agala' ), __( 'For example: Yes, I would like news and offers by email. I can stop them at any time.', 'agala' ) ),
			'sms'      => array( __( 'Ask for consent to SMS', 'agala' ), __( 'For example: Yes, you may send me news and offers by SMS. I can stop them at any time.', 'agala' ) ),
			'whatsapp' => array( __( 'Ask for consent to WhatsApp', 'agala' ), __( 'For example: Yes, you may write to me on WhatsApp. I can stop it at any time.', 'agala' ) ),
		);
		foreach ( $channels as $channel => $words ) {
			$field = 'consent_' . $channel;
			$name  = 'consent[' . $channel . ']';
			$this->show_box( $name . '[enabled]', $words[0], $this->settings['consent'][ $channel ]['enabled'] );
			printf(
				'<div class="agala-under"><label class="screen-reader-text" for="agala-%1$s">%2$s</label><textarea id="agala-%1$s" name="%3$s" rows="2" maxlength="500" placeholder="%4$s"%5$s>%6$s</textarea>',
				esc_attr( $field ),
				esc_html__( 'What shoppers read next to the box', 'agala' ),
				esc_attr( $name . '[text]' ),
				esc_attr( $words[1] ),
				$this->marks( $field ), // phpcs:ignore WordPress.Security.EscapeOutput.OutputNotEscaped -- marks() escapes.
				esc_textarea( $this->settings['consent'][ $channel ]['text'] )
			);
			$this->show_error( $field );
			echo '</div>';
		}
		$this->close();
	}

	/**
	 * The questions at checkout.
	 */
	private function show_questions(): void {
		$this->open( __( 'Questions at checkout', 'agala' ), __( 'Is it a present, and for what day? Next year Agala can remind the buyer in time, if the buyer ticks that too. Nobody has to answer.', 'agala' ) );
		$this->show_box( 'questions', __( 'Ask for the occasion of the purchase and its date', 'agala' ), $this->settings['questions']['enabled'] );
		printf( '<fieldset class="agala-under"%s><legend>%s</legend><div class="agala-boxes">', $this->marks( 'occasions' ), esc_html__( 'Occasions to choose from', 'agala' ) ); // phpcs:ignore WordPress.Security.EscapeOutput.OutputNotEscaped -- marks() escapes.
		foreach ( Occasions::labels() as $occasion => $words ) {
			printf(
				'<label><input type="checkbox" name="occasions[]" value="%s"%s> %s</label>',
				esc_attr( $occasion ),
				checked( in_array( $occasion, $this->settings['questions']['occasions'], true ), true, false ),
				esc_html( $words )
			);
		}
		echo '</div></fieldset>';
		$this->show_error( 'occasions' );
		$this->close();
	}

	/**
	 * Agala's script on the shop's pages.
	 */
	private function show_pixel(): void {
		$this->open( __( 'Script on the shop\'s pages', 'agala' ), __( 'Adds Agala\'s script tag to the pages of the shop, for visitors only. In this version the script does nothing yet; a later version of Agala can show with it which products visitors look at. Carts and orders do not need it.', 'agala' ) );
		$this->show_box( 'pixel', __( 'Add Agala\'s script to the shop\'s pages', 'agala' ), $this->settings['pixel'] );
		$this->close();
	}

	/**
	 * Begins a card.
	 *
	 * @param string $title Its title.
	 * @param string $words What it is about.
	 */
	private function open( string $title, string $words ): void {
		printf( '<section class="agala-card"><h2>%s</h2>', esc_html( $title ) );
		if ( '' !== $words ) {
			printf( '<p>%s</p>', esc_html( $words ) );
		}
	}

	/**
	 * Ends a card.
	 */
	private function close(): void {
		echo '</section>';
	}

	/**
	 * A box to tick.
	 *
	 * @param string $name    The field's name.
	 * @param string $words   What it says.
	 * @param bool   $checked Whether it is ticked.
	 */
	private function show_box( string $name, string $words, bool $checked ): void {
		printf( '<label class="agala-box"><input type="checkbox" name="%s" value="1"%s> %s</label>', esc_attr( $name ), checked( $checked, true, false ), esc_html( $words ) );
	}

	/**
	 * The attributes that tie a field to its error.
	 *
	 * @param string $field The field.
	 */
	private function marks( string $field ): string {
		return isset( $this->errors[ $field ] ) ? ' aria-invalid="true" aria-describedby="agala-error-' . esc_attr( $field ) . '"' : '';
	}

	/**
	 * What is wrong with a field.
	 *
	 * @param string $field The field.
	 */
	private function show_error( string $field ): void {
		if ( isset( $this->errors[ $field ] ) ) {
			printf( '<p class="agala-error" id="agala-error-%s">%s</p>', esc_attr( $field ), esc_html( $this->errors[ $field ] ) );
		}
	}
}
