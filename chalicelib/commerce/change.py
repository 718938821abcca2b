"""What a delivery can turn into: everything a store may tell us, in our words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.commerce.cart import CartActivity
from chalicelib.commerce.customer import Customer
from chalicelib.commerce.order import Order
from chalicelib.commerce.product import Product
from chalicelib.commerce.snapshot import Version
from chalicelib.contacts.consent import ConsentChange
from chalicelib.contacts.person import Person


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
class OrderDelivered:
    """A parcel of this order came to the buyer; told apart from the order, perhaps before it. `at` is UTC."""

    external_id: str
    at: datetime


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
    """Understood, and nothing to do. `reason` is shown with the delivery.

    `private`: its text names somebody to whom no record leads, whom an erasure would not find there: it is not kept.
    """

    reason: str
    private: bool = False


Change = (
    Order
    | CartActivity
    | Customer
    | Product
    | OrderDeleted
    | OrderRestored
    | OrderDelivered
    | CustomerDeleted
    | ProductDeleted
    | ProductRestored
    | ConsentTold
    | ErasureAsked
    | Nothing
)
