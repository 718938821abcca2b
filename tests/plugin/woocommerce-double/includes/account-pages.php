<?php
/**
 * The account page: log in, register, edit the account.
 */

function wc_double_register_account() {
	add_shortcode( 'woocommerce_my_account', 'wc_double_account_page' );
}

function wc_double_account_page() {
	global $wp;
	ob_start();
	wc_print_notices();
	if ( ! is_user_logged_in() ) {
		wc_double_login_forms();
	} elseif ( isset( $wp->query_vars['edit-account'] ) ) {
		wc_double_edit_account_form( wp_get_current_user() );
	} else {
		do_action( 'woocommerce_account_dashboard' );
		printf( '<p class="hello">Hello %s</p>', esc_html( wp_get_current_user()->display_name ) );
	}
	return '<div class="woocommerce">' . ob_get_clean() . '</div>';
}

function wc_double_login_forms() {
	do_action( 'woocommerce_before_customer_login_form' );
	echo '<form class="woocommerce-form-login" method="post"><input name="username" id="username"/><input type="password" name="password" id="password"/>';
	do_action( 'woocommerce_login_form' );
	wp_nonce_field( 'woocommerce-login', 'woocommerce-login-nonce' );
	echo '<button type="submit" name="login" value="Log in">Log in</button></form>';
	echo '<form method="post" class="woocommerce-form-register register">';
	do_action( 'woocommerce_register_form_start' );
	echo '<input type="email" name="email" id="reg_email"/><input type="password" name="password" id="reg_password"/>';
	do_action( 'woocommerce_register_form' );
	wp_nonce_field( 'woocommerce-register', 'woocommerce-register-nonce' );
	echo '<button type="submit" name="register" value="Register">Register</button>';
	do_action( 'woocommerce_register_form_end' );
	echo '</form>';
}

function wc_double_edit_account_form( WP_User $user ) {
	do_action( 'woocommerce_before_edit_account_form' );
	echo '<form class="woocommerce-EditAccountForm edit-account" method="post">';
	do_action( 'woocommerce_edit_account_form_start' );
	printf( '<input name="account_first_name" value="%s"/><input name="account_last_name" value="%s"/><input name="account_email" value="%s"/>', esc_attr( $user->first_name ), esc_attr( $user->last_name ), esc_attr( $user->user_email ) );
	do_action( 'woocommerce_edit_account_form' );
	wp_nonce_field( 'save_account_details', 'save-account-details-nonce' );
	echo '<button type="submit" name="save_account_details" value="Save changes">Save changes</button><input type="hidden" name="action" value="save_account_details"/>';
	do_action( 'woocommerce_edit_account_form_end' );
	echo '</form>';
	do_action( 'woocommerce_after_edit_account_form' );
}
