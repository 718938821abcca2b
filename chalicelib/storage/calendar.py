"""The index of days: who is found by a date or by when they were last heard of; and which days journeys have done."""

from __future__ import annotations

from collections.abc import Collection

from chalicelib.contacts.contact import Contact
from chalicelib.contacts.engagement import Engagement
from chalicelib.contacts.purchases import Purchases
from chalicelib.journeys.calendar import Ledger
from chalicelib.journeys.due_days import JOINED, Span
from chalicelib.storage import keys
from chalicelib.storage.records import dump, load
from chalicelib.storage.table import MOST_TOGETHER, Item, Put, Table

_MOST_MERGES = 10


class DayIndex:
    def __init__(self, table: Table) -> None:
        self._table = table

    def within(self, store_id: str, span: Span, after: str | None, limit: int) -> list[tuple[str, str]]:
        """(place, contact id) in order of places, after (not including) `after`. What a merge left behind may be
        among them, and what changed just now may not: the index is read as it was a moment ago."""
        scope = ("CONTACTS", store_id) if span.name == JOINED else ("DATES", store_id, span.name)
        low = max(after or "", span.low)
        found = self._table.listing(*scope, after=low, before=span.high, limit=limit)
        return [(str(item["gsi1sk"]), str(item["gsi1sk"]).rpartition("#")[2]) for item in found]

    def contacts(self, store_id: str, contact_ids: Collection[str]) -> list[Contact]:
        """As they are now, each once: of merged ones those that they are now."""
        found: dict[str, Contact] = {}
        asked = set(contact_ids)
        for _ in range(_MOST_MERGES):
            items = self._get(store_id, asked, keys.PROFILE)
            known = [load(Contact, item) for item in items.values()]
            found |= {contact.id: contact for contact in known if contact.merged_into is None}
            asked = {contact.merged_into for contact in known if contact.merged_into} - found.keys()
            if not asked:
                break
        return [found[contact_id] for contact_id in sorted(found)]

    def engagements(self, store_id: str, contact_ids: Collection[str]) -> dict[str, Engagement]:
        found = self._get(store_id, contact_ids, keys.ENGAGEMENT)
        return {contact_id: load(Engagement, item) for contact_id, item in found.items()}

    def purchases(self, store_id: str, contact_ids: Collection[str]) -> dict[str, Purchases]:
        found = self._get(store_id, contact_ids, keys.PURCHASES)
        return {contact_id: load(Purchases, item) for contact_id, item in found.items()}

    def _get(self, store_id: str, contact_ids: Collection[str], sk: str) -> dict[str, Item]:
        partitions = {keys.contact(store_id, contact_id): contact_id for contact_id in sorted(contact_ids)}
        asked = [(pk, sk) for pk in partitions]
        found: dict[str, Item] = {}
        for start in range(0, len(asked), MOST_TOGETHER):
            items = self._table.get_many(asked[start : start + MOST_TOGETHER])
            found |= {partitions[item["pk"]]: item for item in items}
        return found


class Ledgers:
    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, store_id: str) -> Ledger | None:
        item = self._table.get(*keys.calendar(store_id))
        return load(Ledger, item) if item else None

    def save(self, ledger: Ledger) -> Ledger:
        """Raises `Conflict` if somebody was quicker."""
        written = ledger.model_copy(update={"rev": ledger.rev + 1})
        self._table.put(Put(dump(written, keys.calendar(ledger.store_id)), rev=ledger.rev))
        return written
