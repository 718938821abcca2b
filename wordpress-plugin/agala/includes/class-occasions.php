<?php
/**
 * The occasions that a gift may be for.
 *
 * @package Agala
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

/**
 * Words for the occasions of `Options::OCCASIONS`; the keys are what Agala is told.
 */
final class Occasions {

	/**
	 * Every occasion with its name in the language of the page. Not to be called before `init`.
	 *
	 * @return array<string, string>
	 */
	public static function labels(): array {
		return array(
			'birthday'     => __( 'Birthday', 'agala' ),
			'wedding'      => __( 'Wedding', 'agala' ),
			'anniversary'  => __( 'Anniversary', 'agala' ),
			'newborn'      => __( 'New baby', 'agala' ),
			'holiday'      => __( 'Holiday', 'agala' ),
			'housewarming' => __( 'Housewarming', 'agala' ),
			'other'        => __( 'Something else', 'agala' ),
		);
	}

	/**
	 * The occasions that the owner offers, with their names.
	 *
	 * @return array<string, string>
	 */
	public static function offered(): array {
		return array_intersect_key( self::labels(), array_flip( Options::settings()['questions']['occasions'] ) );
	}
}
