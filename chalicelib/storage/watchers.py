"""Who watches what, in partitions of its own; in the contact's own partition a note of each entry leads to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from heapq import merge
from itertools import groupby, islice

from chalicelib.journeys.watchers import REMEMBERED, Watcher
from chalicelib.storage import keys
from chalicelib.storage.records import dump, load
from chalicelib.storage.table import Item, Put, Table


class WatcherRecords:
    shards = keys.SHARDS

    def __init__(self, table: Table) -> None:
        self._table = table

    def of_contact(self, store_id: str, contact_id: str, subjects: Sequence[str]) -> dict[str, Watcher]:
        """Those there are, by subject; one request for up to a hundred subjects."""
        found = self._table.get_many([keys.watcher(store_id, subject, contact_id) for subject in subjects])
        return {entry.subject: entry for entry in (load(Watcher, item) for item in found)}

    def save(self, store_id: str, watcher: Watcher) -> None:
        """Raises `Conflict` if somebody was quicker.

        The contact's note comes first and stays longest: an entry that no note leads to would outlive an erasure.
        """
        until = watcher.until
        if until is None:
            return
        if watcher.listed_until is None or watcher.listed_until < until:
            watcher = watcher.model_copy(update={"listed_until": until + REMEMBERED})
            key = keys.contact(store_id, watcher.contact_id), keys.watched(watcher.subject, watcher.contact_id)
            note = {"subject": watcher.subject, "contact_id": watcher.contact_id}
            self._table.put(Put({"pk": key[0], "sk": key[1], **note, "expires_at": _seconds(watcher.listed_until)}))
        key = keys.watcher(store_id, watcher.subject, watcher.contact_id)
        written = watcher.model_copy(update={"rev": watcher.rev + 1})
        self._table.put(Put(dump(written, key, expires_at=_seconds(until)), rev=watcher.rev))

    def page(
        self, store_id: str, subjects: Sequence[str], shard: int, after: str | None, limit: int
    ) -> Iterator[tuple[str, list[Watcher]]]:
        """Up to `limit` contacts of one shard after this one, by id, each once with all its entries of the subjects."""
        lists = [
            self._table.iterate(f"WATCH#{store_id}#{subject}#{shard}", after=after, limit=limit, together=limit)
            for subject in subjects
        ]
        by_contact = groupby(merge(*lists, key=_contact), key=_contact)
        for contact_id, items in islice(by_contact, limit):
            yield contact_id, [load(Watcher, item) for item in items]


def _contact(item: Item) -> str:
    return str(item["sk"])


def _seconds(moment: datetime | None) -> int:
    return int(moment.timestamp()) if moment else 0
