"""An order in our words, whichever platform told it."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from chalicelib.commerce.money import Money
from chalicelib.commerce.snapshot import Version
from chalicelib.contacts.consent import ConsentChange
from chalicelib.contacts.person import Person


class OrderStatus(StrEnum):
    PENDING = "pending"
    PAID = "paid"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"
    FAILED = "failed"


# In the same second the later status wins (docs/decisions.md).
STATUS_RANK = {
    OrderStatus.PENDING: 0,
    OrderStatus.CANCELLED: 1,
    OrderStatus.FAILED: 1,
    OrderStatus.PAID: 2,
    OrderStatus.COMPLETED: 3,
    OrderStatus.REFUNDED: 4,
}


class LineItem(BaseModel):
    """`included`: its price is in another line of the same order (a part of a bundle, or its mere container)."""

    model_config = ConfigDict(frozen=True)

    product_id: str
    variation_id: str | None = None
    name: str
    quantity: int
    total: Money
    sku: str | None = None
    image: str | None = None
    categories: tuple[str, ...] = ()
    included: bool = False


class Refund(BaseModel):
    model_config = ConfigDict(frozen=True)

    external_id: str
    amount: Money
    at: datetime | None = None


class Occasion(BaseModel):
    """What the buyer said a purchase is for, and asked to be reminded of. `at`: when they said it (UTC).

    `date` is the next day of the occasion, counted from then, in the store's time zone; it comes back every year.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    date: date
    at: datetime


class Order(BaseModel):
    """One telling of an order. Times are UTC; `total` is what was charged, `refunded` what went back.

    `presentment_total` is the total as the shopper saw it, where that was in another currency than the shop's.

    `cancelled_at` is None where the platform does not say it (WooCommerce): the telling's version dates it then.
    `delivered_at` is when the first parcel came to the buyer, as far as this telling knows.
    """

    model_config = ConfigDict(frozen=True)

    external_id: str
    number: str
    status: OrderStatus
    version: Version
    total: Money
    presentment_total: Money | None = None
    refunded: Money
    items: tuple[LineItem, ...] = ()
    refunds: tuple[Refund, ...] = ()
    coupons: tuple[str, ...] = ()
    person: Person
    placed_at: datetime
    paid_at: datetime | None = None
    completed_at: datetime | None = None
    cancelled_at: datetime | None = None
    delivered_at: datetime | None = None
    payment_url: str | None = None
    cart_token: str | None = None
    consent: tuple[ConsentChange, ...] = ()
    occasion: Occasion | None = None

    @property
    def net(self) -> Money:
        """What the store kept, never below nothing."""
        return Money(amount=max(0, self.total.amount - self.refunded.amount), currency=self.total.currency)

    @property
    def counts(self) -> bool:
        """Whether it counts in `orders_count`: ever paid, not cancelled, not refunded in full."""
        if self.paid_at is None or self.status in (OrderStatus.CANCELLED, OrderStatus.REFUNDED, OrderStatus.FAILED):
            return False
        return self.total.amount == 0 or self.net.amount > 0
