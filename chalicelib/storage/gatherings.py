"""What a contact's events gather for a journey, in the contact's partition."""

from __future__ import annotations

from chalicelib.journeys.gathering import Gathering
from chalicelib.storage import keys
from chalicelib.storage.records import dump, load
from chalicelib.storage.table import Put, Table


class Gatherings:
    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, store_id: str, contact_id: str, journey_id: str) -> Gathering | None:
        item = self._table.get(keys.contact(store_id, contact_id), keys.gathering(journey_id))
        return load(Gathering, item) if item else None

    def save(self, contact_id: str, gathering: Gathering) -> Gathering:
        """Raises `Conflict` if somebody was quicker."""
        written = gathering.model_copy(update={"rev": gathering.rev + 1})
        key = (keys.contact(gathering.store_id, contact_id), keys.gathering(gathering.journey))
        self._table.put(Put(dump(written, key), rev=gathering.rev))
        return written
