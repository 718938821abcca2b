"""Shopify's webhooks over EventBridge are the same deliveries, by another way."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib.errors import TryLater
from chalicelib.handlers.shopify_events import Unreadable, shopify_events
from chalicelib.storage.queue import LARGEST_MESSAGE, SqsQueue
from chalicelib.store_adapters.envelope import decode
from local.table_server import TableServer
from tests.conftest import HandClock
from tests.handlers.shopify_shops import COFFEE, EMAIL, TEA, Shops, event, order, two_shops


@pytest.fixture
def shops(table_server: TableServer, clock: HandClock) -> Iterator[Shops]:
    with two_shops(table_server, clock) as made:
        yield made


@pytest.mark.parametrize("first", ["https", "event"])
def test_the_same_event_by_both_ways_counts_once(shops: Shops, first: str) -> None:
    told = order(1001, shops.clock.now())
    for way in (first, "event" if first == "https" else "https"):
        send: Any = shops.by_event if way == "event" else shops.to_store
        send("orders/create", told, event_id="one")
    assert [len(shops.kept(status)) for status in ("applied", "repeated", "parked")] == [1, 1, 0]
    assert len(shops.enrolments()) == 1


def test_an_event_becomes_what_the_delivery_would_be(shops: Shops) -> None:
    told = order(1001, shops.clock.now(), note="תה 😀", nothing=None)
    body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    keep: list[Any] = []
    shops.listener.queue.send = lambda message, _: keep.append(decode(message))  # type: ignore[method-assign]
    shops.to_store("orders/create", body, event_id="one", Triggered_At="2026-11-21T22:00:00.110521905Z")
    shops.by_event("orders/create", told, event_id="one", Triggered_At="2026-11-21T22:00:00.110521905Z")
    https, bridge = keep
    assert (bridge.body, bridge.repeat_key, bridge.received_at) == (body, https.repeat_key, https.received_at)
    signed = {"x-shopify-hmac-sha256": bridge.headers["x-shopify-hmac-sha256"]}
    assert {**https.headers, **signed} == bridge.headers
    assert (https.store_id, bridge.store_id, bridge.shop) == ("tea", "", TEA)


def test_numbers_stay_exact(shops: Shops) -> None:
    shops.by_event("orders/create", json.loads(json.dumps(order(1, shops.clock.now(), id=2**63 + 1, tax=0.1))))
    assert shops.parts.orders.get("tea", str(2**63 + 1)) is not None


def test_each_event_reaches_the_store_of_its_shop(shops: Shops) -> None:
    shops.by_event("orders/create", order(1001, shops.clock.now()), shop="Coffee.myshopify.com")
    assert shops.parts.contacts.find("coffee", "email", EMAIL) is not None
    assert shops.parts.contacts.find("tea", "email", EMAIL) is None


def test_a_shop_that_became_another_stores_is_not_the_first_ones_any_more(shops: Shops) -> None:
    """Its pointer may lag behind the connection: what the store is tied to decides."""
    shops.parts.stores.point_shop(COFFEE, "tea")
    shops.by_event("orders/create", order(1001, shops.clock.now()), shop=COFFEE)
    assert len(shops.kept("parked")) == 1
    assert shops.parts.contacts.find("tea", "email", EMAIL) is None


def test_an_unknown_shops_event_is_let_go_and_its_domain_logged(shops: Shops, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    before = len(shops.listener.items())
    shops.by_event("orders/create", order(1001, shops.clock.now()), shop="nobody.myshopify.com")
    assert len(shops.listener.items()) == before
    assert [getattr(record, "shop", None) for record in caplog.records] == ["nobody.myshopify.com"]
    assert EMAIL not in caplog.text


def test_a_payload_of_nearly_256_kilobytes_fits(shops: Shops) -> None:
    sent: list[str] = []
    client: Any = SimpleNamespace(send_message=lambda QueueUrl, MessageBody: sent.append(MessageBody))
    queue = SqsQueue(client, "queue", lambda: shops.listener.bucket)
    send, shops.listener.queue.send = shops.listener.queue.send, queue.send  # type: ignore[method-assign]
    noise = "".join(chr(33 + (number * 7919) % 89) for number in range(250_000))
    shopify_events(event("orders/create", order(1001, shops.clock.now(), note=noise)), None)
    shops.listener.queue.send = send  # type: ignore[method-assign]
    shops.listener.queue.messages = [json.loads(text) for text in sent]
    assert len(sent[0]) <= LARGEST_MESSAGE
    shops.read()
    assert len(shops.kept("applied")) == 1
    assert "deliveries/shopify/" not in str(list(shops.listener.bucket.kept)), "what travelled is gone"


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        ({}, "detail.payload"),
        ({"detail": None}, "detail.payload"),
        ({"detail": {"payload": "<order/>", "metadata": {}}}, "detail.payload"),
        ({"detail": {"payload": {}, "metadata": []}}, "detail.metadata"),
        ({"detail": {"payload": {}, "metadata": {"X-Shopify-Topic": "orders/create"}}}, "X-Shopify-Shop-Domain"),
        ({"detail": {"payload": {}, "metadata": {"X-Shopify-Shop-Domain": TEA}}}, "X-Shopify-Topic"),
    ],
)
def test_what_is_no_event_of_shopify_is_logged_by_its_field_and_raised(
    shops: Shops, broken: dict[str, Any], named: str, caplog: pytest.LogCaptureFixture
) -> None:
    """So that it is tried again and then waits among the lost events, instead of being gone."""
    with pytest.raises(Unreadable, match=named):
        shopify_events({"id": "6fd2", **broken}, None)
    (record,) = caplog.records
    assert named in record.getMessage() and record.event_id == "6fd2"  # type: ignore[attr-defined]


def test_a_queue_that_is_out_is_tried_again(shops: Shops, monkeypatch: pytest.MonkeyPatch) -> None:
    def out(*_: Any) -> None:
        raise TryLater("the queue is out")

    monkeypatch.setattr(shops.listener.queue, "send", out)
    with pytest.raises(TryLater):
        shops.by_event("orders/create", order(1001, shops.clock.now()))


def test_the_function_loads_neither_pydantic_nor_a_record() -> None:
    script = (
        "import sys; import chalicelib.handlers.shopify_events, chalicelib.storage.queue;"
        "bad = {'pydantic', 'boto3', 'ulid', 'chalicelib.commerce.order'} & sys.modules.keys();"
        "sys.exit(str(bad) if bad else 0)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
