"""What every store platform's adapter provides: verify, then parse into one vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chalicelib.commerce.customer import Customer
from chalicelib.commerce.order import Order
from chalicelib.commerce.product import Product
from chalicelib.commerce.snapshot import Version
from chalicelib.commerce.store import Store
from chalicelib.contacts.consent import ConsentChange
from chalicelib.contacts.person import Person
from chalicelib.errors import AgalaError


class Unintelligible(AgalaError):
    """A signed delivery that cannot be understood: it is parked with this text (field and expectation, no values)."""


@dataclass(frozen=True)
class OrderDeleted:
    """Wins over every telling until `OrderRestored`.

    Where the body only names the order, the version is of 1970: it then tells no time.
    """

    external_id: str
    version: Version


@dataclass(frozen=True)
class OrderRestored:
    external_id: str
    version: Version


@dataclass(frozen=True)
class CustomerDeleted:
    external_id: str
    version: Version


@dataclass(frozen=True)
class ProductDeleted:
    external_id: str
    version: Version


@dataclass(frozen=True)
class ProductRestored:
    external_id: str
    version: Version


@dataclass(frozen=True)
class ConsentTold:
    """What somebody chose about being written to, told without the rest of their account."""

    person: Person
    consent: tuple[ConsentChange, ...]


@dataclass(frozen=True)
class ErasureAsked:
    """The platform asks us to erase a person (Shopify's `customers/redact`) or the whole shop (`shop/redact`).

    `whole_shop` alone says the latter: at least one identity is set whenever it is False.
    """

    customer_id: str | None
    email: str | None
    phone: str | None = None
    whole_shop: bool = False


@dataclass(frozen=True)
class Nothing:
    """Understood, and nothing to do. `reason` is shown with the delivery."""

    reason: str


Change = (
    Order
    | Customer
    | Product
    | OrderDeleted
    | OrderRestored
    | CustomerDeleted
    | ProductDeleted
    | ProductRestored
    | ConsentTold
    | ErasureAsked
    | Nothing
)


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
