"""What follows from a choice about a channel, before journeys hear of it.

Every choice comes through `profile.with_choices`, and what follows from it through the journeys' listener; so here is
the one place that hears of every wish, whoever told of it. A history that is brought in is not heard here: it asks
nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from chalicelib.clock import Clock, rfc3339
from chalicelib.commerce.event import FRESH, Event
from chalicelib.commerce.store import Store
from chalicelib.contacts.consent import is_in_person
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.double_opt_in import ERRAND, REQUESTED
from chalicelib.contacts.erased import ErasedPeople


class Listener(Protocol):
    """Who hears of everything next (`commerce.ports.Listener`)."""

    def listens(self, store: Store) -> bool: ...

    def on_events(self, store: Store, contact_id: str, events: list[Event]) -> None: ...

    def reconsider(self, store: Store, contact_id: str) -> None: ...

    def leave_cart(self, store: Store, contact_id: str, token: str) -> None: ...

    def stop_all(self, store_id: str, contact_id: str, reason: str) -> None: ...


class ContactLookup(Protocol):
    def get(self, store_id: str, contact_id: str) -> Contact | None: ...


class Errands(Protocol):
    """`journeys.errands.Errands`."""

    def begin(
        self, store: Store, kind: str, key: str, parameters: dict[str, Any] | None = None, at: datetime | None = None
    ) -> object: ...


class HearsConsent:
    """A listener before another one: fresh wishes are asked about, and a yes ends what an erasure left."""

    def __init__(
        self,
        listener: Listener,
        errands: Callable[[], Errands],
        contacts: ContactLookup,
        erased: Callable[[], ErasedPeople],
        clock: Clock,
    ) -> None:
        self._listener, self._errands, self._contacts = listener, errands, contacts
        self._erased, self._clock = erased, clock

    def listens(self, store: Store) -> bool:
        return self._listener.listens(store)

    def on_events(self, store: Store, contact_id: str, events: list[Event]) -> None:
        """Repeating is harmless: the errand of a wish is begun once. Raises `TryLater`."""
        now = self._clock.now()
        for event in events:
            if event.type == REQUESTED and event.occurred_at > now - FRESH:
                about = {"contact_id": contact_id, **_wish_of(event)}
                key = f"{contact_id}:{about['channel']}:{about['at']}"
                self._errands().begin(store, ERRAND, key, about, at=now)
        welcome = [e for e in events if e.type == "subscribed" and is_in_person(e.properties.get("source"))]
        contact = self._contacts.get(store.id, contact_id) if welcome else None
        if contact is not None:
            self._erased().hear(contact, welcome)
        self._listener.on_events(store, contact_id, events)

    def reconsider(self, store: Store, contact_id: str) -> None:
        self._listener.reconsider(store, contact_id)

    def leave_cart(self, store: Store, contact_id: str, token: str) -> None:
        self._listener.leave_cart(store, contact_id, token)

    def stop_all(self, store_id: str, contact_id: str, reason: str) -> None:
        self._listener.stop_all(store_id, contact_id, reason)


def _wish_of(event: Event) -> dict[str, str]:
    return {"channel": str(event.properties["channel"]), "at": rfc3339(event.occurred_at)}
