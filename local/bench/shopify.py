"""A Shopify shop's history by a bulk operation's file: orders per second, and memory however long the file is.

The shop and the pull are processes of their own. 10,000 and 100,000 objects (an order and two line items are three)
come through client, adapter and pull, and are then only counted; into the table they go as any shop's do (`history`).
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, cast

from chalicelib.commerce.store import Connection, Platform, Store
from chalicelib.store_adapters.shopify_admin import ShopifyAdmin
from chalicelib.store_adapters.shopify_history import ShopifyHistory
from chalicelib.store_adapters.shopify_tokens import OneToken
from chalicelib.sync.ports import Shop
from local.bench.history import Parts, connected, pull_of
from local.bench.shopify_shop import LINES
from local.table_server import TableServer

OBJECTS = (10_000, 100_000)


def measure(objects: tuple[int, int] = OBJECTS) -> dict[str, Any]:
    """Objects and orders per second, megabytes (1,000,000 bytes), and their ratio, many against few."""
    few, many = (_pulled(number) for number in objects)
    return {"counted": [few, many], "memory_ratio": round(many["peak_mb"] / few["peak_mb"], 3)}


def _pulled(objects: int) -> dict[str, Any]:
    orders = objects // (1 + LINES)
    shop = subprocess.Popen(
        [sys.executable, "-m", "local.bench.shopify_shop", str(orders)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert shop.stdout
        address = shop.stdout.readline().strip()
        puller = [sys.executable, "-m", "local.bench.shopify", str(orders), address]
        told = subprocess.run(puller, check=True, capture_output=True, text=True).stdout
        return {"objects": orders * (1 + LINES), **cast("dict[str, Any]", json.loads(told))}
    finally:
        assert shop.stdin
        shop.stdin.close()
        shop.wait(10)


class _ShopifyParts(Parts):
    def __init__(self, tables: TableServer, way: str, address: str) -> None:
        super().__init__(tables, way)
        self._address = address

    def shop(self, store: Store) -> Shop:
        admin = ShopifyAdmin(self._address, OneToken("bench-token"), self.private_shops)
        return ShopifyHistory(admin, store, lambda: 0)


def _connected(parts: Parts) -> Store:
    made = connected(parts, "http://unused.example/")
    assert made.connection
    tied = Connection(status=made.connection.status, shop="tea.myshopify.com", at=made.connection.at)
    return parts.stores.save(made.model_copy(update={"platform": Platform.SHOPIFY, "connection": tied}))


def main() -> None:
    orders, address = sys.argv[1:]
    parts = lambda tables, way: _ShopifyParts(tables, way, address)  # noqa: E731
    print(json.dumps(pull_of(int(orders), "counted", parts, _connected)))


if __name__ == "__main__":
    main()
