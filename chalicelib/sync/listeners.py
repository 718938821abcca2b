"""What journeys hear while a store's history comes in.

History begins no journey. And as long as the first history is on its way nobody knows which of somebody's orders was
the first: an order that is told meanwhile has no `nth`, so that conditions on it do not hold; whom it is about is
noted, and looked at once more when all is known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from chalicelib.clock import Clock
from chalicelib.commerce.event import FRESH, Event
from chalicelib.commerce.store import FirstHistory, Store
from chalicelib.sync.ports import Stores, SyncRecords


class Journeys(Protocol):
    """`journeys.enrol.Enroller`."""

    def on_events(self, store: Store, contact_id: str, events: Sequence[Event]) -> None: ...

    def look(self, store: Store, contact_id: str, events: Sequence[Event]) -> None:
        """Goals and exits only: nobody enters."""
        ...

    def reconsider(self, store: Store, contact_id: str) -> None: ...

    def leave_cart(self, store: Store, contact_id: str, token: str) -> None: ...

    def stop_all(self, store_id: str, contact_id: str, reason: str) -> None: ...


class LiveListener:
    """Journeys, for what stores tell as it happens."""

    def __init__(self, journeys: Callable[[], Journeys], records: SyncRecords, stores: Stores, clock: Clock) -> None:
        self._journeys, self._records, self._stores, self._clock = journeys, records, stores, clock

    def listens(self, store: Store) -> bool:
        return True

    def on_events(self, store: Store, contact_id: str, events: Sequence[Event]) -> None:
        if store.first_history is not FirstHistory.RUNNING:
            self._journeys().on_events(store, contact_id, events)
            return
        self._journeys().on_events(store, contact_id, [without_rank(event) for event in events])
        if any("order_id" in event.properties for event in events):
            self._note(store, contact_id)

    def reconsider(self, store: Store, contact_id: str) -> None:
        if store.first_history is FirstHistory.RUNNING:
            self._note(store, contact_id)
        else:
            self._journeys().reconsider(store, contact_id)

    def leave_cart(self, store: Store, contact_id: str, token: str) -> None:
        self._journeys().leave_cart(store, contact_id, token)

    def stop_all(self, store_id: str, contact_id: str, reason: str) -> None:
        self._journeys().stop_all(store_id, contact_id, reason)

    def _note(self, store: Store, contact_id: str) -> None:
        """Note first, look then: of this and the end of the history one always sees the other."""
        self._records.note_contact(store.id, contact_id, self._clock.now() + FRESH)
        now = self._stores.get(store.id)
        if now is not None and now.first_history is not FirstHistory.RUNNING:
            self._journeys().reconsider(now, contact_id)


class HistoryListener:
    """Journeys, for what a store is asked of its past: goals and exits of those on their way, entries never.

    During the first history they hear nothing: whom it may concern is noted by `LiveListener`.
    """

    def __init__(self, journeys: Callable[[], Journeys]) -> None:
        self._journeys = journeys

    def listens(self, store: Store) -> bool:
        return store.first_history is not FirstHistory.RUNNING

    def on_events(self, store: Store, contact_id: str, events: Sequence[Event]) -> None:
        self._journeys().look(store, contact_id, events)

    def reconsider(self, store: Store, contact_id: str) -> None:
        self._journeys().reconsider(store, contact_id)

    def leave_cart(self, store: Store, contact_id: str, token: str) -> None:
        self._journeys().leave_cart(store, contact_id, token)

    def stop_all(self, store_id: str, contact_id: str, reason: str) -> None:
        self._journeys().stop_all(store_id, contact_id, reason)


def without_rank(event: Event) -> Event:
    properties = {name: value for name, value in event.properties.items() if name != "nth"}
    return event.model_copy(update={"properties": properties})
