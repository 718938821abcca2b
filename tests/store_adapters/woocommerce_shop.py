"""Deliveries of an invented WooCommerce shop, each derived from a recorded one and signed like it.

Times are of one day, given in seconds after the recorded order was placed. Bodies differ from the recorded ones only in
what a test names.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.any_order import Told
from tests.recorded import load, load_json, signature

PLACED = datetime(2026, 11, 21, 21, 15, 56, tzinfo=UTC)  # of the recorded order
ZONE_HOURS = 1  # Paris in November
_RECORDED = {"order": "order.updated", "customer": "customer.created", "product": "product.updated"}


def at(seconds: float) -> datetime:
    return PLACED + timedelta(seconds=seconds)


def times(**moments: datetime | None) -> dict[str, str | None]:
    """Each time twice, as WooCommerce tells it: in the shop's zone and in GMT."""
    found: dict[str, str | None] = {}
    for name, moment in moments.items():
        local = moment and moment + timedelta(hours=ZONE_HOURS)
        found[name] = local and f"{local:%Y-%m-%dT%H:%M:%S}"
        found[f"{name}_gmt"] = moment and f"{moment:%Y-%m-%dT%H:%M:%S}"
    return found


def told(topic: str, body: Any, seconds: float = 0) -> Told:
    """A delivery with the headers of the recorded one of its kind. Its id is a hash of the webhook and the second."""
    resource, event = topic.split(".")
    headers, _ = load(_RECORDED[resource])
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    delivery_id = hashlib.md5(f"{topic}{at(seconds):%H%M%S}".encode(), usedforsecurity=False).hexdigest()
    changed = {"Topic": topic, "Resource": resource, "Event": event, "Signature": signature(raw)}
    ours = {f"X-WC-Webhook-{name}": value for name, value in {**changed, "Delivery-ID": delivery_id}.items()}
    return {**headers, **ours, "Content-Length": str(len(raw))}, raw


def order_body(number: int, status: str, seconds: float, **changed: Any) -> dict[str, Any]:
    """As it stands so many seconds after it was placed: paid at once unless its status says that it never was."""
    paid = PLACED if status.removeprefix("wc-") in ("processing", "completed", "refunded") else None
    done = at(seconds) if status.removeprefix("wc-") == "completed" else None
    moments = times(date_created=PLACED, date_modified=at(seconds), date_paid=paid, date_completed=done)
    return {**load_json("order.updated"), "id": number, "number": str(number), "status": status, **moments, **changed}


def order(number: int, status: str, seconds: float, topic: str = "order.updated", **changed: Any) -> Told:
    return told(topic, order_body(number, status, seconds, **changed), seconds)


def guest(email: str = "guest@example.test", phone: str = "", **changed: Any) -> dict[str, Any]:
    """The fields of an order that somebody without an account placed."""
    billing = {**load_json("order.updated")["billing"], "first_name": "Gil", "last_name": "Bar", **changed}
    return {"customer_id": 0, "billing": {**billing, "email": email, "phone": phone}}


def line(product: int, total: str, *, quantity: float = 1, tax: str = "0.00", **changed: Any) -> dict[str, Any]:
    first = load_json("order.updated")["line_items"][0]
    known = {"product_id": product, "quantity": quantity, "subtotal": total, "total": total, "total_tax": tax}
    return {**first, "id": product * 10, "name": f"Product {product}", **known, "meta_data": [], **changed}


def meta(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"id": number, "key": key, "value": value} for number, (key, value) in enumerate(values.items(), 1)]


def refund(number: int, total: str) -> dict[str, Any]:
    return {"id": number, "reason": "", "total": f"-{total}"}


def product(number: int, seconds: float, topic: str = "product.updated", **changed: Any) -> Told:
    body = {**load_json("product.updated"), "id": number, **times(date_modified=at(seconds)), **changed}
    return told(topic, body, seconds)


def variation(number: int, parent: int, seconds: float, **changed: Any) -> Told:
    body = {**load_json("product.created"), "id": number, "parent_id": parent, **times(date_modified=at(seconds))}
    return told("product.updated", {**body, **changed}, seconds)


def customer(number: int, seconds: float, email: str, topic: str = "customer.updated", **changed: Any) -> Told:
    body = load_json("customer.created")
    billing = {**body["billing"], "email": email, "phone": ""}
    moments = times(date_created=PLACED, date_modified=at(seconds))
    return told(topic, {**body, "id": number, "email": email, "billing": billing, **moments, **changed}, seconds)


def deleted(resource: str, number: int, seconds: float) -> Told:
    return told(f"{resource}.deleted", {"id": number}, seconds)


def bodies(deliveries: Sequence[Told]) -> list[Any]:
    return [json.loads(body) for _, body in deliveries]
