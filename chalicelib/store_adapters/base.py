"""What every store platform's adapter provides: verify, then parse into one vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chalicelib.commerce.change import (
    AppRemoved,
    Change,
    CollectionDeleted,
    CollectionTold,
    ConsentTold,
    CustomerDeleted,
    ErasureAsked,
    ExportAsked,
    Nothing,
    OrderDeleted,
    OrderDelivered,
    OrderRestored,
    ProductDeleted,
    ProductRestored,
    StockTold,
)
from chalicelib.commerce.store import Store
from chalicelib.errors import AgalaError

__all__ = [
    "AnotherShops",
    "AppRemoved",
    "Change",
    "CollectionDeleted",
    "CollectionTold",
    "ConsentTold",
    "CustomerDeleted",
    "Delivery",
    "ErasureAsked",
    "ExportAsked",
    "Nothing",
    "OrderDeleted",
    "OrderDelivered",
    "OrderRestored",
    "ProductDeleted",
    "ProductRestored",
    "StockTold",
    "StoreAdapter",
    "Unintelligible",
]


class Unintelligible(AgalaError):
    """A signed delivery that cannot be understood: it is parked with this text (field and expectation, no values)."""


class AnotherShops(Unintelligible):
    """It is not about this store: its text, with another shop's people in it, is not kept here."""


@dataclass(frozen=True)
class Delivery:
    """A raw delivery as it came: header names in lower case, the body's exact bytes, `received_at` store time."""

    store_id: str
    platform: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


class StoreAdapter(Protocol):
    """One platform's deliveries in our words. The webhook door's part (standard library only) is in `signatures`."""

    def repeat_key(self, delivery: Delivery) -> str:
        """The same for two deliveries that are one and the same."""
        ...

    def topic(self, delivery: Delivery) -> str: ...

    def parse(self, delivery: Delivery, store: Store) -> list[Change]:
        """In our vocabulary. Raises `Unintelligible`; never anything else, whatever the body."""
        ...
