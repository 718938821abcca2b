<?php
/**
 * The settings page.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

/**
 * Puts the page into WooCommerce's menu, with its style and script, and shows its parts.
 */
final class Settings_Page {

	/**
	 * Fires when the page is about to be shown, before anything is sent.
	 */
	public const OPENED = 'agala_settings_page_opened';

	/**
	 * Adds the hooks.
	 */
	public function register(): void {
		add_action( 'admin_menu', array( $this, 'add' ), 60 );
		add_filter( 'plugin_action_links_' . plugin_basename( AGALA_FILE ), array( $this, 'add_link' ) );
	}

	/**
	 * The page in the menu.
	 */
	public function add(): void {
		$page = add_submenu_page(
			'woocommerce',
			__( 'Agala', 'agala' ),
			__( 'Agala', 'agala' ),
			Settings_Guard::CAPABILITY,
			Settings_Guard::PAGE,
			array( $this, 'show' )
		);
		if ( $page ) {
			add_action( 'load-' . $page, array( $this, 'open' ) );
		}
	}

	/**
	 * "Settings" in the list of plugins.
	 *
	 * @param string[] $links The links there.
	 */
	public function add_link( $links ) {
		$ours = sprintf( '<a href="%s">%s</a>', esc_url( Settings_Guard::page() ), esc_html__( 'Settings', 'agala' ) );
		return array_merge( array( 'settings' => $ours ), (array) $links );
	}

	/**
	 * The page is about to be shown.
	 */
	public function open(): void {
		add_action( 'admin_enqueue_scripts', array( $this, 'add_assets' ) );
		/**
		 * See the constant.
		 */
		do_action( self::OPENED );
	}

	/**
	 * Style and script, on this page alone.
	 */
	public function add_assets(): void {
		wp_enqueue_style( 'agala-admin', plugins_url( 'assets/admin.css', AGALA_FILE ), array(), AGALA_VERSION );
		wp_enqueue_script( 'agala-admin', plugins_url( 'assets/admin.js', AGALA_FILE ), array(), AGALA_VERSION, true );
		wp_localize_script(
			'agala-admin',
			'agalaAdmin',
			array(
				'url'       => admin_url( 'admin-ajax.php' ),
				'connected' => Options::is_connected() ? '1' : '',
				'status'    => array(
					'action' => Settings_Handler::STATUS,
					'nonce'  => wp_create_nonce( Settings_Handler::STATUS ),
				),
				'check'     => array(
					'action' => Settings_Handler::CHECK,
					'nonce'  => wp_create_nonce( Settings_Handler::CHECK ),
				),
				'words'     => array(
					'checking'   => __( 'Testing…', 'agala' ),
					'all_good'   => __( 'Everything works.', 'agala' ),
					'some_bad'   => __( 'Not everything works yet:', 'agala' ),
					'no_answer'  => __( 'This WordPress did not answer. Please load the page again.', 'agala' ),
					'good'       => __( 'Works', 'agala' ),
					'bad'        => __( 'Does not work', 'agala' ),
					'unknown'    => __( 'Please note', 'agala' ),
					'disconnect' => __( 'Disconnect the shop from Agala? Webhooks and keys are removed, and no more messages are sent.', 'agala' ),
				),
			)
		);
	}

	/**
	 * The page.
	 */
	public function show(): void {
		if ( ! current_user_can( Settings_Guard::CAPABILITY ) ) {
			return;
		}
		echo '<div class="wrap agala">';
		printf( '<h1>%s</h1>', esc_html__( 'Agala', 'agala' ) );
		printf( '<p class="agala-lead">%s</p>', esc_html__( 'Carts that were left, thank-you messages, reminders to restock: Agala writes to your shoppers at the right moment, and only to those who want it.', 'agala' ) );
		Notices::show();
		( new Connection_Card() )->show();
		( new Settings_Fields( Settings_Draft::take() ) )->show();
		echo '</div>';
	}
}
