from __future__ import annotations

from collections.abc import Iterator

import pytest

from chalicelib.storage.table import Table
from chalicelib.sync import pull
from local.bench.shop import FakeShop
from tests.conftest import HandClock
from tests.sync.world import Make, Parts, World, connected


@pytest.fixture
def make(table: Table, clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """`make(orders=…)`: a shop whose orders are of the last year, up to two days before the clock's now."""
    shops: list[FakeShop] = []
    monkeypatch.setattr(pull, "PAGE", 10)

    def made(**told: object) -> World:
        from datetime import timedelta

        shop = FakeShop(**{"until": clock.now() - timedelta(days=2), **told}).serve()  # type: ignore[arg-type]
        shops.append(shop)
        parts = Parts(table, clock)
        connected(parts, shop.rest_url)
        return World(parts, shop, clock)

    yield made
    for shop in shops:
        shop.close()
