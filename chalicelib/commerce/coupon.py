"""A coupon that is one person's own: what it is worth, and the code that its cause has on every platform."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from chalicelib.commerce.money import Money
from chalicelib.errors import BadInput, FieldMistake
from chalicelib.ids import digest

_LETTERS = 12  # of 32 each: 60 bits, so that two never meet and nobody guesses one
_FAR = datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class CouponTerms:
    """What the coupon is worth: an `amount`, `percent` (above 0, up to 100), or free shipping, which may go with both
    where the platform can do that.

    `minimum`: what the cart must come to. `expires_at`: the moment from which it is refused. `email`: who alone may
    use it. `products`, `categories` (Shopify's collections): the shop's ids of what it is good for; empty: everything.
    It is good for `usage_limit` orders, one of each person. `minimum_units`: of how many units the cart must be, where
    the platform can do that. `gift`: the shop's id of a product, of which one unit is `percent` cheaper (100: free);
    then `products` and `categories` are what must be bought with it, of which the shop must ask for some or for none.
    """

    amount: Money | None = None
    percent: Decimal | None = None
    free_shipping: bool = False
    minimum: Money | None = None
    expires_at: datetime | None = None
    email: str | None = None
    products: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    usage_limit: int = 1
    minimum_units: int | None = None
    gift: str | None = None

    def check(self, currency: str, now: datetime) -> None:
        """Raises `BadInput`, which names each field that cannot be as it is in a shop of this currency."""
        mistakes = []
        if self.amount is not None and self.percent is not None:
            mistakes.append(FieldMistake("percent", "either an amount or a percentage"))
        if self.amount is None and self.percent is None and not self.free_shipping:
            mistakes.append(FieldMistake("amount", "expected an amount, a percentage or free shipping"))
        for name, money in (("amount", self.amount), ("minimum", self.minimum)):
            if money is not None and money.currency != currency:
                mistakes.append(FieldMistake(name, f"expected an amount in the store's currency, {currency}"))
            elif money is not None and money.amount <= 0:
                mistakes.append(FieldMistake(name, "expected more than nothing"))
        if self.percent is not None and not (self.percent.is_finite() and 0 < self.percent <= 100):
            mistakes.append(FieldMistake("percent", "expected more than 0 and up to 100"))
        if self.expires_at is not None and not now < self.expires_at < _FAR:
            mistakes.append(FieldMistake("expires_at", "expected a time to come"))
        if self.gift is not None and (self.percent is None or self.free_shipping):
            mistakes.append(FieldMistake("gift", "a gift goes with a percentage alone"))
        gift = (self.gift,) if self.gift is not None else ()
        for name, ids in (("products", self.products), ("categories", self.categories), ("gift", gift)):
            if not all(one.isascii() and one.isdigit() for one in ids):
                mistakes.append(FieldMistake(name, "expected ids of the shop: whole numbers"))
        if self.usage_limit < 1:
            mistakes.append(FieldMistake("usage_limit", "expected at least 1"))
        if mistakes:
            raise BadInput("The coupon cannot be made like this.", mistakes)


@dataclass(frozen=True)
class Coupon:
    """`code` as shoppers read it (small and capital letters are one to every platform); `external_id` the shop's."""

    code: str
    external_id: str


class OwnedCoupon(BaseModel):
    """Whose a code is, and which step of which enrolment gave it; kept before the shop makes the coupon, so that nobody
    redeems one that is nobody's. `name` as the step has it; it is good from `at`, refused from `ends_at` on.
    `cleared`: what came of it in the shop after its end (`removed`, `used`, `gone`, `given_up`); None: not yet looked.
    """

    model_config = ConfigDict(frozen=True)

    code: str
    store_id: str
    contact_id: str
    enrolment: str
    journey: str
    step: str
    name: str | None = None
    at: datetime
    ends_at: datetime
    cleared: str | None = None


class Removal(StrEnum):
    """What came of clearing an ended coupon away: taken out of the shop, left there because an order used it, or it was
    not there any more."""

    REMOVED = "removed"
    USED = "used"
    GONE = "gone"


def coupon_code(cause: str) -> str:
    """The code that belongs to this id, such as `A7KQ-2MXJ-4PDQ`: always the same, and no other id's."""
    letters = digest("coupon", cause)[:_LETTERS].upper()
    return "-".join(letters[start : start + 4] for start in range(0, _LETTERS, 4))
