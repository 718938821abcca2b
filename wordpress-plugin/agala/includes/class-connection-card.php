<?php
/**
 * The connection on the settings page.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

/**
 * Connect, or how the connection is and what can be done with it.
 */
final class Connection_Card {

	/**
	 * The card.
	 */
	public function show(): void {
		$connection = Options::connection();
		echo '<section class="agala-card" aria-labelledby="agala-connection-title">';
		printf( '<h2 id="agala-connection-title">%s</h2>', esc_html__( 'Connection', 'agala' ) );
		if ( null === $connection ) {
			$this->show_connect();
		} else {
			$this->show_connected( $connection );
		}
		echo '</section>';
	}

	/**
	 * For a shop that is not connected yet.
	 */
	private function show_connect(): void {
		printf( '<p class="agala-state agala-state-off"><span class="agala-dot" aria-hidden="true"></span>%s</p>', esc_html__( 'Not connected', 'agala' ) );
		$this->open_form( Connection_Handler::CONNECT );
		printf( '<label class="agala-label" for="agala-where">%s</label>', esc_html__( 'Connection code, or the address of your Agala', 'agala' ) );
		echo '<div class="agala-row">';
		printf(
			'<input type="text" class="regular-text code" id="agala-where" name="agala_where" dir="ltr" required autocomplete="off" spellcheck="false" placeholder="%s" aria-describedby="agala-where-help">',
			esc_attr( 'https://agala.example' )
		);
		$this->button( __( 'Connect', 'agala' ), 'primary' );
		echo '</div>';
		printf(
			'<p class="description" id="agala-where-help">%s</p>',
			esc_html__( 'With a code from Agala you are connected at once. With the address you go to Agala, say yes there, and come back. Then WooCommerce may ask you to allow Agala to read the shop.', 'agala' )
		);
		echo '</form>';
	}

	/**
	 * For a connected shop. The script fills in how it is at this moment.
	 *
	 * @param array $connection The connection.
	 */
	private function show_connected( array $connection ): void {
		printf(
			'<p class="agala-state agala-state-working" id="agala-state" role="status"><span class="agala-dot" aria-hidden="true"></span><span id="agala-state-words">%s</span></p>',
			esc_html__( 'Connected', 'agala' )
		);
		echo '<p class="agala-trouble" id="agala-trouble" hidden></p>';
		printf(
			'<p class="agala-where">%s <bdi dir="ltr">%s</bdi></p>',
			esc_html__( 'Agala at', 'agala' ),
			esc_html( $connection['address'] )
		);
		if ( ! empty( $connection['keys_url'] ) ) {
			$this->show_allow();
		}
		printf( '<div class="agala-sync" id="agala-sync" hidden><progress id="agala-progress" max="100" value="0" aria-label="%s"></progress><ul id="agala-parts"></ul></div>', esc_attr__( 'First sync', 'agala' ) );
		echo '<div class="agala-row">';
		printf( '<button type="button" class="button" id="agala-check">%s</button>', esc_html__( 'Test connection', 'agala' ) );
		$this->open_form( Connection_Handler::DISCONNECT, 'agala-disconnect' );
		$this->button( __( 'Disconnect', 'agala' ), 'link-delete' );
		echo '</form></div>';
		echo '<div id="agala-checks" role="status" hidden><p id="agala-checks-words"></p><ul class="agala-checks" id="agala-checks-list"></ul></div>';
	}

	/**
	 * For a shop whose keys are still missing.
	 */
	private function show_allow(): void {
		$this->open_form( Connection_Handler::KEYS );
		echo '<div class="agala-row">';
		$this->button( __( 'Allow', 'agala' ), 'primary' );
		printf( '<span class="description">%s</span></div>', esc_html__( 'Lets Agala read products, customers and orders, set up live updates and make coupons.', 'agala' ) );
		echo '</form>';
	}

	/**
	 * Begins a form.
	 *
	 * @param string $action Of admin-post.php, and of the nonce.
	 * @param string $id     The form's id, if it needs one.
	 */
	private function open_form( string $action, string $id = '' ): void {
		printf(
			'<form method="post" action="%s"%s><input type="hidden" name="action" value="%s">',
			esc_url( admin_url( 'admin-post.php' ) ),
			'' === $id ? '' : ' id="' . esc_attr( $id ) . '"',
			esc_attr( $action )
		);
		wp_nonce_field( $action, '_wpnonce', false );
	}

	/**
	 * A button that sends its form.
	 *
	 * @param string $words What it says.
	 * @param string $look  primary or link-delete.
	 */
	private function button( string $words, string $look ): void {
		printf( '<button type="submit" class="button button-%s">%s</button>', esc_attr( $look ), esc_html( $words ) );
	}
}
