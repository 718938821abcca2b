"""When a wait ends."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from chalicelib.clock import parse_rfc3339
from chalicelib.commerce.event import Event
from chalicelib.commerce.store import Store
from chalicelib.contacts.contact import Contact
from chalicelib.journeys.actions import Lifetime, UntilDate, Wait
from chalicelib.journeys.facts import with_catalogue
from chalicelib.journeys.local_time import in_year, moment_of, next_time, zone_of
from chalicelib.journeys.ports import ProductRecords


class Waits:
    """Works out the end of a wait from the clock, the contact, the enrolment's event and the catalogue."""

    def __init__(self, products: ProductRecords) -> None:
        self._products = products

    def end(
        self, store: Store, wait: Wait, contact: Contact | None, event: Mapping[str, Any], now: datetime
    ) -> datetime:
        """Store time (UTC); never before `now`. Of a wait for an event its limit.

        `contact` matters where `asks_contact`; without one there is no date, and the store's zone counts.
        """
        if wait.duration is not None:
            return now + wait.duration.length
        if wait.lifetime is not None:
            return self.lifetime_end(store.id, wait.lifetime, event, now)
        if wait.until_event is not None:
            return now + wait.until_event.at_most.length
        if wait.until_time is not None:
            zone = _zone(wait.until_time.zone, store, contact)
            return next_time(now, wait.until_time.weekdays, time.fromisoformat(wait.until_time.at), zone)
        assert wait.until_date is not None  # exactly one of the five
        return _date_end(wait.until_date, contact, _zone(wait.until_date.zone, store, contact), now)

    def lifetime_end(self, store_id: str, lifetime: Lifetime, event: Mapping[str, Any], now: datetime) -> datetime:
        """Counted from the event (the purchase), so that a late delivery does not move it; never before `now`."""
        since = parse_rfc3339(event["occurred_at"]) if event.get("occurred_at") else now
        return max(now, since + self._length(store_id, lifetime, event))

    def _length(self, store_id: str, lifetime: Lifetime, event: Mapping[str, Any]) -> timedelta:
        days = self._shortest(store_id, event) or lifetime.default_days
        return timedelta(days=max(0, days - lifetime.minus_days))

    def _shortest(self, store_id: str, event: Mapping[str, Any]) -> int | None:
        """Of the event's products as the catalogue has them today, in days."""
        (told,) = with_catalogue(self._products, store_id, [Event.model_validate(event)])
        days = told.properties.get("lifetime_days")
        return days if isinstance(days, int) else None


def asks_contact(wait: Wait) -> bool:
    """Whether its end depends on the contact's fields or zone."""
    zoned = wait.until_date or wait.until_time
    return wait.until_date is not None or (zoned is not None and zoned.zone == "contact")


def _zone(which: str, store: Store, contact: Contact | None) -> tzinfo:
    own = contact.timezone if which == "contact" and contact is not None else None
    return zone_of(own, store.timezone)


def _date_end(until: UntilDate, contact: Contact | None, zone: tzinfo, now: datetime) -> datetime:
    found = _dated(until, contact, zone)
    if found is None:
        return now
    day, at = found
    try:
        if not until.yearly:
            return max(now, moment_of(day + timedelta(days=until.plus_days), at, zone))
        return _return_of(day, at, until.plus_days, zone, now)
    except (OverflowError, ValueError):  # a day that no calendar has
        return now


def _return_of(day: date, at: time, plus_days: int, zone: tzinfo, now: datetime) -> datetime:
    """Of each year the day itself is moved: "a day after 29 February" is 1 March, in every year."""
    year = max(day.year, now.year - 2)  # moved by up to a year, it may be two calendar years away
    while True:
        moment = moment_of(in_year(day, year) + timedelta(days=plus_days), at, zone)
        if moment >= now:
            return moment
        year += 1


def _dated(until: UntilDate, contact: Contact | None, zone: tzinfo) -> tuple[date, time] | None:
    """Day and time of day on the zone's clock; None if the field holds no date."""
    if contact is None:
        return None
    at = time.fromisoformat(until.at)
    if until.field == "created_at":
        return contact.created_at.astimezone(zone).date(), at
    value = contact.fields.get(until.field)
    if not isinstance(value, str):
        return None
    try:
        return date.fromisoformat(value.strip()), at
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(value.strip())
        there = moment if moment.tzinfo is None else moment.astimezone(zone)
    except (ValueError, OverflowError):
        return None
    return there.date(), there.time()
