"""Signed links in messages. A link carries ids only, never an address, and does not expire.

Two forms, both signed over everything before the last dot, with HMAC-SHA256 in URL-safe base64:
`u1.{store id}.{message id}.{channel}.{the first 132 bits}` in emails;
`u2.{store id}.{contact id}.{the channel's first letter}.{the first 96 bits}` in SMS, where every letter costs.
RFC 8058 asks that the link alone, without cookies or a login, be enough to unsubscribe, and that nobody can make one
for somebody else.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.contacts.consent import Channel
from chalicelib.ids import contact_of
from chalicelib.messages.picture_links import PictureLinks

_LONG = re.compile(r"u1\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{1,128})\.(email|sms|whatsapp)\.([A-Za-z0-9_-]{22})")
_SHORT = re.compile(r"u2\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_]{1,64})\.([esw])\.([A-Za-z0-9_-]{16})")
_BY_LETTER = {channel.value[0]: channel for channel in Channel}


@dataclass(frozen=True)
class Unsubscription:
    """What a good unsubscribe link says. `contact_id` is the one that the message was sent to."""

    store_id: str
    contact_id: str
    channel: Channel


class SignedLinks:
    """`keys`: the first signs, all are accepted, so that a key can be changed without breaking sent links."""

    def __init__(self, public_url: str, keys: Sequence[bytes]) -> None:
        if not keys or not all(keys):
            raise ValueError("links need a signing key")
        self._base = public_url.rstrip("/")
        self._keys = tuple(keys)

    @property
    def pictures(self) -> PictureLinks:
        return PictureLinks(self._base, self._keys)

    def unsubscribe_url(self, store_id: str, message_id: str, channel: Channel) -> str:
        if channel is Channel.EMAIL:
            said, letters = f"u1.{store_id}.{message_id}.{channel.value}", 22
        else:
            said, letters = f"u2.{store_id}.{contact_of(message_id)}.{channel.value[0]}", 16
        return f"{self._base}/u/{said}.{_signature(self._keys[0], said)[:letters]}"

    def read_unsubscribe(self, token: str) -> Unsubscription | None:
        """None for a token that we did not make."""
        long, short = _LONG.fullmatch(token), _SHORT.fullmatch(token)
        found = long or short
        if found is None:
            return None
        said, _, signature = token.rpartition(".")
        if not any(hmac.compare_digest(_signature(key, said)[: len(signature)], signature) for key in self._keys):
            return None
        if long:
            return Unsubscription(long[1], contact_of(long[2]), Channel(long[3]))
        return Unsubscription(found[1], found[2], _BY_LETTER[found[3]])


def _signature(key: bytes, said: str) -> str:
    return urlsafe_b64encode(hmac.new(key, said.encode(), hashlib.sha256).digest())[:22].decode()
