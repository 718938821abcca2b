"""The calendar on records in memory: the real schedule and errands, an index that sorts, a listener that remembers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any, cast

from chalicelib.clock import rfc3339
from chalicelib.commerce.event import Event
from chalicelib.commerce.money import Money
from chalicelib.commerce.ports import ProductRecord
from chalicelib.commerce.store import Platform, Store
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.day_index import contact_entries, engagement_entries
from chalicelib.contacts.engagement import Engagement
from chalicelib.contacts.purchases import Purchases
from chalicelib.errors import Conflict
from chalicelib.journeys.calendar import Calendar, Ledger
from chalicelib.journeys.definition import Definition
from chalicelib.journeys.due import Due, IndexDates
from chalicelib.journeys.due_days import JOINED, Span
from chalicelib.journeys.errands import Errand, Errands, Work
from chalicelib.journeys.journey import Journey, JourneyStatus, JourneyVersion
from tests.conftest import HandClock
from tests.journeys.world import journey, mail

STORE = "st-calendar"


class Crash(BaseException):
    """The process is gone."""


class MemoryRecords:
    """Errands, each written over the revision that was read, its cursor as JSON."""

    def __init__(self) -> None:
        self.errands: dict[str, Errand] = {}

    def get(self, store_id: str, errand_id: str) -> Errand | None:
        return self.errands.get(errand_id)

    def create(self, errand: Errand) -> bool:
        return self.errands.setdefault(errand.id, errand) is errand

    def save(self, errand: Errand) -> Errand:
        if self.errands[errand.id].rev != errand.rev:
            raise Conflict("errand")
        written = errand.model_copy(update={"rev": errand.rev + 1, "cursor": json.loads(json.dumps(errand.cursor))})
        self.errands[errand.id] = written
        return written

    def of_kind(self, store_id: str, kind: str) -> list[Errand]:
        return [errand for errand in self.errands.values() if errand.kind == kind]


class MemoryLedgers:
    def __init__(self) -> None:
        self.ledger: Ledger | None = None
        self.before_save: Callable[[], None] = lambda: None

    def get(self, store_id: str) -> Ledger | None:
        return self.ledger

    def save(self, ledger: Ledger) -> Ledger:
        self.before_save()
        if (self.ledger.rev if self.ledger else 0) != ledger.rev:
            raise Conflict("ledger")
        self.ledger = Ledger.model_validate_json(ledger.model_copy(update={"rev": ledger.rev + 1}).model_dump_json())
        return self.ledger


class MemoryIndex:
    """Sorted as the table sorts. `read` counts entries that were looked at."""

    def __init__(self) -> None:
        self.people: dict[str, Contact] = {}
        self.engaged: dict[str, Engagement] = {}
        self.bought: dict[str, Purchases] = {}
        self.read = 0

    def within(self, store_id: str, span: Span, after: str | None, limit: int) -> list[tuple[str, str]]:
        places = []
        for one in self.people.values():
            entries = {JOINED: rfc3339(one.created_at), **contact_entries(one)}
            entries |= engagement_entries(self.engaged.get(one.id, Engagement()))
            if span.name in entries:
                places.append((f"{entries[span.name]}#{one.id}", one.id))
        low = max(after or "", span.low)
        some = sorted(p for p in places if p[0] > low and (span.high is None or p[0] < span.high))[:limit]
        self.read += len(some)
        return some

    def contacts(self, store_id: str, contact_ids: Collection[str]) -> list[Contact]:
        return [self.people[one] for one in sorted(contact_ids)]

    def engagements(self, store_id: str, contact_ids: Collection[str]) -> dict[str, Engagement]:
        return {one: self.engaged[one] for one in contact_ids if one in self.engaged}

    def purchases(self, store_id: str, contact_ids: Collection[str]) -> dict[str, Purchases]:
        return {one: self.bought[one] for one in contact_ids if one in self.bought}


class MemoryCatalogue:
    def __init__(self) -> None:
        self.products: dict[str, ProductRecord] = {}

    def get_many(self, store_id: str, external_ids: list[str]) -> dict[str, ProductRecord]:
        return {one: self.products[one] for one in external_ids if one in self.products}

    def list(self, store_id: str, after: str | None = None, limit: int = 100) -> list[ProductRecord]:
        return [self.products[one] for one in sorted(self.products) if one > (after or "")][:limit]


class CalendarWorld:
    """One store and one journey of the calendar. `told` is what journeys heard, `kept` the timeline."""

    def __init__(self, clock: HandClock, timezone: str = "Asia/Jerusalem") -> None:
        self.clock = clock
        self.store = Store(
            id=STORE,
            platform=Platform.WOOCOMMERCE,
            name="Tea",
            url="https://tea.example",
            country="IL",
            currency="ILS",
            timezone=timezone,
            locale="he",
            created_at=clock.now(),
        )
        self.index, self.records, self.ledgers = MemoryIndex(), MemoryRecords(), MemoryLedgers()
        self.catalogue = MemoryCatalogue()
        self.heads: dict[str, Journey] = {}
        self.versions: dict[int, JourneyVersion] = {}
        self.told: list[tuple[str, Event, datetime]] = []
        self.kept: set[tuple[str, datetime, str]] = set()
        self.before_telling: Callable[[], None] = lambda: None
        self.started: set[str] = set()
        me = cast("Any", self)  # the rest of what they ask for is below
        works: dict[str, Work] = {
            "due": Due(self.index, me, self.catalogue, me, me, clock),
            "index_dates": IndexDates(me, clock),
        }
        self.errands = Errands(self.records, me, works.__getitem__, lambda: me, "errand", clock)
        self.calendar = Calendar(me, self.ledgers, self.errands, clock)

    # What the parts ask for

    def get(self, store_id: str, *_: str) -> Any:
        return self.store

    def start(self, machine: str, execution: str, payload: dict[str, Any]) -> None:
        self.started.add(payload["errand_id"])

    def of_store(self, store_id: str) -> list[Journey]:
        return list(self.heads.values())

    def version(self, store_id: str, journey_id: str, version: int) -> JourneyVersion | None:
        return self.versions.get(version)

    def note(self, store_id: str, contact_id: str, event: Event) -> None:
        self.kept.add((contact_id, event.occurred_at, event.id))

    def on_events(self, store: Store, contact_id: str, events: list[Event]) -> None:
        self.before_telling()
        self.told += [(contact_id, event, self.clock.now()) for event in events]

    def list(self, store_id: str, after: str | None, limit: int) -> list[Contact]:
        return []  # whoever was there before is in the index already

    # What happens

    def activate(self, trigger: dict[str, Any], journey_id: str = "j", fresh: bool = True) -> None:
        now, number = self.clock.now(), len(self.versions) + 1
        data = Definition.parse(journey(mail(), trigger=trigger)).dump()
        self.versions[number] = JourneyVersion(
            store_id=STORE, journey=journey_id, version=number, definition=data, machine="m", resume_machine="r",
            published_at=now,
        )  # fmt: skip
        since = now if fresh else self.heads[journey_id].active_since
        self.heads[journey_id] = Journey(
            id=journey_id, store_id=STORE, status=JourneyStatus.ACTIVE, live_version=number,
            trigger_type=trigger["type"], active_since=since, created_at=now, updated_at=now,
        )  # fmt: skip

    def person(self, contact_id: str, joined: datetime = datetime(2020, 3, 1, 9, tzinfo=UTC), **more: Any) -> Contact:
        spent = Money(amount=0, currency="ILS")
        made = Contact(id=contact_id, store_id=STORE, total_spent=spent, created_at=joined, **more)
        self.index.people[contact_id] = made
        return made

    def look(self) -> None:
        """The schedule's call, and whatever executions are on their way."""
        self.calendar.look(self.store)
        self.run()

    def run(self) -> None:
        for errand_id in sorted(self.started):
            while self.errands.work(STORE, errand_id) is not None:
                pass
            self.started.discard(errand_id)

    def occurrences(self) -> Counter[tuple[str, str]]:
        """How often each contact was told each event."""
        return Counter((contact_id, event.id) for contact_id, event, _ in self.told)

    def dates(self, contact_id: str) -> list[str]:
        return [e.properties.get("date") or e.properties["since"] for one, e, _ in self.told if one == contact_id]
