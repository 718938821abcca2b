"""One call of a shop's webhook, as it goes over the wire."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass


@dataclass(frozen=True)
class Delivery:
    """Its topic, the exact bytes, the headers that go with them, and the platform whose door it knocks at."""

    topic: str
    body: bytes
    headers: dict[str, str]
    platform: str = "woocommerce"


def sign(secret: str, body: bytes) -> str:
    """Of WooCommerce and of Shopify alike: base64 of HMAC-SHA256 over the raw body."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
