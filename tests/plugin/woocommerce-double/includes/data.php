<?php
/**
 * What products, orders, coupons and customers have in common: properties with getters and setters, and meta data.
 */

/** One meta value, as WC_Data::get_meta_data() gives it. */
class WC_Meta_Data {
	public $id;
	public $key;
	public $value;

	public function __construct( $row ) {
		$this->id    = $row['id'] ?? 0;
		$this->key   = $row['key'];
		$this->value = $row['value'];
	}

	public function get_data() {
		return array( 'id' => $this->id, 'key' => $this->key, 'value' => $this->value );
	}
}

/** get_x() and set_x() for every name in $data. */
abstract class WC_Data {
	protected $id   = 0;
	protected $data = array();
	/** @var WC_Meta_Data[] */
	protected $meta        = array();
	protected $object_type = 'data';

	public function __call( $name, $arguments ) {
		$property = substr( $name, 4 );
		if ( 0 === strpos( $name, 'get_' ) && array_key_exists( $property, $this->data ) ) {
			$context = $arguments[0] ?? 'view';
			$value   = $this->data[ $property ];
			return 'view' === $context ? apply_filters( "woocommerce_{$this->object_type}_get_$property", $value, $this ) : $value;
		}
		if ( 0 === strpos( $name, 'set_' ) && array_key_exists( $property, $this->data ) ) {
			$this->data[ $property ] = $arguments[0];
			return null;
		}
		throw new BadMethodCallException( get_class( $this ) . "::$name is not in the double; add it when the plugin needs it." );
	}

	public function get_id() {
		return $this->id;
	}

	public function set_id( $id ) {
		$this->id = (int) $id;
	}

	public function get_data() {
		return array( 'id' => $this->id ) + $this->data + array( 'meta_data' => $this->get_meta_data() );
	}

	public function set_props( $props ) {
		foreach ( $props as $name => $value ) {
			$this->{"set_$name"}( $value );
		}
	}

	public function get_meta_data() {
		return array_values( array_filter( $this->meta, static fn( $meta ) => null !== $meta->value ) );
	}

	public function get_meta( $key = '', $single = true, $context = 'view' ) {
		$found = array();
		foreach ( $this->get_meta_data() as $meta ) {
			if ( $meta->key === $key ) {
				$found[] = $single ? $meta->value : $meta;
			}
		}
		return $single ? ( $found[0] ?? '' ) : $found;
	}

	public function meta_exists( $key = '' ) {
		return array() !== $this->get_meta( $key, false );
	}

	public function add_meta_data( $key, $value, $unique = false ) {
		if ( $unique ) {
			$this->delete_meta_data( $key );
		}
		$this->meta[] = new WC_Meta_Data( compact( 'key', 'value' ) );
	}

	public function update_meta_data( $key, $value, $meta_id = 0 ) {
		foreach ( $this->meta as $meta ) {
			if ( $meta->key === $key ) {
				$meta->value = $value;
				return;
			}
		}
		$this->add_meta_data( $key, $value );
	}

	public function delete_meta_data( $key ) {
		foreach ( $this->meta as $meta ) {
			if ( $meta->key === $key ) {
				$meta->value = null;
			}
		}
	}

	public function save_meta_data() {
		$this->save();
	}

	abstract public function save();

	public function __toString() {
		return (string) wp_json_encode( $this->get_data() );
	}
}

/** A date of a product or an order, as WooCommerce gives it: a DateTime in the site's zone. */
class WC_DateTime extends DateTime {
	public function getOffsetTimestamp() {
		return $this->getTimestamp() + $this->getOffset();
	}

	public function date( $format ) {
		return $this->format( $format );
	}

	public function date_i18n( $format = 'Y-m-d' ) {
		return wp_date( $format, $this->getTimestamp() );
	}

	public function __toString() {
		return $this->format( DATE_ATOM );
	}
}

/** A date from what is given: seconds, a text, a date; null from nothing. */
function wc_double_date( $given ) {
	if ( null === $given || '' === $given ) {
		return null;
	}
	if ( $given instanceof DateTimeInterface ) {
		$given = $given->getTimestamp();
	}
	$date = is_numeric( $given ) ? new WC_DateTime( "@$given" ) : new WC_DateTime( $given, new DateTimeZone( 'UTC' ) );
	$date->setTimezone( wp_timezone() );
	return $date;
}
