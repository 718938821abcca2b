"""Privacy requests, and the exports kept for them: a record each without personal data, the export in the bucket."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from chalicelib.clock import rfc3339
from chalicelib.commerce.privacy import KEPT, PrivacyRequest
from chalicelib.storage import keys
from chalicelib.storage.deliveries import Objects
from chalicelib.storage.records import dump, load
from chalicelib.storage.table import ConditionFailed, Put, Table

_POINTER_KEPT = KEPT + timedelta(days=10)  # longer than the bucket takes to delete what is over


class PrivacyRequests:
    def __init__(self, table: Table, objects: Objects) -> None:
        self._table, self._objects = table, objects

    def get(self, store_id: str, request_id: str) -> PrivacyRequest | None:
        item = self._table.get(*keys.privacy_request(store_id, request_id))
        return load(PrivacyRequest, item) if item else None

    def save(self, request: PrivacyRequest) -> PrivacyRequest:
        """Over the revision it has. Raises `Conflict`."""
        written = request.model_copy(update={"rev": request.rev + 1})
        key = keys.privacy_request(request.store_id, request.id)
        listing = keys.listing("PRIVACY", request.store_id, identifier=request.id)
        self._table.put(Put(dump(written, key, gsi1pk=listing, gsi1sk=self.sort_key(written)), rev=request.rev))
        return written

    @staticmethod
    def sort_key(request: PrivacyRequest) -> str:
        return f"{rfc3339(request.asked_at)}#{request.id}"

    def list(self, store_id: str, after: str | None = None, limit: int = 100) -> list[PrivacyRequest]:
        """Oldest first; `after` is the `sort_key` of the last one seen."""
        found = self._table.listing("PRIVACY", store_id, after=after, limit=limit)
        return [load(PrivacyRequest, item) for item in found]

    def announce(self, request: PrivacyRequest, order_ids: Sequence[str]) -> None:
        """Point to its export from its contacts and these orders."""
        expires = int((request.asked_at + _POINTER_KEPT).timestamp())
        for pk, sk in _pointers(request, order_ids):
            self._table.put(Put({"pk": pk, "sk": sk, "expires_at": expires}))

    def is_announced(self, request: PrivacyRequest, order_ids: Sequence[str]) -> bool:
        return all(self._table.get(*key) is not None for key in _pointers(request, order_ids))

    def keep(self, request: PrivacyRequest, content: dict[str, Any]) -> None:
        text = json.dumps(content, ensure_ascii=False)
        self._objects.put(_object(request.store_id, request.id), gzip.compress(text.encode(), mtime=0))

    def content(self, request: PrivacyRequest) -> str:
        """The export's JSON. Raises `NotFound`."""
        return gzip.decompress(self._objects.get(_object(request.store_id, request.id))).decode()

    def discard(self, request: PrivacyRequest) -> None:
        self._objects.delete(_object(request.store_id, request.id))

    def forget_contact(self, store_id: str, contact_id: str, at: datetime) -> None:
        """Delete every export that this contact is in."""
        self._forget(store_id, keys.contact(store_id, contact_id), at)

    def forget_order(self, store_id: str, order_id: str, at: datetime) -> None:
        self._forget(store_id, keys.order(store_id, order_id)[0], at)

    def forget_all(self, store_id: str, at: datetime) -> None:
        for shard in range(keys.SHARDS):
            for item in self._table.iterate(f"PRIVACY#{store_id}#{shard}", index=True):
                self._erase(store_id, str(item["id"]), at)

    def _forget(self, store_id: str, partition: str, at: datetime) -> None:
        """The pointer first: whoever is making the export just now sees that it is gone, and discards it."""
        for item in self._table.query(partition, prefix=keys.EXPORTS):
            self._table.delete(partition, str(item["sk"]))
            self._erase(store_id, str(item["sk"]).removeprefix(keys.EXPORTS), at)

    def _erase(self, store_id: str, request_id: str, at: datetime) -> None:
        self._objects.delete(_object(store_id, request_id))
        try:
            self._table.update(
                *keys.privacy_request(store_id, request_id),
                "SET erased_at = :at, rev = rev + :one",
                condition="attribute_exists(kept_until) AND attribute_not_exists(erased_at)",
                values={":at": rfc3339(at), ":one": 1},
            )
        except ConditionFailed:
            return  # there is no export of it, or not yet


def _object(store_id: str, request_id: str) -> str:
    return f"exports/{store_id}/{request_id}.json.gz"


def _pointers(request: PrivacyRequest, order_ids: Sequence[str]) -> list[tuple[str, str]]:
    store_id, sk = request.store_id, keys.kept_export(request.id)
    partitions = [
        *(keys.contact(store_id, contact_id) for contact_id in request.contact_ids),
        *(keys.order(store_id, order_id)[0] for order_id in order_ids),
    ]
    return [(partition, sk) for partition in partitions]
