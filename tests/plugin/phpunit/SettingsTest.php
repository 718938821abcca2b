<?php
/** The owner's settings: what holds, what is refused, what Agala hears of it. */

namespace Agala\Tests;

use Agala\Connection_Status;
use Agala\Options;
use Agala\Settings_Draft;
use Agala\Settings_Form;
use Agala\Settings_Handler;
use Agala\Settings_Page;

require_once __DIR__ . '/ConnectedShop.php';

final class SettingsTest extends ShopTestCase {
	use ConnectedShop;

	private const GOOD = array( 'abandon_after' => '2', 'abandon_unit' => 'hours', 'restore_days' => '14' );

	public function test_until_the_owner_says_otherwise_nothing_is_asked_and_nothing_added(): void {
		$settings = Options::settings();
		$this->assertSame( array( 60, 30, false, false ), array( $settings['abandon_after_minutes'], $settings['restore_days'], $settings['questions']['enabled'], $settings['pixel'] ) );
		foreach ( array( 'email', 'sms', 'whatsapp' ) as $channel ) {
			$this->assertSame( array( 'enabled' => false, 'text' => '' ), $settings['consent'][ $channel ] );
		}
	}

	/** @dataProvider lengths */
	public function test_when_a_cart_counts_as_left( string $amount, string $unit, ?int $minutes ): void {
		$form = new Settings_Form( array( 'abandon_after' => $amount, 'abandon_unit' => $unit ) + self::GOOD );
		$this->assertSame( null === $minutes, isset( $form->errors()['abandon_after'] ) );
		if ( null !== $minutes ) {
			$this->assertSame( $minutes, $form->settings()['abandon_after_minutes'] );
			$this->assertSame( $minutes, array_product( array( Settings_Form::in_units( $minutes )[0], Settings_Form::UNITS[ Settings_Form::in_units( $minutes )[1] ] ) ) );
		}
	}

	public function lengths(): array {
		return array(
			array( '10', 'minutes', 10 ),
			array( '9', 'minutes', null ),
			array( '90', 'minutes', 90 ),
			array( '7', 'days', 10080 ),
			array( '8', 'days', null ),
			array( '169', 'hours', null ),
			array( '1.5', 'hours', null ),
			array( '-60', 'minutes', null ),
			array( '', 'minutes', null ),
			array( '999999', 'minutes', null ),
			array( '60', 'centuries', 60 ),
		);
	}

	public function test_a_consent_without_words_cannot_be_asked_for(): void {
		$form = new Settings_Form( array( 'consent' => array( 'sms' => array( 'enabled' => '1', 'text' => '  ' ) ) ) + self::GOOD );
		$this->assertArrayHasKey( 'consent_sms', $form->errors() );
		$this->assertArrayNotHasKey( 'consent_email', $form->errors() );
	}

	public function test_words_are_kept_as_plain_text(): void {
		$form = new Settings_Form( array( 'consent' => array( 'email' => array( 'enabled' => '1', 'text' => 'כן, <script>alert(1)</script>מבצעים <b>במייל</b>' ) ) ) + self::GOOD );
		$this->assertSame( array(), $form->errors() );
		$this->assertSame( 'כן, מבצעים במייל', $form->settings()['consent']['email']['text'] );
	}

	public function test_questions_need_an_occasion_that_we_know(): void {
		$form = new Settings_Form( array( 'questions' => '1', 'occasions' => array( 'revenge' ) ) + self::GOOD );
		$this->assertArrayHasKey( 'occasions', $form->errors() );
		$form = new Settings_Form( array( 'questions' => '1', 'occasions' => array( 'revenge', 'birthday' ) ) + self::GOOD );
		$this->assertSame( array( 'birthday' ), $form->settings()['questions']['occasions'] );
	}

	public function test_nonsense_is_refused_and_breaks_nothing(): void {
		$form = new Settings_Form( array( 'abandon_after' => array( 'x' ), 'consent' => 'x', 'occasions' => 'x', 'restore_days' => array() ) );
		$this->assertSame( array( 'abandon_after', 'restore_days' ), array_keys( $form->errors() ) );
	}

	public function test_saving_tells_agala(): void {
		self::log_in_as_owner();
		$connection = self::connect();
		self::form( Settings_Handler::SAVE, self::GOOD );
		$this->redirect_of( array( new Settings_Handler(), 'save' ) );
		$this->assertSame( 120, Options::settings()['abandon_after_minutes'] );
		$this->assertSame( $connection['plugin_url'] . '/settings', $this->requests[0]['url'] );
		$told = json_decode( $this->requests[0]['body'], true );
		$this->assertSame( array( 120, wp_timezone_string(), AGALA_VERSION ), array( $told['abandon_after_minutes'], $told['timezone'], $told['versions']['plugin'] ) );
		$this->assertArrayNotHasKey( 'currency', $told );
		$this->assertSame( 'The settings are saved.', self::notices() );
	}

	public function test_what_agala_does_not_take_is_not_told_again(): void {
		self::log_in_as_owner();
		self::connect();
		$this->responder = static fn() => self::response( 422, '{"errors":[{"field":"timezone","message":"expected a city"}]}' );
		self::form( Settings_Handler::SAVE, self::GOOD );
		$this->redirect_of( array( new Settings_Handler(), 'save' ) );
		$this->assertStringContainsString( 'timezone: expected a city', self::notices() );
		self::run_actions( time() + 6000 );
		$this->assertCount( 1, $this->requests );
	}

	public function test_an_agala_that_is_out_hears_it_later(): void {
		self::log_in_as_owner();
		self::connect();
		$this->responder = static fn() => self::response( 503, '{}' );
		self::form( Settings_Handler::SAVE, self::GOOD );
		$this->redirect_of( array( new Settings_Handler(), 'save' ) );
		$this->responder = null;
		self::run_actions( time() + 601 );
		$this->assertSame( 120, json_decode( end( $this->requests )['body'], true )['abandon_after_minutes'] );
		$this->assertCount( 2, $this->requests );
		self::run_actions( time() + 6000 );
		$this->assertCount( 2, $this->requests );
	}

	public function test_what_does_not_hold_is_shown_again_with_the_reason_at_its_field(): void {
		self::log_in_as_owner();
		self::form( Settings_Handler::SAVE, array( 'restore_days' => '400', 'consent' => array( 'email' => array( 'text' => 'Yes "please" <' ) ) ) + self::GOOD );
		$this->redirect_of( array( new Settings_Handler(), 'save' ) );
		$this->assertSame( 30, Options::settings()['restore_days'] );
		$page = $this->page();
		$this->assertStringContainsString( 'value="400" aria-invalid="true" aria-describedby="agala-error-restore_days"', $page );
		$this->assertStringContainsString( 'id="agala-error-restore_days"', $page );
		$this->assertStringContainsString( 'Yes &quot;please&quot;', $page );
		$this->assertSame( array(), Settings_Draft::take()['errors'] );
	}

	public function test_the_page_escapes_what_it_shows(): void {
		self::log_in_as_owner();
		self::connect( array( 'address' => 'https://agala.example/"><script>alert(1)</script>' ) );
		$this->assertStringNotContainsString( '<script>alert', $this->page() );
	}

	public function test_the_page_of_a_connected_shop_offers_what_can_be_done(): void {
		self::log_in_as_owner();
		$this->assertStringContainsString( 'agala_where', $this->page() );
		self::connect();
		$page = $this->page();
		$this->assertStringNotContainsString( 'agala_where', $page );
		$this->assertStringContainsString( 'id="agala-check"', $page );
		$this->assertStringNotContainsString( 'value="agala_keys"', $page );
		self::connect( array( 'keys_url' => 'https://agala.example/k' ) );
		$this->assertStringContainsString( 'value="agala_keys"', $this->page() );
	}

	/** @dataProvider answers_of_agala */
	public function test_how_the_connection_is_in_words( array $answer, string $state, string $word, int $percent ): void {
		$told = Connection_Status::of_answer( $answer );
		$this->assertSame( $state, $told['state'] );
		$this->assertStringContainsString( $word, $told['words'] . ' ' . $told['trouble'] );
		$this->assertSame( $percent, $told['percent'] );
	}

	public function answers_of_agala(): array {
		$parts = array( array( 'kind' => 'webhooks', 'done' => 10, 'total' => 10 ), array( 'kind' => 'orders', 'done' => 40, 'total' => 90 ) );
		$on    = array( 'status' => 'connected', 'since' => '2026-11-22T01:00:00Z', 'trouble' => null );
		return array(
			'begins'       => array( array( 'connection' => $on, 'sync' => array( 'status' => 'never', 'parts' => array() ) ), 'working', 'in a moment', 0 ),
			'runs'         => array( array( 'connection' => $on, 'sync' => array( 'status' => 'running', 'parts' => $parts ) ), 'working', 'getting to know', 50 ),
			'done'         => array( array( 'connection' => $on, 'sync' => array( 'status' => 'done', 'parts' => $parts ) ), 'ready', 'knows your shop', 100 ),
			'sync trouble' => array( array( 'connection' => $on, 'sync' => array( 'status' => 'waiting', 'parts' => $parts, 'trouble' => array( 'words' => 'the key was <b>refused</b>' ) ) ), 'trouble', 'the key was refused', 50 ),
			'no keys'      => array( array( 'connection' => array( 'status' => 'connected', 'trouble' => array( 'words' => 'no keys yet' ) ) ), 'trouble', 'no key to the shop', 0 ),
			'known trouble' => array( array( 'connection' => $on, 'sync' => array( 'status' => 'waiting', 'parts' => $parts, 'trouble' => array( 'code' => 'certificate', 'words' => 'x' ) ) ), 'trouble', 'expired', 50 ),
			'let go'       => array( array( 'connection' => array( 'status' => 'disconnected' ) ), 'trouble', 'disconnected at Agala', 0 ),
			'nothing'      => array( array(), 'working', 'in a moment', 0 ),
			'rubbish'      => array( array( 'connection' => 'x', 'sync' => array( 'status' => 'running', 'parts' => array( 'x', array( 'kind' => 'moon' ) ), 'trouble' => 7 ) ), 'working', 'getting to know', 0 ),
		);
	}

	public function test_a_nightly_look_does_not_read_as_a_history_that_found_nothing(): void {
		$parts  = array( array( 'kind' => 'webhooks', 'done' => 1, 'total' => 1 ), array( 'kind' => 'customers', 'done' => 0, 'total' => 1 ) );
		$answer = array( 'connection' => array( 'status' => 'connected' ), 'sync' => array( 'mode' => 'reconcile', 'parts' => $parts ) );
		foreach ( array( 'running', 'done' ) as $status ) {
			$answer['sync']['status'] = $status;
			$told                     = Connection_Status::of_answer( $answer );
			$this->assertSame( array( 'ready', 100 ), array( $told['state'], $told['percent'] ), $status );
			$this->assertSame( array( 'Live updates' ), array_column( $told['parts'], 'words' ), $status );
		}
	}

	private function page(): string {
		ob_start();
		( new Settings_Page() )->show();
		return (string) ob_get_clean();
	}
}
