"""A cart from the plugin's call to the API's answer: door, queue, ingest, records."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

from chalicelib.handlers.ingest import ingest
from tests.api.client import Caller
from tests.api.conftest import ApiWiring

CART: dict[str, Any] = {
    "id": "call-1",
    "token": "c0ffee",
    "event": "checkout",
    "email": "Shopper01@tea.example",
    "phone": "050-555-0101",
    "first_name": "נועה",
    "items": [
        {
            "product_id": "101",
            "name": "<b>תה</b> & ירוק",
            "quantity": 2,
            "price": {"amount": 5900, "currency": "ILS"},
            "image": "https://shop.example/tea.jpg",
            "url": "https://shop.example/tea",
            "categories": ["21"],
        }
    ],
    "total": {"amount": 11800, "currency": "ILS"},
    "coupons": ["spring"],
    "restore_url": "https://shop.example/?agala-restore=c0ffee.1.abc",
    "consent": {"email": {"status": "subscribed", "text": "כן", "at": "2026-11-21T21:58:00Z"}},
    "occurred_at": "2026-11-21T21:59:00Z",
}


def tell(call: Caller, store: dict[str, Any], **changes: Any) -> int:
    body = json.dumps({**CART, **changes}).encode()
    timestamp = str(int(time.time()))
    signature = hmac.new(store["secret"].encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {"X-Agala-Timestamp": timestamp, "X-Agala-Signature": signature, "authorization": ""}
    return call("POST", f"/v1/stores/{store['id']}/carts", body=body, headers=headers).status


def work_off(wired: ApiWiring) -> None:
    queue: Any = wired.queue
    records = [{"messageId": str(n), "body": json.dumps(sent)} for n, sent in enumerate(queue.sent)]
    queue.sent.clear()
    assert ingest({"Records": records}, None) == {"batchItemFailures": []}


def test_a_cart_is_shown_as_it_was_told(call: Caller, wired: ApiWiring, store: dict[str, Any]) -> None:
    base = f"/v1/stores/{store['id']}"
    assert tell(call, store) == 202
    work_off(wired)
    shown = call("GET", f"{base}/carts/c0ffee").json
    assert (shown["status"], shown["lines"], shown["total"]) == ("open", 1, CART["total"])
    assert shown["items"][0]["name"] == "<b>תה</b> & ירוק"
    assert (shown["restore_url"], shown["checkout_at"]) == (CART["restore_url"], "2026-11-21T21:59:00.000Z")
    contact = call("GET", f"{base}/contacts?email=shopper01@tea.example").json["items"][0]
    assert shown["contact_id"] == contact["id"]
    assert contact["consent"]["email"]["status"] == "subscribed"
    assert contact["consent"]["sms"]["status"] == "never_asked"
    events = [event["type"] for event in call("GET", f"{base}/contacts/{contact['id']}/timeline").json["items"]]
    assert {"cart_updated", "checkout_started"} <= {*events}


def test_a_repeated_call_changes_nothing(call: Caller, wired: ApiWiring, store: dict[str, Any]) -> None:
    base = f"/v1/stores/{store['id']}"
    tell(call, store)
    work_off(wired)
    before = call("GET", f"{base}/carts/c0ffee").json
    assert tell(call, store, total={"amount": 1, "currency": "ILS"}) == 202
    work_off(wired)
    assert call("GET", f"{base}/carts/c0ffee").json == before
    assert len(call("GET", f"{base}/deliveries?status=repeated").json["items"]) == 1


def test_a_bought_cart_stays_bought(call: Caller, wired: ApiWiring, store: dict[str, Any]) -> None:
    tell(call, store)
    tell(call, store, id="call-2", event="converted", order_id="77", occurred_at="2026-11-21T21:59:30Z")
    tell(call, store, id="call-3", event="updated", occurred_at="2026-11-21T21:59:50Z")
    work_off(wired)
    shown = call("GET", f"/v1/stores/{store['id']}/carts/c0ffee").json
    assert (shown["status"], shown["order_id"]) == ("bought", "77")


def test_no_such_cart(call: Caller, store: dict[str, Any]) -> None:
    assert call("GET", f"/v1/stores/{store['id']}/carts/none").status == 404
