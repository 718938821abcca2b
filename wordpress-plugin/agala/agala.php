<?php
/**
 * Agala
 *
 * @package           Agala
 * @license           GPL-2.0-or-later
 *
 * @wordpress-plugin
 * Plugin Name:          Agala
 * Description:          Connects a WooCommerce shop with Agala: carts that were left, thank-you messages, reminders to restock. Every shopper decides which messages they get.
 * Version:              0.1.0
 * Requires at least:    6.2
 * Requires PHP:         7.4
 * Author:               Agala
 * License:              GPL-2.0-or-later
 * License URI:          https://www.gnu.org/licenses/gpl-2.0.html
 * Text Domain:          agala
 * Domain Path:          /languages
 * WC requires at least: 8.3
 * WC tested up to:      10.0
 */

namespace Agala;

defined( 'ABSPATH' ) || exit;

define( 'AGALA_VERSION', '0.1.0' );
define( 'AGALA_FILE', __FILE__ );

require_once __DIR__ . '/includes/autoload.php';

register_activation_hook( AGALA_FILE, array( Installation::class, 'activate' ) );
register_deactivation_hook( AGALA_FILE, array( Installation::class, 'deactivate' ) );

Plugin::boot();
