/**
 * Tells the shop who is at its classic checkout as soon as they have typed it, and what they agreed to, so that a cart
 * that is left can be kept for them. Depends on nothing, waits for nothing, and holds nothing up: when it fails, the
 * checkout does not notice.
 */
( function () {
	'use strict';

	var settings = window.agalaCheckout;
	var FIELDS = { billing_email: 'email', billing_phone: 'phone', billing_first_name: 'first_name' };
	var OURS = /^agala_/;
	var PAUSE = 800; // Milliseconds after the last key.
	var AUTOFILL = [ 500, 2000, 5000 ]; // Browsers that fill in fields by themselves do not always say so.
	var timer = null;
	var busy = false; // One call at a time: the shop keeps what the last one to end has told.
	var told;

	if ( ! settings || ! settings.url || ! window.URLSearchParams ) {
		return;
	}

	/** What stands in the form now: email, phone, first_name and our own boxes. */
	function typed() {
		var values = {};
		Object.keys( FIELDS ).forEach( function ( name ) {
			var field = document.getElementById( name ) || document.querySelector( '[name="' + name + '"]' );
			values[ FIELDS[ name ] ] = field && field.value ? field.value.trim() : '';
		} );
		Array.prototype.forEach.call( document.querySelectorAll( 'form.checkout [name^="agala_"]' ), function ( field ) {
			if ( 'checkbox' !== field.type || field.checked ) {
				values[ field.name ] = field.value;
			}
		} );
		return values;
	}

	/** Whether it says how somebody can be reached. */
	function isReachable( values ) {
		return /^[^\s@]+@[^\s@]+\.[^\s@]{2,}$/.test( values.email ) || values.phone.replace( /\D/g, '' ).length >= 6;
	}

	/** Names what there is to tell: the same text, the same things. */
	function named( values ) {
		return Object.keys( values ).sort().map( function ( name ) {
			return name + '=' + values[ name ];
		} ).join( '&' );
	}

	function body( values ) {
		var fields = new URLSearchParams();
		Object.keys( values ).forEach( function ( name ) {
			fields.append( name, values[ name ] );
		} );
		fields.append( 'nonce', settings.nonce );
		return fields;
	}

	function post( values, again ) {
		return window.fetch( settings.url, { method: 'POST', body: body( values ), credentials: 'same-origin', keepalive: true } ).then( function ( answer ) {
			if ( 403 !== answer.status || again ) {
				return;
			}
			// The page is older than its nonce, or came out of a cache.
			return answer.json().then( function ( found ) {
				settings.nonce = found.nonce;
				return post( values, true );
			} );
		} );
	}

	/** Tells these, then what has been typed meanwhile. */
	function send( values ) {
		busy = true;
		post( values, false ).then( function () {
			busy = false;
			tell();
		}, function () {
			busy = false;
			told = undefined; // Told again with the next change.
		} );
	}

	/** Tells what is new, if anything. */
	function tell( leaving ) {
		var values = typed();
		var name = named( values );
		window.clearTimeout( timer );
		if ( name === told || ! isReachable( values ) || ( busy && true !== leaving ) ) {
			return;
		}
		told = name;
		if ( window.fetch && true !== leaving ) {
			send( values );
		} else if ( window.navigator.sendBeacon ) {
			window.navigator.sendBeacon( settings.url, body( values ) );
		}
	}

	function isOurs( field ) {
		return field && ( FIELDS[ field.name ] || FIELDS[ field.id ] || OURS.test( field.name || '' ) );
	}

	function soon( event ) {
		if ( isOurs( event.target ) ) {
			window.clearTimeout( timer );
			timer = window.setTimeout( tell, PAUSE );
		}
	}

	function now( event ) {
		if ( isOurs( event.target ) ) {
			tell();
		}
	}

	/** What the server knows already need not be told. */
	function begin() {
		var values = typed();
		var known = settings.known || {};
		var isKnown = Object.keys( FIELDS ).every( function ( name ) {
			return values[ FIELDS[ name ] ] === ( known[ FIELDS[ name ] ] || '' );
		} );
		if ( isKnown ) {
			told = named( values );
		}
		AUTOFILL.forEach( function ( pause ) {
			window.setTimeout( tell, pause );
		} );
	}

	// On the document: WooCommerce and page builders replace parts of the form as they please.
	document.addEventListener( 'input', soon, true );
	document.addEventListener( 'change', now, true );
	document.addEventListener( 'blur', now, true );
	window.addEventListener( 'pagehide', function () {
		tell( true );
	} );
	document.addEventListener( 'visibilitychange', function () {
		if ( 'hidden' === document.visibilityState ) {
			tell( true );
		}
	} );
	if ( 'loading' === document.readyState ) {
		document.addEventListener( 'DOMContentLoaded', begin );
	} else {
		begin();
	}
}() );
