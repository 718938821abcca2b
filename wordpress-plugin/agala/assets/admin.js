/* The settings page: shows how the connection is at this moment, and tests it. All words come from WordPress. */
( function ( settings ) {
	'use strict';

	var PAUSE = 4000;
	var MARKS = { good: '✓', bad: '✕', unknown: '!' };

	function find( id ) {
		return document.getElementById( id );
	}

	function ask( what ) {
		var body = new URLSearchParams( { action: what.action, _ajax_nonce: what.nonce } );
		return fetch( settings.url, { method: 'POST', credentials: 'same-origin', body: body } ).then( function ( answer ) {
			return answer.json();
		} ).then( function ( told ) {
			if ( ! told.success ) {
				throw new Error( told.data && told.data.words ? told.data.words : settings.words.no_answer );
			}
			return told.data;
		} );
	}

	function element( name, className, words ) {
		var made = document.createElement( name );
		made.className = className;
		made.textContent = words;
		return made;
	}

	function showStatus( told ) {
		find( 'agala-state' ).className = 'agala-state agala-state-' + told.state;
		find( 'agala-state-words' ).textContent = told.words;
		find( 'agala-trouble' ).hidden = ! told.trouble;
		find( 'agala-trouble' ).textContent = told.trouble;
		find( 'agala-sync' ).hidden = ! told.parts.length;
		find( 'agala-progress' ).value = told.percent;
		find( 'agala-progress' ).hidden = 'ready' === told.state;
		find( 'agala-parts' ).replaceChildren.apply( find( 'agala-parts' ), told.parts.map( function ( part ) {
			return element( 'li', '', part.words + ': ' + part.count );
		} ) );
	}

	function watch() {
		ask( settings.status ).then( function ( told ) {
			showStatus( told );
			// Slower while nothing moves: a finished sync, or trouble that waits for somebody.
			window.setTimeout( watch, 'working' === told.state ? PAUSE : 10 * PAUSE );
		} ).catch( function () {
			window.setTimeout( watch, 10 * PAUSE );
		} );
	}

	function showChecks( results ) {
		var bad = results.some( function ( result ) {
			return 'bad' === result.state;
		} );
		find( 'agala-checks-words' ).textContent = bad ? settings.words.some_bad : settings.words.all_good;
		find( 'agala-checks-list' ).replaceChildren.apply( find( 'agala-checks-list' ), results.map( function ( result ) {
			var line = element( 'li', '', '' );
			var mark = element( 'span', 'agala-mark-' + result.state, MARKS[ result.state ] );
			mark.setAttribute( 'role', 'img' );
			mark.setAttribute( 'aria-label', settings.words[ result.state ] );
			line.append( mark, element( 'b', '', result.name ), element( 'span', '', result.words ) );
			return line;
		} ) );
	}

	function check() {
		var button = find( 'agala-check' );
		button.disabled = true;
		find( 'agala-checks' ).hidden = false;
		find( 'agala-checks-words' ).textContent = settings.words.checking;
		find( 'agala-checks-list' ).replaceChildren();
		ask( settings.check ).then( showChecks ).catch( function ( trouble ) {
			find( 'agala-checks-words' ).textContent = trouble instanceof SyntaxError ? settings.words.no_answer : trouble.message;
		} ).finally( function () {
			button.disabled = false;
		} );
	}

	if ( settings.connected ) {
		watch();
		find( 'agala-check' ).addEventListener( 'click', check );
		find( 'agala-disconnect' ).addEventListener( 'submit', function ( event ) {
			if ( ! window.confirm( settings.words.disconnect ) ) {
				event.preventDefault();
			}
		} );
	}
}( window.agalaAdmin ) );
