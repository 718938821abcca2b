"""Addresses that a store does not write to, each by a keyed hash: no address is kept in clear."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from chalicelib.clock import rfc3339
from chalicelib.contacts.consent import Channel
from chalicelib.contacts.erased import ERASED, AddressHashes
from chalicelib.storage import keys
from chalicelib.storage.records import load
from chalicelib.storage.table import ConditionFailed, Delete, Put, Table


class Suppression(BaseModel):
    """`reason` (`erased`, `complained`, `unsubscribed`, or the owner's own), `source` who brought it, `at` since when.

    `erased` holds back what advertises, and ends when its owner says yes anew; every other reason holds back all.
    `lifted_at` and `lifted_reason`: the store's owner ended it, and why; the record stays to tell.
    """

    model_config = ConfigDict(frozen=True)

    channel: Channel
    reason: str
    source: str
    at: datetime
    lifted_at: datetime | None = None
    lifted_reason: str | None = None

    @property
    def holds(self) -> bool:
        return self.lifted_at is None


class Suppressions:
    """Addresses are told normalised: an email as `contacts.identity` has it, a phone in E.164."""

    def __init__(self, table: Table, hashes: AddressHashes) -> None:
        self._table, self._hashes = table, hashes

    def holds(self, store_id: str, channel: Channel, address: str) -> str | None:
        """The reason why nothing (nothing that advertises, if it is `erased`) may go there; None if it may."""
        found = self.get(store_id, channel, address)
        return found.reason if found and found.holds else None

    def get(self, store_id: str, channel: Channel, address: str) -> Suppression | None:
        item = self._table.get(*self._key(store_id, channel, address))
        return load(Suppression, item) if item else None

    def of_address(self, store_id: str, channels: Sequence[Channel], address: str) -> list[Suppression]:
        """Those that hold, and those that were lifted."""
        found = self._table.get_many([self._key(store_id, channel, address) for channel in channels])
        return sorted((load(Suppression, item) for item in found), key=lambda one: one.channel)

    def add(self, store_id: str, channel: Channel, address: str, reason: str, source: str, at: datetime) -> bool:
        """False if it was held already: the earliest stays, but any reason stands above `erased`, which can end."""
        pk, sk = self._key(store_id, channel, address)
        item = {"pk": pk, "sk": sk, "channel": channel.value, "reason": reason, "source": source, "at": rfc3339(at)}
        free, erased = "attribute_not_exists(pk) OR attribute_exists(lifted_at)", "reason = :erased"
        if reason == ERASED:
            # A later erasure counts from its own time: a yes of before does not end it.
            condition, values = f"{free} OR ({erased} AND #at < :at)", {":erased": ERASED, ":at": rfc3339(at)}
            put = Put(item, condition=condition, names={"#at": "at"}, values=values)
        else:
            put = Put(item, condition=f"{free} OR {erased}", values={":erased": ERASED})
        try:
            self._table.put(put)
        except ConditionFailed:
            return False
        return True

    def remove(self, store_id: str, channel: Channel, address: str, reason: str, at: datetime) -> bool:
        """Lift it, and keep why; False if nothing held it."""
        try:
            self._table.update(
                *self._key(store_id, channel, address),
                "SET lifted_at = :at, lifted_reason = :reason",
                condition="attribute_exists(pk) AND attribute_not_exists(lifted_at)",
                values={":at": rfc3339(at), ":reason": reason},
            )
        except ConditionFailed:
            return False
        return True

    def welcome_back(self, store_id: str, channel: Channel, address: str, at: datetime) -> None:
        """End what an erasure before `at` left; any other reason stays."""
        key = self._key(store_id, channel, address)
        held = self.get(store_id, channel, address)
        if held is None or held.reason != ERASED or held.at >= at:
            return
        with suppress(ConditionFailed):  # somebody gave it another reason meanwhile: that one stays
            condition, values = "reason = :erased AND #at < :at", {":erased": ERASED, ":at": rfc3339(at)}
            self._table.transact([Delete(*key, condition=condition, names={"#at": "at"}, values=values)])

    def _key(self, store_id: str, channel: Channel, address: str) -> tuple[str, str]:
        return keys.suppression(store_id, self._hashes.of("suppressed", store_id, channel.value, address))
