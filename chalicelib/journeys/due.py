"""The errands of the calendar: everybody who is due on a day is told, and contacts of before come into the index."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from chalicelib.clock import Clock, parse_rfc3339
from chalicelib.commerce.event import Event
from chalicelib.commerce.ports import ProductRecord
from chalicelib.commerce.store import Store
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.day_index import changes, contact_entries
from chalicelib.contacts.engagement import Engagement
from chalicelib.contacts.ports import Listener, Writing
from chalicelib.contacts.purchases import Purchases
from chalicelib.contacts.retry import persist
from chalicelib.errors import Conflict, TryLater
from chalicelib.errors import told as told_of
from chalicelib.journeys.due_days import (
    JOINED,
    CalendarTrigger,
    Span,
    Subject,
    due_event,
    due_moment,
    needs_lifetime,
    spans,
)
from chalicelib.journeys.errands import Errand, Slice
from chalicelib.journeys.lifetimes import lifetime_in, lifetimes_of
from chalicelib.journeys.local_time import zone_of
from chalicelib.journeys.ports import JourneyRecords
from chalicelib.journeys.published import Published
from chalicelib.journeys.triggers import DateTrigger, HolidayTrigger, InactivityTrigger

TOGETHER = 10  # looked at in one slice, all of which is done again if it is interrupted
LATE = timedelta(hours=24)  # half of how old an event may be that begins anything
_PAGE = 100
_log = logging.getLogger(__name__)


class DayIndex(Protocol):
    """`storage.calendar.DayIndex`."""

    def within(self, store_id: str, span: Span, after: str | None, limit: int) -> list[tuple[str, str]]:
        """(place, contact id) in order of places."""
        ...

    def contacts(self, store_id: str, contact_ids: Collection[str]) -> list[Contact]:
        """As they are now, each once: of merged ones those that they are now."""
        ...

    def engagements(self, store_id: str, contact_ids: Collection[str]) -> dict[str, Engagement]: ...

    def purchases(self, store_id: str, contact_ids: Collection[str]) -> dict[str, Purchases]: ...


class Catalogue(Protocol):
    """`storage.products.Products`."""

    def get_many(self, store_id: str, external_ids: list[str]) -> dict[str, ProductRecord]: ...

    def list(self, store_id: str, after: str | None = None, limit: int = 100) -> Sequence[ProductRecord]:
        """By id."""
        ...


class Book(Protocol):
    """`contacts.book.ContactBook`."""

    def note(self, store_id: str, contact_id: str, event: Event) -> None:
        """Keep the event in the timeline of a contact that is still there."""
        ...


class Place(BaseModel):
    """How far an errand is: in which of the parts of the index, after which place. `at` is when its events happen."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    spans: tuple[Span, ...]
    span: int = 0
    after: str | None = None


class Due:
    """Everybody whom one day of one journey is about is told one event. A contact's event has one id, and within
    `LATE` one time: told again by a repeated slice it is the same event."""

    def __init__(
        self,
        index: DayIndex,
        journeys: JourneyRecords,
        products: Catalogue,
        book: Book,
        listener: Listener,
        clock: Clock,
    ) -> None:
        self._index, self._published, self._products = index, Published(journeys), products
        self._book, self._listener, self._clock = book, listener, clock

    def slice(self, store: Store, errand: Errand) -> Slice:
        told = errand.parameters
        trigger = self._published.get(store.id, str(told["journey"]), int(told["version"])).definition.trigger
        if not isinstance(trigger, DateTrigger | HolidayTrigger | InactivityTrigger):
            return Slice()
        day, zone, now = date.fromisoformat(told["day"]), zone_of(told["zone"]), self._clock.now()
        kept = errand.cursor
        place = self._begin(store, trigger, day, zone) if kept is None else Place.model_validate(kept)
        if now - place.at >= LATE:  # made up: it happens now, else it would be too old to begin anything
            return Slice(now, _kept(place.model_copy(update={"at": now})))
        found, place = self._next(store.id, place)
        count, failed = 0, 0
        for subject in self._subjects(store.id, trigger, found):
            try:
                count += self._tell(store, subject, due_event(trigger, subject, day, place.at, zone))
            except (TryLater, Conflict):
                raise
            except Exception as mistake:  # noqa: BLE001 - broken of one contact, it must not stand in the others' way
                _log.error("one who was due could not be told: %s", told_of(mistake))
                failed += 1
        report = {"read": errand.report.get("read", 0) + len(found)}
        if failed := failed + errand.report.get("failed", 0):
            report["failed"] = failed
        over = place.span == len(place.spans)
        return Slice(None if over else now, None if over else _kept(place), count, report)

    def _tell(self, store: Store, subject: Subject, event: Event | None) -> bool:
        if event is None:
            return False
        self._book.note(store.id, subject.contact.id, event)
        self._listener.on_events(store, subject.contact.id, [event])
        return True

    def _begin(self, store: Store, trigger: CalendarTrigger, day: date, zone: tzinfo) -> Place:
        first_year, lifetimes = 1, set[int]()
        if isinstance(trigger, DateTrigger) and trigger.yearly:
            oldest = self._index.within(store.id, Span(JOINED, "", None), None, 1)
            first_year = parse_rfc3339(oldest[0][0].partition("#")[0]).year if oldest else day.year
        if needs_lifetime(trigger):
            lifetimes = self._lifetimes(store.id)
        looked_through = spans(trigger, day, zone, first_year, lifetimes)
        return Place(at=due_moment(trigger, day, zone), spans=tuple(looked_through))

    def _next(self, store_id: str, place: Place) -> tuple[list[str], Place]:
        """The next contacts to look at, and where to go on."""
        found: list[str] = []
        number, after = place.span, place.after
        while number < len(place.spans) and len(found) < TOGETHER:
            limit = TOGETHER - len(found)
            some = self._index.within(store_id, place.spans[number], after, limit)
            found += [contact_id for _, contact_id in some]
            if len(some) < limit:
                number, after = number + 1, None
            else:
                after = some[-1][0]
        return found, place.model_copy(update={"span": number, "after": after})

    def _subjects(self, store_id: str, trigger: CalendarTrigger, contact_ids: Sequence[str]) -> list[Subject]:
        contacts = self._index.contacts(store_id, set(contact_ids)) if contact_ids else []
        if not contacts or not isinstance(trigger, InactivityTrigger):
            return [Subject(contact) for contact in contacts]
        ids = [contact.id for contact in contacts]
        engaged = set(trigger.of) != {"order"}
        engagements = self._index.engagements(store_id, ids) if engaged else {}
        bought = self._index.purchases(store_id, ids) if needs_lifetime(trigger) else {}
        lifetimes = lifetimes_of(store_id, bought, self._products)
        return [Subject(one, engagements.get(one.id, Engagement()), lifetimes.get(one.id)) for one in contacts]

    def _lifetimes(self, store_id: str) -> set[int]:
        """All that the store's products have, in days."""
        found: set[int] = set()
        after: str | None = None
        while batch := self._products.list(store_id, after, _PAGE):
            found |= {days for record in batch if (days := lifetime_in(record))}
            after = batch[-1].external_id
        return found


def _kept(place: Place) -> dict[str, Any]:
    return place.model_dump(mode="json")


class AllContacts(Protocol):
    """`storage.contacts.Contacts`."""

    def list(self, store_id: str, after: str | None, limit: int) -> Sequence[Contact]:
        """Oldest first."""
        ...

    def sort_key(self, contact: Contact) -> str: ...

    def get(self, store_id: str, contact_id: str) -> Contact | None: ...

    def write(self, store_id: str, writings: Sequence[Writing]) -> None:
        """Raises `Conflict`."""
        ...


class IndexDates:
    """Contacts that were last written before the index of days was there come into it."""

    def __init__(self, contacts: AllContacts, clock: Clock) -> None:
        self._contacts, self._clock = contacts, clock

    def slice(self, store: Store, errand: Errand) -> Slice:
        batch = self._contacts.list(store.id, errand.cursor, _PAGE)
        missing = [contact.id for contact in batch if _lacks_entries(contact)]
        for contact_id in missing:
            persist(lambda contact_id=contact_id: self._enter(store.id, contact_id))  # type: ignore[misc]
        if len(batch) < _PAGE:
            return Slice(done=len(missing))
        return Slice(self._clock.now(), self._contacts.sort_key(batch[-1]), len(missing))

    def _enter(self, store_id: str, contact_id: str) -> None:
        """Writing a profile writes its entries."""
        contact = self._contacts.get(store_id, contact_id)
        if contact is not None and _lacks_entries(contact):
            self._contacts.write(store_id, [Writing(contact.id, contact=contact)])


def _lacks_entries(contact: Contact) -> bool:
    return bool(changes(contact_entries(contact), contact.indexed))
