"""How a delivery travels from the door to ingest: one JSON object on the queue. Standard library only.

    {"store_id", "platform", "delivery_id", "repeat_key", "received_at", "headers": {...}, "body": base64(gzip(raw))}

What came without a store's name has `"store_id": ""` and `"shop"`, the domain of the store's shop: ingest looks it up.
A body too big for the queue travels through the bucket: `"object": key` stands in its place.
"""

from __future__ import annotations

import base64
import binascii
import os
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from chalicelib.clock import parse_rfc3339, rfc3339

_GZIP = 31  # zlib's window bits for a gzip header
_WORTH_PACKING = 40_000  # bytes: SQS bills by 64 KiB, so packing a smaller body costs the door's CPU for nothing
_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


class Unreadable(ValueError):
    """The message on the queue is none of ours."""


@dataclass(frozen=True)
class Arrival:
    """One arrival of a delivery. `delivery_id` is its own; `repeat_key` is shared by all its repeats.

    `headers` have lower-case names; `body` is the exact bytes; `received_at` store time. `shop` stands in for a
    `store_id` that is not known yet ("").
    """

    store_id: str
    platform: str
    delivery_id: str
    repeat_key: str
    received_at: datetime
    headers: Mapping[str, str]
    body: bytes
    shop: str | None = None


def arrival_id(at: datetime) -> str:
    """A ULID, lower case, without the library that the door does not load (`ids.new_id` is the same form)."""
    number = int(at.timestamp() * 1000) << 80 | int.from_bytes(os.urandom(10), "big")
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -5, -5))


def encode(arrival: Arrival) -> dict[str, Any]:
    """The queue's message; all its values are JSON and plain ASCII once dumped."""
    packed = zlib.compress(arrival.body, 0 if len(arrival.body) < _WORTH_PACKING else 1, wbits=_GZIP)
    message = {
        "store_id": arrival.store_id,
        "platform": arrival.platform,
        "delivery_id": arrival.delivery_id,
        "repeat_key": arrival.repeat_key,
        "received_at": rfc3339(arrival.received_at),
        "headers": dict(arrival.headers),
        "body": base64.b64encode(packed).decode("ascii"),
    }
    if arrival.shop is not None:
        message["shop"] = arrival.shop
    return message


def decode(message: Mapping[str, Any], fetch: Callable[[str], bytes] | None = None) -> Arrival:
    """The inverse of `encode`. `fetch` reads an object (gzip bytes) by its key.

    Raises `Unreadable` for what `encode` never made, and whatever `fetch` raises.
    """
    try:
        if "object" in message:
            if fetch is None:
                raise Unreadable("the body is in the bucket and there is no way to it")
            packed = fetch(str(message["object"]))
        else:
            packed = base64.b64decode(message["body"], validate=True)
        return Arrival(
            store_id=str(message["store_id"]),
            platform=str(message["platform"]),
            delivery_id=str(message["delivery_id"]),
            repeat_key=str(message["repeat_key"]),
            received_at=parse_rfc3339(message["received_at"]).astimezone(UTC),
            headers={str(name): str(value) for name, value in message["headers"].items()},
            body=zlib.decompress(packed, wbits=_GZIP),
            shop=str(message["shop"]) if "shop" in message else None,
        )
    except (KeyError, TypeError, AttributeError, ValueError, binascii.Error, zlib.error) as problem:
        if isinstance(problem, Unreadable):
            raise
        raise Unreadable(f"no delivery of ours: {type(problem).__name__}") from None


def by_object(message: Mapping[str, Any]) -> tuple[dict[str, Any], str, bytes]:
    """The same message with its body taken out: (message that names the object, its key, its gzip bytes)."""
    key = f"deliveries/{message['store_id'] or message['platform']}/{message['delivery_id']}.gz"
    rest = {name: value for name, value in message.items() if name != "body"}
    return {**rest, "object": key}, key, base64.b64decode(message["body"])
