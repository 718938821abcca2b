"""How far each store's pull is, and whom journeys are to look at when the first history is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chalicelib.storage import keys
from chalicelib.storage.records import dump, load
from chalicelib.storage.table import Put, Table
from chalicelib.sync.progress import SyncProgress


class SyncRecords:
    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, store_id: str) -> SyncProgress | None:
        item = self._table.get(*keys.sync(store_id))
        return load(SyncProgress, item) if item else None

    def save(self, progress: SyncProgress) -> SyncProgress:
        """Raises `Conflict` if somebody was quicker."""
        written = progress.model_copy(update={"rev": progress.rev + 1})
        self._table.put(Put(dump(written, keys.sync(progress.store_id)), rev=progress.rev))
        return written

    def delete(self, store_id: str) -> None:
        self._table.delete(*keys.sync(store_id))

    def note_contact(self, store_id: str, contact_id: str, until: datetime) -> None:
        pk, _ = keys.sync(store_id)
        self._table.put(Put({"pk": pk, "sk": keys.noted_contact(contact_id), "expires_at": int(until.timestamp())}))

    def noted_contacts(self, store_id: str, limit: int) -> Sequence[str]:
        prefix = keys.noted_contact("")
        found = self._table.query(keys.sync(store_id)[0], prefix=prefix, limit=limit)
        return [str(item["sk"]).removeprefix(prefix) for item in found]

    def drop_contact(self, store_id: str, contact_id: str) -> None:
        self._table.delete(keys.sync(store_id)[0], keys.noted_contact(contact_id))
