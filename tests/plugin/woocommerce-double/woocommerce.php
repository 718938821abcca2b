<?php
/**
 * Plugin Name: WooCommerce (double for Agala's tests)
 * Version: 11.0.1
 */
