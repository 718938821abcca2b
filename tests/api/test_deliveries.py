from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from chalicelib.handlers.ingest import ingest
from chalicelib.store_adapters.base import Unintelligible
from chalicelib.store_adapters.woocommerce import WooCommerce
from tests.api.client import Caller
from tests.api.conftest import ApiWiring
from tests.conftest import HandClock


@pytest.fixture
def path(store: dict[str, Any]) -> str:
    return f"/v1/stores/{store['id']}/deliveries"


@pytest.fixture
def deliver(call: Caller, store: dict[str, Any], wired: ApiWiring, clock: HandClock) -> Any:
    """Sends a body through the webhook door and the queue's reader."""

    def send(body: bytes, number: int, topic: str = "order.updated") -> None:
        clock.advance(seconds=1)
        signature = base64.b64encode(hmac.new(store["secret"].encode(), body, hashlib.sha256).digest()).decode()
        headers = {
            "x-wc-webhook-topic": topic,
            "x-wc-webhook-signature": signature,
            "x-wc-webhook-delivery-id": f"d{number}",
            "x-wc-webhook-source": "https://shop.example/",
        }
        assert call("POST", f"/webhooks/woocommerce/{store['id']}", body=body, headers=headers).status == 200
        message = wired.queue.sent.pop()  # type: ignore[attr-defined]
        answer = ingest({"Records": [{"messageId": "m", "body": json.dumps(message), "eventSource": "aws:sqs"}]}, None)
        assert answer == {"batchItemFailures": []}

    return send


def test_deliveries_are_listed_by_what_became_of_them(call: Caller, path: str, deliver: Any) -> None:
    gone = json.dumps({"id": 19}).encode()
    deliver(gone, 1, "order.deleted")
    deliver(gone, 1, "order.deleted")
    deliver(b'{"id": "what?"}', 2)
    assert [d["status"] for d in call("GET", path).json["items"]] == ["applied", "repeated", "parked"]
    for status in ("applied", "repeated", "parked"):
        assert [d["status"] for d in call("GET", f"{path}?status={status}").json["items"]] == [status]
    parked = call("GET", f"{path}?status=parked").json["items"][0]
    assert parked["reason"]
    assert parked["topic"] == "order.updated"
    assert call("GET", f"{path}?status=lost").fields == ["status"]
    page = call("GET", f"{path}?limit=2").json
    rest = call("GET", f"{path}?limit=2&cursor={page['next']}").json
    assert [d["status"] for d in rest["items"]] == ["parked"]
    assert rest["next"] is None


def test_a_parked_delivery_is_read_once_more_after_a_fix(
    call: Caller, path: str, deliver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise Unintelligible("id: expected a whole number")

    with monkeypatch.context() as patched:
        patched.setattr(WooCommerce, "parse", broken)
        deliver(json.dumps({"id": 19}).encode(), 1, "order.deleted")
    parked = call("GET", f"{path}?status=parked").json["items"][0]
    assert parked["reason"] == "id: expected a whole number"
    replayed = call("POST", f"{path}/{parked['id']}/replay")
    assert replayed.status == 200
    assert (replayed.json["id"], replayed.json["status"]) == (parked["id"], "applied")
    assert call("GET", f"{path}?status=parked").json["items"] == []
    assert call("POST", f"{path}/{parked['id']}/replay").json == replayed.json


def test_a_delivery_that_never_came_is_not_found(call: Caller, path: str) -> None:
    for identifier in ("none", "%00", "%F0%9F%98%80", "a" * 200):
        assert call("POST", f"{path}/{identifier}/replay").status == 404
