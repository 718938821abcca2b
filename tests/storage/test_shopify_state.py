"""What a walk through Shopify's grant page is remembered by, and which store a shop becomes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.access import ShopifyState
from chalicelib.errors import Conflict
from chalicelib.storage.connections import Connections
from chalicelib.storage.stores import Stores
from chalicelib.storage.table import Table
from tests.storage.test_shop_pointer import _store

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
TEA = "tea.myshopify.com"


def test_of_many_who_bring_a_state_one_uses_it(table: Table) -> None:
    connections = Connections(table)
    connections.put_state(ShopifyState(hash="h", shop=TEA, browser="b", expires_at=NOW + timedelta(minutes=10)))
    with ThreadPoolExecutor(8) as hands:
        won = list(hands.map(lambda _: Connections(table).use_state("h", NOW), range(8)))
    assert sorted(won) == [False] * 7 + [True]
    found = connections.state("h")
    assert found is not None and (found.shop, found.used_at) == (TEA, NOW)
    assert not connections.use_state("another", NOW)


def test_an_install_link_is_opened_once(table: Table) -> None:
    connections = Connections(table)
    assert connections.use_link("h", NOW)
    assert not connections.use_link("h", NOW)
    assert connections.use_link("g", NOW)


def test_a_store_and_its_shops_pointer_are_written_at_once(table: Table) -> None:
    stores = Stores(table)
    saved = stores.save_as_shop(_store("one"), TEA)
    assert saved.rev == 1
    found = stores.of_shop(TEA)
    assert found == saved
    again = stores.save_as_shop(saved.model_copy(update={"name": "Teas"}), TEA)
    assert stores.of_shop(TEA) == again
    with pytest.raises(Conflict):
        stores.save_as_shop(saved, TEA)  # of a revision before


def test_a_shop_that_became_another_store_meanwhile_is_not_taken(table: Table) -> None:
    stores = Stores(table)
    stores.save_as_shop(_store("one"), TEA)
    with pytest.raises(Conflict):
        stores.save_as_shop(_store("two"), TEA)
    assert stores.get("two") is None
    stores.delete("one")
    stores.save_as_shop(_store("two"), TEA)
    found = stores.of_shop(TEA)
    assert found is not None and found.id == "two"
