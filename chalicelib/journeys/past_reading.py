"""The pasts of a store's contacts, read out of its records, or made of events that somebody gave.

Contacts come in the order of the store's listing, so that a reading that stopped can go on. Their timelines are read by
a few threads at once; of a contact to whom nothing happened that may begin the journey nothing else is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Protocol

from chalicelib.commerce.event import Event
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.purchases import ContactOrder
from chalicelib.journeys.past import Past
from chalicelib.journeys.past_orders import order_pasts
from chalicelib.journeys.ports import DecisionRecords, Wanted

THREADS = 8
_PAGE = 100


class ContactRecords(Protocol):
    """`storage.contacts.Contacts`."""

    def sort_key(self, contact: Contact) -> str: ...

    def orders(self, store_id: str, contact_id: str) -> Sequence[ContactOrder]: ...

    def list(self, store_id: str, after: str | None, limit: int) -> Sequence[Contact]:
        """Oldest first."""
        ...


class Timelines(Protocol):
    """`storage.timeline.Timeline`."""

    def since(self, store_id: str, contact_id: str, moment: datetime) -> list[Event]:
        """Oldest first."""
        ...


class StorePasts:
    """`place` is that of the last contact given out: begin there to go on."""

    def __init__(self, contacts: ContactRecords, timelines: Timelines, decisions: DecisionRecords) -> None:
        self._contacts, self._timelines, self._decisions = contacts, timelines, decisions
        self.place: str | None = None

    def read(
        self, store_id: str, start: datetime, may_begin: Callable[[Past], bool], after: str | None = None
    ) -> Iterator[Past]:
        """Everybody's since `start`, whole where `may_begin` says so."""
        self.place = after

        def whole(contact: Contact) -> Past:
            return self._past(store_id, contact, start, may_begin)

        with ThreadPoolExecutor(THREADS) as threads:
            batch = self._contacts.list(store_id, after, _PAGE)
            being_read = [(contact, threads.submit(whole, contact)) for contact in batch]
            try:
                while being_read:
                    following = self._next(store_id, batch)
                    ahead = [(contact, threads.submit(whole, contact)) for contact in following]
                    for contact, past in being_read:
                        self.place = self._contacts.sort_key(contact)
                        yield past.result()
                    batch, being_read = following, ahead
            finally:  # whoever has enough does not wait for what is read ahead
                threads.shutdown(wait=False, cancel_futures=True)

    def _next(self, store_id: str, batch: Sequence[Contact]) -> Sequence[Contact]:
        if len(batch) < _PAGE:
            return []
        return self._contacts.list(store_id, self._contacts.sort_key(batch[-1]), _PAGE)

    def _past(self, store_id: str, contact: Contact, start: datetime, may_begin: Callable[[Past], bool]) -> Past:
        events = self._timelines.since(store_id, contact.id, start)
        lean = Past(contact, events)
        if not may_begin(lean):
            return lean
        carts = {str(event.properties["cart_token"]) for event in events if event.properties.get("cart_token")}
        found = self._decisions.read(store_id, contact.id, Wanted(carts=sorted(carts), engagement=True))
        orders = self._contacts.orders(store_id, contact.id)
        engaged = {"engagement": found.engagement} if found.engagement else {}
        return Past(contact, events, orders, dict(found.carts), **engaged)


def pasts_of(told: Iterable[tuple[Contact, Event]], known: Mapping[str, Sequence[ContactOrder]]) -> list[Past]:
    """Of the given events instead of the store's own, by contact in the order of first mention.

    An order counts as the events tell it; those of `known` (by contact id) that no event tells are from before.
    """
    contacts: dict[str, Contact] = {}
    events: dict[str, dict[str, Event]] = {}
    for contact, event in told:
        contacts.setdefault(contact.id, contact)
        events.setdefault(contact.id, {}).setdefault(event.id, event)
    found = []
    for contact_id, contact in contacts.items():
        mine = sorted(events[contact_id].values(), key=lambda event: (event.occurred_at, event.id))
        newly = order_pasts([], mine)
        before = [order for order in known.get(contact_id, ()) if order.order_id not in newly]
        found.append(Past(contact, mine, before))
    return found
