"""Signed links in messages. A link carries ids only, never an address; only a confirmation's expires.

All are signed over everything before the last dot, with HMAC-SHA256 in URL-safe base64:
`u1.{store id}.{message id}.{channel}.{the first 132 bits}` in emails;
`u2.{store id}.{contact id}.{the channel's first letter}.{the first 96 bits}` in SMS, where every letter costs;
`p1.…` and `p2.…` the same for the preference page;
`c1.{store id}.{contact id}.{the channel's first letter}.{seconds since 1970 of the wish}.{mark}.{the first 96 bits}` to
confirm one; the mark is 36 bits of a signature of the address it was sent to, which must still be the contact's.
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
from datetime import datetime
from ipaddress import ip_network

from chalicelib.contacts.consent import Channel
from chalicelib.ids import contact_of
from chalicelib.messages.picture_links import PictureLinks

_LONG = re.compile(r"([up])1\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{1,128})\.(email|sms|whatsapp)\.([A-Za-z0-9_-]{22})")
_SHORT = re.compile(r"([up])2\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_]{1,64})\.([esw])\.([A-Za-z0-9_-]{16})")
_CONFIRM = re.compile(
    r"c1\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_]{1,64})\.([esw])\.([0-9]{1,11})\.([A-Za-z0-9_-]{6})\.([A-Za-z0-9_-]{16})"
)
_FOLLOWED = re.compile(r"([A-Za-z0-9]{12})([0-9]{1,3}|h|u)([A-Za-z0-9]{5})")
_PIXEL = re.compile(r"([A-Za-z0-9]{12})([A-Za-z0-9]{5})\.gif")
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
HONEYPOT, OPEN, LEAVE = "h", "o", "u"
"""What stands for the number of a link that nobody sees, for the picture that says that an email is open, and for the
way to unsubscribe where letters are dear."""
_BY_LETTER = {channel.value[0]: channel for channel in Channel}


@dataclass(frozen=True)
class Unsubscription:
    """What a good link to unsubscribe, or to the preference page, says. `contact_id` is the one that the message was
    sent to, `channel` the message's; `message_id` is None where the link had no room for it."""

    store_id: str
    contact_id: str
    channel: Channel
    message_id: str | None = None


@dataclass(frozen=True)
class Confirmation:
    """What a good link of a double opt-in says: that this contact wished for this channel at this second, with the
    address of this `mark`."""

    store_id: str
    contact_id: str
    channel: Channel
    asked_at: int
    mark: str


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

    @property
    def base(self) -> str:
        """Where everything of ours is, without a slash at the end."""
        return self._base

    def message_code(self, store_id: str, message_id: str) -> str:
        return _short(self._keys[0], f"m1.{store_id}.{message_id}", 12)

    def followed_url(self, code: str, number: str) -> str:
        """`number`: which of the message's links, or HONEYPOT, or LEAVE."""
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
        return self._personal("u", store_id, message_id, channel)

    def leave_url(self, store_id: str, message_id: str, channel: Channel) -> str:
        """Where LEAVE leads: as `unsubscribe_url`, and says of every channel which message it was."""
        return self._personal("u", store_id, message_id, channel, short=False)

    def preferences_url(self, store_id: str, message_id: str, channel: Channel) -> str:
        """The page where the message's receiver chooses channels and topics."""
        return self._personal("p", store_id, message_id, channel)

    def preferences_url_of(self, link: Unsubscription) -> str:
        """The same page, for whoever came by a link to unsubscribe."""
        identifier = link.message_id or link.contact_id
        return self._personal("p", link.store_id, identifier, link.channel, short=link.message_id is None)

    def confirm_url(self, store_id: str, contact_id: str, channel: Channel, asked_at: datetime, address: str) -> str:
        """The page where a contact confirms the wish of that time, sent to `address`."""
        mark = _signature(self._keys[0], f"a1.{address}")[:6]
        said = f"c1.{store_id}.{contact_id}.{channel.value[0]}.{int(asked_at.timestamp())}.{mark}"
        return f"{self._base}/p/{self._signed(said, 16)}"

    def read_unsubscribe(self, token: str) -> Unsubscription | None:
        """None for a token that we did not make."""
        return self._read_personal("u", token)

    def read_preferences(self, token: str) -> Unsubscription | None:
        """None for a token that we did not make."""
        return self._read_personal("p", token)

    def read_confirmation(self, token: str) -> Confirmation | None:
        """None for a token that we did not make."""
        found = _CONFIRM.fullmatch(token)
        if found is None or not self._is_ours(token):
            return None
        return Confirmation(found[1], found[2], _BY_LETTER[found[3]], int(found[4]), found[5])

    def is_mark_of(self, mark: str, address: str) -> bool:
        return any(hmac.compare_digest(_signature(key, f"a1.{address}")[:6], mark) for key in self._keys)

    def _personal(self, kind: str, store_id: str, message_id: str, channel: Channel, short: bool | None = None) -> str:
        if not (channel is not Channel.EMAIL if short is None else short):
            said, letters = f"{kind}1.{store_id}.{message_id}.{channel.value}", 22
        else:
            said, letters = f"{kind}2.{store_id}.{contact_of(message_id)}.{channel.value[0]}", 16
        return f"{self._base}/{kind}/{self._signed(said, letters)}"

    def _read_personal(self, kind: str, token: str) -> Unsubscription | None:
        long, short = _LONG.fullmatch(token), _SHORT.fullmatch(token)
        found = long or short
        if found is None or found[1] != kind or not self._is_ours(token):
            return None
        if long:
            return Unsubscription(long[2], contact_of(long[3]), Channel(long[4]), long[3])
        return Unsubscription(found[2], found[3], _BY_LETTER[found[4]])

    def _signed(self, said: str, letters: int) -> str:
        return f"{said}.{_signature(self._keys[0], said)[:letters]}"

    def _is_ours(self, token: str) -> bool:
        said, _, signature = token.rpartition(".")
        return any(hmac.compare_digest(_signature(key, said)[: len(signature)], signature) for key in self._keys)


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
