<?php
/**
 * What PHP_CodeSniffer's own sniffs cannot tell of a WordPress plugin: php wordpress-style.php <file>…
 *
 * Prints one line per finding, "file:line: what". An exception is explained where it is, in the words that WordPress's own
 * standard uses: `phpcs:ignore <its sniff> -- <why>` on the line or the one before, or between phpcs:disable and phpcs:enable.
 */

const ESCAPING      = 'WordPress.Security.EscapeOutput';
const PREPARING     = 'WordPress.DB';
const CLEANING      = 'WordPress.Security.ValidatedSanitizedInput';
const NONCE         = 'WordPress.Security.NonceVerification';
const CALLS         = 'Agala.RemoteCalls';
const SAFE_TO_PRINT = array( 'esc_html', 'esc_attr', 'esc_url', 'esc_textarea', 'esc_js', 'esc_html__', 'esc_attr__', 'esc_html_x', 'esc_attr_x', 'wp_kses', 'wp_kses_post', 'wp_kses_data', 'wp_json_encode', 'absint', 'intval', 'number_format_i18n', 'wp_nonce_field', 'checked', 'selected', 'disabled', 'get_submit_button', 'wp_create_nonce', 'count' );
const QUERIES       = array( 'query', 'get_var', 'get_row', 'get_col', 'get_results' );
const NONCE_CHECKS  = array( 'check_admin_referer', 'check_ajax_referer', 'wp_verify_nonce' );
const TABLE_NAMES   = array( '$wpdb', '$table', '$name', '$collate', '$charset_collate' );
const INPUTS        = array( '$_GET', '$_POST', '$_REQUEST', '$_COOKIE', '$_SERVER', '$_FILES' );
const CLEANERS      = '/^(sanitize_|wp_unslash$|absint$|isset$|empty$|wp_verify_nonce$|is_string$|array_key_exists$|wc_clean$|intval$|filter_input$|unset$)/';
const REMOTE_FILE   = 'class-agala-api.php';

/** The tokens of a file without spaces and comments: [id or null, text, line]. Comments are kept apart, by line. */
function read_tokens( string $file, array &$comments ): array {
	$tokens = array();
	$line   = 1;
	foreach ( token_get_all( file_get_contents( $file ) ) as $token ) {
		list( $id, $text, $line ) = is_array( $token ) ? $token : array( null, $token, $line );
		if ( T_COMMENT === $id ) {
			$comments[ $line ] = $text;
		} elseif ( T_WHITESPACE !== $id && T_DOC_COMMENT !== $id ) {
			$tokens[] = array( $id, $text, $line );
		}
		$line += substr_count( $text, "\n" );
	}
	return $tokens;
}

/** Where the bracket that opens at $at closes. */
function closing( array $tokens, int $at ): int {
	$depth = 0;
	for ( $i = $at; $i < count( $tokens ); $i++ ) {
		$depth += in_array( $tokens[ $i ][1], array( '(', '[', '{', '${' ), true ) || T_CURLY_OPEN === $tokens[ $i ][0] ? 1 : 0;
		$depth -= in_array( $tokens[ $i ][1], array( ')', ']', '}' ), true ) ? 1 : 0;
		if ( 0 === $depth ) {
			return $i;
		}
	}
	return count( $tokens ) - 1;
}

/** Tokens cut at the given signs, outside of all brackets. */
function split_at( array $tokens, array $signs ): array {
	$parts = array( array() );
	for ( $i = 0; $i < count( $tokens ); $i++ ) {
		if ( in_array( $tokens[ $i ][1], $signs, true ) ) {
			$parts[] = array();
			continue;
		}
		$end = in_array( $tokens[ $i ][1], array( '(', '[', '{' ), true ) ? closing( $tokens, $i ) : $i;
		for ( ; $i < $end; $i++ ) {
			$parts[ count( $parts ) - 1 ][] = $tokens[ $i ];
		}
		$parts[ count( $parts ) - 1 ][] = $tokens[ $i ];
	}
	return $parts;
}

/** Whether an expression can be printed as it is: literals, escaped values, and choices between such. */
function is_safe( array $expression ): bool {
	$choice = split_at( $expression, array( '?' ) );
	if ( count( $choice ) > 1 ) {
		foreach ( split_at( array_merge( ...array_slice( $choice, 1 ) ), array( ':' ) ) as $side ) {
			if ( ! is_safe( $side ) ) {
				return false;
			}
		}
		return true;
	}
	foreach ( split_at( $expression, array( '.' ) ) as $part ) {
		$first = $part[0] ?? array( null, '', 0 );
		if ( '(' === $first[1] ) {
			if ( ! is_safe( array_slice( $part, 1, -1 ) ) ) {
				return false;
			}
			continue;
		}
		$is_call = in_array( ltrim( $first[1], '\\' ), SAFE_TO_PRINT, true );
		if ( ! $is_call && ! in_array( $first[0], array( T_CONSTANT_ENCAPSED_STRING, T_LNUMBER, T_DNUMBER, T_INT_CAST, T_DOUBLE_CAST ), true ) && ! ( 'AGALA_VERSION' === $first[1] || 'PHP_EOL' === $first[1] ) ) {
			return false;
		}
	}
	return true;
}

/** The tokens of a statement from $at to its end. */
function statement( array $tokens, int $at ): array {
	$found = array();
	for ( $i = $at; $i < count( $tokens ) && ';' !== $tokens[ $i ][1] && T_CLOSE_TAG !== $tokens[ $i ][0]; $i++ ) {
		$end = in_array( $tokens[ $i ][1], array( '(', '[', '{' ), true ) ? closing( $tokens, $i ) : $i;
		for ( ; $i <= $end; $i++ ) {
			$found[] = $tokens[ $i ];
		}
		--$i;
	}
	return $found;
}

/** A query's text: prepared, or a literal in which only tables are named. */
function is_prepared( array $argument ): bool {
	$text = implode( '', array_column( $argument, 1 ) );
	if ( 0 === strpos( $text, '$wpdb->prepare(' ) ) {
		return true;
	}
	foreach ( $argument as $token ) {
		if ( T_VARIABLE === $token[0] && ! in_array( $token[1], TABLE_NAMES, true ) ) {
			return false;
		}
	}
	return true;
}

/** Findings of one file as [line, what, the sniff that may be excused]. */
function check( string $file, array $tokens ): array {
	$found = array();
	$scope = array(); // For each token, the index where its function begins.
	foreach ( $tokens as $i => list( $id, $text, $line ) ) {
		$before = $tokens[ $i - 1 ][1] ?? '';
		$calls  = '(' === ( $tokens[ $i + 1 ][1] ?? '' ) && ! in_array( $before, array( '->', '::', 'function', 'new' ), true );
		if ( T_ECHO === $id || T_PRINT === $id || T_OPEN_TAG_WITH_ECHO === $id ) {
			foreach ( split_at( statement( $tokens, $i + 1 ), array( ',' ) ) as $part ) {
				is_safe( $part ) || $found[] = array( $line, 'printed without escaping', ESCAPING );
			}
		} elseif ( $calls && in_array( $text, array( 'printf', 'vprintf' ), true ) ) {
			$inside = array_slice( $tokens, $i + 2, closing( $tokens, $i + 1 ) - $i - 2 );
			foreach ( split_at( $inside, array( ',' ) ) as $part ) {
				$part && ! is_safe( $part ) && $found[] = array( $part[0][2], 'printed without escaping', ESCAPING );
			}
		} elseif ( $calls && in_array( $text, array( '_e', '_ex' ), true ) ) {
			$found[] = array( $line, "$text() prints without escaping: esc_html_e()", ESCAPING );
		} elseif ( '$wpdb' === $text && '->' === ( $tokens[ $i + 1 ][1] ?? '' ) && in_array( $tokens[ $i + 2 ][1], QUERIES, true ) && '(' === $tokens[ $i + 3 ][1] ) {
			$inside = array_slice( $tokens, $i + 4, closing( $tokens, $i + 3 ) - $i - 4 );
			is_prepared( split_at( $inside, array( ',' ) )[0] ) || $found[] = array( $line, 'a query that is not prepared', PREPARING );
		} elseif ( $calls && preg_match( '/^wp_(safe_)?remote_(get|post|head|request)$/', $text ) && REMOTE_FILE !== basename( $file ) ) {
			$found[] = array( $line, "$text() belongs into " . REMOTE_FILE, CALLS );
		} elseif ( in_array( $text, array( '$_POST', '$_GET', '$_REQUEST', '$_COOKIE', '$_SERVER', '$_FILES' ), true ) ) {
			array_push( $found, ...check_input( $tokens, $i ) );
		}
	}
	return $found;
}

/** What a visitor sent: cleaned where it is read; a form's fields only in a function that checks a nonce. */
function check_input( array $tokens, int $at ): array {
	$found = array();
	$start = $at;
	while ( $start > 0 && ! in_array( $tokens[ $start - 1 ][1], array( ';', '{', '}' ), true ) ) {
		--$start;
	}
	$words = array_column( array_slice( $tokens, $start, $at - $start ), 1 );
	if ( ! preg_grep( CLEANERS, $words ) ) {
		$found[] = array( $tokens[ $at ][2], $tokens[ $at ][1] . ' is read without cleaning', CLEANING );
	}
	if ( '$_POST' === $tokens[ $at ][1] ) {
		$function = $at;
		$depth    = 0;
		while ( $function > 0 && ! ( T_FUNCTION === $tokens[ $function ][0] && $depth < 0 ) ) {
			$depth += '}' === $tokens[ $function ][1] ? 1 : 0;
			$depth -= '{' === $tokens[ $function ][1] || T_CURLY_OPEN === $tokens[ $function ][0] ? 1 : 0;
			--$function;
		}
		$open = $function;
		while ( $open < $at && '{' !== $tokens[ $open ][1] ) {
			++$open;
		}
		$body = array_column( array_slice( $tokens, $open, closing( $tokens, $open ) - $open ), 1 );
		array_intersect( NONCE_CHECKS, $body ) || $found[] = array( $tokens[ $at ][2], 'a form is read without checking a nonce', NONCE );
	}
	return $found;
}

/** The sniffs that are excused, with a reason, on each line: line => text of the comments that say so. */
function excuses( array $comments, int $last ): array {
	$excused  = array();
	$disabled = '';
	for ( $line = 1; $line <= $last; $line++ ) {
		$said     = $comments[ $line ] ?? '';
		$reasoned = false !== strpos( $said, ' -- ' ) ? $said : '';
		if ( false !== strpos( $said, 'phpcs:disable' ) ) {
			$disabled = $reasoned;
		} elseif ( false !== strpos( $said, 'phpcs:enable' ) ) {
			$disabled = '';
		}
		$excused[ $line ] = $disabled;
		foreach ( array( $said, $comments[ $line - 1 ] ?? '' ) as $near ) {
			$excused[ $line ] .= false !== strpos( $near, 'phpcs:ignore' ) && false !== strpos( $near, ' -- ' ) ? $near : '';
		}
	}
	return $excused;
}

$wrong = 0;
foreach ( array_slice( $argv, 1 ) as $file ) {
	$comments = array();
	$tokens   = read_tokens( $file, $comments );
	$excused  = excuses( $comments, (int) end( $tokens )[2] );
	foreach ( check( $file, $tokens ) as list( $line, $what, $sniff ) ) {
		if ( false === strpos( $excused[ $line ], $sniff ) ) {
			echo "$file:$line: $what ($sniff)\n";
			$wrong = 1;
		}
	}
}
exit( $wrong );
