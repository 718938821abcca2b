"""The nightly count behind recommendations: one errand a store, over its buyers, then its catalogue.

Orders are found through the contacts, of whom only those who bought in the counted days are asked for theirs: no
listing of orders is written for this. The count so far is kept as an object for each slice: one that is done again
after a crash begins from what the slice before it left, and comes to the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from chalicelib.clock import Clock, rfc3339
from chalicelib.commerce.ports import ProductRecord
from chalicelib.commerce.shelves import COUNTED_DAYS, Shelf, Tally
from chalicelib.commerce.store import Store
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.purchases import ContactOrder, apart
from chalicelib.errors import NotFound
from chalicelib.journeys.errands import Errand, Errands, Slice

KIND = "count_orders"
LISTED, BUYERS, PRODUCTS, WRITTEN = 10_000, 1_000, 2_000, 1_000
"""Of one slice: some ten seconds each, at a few milliseconds for each read or write."""
_PAGE = 500
_PAUSE = timedelta(seconds=1)
_COUNTED = timedelta(days=COUNTED_DAYS)


class Buyers(Protocol):
    """`storage.contacts.Contacts`."""

    def list(self, store_id: str, after: str | None = None, limit: int = 100) -> Sequence[Contact]: ...

    def sort_key(self, contact: Contact) -> str: ...

    def orders_since(self, store_id: str, contact_id: str, since: datetime) -> Sequence[ContactOrder]: ...


class Catalogue(Protocol):
    """`storage.products.Products`."""

    def list(self, store_id: str, after: str | None = None, limit: int = 100) -> Sequence[ProductRecord]: ...


class ShelfRecords(Protocol):
    """`storage.shelves.Shelves`."""

    def save(self, shelf: Shelf) -> None:
        """In the place of the one that is there."""
        ...

    def put_tally(self, store_id: str, run: str, number: int, content: bytes) -> None: ...

    def get_tally(self, store_id: str, run: str, number: int) -> bytes: ...


def begin_count(errands: Errands, store: Store, clock: Clock) -> None:
    """Once a day. Repeating is harmless."""
    now = clock.now()
    errands.begin(store, KIND, rfc3339(now)[:10], at=now)


class CountOrders:
    """The work of these errands. `cursor`: {part, tally (the number of the object to go on from), after}."""

    def __init__(self, buyers: Buyers, products: Catalogue, shelves: ShelfRecords, clock: Clock) -> None:
        self._buyers, self._products, self._shelves, self._clock = buyers, products, shelves, clock

    def slice(self, store: Store, errand: Errand) -> Slice:
        """Raises `TryLater`."""
        cursor: dict[str, Any] = errand.cursor or {"part": "orders", "tally": 0, "after": None}
        number = cursor["tally"]
        try:
            tally = Tally.unpacked(self._shelves.get_tally(store.id, errand.key, number)) if number else Tally()
        except NotFound:  # it lay still for days: from the beginning
            return Slice(self._clock.now() + _PAUSE)
        if cursor["part"] == "write":
            return self._write(store, errand, tally, cursor)
        part, done, after = cursor["part"], 0, None
        if part == "orders":
            done, after = self._add_orders(store, errand, tally, cursor["after"])
        else:
            done, after = self._add_products(store, errand, tally, cursor["after"])
        if after is None:
            part = "products" if part == "orders" else "write"
        self._shelves.put_tally(store.id, errand.key, number + 1, tally.packed())
        following = {"part": part, "tally": number + 1, "after": after}
        return Slice(self._clock.now() + _PAUSE, following, done, {"orders": tally.orders})

    def _add_orders(self, store: Store, errand: Errand, tally: Tally, after: str | None) -> tuple[int, str | None]:
        """How many buyers were asked, and where to go on; None: everybody was."""
        since, listed, asked = errand.begun_at - _COUNTED, 0, 0
        while listed < LISTED and asked < BUYERS:
            page = self._buyers.list(store.id, after=after, limit=_PAGE)
            for contact in page:
                if contact.last_order_at is not None and contact.last_order_at >= since:
                    for order in self._buyers.orders_since(store.id, contact.id, since):
                        if order.counted:
                            tally.add_order({line.product for line in apart(order.lines)})
                    asked += 1
            if len(page) < _PAGE:
                return asked, None
            listed, after = listed + len(page), self._buyers.sort_key(page[-1])
        return asked, after

    def _add_products(self, store: Store, errand: Errand, tally: Tally, after: str | None) -> tuple[int, str | None]:
        listed = 0
        while listed < PRODUCTS:
            page = self._products.list(store.id, after=after, limit=_PAGE)
            for record in page:
                tally.add_product(record, errand.begun_at)
            listed += len(page)
            if len(page) < _PAGE:
                return listed, None
            after = page[-1].external_id
        return listed, after

    def _write(self, store: Store, errand: Errand, tally: Tally, cursor: dict[str, Any]) -> Slice:
        begin = cursor["after"] or 0
        shelves = tally.shelves(store.id, errand.key)
        for shelf in shelves[begin : begin + WRITTEN]:
            self._shelves.save(shelf)
        report = {"orders": tally.orders, "shelves": len(shelves)}
        if begin + WRITTEN >= len(shelves):
            return Slice(None, cursor, len(shelves) - begin, report)
        return Slice(self._clock.now() + _PAUSE, {**cursor, "after": begin + WRITTEN}, WRITTEN, report)
