"""A second store, fed with deliveries recorded from a real WooCommerce: shuffled, repeated, and some forged."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from local.demo.delivery import Delivery, sign
from local.demo.live import Runtime
from local.demo.play import START, activate
from local.demo.woocommerce import delivery

FOLDER = Path(__file__).parents[2] / "tests" / "recorded" / "woocommerce"
SECRET = "bench-webhook-secret"  # noqa: S105 (the recording's own, of a bench shop)


def load() -> list[Delivery]:
    """Every recorded delivery: its exact bytes and headers."""
    return [_read(path) for path in sorted(FOLDER.glob("*.http"))]


def _read(path: Path) -> Delivery:
    head, _, body = path.read_bytes().replace(b"\r\n\r\n", b"\n\n", 1).partition(b"\n\n")
    lines = head.decode().splitlines()[1:]
    headers = {name: value for name, _, value in (line.partition(": ") for line in lines)}
    for hop in ("Connection", "Content-Length", "Host", "Accept-Encoding"):
        headers.pop(hop, None)
    return Delivery(headers.get("X-WC-Webhook-Topic", "ping"), body, headers)


def feed(runtime: Runtime) -> dict[str, Any]:
    """Delivers everything three times in random order, with a forged and a broken one among them.

    Returns what the doors answered: `{store_id, taken, forged, broken}` as HTTP statuses.
    """
    made = runtime.call(
        "POST",
        "/v1/stores",
        {
            "platform": "woocommerce",
            "name": "Recorded mugs",
            "url": "https://mugs.example",
            "country": "FR",
            "currency": "EUR",
            "timezone": "Europe/Paris",
            "locale": "en",
            "secret": SECRET,
        },
    )
    store_id = str(made.body["id"])
    gallery = {t["id"]: t["definition"] for t in runtime.get("/v1/journey-templates")["items"]}
    activate(runtime, store_id, "thank-you-new", gallery["thank-you-new"])
    deliveries = load() * 3
    random.Random(20261121).shuffle(deliveries)  # noqa: S311 (an order of arrival, not a secret)
    taken = [runtime.deliver(store_id, one) for one in deliveries]
    order = next(one for one in deliveries if one.topic == "order.updated")
    forged = Delivery(order.topic, order.body.replace(b'"50.00"', b'"5.00"'), order.headers)
    broken = delivery(SECRET, "order.updated", b'{"id": 77, "status": "\xd7\xa9", "total": []', at=START)
    assert broken.headers["X-WC-Webhook-Signature"] == sign(SECRET, broken.body)
    return {
        "store_id": store_id,
        "taken": taken,
        "forged": runtime.deliver(store_id, forged),
        "broken": runtime.deliver(store_id, broken),
    }
