<?php
/**
 * What shoppers agree to.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

/**
 * What is asked of shoppers about being written to, and the rules by which a choice is kept.
 *
 * Choices are `channel => array{status: subscribed|unsubscribed, text: string, at: RFC 3339 UTC, source: page}`.
 * A channel that was not shown is absent: not asked is not refused.
 */
final class Consent {

	/**
	 * Order meta and user meta: the choices as JSON.
	 */
	public const META = '_agala_consent';

	private const SESSION = 'agala_consent';

	private const YES = 'subscribed';
	private const NO  = 'unsubscribed';

	/**
	 * Adds the hooks of every page that asks, and of the REST API that tells.
	 */
	public function register(): void {
		( new Consent_Forms() )->register();
		( new Consent_Block() )->register();
		add_filter( 'woocommerce_rest_prepare_customer', array( $this, 'show_in_rest' ), 10, 2 );
	}

	/**
	 * What to ask now: per channel that the owner wants, the text in the owner's words and whether the box stands ticked.
	 *
	 * A box is ticked only for somebody whose present choice is known to be yes.
	 *
	 * @return array<string, array{text: string, ticked: bool}>
	 */
	public static function asked(): array {
		$known = self::known();
		$asked = array();
		foreach ( Options::settings()['consent'] as $channel => $setting ) {
			if ( ! $setting['enabled'] ) {
				continue;
			}
			$text = trim( $setting['text'] );
			/**
			 * The sentence beside the box, for shops in several languages.
			 *
			 * @param string $text    The owner's words, or ours where the owner wrote none.
			 * @param string $channel email, sms or whatsapp.
			 */
			$text              = (string) apply_filters( 'agala_consent_text', '' === $text ? self::plain_text( $channel ) : $text, $channel );
			$asked[ $channel ] = array(
				'text'   => wp_strip_all_tags( $text ),
				'ticked' => isset( $known[ $channel ] ) && self::YES === $known[ $channel ]['status'],
			);
		}
		return $asked;
	}

	/**
	 * What follows from a page that asked `$asked` and of whose boxes `$ticked` are ticked.
	 *
	 * A choice that was left as it stood stays the old one, with its text and time: a box that we ticked is no new
	 * consent. A known yes ends only where the shopper could see it.
	 *
	 * @param array    $asked  What `asked()` returned when the page was shown.
	 * @param string[] $ticked The channels whose boxes are ticked.
	 * @param string   $page   checkout, checkout_block, register or account.
	 * @param bool     $sent   Whether a box left empty is a refusal: only where a form was sent that asks for a choice.
	 * @return array The choices.
	 */
	public static function chosen( array $asked, array $ticked, string $page, bool $sent ): array {
		$known   = self::known();
		$here    = self::of_cart();
		$choices = array();
		foreach ( $asked as $channel => $question ) {
			$yes    = in_array( $channel, $ticked, true );
			$before = isset( $known[ $channel ] ) ? $known[ $channel ]['status'] : null;
			$seen   = $question['ticked'] || ( isset( $here[ $channel ] ) && self::YES === $here[ $channel ]['status'] );
			if ( ( $yes ? self::YES : self::NO ) === $before || ( ! $yes && self::YES === $before && ! $seen ) ) {
				$choices[ $channel ] = $known[ $channel ];
			} elseif ( $yes || $sent || null !== $before ) {
				$choices[ $channel ] = array(
					'status' => $yes ? self::YES : self::NO,
					'text'   => $question['text'],
					'at'     => gmdate( 'Y-m-d\TH:i:s\Z' ),
					'source' => $page,
				);
			}
		}
		return $choices;
	}

	/**
	 * The choices made so far in the running visit: what a cart carries.
	 */
	public static function of_cart(): array {
		$session = self::session();
		return $session ? self::read( $session->get( self::SESSION ) ) : array();
	}

	/**
	 * Keeps choices for the running visit, beside those made before. What the account knows already is none of them.
	 *
	 * @param array $choices The choices.
	 */
	public static function keep_for_cart( array $choices ): void {
		$account = self::of_customer( get_current_user_id() );
		$new     = array_filter(
			$choices,
			static function ( array $choice, string $channel ) use ( $account ) {
				return ! isset( $account[ $channel ] ) || $account[ $channel ] !== $choice;
			},
			ARRAY_FILTER_USE_BOTH
		);
		$session = self::session();
		$changed = array_merge( self::of_cart(), $new );
		if ( $session && self::of_cart() !== $changed ) {
			$session->set( self::SESSION, $changed );
		}
	}

	/**
	 * A customer's choices, as their account knows them.
	 *
	 * @param int $user_id The customer; 0 is nobody.
	 */
	public static function of_customer( int $user_id ): array {
		return $user_id ? self::read( get_user_meta( $user_id, self::META, true ) ) : array();
	}

	/**
	 * Keeps choices with the customer's account; of two the later stays.
	 *
	 * @param int   $user_id The customer; 0 is nobody.
	 * @param array $choices The choices.
	 */
	public static function keep_for_customer( int $user_id, array $choices ): void {
		$known = self::of_customer( $user_id );
		$after = self::latest( $known, $choices );
		if ( ! $user_id || $after === $known ) {
			return;
		}
		update_user_meta( $user_id, self::META, wp_slash( self::write( $after ) ) );
		wc_set_user_last_update_time( $user_id ); // Agala takes no choice for newer than the account's last change.
	}

	/**
	 * Keeps choices with an order, which the caller saves.
	 *
	 * @param \WC_Order $order   The order.
	 * @param array     $choices The choices.
	 */
	public static function keep_with_order( \WC_Order $order, array $choices ): void {
		if ( $choices ) {
			$order->update_meta_data( self::META, self::write( $choices ) );
		}
	}

	/**
	 * After an order was placed: its choices are the customer's and the visit's.
	 *
	 * @param \WC_Order $order The order.
	 */
	public static function learn_from_order( \WC_Order $order ): void {
		$choices = self::read( $order->get_meta( self::META ) );
		self::keep_for_customer( (int) $order->get_customer_id(), $choices );
		self::keep_for_cart( $choices );
	}

	/**
	 * Tells a customer's choices over WooCommerce's REST API and in its webhooks, which since WooCommerce 10 leave
	 * out account meta with an underscore.
	 *
	 * @param \WP_REST_Response $response What WooCommerce tells.
	 * @param \WP_User          $user     The customer.
	 * @return \WP_REST_Response
	 */
	public function show_in_rest( $response, $user ) {
		$data = $response->get_data();
		$meta = isset( $data['meta_data'] ) ? array_values( (array) $data['meta_data'] ) : array();
		$keys = array_map(
			static function ( $entry ) {
				return is_object( $entry ) ? $entry->key : $entry['key'];
			},
			$meta
		);
		$told = self::of_customer( (int) $user->ID );
		if ( $told && ! in_array( self::META, $keys, true ) ) {
			$meta[]            = array(
				'id'    => 0,
				'key'   => self::META,
				'value' => self::write( $told ),
			);
			$data['meta_data'] = $meta;
			$response->set_data( $data );
		}
		return $response;
	}

	/**
	 * The present choices of whoever visits.
	 */
	private static function known(): array {
		return self::latest( self::of_customer( get_current_user_id() ), self::of_cart() );
	}

	/**
	 * Of each channel the later choice; of two at once the second.
	 *
	 * @param array $before Choices.
	 * @param array $after  Choices.
	 */
	private static function latest( array $before, array $after ): array {
		foreach ( $after as $channel => $choice ) {
			if ( ! isset( $before[ $channel ] ) || $before[ $channel ]['at'] <= $choice['at'] ) {
				$before[ $channel ] = $choice;
			}
		}
		return $before;
	}

	/**
	 * Choices from what is kept: JSON, or the array itself. What makes no sense is left out.
	 *
	 * @param mixed $kept What is kept.
	 */
	private static function read( $kept ): array {
		$kept    = is_string( $kept ) ? json_decode( $kept, true ) : $kept;
		$choices = array();
		foreach ( Options::CHANNELS as $channel ) {
			$choice = is_array( $kept ) && isset( $kept[ $channel ] ) ? $kept[ $channel ] : null;
			if ( ! is_array( $choice ) || ! isset( $choice['status'], $choice['at'] ) ) {
				continue;
			}
			if ( is_string( $choice['at'] ) && in_array( $choice['status'], array( self::YES, self::NO ), true ) ) {
				$choices[ $channel ] = array(
					'status' => $choice['status'],
					'text'   => isset( $choice['text'] ) && is_string( $choice['text'] ) ? $choice['text'] : '',
					'at'     => $choice['at'],
					'source' => isset( $choice['source'] ) && is_string( $choice['source'] ) ? $choice['source'] : '',
				);
			}
		}
		return $choices;
	}

	/**
	 * As JSON, letters as they are.
	 *
	 * @param array $choices The choices.
	 */
	private static function write( array $choices ): string {
		return (string) wp_json_encode( $choices, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES );
	}

	/**
	 * What we ask where the owner wrote nothing.
	 *
	 * @param string $channel email, sms or whatsapp.
	 */
	private static function plain_text( string $channel ): string {
		$texts = array(
			'email'    => __( 'Send me news and offers by email. I can unsubscribe at any time.', 'agala' ),
			'sms'      => __( 'Send me news and offers by SMS. I can unsubscribe at any time.', 'agala' ),
			'whatsapp' => __( 'Send me news and offers on WhatsApp. I can unsubscribe at any time.', 'agala' ),
		);
		return $texts[ $channel ];
	}

	/**
	 * The visit's session, or null where there is none (administration, cron, a webhook's making).
	 *
	 * @return \WC_Session|null
	 */
	private static function session() {
		return function_exists( 'WC' ) && is_object( WC()->session ) ? WC()->session : null;
	}
}
