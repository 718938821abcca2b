"""Signed links in messages. A link carries ids only, never an address, and does not expire.

Format: `u1.{store id}.{message id}.{channel}.{signature}`; the signature is the first 132 bits of
HMAC-SHA256(key, everything before its dot), in URL-safe base64. RFC 8058 asks that the link alone, without cookies
or a login, be enough to unsubscribe, and that nobody can make one for somebody else.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.contacts.consent import Channel

_FORM = re.compile(r"u1\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{1,128})\.(email|sms|whatsapp)\.([A-Za-z0-9_-]{22})")


@dataclass(frozen=True)
class Unsubscription:
    """What a good unsubscribe link says."""

    store_id: str
    message_id: str
    channel: Channel


class SignedLinks:
    """`keys`: the first signs, all are accepted, so that a key can be changed without breaking sent links."""

    def __init__(self, public_url: str, keys: Sequence[bytes]) -> None:
        if not keys or not all(keys):
            raise ValueError("links need a signing key")
        self._base = public_url.rstrip("/")
        self._keys = tuple(keys)

    def unsubscribe_url(self, store_id: str, message_id: str, channel: Channel) -> str:
        said = f"u1.{store_id}.{message_id}.{channel.value}"
        return f"{self._base}/u/{said}.{_signature(self._keys[0], said)}"

    def read_unsubscribe(self, token: str) -> Unsubscription | None:
        """None for a token that we did not make."""
        found = _FORM.fullmatch(token)
        if found is None:
            return None
        said, _, signature = token.rpartition(".")
        if not any(hmac.compare_digest(_signature(key, said), signature) for key in self._keys):
            return None
        return Unsubscription(found.group(1), found.group(2), Channel(found.group(3)))


def _signature(key: bytes, said: str) -> str:
    return urlsafe_b64encode(hmac.new(key, said.encode(), hashlib.sha256).digest())[:22].decode()
