"""When waits end: on the store's and the contact's clock, across both changes of the clock, and every year."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.commerce.money import Money
from chalicelib.commerce.store import Platform, Store
from chalicelib.contacts.contact import Contact
from chalicelib.journeys.actions import Wait
from chalicelib.journeys.local_time import moment_of, next_time
from chalicelib.journeys.waits import Waits

ZONES = ("Europe/Paris", "America/New_York", "Asia/Jerusalem")
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class NoCatalogue:
    def get_many(self, store_id: str, external_ids: list[str]) -> dict[str, Any]:
        return {}


def store(zone: str = "Europe/Paris") -> Store:
    named = {"id": "s", "name": "Tea", "url": "https://tea.example", "country": "FR", "currency": "EUR", "locale": "en"}
    return Store(platform=Platform.WOOCOMMERCE, timezone=zone, created_at=NOW, **named)


def contact(zone: str | None = None, created_at: datetime = NOW, **fields: Any) -> Contact:
    money = Money(amount=0, currency="EUR")
    return Contact(id="c", store_id="s", total_spent=money, created_at=created_at, timezone=zone, fields=fields)


def end(wait: dict[str, Any], who: Contact | None = None, now: datetime = NOW, zone: str = "Europe/Paris") -> datetime:
    form = Wait.model_validate({"id": "w", "type": "wait", **wait})
    return Waits(NoCatalogue()).end(store(zone), form, who, {}, now)


def until_date(value: Any, now: datetime = NOW, zone: str = "Europe/Paris", **how: Any) -> datetime:
    return end({"until_date": {"field": "day", **how}}, contact(day=value), now, zone)


# The clock changes: 29 March and 25 October in Paris, 8 March and 1 November in New York, 27 March (a Friday) and
# 25 October in Jerusalem; all of 2026, and all at two or three in the morning.
@pytest.mark.parametrize(
    ("zone", "day", "at", "utc"),
    [
        ("Europe/Paris", date(2026, 3, 29), "01:59", "2026-03-29T00:59"),
        ("Europe/Paris", date(2026, 3, 29), "02:00", "2026-03-29T01:00"),
        ("Europe/Paris", date(2026, 3, 29), "02:30", "2026-03-29T01:00"),
        ("Europe/Paris", date(2026, 3, 29), "03:00", "2026-03-29T01:00"),
        ("Europe/Paris", date(2026, 3, 29), "09:00", "2026-03-29T07:00"),
        ("Europe/Paris", date(2026, 10, 25), "02:30", "2026-10-25T00:30"),
        ("Europe/Paris", date(2026, 10, 25), "03:00", "2026-10-25T02:00"),
        ("America/New_York", date(2026, 3, 8), "02:30", "2026-03-08T07:00"),
        ("America/New_York", date(2026, 3, 8), "03:01", "2026-03-08T07:01"),
        ("America/New_York", date(2026, 11, 1), "01:30", "2026-11-01T05:30"),
        ("America/New_York", date(2026, 11, 1), "09:00", "2026-11-01T14:00"),
        ("Asia/Jerusalem", date(2026, 3, 27), "02:59", "2026-03-27T00:00"),
        ("Asia/Jerusalem", date(2026, 3, 27), "09:00", "2026-03-27T06:00"),
        ("Asia/Jerusalem", date(2026, 10, 25), "01:30", "2026-10-24T22:30"),
        ("Asia/Jerusalem", date(2026, 10, 25), "09:00", "2026-10-25T07:00"),
    ],
)
def test_a_day_and_time_across_both_changes_of_the_clock(zone: str, day: date, at: str, utc: str) -> None:
    expected = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert moment_of(day, time.fromisoformat(at), ZoneInfo(zone)) == expected
    before = expected - timedelta(days=2)
    assert until_date(day.isoformat(), before, zone, at=at) == expected
    weekday = day.strftime("%A").lower()
    assert end({"until_time": {"weekdays": [weekday], "at": at}}, None, before, zone) == expected
    own = end({"until_time": {"weekdays": [weekday], "at": at, "zone": "contact"}}, contact(zone), before, "UTC")
    assert own == expected
    next_one = end({"until_time": {"at": at}}, None, expected, zone)
    assert timedelta(hours=22) < next_one - expected <= timedelta(hours=25)


@given(
    day=st.dates(date(2025, 1, 1), date(2028, 12, 31)),
    at=st.times().map(lambda one: one.replace(second=0, microsecond=0)),
    zone=st.sampled_from([*ZONES, "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
)
def test_every_time_of_day_is_a_moment_and_the_clock_shows_it_or_has_just_skipped_it(
    day: date, at: time, zone: str
) -> None:
    there = ZoneInfo(zone)
    moment = moment_of(day, at, there)
    shown = moment.astimezone(there).replace(tzinfo=None)
    assert shown >= datetime.combine(day, at)
    if shown != datetime.combine(day, at):  # the first moment after a gap
        assert (moment - timedelta(seconds=1)).astimezone(there).replace(tzinfo=None) < datetime.combine(day, at)
    found = next_time(moment - timedelta(seconds=1), [day.strftime("%A").lower()], at, there)
    assert found <= moment
    assert next_time(moment, None, at, there) > moment


def test_the_next_such_weekday_and_time_is_strictly_after_now() -> None:
    monday_nine = {"until_time": {"weekdays": ["monday"], "at": "09:00"}}
    at_nine = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    assert end(monday_nine) == at_nine
    assert end(monday_nine, now=at_nine - timedelta(seconds=1)) == at_nine
    assert end(monday_nine, now=at_nine) == at_nine + timedelta(days=7)
    several = {"until_time": {"weekdays": ["friday", "tuesday"], "at": "09:00"}}
    assert end(several, now=at_nine) == datetime(2026, 3, 3, 8, 0, tzinfo=UTC)
    assert end({"until_time": {"at": "12:59"}}) == datetime(2026, 3, 2, 11, 59, tzinfo=UTC)  # 13:00 in Paris now


def test_a_contact_without_a_zone_lives_by_the_stores() -> None:
    at_nine = {"until_time": {"at": "09:00", "zone": "contact"}}
    assert end(at_nine, contact("Asia/Jerusalem")) == datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
    for nobody in (contact(None), contact("Mars/Base"), None):
        assert end(at_nine, nobody) == datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    assert end({"until_time": {"at": "09:00"}}, contact("Asia/Jerusalem")) == datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "how", "utc"),
    [
        ("2026-03-20", {}, "2026-03-20T08:00"),
        ("2026-03-20", {"at": "00:00"}, "2026-03-19T23:00"),
        ("2026-03-20", {"plus_days": -5}, "2026-03-15T08:00"),
        ("2026-03-20", {"plus_days": 10}, "2026-03-30T07:00"),  # summer time began on the 29th
        ("2026-03-20T18:30:00+02:00", {}, "2026-03-20T16:30"),
        ("2026-03-20T18:30", {}, "2026-03-20T17:30"),
        ("2026-03-20T16:30:00Z", {"plus_days": 10}, "2026-03-30T15:30"),  # 17:30 on the wall on either day
        ("1990-03-20", {"yearly": True}, "2026-03-20T08:00"),
        ("1990-03-01", {"yearly": True, "at": "13:00"}, "2026-03-01T12:00"),  # now, to the minute
        ("1990-02-28", {"yearly": True}, "2027-02-28T08:00"),
        ("1990-03-05", {"yearly": True, "plus_days": -10}, "2027-02-23T08:00"),
        ("1990-02-20", {"yearly": True, "plus_days": 20}, "2026-03-12T08:00"),
        ("1990-03-20", {"yearly": True, "plus_days": -365}, "2026-03-20T08:00"),
        ("1992-02-29", {"yearly": True}, "2027-02-28T08:00"),
        ("1992-02-29", {"yearly": True, "plus_days": 2}, "2026-03-02T08:00"),
        ("2030-06-01", {"yearly": True}, "2030-06-01T07:00"),
    ],
)
def test_until_a_date_of_the_contact(value: str, how: dict[str, Any], utc: str) -> None:
    assert until_date(value, **how) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


def test_29_february_is_kept_on_the_28th_in_other_years() -> None:
    days = []
    now = datetime(2027, 1, 1, tzinfo=UTC)
    for _ in range(4):
        now = until_date("1992-02-29", now, yearly=True)
        days.append(now.date().isoformat())
        now += timedelta(days=1)
    assert days == ["2027-02-28", "2028-02-29", "2029-02-28", "2030-02-28"]


@pytest.mark.parametrize(
    "value", [None, "", "soon", 20260320, ["2026-03-20"], True, "2026-02-30", "2026-02-20", "9999-12-31T23:59:59-12:00"]
)
def test_without_a_date_or_past_it_the_journey_goes_on_at_once(value: Any) -> None:
    assert until_date(value) == NOW
    assert end({"until_date": {"field": "other"}}, contact()) == NOW
    assert end({"until_date": {"field": "day"}}, None) == NOW
    assert until_date("9999-12-30", plus_days=365) == NOW


def test_the_day_of_joining_is_a_day_on_the_zones_clock() -> None:
    joined = contact("America/New_York", datetime(2025, 3, 10, 2, 0, tzinfo=UTC))  # in New York still the 9th
    anniversary = {"until_date": {"field": "created_at", "yearly": True, "zone": "contact"}}
    assert end(anniversary, joined) == datetime(2026, 3, 9, 13, 0, tzinfo=UTC)
    assert end({"until_date": {"field": "created_at", "yearly": True}}, joined) == datetime(
        2026, 3, 10, 8, 0, tzinfo=UTC
    )
    assert end({"until_date": {"field": "created_at", "plus_days": 365}}, joined) == datetime(
        2026, 3, 10, 8, tzinfo=UTC
    )
