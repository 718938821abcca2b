<?php
/**
 * Products: posts with the meta keys that WooCommerce uses.
 */

/** A product that stands alone. */
class WC_Product extends WC_Data {
	protected $object_type = 'product';
	protected $post_type   = 'product';
	protected $type        = 'simple';
	protected $stored      = array(
		'sku'            => '_sku',
		'price'          => '_price',
		'regular_price'  => '_regular_price',
		'sale_price'     => '_sale_price',
		'stock_quantity' => '_stock',
		'stock_status'   => '_stock_status',
		'image_id'       => '_thumbnail_id',
		'total_sales'    => 'total_sales',
	);
	protected $data        = array(
		'name'               => '',
		'slug'               => '',
		'status'             => 'publish',
		'catalog_visibility' => 'visible',
		'description'        => '',
		'short_description'  => '',
		'sku'                => '',
		'price'              => '',
		'regular_price'      => '',
		'sale_price'         => '',
		'manage_stock'       => false,
		'stock_quantity'     => null,
		'stock_status'       => 'instock',
		'backorders'         => 'no',
		'sold_individually'  => false,
		'image_id'           => '',
		'category_ids'       => array(),
		'parent_id'          => 0,
		'attributes'         => array(),
		'date_created'       => null,
		'date_modified'      => null,
		'total_sales'        => 0,
	);

	public function __construct( $product = 0 ) {
		$id = $product instanceof WC_Product ? $product->get_id() : ( $product instanceof WP_Post ? $product->ID : (int) $product );
		if ( $id ) {
			$this->read( $id );
		}
	}

	private function read( $id ) {
		$post = get_post( $id );
		if ( ! $post || ! in_array( $post->post_type, array( 'product', 'product_variation' ), true ) ) {
			throw new Exception( 'Invalid product.' );
		}
		$this->id                         = $id;
		$this->data['name']               = $post->post_title;
		$this->data['slug']               = $post->post_name;
		$this->data['status']             = $post->post_status;
		$this->data['description']        = $post->post_content;
		$this->data['short_description']  = $post->post_excerpt;
		$this->data['parent_id']          = (int) $post->post_parent;
		$this->data['date_created']       = wc_double_date( $post->post_date_gmt );
		$this->data['date_modified']      = wc_double_date( $post->post_modified_gmt );
		$this->data['category_ids']       = wp_get_object_terms( $id, 'product_cat', array( 'fields' => 'ids' ) );
		$this->data['manage_stock']       = 'yes' === get_post_meta( $id, '_manage_stock', true );
		$this->data['sold_individually']  = 'yes' === get_post_meta( $id, '_sold_individually', true );
		$this->data['attributes']         = (array) ( get_post_meta( $id, '_double_attributes', true ) ?: array() );
		foreach ( $this->stored as $property => $key ) {
			$value = get_post_meta( $id, $key, true );
			if ( '' !== $value ) {
				$this->data[ $property ] = $value;
			}
		}
		$own = array_merge( array_values( $this->stored ), array( '_manage_stock', '_sold_individually', '_double_attributes' ) );
		foreach ( get_post_meta( $id ) as $key => $values ) {
			if ( ! in_array( $key, $own, true ) && 0 !== strpos( $key, '_edit_' ) && 0 !== strpos( $key, '_wp_' ) ) {
				$this->meta[] = new WC_Meta_Data( array( 'key' => $key, 'value' => maybe_unserialize( $values[0] ) ) );
			}
		}
	}

	public function save() {
		$is_new = ! $this->id;
		if ( $this->data['manage_stock'] && null !== $this->data['stock_quantity'] ) {
			$this->data['stock_status'] = $this->data['stock_quantity'] > 0 ? 'instock' : 'outofstock';
		}
		if ( '' === $this->data['price'] ) {
			$this->data['price'] = '' !== (string) $this->data['sale_price'] ? $this->data['sale_price'] : $this->data['regular_price'];
		}
		$post = array(
			'post_type'    => $this->post_type,
			'post_title'   => wp_slash( $this->data['name'] ),
			'post_name'    => $this->data['slug'],
			'post_status'  => $this->data['status'],
			'post_content' => wp_slash( $this->data['description'] ),
			'post_excerpt' => wp_slash( $this->data['short_description'] ),
			'post_parent'  => $this->data['parent_id'],
		);
		if ( $is_new ) {
			$this->id = (int) wp_insert_post( $post );
		} else {
			wp_update_post( array( 'ID' => $this->id ) + $post );
		}
		foreach ( $this->stored as $property => $key ) {
			update_post_meta( $this->id, $key, $this->data[ $property ] );
		}
		update_post_meta( $this->id, '_manage_stock', $this->data['manage_stock'] ? 'yes' : 'no' );
		update_post_meta( $this->id, '_sold_individually', $this->data['sold_individually'] ? 'yes' : 'no' );
		update_post_meta( $this->id, '_double_attributes', $this->data['attributes'] );
		foreach ( $this->meta as $meta ) {
			null === $meta->value ? delete_post_meta( $this->id, $meta->key ) : update_post_meta( $this->id, $meta->key, wp_slash( $meta->value ) );
		}
		if ( 'product' === $this->post_type ) {
			wp_set_object_terms( $this->id, array_map( 'intval', $this->data['category_ids'] ), 'product_cat' );
			wp_set_object_terms( $this->id, $this->type, 'product_type' );
		}
		$suffix = 'product' === $this->post_type ? 'product' : 'product_variation';
		do_action( ( $is_new ? 'woocommerce_new_' : 'woocommerce_update_' ) . $suffix, $this->id, $this );
		return $this->id;
	}

	public function delete( $force = false ) {
		$force ? wp_delete_post( $this->id, true ) : wp_trash_post( $this->id );
		return true;
	}

	public function get_type() {
		return $this->type;
	}

	public function is_type( $type ) {
		return in_array( $this->type, (array) $type, true );
	}

	public function get_title() {
		return $this->get_name();
	}

	public function get_formatted_name() {
		return $this->get_name() . " (#{$this->id})";
	}

	public function get_permalink() {
		return get_permalink( $this->id );
	}

	public function get_manage_stock() {
		return $this->data['manage_stock'];
	}

	public function managing_stock() {
		return (bool) $this->data['manage_stock'];
	}

	public function backorders_allowed() {
		return 'no' !== $this->data['backorders'];
	}

	public function get_stock_managed_by_id() {
		return $this->id;
	}

	public function exists() {
		return $this->id > 0;
	}

	public function is_in_stock() {
		return apply_filters( 'woocommerce_product_is_in_stock', 'outofstock' !== $this->get_stock_status(), $this );
	}

	public function has_enough_stock( $quantity ) {
		return ! $this->managing_stock() || (float) $this->get_stock_quantity() >= $quantity;
	}

	public function is_purchasable() {
		$can = $this->exists() && 'publish' === $this->get_status() && '' !== (string) $this->get_price();
		return apply_filters( 'woocommerce_is_purchasable', $can, $this );
	}

	public function is_visible() {
		return 'publish' === $this->get_status();
	}

	public function is_sold_individually() {
		return (bool) $this->data['sold_individually'];
	}

	public function is_virtual() {
		return false;
	}

	public function is_on_sale() {
		return '' !== (string) $this->data['sale_price'];
	}

	public function needs_shipping() {
		return true;
	}

	public function get_max_purchase_quantity() {
		return $this->is_sold_individually() ? 1 : ( $this->managing_stock() ? (int) $this->get_stock_quantity() : -1 );
	}

	public function get_image( $size = 'woocommerce_thumbnail' ) {
		return $this->get_image_id() ? wp_get_attachment_image( $this->get_image_id(), $size ) : '';
	}

	public function get_price_html() {
		return wc_price( $this->get_price() );
	}

	public function get_children() {
		return array();
	}

	public function get_categories() {
		return wc_get_product_category_list( $this->id );
	}
}

class WC_Product_Simple extends WC_Product {}

/** A product that is bought as one of its variations. */
class WC_Product_Variable extends WC_Product {
	protected $type = 'variable';

	public function get_children() {
		$query = array( 'post_type' => 'product_variation', 'post_parent' => $this->id, 'post_status' => 'any', 'fields' => 'ids', 'numberposts' => -1, 'orderby' => 'ID', 'order' => 'ASC' );
		return $this->id ? get_posts( $query ) : array();
	}

	public function get_price( $context = 'view' ) {
		$prices = array_map( static fn( $id ) => (float) wc_get_product( $id )->get_price(), $this->get_children() );
		return $prices ? (string) min( $prices ) : '';
	}
}

class WC_Product_Variation extends WC_Product {
	protected $type      = 'variation';
	protected $post_type = 'product_variation';

	/** Attributes are name => value, as a variation has them. */
	public function get_variation_attributes( $with_prefix = true ) {
		$attributes = array();
		foreach ( $this->data['attributes'] as $name => $value ) {
			$attributes[ ( $with_prefix ? 'attribute_' : '' ) . sanitize_title( $name ) ] = $value;
		}
		return $attributes;
	}

	public function get_permalink() {
		return add_query_arg( $this->get_variation_attributes(), get_permalink( $this->get_parent_id() ) );
	}

	public function get_image_id( $context = 'view' ) {
		$own = $this->data['image_id'];
		return $own ? $own : wc_get_product( $this->get_parent_id() )->get_image_id();
	}

	public function get_title() {
		return get_the_title( $this->get_parent_id() );
	}

	public function is_purchasable() {
		return parent::is_purchasable() && 'publish' === get_post_status( $this->get_parent_id() );
	}

	public function get_slug() {
		return $this->data['slug'];
	}
}

function wc_get_product( $product = false ) {
	if ( $product instanceof WC_Product ) {
		return $product;
	}
	if ( false === $product ) {
		$product = $GLOBALS['post'] ?? 0;
	}
	$post = get_post( $product );
	if ( ! $post || ! in_array( $post->post_type, array( 'product', 'product_variation' ), true ) ) {
		return false;
	}
	if ( 'product_variation' === $post->post_type ) {
		return new WC_Product_Variation( $post->ID );
	}
	$terms = wp_get_object_terms( $post->ID, 'product_type', array( 'fields' => 'names' ) );
	return in_array( 'variable', (array) $terms, true ) ? new WC_Product_Variable( $post->ID ) : new WC_Product_Simple( $post->ID );
}

function wc_get_products( $query = array() ) {
	$ids = get_posts(
		array(
			'post_type'   => 'product',
			'post_status' => $query['status'] ?? 'publish',
			'numberposts' => $query['limit'] ?? 10,
			'post__in'    => $query['include'] ?? array(),
			'orderby'     => 'ID',
			'order'       => 'ASC',
			'fields'      => 'ids',
		)
	);
	return 'ids' === ( $query['return'] ?? 'objects' ) ? $ids : array_map( 'wc_get_product', $ids );
}

function wc_get_product_id_by_sku( $sku ) {
	$found = get_posts( array( 'post_type' => array( 'product', 'product_variation' ), 'meta_key' => '_sku', 'meta_value' => $sku, 'fields' => 'ids', 'numberposts' => 1 ) );
	return $found ? (int) $found[0] : 0;
}

function wc_get_product_category_list( $id ) {
	return implode( ', ', wp_get_object_terms( $id, 'product_cat', array( 'fields' => 'names' ) ) );
}

function wc_get_product_terms( $product_id, $taxonomy, $args = array() ) {
	return wp_get_object_terms( $product_id, $taxonomy, $args );
}

function wc_update_product_stock( $product, $quantity = null, $operation = 'set' ) {
	$product = wc_get_product( $product );
	if ( null !== $quantity ) {
		$now = (float) $product->get_stock_quantity();
		$product->set_stock_quantity( 'decrease' === $operation ? $now - $quantity : ( 'increase' === $operation ? $now + $quantity : $quantity ) );
		$product->save();
	}
	return $product->get_stock_quantity();
}
