"""Who watches a product or a category: viewed, wished for or asked about it, or bought of it.

Folded out of the contact's events in any order, after the records they are about are kept. Read only when something
happens to a product, by shards of each subject (`product:12`, `category:7`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from chalicelib.clock import Clock
from chalicelib.commerce.event import Event
from chalicelib.commerce.ports import Listener
from chalicelib.commerce.store import Store
from chalicelib.contacts.retry import persist

REMEMBERED = timedelta(days=400)  # who did nothing about it for so long watches it no more
_MOST_OF_ONE_EVENT = 100  # subjects: as many as one request reads
_LONGEST_ID = 255  # characters of a product's or category's id; no store has longer ones
Marks = Mapping[str, datetime]


class Watcher(BaseModel):
    """One contact's entry under one subject: when each was so last; `unwished` and `unasked` take the earlier away.

    `viewed` and `bought` are of the day (UTC), so that a busy visitor costs one write a day. `listed_until`: until when
    the contact's own note of this entry stays, by which an erasure finds it. `rev` counts writes.
    """

    model_config = ConfigDict(frozen=True)

    contact_id: str
    subject: str
    viewed: datetime | None = None
    wished: datetime | None = None
    unwished: datetime | None = None
    asked: datetime | None = None
    unasked: datetime | None = None
    bought: datetime | None = None
    listed_until: datetime | None = None
    rev: int = 0

    @property
    def kinds(self) -> frozenset[str]:
        """viewed, wished, asked, bought: as which it watches now."""
        found = {name for name in ("viewed", "bought") if getattr(self, name)}
        found |= {"wished"} if _holds(self.wished, self.unwished) else set()
        return frozenset(found | ({"asked"} if _holds(self.asked, self.unasked) else set()))

    @property
    def until(self) -> datetime | None:
        """When the newest of it is forgotten."""
        times = (self.viewed, self.wished, self.unwished, self.asked, self.unasked, self.bought)
        newest = max((time for time in times if time), default=None)
        return newest + REMEMBERED if newest else None

    def marked(self, marks: Marks) -> Watcher:
        """Only forward in time."""
        newer = {name: at for name, at in marks.items() if getattr(self, name) is None or getattr(self, name) < at}
        return self.model_copy(update=newer) if newer else self


class WatcherRecords(Protocol):
    """`storage.watchers.WatcherRecords`."""

    def of_contact(self, store_id: str, contact_id: str, subjects: Sequence[str]) -> dict[str, Watcher]:
        """Those there are, by subject; one request for up to a hundred subjects."""
        ...

    def save(self, store_id: str, watcher: Watcher) -> None:
        """Over the revision it has, with the contact's note of it. Raises `Conflict`."""
        ...

    @property
    def shards(self) -> int:
        """How many lists the watchers of a subject are spread over."""
        ...

    def page(
        self, store_id: str, subjects: Sequence[str], shard: int, after: str | None, limit: int
    ) -> Iterator[tuple[str, list[Watcher]]]:
        """Up to `limit` contacts of one shard after this one, by id, each once with all its entries of the subjects."""
        ...


class Watchers:
    def __init__(self, records: WatcherRecords, clock: Clock) -> None:
        self._records, self._clock = records, clock

    def note(self, store_id: str, contact_id: str, events: Iterable[Event]) -> None:
        """Write down what these events say of what the contact watches, where it says more than is known.

        What is known costs a read. Raises `TryLater`.
        """
        oldest = self._clock.now() - REMEMBERED
        wanted: dict[str, dict[str, datetime]] = {}
        for event in events:
            for subject, name, at in said(event):
                marks = wanted.setdefault(subject, {})
                if at > oldest:
                    marks[name] = max(at, marks.get(name, at))
        subjects = [subject for subject, marks in wanted.items() if marks]
        for start in range(0, len(subjects), _MOST_OF_ONE_EVENT):
            some = subjects[start : start + _MOST_OF_ONE_EVENT]
            known = self._records.of_contact(store_id, contact_id, some)
            for subject in some:
                entry = known.get(subject) or Watcher(contact_id=contact_id, subject=subject)
                if entry.marked(wanted[subject]) != entry:
                    self._save(store_id, entry, wanted[subject])

    def _save(self, store_id: str, known: Watcher, marks: Marks) -> None:
        entry: Watcher | None = known

        def action() -> None:
            nonlocal entry
            if entry is None:
                found = self._records.of_contact(store_id, known.contact_id, [known.subject])
                entry = found.get(known.subject) or Watcher(contact_id=known.contact_id, subject=known.subject)
            changed, before, entry = entry.marked(marks), entry, None
            if changed != before:
                self._records.save(store_id, changed)

        persist(action)


class NotesWatchers:
    """A listener before another one: also what history tells says who bought what."""

    def __init__(self, listener: Listener, watchers: Watchers) -> None:
        self._listener, self._watchers = listener, watchers

    def listens(self, store: Store) -> bool:
        return True

    def on_events(self, store: Store, contact_id: str, events: list[Event]) -> None:
        self._watchers.note(store.id, contact_id, events)
        if self._listener.listens(store):
            self._listener.on_events(store, contact_id, events)

    def reconsider(self, store: Store, contact_id: str) -> None:
        if self._listener.listens(store):
            self._listener.reconsider(store, contact_id)

    def leave_cart(self, store: Store, contact_id: str, token: str) -> None:
        self._listener.leave_cart(store, contact_id, token)

    def stop_all(self, store_id: str, contact_id: str, reason: str) -> None:
        self._listener.stop_all(store_id, contact_id, reason)


def said(event: Event) -> Iterator[tuple[str, str, datetime]]:
    """(subject, mark, time) of everything that this event says."""
    told, at = event.properties, event.occurred_at
    match event.type:
        case "product_viewed":
            yield from _marks("product", [told.get("product_id")], "viewed", _day(at))
        case "wish_list_changed":
            yield from _marks("product", told.get("added"), "wished", at)
            yield from _marks("product", told.get("removed"), "unwished", at)
        case "watch_requested":
            mark = "unasked" if told.get("cancelled") is True else "asked"
            yield from _marks("product", [told.get("product_id")], mark, at)
            yield from _marks("category", [told.get("category")], mark, at)
        case "order_paid":
            items = told.get("items")
            for item in items if isinstance(items, list) else ():
                if isinstance(item, dict):
                    yield from _bought(item, _day(at))


def subjects_of(product_id: str, categories: Collection[str]) -> list[str]:
    return [f"product:{product_id}", *(f"category:{one}" for one in dict.fromkeys(categories))]


def watched_as(entries: Iterable[Watcher], event_type: str) -> frozenset[str]:
    """As which a contact with these entries hears of such an event of a product.

    Of its categories it is who bought; and of a new product, which nobody can have asked for, who asked.
    """
    of_categories = {"bought", "asked"} if event_type == "product_published" else {"bought"}
    kinds = (e.kinds if e.subject.startswith("product:") else e.kinds & of_categories for e in entries)
    return frozenset().union(*kinds)


def _bought(item: Mapping[str, Any], day: datetime) -> Iterator[tuple[str, str, datetime]]:
    """Its categories, as the catalogue has them now; where none is known, the product."""
    categories = item.get("categories")
    if isinstance(categories, list | tuple) and categories:
        yield from _marks("category", categories, "bought", day)
    else:
        yield from _marks("product", [item.get("product_id")], "bought", day)


def _marks(kind: str, ids: Any, mark: str, at: datetime) -> Iterator[tuple[str, str, datetime]]:
    """Ids come over the API too: what is none is passed over."""
    for one in ids[:_MOST_OF_ONE_EVENT] if isinstance(ids, list | tuple) else ():
        if isinstance(one, str | int) and not isinstance(one, bool) and 0 < len(str(one)) <= _LONGEST_ID:
            yield f"{kind}:{one}", mark, at


def _day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _holds(at: datetime | None, undone: datetime | None) -> bool:
    return at is not None and (undone is None or undone < at)
