"""The privacy topics in the whole product on one machine, its outbox included."""

from __future__ import annotations

import json
import time
import urllib.request
from pathlib import Path
from typing import Any

from local.outbox import Outbox
from tests.conftest import HandClock
from tests.local.test_outbox import email
from tests.local.test_runtime import STORE, Process, begun  # noqa: F401 - the fixture
from tests.recorded import signature

DANA = "dana.quillfeather@shopper.example"
SHOP = {"shop_id": 1, "shop_domain": "tea.myshopify.com"}


def told(process: Process, store: dict[str, Any], topic: str, body: dict[str, Any], requests: int) -> list[Any]:
    """The store's privacy requests once there are so many of them, all carried out."""
    raw = json.dumps({**SHOP, **body}).encode()
    headers = {"X-Shopify-Topic": topic, "X-Shopify-Hmac-Sha256": signature(raw, store["secret"])}
    headers["Content-Type"] = "application/json"
    with urllib.request.urlopen(urllib.request.Request(store["webhook_url"], raw, headers), timeout=20) as answer:
        assert answer.status == 200
    ends = time.monotonic() + 20
    while True:
        items: list[Any] = process.ask(f"/v1/stores/{store['id']}/privacy-requests")[1]["items"]
        if len(items) == requests and all(one["done_at"] for one in items):
            return items
        assert time.monotonic() < ends, items
        time.sleep(0.02)


def test_a_shop_that_leaves_takes_its_people_along(tmp_path: Path, begun: list[Process]) -> None:  # noqa: F811
    process = Process(tmp_path)
    begun.append(process.ready())
    store = process.ask("/v1/stores", "POST", {**STORE, "platform": "shopify"})[1]
    path = f"/v1/stores/{store['id']}"
    contact = process.ask(f"{path}/contacts", "POST", {"email": DANA})[1]["id"]
    sent = {"store_id": store["id"], "contact_id": contact, "to": DANA}
    Outbox(tmp_path / "outbox.db", HandClock()).send(email(f"{contact}-m1").model_copy(update=sent))
    (asked,) = told(
        process, store, "customers/data_request", {"customer": {"email": DANA}, "data_request": {"id": 1}}, 1
    )
    export = process.ask(f"{path}/privacy-requests/{asked['id']}/export")[1]
    assert [one["contact"]["email"] for one in export["contacts"]] == [DANA]
    assert len(process.ask("/local/outbox")[1]["items"]) == 1
    told(process, store, "shop/redact", {}, 2)
    assert process.ask(f"{path}/privacy-requests/{asked['id']}/export")[0] == 404
    assert process.ask(f"{path}/contacts")[1]["items"] == []
    assert process.ask("/local/outbox")[1]["items"] == []
