<?php
/**
 * PHP's own web server in the place of a rewriting one: files as they are, everything else by index.php.
 */

$agala_tests_root = rtrim( $_SERVER['DOCUMENT_ROOT'], '/' );
$agala_tests_path = rawurldecode( (string) parse_url( $_SERVER['REQUEST_URI'], PHP_URL_PATH ) );
$agala_tests_file = realpath( $agala_tests_root . $agala_tests_path );

if ( $agala_tests_file && 0 !== strpos( $agala_tests_file, $agala_tests_root ) ) {
	http_response_code( 404 );
	return true;
}
if ( $agala_tests_file && is_dir( $agala_tests_file ) && '/' !== substr( $agala_tests_path, -1 ) ) {
	header( 'Location: ' . $agala_tests_path . '/', true, 301 );
	return true;
}
if ( $agala_tests_file && is_dir( $agala_tests_file ) ) {
	$agala_tests_file = realpath( $agala_tests_file . '/index.php' );
}
if ( $agala_tests_file && '.php' !== substr( $agala_tests_file, -4 ) ) {
	return false;
}
$agala_tests_file           = $agala_tests_file ? $agala_tests_file : $agala_tests_root . '/index.php';
$_SERVER['SCRIPT_FILENAME'] = $agala_tests_file;
$_SERVER['SCRIPT_NAME']     = substr( $agala_tests_file, strlen( $agala_tests_root ) );
$_SERVER['PHP_SELF']        = $_SERVER['SCRIPT_NAME'];
chdir( dirname( $agala_tests_file ) );
require $agala_tests_file;
