"""What marketing went to each contact lately, and what of it was read: one item in the contact's partition, gone when
none of it matters."""

from __future__ import annotations

from datetime import timedelta

from chalicelib.messages.recent import Recent
from chalicelib.storage import keys
from chalicelib.storage.records import dump, load
from chalicelib.storage.table import Item, Put, Table

_KEPT = timedelta(days=91)  # after the newest: `duplicate_days` and `attribution_days` are 90 at most


class Recents:
    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, store_id: str, contact_id: str) -> Recent:
        item = self._table.get(keys.contact(store_id, contact_id), keys.RECENT)
        return load(Recent, item) if item else Recent()

    def save(self, store_id: str, contact_id: str, recent: Recent) -> None:
        """Over the revision it has. Raises `Conflict` if somebody was quicker."""
        self._table.put(Put(recent_item(keys.contact(store_id, contact_id), recent), rev=recent.rev))


def recent_item(partition: str, recent: Recent) -> Item:
    """In its next revision."""
    written = recent.model_copy(update={"rev": recent.rev + 1})
    times = [*(place.at for place in recent.places), *(touch.at for touch in recent.touches)]
    newest = max(times, default=None)
    expires = {"expires_at": int((newest + _KEPT).timestamp())} if newest else {}
    return dump(written, (partition, keys.RECENT), **expires)
