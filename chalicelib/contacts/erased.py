"""What is remembered of people who were erased: enough to leave them alone, not enough to know who they were.

Two memories, both of keyed hashes (a phone number has few enough possibilities to try them all against a plain one):
- by email or customer id, when: nothing that was told until then may be kept (`Contacts.erased_at`);
- by address, in the store's suppression list with the reason `erased`: nobody advertises to it again, whoever brings
  it in, until its owner themselves says yes somewhere, later than that (`Suppressions.welcome_back`).
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b32encode
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from chalicelib.commerce.event import Event
from chalicelib.contacts.consent import Channel, is_in_person
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.identity import CUSTOMER, EMAIL, PHONE
from chalicelib.ids import digest

ERASED = "erased"
_BY_PHONE = (Channel.SMS, Channel.WHATSAPP)


class AddressHashes:
    """Hashes that nobody without the deployment's key can make: HMAC-SHA256, cut to 130 bits.

    `key` is asked for when first needed; it must never change, or everybody who was erased is forgotten about.
    """

    def __init__(self, key: Callable[[], str]) -> None:
        self._key = key

    def of(self, *parts: str) -> str:
        """26 letters and digits, the same for the same parts in the same order."""
        made = hmac.new(self._key().encode(), "\x1f".join(parts).encode(), hashlib.sha256).digest()
        return b32encode(made)[:26].decode().lower()


class Suppressions(Protocol):
    """The store's suppression list (`storage.suppressions`)."""

    def add(self, store_id: str, channel: Channel, address: str, reason: str, source: str, at: datetime) -> bool: ...

    def welcome_back(self, store_id: str, channel: Channel, address: str, at: datetime) -> None:
        """End what an erasure before `at` left; any other reason stays."""
        ...


class ErasedPeople:
    def __init__(self, hashes: AddressHashes, suppressions: Suppressions) -> None:
        self._hashes, self._suppressions = hashes, suppressions

    def hashes(self, store_id: str, pairs: Sequence[tuple[str, str]]) -> list[str]:
        """By which an erased person is remembered. A phone is not one: its next owner is somebody else."""
        return [self._hashes.of("erased", store_id, kind, value) for kind, value in pairs if kind != PHONE]

    def known_by(self, store_id: str, pairs: Sequence[tuple[str, str]]) -> list[str]:
        """`hashes`, and those without a key that were written before there was one."""
        old = [digest("erased", store_id, kind, value) for kind, value in pairs if kind != PHONE]
        return [*self.hashes(store_id, pairs), *old]

    def hold(
        self,
        store_id: str,
        emails: Sequence[str],
        phones: Sequence[str],
        at: datetime,
        reasons: Mapping[Channel, str] | None = None,
    ) -> None:
        """Nobody advertises to these again. `reasons`: why a channel was closed before, which then stays the reason."""
        for channel, addresses in ((Channel.EMAIL, emails), *((channel, phones) for channel in _BY_PHONE)):
            for address in addresses:
                reason = (reasons or {}).get(channel, ERASED)
                self._suppressions.add(store_id, channel, address, reason, "erasure", at)

    def hold_pairs(self, store_id: str, pairs: Sequence[tuple[str, str]], at: datetime) -> None:
        """The same for what a platform told of the person, known to us or not."""
        told = {kind: [value for one, value in pairs if one == kind] for kind in (EMAIL, PHONE, CUSTOMER)}
        self.hold(store_id, told[EMAIL], told[PHONE], at)

    def hear(self, contact: Contact, events: Sequence[Event]) -> None:
        """Somebody themselves said yes, later than they were erased: they may be written to again there."""
        for event in events:
            if event.type != "subscribed" or not is_in_person(event.properties.get("source")):
                continue
            channel = Channel(event.properties["channel"])
            for address in contact.emails if channel is Channel.EMAIL else contact.phones:
                self._suppressions.welcome_back(contact.store_id, channel, address, event.occurred_at)
