"""Real deliveries, read as a server would have got them."""

from __future__ import annotations

import base64
import hmac
import json
from pathlib import Path
from typing import Any

SECRET = "bench-webhook-secret"
WOOCOMMERCE = Path(__file__).parent / "woocommerce"
NAMES = sorted(path.stem for path in WOOCOMMERCE.glob("*.http"))


def load(name: str) -> tuple[dict[str, str], bytes]:
    """(headers as sent, the body's exact bytes) of `woocommerce/{name}.http`."""
    head, _, body = (WOOCOMMERCE / f"{name}.http").read_bytes().partition(b"\r\n\r\n")
    lines = head.decode("ascii").split("\r\n")[1:]
    return dict(line.split(": ", 1) for line in lines), body


def load_json(name: str) -> Any:
    return json.loads(load(name)[1])


def signature(body: bytes, secret: str = SECRET) -> str:
    """Of WooCommerce and of Shopify alike."""
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode("ascii")
