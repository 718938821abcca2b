<?php
/**
 * The shop's plain functions: settings, pages, notices, money, cleaning.
 */

function get_woocommerce_currency() {
	return apply_filters( 'woocommerce_currency', get_option( 'woocommerce_currency', 'ILS' ) );
}

function get_woocommerce_currency_symbol( $currency = '' ) {
	$currency = $currency ? $currency : get_woocommerce_currency();
	return array( 'ILS' => '&#8362;', 'EUR' => '&euro;', 'GBP' => '&pound;', 'USD' => '&#36;' )[ $currency ] ?? $currency;
}

function wc_get_price_decimals() {
	return absint( apply_filters( 'wc_get_price_decimals', get_option( 'woocommerce_price_num_decimals', 2 ) ) );
}

function wc_get_price_decimal_separator() {
	return '.';
}

function wc_get_price_thousand_separator() {
	return ',';
}

function wc_prices_include_tax() {
	return false;
}

function wc_tax_enabled() {
	return false;
}

function wc_price( $price, $args = array() ) {
	$text = number_format( (float) $price, wc_get_price_decimals() );
	return '<span class="woocommerce-Price-amount amount"><bdi><span class="woocommerce-Price-currencySymbol">' . get_woocommerce_currency_symbol( $args['currency'] ?? '' ) . "</span>$text</bdi></span>";
}

function wc_get_price_to_display( $product, $args = array() ) {
	return (float) ( $args['price'] ?? $product->get_price() ) * ( $args['qty'] ?? 1 );
}

function wc_get_price_including_tax( $product, $args = array() ) {
	return wc_get_price_to_display( $product, $args );
}

function wc_get_price_excluding_tax( $product, $args = array() ) {
	return wc_get_price_to_display( $product, $args );
}

function wc_format_decimal( $number, $dp = false, $trim_zeros = false ) {
	$number = (float) str_replace( ',', '', (string) $number );
	return false === $dp ? (string) $number : number_format( $number, '' === $dp ? wc_get_price_decimals() : (int) $dp, '.', '' );
}

function wc_add_number_precision( $value, $round = true ) {
	$value = $value * pow( 10, wc_get_price_decimals() );
	return $round ? round( $value ) : $value;
}

function wc_get_page_id( $page ) {
	$id = (int) apply_filters( "woocommerce_get_{$page}_page_id", get_option( "woocommerce_{$page}_page_id" ) );
	return $id ? $id : -1;
}

function wc_get_page_permalink( $page, $fallback = null ) {
	$id  = wc_get_page_id( $page );
	$url = 0 < $id ? get_permalink( $id ) : 0;
	return $url ? $url : ( null === $fallback ? get_home_url() : $fallback );
}

function wc_get_cart_url() {
	return apply_filters( 'woocommerce_get_cart_url', wc_get_page_permalink( 'cart' ) );
}

function wc_get_checkout_url() {
	return apply_filters( 'woocommerce_get_checkout_url', wc_get_page_permalink( 'checkout' ) );
}

function wc_get_endpoint_url( $endpoint, $value = '', $permalink = '' ) {
	$permalink = $permalink ? $permalink : get_permalink();
	return trailingslashit( trailingslashit( $permalink ) . $endpoint . '/' . $value );
}

function wc_get_account_endpoint_url( $endpoint ) {
	return wc_get_endpoint_url( $endpoint, '', wc_get_page_permalink( 'myaccount' ) );
}

function is_wc_endpoint_url( $endpoint = false ) {
	global $wp;
	foreach ( $endpoint ? array( $endpoint ) : wc_double_endpoints() as $name ) {
		if ( isset( $wp->query_vars[ $name ] ) ) {
			return true;
		}
	}
	return false;
}

function wc_double_has_shortcode( $tag ) {
	$post = get_post();
	return $post && is_singular() && has_shortcode( $post->post_content, $tag );
}

function is_cart() {
	return is_page( wc_get_page_id( 'cart' ) ) || wc_double_has_shortcode( 'woocommerce_cart' ) || defined( 'WOOCOMMERCE_CART' );
}

function is_checkout() {
	return is_page( wc_get_page_id( 'checkout' ) ) || wc_double_has_shortcode( 'woocommerce_checkout' ) || apply_filters( 'woocommerce_is_checkout', false );
}

function is_checkout_pay_page() {
	return is_checkout() && is_wc_endpoint_url( 'order-pay' );
}

function is_order_received_page() {
	return is_checkout() && is_wc_endpoint_url( 'order-received' );
}

function is_account_page() {
	return is_page( wc_get_page_id( 'myaccount' ) ) || wc_double_has_shortcode( 'woocommerce_my_account' );
}

function is_product() {
	return is_singular( 'product' );
}

function is_shop() {
	return is_page( wc_get_page_id( 'shop' ) );
}

function is_woocommerce() {
	return is_product() || is_shop();
}

function wc_add_notice( $message, $type = 'success', $data = array() ) {
	if ( ! WC()->session ) {
		return;
	}
	$notices            = WC()->session->get( 'wc_notices', array() );
	$notices[ $type ][] = array( 'notice' => $message, 'data' => $data );
	WC()->session->set( 'wc_notices', $notices );
	WC()->session->set_customer_session_cookie( true );
}

function wc_get_notices( $type = '' ) {
	$notices = WC()->session ? WC()->session->get( 'wc_notices', array() ) : array();
	$notices = (array) $notices;
	return $type ? ( $notices[ $type ] ?? array() ) : $notices;
}

function wc_set_notices( $notices ) {
	WC()->session->set( 'wc_notices', $notices ? $notices : null );
}

function wc_notice_count( $type = '' ) {
	return count( $type ? wc_get_notices( $type ) : array_merge( array(), ...array_values( wc_get_notices() ) ) );
}

function wc_has_notice( $message, $type = 'success' ) {
	return in_array( $message, array_column( wc_get_notices( $type ), 'notice' ), true );
}

function wc_clear_notices() {
	if ( WC()->session ) {
		WC()->session->set( 'wc_notices', null );
	}
}

function wc_print_notices( $return = false ) {
	$html = '';
	foreach ( (array) wc_get_notices() as $type => $notices ) {
		$class = array( 'error' => 'woocommerce-error', 'notice' => 'woocommerce-info' )[ $type ] ?? 'woocommerce-message';
		foreach ( $notices as $notice ) {
			$html .= "<div class=\"$class\" role=\"alert\">" . wp_kses_post( $notice['notice'] ) . '</div>';
		}
	}
	wc_clear_notices();
	if ( $return ) {
		return $html;
	}
	echo $html; // phpcs:ignore
}

function wc_print_notice( $message, $type = 'success' ) {
	$class = array( 'error' => 'woocommerce-error', 'notice' => 'woocommerce-info' )[ $type ] ?? 'woocommerce-message';
	echo "<div class=\"$class\" role=\"alert\">" . wp_kses_post( $message ) . '</div>';
}

function wc_clean( $value ) {
	return is_array( $value ) ? array_map( 'wc_clean', $value ) : ( is_scalar( $value ) ? sanitize_text_field( $value ) : $value );
}

function wc_sanitize_phone_number( $phone ) {
	return preg_replace( '/[^\d+]/', '', $phone );
}

function wc_format_phone_number( $phone ) {
	return trim( preg_replace( '/[^0-9+\-\(\)\s]/', '-', $phone ) );
}

function wc_string_to_bool( $value ) {
	return is_bool( $value ) ? $value : in_array( strtolower( (string) $value ), array( 'yes', '1', 'true' ), true );
}

function wc_bool_to_string( $value ) {
	return wc_string_to_bool( $value ) ? 'yes' : 'no';
}

function wc_string_to_datetime( $text ) {
	return wc_double_date( $text );
}

function wc_timezone_string() {
	return wp_timezone_string();
}

function wc_rand_hash() {
	return sha1( wp_rand() . wp_generate_password( 32 ) );
}

function wc_api_hash( $data ) {
	return hash_hmac( 'sha256', $data, 'wc-api' );
}

function wc_get_user_agent() {
	return isset( $_SERVER['HTTP_USER_AGENT'] ) ? wc_clean( wp_unslash( $_SERVER['HTTP_USER_AGENT'] ) ) : '';
}

function wc_get_base_location() {
	return array( 'country' => WC()->countries->get_base_country(), 'state' => '' );
}

function wc_placeholder_img_src( $size = 'woocommerce_thumbnail' ) {
	return WC()->plugin_url() . '/placeholder.png';
}

function wc_ship_to_billing_address_only() {
	return true;
}

function wc_checkout_is_https() {
	return is_ssl();
}

function wc_site_is_https() {
	return 'https' === wp_parse_url( home_url(), PHP_URL_SCHEME );
}

function wc_print_r( $expression, $return = false ) {
	return print_r( $expression, $return ); // phpcs:ignore
}

function wc_nocache_headers() {
	nocache_headers();
}

function wc_enqueue_js( $code ) {
	add_action( 'wp_footer', static fn() => print( "<script>jQuery(function($){ $code });</script>" ), 25 );
}

function wc_doing_it_wrong( $function, $message, $version ) {
	_doing_it_wrong( $function, $message, $version ); // phpcs:ignore
}

function wc_is_current_account_menu_item( $endpoint ) {
	return is_wc_endpoint_url( $endpoint );
}

function wc_get_var( &$var, $default = null ) {
	return $var ?? $default;
}

/** What the shop's log was told: in $GLOBALS['wc_double_log'], lines of [level, message, context]. */
class WC_Logger {
	public function __call( $level, $arguments ) {
		$GLOBALS['wc_double_log'][] = array( $level, $arguments[0], $arguments[1] ?? array() );
	}

	public function log( $level, $message, $context = array() ) {
		$GLOBALS['wc_double_log'][] = array( $level, $message, $context );
	}
}

function wc_get_logger() {
	static $logger = null;
	$logger = $logger ?? new WC_Logger();
	return $logger;
}

/** A form's field: text, email, tel, textarea, select, radio, checkbox, date, password. */
function woocommerce_form_field( $key, $args, $value = null ) {
	$args  = apply_filters( 'woocommerce_form_field_args', array_merge( array( 'type' => 'text', 'label' => '', 'required' => false, 'class' => array(), 'input_class' => array(), 'label_class' => array(), 'options' => array(), 'custom_attributes' => array(), 'description' => '', 'placeholder' => '', 'id' => $key, 'return' => false, 'default' => '' ), $args ), $key, $value );
	$value = null === $value ? $args['default'] : $value;
	$id    = esc_attr( $args['id'] );
	$name  = esc_attr( $key );
	$more  = '';
	foreach ( $args['custom_attributes'] as $attribute => $text ) {
		$more .= sprintf( ' %s="%s"', esc_attr( $attribute ), esc_attr( $text ) );
	}
	$classes = 'input-text ' . implode( ' ', (array) $args['input_class'] );
	switch ( $args['type'] ) {
		case 'checkbox':
			$input = sprintf( '<input type="checkbox" name="%s" id="%s" value="1" class="input-checkbox %s" %s%s />', $name, $id, esc_attr( implode( ' ', (array) $args['input_class'] ) ), checked( $value, 1, false ), $more );
			$field = sprintf( '<label class="checkbox %s">%s <span>%s</span></label>', esc_attr( implode( ' ', (array) $args['label_class'] ) ), $input, wp_kses_post( $args['label'] ) );
			break;
		case 'textarea':
			$field = sprintf( '<label for="%s">%s</label><textarea name="%s" id="%s" class="%s"%s>%s</textarea>', $id, wp_kses_post( $args['label'] ), $name, $id, esc_attr( $classes ), $more, esc_textarea( $value ) );
			break;
		case 'select':
			$options = '';
			foreach ( $args['options'] as $option => $text ) {
				$options .= sprintf( '<option value="%s" %s>%s</option>', esc_attr( $option ), selected( $value, $option, false ), esc_html( $text ) );
			}
			$field = sprintf( '<label for="%s">%s</label><select name="%s" id="%s"%s>%s</select>', $id, wp_kses_post( $args['label'] ), $name, $id, $more, $options );
			break;
		case 'radio':
			$field = '<span>' . wp_kses_post( $args['label'] ) . '</span>';
			foreach ( $args['options'] as $option => $text ) {
				$field .= sprintf( '<label><input type="radio" name="%s" value="%s" %s /> %s</label>', $name, esc_attr( $option ), checked( $value, $option, false ), esc_html( $text ) );
			}
			break;
		default:
			$field = sprintf( '<label for="%s">%s</label><input type="%s" name="%s" id="%s" class="%s" value="%s"%s />', $id, wp_kses_post( $args['label'] ), esc_attr( $args['type'] ), $name, $id, esc_attr( $classes ), esc_attr( $value ), $more );
	}
	$description = $args['description'] ? '<span class="description">' . wp_kses_post( $args['description'] ) . '</span>' : '';
	$html        = sprintf( '<p class="form-row %s" id="%s_field">%s%s</p>', esc_attr( implode( ' ', (array) $args['class'] ) ), $id, $field, $description );
	$html        = apply_filters( 'woocommerce_form_field', apply_filters( "woocommerce_form_field_{$args['type']}", $html, $key, $args, $value ), $key, $args, $value );
	if ( $args['return'] ) {
		return $html;
	}
	echo $html; // phpcs:ignore
}

/** A text field of the product's edit page. */
function woocommerce_wp_text_input( $field, $data = null ) {
	$value = $field['value'] ?? ( $data ? $data->get_meta( $field['id'] ) : get_post_meta( get_the_ID(), $field['id'], true ) );
	printf( '<p class="form-field %1$s_field"><label for="%1$s">%2$s</label><input type="%3$s" name="%1$s" id="%1$s" value="%4$s" /></p>', esc_attr( $field['id'] ), wp_kses_post( $field['label'] ?? '' ), esc_attr( $field['type'] ?? 'text' ), esc_attr( $value ) );
}

function wc_help_tip( $tip ) {
	return '<span class="woocommerce-help-tip" aria-label="' . esc_attr( $tip ) . '"></span>';
}

/** The stores of data that the plugin may ask for. */
class WC_Data_Store {
	public static function load( $type ) {
		if ( 'webhook' === $type ) {
			return new WC_Double_Webhook_Store();
		}
		throw new Exception( "The double has no data store \"$type\"." );
	}
}

function wc_set_user_last_update_time( $user_id ) {
	update_user_meta( $user_id, 'last_update', time() );
}
