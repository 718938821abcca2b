"""Coupons that are one person's own, made over WooCommerce's REST API. Asked again with one id, it is the same one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol

from chalicelib.commerce.money import Money
from chalicelib.commerce.trouble import ShopTrouble, TroubleCode
from chalicelib.errors import BadInput, FieldMistake
from chalicelib.ids import digest
from chalicelib.store_adapters.woocommerce_rest import Page, Params

_TAKEN = "woocommerce_rest_coupon_code_already_exists"
_LETTERS = 12  # of 32 each: 60 bits, so that two never meet and nobody guesses one
_FAR = datetime(2200, 1, 1, tzinfo=UTC)


class Client(Protocol):
    """What is used of `WooCommerceRest`; each raises `ShopTrouble`."""

    def get(self, path: str, params: Params | None = None) -> Page: ...

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]: ...


@dataclass(frozen=True)
class CouponTerms:
    """What the coupon is worth: an `amount`, `percent` (above 0, up to 100), or free shipping, which may go with both.

    `minimum`: what the cart must come to. `expires_at`: the moment from which it is refused. `email`: who alone may
    use it. `products`, `categories`: the shop's ids of what it is good for; empty: everything. It is good for
    `usage_limit` orders, one of each person.
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
        for name, ids in (("products", self.products), ("categories", self.categories)):
            if not all(one.isascii() and one.isdigit() for one in ids):
                mistakes.append(FieldMistake(name, "expected ids of the shop: whole numbers"))
        if self.usage_limit < 1:
            mistakes.append(FieldMistake("usage_limit", "expected at least 1"))
        if mistakes:
            raise BadInput("The coupon cannot be made like this.", mistakes)


@dataclass(frozen=True)
class Coupon:
    """`code` as shoppers read it (to WooCommerce, small and capital letters are the same); `external_id` the shop's."""

    code: str
    external_id: str


def coupon_code(cause: str) -> str:
    """The code that belongs to this id, such as `A7KQ-2MXJ-4PDQ`: always the same, and no other id's."""
    letters = digest("coupon", cause)[:_LETTERS].upper()
    return "-".join(letters[start : start + 4] for start in range(0, _LETTERS, 4))


def make_coupon(client: Client, cause: str, terms: CouponTerms, currency: str, now: datetime) -> Coupon:
    """The coupon of this `cause` (an id of the enrolment and its step): found if it is there, else made.

    One that is there keeps the terms it was made with, whatever is asked now. Raises `BadInput` for terms that cannot
    be, `ShopTrouble` where the shop does not do it; after that the coupon may be there all the same, and asking again
    finds it.
    """
    code = coupon_code(cause)
    found = _find(client, code)
    if found is not None:
        return found
    terms.check(currency, now)
    try:
        made = client.post("coupons", _body(code, terms))
    except ShopTrouble as trouble:
        if trouble.reason != _TAKEN:
            raise
        found = _find(client, code)  # somebody else made it meanwhile: another attempt of ours
        if found is None:
            raise
        return found
    return _coupon(code, made)


def _find(client: Client, code: str) -> Coupon | None:
    """WooCommerce keeps codes in small letters. A shop that does not filter by code answers with others: not ours."""
    for told in client.get("coupons", {"code": code.lower()}).items:
        if isinstance(told, dict) and str(told.get("code", "")).upper() == code:
            return _coupon(code, told)
    return None


def _coupon(code: str, told: dict[str, Any]) -> Coupon:
    if not isinstance(told.get("id"), int):
        raise ShopTrouble(TroubleCode.BROKEN_ANSWER)
    return Coupon(code, str(told["id"]))


def _body(code: str, terms: CouponTerms) -> dict[str, Any]:
    """WooCommerce reads an expiry with its zone to the second (REST docs, "Coupon properties"; amounts are text)."""
    body: dict[str, Any] = {
        "code": code.lower(),
        "description": "Agala",
        "discount_type": "percent" if terms.percent is not None else "fixed_cart",
        "amount": _worth(terms),
        "free_shipping": terms.free_shipping,
        "usage_limit": terms.usage_limit,
        "usage_limit_per_user": 1,
        "product_ids": [int(one) for one in terms.products],
        "product_categories": [int(one) for one in terms.categories],
    }
    if terms.minimum is not None:
        body["minimum_amount"] = str(terms.minimum.decimal())
    if terms.expires_at is not None:
        body["date_expires"] = terms.expires_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if terms.email is not None:
        body["email_restrictions"] = [terms.email]
    return body


def _worth(terms: CouponTerms) -> str:
    if terms.percent is not None:
        return f"{terms.percent.normalize():f}"
    return str(terms.amount.decimal()) if terms.amount is not None else "0"
