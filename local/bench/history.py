"""The pull of a store's history against a shop of our own: orders per second, and memory however many there are.

The shop and the pull are processes of their own. 1,000 and 5,000 orders come into a real table; 100,000 are asked for,
read and counted, for a table on this machine would make of that a matter of many minutes (by hand: `python -m
local.bench.history 100000 records`). Peak memory is the pulling process's (its largest resident set).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from chalicelib.clock import SystemClock
from chalicelib.commerce.intake import Applied
from chalicelib.commerce.store import Connection, ConnectionStatus, Platform, Store
from chalicelib.ids import new_id
from chalicelib.settings import Settings
from chalicelib.storage.table import create_table
from chalicelib.sync.progress import SyncStatus
from chalicelib.wiring import Wiring
from local.bench.memory import high_water
from local.bench.shop import KEY, SECRET
from local.listing_index import IndexedTableClient
from local.table_server import TableServer, local_client

RECORDS = (1_000, 5_000)  # orders into a real table
COUNTED = (1_000, 100_000)


def measure(records: tuple[int, int] = RECORDS, counted: tuple[int, int] = COUNTED) -> dict[str, Any]:
    """Orders per second, megabytes (1,000,000 bytes), and their ratios, many against few."""
    kept = [_pulled(orders, "records") for orders in records]
    read = [_pulled(orders, "counted") for orders in counted]
    return {
        "records": kept,
        "counted": read,
        "orders_per_second": kept[-1]["orders_per_second"],
        "speed_ratio": round(kept[-1]["orders_per_second"] / kept[0]["orders_per_second"], 2),
        "records_memory_ratio": round(kept[-1]["peak_mb"] / kept[0]["peak_mb"], 3),
        "memory_ratio": round(read[-1]["peak_mb"] / read[0]["peak_mb"], 3),
    }


def _pulled(orders: int, way: str) -> dict[str, Any]:
    shop = subprocess.Popen(
        [sys.executable, "-m", "local.bench.shop", str(orders)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert shop.stdout
        rest_url = shop.stdout.readline().strip()
        puller = [sys.executable, "-m", "local.bench.history", str(orders), way, rest_url]
        told = subprocess.run(puller, check=True, capture_output=True, text=True).stdout
        return cast("dict[str, Any]", json.loads(told))
    finally:
        assert shop.stdin
        shop.stdin.close()
        shop.wait(10)


class _Counting:
    """In the intake's place."""

    def __init__(self) -> None:
        self.count = 0

    def apply(self, *told: Any) -> Applied:
        self.count += 1
        return Applied()


class _Workflows:
    def start(self, machine: str, execution: str, payload: dict[str, Any]) -> None:
        """The pull is called by hand."""


class Parts(Wiring):
    """Production's wiring, with the embedded table."""

    private_shops = True

    def __init__(self, tables: TableServer, way: str) -> None:
        super().__init__(Settings.from_environment({"AGALA_PUBLIC_URL": "https://agala.example"}))
        self._tables, self._way = tables, way
        self._clients: dict[str, Any] = {}
        self.clock = SystemClock()
        self.workflows = cast("Any", _Workflows())

    def client(self, service: str) -> Any:
        if service not in self._clients:
            endpoint = self._tables.endpoint
            quick = service == "dynamodb"
            self._clients[service] = (
                IndexedTableClient(endpoint, self._tables.file) if quick else local_client(service, endpoint)
            )
        return self._clients[service]

    @cached_property
    def history_intake(self) -> Any:
        return _Counting() if self._way == "counted" else super().history_intake


def pull(orders: int, way: str, rest_url: str) -> dict[str, Any]:
    return pull_of(orders, way, Parts, lambda parts: connected(parts, rest_url))


def pull_of(
    orders: int, way: str, made: Callable[[TableServer, str], Parts], store_of: Callable[[Parts], Store]
) -> dict[str, Any]:
    """All of the shop, by the calls that the state machine would make."""
    with tempfile.TemporaryDirectory(prefix="agala-bench-") as folder:
        tables = TableServer(Path(folder) / "table")
        try:
            parts = made(tables, way)
            create_table(local_client("dynamodb", tables.endpoint), parts.settings.table)
            store = store_of(parts)
            progress = parts.sync.history(store)
            began = time.perf_counter()
            calls = 1
            while not parts.pull.work(store.id, progress.run, progress.execution)["done"]:
                calls += 1
            seconds = time.perf_counter() - began
            done = parts.sync_records.get(store.id)
            if done is None or done.status is not SyncStatus.DONE or done.parts[-1].done != orders:
                raise RuntimeError(f"the pull did not come to its end: {done}")
        finally:
            tables.close()
    return {
        "orders": orders,
        "seconds": round(seconds, 1),
        "orders_per_second": round(orders / seconds, 1),
        "calls": calls,
        "peak_mb": round(high_water(os.getpid()) / 1e6, 1),
    }


def connected(parts: Wiring, rest_url: str) -> Store:
    now = parts.clock.now()
    store = Store(
        id=new_id(now),
        platform=Platform.WOOCOMMERCE,
        name="Tea",
        url="https://tea.example",
        country="IL",
        currency="ILS",
        timezone="Asia/Jerusalem",
        locale="he",
        created_at=now - timedelta(minutes=1),
        connection=Connection(status=ConnectionStatus.CONNECTED, rest_url=rest_url, at=now, keys_at=now),
    )
    parts.secrets.put_webhook_secret(store.id, "bench-webhook-secret")
    parts.secrets.put_rest_keys(store.id, KEY, SECRET)
    return parts.stores.save(store)


def main() -> None:
    orders, way, *rest_url = sys.argv[1:]
    found = pull(int(orders), way, rest_url[0]) if rest_url else _pulled(int(orders), way)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
