"""Products as the store told them, with their tombstones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from chalicelib.commerce.event import Event
from chalicelib.commerce.ports import CollectionRecord, ProductRecord, StockItem
from chalicelib.commerce.stock import told_at
from chalicelib.storage import keys
from chalicelib.storage.records import dump, load
from chalicelib.storage.table import MOST_TOGETHER, Delete, Put, Table
from chalicelib.storage.timeline import Timeline, event_item

_UNCLAIMED = timedelta(days=180)


class Products:
    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, store_id: str, external_id: str) -> ProductRecord | None:
        item = self._table.get(*keys.product(store_id, external_id))
        return load(ProductRecord, item) if item else None

    def get_many(self, store_id: str, external_ids: list[str]) -> dict[str, ProductRecord]:
        """Those that are known, by id; one request for each hundred."""
        found: dict[str, ProductRecord] = {}
        for start in range(0, len(external_ids), 100):
            some = [keys.product(store_id, external_id) for external_id in external_ids[start : start + 100]]
            found |= {item["external_id"]: load(ProductRecord, item) for item in self._table.get_many(some)}
        return found

    def save(
        self, record: ProductRecord, happened: Sequence[Event] = (), undone: Sequence[Event] = ()
    ) -> ProductRecord:
        """The record and its partition's events, together. Raises `Conflict` if somebody was quicker."""
        written = record.model_copy(update={"rev": record.rev + 1})
        listing: dict[str, str] = {}
        if record.product and not record.is_deleted:
            listing = {
                "gsi1pk": keys.listing("PRODUCTS", record.store_id, identifier=record.external_id),
                "gsi1sk": record.external_id,
            }
        key = keys.product(record.store_id, record.external_id)
        put = Put(dump(written, key, **listing), rev=record.rev)
        if not happened and not undone:
            self._table.put(put)
            return written
        events: list[Put | Delete] = [Put(event_item(key[0], event)) for event in happened]
        events += [Delete(key[0], Timeline.sort_key(event)) for event in undone]
        self._table.transact([put, *events])
        return written

    def events(self, store_id: str, external_id: str) -> list[Event]:
        """What happened to the product itself (it came back into stock), oldest first."""
        found = self._table.query(keys.product(store_id, external_id)[0], prefix="T#")
        return [load(Event, item) for item in found]

    def stock_item(self, store_id: str, external_id: str) -> StockItem | None:
        item = self._table.get(*keys.stock_item(store_id, external_id))
        return load(StockItem, item) if item else None

    def save_stock_item(self, item: StockItem) -> None:
        """Raises `Conflict` if somebody was quicker. One that no product ever claims goes after half a year."""
        key = keys.stock_item(item.store_id, item.external_id)
        newest = told_at(max(item.levels, default=""))
        waits = {} if item.owners or newest is None else {"expires_at": int((newest + _UNCLAIMED).timestamp())}
        self._table.put(Put(dump(item.model_copy(update={"rev": item.rev + 1}), key, **waits), rev=item.rev))

    def collections(self, store_id: str, external_ids: list[str]) -> dict[str, CollectionRecord]:
        """Those that were told apart from products, by id."""
        found: dict[str, CollectionRecord] = {}
        for start in range(0, len(external_ids), MOST_TOGETHER):
            some = [keys.collection(store_id, one) for one in external_ids[start : start + MOST_TOGETHER]]
            found |= {item["external_id"]: load(CollectionRecord, item) for item in self._table.get_many(some)}
        return found

    def save_collection(self, record: CollectionRecord) -> None:
        """Raises `Conflict` if somebody was quicker."""
        key = keys.collection(record.store_id, record.external_id)
        self._table.put(Put(dump(record.model_copy(update={"rev": record.rev + 1}), key), rev=record.rev))

    def wait_for(self, store_id: str, external_ids: Iterable[str], order_id: str, until: datetime) -> None:
        """Note that this order's events were told while these products were unknown."""
        expires = int(until.timestamp())
        for external_id in external_ids:
            self._table.put(
                Put({"pk": keys.awaited(store_id, external_id), "sk": f"O#{order_id}", "expires_at": expires})
            )

    def awaited_by(self, store_id: str, external_id: str) -> Sequence[str]:
        """Ids of the orders whose events were told without this product."""
        found = self._table.query(keys.awaited(store_id, external_id), prefix="O#")
        return [str(item["sk"]).removeprefix("O#") for item in found]

    def list(self, store_id: str, after: str | None = None, limit: int = 100) -> list[ProductRecord]:
        """Those that were not deleted, by id as text; `after` is an id."""
        found = self._table.listing("PRODUCTS", store_id, after=after, limit=limit)
        return [load(ProductRecord, item) for item in found]
