"""Signed links in messages. A link carries ids only, never an address.

To unsubscribe, in two forms that do not expire, both signed over everything before the last dot, with HMAC-SHA256 in
URL-safe base64:
`u1.{store id}.{message id}.{channel}.{the first 132 bits}` in emails;
`u2.{store id}.{contact id}.{the channel's first letter}.{the first 96 bits}` in SMS, where every letter costs.
RFC 8058 asks that the link alone, without cookies or a login, be enough to unsubscribe, and that nobody can make one
for somebody else.

To follow, as short as it can be, for an SMS is full of them: `{the message's code}{number of the link}{check}`. The
code is a signature over store and message in 12 letters and digits (71 bits); the check signs code and number in five
more, so that an edited link is known as such without asking the table. Neither ends in a sign that a phone might not
count as part of an address.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_network

from chalicelib.contacts.consent import Channel
from chalicelib.ids import contact_of

_LONG = re.compile(r"u1\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{1,128})\.(email|sms|whatsapp)\.([A-Za-z0-9_-]{22})")
_SHORT = re.compile(r"u2\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_]{1,64})\.([esw])\.([A-Za-z0-9_-]{16})")
_FOLLOWED = re.compile(r"([A-Za-z0-9]{12})([0-9]{1,3}|h)([A-Za-z0-9]{5})")
_PIXEL = re.compile(r"([A-Za-z0-9]{12})([A-Za-z0-9]{5})\.gif")
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
HONEYPOT, OPEN = "h", "o"
"""What stands for the number of a link that nobody sees, and for the picture that says that an email is open."""
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
    def base(self) -> str:
        """Where everything of ours is, without a slash at the end."""
        return self._base

    def message_code(self, store_id: str, message_id: str) -> str:
        return _short(self._keys[0], f"m1.{store_id}.{message_id}", 12)

    def followed_url(self, code: str, number: str) -> str:
        """`number`: which of the message's links, or HONEYPOT."""
        return f"{self._base}/l/{code}{number}{self._check(self._keys[0], code, number)}"

    def pixel_url(self, code: str) -> str:
        return f"{self._base}/o/{code}{self._check(self._keys[0], code, OPEN)}.gif"

    def read_followed(self, token: str) -> tuple[str, str] | None:
        """Code and number; None for a token that we did not make."""
        found = _FOLLOWED.fullmatch(token)
        return (found[1], found[2]) if found and self._checked(found[1], found[2], found[3]) else None

    def read_pixel(self, token: str) -> str | None:
        """The code, of a token with its `.gif`; None for one that we did not make."""
        found = _PIXEL.fullmatch(token)
        return found[1] if found and self._checked(found[1], OPEN, found[2]) else None

    def network(self, address: str) -> str:
        """A few letters for the network (/24, /48) that an address is in, from which nobody gets back to it."""
        try:
            network = ip_network(f"{address}/{48 if ':' in address else 24}", strict=False)
        except ValueError:
            return ""
        return _short(self._keys[0], f"n1.{network}", 6)

    def _checked(self, code: str, number: str, check: str) -> bool:
        return any(hmac.compare_digest(self._check(key, code, number), check) for key in self._keys)

    @staticmethod
    def _check(key: bytes, code: str, number: str) -> str:
        return _short(key, f"l1.{code}.{number}", 5)

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


def _short(key: bytes, said: str, letters: int) -> str:
    """The first so many of a signature in letters and digits alone."""
    left = int.from_bytes(hmac.digest(key, said.encode(), "sha256")[:16])
    found = ""
    for _ in range(letters):
        left, digit = divmod(left, len(_LETTERS))
        found += _LETTERS[digit]
    return found
