"""Triggers of the calendar in a rehearsal: each day that is due, one contact is looked at as they were then.

The rules are `due_days`, as when a schedule looks; only that here each contact's days are walked, not each day's
contacts.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Protocol

from chalicelib.commerce.event import Event
from chalicelib.commerce.store import Store
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.engagement import Engagement
from chalicelib.contacts.purchases import Purchases
from chalicelib.journeys.due_days import (
    CREATED_AT,
    CalendarTrigger,
    Subject,
    concerns_anybody,
    due_event,
    due_moment,
    needs_lifetime,
)
from chalicelib.journeys.lifetimes import lifetimes_of
from chalicelib.journeys.local_time import zone_of
from chalicelib.journeys.past import Past
from chalicelib.journeys.ports import ProductRecords
from chalicelib.journeys.triggers import DateTrigger, HolidayTrigger, InactivityTrigger, Trigger


class Known(Protocol):
    """`journeys.past.Then`."""

    def purchases(self) -> Purchases: ...

    def engagement(self) -> Engagement: ...


class RehearsedDays:
    def __init__(self, trigger: CalendarTrigger, store: Store, products: ProductRecords) -> None:
        self._trigger, self._store, self._products = trigger, store, products
        self._zone = zone_of(store.timezone)

    def moments(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, date]]:
        """When each day of this time is due, for anybody."""
        day, last = start.astimezone(self._zone).date(), end.astimezone(self._zone).date()
        while day <= last:
            moment = due_moment(self._trigger, day, self._zone)
            if start <= moment <= end and concerns_anybody(self._trigger, day):
                yield moment, day
            day += timedelta(days=1)

    def event(self, contact: Contact, known: Known, day: date, at: datetime) -> Event | None:
        """What the contact is told on this day; None if they are not meant, or were not there yet."""
        if contact.created_at > at:
            return None
        bought = {contact.id: known.purchases()} if needs_lifetime(self._trigger) else {}
        lifetime = lifetimes_of(self._store.id, bought, self._products).get(contact.id)
        return due_event(self._trigger, Subject(contact, known.engagement(), lifetime), day, at, self._zone)


def rehearsed_days(trigger: Trigger, store: Store, products: ProductRecords) -> RehearsedDays | None:
    """None for a trigger that is told as an event."""
    if isinstance(trigger, DateTrigger | HolidayTrigger | InactivityTrigger):
        return RehearsedDays(trigger, store, products)
    return None


def may_be_due(trigger: CalendarTrigger, past: Past) -> bool:
    """False for who cannot be meant on any day."""
    if isinstance(trigger, DateTrigger) and trigger.field != CREATED_AT:
        told = (event.properties.get("field") for event in past.events if event.type == "field_changed")
        return trigger.field in past.contact.fields or trigger.field in told
    if isinstance(trigger, InactivityTrigger) and set(trigger.of) == {"order"}:
        return past.contact.last_order_at is not None or any(event.type == "order_paid" for event in past.events)
    return True
