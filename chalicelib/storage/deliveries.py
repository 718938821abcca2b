"""Raw deliveries: kept 30 days as they came, with what became of them."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from chalicelib.clock import rfc3339
from chalicelib.errors import NotFound
from chalicelib.storage import keys
from chalicelib.storage.records import dump, load
from chalicelib.storage.table import ConditionFailed, Item, Put, Table
from chalicelib.store_adapters.base import Delivery

KEPT = timedelta(days=30)
INLINE = 250_000  # bytes of gzip; a larger body goes to the objects (an item ends at 400 KB)
PHONE_DIGITS = 8
_ERASED = "erased"
_HANDS = 8
_PAGE = 100
_BETWEEN_DIGITS = str.maketrans("", "", " -.()\u00a0")


class Objects(Protocol):
    """Large bodies, by key (S3 in production)."""

    def put(self, key: str, content: bytes) -> None: ...

    def get(self, key: str) -> bytes:
        """Raises `NotFound`."""
        ...

    def delete(self, key: str) -> None: ...


class DeliveryStatus(StrEnum):
    APPLIED = "applied"
    REPEATED = "repeated"
    PARKED = "parked"


class DeliveryRecord(BaseModel):
    """`reason` says why it was parked, or why nothing was to do; without personal data. `received_at` is UTC.

    `contact_ids`: whom it told of. `order_ids`: orders that were nobody's when it told of them.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    store_id: str
    platform: str
    topic: str
    status: DeliveryStatus
    received_at: datetime
    reason: str | None = None
    contact_ids: tuple[str, ...] = ()
    order_ids: tuple[str, ...] = ()
    repeat_of: str | None = None
    size: int = 0
    object_key: str | None = None


class Deliveries:
    def __init__(self, table: Table, objects: Objects) -> None:
        self._table, self._objects = table, objects

    def keep(self, record: DeliveryRecord, delivery: Delivery | None) -> DeliveryRecord:
        """What came and what became of it, over what was known of it before; without `delivery` the text is not kept.

        A pointer in the partition of each contact, and of each order that is nobody's, lets an erasure find it.
        """
        raw, object_key, size = None, None, record.size
        if delivery is not None:
            raw = gzip.compress(json.dumps(dict(delivery.headers)).encode() + b"\n" + delivery.body, mtime=0)
            size = len(delivery.body)
            if len(raw) > INLINE:
                object_key = f"deliveries/{record.store_id}/{record.id}.raw.gz"
                self._objects.put(object_key, raw)
                raw = None
        written = record.model_copy(update={"size": size, "object_key": object_key})
        expires = _expiry(record)
        told_of = [keys.contact(record.store_id, contact_id) for contact_id in record.contact_ids]
        told_of += [keys.order(record.store_id, order_id)[0] for order_id in record.order_ids]
        for pk in told_of:
            self._table.put(Put({"pk": pk, "sk": keys.told_delivery(record.id), "expires_at": expires}))
        listing = keys.listing("DELIVERIES", record.store_id, record.status.value, identifier=record.id)
        more = {"gsi1pk": listing, "gsi1sk": self.sort_key(written), "expires_at": expires, "raw": raw}
        self._table.put(Put(dump(written, keys.delivery(record.store_id, record.id), **more)))
        return written

    def get(self, store_id: str, delivery_id: str) -> DeliveryRecord | None:
        item = self._table.get(*keys.delivery(store_id, delivery_id))
        return _record(item) if item else None

    def raw(self, store_id: str, delivery_id: str) -> Delivery | None:
        """The delivery exactly as it came; None if it is unknown, expired or erased."""
        item = self._table.get(*keys.delivery(store_id, delivery_id))
        if item is None:
            return None
        record, packed = _record(item), item.get("raw")
        if record.object_key:
            try:
                packed = self._objects.get(record.object_key)
            except NotFound:
                return None
        if packed is None:
            return None
        headers, _, body = gzip.decompress(packed).partition(b"\n")
        return Delivery(store_id, record.platform, json.loads(headers), body, record.received_at)

    def claim(self, record: DeliveryRecord, repeat_key: str) -> str:
        """The id of the first delivery with this content: this one's, or that of the one it repeats."""
        pk, sk = keys.repeat(record.store_id, repeat_key)
        claim = {"pk": pk, "sk": sk, "delivery_id": record.id, "expires_at": _expiry(record)}
        try:
            self._table.put(Put(claim, new=True))
        except ConditionFailed:
            known = self._table.get(pk, sk)
            return str(known["delivery_id"]) if known else record.id
        return record.id

    def of_contact(self, store_id: str, contact_id: str) -> Sequence[str]:
        """Ids of the deliveries that told of this contact, for as long as they are kept."""
        return self._pointed_to(keys.contact(store_id, contact_id))

    def of_order(self, store_id: str, order_id: str, contact_id: str | None = None) -> Sequence[str]:
        """Ids of the deliveries that told of this order while it was nobody's, and of those of `contact_id` that hold
        the order's id."""
        found = list(self._pointed_to(keys.order(store_id, order_id)[0]))
        number = re.compile(rf"(?<![0-9A-Za-z]){re.escape(order_id)}(?![0-9A-Za-z])".encode())
        for delivery_id in self.of_contact(store_id, contact_id) if contact_id else ():
            raw = self.raw(store_id, delivery_id)
            if raw and number.search(raw.body):
                found.append(delivery_id)
        return found

    def _pointed_to(self, partition: str) -> Sequence[str]:
        prefix = keys.told_delivery("")
        return [str(item["sk"]).removeprefix(prefix) for item in self._table.query(partition, prefix=prefix)]

    def mentioning(self, store_id: str, values: Sequence[str]) -> Sequence[str]:
        """Ids of parked deliveries, which no contact points to, that hold any of these emails or phones.

        A phone is sought by its last digits, however the store wrote it.
        """
        found = []
        emails = [value.lower() for value in values if "@" in value]
        phones = [value[-PHONE_DIGITS:] for value in values if value.startswith("+")]
        for shard in range(keys.SHARDS):
            pk = f"DELIVERIES#{store_id}#{DeliveryStatus.PARKED.value}#{shard}"
            for item in self._table.iterate(pk, index=True):
                raw = self.raw(store_id, str(item["id"]))
                if raw and _mentions(raw.body.decode("utf-8", "replace"), emails, phones):
                    found.append(str(item["id"]))
        return found

    def erase(self, store_id: str, delivery_id: str) -> None:
        """Its bytes go, wherever they are; that it came stays known."""
        self._objects.delete(f"deliveries/{store_id}/{delivery_id}.gz")  # as it travelled, when too big for the queue
        item = self._table.get(*keys.delivery(store_id, delivery_id))
        if item is None:
            return
        record = _record(item)
        if record.object_key:
            self._objects.delete(record.object_key)
        expression = "SET reason = :erased REMOVE #raw, object_key, contact_ids, order_ids"
        names, values = {"#raw": "raw"}, {":erased": _ERASED}
        self._table.update(*keys.delivery(store_id, delivery_id), expression, names=names, values=values)

    def erase_all(self, store_id: str, enough: Callable[[], bool]) -> bool:
        """The bytes of every delivery of a store. False if there was `enough` of it before the end."""
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(_HANDS) as hands:
            for status in DeliveryStatus:
                for shard in range(keys.SHARDS):
                    listed = self._table.iterate(f"DELIVERIES#{store_id}#{status.value}#{shard}", index=True)
                    ids = (str(item["id"]) for item in listed if item.get("reason") != _ERASED)
                    while some := list(islice(ids, _PAGE)):
                        if enough():
                            return False
                        for _ in hands.map(lambda delivery_id: self.erase(store_id, delivery_id), some):
                            pass
        return True

    def export(self, store_id: str, delivery_id: str) -> dict[str, Any] | None:
        """What came and its very text; None once it is gone."""
        record, raw = self.get(store_id, delivery_id), self.raw(store_id, delivery_id)
        if record is None or raw is None:
            return None
        shown = {"id", "topic", "platform", "received_at"}
        return {**record.model_dump(mode="json", include=shown), "body": raw.body.decode("utf-8", "replace")}

    @staticmethod
    def sort_key(record: DeliveryRecord) -> str:
        return f"{rfc3339(record.received_at)}#{record.id}"

    def list(
        self, store_id: str, status: str | None = None, after: str | None = None, limit: int = 100
    ) -> list[DeliveryRecord]:
        """Oldest first; `after` is the `sort_key` of the last one seen. No status: of every status."""
        found: list[Item] = []
        for one in [status] if status else [each.value for each in DeliveryStatus]:
            found += self._table.listing("DELIVERIES", store_id, one, after=after, limit=limit)
        return [_record(item) for item in sorted(found, key=lambda item: str(item["gsi1sk"]))[:limit]]


def _mentions(text: str, emails: Sequence[str], phones: Sequence[str]) -> bool:
    lower = text.lower()
    if any(email in lower or json.dumps(email)[1:-1] in lower for email in emails):
        return True
    digits = text.translate(_BETWEEN_DIGITS)
    return any(phone in digits for phone in phones)


def _expiry(record: DeliveryRecord) -> int:
    """Epoch seconds, as DynamoDB's time to live wants them."""
    return int((record.received_at + KEPT).timestamp())


def _record(item: Item) -> DeliveryRecord:
    return load(DeliveryRecord, {k: v for k, v in item.items() if k != "raw"})
