"""What a shop puts forward, by plain counting: what sells best, what is bought together, what is new.

A shelf is a short list that explains itself: product ids with the number of orders they were in. Counted are paid
orders of the last `COUNTED_DAYS` days; a cancelled one, and one refunded in full, is not counted.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from heapq import nlargest
from itertools import combinations
from typing import Any

from pydantic import BaseModel, ConfigDict

from chalicelib.commerce.ports import ProductRecord
from chalicelib.commerce.product_news import published_since

COUNTED_DAYS = 90
NEW_FOR_DAYS = 365
ON_A_SHELF = 50
"""More than any email shows, since some of them may be sold out, or bought by whom it is for."""
TOGETHER_ON_A_SHELF = 24
MOST_IN_ORDER = 30
"""An order of more different products is a wholesaler's: what is in it together says nothing of taste."""
MOST_PAIRS = 200_000
"""Held at once while counting. Above it the rarer half is forgotten: most of it would be on no shelf."""
MOST_CATEGORIES = 2_000

SHOP = "shop"


def of_category(category_id: str) -> str:
    return f"category:{category_id}"


def of_product(product_id: str) -> str:
    return f"product:{product_id}"


class Ranked(BaseModel):
    """`orders`: in how many counted orders it was."""

    model_config = ConfigDict(frozen=True)

    id: str
    orders: int


class NewProduct(BaseModel):
    """`since`: when the shop first showed it."""

    model_config = ConfigDict(frozen=True)

    id: str
    since: datetime


class Shelf(BaseModel):
    """`of`: the `shop`, a `category:7` of it, or a `product:12`. `run` names the count that it comes from; of two the
    greater is the newer. A shop's and a category's have `best_sellers` and `newest`, a product's what was bought
    `together` with it in one order. `orders`: in how many all of it was counted (of a product: those it was in).
    """

    model_config = ConfigDict(frozen=True)

    store_id: str
    of: str
    run: str
    orders: int = 0
    best_sellers: tuple[Ranked, ...] = ()
    newest: tuple[NewProduct, ...] = ()
    together: tuple[Ranked, ...] = ()


class Tally:
    """The count so far. `packed` and `unpacked` carry it from one slice of the work to the next."""

    def __init__(self) -> None:
        self.orders = 0
        self.sold: Counter[str] = Counter()
        self.together: Counter[tuple[str, str]] = Counter()
        self.categories: dict[str, dict[str, int]] = {}
        self.newest: dict[str, dict[str, str]] = {}

    def add_order(self, products: Collection[str]) -> None:
        """One counted order, by its different products; how many of each does not matter."""
        different = sorted(set(products))
        if not different:
            return
        self.orders += 1
        self.sold.update(different)
        if len(different) <= MOST_IN_ORDER:
            self.together.update(combinations(different, 2))
        if len(self.together) > MOST_PAIRS:
            self.together = Counter(dict(self.together.most_common(MOST_PAIRS // 2)))

    def add_product(self, record: ProductRecord, now: datetime) -> None:
        """A product of the catalogue, after all orders were added: what is not told here comes onto no shelf of
        best sellers."""
        product = record.current
        if product is None or record.is_deleted or product.parent_id or not product.published:
            return
        since = published_since(record)
        is_new = since is not None and (now - since).days < NEW_FOR_DAYS
        sold = self.sold[record.external_id]
        for of in (SHOP, *dict.fromkeys(of_category(category.id) for category in product.categories)):
            if of not in self.categories and len(self.categories) > MOST_CATEGORIES:
                continue
            sellers, newest = self.categories.setdefault(of, {}), self.newest.setdefault(of, {})
            if sold:
                _keep(sellers, record.external_id, sold)
            if since is not None and is_new:
                _keep(newest, record.external_id, since.isoformat())

    def shelves(self, store_id: str, run: str) -> list[Shelf]:
        """All of them, the shop's own last: once that one is there, all of the same run are."""
        found = [self._of_product(store_id, run, name, told) for name, told in sorted(self._pairs().items())]
        for of in sorted(self.categories, key=lambda name: (name == SHOP, name)):
            sellers, newest = self.categories[of], self.newest[of]
            if sellers or newest or of == SHOP:
                ranked = sorted(sellers.items(), key=_first_most)[:ON_A_SHELF]
                fresh = sorted(newest.items(), key=lambda one: (one[1], one[0]), reverse=True)[:ON_A_SHELF]
                shelf = Shelf(
                    store_id=store_id,
                    of=of,
                    run=run,
                    orders=self.orders,
                    best_sellers=tuple(Ranked(id=name, orders=count) for name, count in ranked),
                    newest=tuple(NewProduct(id=name, since=datetime.fromisoformat(since)) for name, since in fresh),
                )
                found.append(shelf)
        if SHOP not in self.categories:
            found.append(Shelf(store_id=store_id, of=SHOP, run=run, orders=self.orders))
        return found

    def _pairs(self) -> dict[str, list[tuple[str, int]]]:
        found: dict[str, list[tuple[str, int]]] = {}
        for (one, other), count in self.together.items():
            found.setdefault(one, []).append((other, count))
            found.setdefault(other, []).append((one, count))
        return found

    def _of_product(self, store_id: str, run: str, name: str, told: Iterable[tuple[str, int]]) -> Shelf:
        best = sorted(told, key=_first_most)[:TOGETHER_ON_A_SHELF]
        together = tuple(Ranked(id=other, orders=count) for other, count in best)
        return Shelf(store_id=store_id, of=of_product(name), run=run, orders=self.sold[name], together=together)

    def packed(self) -> bytes:
        told: dict[str, Any] = {
            "orders": self.orders,
            "sold": self.sold,
            "together": [[one, other, count] for (one, other), count in sorted(self.together.items())],
            "categories": self.categories,
            "newest": self.newest,
        }
        return zlib.compress(json.dumps(told, separators=(",", ":")).encode())

    @classmethod
    def unpacked(cls, content: bytes) -> Tally:
        told, tally = json.loads(zlib.decompress(content)), cls()
        tally.orders, tally.sold = told["orders"], Counter(told["sold"])
        tally.together = Counter({(one, other): count for one, other, count in told["together"]})
        tally.categories, tally.newest = told["categories"], told["newest"]
        return tally


def _first_most(one: tuple[str, int]) -> tuple[int, str]:
    return -one[1], one[0]


def _keep(kept: dict[str, Any], name: str, value: int | str) -> None:
    """Add it, and let the least go where there are twice as many as a shelf holds (`shelves` cuts)."""
    kept[name] = value
    if len(kept) > 2 * ON_A_SHELF:
        best: Mapping[str, Any] = dict(nlargest(ON_A_SHELF, kept.items(), key=lambda one: (one[1], one[0])))
        kept.clear()
        kept.update(best)
