"""What a delivery can turn into: everything a store may tell us, in our words."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.commerce.customer import Customer
from chalicelib.commerce.order import Order
from chalicelib.commerce.product import Product
from chalicelib.commerce.snapshot import Version


@dataclass(frozen=True)
class OrderDeleted:
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
class ErasureAsked:
    """The platform asks us to erase a person (Shopify's `customers/redact`) or, with neither set, the whole shop."""

    customer_id: str | None
    email: str | None


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
    | ErasureAsked
    | Nothing
)
