"""Calls of the systems that `call_webhook` steps name: one signed POST each, of whose answer only the status counts.

`X-Agala-Signature` is the hexadecimal HMAC-SHA256 of `X-Agala-Timestamp` (Unix seconds of real time), a full stop and
the raw body, by the store's call secret. `X-Agala-Id` is the same for every repeat of one call.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.store_adapters.shop_http import ShopHttp

SECONDS = 10.0


def call_secret(signing_key: str, store_id: str) -> str:
    """What one store's calls are signed with: good for nothing else, so it may be shown to whoever checks them."""
    return hmac.digest(signing_key.encode(), f"webhook-calls:{store_id}".encode(), "sha256").hex()


class WebhookCalls:
    """A `journeys.ports.Webhooks`."""

    def __init__(
        self, signing_key: Callable[[], str], unix_time: Callable[[], float], private_addresses: bool = False
    ) -> None:
        self._signing_key, self._unix_time, self._private = signing_key, unix_time, private_addresses

    def call(self, store_id: str, url: str, identifier: str, body: Mapping[str, Any]) -> int:
        """The HTTP status of the answer, a redirect's too. Raises `ShopTrouble` where none comes, `TryLater`."""
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        timestamp = str(int(self._unix_time()))
        secret = call_secret(self._signing_key(), store_id)
        signature = hmac.digest(secret.encode(), timestamp.encode() + b"." + content, "sha256").hex()
        headers = {
            "Content-Type": "application/json",
            "X-Agala-Id": identifier,
            "X-Agala-Timestamp": timestamp,
            "X-Agala-Signature": signature,
        }
        http = ShopHttp(self._private)
        try:
            return http.status_of("POST", url, content, headers, SECONDS)
        finally:
            http.close()
