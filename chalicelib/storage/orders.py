"""Orders, written together with what they change in their contact's partition."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.clock import rfc3339
from chalicelib.commerce.event import Event
from chalicelib.commerce.ports import OrderRecord
from chalicelib.contacts.ports import Removal, Writing
from chalicelib.storage import keys
from chalicelib.storage.contacts import operations
from chalicelib.storage.records import dump, load
from chalicelib.storage.table import Delete, Item, Put, Table
from chalicelib.storage.timeline import Timeline, event_item


class Orders:
    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, store_id: str, external_id: str) -> OrderRecord | None:
        item = self._table.get(*keys.order(store_id, external_id))
        return load(OrderRecord, item) if item else None

    def write(
        self,
        record: OrderRecord,
        writings: Sequence[Writing],
        waiting: Sequence[Event] = (),
        waiting_gone: Sequence[Removal] = (),
    ) -> None:
        """Record and contacts in one transaction, each over the revision it has. Raises `Conflict`."""
        written = record.model_copy(update={"rev": record.rev + 1})
        key = keys.order(record.store_id, record.external_id)
        found: list[Put | Delete] = [Put(dump(written, key, **_listing(written)), rev=record.rev)]
        for writing in writings:
            found += operations(record.store_id, writing)
        found += [Put(event_item(key[0], event)) for event in waiting]
        kept = {Timeline.sort_key(event) for event in waiting}
        gone = {keys.timeline(rfc3339(entry.at), entry.event_id) for entry in waiting_gone} - kept
        found += [Delete(key[0], sk) for sk in sorted(gone)]
        self._table.transact(found)

    def waiting_events(self, store_id: str, external_id: str) -> list[Event]:
        """Events of an order whose contact is not known yet: they stay in the order's own partition."""
        found = self._table.query(keys.order(store_id, external_id)[0], prefix="T#")
        return [load(Event, item) for item in found]

    def drop_waiting(self, store_id: str, external_id: str) -> None:
        """They have come to a contact's timeline."""
        partition = keys.order(store_id, external_id)[0]
        for item in self._table.query(partition, prefix="T#"):
            self._table.delete(partition, str(item["sk"]))


def _listing(record: OrderRecord) -> Item:
    if record.contact_id or record.erased or record.order is None:
        return {}
    listed = keys.nobodys(record.store_id, record.external_id)
    return {"gsi1pk": listed, "gsi1sk": f"order#{record.external_id}"}
