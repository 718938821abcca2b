"""All orders of a store looked at once more: which message earned them. An errand, some contacts at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from chalicelib.clock import Clock, parse_rfc3339
from chalicelib.commerce.store import Store
from chalicelib.contacts.contact import Contact
from chalicelib.journeys.errands import Errand, Slice
from chalicelib.messages.attribution import Attributing

KIND = "recount"
TOGETHER = 100  # contacts of one slice, most of them without an order since
PAUSE = timedelta(seconds=1)


class ContactList(Protocol):
    def list(self, store_id: str, after: str | None = None, limit: int = 100) -> Sequence[Contact]: ...

    @staticmethod
    def sort_key(contact: Contact) -> str: ...


class Recount:
    """A `Work`: `parameters.since` (RFC 3339) is from when orders are looked at; `cursor` the last contact's place."""

    def __init__(self, contacts: ContactList, attributing: Attributing, clock: Clock) -> None:
        self._contacts, self._attributing, self._clock = contacts, attributing, clock

    def slice(self, store: Store, errand: Errand) -> Slice:
        since, looked = parse_rfc3339(errand.parameters["since"]), 0
        batch = self._contacts.list(store.id, errand.cursor, TOGETHER)
        for contact in batch:
            if contact.last_order_at is not None and contact.last_order_at >= since:
                looked += self._attributing.look_since(store, contact.id, since)
        if len(batch) < TOGETHER:
            return Slice(done=looked)
        return Slice(again_at=self._clock.now() + PAUSE, cursor=self._contacts.sort_key(batch[-1]), done=looked)
