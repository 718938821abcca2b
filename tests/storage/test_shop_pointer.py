"""Which store a shop's own domain is."""

from __future__ import annotations

from chalicelib.clock import parse_rfc3339
from chalicelib.commerce.store import Platform, Store
from chalicelib.storage.stores import Stores
from chalicelib.storage.table import Table


def _store(store_id: str) -> Store:
    return Store(
        id=store_id,
        platform=Platform.SHOPIFY,
        name="Tea",
        url="https://tea.example",
        country="GB",
        currency="GBP",
        timezone="Europe/London",
        locale="en",
        created_at=parse_rfc3339("2026-11-22T08:00:00Z"),
    )


def test_a_shops_domain_leads_to_the_store_that_it_was_last_connected_to(table: Table) -> None:
    stores = Stores(table)
    assert stores.of_shop("tea.myshopify.com") is None
    for store_id in ("one", "two"):
        stores.save(_store(store_id))
        stores.point_shop("tea.myshopify.com", store_id)
        found = stores.of_shop("tea.myshopify.com")
        assert found is not None and found.id == store_id
    assert stores.of_shop("other.myshopify.com") is None


def test_a_store_that_is_gone_is_no_shop_any_more(table: Table) -> None:
    stores = Stores(table)
    stores.save(_store("one"))
    stores.point_shop("tea.myshopify.com", "one")
    stores.delete("one")
    assert stores.of_shop("tea.myshopify.com") is None
