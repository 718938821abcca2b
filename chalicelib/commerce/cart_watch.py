"""Whether a cart was left: looked at when its store's delay is over, by an execution of its own.

The record says that it was left before anybody is told, so whatever is interrupted is told when the look is repeated.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from chalicelib.clock import Clock
from chalicelib.commerce.cart import CartRecord, CartState
from chalicelib.commerce.cart_events import abandoned_events
from chalicelib.commerce.ports import Carts, Listener
from chalicelib.commerce.store import Store
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.ports import Contacts, Timeline
from chalicelib.contacts.retry import persist

GRACE = timedelta(minutes=2)  # what came with a cart in one backlog, its order perhaps, is heard by then
_MOST_REMEMBERED = 20
_UNSAVED_RECHECK = timedelta(hours=1)
_UNSAVED_GIVEN_UP = timedelta(days=15)  # a day longer than the queue's dead letters are kept


class Stores(Protocol):
    def get(self, store_id: str) -> Store | None: ...


def first_look(store: Store, record: CartRecord) -> datetime | None:
    """When to look whether it was left, a whole second; None for a cart that shows nothing."""
    if record.latest is None:
        return None
    left_at = record.latest.occurred_at + timedelta(minutes=store.abandon_after_minutes)
    due = max(left_at, record.heard_at + GRACE) if record.heard_at else left_at
    return due if due.microsecond == 0 else due.replace(microsecond=0) + timedelta(seconds=1)


class CartWatch:
    """`listener` hears of carts that were left."""

    def __init__(
        self, stores: Stores, carts: Carts, contacts: Contacts, timeline: Timeline, listener: Listener, clock: Clock
    ) -> None:
        self._stores, self._carts, self._contacts, self._timeline = stores, carts, contacts, timeline
        self._listener, self._clock = listener, clock

    def look(self, store_id: str, token: str, generation: int, until: datetime) -> datetime | None:
        """When to look again; None: this watch is over. `until` is when the watch was to look first.

        Repeating is harmless. Raises `TryLater`.
        """
        return persist(lambda: self._look(store_id, token, generation, until))

    def _look(self, store_id: str, token: str, generation: int, until: datetime) -> datetime | None:
        store, record = self._stores.get(store_id), self._carts.get(store_id, token)
        if store is None:
            return None
        if record is None or record.generation < generation:
            return self._not_written_yet(until)
        if record.generation > generation:
            return None
        if record.left_generation == generation:
            self._tell(store, record, self._owner(record))  # whoever wrote this may not have come to tell
            return None
        if not record.watched:
            return None
        if record.state is not CartState.OPEN:
            self._over(record)
            return None
        due = first_look(store, record)
        if due is not None and self._clock.now() < due:
            return due
        contact = self._owner(record)
        if contact is None or self._ordered_since(record, contact):
            self._over(record)
        else:
            self._tell(store, self._carts.write(_left(store, record)), contact)
        return None

    def _not_written_yet(self, until: datetime) -> datetime | None:
        """The delivery that sent for us was interrupted: it comes again, from the dead letters perhaps."""
        now = self._clock.now()
        return None if now > until + _UNSAVED_GIVEN_UP else now.replace(microsecond=0) + _UNSAVED_RECHECK

    def _owner(self, record: CartRecord) -> Contact | None:
        return self._contacts.get(record.store_id, record.contact_id) if record.contact_id else None

    def _ordered_since(self, record: CartRecord, contact: Contact) -> bool:
        """Whoever ordered anything after this cart was begun has not left; a token may be lost on the way."""
        if record.first_at is None:
            return False
        events = self._timeline.since(record.store_id, contact.id, record.first_at)
        return any(event.type == "order_placed" for event in events)

    def _over(self, record: CartRecord) -> None:
        """Nobody looks any more, until it changes."""
        self._carts.write(record.model_copy(update={"watched": False}))

    def _tell(self, store: Store, record: CartRecord, contact: Contact | None) -> None:
        if contact is None or record.state is not CartState.ABANDONED:
            return
        events = abandoned_events(record)
        for event in events:
            self._timeline.append(store.id, contact.id, event)
        self._listener.on_events(store, contact.id, events)


def _left(store: Store, record: CartRecord) -> CartRecord:
    """The record once its cart counts as left: from when its store's delay was over."""
    assert record.latest is not None
    at = record.latest.occurred_at + timedelta(minutes=store.abandon_after_minutes)
    return record.model_copy(
        update={
            "watched": False,
            "abandoned_at": (*record.abandoned_at, at)[-_MOST_REMEMBERED:],
            "left_as": record.latest.place(),
            "left_generation": record.generation,
        }
    )
