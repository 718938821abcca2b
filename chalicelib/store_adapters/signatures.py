"""What the webhook door needs to know of each platform. Standard library only: its import time is measured.

Sources: WooCommerce's "Webhooks" and Shopify's "Verify webhook deliveries" documentation, and recorded deliveries.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime

_SIGNATURE_HEADER = {
    "woocommerce": "x-wc-webhook-signature",
    "shopify": "x-shopify-hmac-sha256",
}
_OWN_HEADERS = {
    "woocommerce": "x-wc-",
    "shopify": "x-shopify-",
}
CALL_AGE = 300  # seconds of real time: how far the clock of a shop that signs a call may be from ours
# Who a body of Shopify says it is about: the privacy topics by the first name, `app/uninstalled` by the second.
_SHOP_FIELDS = ("shop_domain", "myshopify_domain")
_LONGEST_DOMAIN = 253
_LONGEST_HEADER = 500  # characters kept of one header: a platform's own are far shorter
_PING = re.compile(rb"webhook_id=\d{1,20}")


def is_platform(name: str) -> bool:
    return name in _SIGNATURE_HEADER


def verify(platform: str, secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether the body is signed with this secret: base64 of HMAC-SHA256 over the raw body, in constant time.

    `headers` have lower-case names. A missing, cut or garbled signature is False, never an exception.
    """
    given = headers.get(_SIGNATURE_HEADER.get(platform, ""), "")
    if not given or not secret:
        return False
    try:
        signature = base64.b64decode(given.strip().encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(signature, hmac.digest(secret.encode("utf-8", "replace"), body, "sha256"))


def is_ping(platform: str, headers: Mapping[str, str], body: bytes) -> bool:
    """WooCommerce's unsigned, form-encoded `webhook_id=N`, sent when a webhook is registered."""
    return (
        platform == "woocommerce"
        and _SIGNATURE_HEADER[platform] not in headers
        and headers.get("content-type", "").strip().lower().startswith("application/x-www-form-urlencoded")
        and _PING.fullmatch(body.strip()) is not None
    )


def topic(platform: str, headers: Mapping[str, str]) -> str:
    """The platform's own word for what happened (`order.updated`, `orders/paid`), or nothing."""
    return headers.get("x-wc-webhook-topic" if platform == "woocommerce" else "x-shopify-topic", "").strip()


def repeat_key(platform: str, headers: Mapping[str, str], body: bytes) -> str:
    """The same for two deliveries that are one and the same: 40 hexadecimal digits.

    WooCommerce: topic, delivery id **and** body, since different orders of one second share a delivery id.
    Shopify: event id and topic, since one event may come under several webhook ids; without one, topic and body.
    """
    if platform == "shopify":
        told = headers.get("x-shopify-event-id", "").strip()
    else:
        told = headers.get("x-wc-webhook-delivery-id", "").strip()
    parts = [platform, topic(platform, headers), told]
    if platform != "shopify" or not told:
        parts.append(hashlib.sha256(body).hexdigest())
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()[:40]


def kept_headers(platform: str, headers: Mapping[str, str]) -> dict[str, str]:
    """The platform's own headers and the content type: nothing else of a delivery is kept."""
    own = _OWN_HEADERS[platform]
    return {
        name: value[:_LONGEST_HEADER]
        for name, value in headers.items()
        if name.startswith(own) or name == "content-type"
    }


def shop_told(body: bytes) -> str | None:
    """The domain of the shop that a body of Shopify says it is about (`tea.myshopify.com`, small letters), if it does.

    Orders, customers and products do not say it; what a header says is not signed.
    """
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    for name in _SHOP_FIELDS:
        domain = told.get(name)
        if isinstance(domain, str) and 0 < len(domain) <= _LONGEST_DOMAIN and domain.isascii():
            return domain.strip().lower()
    return None


def triggered_at(headers: Mapping[str, str]) -> datetime | None:
    """When Shopify had the occasion for a delivery (UTC), if its header says so readably."""
    try:
        told = datetime.fromisoformat(headers.get("x-shopify-triggered-at", "").strip())
        moment = told.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if told.tzinfo and 1970 <= moment.year < 9999 else None


def verify_call(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """Whether a call of our plugin is signed with this secret, and now: `X-Agala-Signature` is the hexadecimal
    HMAC-SHA256 of `X-Agala-Timestamp` (Unix seconds), a full stop and the raw body.

    `headers` have lower-case names; `now` is Unix seconds of real time. Never an exception.
    """
    timestamp, given = headers.get("x-agala-timestamp", "").strip(), headers.get("x-agala-signature", "").strip()
    if not secret or not re.fullmatch(r"[0-9]{1,12}", timestamp) or abs(now - int(timestamp)) > CALL_AGE:
        return False
    right = hmac.digest(secret.encode("utf-8", "replace"), timestamp.encode() + b"." + body, "sha256").hex()
    return hmac.compare_digest(given.lower().encode("utf-8", "replace"), right.encode())
