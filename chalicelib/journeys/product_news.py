"""A product is back, cheaper or new: everybody who watches it is told, as an event of their own.

An errand for each event, ten contacts at a time: so however often a table that is out of breath interrupts it, it comes
to its end before the news is old. Whoever is told twice, because a slice was interrupted, is told the same event, and
an event begins a journey once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import timedelta
from itertools import chain
from typing import Any, Protocol

from chalicelib.clock import Clock
from chalicelib.commerce.event import FRESH, Event
from chalicelib.commerce.ports import Listener, ProductRecord
from chalicelib.commerce.product_news import PRODUCT_EVENTS, in_words, standing
from chalicelib.commerce.store import Store
from chalicelib.contacts.contact import Contact
from chalicelib.errors import Conflict, TryLater, told
from chalicelib.journeys.about import concerns
from chalicelib.journeys.actions import Wait
from chalicelib.journeys.definition import Definition
from chalicelib.journeys.errands import Errand, Errands, Slice
from chalicelib.journeys.journey import JourneyStatus
from chalicelib.journeys.ports import JourneyRecords
from chalicelib.journeys.published import Published
from chalicelib.journeys.triggers import ProductTrigger, Trigger, watchers_of
from chalicelib.journeys.watchers import Watcher, WatcherRecords, subjects_of, watched_as

KIND = "tell_watchers"

SETTLING = timedelta(minutes=2)
"""Before the first is told: a change of stock is told twice (Shopify's levels and product), and the other telling may
yet say that it was at another time, or that it is over."""

TOGETHER = 100
"""Contacts of one call: some five seconds of a function that may take 300."""

_OF_ONE_SLICE = 10
PAUSE = timedelta(seconds=5)
"""Between calls. Step Functions starts 300 executions a second for the whole account (150 in smaller regions), orders'
journeys among them: an errand starts at most 20 a second, so that fifteen products may come back at once."""

_log = logging.getLogger(__name__)
_LIVE = (JourneyStatus.ACTIVE, JourneyStatus.PAUSED)


class ProductRecords(Protocol):
    def get(self, store_id: str, external_id: str) -> ProductRecord | None: ...


class ContactRecords(Protocol):
    def read(self, store_id: str, contact_ids: Iterable[str]) -> dict[str, Contact]:
        """By the ids asked for, each followed to where it was merged."""
        ...


class Timeline(Protocol):
    def append(self, store_id: str, contact_id: str, event: Event) -> None:
        """The same event again changes nothing."""
        ...


class Wishes:
    """What the live journeys of a store want to hear of products: to begin, to go on or to end."""

    def __init__(self, journeys: JourneyRecords) -> None:
        self._journeys, self._published = journeys, Published(journeys)

    def of_store(self, store_id: str, event_type: str) -> list[ProductTrigger]:
        """A paused journey begins nothing, but whoever is on the way in it may wait for the event."""
        found: list[ProductTrigger] = []
        for journey in self._journeys.of_store(store_id):
            if journey.status in _LIVE and journey.live_version is not None:
                definition = self._published.get(store_id, journey.id, journey.live_version).definition
                beginning = [definition.trigger] if journey.status is JourneyStatus.ACTIVE else []
                heard = chain(beginning, _on_the_way(definition))
                found += [one for one in heard if isinstance(one, ProductTrigger) and one.type == event_type]
        return found


class ProductNews:
    """Where the intake brings what happened to products (`commerce.ports.ProductNews`)."""

    def __init__(self, journeys: JourneyRecords, errands: Callable[[], Errands], clock: Clock) -> None:
        self._wishes, self._errands, self._clock = Wishes(journeys), errands, clock

    def tell(self, store: Store, events: Sequence[Event]) -> None:
        """Begin an errand for each event that a live journey wants. Repeating is harmless. Raises `TryLater`."""
        for event in events:
            if event.type in PRODUCT_EVENTS and self._wishes.of_store(store.id, event.type):
                about = {"product_id": event.properties["product_id"], "event": event.model_dump(mode="json")}
                self._errands().begin(store, KIND, event.id, about, at=self._clock.now() + SETTLING)


class TellWatchers:
    """The work of these errands. `cursor` is the shard and the last contact of it that was told."""

    def __init__(
        self,
        products: ProductRecords,
        watchers: WatcherRecords,
        contacts: ContactRecords,
        timeline: Timeline,
        journeys: JourneyRecords,
        listener: Callable[[], Listener],
        clock: Clock,
    ) -> None:
        self._products, self._watchers, self._contacts = products, watchers, contacts
        self._timeline, self._listener, self._clock = timeline, listener, clock
        self._wishes = Wishes(journeys)

    def slice(self, store: Store, errand: Errand) -> Slice:
        """Tell the next ten, unless it is over: the product is gone again, or nobody may begin by it any more.

        Raises `TryLater`: repeating tells the rest.
        """
        record = self._products.get(store.id, errand.parameters["product_id"])
        event = standing(record, Event.model_validate(errand.parameters["event"]))
        if record is None or event is None:
            return _over(errand, "no_longer_so")
        if event.occurred_at <= self._clock.now() - FRESH:
            return _over(errand, "too_old")
        event = in_words(event, record)
        wanted = self._wanted(store.id, event)
        if not wanted:
            return _over(errand, "nobody_asks")
        room = TOGETHER - errand.done % TOGETHER
        page, place = self._page(store.id, event, wanted, errand.cursor, min(room, _OF_ONE_SLICE))
        counted = self._told(store, page, event, wanted)
        report = {name: errand.report.get(name, 0) + count for name, count in counted.items()}
        if place is None:
            return Slice(done=len(page), report={**report, "ended": "all_told"})
        pause = PAUSE if len(page) == room else timedelta()
        return Slice(self._clock.now() + pause, place, len(page), report)

    def _wanted(self, store_id: str, event: Event) -> frozenset[str]:
        """The kinds of watchers that any live journey means by such an event."""
        triggers = self._wishes.of_store(store_id, event.type)
        meant = (watchers_of(one) for one in triggers if concerns(one, event.properties))
        return frozenset().union(*meant)

    def _page(
        self, store_id: str, event: Event, wanted: Collection[str], cursor: Any, limit: int
    ) -> tuple[list[tuple[str, list[Watcher]]], dict[str, Any] | None]:
        """The next contacts and where they end; None after the last. Categories are read only for who means them."""
        of_categories = {"bought", "asked"} if event.type == "product_published" else {"bought"}
        categories = event.properties["categories"] if of_categories & set(wanted) else ()
        subjects = subjects_of(event.properties["product_id"], categories)
        shard, after = (cursor["shard"], cursor["after"]) if cursor else (0, None)
        found: list[tuple[str, list[Watcher]]] = []
        while shard < self._watchers.shards:
            some = list(self._watchers.page(store_id, subjects, shard, after, limit - len(found)))
            found += some
            if len(found) >= limit:
                return found, {"shard": shard, "after": some[-1][0]}
            shard, after = shard + 1, None
        return found, None

    def _told(
        self, store: Store, page: Sequence[tuple[str, list[Watcher]]], event: Event, wanted: Collection[str]
    ) -> dict[str, int]:
        """A contact of whom something is broken on our side is counted, and never stands in the others' way."""
        entries = dict(page)
        contacts = self._contacts.read(store.id, entries) if entries else {}
        kinds: dict[str, set[str]] = {}
        for listed, contact in contacts.items():
            kinds.setdefault(contact.id, set()).update(watched_as(entries[listed], event.type) & set(wanted))
        counted = {"told": 0, "failed": 0}
        for contact_id, watched in kinds.items():
            if not watched:
                continue
            mine = event.model_copy(update={"properties": {**event.properties, "watched_as": sorted(watched)}})
            try:
                self._timeline.append(store.id, contact_id, mine)
                self._listener().on_events(store, contact_id, [mine])
                counted["told"] += 1
            except (TryLater, Conflict):
                raise
            except Exception as mistake:  # noqa: BLE001 - its text may quote a person's data
                _log.error("a watcher could not be told: %s", told(mistake))
                counted["failed"] += 1
        return counted


def _on_the_way(definition: Definition) -> Iterable[Trigger]:
    yield from definition.exits
    for place in definition.located():
        if isinstance(place.step, Wait) and place.step.until_event:
            yield place.step.until_event.event


def _over(errand: Errand, reason: str) -> Slice:
    return Slice(report={**errand.report, "ended": reason})
