"""What the contact book needs from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from chalicelib.commerce.event import Event
from chalicelib.commerce.store import Store
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.day_index import changes, contact_entries, engagement_entries
from chalicelib.contacts.engagement import Engagement
from chalicelib.contacts.identity import Pointer
from chalicelib.contacts.purchases import ContactOrder, Purchases


@dataclass(frozen=True)
class Removal:
    """A timeline entry to take away."""

    at: datetime
    event_id: str


@dataclass(frozen=True)
class Writing:
    """What changes in one contact's partition, all or nothing.

    Whoever writes what was decided by the contact's other orders or events writes `contact` too, changed or not: then
    nobody else changed them since it was read. It is written over the revision it has, and so is each of `pointers`.
    `seen` are events that came with an id of their own: writing one twice is a `Conflict`. `engagement` is written over
    its revision too; a first one (`rev` 0) goes with `contact`, so that it is not left behind by a merge.
    """

    contact_id: str
    contact: Contact | None = None
    pointers: tuple[Pointer, ...] = ()
    orders: tuple[ContactOrder, ...] = ()
    orders_gone: tuple[ContactOrder, ...] = ()
    purchases: Purchases | None = None
    events: tuple[Event, ...] = ()
    events_gone: tuple[Removal, ...] = ()
    seen: tuple[Event, ...] = ()
    engagement: Engagement | None = None

    @property
    def items(self) -> int:
        """How many items it changes at most."""
        several = (self.pointers, self.orders, self.orders_gone, self.events, self.events_gone, self.seen)
        single = (self.contact, self.purchases, self.engagement)
        found = sum(one is not None for one in single) + sum(len(some) for some in several)
        if self.contact:
            found += len(changes(contact_entries(self.contact), self.contact.indexed))
        if self.engagement:
            found += len(changes(engagement_entries(self.engagement), self.engagement.indexed))
        return found


class Contacts(Protocol):
    def get(self, store_id: str, contact_id: str) -> Contact | None:
        """The contact, or the one it was merged into."""
        ...

    def read(self, store_id: str, contact_ids: Iterable[str]) -> dict[str, Contact]:
        """By the ids asked for, each followed to where it was merged."""
        ...

    def pointers(self, store_id: str, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Pointer]: ...

    def orders(self, store_id: str, contact_id: str) -> list[ContactOrder]: ...

    def engagement(self, store_id: str, contact_id: str) -> Engagement:
        """An empty one of a contact who did nothing yet."""
        ...

    def write(self, store_id: str, writings: Sequence[Writing]) -> None:
        """Everything in one transaction. Raises `Conflict`."""
        ...

    def move(self, store_id: str, loser: str, winner: str) -> None:
        """Carry every record of a merged contact over, one by one; repeating is harmless."""
        ...

    def seen(self, store_id: str, event_id: str) -> tuple[str, Event | None] | None:
        """The contact and the event that came with this id before; no event once its contact was erased."""
        ...

    def erased_at(self, store_id: str, hashes: Sequence[str]) -> datetime | None:
        """When the person behind any of these hashed identities was last erased."""
        ...

    def forget(self, store_id: str, contact: Contact, hashes: Sequence[str], at: datetime) -> None:
        """Remove all that the contact's partition, orders, pointers and raw deliveries hold; remember the hashes."""
        ...

    def remember_erased(self, store_id: str, hashes: Sequence[str], at: datetime) -> None:
        """Nothing that was told until `at` of whoever is behind these hashes may be kept."""
        ...

    def forget_unclaimed(self, store_id: str, at: datetime) -> None:
        """Take the person out of every cart and order of the store that is nobody's."""
        ...

    def order_ids(self, store_id: str, contact_id: str) -> Sequence[str]:
        """Of every order in the contact's timeline, paid or not."""
        ...

    def export(self, store_id: str, contact_id: str) -> dict[str, list[dict[str, Any]]]:
        """Every record that we hold, by kind."""
        ...

    def list(self, store_id: str, after: str | None, limit: int) -> Sequence[Contact]:
        """Oldest first."""
        ...


class Timeline(Protocol):
    def append(self, store_id: str, contact_id: str, event: Event) -> None:
        """The same event again changes nothing."""
        ...

    def since(self, store_id: str, contact_id: str, moment: datetime) -> list[Event]:
        """Everything from this moment on, oldest first."""
        ...

    def of_contact(
        self, store_id: str, contact_id: str, before: str | None = None, limit: int = 100
    ) -> list[Event]: ...

    def entries(self, store_id: str, contact_id: str, wanted: Sequence[Removal]) -> list[Event]:
        """Those of these entries that are there, in one request."""
        ...


class RawDeliveries(Protocol):
    def of_contact(self, store_id: str, contact_id: str) -> Sequence[str]: ...

    def mentioning(self, store_id: str, values: Sequence[str]) -> Sequence[str]: ...

    def erase(self, store_id: str, delivery_id: str) -> None: ...

    def of_order(self, store_id: str, order_id: str, contact_id: str | None = None) -> Sequence[str]:
        """Those that told of the order while it was nobody's, and those of `contact_id` that name it."""
        ...

    def erase_all(self, store_id: str, enough: Callable[[], bool]) -> bool:
        """False if there was `enough` of it before the end."""
        ...

    def export(self, store_id: str, delivery_id: str) -> dict[str, Any] | None: ...


class KeptExports(Protocol):
    """Exports that are kept for the owner, because the platform asked for them."""

    def forget_contact(self, store_id: str, contact_id: str, at: datetime) -> None:
        """Delete every one that this contact is in."""
        ...


class Listener(Protocol):
    """Journeys hear of what happened (`commerce.ports.Listener` is the whole of it)."""

    def on_events(self, store: Store, contact_id: str, events: list[Event]) -> None: ...

    def stop_all(self, store_id: str, contact_id: str, reason: str) -> None:
        """End every enrolment of this contact, and its execution."""
        ...
