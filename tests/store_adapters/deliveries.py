"""Deliveries and stores for the adapters' tests."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from chalicelib.commerce.store import Platform, Store
from chalicelib.store_adapters import adapter_for
from chalicelib.store_adapters.base import Change, Delivery
from tests.recorded import load

NOW = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)


def store(platform: str = "woocommerce", **changed: Any) -> Store:
    told: dict[str, Any] = {
        "id": "shop",
        "platform": Platform(platform),
        "name": "Shop",
        "url": "https://shop.example",
        "country": "FR",
        "currency": "EUR",
        "timezone": "Europe/Paris",
        "locale": "fr",
        "created_at": NOW,
    }
    return Store(**{**told, **changed})


def delivery(body: bytes, topic: str, platform: str = "woocommerce", **headers: str) -> Delivery:
    name = "x-wc-webhook-topic" if platform == "woocommerce" else "x-shopify-topic"
    return Delivery("shop", platform, {name: topic, **headers}, body, NOW)


def recorded(name: str) -> Delivery:
    headers, body = load(name)
    return Delivery("shop", "woocommerce", {key.lower(): value for key, value in headers.items()}, body, NOW)


def told(body: Any, topic: str, platform: str = "woocommerce", **store_changed: Any) -> list[Change]:
    """What the adapter makes of this JSON value (or these bytes)."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return adapter_for(platform).parse(delivery(raw, topic, platform), store(platform, **store_changed))
