from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.commerce.store import QuietHours
from chalicelib.contacts.consent import Channel, Consent
from chalicelib.messages.message import MessageKind
from chalicelib.messages.policy import Decision, Hold, Later, No, Send, marked, may_send, quiet_until
from tests.messages.shop import NOW, contact, store

NIGHT = QuietHours.model_validate({"from": "21:00", "to": "09:00"})


def decide(
    kind: MessageKind = MessageKind.MARKETING,
    now: datetime = NOW,
    channel: Channel = Channel.EMAIL,
    store_settings: dict[str, Any] | None = None,
    **person: Any,
) -> Decision:
    shop = store(settings=store_settings or {})
    return may_send(shop, contact(**person), channel, kind, now)


def consent(status: str) -> dict[Channel, Consent]:
    return {Channel.EMAIL: Consent.model_validate({"status": status})}


def test_a_subscribed_contact_gets_marketing() -> None:
    assert decide() == Send("dana@example.test")


@pytest.mark.parametrize(
    ("status", "reason"), [("unsubscribed", "unsubscribed"), ("pending", "pending"), ("never_asked", "no_consent")]
)
def test_marketing_needs_consent_and_transactional_does_not(status: str, reason: str) -> None:
    assert decide(consent=consent(status)) == No(reason)
    assert decide(MessageKind.TRANSACTIONAL, consent=consent(status)) == Send("dana@example.test")


def test_soft_opt_in_is_for_buyers_who_never_refused() -> None:
    soft = {"soft_opt_in": True}
    assert isinstance(decide(store_settings=soft, consent={}, orders_count=1), Send)
    assert decide(store_settings=soft, consent={}, orders_count=0) == No("no_consent")
    assert decide(store_settings=soft, consent=consent("unsubscribed"), orders_count=3) == No("unsubscribed")


@pytest.mark.parametrize("kind", list(MessageKind))
def test_suppression_stands_above_every_kind(kind: MessageKind) -> None:
    assert decide(kind, suppressed={"email": "bounced"}) == No("suppressed")
    assert isinstance(decide(kind, suppressed={"sms": "stop"}), Send), "another channel's suppression is its own"


def test_without_an_address_there_is_nothing_to_send_to() -> None:
    assert decide(MessageKind.TRANSACTIONAL, email=None) == No("no_email")
    assert decide(MessageKind.TRANSACTIONAL, channel=Channel.SMS, phone=None) == No("no_phone")


@pytest.mark.parametrize("kind", list(MessageKind))
def test_a_stopped_store_holds_everything(kind: MessageKind) -> None:
    assert decide(kind, store_settings={"sending": "stopped"}) == Hold("sending_stopped")


@pytest.mark.parametrize("kind", list(MessageKind))
def test_a_store_whose_shop_was_disconnected_holds_everything(kind: MessageKind) -> None:
    def told(status: str) -> Decision:
        tied = {"status": status, "rest_url": "https://hadar.example/wp-json/", "at": NOW}
        return may_send(store(connection=tied), contact(), Channel.EMAIL, kind, NOW)

    assert told("disconnected") == Hold("disconnected")
    assert told("connected") == Send("dana@example.test")


def test_a_sandbox_writes_only_to_its_own_people() -> None:
    sandbox = {"sending": "sandbox", "sandbox_addresses": ["Owner@hadar.example"]}
    assert decide(MessageKind.TRANSACTIONAL, store_settings=sandbox) == No("sandbox")
    assert decide(store_settings=sandbox, email="owner@hadar.example") == Send("owner@hadar.example")


def test_quiet_hours_are_the_stores_own_and_per_channel() -> None:
    evening = datetime(2026, 11, 22, 20, 30, tzinfo=UTC)  # 22:30 in Israel
    quiet = {"quiet_hours": {"email": {"from": "21:00", "to": "09:00"}}}
    assert isinstance(decide(now=evening), Send), "by default email has none"
    assert decide(now=evening, store_settings=quiet) == Later(datetime(2026, 11, 23, 7, 0, tzinfo=UTC), "quiet_hours")
    assert isinstance(decide(MessageKind.TRANSACTIONAL, now=evening, store_settings=quiet), Send)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-22T18:59:59Z", None),  # 20:59:59
        ("2026-11-22T19:00:00Z", "2026-11-23T07:00:00Z"),
        ("2026-11-22T23:00:00Z", "2026-11-23T07:00:00Z"),  # after midnight: the same morning
        ("2026-11-23T07:00:00Z", None),
        ("2026-03-26T20:00:00Z", "2026-03-27T06:00:00Z"),  # summer time begins that night in Israel
        ("2026-10-24T19:00:00Z", "2026-10-25T07:00:00Z"),  # and ends that night
    ],
)
def test_quiet_hours_over_midnight_and_over_the_change_of_clocks(now: str, until: str | None) -> None:
    found = quiet_until(NIGHT, ZoneInfo("Asia/Jerusalem"), datetime.fromisoformat(now))
    assert found == (datetime.fromisoformat(until) if until else None)


def test_quiet_hours_inside_one_day() -> None:
    noon = QuietHours.model_validate({"from": "12:00", "to": "14:00"})
    assert quiet_until(noon, UTC, datetime(2026, 5, 1, 13, tzinfo=UTC)) == datetime(2026, 5, 1, 14, tzinfo=UTC)
    assert quiet_until(noon, UTC, datetime(2026, 5, 1, 14, tzinfo=UTC)) is None
    never = QuietHours.model_validate({"from": "12:00", "to": "12:00"})
    assert quiet_until(never, UTC, datetime(2026, 5, 1, 12, tzinfo=UTC)) is None


_TIME = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59))


@settings(max_examples=50, deadline=None)
@given(
    _TIME,
    _TIME,
    st.integers(0, 365 * 24 * 60),
    st.sampled_from(["Asia/Jerusalem", "America/New_York", "Europe/London"]),
)
def test_quiet_hours_always_end_later_and_within_a_day_or_so(start: str, end: str, minutes: int, zone: str) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    until = quiet_until(QuietHours.model_validate({"from": start, "to": end}), ZoneInfo(zone), now)
    assert until is None or now < until <= now + timedelta(hours=26)


def test_the_second_pass_of_autumns_repeated_hour_ends_in_the_future() -> None:
    quiet = QuietHours.model_validate({"from": "00:00", "to": "01:30"})
    second_pass = datetime(2026, 10, 24, 23, 10, tzinfo=UTC)  # 01:10 again in Israel
    assert quiet_until(quiet, ZoneInfo("Asia/Jerusalem"), second_pass) == datetime(2026, 10, 24, 23, 30, tzinfo=UTC)


def test_marketing_to_israel_says_advertisement_first_and_once() -> None:
    assert marked("מבצע", store(), MessageKind.MARKETING) == "פרסומת: מבצע"
    assert marked("פרסומת: מבצע", store(), MessageKind.MARKETING) == "פרסומת: מבצע"
    assert marked("ההזמנה שלך", store(), MessageKind.TRANSACTIONAL) == "ההזמנה שלך"
    assert marked("Sale", store(country="FR"), MessageKind.MARKETING) == "Sale"
