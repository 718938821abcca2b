"""Every rule alone and with every other, and the next allowed moment against a search minute by minute."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chalicelib.commerce.store import Store
from chalicelib.contacts.consent import Channel, Consent
from chalicelib.messages.message import Message, MessageKind, MessageStatus
from chalicelib.messages.policy import Later, No, Send, may_send
from chalicelib.messages.recent import Place, Recent, matters
from chalicelib.messages.recent_places import Places
from chalicelib.messages.rest import CITIES, candle_lighting, nightfall
from tests.messages.shop import CONTACT_ID, MessagesDouble, RecentsDouble, contact, store

MINUTE = timedelta(minutes=1)
SHABBAT = datetime(2026, 11, 21, 10, tzinfo=UTC)  # noon in Israel
TUESDAY = datetime(2026, 11, 24, 10, tzinfo=UTC)
# What an owner sees of each rule, in the order in which they are asked, and whether it holds messages about orders too.
RULES = {
    "stopped": ("sending_stopped", True),
    "disconnected": ("disconnected", True),
    "no_address": ("no_address", True),
    "sandbox": ("sandbox", True),
    "suppressed": ("suppressed", True),
    "listed": ("suppression_list", True),
    "no_consent": ("no_consent", False),
    "rest": ("rest_day", False),
    "quiet": ("quiet_hours", False),
    "capped": ("frequency_cap", False),
    "duplicate": ("duplicate", False),
}


def decided(channel: Channel, kind: MessageKind, rules: set[str]) -> str:
    """What the owner sees of a message against which just these rules stand; `sent` where none does."""
    shop, person = _shop(channel, rules), _person(channel, rules)
    now = SHABBAT if "rest" in rules else TUESDAY
    decision = may_send(shop, person, channel, kind, now, lambda to: "asked" if "listed" in rules else None)
    if not isinstance(decision, Send):
        return decision.reason.replace("no_email", "no_address").replace("no_phone", "no_address")
    if kind is MessageKind.TRANSACTIONAL or not matters(shop, channel):
        return "sent"
    messages, recents = MessagesDouble(), RecentsDouble()
    message = _message("new", channel, now)
    if {"capped", "duplicate"} & rules:
        before = _message("before", channel, now).model_copy(update={"status": MessageStatus.SENT})
        messages.claim(before)
        words = "w" if "duplicate" in rules else "other words"
        taken = Place(message=before.id, channel=channel, at=now - timedelta(hours=3), words=words)
        recents.save("s1", CONTACT_ID, Recent(places=(taken,)))
    return Places(recents, messages).take(shop, message, now) or "sent"


def _shop(channel: Channel, rules: set[str]) -> Store:
    address = "dana@example.test" if channel is Channel.EMAIL else "+972505550101"
    settings: dict[str, Any] = {
        "sending": "stopped" if "stopped" in rules else "sandbox" if "sandbox" in rules else "live",
        "sandbox_addresses": ["owner@hadar.example"] if "sandbox" in rules else [address],
        "quiet_hours": {channel.value: {"from": "11:00", "to": "13:00"} if "quiet" in rules else None},
        "caps": {channel.value: {"per_day": 1}} if "capped" in rules else None,
        "duplicate_days": 1 if "duplicate" in rules else 0,
    }
    connection = {"status": "disconnected" if "disconnected" in rules else "connected", "at": TUESDAY}
    return store(settings=settings, connection=connection)


def _person(channel: Channel, rules: set[str]) -> Any:
    status = "never_asked" if "no_consent" in rules else "subscribed"
    changes: dict[str, Any] = {"consent": {channel: Consent.model_validate({"status": status})}}
    if "no_address" in rules:
        changes |= {"email": None, "phone": None}
    if "suppressed" in rules:
        changes["suppressed"] = {channel.value: "bounced"}
    return contact(**changes)


def _message(name: str, channel: Channel, at: datetime) -> Message:
    return Message(
        id=f"{CONTACT_ID}-{name}",
        store_id="s1",
        contact_id=CONTACT_ID,
        channel=channel,
        kind=MessageKind.MARKETING,
        status=MessageStatus.CLAIMED,
        created_at=at,
        at=at,
        words="w",
    )


@pytest.mark.parametrize("channel", list(Channel))
def test_of_all_rules_that_stand_against_a_message_the_first_is_told(channel: Channel) -> None:
    """All 2,048 sets of rules, so each alone, every pair, and all together."""
    for kind, chosen in product(MessageKind, product((False, True), repeat=len(RULES))):
        rules = {rule for rule, stands in zip(RULES, chosen, strict=True) if stands}
        if {"stopped", "sandbox"} <= rules:
            continue  # one switch
        told = [reason for rule, (reason, always) in RULES.items() if rule in rules and (always or kind == "marketing")]
        assert decided(channel, kind, rules) == (told[0] if told else "sent"), (kind, rules)


@pytest.mark.parametrize(
    ("status", "soft", "orders", "expected"),
    [
        ("subscribed", False, 0, None),
        ("pending", True, 3, "pending"),
        ("unsubscribed", True, 3, "unsubscribed"),
        ("never_asked", True, 0, "no_consent"),
        ("never_asked", False, 3, "no_consent"),
        ("never_asked", True, 3, None),
    ],
)
def test_consent_of_every_kind(status: str, soft: bool, orders: int, expected: str | None) -> None:
    consent = {Channel.EMAIL: Consent.model_validate({"status": status})}
    person = contact(consent=consent, orders_count=orders)
    found = may_send(store(settings={"soft_opt_in": soft}), person, Channel.EMAIL, MessageKind.MARKETING, TUESDAY)
    assert found == (No(expected) if expected else Send("dana@example.test"))


# The search: nothing here but a clock on the wall, and printed calendars.

SATURDAY = 5
# Days of holiday, by hand, besides Saturdays; and those that only the world outside of Israel keeps.
HOLY = ["2024-10-03", "2024-10-04", "2026-04-02", "2026-04-08", "2026-09-12", "2026-09-13", "2026-09-21"]
HOLY_ABROAD = ["2026-04-03", "2026-04-09", "2026-09-27"]
QUIET = [
    None,
    ("21:00", "09:00"),
    ("23:30", "02:30"),  # ends within an hour that spring skips
    ("01:15", "01:45"),  # within an hour that autumn repeats
    ("00:30", "01:30"),
    ("01:30", "05:00"),  # begins within it, and is out of it once more when the clock is set back
    ("12:00", "20:00"),  # over the beginning of Shabbat, and its end
    ("00:00", "23:59"),
]
# The contact's zone; where they rest; the weeks: two changes of clocks, and Yom Kippur between two Shabbats.
WEEKS = [
    ("Asia/Jerusalem", "jerusalem", "2026-03-25", 16),
    ("Asia/Jerusalem", "jerusalem", "2026-10-22", 8),
    ("Asia/Jerusalem", "jerusalem", "2026-09-10", 15),
    ("Asia/Jerusalem", "jerusalem", "2024-10-01", 6),  # Rosh Hashana, then Shabbat
    ("America/New_York", "new-york", "2026-03-05", 7),
    ("America/New_York", "new-york", "2026-10-29", 7),
    ("America/New_York", "new-york", "2026-09-17", 12),
    ("America/New_York", "new-york", "2026-04-01", 10),  # two days of holiday, then Shabbat
    ("Europe/London", "london", "2026-03-26", 7),
    ("Europe/London", "london", "2026-10-22", 7),
    ("Europe/London", "london", "2026-09-18", 5),
    ("Australia/Lord_Howe", "jerusalem", "2026-04-02", 6),  # half an hour back; no city of that zone is known
    ("Australia/Lord_Howe", "jerusalem", "2026-10-01", 5),
    ("Asia/Kolkata", "jerusalem", "2026-09-18", 5),
]


class Wall:
    """Every minute of some days: what the clock on the contact's wall shows, and whether it is a rest."""

    def __init__(self, zone: str, city: str, first: str, days: int) -> None:
        start = datetime.combine(date.fromisoformat(first), datetime.min.time(), UTC)
        self.minutes = [start + number * MINUTE for number in range(days * 24 * 60)]
        wall = ZoneInfo(zone)
        self.clock = [f"{local:%H:%M}" for local in (minute.astimezone(wall) for minute in self.minutes)]
        self.rests = [False] * len(self.minutes)
        place = CITIES[city]
        for number in range(-1, days + 2):
            day = start.date() + timedelta(days=number)
            if day.weekday() == SATURDAY or str(day) in HOLY or (str(day) in HOLY_ABROAD and not place.in_israel):
                lit, dark = candle_lighting(place, day - timedelta(days=1)), nightfall(place, day)
                for index in range((lit - start) // MINUTE, (dark - start) // MINUTE):
                    if 0 <= index < len(self.rests):
                        self.rests[index] = True

    def is_quiet(self, hours: tuple[str, str] | None) -> list[bool]:
        if hours is None:
            return [False] * len(self.clock)
        start, end = hours
        if start < end:
            return [start <= shown < end for shown in self.clock]
        return [shown >= start or shown < end for shown in self.clock]


def _next_allowed(blocked: Sequence[bool]) -> list[int | None]:
    """Of each minute the next one, itself included, that is not blocked; None beyond the last."""
    found: list[int | None] = [None] * len(blocked)
    following = None
    for index in range(len(blocked) - 1, -1, -1):
        following = following if blocked[index] else index
        found[index] = following
    return found


@pytest.mark.parametrize(("zone", "city", "first", "days"), WEEKS)
def test_who_must_wait_waits_until_the_next_allowed_minute(zone: str, city: str, first: str, days: int) -> None:
    wall, person = Wall(zone, city, first, days), contact(timezone=zone)
    assert any(wall.rests), "a Shabbat at least"
    for hours, rest in product(QUIET, (True, False)):
        told = {"email": {"from": hours[0], "to": hours[1]} if hours else None}
        shop = store(settings={"quiet_hours": told, "rest_days": rest})
        quiet = wall.is_quiet(hours)
        rests = wall.rests if rest else [False] * len(quiet)
        blocked = [one or other for one, other in zip(quiet, rests, strict=True)]
        allowed = _next_allowed(blocked)
        edges = {index for index in range(1, len(blocked)) if blocked[index] != blocked[index - 1]}
        for index in sorted({*edges, *(edge - 1 for edge in edges), *range(0, len(blocked), 131)}):
            following, now = allowed[index], wall.minutes[index]
            found = may_send(shop, person, Channel.EMAIL, MessageKind.MARKETING, now)
            if not blocked[index]:
                assert isinstance(found, Send), (hours, rest, now)
            elif following is not None:
                why = "rest_day" if rests[index] else "quiet_hours"
                assert found == Later(wall.minutes[following], why), (hours, rest, now)


def test_a_zone_that_is_none_is_ignored() -> None:
    night = {"quiet_hours": {"email": {"from": "21:00", "to": "09:00"}}}
    late_in_israel = datetime(2026, 11, 24, 20, tzinfo=UTC)
    morning = datetime(2026, 11, 25, 7, tzinfo=UTC)
    for zone in (None, "", "Mars/Olympus", "America/", "../etc"):
        found = may_send(
            store(settings=night), contact(timezone=zone), Channel.EMAIL, MessageKind.MARKETING, late_in_israel
        )
        assert found == Later(morning, "quiet_hours"), zone
    in_new_york = contact(timezone="America/New_York")
    assert isinstance(
        may_send(store(settings=night), in_new_york, Channel.EMAIL, MessageKind.MARKETING, late_in_israel), Send
    )


def test_between_two_whole_minutes_it_is_as_before_the_second() -> None:
    friday = candle_lighting(CITIES["jerusalem"], date(2026, 11, 20)) + timedelta(seconds=1, microseconds=5)
    found = may_send(store(), contact(), Channel.EMAIL, MessageKind.MARKETING, friday)
    assert found == Later(nightfall(CITIES["jerusalem"], date(2026, 11, 21)), "rest_day")


def test_messages_about_orders_go_out_on_yom_kippur_at_night() -> None:
    night = {"quiet_hours": {"email": {"from": "21:00", "to": "09:00"}}, "rest_days": True}
    found = may_send(
        store(settings=night),
        contact(),
        Channel.EMAIL,
        MessageKind.TRANSACTIONAL,
        datetime(2026, 9, 20, 22, tzinfo=UTC),
    )
    assert isinstance(found, Send)
