"""What a shop connects itself with: each good once, for a while, and kept as a hash."""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.access import ConnectionCode, KeyHandover, ShopifyState
from chalicelib.clock import rfc3339
from chalicelib.storage import keys
from chalicelib.storage.records import dump, load
from chalicelib.storage.table import ConditionFailed, Put, Table

_REMEMBERED = timedelta(days=7)  # after its end, so that its owner is told what became of it


class Connections:
    def __init__(self, table: Table) -> None:
        self._table = table

    def put_code(self, code: ConnectionCode) -> None:
        self._table.put(Put(dump(code, keys.connection_code(code.hash), expires_at=_gone(code.expires_at)), new=True))

    def code(self, code_hash: str) -> ConnectionCode | None:
        """Also one that was used, or is too old."""
        item = self._table.get(*keys.connection_code(code_hash))
        return load(ConnectionCode, item) if item else None

    def use_code(self, code_hash: str, now: datetime) -> bool:
        """False if somebody used it before: of many who try at once one does."""
        return self._use_once(keys.connection_code(code_hash), now)

    def put_handover(self, handover: KeyHandover) -> None:
        key = keys.key_handover(handover.hash)
        self._table.put(Put(dump(handover, key, expires_at=_gone(handover.expires_at)), new=True))

    def handover(self, handover_hash: str) -> KeyHandover | None:
        """Also one that was used, or is too old."""
        item = self._table.get(*keys.key_handover(handover_hash))
        return load(KeyHandover, item) if item else None

    def use_handover(self, handover_hash: str, keys_hash: str) -> bool:
        """False if other keys came before. The same ones may come again: their first coming may have been cut short."""
        try:
            self._table.update(
                *keys.key_handover(handover_hash),
                "SET keys_hash = :keys",
                condition="attribute_exists(pk) AND (attribute_not_exists(keys_hash) OR keys_hash = :keys)",
                values={":keys": keys_hash},
            )
        except ConditionFailed:
            return False
        return True

    def put_state(self, state: ShopifyState) -> None:
        key = keys.shopify_state(state.hash)
        self._table.put(Put(dump(state, key, expires_at=_gone(state.expires_at)), new=True))

    def state(self, state_hash: str) -> ShopifyState | None:
        """Also one that was used, or is too old."""
        item = self._table.get(*keys.shopify_state(state_hash))
        return load(ShopifyState, item) if item else None

    def use_state(self, state_hash: str, now: datetime) -> bool:
        """False if somebody used it before: of many who try at once one does."""
        return self._use_once(keys.shopify_state(state_hash), now)

    def use_link(self, link_hash: str, until: datetime) -> bool:
        """False if this install link was opened before. It need not be remembered longer than `until`."""
        pk, sk = keys.shopify_link(link_hash)
        try:
            self._table.put(Put({"pk": pk, "sk": sk, "expires_at": _gone(until)}, new=True))
        except ConditionFailed:
            return False
        return True

    def _use_once(self, key: tuple[str, str], now: datetime) -> bool:
        try:
            self._table.update(
                *key,
                "SET used_at = :now",
                condition="attribute_exists(pk) AND attribute_not_exists(used_at)",
                values={":now": rfc3339(now)},
            )
        except ConditionFailed:
            return False
        return True


def _gone(end: datetime) -> int:
    return int((end + _REMEMBERED).timestamp())
