"""Shopify's inventory levels and collections, from the delivery to what the API shows."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest

from chalicelib.commerce.change import CollectionDeleted, CollectionTold, StockTold
from chalicelib.commerce.ports import ProductRecord
from chalicelib.commerce.product import Product
from chalicelib.storage.table import Table
from chalicelib.store_adapters import adapter_for
from chalicelib.store_adapters.base import Nothing
from tests.commerce.shop import Shop
from tests.conftest import HandClock
from tests.store_adapters.deliveries import NOW, delivery, store, told
from tests.store_adapters.shopify_bodies import COLLECTION, LEVEL, PRODUCT

TEA, SMALL = str(PRODUCT["id"]), str(PRODUCT["variants"][0]["id"])
TRIGGERED = "2026-11-20T10:00:00.250Z"


def level_of(body: dict[str, Any], topic: str = "inventory_levels/update", **headers: str) -> StockTold:
    raw = json.dumps({key: value for key, value in body.items() if value != "untold"}).encode()
    (change,) = adapter_for("shopify").parse(delivery(raw, topic, "shopify", **headers), store("shopify"))
    assert isinstance(change, StockTold)
    return change


def test_a_level_is_of_its_item_at_its_place_and_time() -> None:
    change = level_of(LEVEL)
    assert (change.item, change.level.place, change.level.count) == (str(LEVEL["inventory_item_id"]), "61", 3)
    assert change.version.modified_at == datetime(2026, 11, 20, tzinfo=UTC)
    assert not change.level.gone
    assert level_of({**LEVEL, "available": None}, "inventory_levels/connect").level.count is None


def test_a_level_without_a_time_is_of_when_it_was_triggered_else_of_when_it_came() -> None:
    bare = {**LEVEL, "updated_at": None}
    assert level_of(bare, **{"x-shopify-triggered-at": TRIGGERED}).version.modified_at == datetime(
        2026, 11, 20, 10, tzinfo=UTC
    )
    gone = level_of({**bare, "available": "untold"}, "inventory_levels/disconnect")
    assert (gone.level.gone, gone.level.count, gone.version.modified_at) == (True, None, NOW)
    for nonsense in ("", "yesterday", "9999-12-31T23:59:59-23:00", "0001-01-01T00:00:00+23:00", "\u0661"):
        assert level_of(bare, **{"x-shopify-triggered-at": nonsense}).version.modified_at == NOW


def test_of_two_levels_in_one_second_the_one_triggered_last_is_the_newer() -> None:
    first = level_of(LEVEL, **{"x-shopify-triggered-at": "2026-11-20T00:00:00.250Z"}).version.key()
    assert first < level_of(LEVEL, **{"x-shopify-triggered-at": "2026-11-20T00:00:00.750Z"}).version.key()


def test_a_variant_says_what_it_is_counted_by() -> None:
    def small(**changed: Any) -> Product:
        variant = {**PRODUCT["variants"][0], **changed}
        first, tea = told({**PRODUCT, "variants": [variant]}, "products/update", "shopify")
        assert isinstance(first, Product)
        assert isinstance(tea, Product)
        assert (tea.variants, tea.inventory_item) == ((SMALL,), None)
        return first

    assert (small().inventory_item, small().stock, small().locations) == (str(LEVEL["inventory_item_id"]), 3, 2)
    untracked = small(inventory_management=None)
    assert (untracked.inventory_item, untracked.stock, untracked.in_stock) == (None, None, True)
    beyond = small(inventory_quantity=-2, inventory_policy="continue")
    assert (beyond.in_stock, beyond.keeps_selling) == (True, True)


def test_a_product_without_a_choice_is_counted_by_its_only_variant() -> None:
    only = {**PRODUCT["variants"][0], "title": "Default Title"}
    (tea,) = told({**PRODUCT, "variants": [only]}, "products/update", "shopify")
    assert isinstance(tea, Product)
    assert (tea.inventory_item, tea.stock, tea.variants) == (str(LEVEL["inventory_item_id"]), 3, ())


def test_collections_tell_their_names_and_their_ends() -> None:
    (named,) = told(COLLECTION, "collections/update", "shopify")
    assert isinstance(named, CollectionTold)
    assert (named.external_id, named.name) == (str(COLLECTION["id"]), "Winter")
    assert told({"id": 7}, "collections/delete", "shopify") == [CollectionDeleted("7")]
    (untitled,) = told({**COLLECTION, "title": None}, "collections/update", "shopify")
    assert isinstance(untitled, Nothing)


def sent(body: dict[str, Any], topic: str, **changed: Any) -> tuple[dict[str, Any], str]:
    return {**copy.deepcopy(body), **changed}, topic


def product_at(minute: int, quantity: int) -> tuple[dict[str, Any], str]:
    variant = {**PRODUCT["variants"][0], "inventory_quantity": quantity, "inventory_locations": None}
    return sent(PRODUCT, "products/update", variants=[variant], updated_at=f"2026-11-20T00:{minute:02d}:00Z")


def level_at(minute: int, available: int, place: int = 61) -> tuple[dict[str, Any], str]:
    time = f"2026-11-20T00:{minute:02d}:00Z"
    return sent(LEVEL, "inventory_levels/update", available=available, location_id=place, updated_at=time)


def hear(shop: Shop, *deliveries: tuple[dict[str, Any], str]) -> None:
    for body, topic in deliveries:
        shop.tell(*told(body, topic, "shopify"), store=store("shopify"))


def record_of(shop: Shop, product_id: str) -> ProductRecord:
    record = shop.products.get("shop", product_id)
    assert record
    return record


@pytest.mark.parametrize("first", [0, 3])
def test_a_part_of_a_products_variants_does_not_say_that_it_sold_out_or_came_back(
    table: Table, clock: HandClock, first: int
) -> None:
    shop = Shop(table, clock)
    body, topic = product_at(10, 0)
    every = [{"admin_graphql_api_id": f"gid://shopify/ProductVariant/{number}"} for number in (SMALL, 35)]
    hear(shop, product_at(0, first), ({**body, "variant_gids": every}, topic))
    current = record_of(shop, TEA).current
    assert current and current.variants == (SMALL, "35")
    told_of = record_of(shop, TEA)
    assert list(told_of.stock_told.values()) == [first > 0]
    assert shop.products.events("shop", TEA) == []


def test_sold_out_and_back_by_levels_alone(table: Table, clock: HandClock) -> None:
    shop = Shop(table, clock)
    hear(shop, product_at(0, 3), level_at(10, 0))
    for product_id in (SMALL, TEA):
        current = record_of(shop, product_id).current
        assert current
        assert (current.in_stock, current.stock) == (False, 0)
    hear(shop, level_at(20, 8), level_at(20, 8), product_at(20, 8))
    for product_id in (SMALL, TEA):
        current = record_of(shop, product_id).current
        assert current
        assert (current.in_stock, current.stock) == (True, 8)
        (back,) = shop.products.events("shop", product_id)
        assert back.occurred_at == datetime(2026, 11, 20, 0, 20, tzinfo=UTC)
        assert back.properties == {"product_id": TEA, "variation_id": SMALL if product_id == SMALL else None}


def test_an_empty_shelf_of_two_sells_nothing_out(table: Table, clock: HandClock) -> None:
    shop = Shop(table, clock)
    hear(shop, product_at(0, 5), level_at(0, 1), level_at(0, 4, place=62), level_at(10, 0))
    current = record_of(shop, TEA).current
    assert current
    assert (current.in_stock, current.stock) == (True, 4)


@pytest.mark.parametrize("first", range(4))
def test_any_order_of_deliveries_ends_in_the_same_product(table: Table, clock: HandClock, first: int) -> None:
    deliveries = [product_at(0, 3), level_at(10, 0), level_at(20, 8), product_at(20, 8)]
    ends = set()
    for number, order in enumerate(permutations(deliveries)):
        if order[0] is not deliveries[first]:
            continue
        shop = Shop(table, clock)
        mine = store("shopify", id=f"shop-{number}")
        for body, topic in (*order, order[1]):
            shop.tell(*told(body, topic, "shopify"), store=mine)
        found = []
        for product_id in (SMALL, TEA):
            record = shop.products.get(mine.id, product_id)
            assert record
            assert record.current
            events = shop.products.events(mine.id, product_id)
            assert [event.occurred_at.minute for event in events] == [20]
            found.append(record.model_dump_json(exclude={"rev", "store_id"}))
        ends.add("\n".join(found))
    assert len(ends) == 1


def test_a_collection_is_shown_by_its_newest_name_and_not_after_its_end(table: Table, clock: HandClock) -> None:
    shop = Shop(table, clock)
    later = sent(COLLECTION, "collections/update", title="Cold days", updated_at="2026-11-21T00:00:00Z")
    identifier = str(COLLECTION["id"])
    hear(shop, later, sent(COLLECTION, "collections/update"), product_at(0, 3))
    assert shop.products.collections("shop", [identifier])[identifier].name == "Cold days"
    hear(shop, ({"id": COLLECTION["id"]}, "collections/delete"), later)
    assert shop.products.collections("shop", [identifier])[identifier].deleted
