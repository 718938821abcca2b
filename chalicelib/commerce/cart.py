"""A cart in our words: one activity of it as a store tells it, and the record that all its activities come to."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from chalicelib.clock import rfc3339
from chalicelib.commerce.money import Money
from chalicelib.contacts.consent import ConsentChange
from chalicelib.contacts.person import Person


class CartStep(StrEnum):
    """What an activity says: the cart changed, the checkout was reached, it was emptied, an order came of it."""

    UPDATED = "updated"
    CHECKOUT = "checkout"
    EMPTIED = "emptied"
    CONVERTED = "converted"


class CartItem(BaseModel):
    """`price` is of one unit. `categories` are the store's ids."""

    model_config = ConfigDict(frozen=True)

    product_id: str
    variation_id: str | None = None
    name: str
    quantity: int
    price: Money
    image: str | None = None
    url: str | None = None
    categories: tuple[str, ...] = ()


class CartActivity(BaseModel):
    """One telling of a cart. `id` names it once and for all; `token` is the cart's own; `occurred_at` is UTC.

    `person` and `consent` are what was known by then; `lines` counts the cart's lines, also those not in `items`.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    token: str
    step: CartStep
    person: Person
    items: tuple[CartItem, ...] = ()
    lines: int = 0
    total: Money
    coupons: tuple[str, ...] = ()
    restore_url: str | None = None
    consent: tuple[ConsentChange, ...] = ()
    order_id: str | None = None
    occurred_at: datetime

    def place(self) -> str:
        """Sorts the activities of one cart, as text, by when they happened and never by arrival."""
        return f"{rfc3339(self.occurred_at)}#{self.id}"


class CartState(StrEnum):
    """`bought` is for ever; a cart that was left is `open` again when it changes."""

    OPEN = "open"
    ABANDONED = "abandoned"
    BOUGHT = "bought"
    EMPTIED = "emptied"


class CartRecord(BaseModel):
    """What all activities of one cart come to, in whatever order they came. It names nobody but by `contact_id`.

    `latest` is the newest activity that shows the cart (without its person and consent). `contact_by` is the place of
    the activity that `contact_id` comes from, `named_at` when anybody was named first. `bought_at` and `order_id` come
    from an activity or from the order itself, whichever tells of it first. What happened until `erased_at` was somebody
    who was erased.

    Watching: `generation` counts the times that the cart began to be watched, `watched` says whether somebody is to
    look, `heard_at` is when the cart last had news. `abandoned_at` is when it counted as left, each time; `left_as` and
    `left_generation` are the place of `latest` and the generation of the last time.
    """

    model_config = ConfigDict(frozen=True)

    store_id: str
    token: str
    contact_id: str | None = None
    contact_by: str = ""
    named_at: datetime | None = None
    latest: CartActivity | None = None
    first_at: datetime | None = None
    checkout_at: datetime | None = None
    bought_at: datetime | None = None
    order_id: str | None = None
    erased_at: datetime | None = None
    generation: int = 0
    watched: bool = False
    heard_at: datetime | None = None
    abandoned_at: tuple[datetime, ...] = ()
    left_as: str = ""
    left_generation: int = 0
    rev: int = 0

    @property
    def state(self) -> CartState:
        if self.bought_at is not None:
            return CartState.BOUGHT
        if self.latest is None or self.latest.step is CartStep.EMPTIED or not self.latest.items:
            return CartState.EMPTIED
        return CartState.ABANDONED if self.left_as >= self.latest.place() else CartState.OPEN

    @property
    def last_activity_at(self) -> datetime | None:
        return self.latest.occurred_at if self.latest else None
