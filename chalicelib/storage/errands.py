"""Errands, in partitions of their store: found by kind, gone 90 days after they ended."""

from __future__ import annotations

from datetime import timedelta

from chalicelib.journeys.errands import Errand
from chalicelib.storage import keys
from chalicelib.storage.records import dump, load
from chalicelib.storage.table import ConditionFailed, Item, Put, Table

_KEPT = timedelta(days=90)


class ErrandRecords:
    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, store_id: str, errand_id: str) -> Errand | None:
        item = self._table.get(*keys.errand(store_id, errand_id))
        return load(Errand, item) if item else None

    def create(self, errand: Errand) -> bool:
        """False if there is one of this id."""
        try:
            self._table.put(Put(_item(errand), new=True))
        except ConditionFailed:
            return False
        return True

    def save(self, errand: Errand) -> Errand:
        """Raises `Conflict` if somebody was quicker."""
        written = errand.model_copy(update={"rev": errand.rev + 1})
        self._table.put(Put(_item(written), rev=errand.rev))
        return written

    def of_kind(self, store_id: str, kind: str) -> list[Errand]:
        """In no order."""
        partitions = (f"ERRANDS#{store_id}#{shard}" for shard in range(keys.SHARDS))
        return [load(Errand, item) for pk in partitions for item in self._table.query(pk, prefix=f"{kind}:")]


def _item(errand: Errand) -> Item:
    key = keys.errand(errand.store_id, errand.id)
    if errand.ended_at is None:
        return dump(errand, key)
    return dump(errand, key, expires_at=int((errand.ended_at + _KEPT).timestamp()))
