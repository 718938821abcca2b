"""What every store platform's adapter provides: verify, then parse into one vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chalicelib.commerce.change import (
    Change,
    CustomerDeleted,
    ErasureAsked,
    Nothing,
    OrderDeleted,
    OrderRestored,
    ProductDeleted,
)
from chalicelib.commerce.store import Store
from chalicelib.errors import AgalaError

__all__ = [
    "Change",
    "CustomerDeleted",
    "Delivery",
    "ErasureAsked",
    "Nothing",
    "OrderDeleted",
    "OrderRestored",
    "ProductDeleted",
    "StoreAdapter",
    "Unintelligible",
]


class Unintelligible(AgalaError):
    """A signed delivery that cannot be understood: it is parked with this text (field and expectation, no values)."""


@dataclass(frozen=True)
class Delivery:
    """A raw delivery as it came: header names in lower case, the body's exact bytes, `received_at` store time."""

    store_id: str
    platform: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


class StoreAdapter(Protocol):
    """`verify` and `is_ping` run in the webhook door: they must need nothing but the standard library."""

    def repeat_key(self, delivery: Delivery) -> str:
        """The same for two deliveries that are one and the same."""
        ...

    def topic(self, delivery: Delivery) -> str: ...

    def parse(self, delivery: Delivery, store: Store) -> list[Change]:
        """In our vocabulary. Raises `Unintelligible`; never anything else, whatever the body."""
        ...
