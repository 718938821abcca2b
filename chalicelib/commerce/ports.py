"""What the intake needs from outside: the records, and somebody who listens to events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

from chalicelib.commerce.cart import CartRecord
from chalicelib.commerce.event import Event
from chalicelib.commerce.order import Order
from chalicelib.commerce.product import Category, Product
from chalicelib.commerce.product_news import PriceTold
from chalicelib.commerce.snapshot import Version
from chalicelib.commerce.stock import Level, StockTelling
from chalicelib.commerce.store import Store
from chalicelib.contacts.ports import Removal, Writing


class EventMark(BaseModel):
    """Where an order's event stands in the timeline, and which telling's rendition it is (`Version.key()`)."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    version: str


class OrderRecord(BaseModel):
    """`order` is the newest telling, None while only a deletion is known. `events` by event id.

    `contact_id` is as it was when written (follow merges); `contact_by` is the version of the telling it comes from.
    `delivered_at` is the earliest time that anybody told, also while the order itself is not known.
    `erased`: its person was erased; nothing personal is kept of any telling. `rev` counts writes.
    `pulled`: only the store's history told of it so far, no delivery did; no journey begins by it.
    """

    model_config = ConfigDict(frozen=True)

    store_id: str
    external_id: str
    order: Order | None = None
    deleted: Version | None = None
    restored: Version | None = None
    delivered_at: datetime | None = None
    contact_id: str | None = None
    contact_by: str = ""
    events: dict[str, EventMark] = Field(default_factory=dict)
    erased: bool = False
    pulled: bool = False
    rev: int = 0

    @property
    def is_deleted(self) -> bool:
        return _is_deleted(self.deleted, self.restored)


class ProductRecord(BaseModel):
    """`product` is the newest telling, without its collections: `collections` are those of the newest telling that
    said anything of them, whose version `collections_by` is, without a hash. `current` is all of it together.

    `stock_told` says of the newest tellings, by `Version.key()`, whether it was in stock; `sold_out_by` is the newest
    telling ever that said it was not, `back_by` the first one after it that said it was again (commerce.stock).
    Where it is counted: `stock_before` are the last words before those, `stock_turns` when a product with
    variants (`by_variants`) turned because of them, `in_stock_now` and `stock_now` what comes of all. `levels_of` is
    the stock item whose levels come here.
    `prices_told` are the newest tellings' prices; `first_shown` is the first telling that showed it to shoppers, since
    `shown_since` by the store's word, `first_hidden` the first that did not (commerce.product_news).
    """

    model_config = ConfigDict(frozen=True)

    store_id: str
    external_id: str
    product: Product | None = None
    deleted: Version | None = None
    restored: Version | None = None
    collections: tuple[Category, ...] = ()
    collections_by: str = ""
    stock_told: dict[str, StockTelling] = Field(default_factory=dict)
    stock_before: dict[str, StockTelling] = Field(default_factory=dict)
    stock_turns: dict[str, bool] = Field(default_factory=dict)
    by_variants: bool = False
    in_stock_now: bool | None = None
    stock_now: int | None = None
    levels_of: str | None = None
    sold_out_by: str = ""
    back_by: str = ""
    prices_told: dict[str, PriceTold] = Field(default_factory=dict)
    first_shown: str = ""
    first_hidden: str = ""
    shown_since: datetime | None = None
    rev: int = 0

    @property
    def current(self) -> Product | None:
        """The product as all its tellings together have it; of a deleted one, as it was last."""
        if self.product is None:
            return None
        changed: dict[str, object] = {}
        if self.collections:
            own = self.product.categories
            known = {category.id for category in own}
            changed["categories"] = (*own, *(one for one in self.collections if one.id not in known))
        if self.in_stock_now is not None:
            changed |= {"in_stock": self.in_stock_now, "stock": self.stock_now}
        return self.product.model_copy(update=changed) if changed else self.product

    @property
    def is_deleted(self) -> bool:
        return _is_deleted(self.deleted, self.restored)


def _is_deleted(deleted: Version | None, restored: Version | None) -> bool:
    """A deletion wins until the store says `restored`, later."""
    return deleted is not None and (restored is None or restored.key() <= deleted.key())


class StockItem(BaseModel):
    """What a store counts apart from its products (Shopify's inventory item): `owners` are products or variations.

    `levels` are the newest that were told, by `commerce.stock.level_key`; they may come before any owner is known.
    """

    model_config = ConfigDict(frozen=True)

    store_id: str
    external_id: str
    owners: tuple[str, ...] = ()
    levels: dict[str, Level] = Field(default_factory=dict)
    rev: int = 0


class CollectionRecord(BaseModel):
    """A category that is told apart from the products in it: its newest name; `deleted` is for ever."""

    model_config = ConfigDict(frozen=True)

    store_id: str
    external_id: str
    name: str = ""
    named_by: str = ""
    deleted: bool = False
    rev: int = 0


class Orders(Protocol):
    def get(self, store_id: str, external_id: str) -> OrderRecord | None: ...

    def write(
        self,
        record: OrderRecord,
        writings: Sequence[Writing],
        waiting: Sequence[Event] = (),
        waiting_gone: Sequence[Removal] = (),
    ) -> None:
        """Record and contacts in one transaction, each over the revision it has. Raises `Conflict`."""
        ...

    def waiting_events(self, store_id: str, external_id: str) -> list[Event]:
        """Events of an order whose contact is not known yet."""
        ...

    def drop_waiting(self, store_id: str, external_id: str) -> None:
        """They have come to a contact's timeline."""
        ...


class Carts(Protocol):
    def get(self, store_id: str, token: str) -> CartRecord | None: ...

    def write(
        self,
        record: CartRecord,
        writings: Sequence[Writing] = (),
        pointer_in: str | None = None,
        pointers_gone: Sequence[str] = (),
    ) -> CartRecord:
        """Record, contacts and pointers in one transaction, each record over the revision it has. Raises `Conflict`.

        `pointer_in` and `pointers_gone` are contacts: who is to know this cart, and who no longer.
        """
        ...


class Products(Protocol):
    def get(self, store_id: str, external_id: str) -> ProductRecord | None: ...

    def get_many(self, store_id: str, external_ids: list[str]) -> dict[str, ProductRecord]: ...

    def save(
        self, record: ProductRecord, happened: Sequence[Event] = (), undone: Sequence[Event] = ()
    ) -> ProductRecord:
        """Over the revision it has, together with the product's own events. Raises `Conflict`."""
        ...

    def stock_item(self, store_id: str, external_id: str) -> StockItem | None: ...

    def save_stock_item(self, item: StockItem) -> None:
        """Over the revision it has. Raises `Conflict`."""
        ...

    def collections(self, store_id: str, external_ids: list[str]) -> dict[str, CollectionRecord]: ...

    def save_collection(self, record: CollectionRecord) -> None:
        """Over the revision it has. Raises `Conflict`."""
        ...

    def wait_for(self, store_id: str, external_ids: Iterable[str], order_id: str, until: datetime) -> None:
        """Note that this order's events were told while these products were unknown."""
        ...

    def awaited_by(self, store_id: str, external_id: str) -> Sequence[str]:
        """Ids of the orders whose events were told without this product."""
        ...


class ProductNews(Protocol):
    """Whoever watches a product (`journeys.product_news`)."""

    def tell(self, store: Store, events: Sequence[Event]) -> None:
        """See to it that they hear these events of products. Repeating is harmless. Raises `TryLater`."""
        ...


class Listener(Protocol):
    """Journeys. Called again for a delivery that is processed again, so it must be idempotent."""

    def listens(self, store: Store) -> bool:
        """False where no event means anything now: then none need be made ready."""
        ...

    def on_events(self, store: Store, contact_id: str, events: list[Event]) -> None: ...

    def reconsider(self, store: Store, contact_id: str) -> None:
        """The ranks of this contact's orders changed (an older order became known, or one no longer counts), or what
        the catalogue says of them."""
        ...

    def leave_cart(self, store: Store, contact_id: str, token: str) -> None:
        """This cart is over for this contact: bought, emptied or another's. End what began with it."""
        ...

    def stop_all(self, store_id: str, contact_id: str, reason: str) -> None:
        """End every enrolment of this contact, and its execution."""
        ...
