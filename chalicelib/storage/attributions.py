"""What earned each order: one item an order, listed by store in the order in which orders were placed."""

from __future__ import annotations

from datetime import datetime

from chalicelib.clock import rfc3339
from chalicelib.messages.attribution import Attribution
from chalicelib.storage import keys
from chalicelib.storage.records import dump, load
from chalicelib.storage.table import Delete, Put, Table


class Attributions:
    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, store_id: str, order_id: str) -> Attribution | None:
        item = self._table.get(*keys.attribution(store_id, order_id))
        return load(Attribution, item) if item else None

    def save(self, attribution: Attribution) -> Attribution:
        """Raises `Conflict` if somebody was quicker."""
        written = attribution.model_copy(update={"rev": attribution.rev + 1})
        key = keys.attribution(attribution.store_id, attribution.order_id)
        listing = keys.listing("ATTRIBUTIONS", attribution.store_id, identifier=attribution.order_id)
        item = dump(written, key, gsi1pk=listing, gsi1sk=self.sort_key(written))
        self._table.put(Put(item, rev=attribution.rev))
        return written

    def remove(self, attribution: Attribution) -> None:
        """Raises `Conflict` if somebody was quicker."""
        key = keys.attribution(attribution.store_id, attribution.order_id)
        self._table.transact([Delete(*key, rev=attribution.rev)])

    def of_store(
        self, store_id: str, after: str | None = None, before: datetime | None = None, limit: int = 100
    ) -> list[Attribution]:
        """By the time when their orders were placed, oldest first; `after` is the `sort_key` of the last one seen."""
        until = rfc3339(before) if before else None
        found = self._table.listing("ATTRIBUTIONS", store_id, after=after, before=until, limit=limit)
        return [load(Attribution, item) for item in found]

    @staticmethod
    def sort_key(attribution: Attribution) -> str:
        return f"{rfc3339(attribution.placed_at)}#{attribution.order_id}"
