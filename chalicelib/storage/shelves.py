"""What shops put forward, newest count by newest count; and all that a message shows of a shop, in few requests."""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.commerce.ports import ProductRecord
from chalicelib.commerce.shelves import Shelf
from chalicelib.contacts.engagement import Engagement
from chalicelib.contacts.purchases import Purchases
from chalicelib.messages.showing import Shown, Wanted
from chalicelib.storage import keys
from chalicelib.storage.objects import Objects
from chalicelib.storage.records import dump, load
from chalicelib.storage.table import MOST_TOGETHER, Item, Put, Table

_KEPT = timedelta(days=8)  # a shelf that no newer count has goes by itself; until then it is known to be old


class Shelves:
    """The tally of a count that is under way is an object of its own (`counts/…`, two days)."""

    def __init__(self, table: Table, objects: Objects) -> None:
        self._table, self._objects = table, objects

    def save(self, shelf: Shelf) -> None:
        """In the place of the one that is there."""
        expires = int((datetime.fromisoformat(f"{shelf.run}T00:00:00+00:00") + _KEPT).timestamp())
        self._table.put(Put(dump(shelf, keys.shelf(shelf.store_id, shelf.of), expires_at=expires)))

    def put_tally(self, store_id: str, run: str, number: int, content: bytes) -> None:
        self._objects.put(_tally(store_id, run, number), content)

    def get_tally(self, store_id: str, run: str, number: int) -> bytes:
        """Raises `NotFound`."""
        return self._objects.get(_tally(store_id, run, number))


class Storefront:
    """`messages.showing.Storefront`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def read(self, store_id: str, contact_id: str, wanted: Wanted) -> Shown:
        """One request for each hundred records."""
        partition = keys.contact(store_id, contact_id)
        products = {product: keys.product(store_id, product) for product in wanted.products}
        shelves = {of: keys.shelf(store_id, of) for of in wanted.shelves}
        own = {partition: keys.ENGAGEMENT} if wanted.engagement else {}
        asked = [*products.values(), *shelves.values(), *own.items()]
        asked += [(partition, keys.PURCHASES)] if wanted.purchases else []
        items: dict[tuple[str, str], Item] = {}
        for start in range(0, len(asked), MOST_TOGETHER):
            found = self._table.get_many(asked[start : start + MOST_TOGETHER])
            items |= {(item["pk"], item["sk"]): item for item in found}
        engagement, purchases = items.get((partition, keys.ENGAGEMENT)), items.get((partition, keys.PURCHASES))
        records = {one: load(ProductRecord, items[key]) for one, key in products.items() if key in items}
        return Shown(
            products={
                one: record.current for one, record in records.items() if record.current and not record.is_deleted
            },
            shelves={of: load(Shelf, items[key]) for of, key in shelves.items() if key in items},
            engagement=load(Engagement, engagement) if engagement else Engagement(),
            purchases=load(Purchases, purchases) if purchases else Purchases(),
        )


def _tally(store_id: str, run: str, number: int) -> str:
    return f"counts/{store_id}/{run}/{number}"
