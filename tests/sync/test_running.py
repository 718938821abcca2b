"""The running product connects to a shop, is killed in the middle of its history, and goes on where it was."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local.bench.shop import KEY, SECRET, FakeShop, Mood
from tests.local.test_runtime import Process

ORDERS = 420


@pytest.fixture
def shop() -> Iterator[FakeShop]:
    made = FakeShop(ORDERS, until=datetime.now(UTC) - timedelta(hours=1)).serve()
    yield made
    made.close()


def connect(process: Process, shop: FakeShop) -> str:
    import base64
    import json

    made: dict[str, Any] = process.ask("/v1/connection-codes", "POST", {})[1]
    inside = made["code"].removeprefix("agala_")
    key = json.loads(base64.urlsafe_b64decode(inside + "=" * (-len(inside) % 4)))["key"]
    told = {
        "platform": "woocommerce",
        "name": "Tea",
        "url": shop.url,
        "rest_url": shop.rest_url,
        "country": "IL",
        "currency": "ILS",
        "timezone": "Asia/Jerusalem",
        "locale": "he_IL",
    }
    status, connection = process.ask("/v1/connections", "POST", told, token=key)
    assert status == 201, connection
    keys = {"key_id": 1, "user_id": 1, "consumer_key": KEY, "consumer_secret": SECRET, "key_permissions": "read_write"}
    assert process.ask(connection["keys_url"].removeprefix(process.url), "POST", keys)[0] == 200
    return str(connection["store_id"])


def await_sync(process: Process, store_id: str, wanted: Any) -> dict[str, Any]:
    deadline = time.monotonic() + 90
    while True:
        status, found = process.ask(f"/v1/stores/{store_id}/sync")
        assert status == 200
        if wanted(found):
            return dict(found)
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def orders_done(sync: dict[str, Any]) -> int:
    return int(next((part["done"] for part in sync["parts"] if part["kind"] == "orders"), 0))


def test_a_history_survives_a_kill_and_reads_no_page_twice(tmp_path: Path, shop: FakeShop) -> None:
    shop.mood = Mood(slow=0.3, only="orders")
    first = Process(tmp_path).ready()
    second: Process | None = None
    try:
        store_id = connect(first, shop)
        await_sync(first, store_id, lambda sync: 0 < orders_done(sync) < ORDERS)
        first.popen.kill()
        first.popen.wait(10)
        before = shop.asked.count("GET orders")
        second = Process(tmp_path).ready()
        ended = await_sync(second, store_id, lambda sync: sync["status"] == "done")
        assert [(part["kind"], part["done"]) for part in ended["parts"]][-1] == ("orders", ORDERS)
        assert shop.asked.count("GET orders") <= 6, f"{before} before the kill"
        assert len(shop.shelves["webhooks"].put) == 11
        addresses = {webhook["delivery_url"] for webhook in shop.shelves["webhooks"].put.values()}
        assert len(addresses) == 1
        assert addresses.pop().endswith(f"/webhooks/woocommerce/{store_id}")
        newest = second.ask(f"/v1/stores/{store_id}/orders/{1000 + ORDERS}")[1]
        assert newest["status"] == "completed"
        assert second.ask(f"/v1/stores/{store_id}")[1]["connection"]["keys_at"]
    finally:
        for process in (first, second):
            if process and process.popen.poll() is None:
                process.end(signal.SIGTERM)
