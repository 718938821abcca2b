"""What a delivery can turn into: everything a store may tell us, in our words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.commerce.cart import CartActivity
from chalicelib.commerce.customer import Customer
from chalicelib.commerce.order import Order
from chalicelib.commerce.product import Product
from chalicelib.commerce.snapshot import Version
from chalicelib.commerce.stock import Level
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
class StockTold:
    """How many of a stock item are at one place (`commerce.stock.Level`), told apart from its product."""

    item: str
    level: Level
    version: Version


@dataclass(frozen=True)
class CollectionTold:
    """What a collection is called; what is in it is told elsewhere."""

    external_id: str
    name: str
    version: Version


@dataclass(frozen=True)
class CollectionDeleted:
    """For ever: no other collection gets its id."""

    external_id: str


@dataclass(frozen=True)
class ConsentTold:
    """What somebody chose about being written to, told without the rest of their account."""

    person: Person
    consent: tuple[ConsentChange, ...]


@dataclass(frozen=True)
class ErasureAsked:
    """The platform asks us to erase a person (Shopify's `customers/redact`) or the whole shop (`shop/redact`).

    `orders` are the person's by the platform's word, whoever we think they are of. `whole_shop` alone says the latter:
    at least one identity or order is set whenever it is False.
    """

    customer_id: str | None
    email: str | None
    phone: str | None = None
    whole_shop: bool = False
    orders: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExportAsked:
    """The platform hands on that a person asks what we hold on them (Shopify's `customers/data_request`).

    `request_id` is the platform's own. `orders` as in `ErasureAsked`; at least one identity or order is set.
    """

    request_id: str | None
    customer_id: str | None
    email: str | None
    phone: str | None = None
    orders: tuple[str, ...] = ()


@dataclass(frozen=True)
class AppRemoved:
    """The owner removed our app from the shop: nothing will be told any more, and our token is good for nothing.

    `at`: when, by the platform's clock (None: it does not say). It may be told after the shop was connected again.
    """

    at: datetime | None = None


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
    | StockTold
    | CollectionTold
    | CollectionDeleted
    | ConsentTold
    | ErasureAsked
    | ExportAsked
    | AppRemoved
    | Nothing
)
