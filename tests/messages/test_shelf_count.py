"""Counting what is bought: repeats, refunds, slices that are cut off."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.commerce import shelves
from chalicelib.commerce.money import Money
from chalicelib.commerce.ports import ProductRecord
from chalicelib.commerce.product import Category, Product
from chalicelib.commerce.product_news import with_publication
from chalicelib.commerce.shelves import SHOP, Shelf, Tally, of_category, of_product
from chalicelib.commerce.snapshot import Version
from chalicelib.contacts.ports import Writing
from chalicelib.contacts.purchases import ContactOrder, Line, totals
from chalicelib.errors import NotFound
from chalicelib.journeys.errands import Errands
from chalicelib.messages import shelf_count
from chalicelib.messages.shelf_count import CountOrders, begin_count
from chalicelib.messages.showing import Wanted
from chalicelib.storage.errands import ErrandRecords
from chalicelib.storage.shelves import Shelves, Storefront
from chalicelib.storage.table import Table
from tests.conftest import HandClock
from tests.journeys.world import World

DAY = timedelta(days=1)


class MemoryObjects:
    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put(self, key: str, content: bytes) -> None:
        self.kept[key] = content

    def get(self, key: str) -> bytes:
        if key not in self.kept:
            raise NotFound("no such object")
        return self.kept[key]


class Shop:
    """A world with buyers, a catalogue and the count."""

    def __init__(self, table: Table, clock: HandClock) -> None:
        self.world, self.clock, self.objects = World(table, clock), clock, MemoryObjects()
        self.shelves = Shelves(table, self.objects)  # type: ignore[arg-type]
        self.front = Storefront(table)
        work = CountOrders(self.world.contacts, self.world.products, self.shelves, clock)
        workflows = self.world.recorded
        stores = self.world.stores
        self.errands = Errands(ErrandRecords(table), stores, lambda kind: work, lambda: workflows, "errand", clock)

    def sell(self, name: str, *categories: str, published_ago: timedelta = 400 * DAY, **changes: Any) -> None:
        product = Product(
            external_id=name,
            version=Version(modified_at=self.clock.now() - published_ago),
            name=name.title(),
            categories=tuple(Category(id=one, name=one.title()) for one in categories),
            published_at=self.clock.now() - published_ago,
            **changes,
        )
        record = ProductRecord(store_id=self.world.store.id, external_id=name, product=product)
        self.world.products.save(with_publication(record, product))

    def buyer(self, name: str, *orders: tuple[str, ...], ago: timedelta = DAY, refunded: str = "") -> None:
        """`refunded`: what is in one more order, which was taken back."""
        price = Money(amount=1000, currency="EUR")
        told = tuple(
            ContactOrder(
                order_id=f"{name}-{index}",
                paid_at=self.clock.now() - ago,
                net=price,
                counted=products != (refunded,),
                lines=tuple(Line(product=one, units=2, total=500) for one in products),
            )
            for index, products in enumerate((*orders, *([(refunded,)] if refunded else [])))
        )
        contact_id = self.world.add_contact(f"{name}@shopper.example")
        contact = self.world.contacts.get(self.world.store.id, contact_id)
        assert contact is not None
        contact = contact.model_copy(update=dict(totals(told, "EUR")))
        self.world.contacts.write(self.world.store.id, [Writing(contact_id, contact=contact, orders=told)])

    def count(self) -> None:
        begin_count(self.errands, self.world.store, self.clock)
        [errand] = [
            one for one in self.errands.of_kind(self.world.store.id, shelf_count.KIND) if one.ended_at is None
        ] or [self.errands.of_kind(self.world.store.id, shelf_count.KIND)[-1]]
        while again := self.errands.work(self.world.store.id, errand.id):
            self.clock.time = max(self.clock.time, again)

    def shelf(self, of: str) -> Shelf | None:
        found = self.front.read(self.world.store.id, "nobody", Wanted(shelves=frozenset({of})))
        return found.shelves.get(of)

    def told(self, of: str) -> dict[str, int]:
        shelf = self.shelf(of)
        return {one.id: one.orders for one in (*shelf.best_sellers, *shelf.together)} if shelf else {}


@pytest.fixture
def shop(table: Table, clock: HandClock) -> Shop:
    shop = Shop(table, clock)
    for name in ("tea", "cup", "pot"):
        shop.sell(name, "drinks" if name == "tea" else "dishes")
    shop.sell("new", "dishes", published_ago=3 * DAY)
    shop.sell("hidden", "dishes", published=False)
    shop.buyer("a", ("tea", "cup"), ("tea", "tea"))
    shop.buyer("b", ("cup", "tea", "pot"), refunded="cup")
    shop.buyer("long-ago", ("pot", "tea"), ago=91 * DAY)
    shop.buyer("odd", ("hidden", "pot"))
    return shop


def test_orders_are_counted_by_their_different_products(shop: Shop) -> None:
    shop.count()
    assert shop.told(SHOP) == {"tea": 3, "cup": 2, "pot": 2}, "refunded, old and hidden ones are out"
    assert shop.told(of_category("drinks")) == {"tea": 3}
    assert shop.told(of_product("tea")) == {"cup": 2, "pot": 1}
    assert shop.told(of_product("pot")) == {"cup": 1, "hidden": 1, "tea": 1}
    whole = shop.shelf(SHOP)
    assert whole is not None and whole.orders == 4 and [one.id for one in whole.newest] == ["new"]
    dishes = shop.shelf(of_category("dishes"))
    assert dishes is not None and [one.id for one in dishes.newest] == ["new"]


def test_a_slice_that_is_done_twice_counts_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, size in (("LISTED", 1), ("BUYERS", 1), ("PRODUCTS", 1), ("WRITTEN", 1), ("_PAGE", 2)):
        monkeypatch.setattr(shelf_count, name, size)
    begin_count(shop.errands, shop.world.store, shop.clock)
    [errand] = shop.errands.of_kind(shop.world.store.id, shelf_count.KIND)
    work = CountOrders(shop.world.contacts, shop.world.products, shop.shelves, shop.clock)
    looks = 0
    while (now := shop.errands.get(errand.store_id, errand.id)) and now.ended_at is None:
        work.slice(shop.world.store, now)  # cut off before its record was written
        shop.clock.time = shop.errands.work(errand.store_id, errand.id) or shop.clock.time
        looks += 1
    assert looks > 8
    assert shop.told(SHOP) == {"tea": 3, "cup": 2, "pot": 2}
    assert shop.told(of_product("tea")) == {"cup": 2, "pot": 1}


def test_a_count_whose_notes_are_gone_begins_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf_count, "BUYERS", 1)
    monkeypatch.setattr(shelf_count, "_PAGE", 2)
    begin_count(shop.errands, shop.world.store, shop.clock)
    [errand] = shop.errands.of_kind(shop.world.store.id, shelf_count.KIND)
    shop.errands.work(errand.store_id, errand.id)
    shop.objects.kept.clear()
    shop.clock.advance(days=3)
    while again := shop.errands.work(errand.store_id, errand.id):
        shop.clock.time = max(shop.clock.time, again)
    assert shop.told(SHOP)["tea"] == 3


def test_the_newest_count_replaces_the_former(shop: Shop) -> None:
    shop.count()
    shop.clock.advance(days=1)
    shop.buyer("c", ("pot", "new"))
    shop.count()
    assert shop.told(SHOP) == {"pot": 3, "tea": 3, "cup": 2, "new": 1}
    assert shop.told(of_product("new")) == {"pot": 1}
    whole = shop.shelf(SHOP)
    assert whole is not None and whole.run == "2026-11-22"


def test_a_wholesale_order_makes_no_pairs(shop: Shop) -> None:
    shop.buyer("wholesale", tuple(f"p{number}" for number in range(40)))
    shop.count()
    assert shop.shelf(of_product("p1")) is None


def test_what_is_bought_together_most_is_kept_however_much_is_bought(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelves, "MOST_PAIRS", 40)
    tally = Tally()
    for number in range(200):
        tally.add_order(["tea", "cup"])
        tally.add_order([f"a{number}", f"b{number}"])
    assert len(tally.together) <= 40
    again = Tally.unpacked(tally.packed())
    assert again.together[("cup", "tea")] == 200 and again.orders == 400 and again.packed() == tally.packed()


def test_every_night_begins_one_count_of_a_store(table: Table, clock: HandClock) -> None:
    world = World(table, clock)
    errands = Errands(
        ErrandRecords(table), world.stores, lambda kind: world.work(kind), lambda: world.recorded, "errand", clock
    )
    for _ in range(2):
        begin_count(errands, world.store, clock)
    assert [one.key for one in errands.of_kind(world.store.id, shelf_count.KIND)] == ["2026-11-21"]
    assert len(world.recorded.started) == 1, "however often it is asked for"
