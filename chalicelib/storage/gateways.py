"""Stores' own providers of SMS and WhatsApp. Looked for before each such message, so what was found serves a minute."""

from __future__ import annotations

import time
from collections.abc import Callable

from pydantic import BaseModel, ConfigDict

from chalicelib.contacts.consent import Channel
from chalicelib.messages.gateway import Gateway
from chalicelib.storage import keys
from chalicelib.storage.records import dump, load
from chalicelib.storage.table import Put, Table

_KEPT = 60.0  # seconds


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)

    gateway: Gateway


class Gateways:
    def __init__(self, table: Table, monotonic: Callable[[], float] = time.monotonic) -> None:
        """`monotonic` gives seconds that never go back: real time."""
        self._table, self._monotonic = table, monotonic
        self._kept: dict[tuple[str, Channel], tuple[float, Gateway | None]] = {}

    def get(self, store_id: str, channel: Channel, newer_than: float = _KEPT) -> Gateway | None:
        """One that was read less than `newer_than` seconds ago is not read again."""
        now = self._monotonic()
        at, kept = self._kept.get((store_id, channel), (float("-inf"), None))
        if now - at < newer_than:
            return kept
        item = self._table.get(*keys.gateway(store_id, channel.value))
        found = load(_Record, item).gateway if item else None
        self._kept[store_id, channel] = now, found
        return found

    def has(self, store_id: str, channel: Channel) -> bool:
        return self.get(store_id, channel) is not None

    def put(self, store_id: str, channel: Channel, gateway: Gateway) -> None:
        self._kept.pop((store_id, channel), None)
        item = dump(_Record(gateway=gateway), keys.gateway(store_id, channel.value))
        self._table.put(Put(item))

    def delete(self, store_id: str, channel: Channel) -> None:
        """Also where there is none."""
        self._kept.pop((store_id, channel), None)
        self._table.delete(*keys.gateway(store_id, channel.value))
