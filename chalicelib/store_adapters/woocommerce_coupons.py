"""Coupons that are one person's own, made over WooCommerce's REST API. Asked again with one id, it is the same one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Protocol

from chalicelib.commerce.coupon import Coupon, CouponTerms, Removal, coupon_code
from chalicelib.commerce.trouble import ShopTrouble, TroubleCode
from chalicelib.errors import BadInput, FieldMistake
from chalicelib.store_adapters.woocommerce_rest import Page, Params

_NOT_THERE = "woocommerce_rest_shop_coupon_invalid_id"
_TAKEN = "woocommerce_rest_coupon_code_already_exists"


class Client(Protocol):
    """What is used of `WooCommerceRest`; each raises `ShopTrouble`."""

    def get(self, path: str, params: Params | None = None) -> Page: ...

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]: ...

    def delete(self, path: str, params: Params | None = None) -> dict[str, Any]: ...


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
    _check(terms)
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


def remove_coupon(client: Client, code: str) -> Removal:
    """Delete it for good, unless an order used it: then it belongs to the shop's books. Raises `ShopTrouble`."""
    found = _told(client, code)
    if found is None:
        return Removal.GONE
    if found.get("usage_count") != 0:
        return Removal.USED
    try:
        client.delete(f"coupons/{_coupon(code, found).external_id}", {"force": True})
    except ShopTrouble as trouble:
        if trouble.reason != _NOT_THERE:
            raise
        return Removal.GONE
    return Removal.REMOVED


def _check(terms: CouponTerms) -> None:
    """Raises `BadInput` for what no coupon of WooCommerce's own can be."""
    mistakes = []
    if terms.minimum_units is not None:
        mistakes.append(FieldMistake("minimum_units", "a WooCommerce coupon cannot ask for a number of units"))
    if terms.gift is not None and (terms.products or terms.categories):
        field = "products" if terms.products else "categories"
        mistakes.append(FieldMistake(field, "a WooCommerce coupon cannot give one product for another"))
    if mistakes:
        raise BadInput("The coupon cannot be made like this.", mistakes)


def _find(client: Client, code: str) -> Coupon | None:
    told = _told(client, code)
    return None if told is None else _coupon(code, told)


def _told(client: Client, code: str) -> dict[str, Any] | None:
    """WooCommerce keeps codes in small letters. A shop that does not filter by code answers with others: not ours."""
    for told in client.get("coupons", {"code": code.lower()}).items:
        if isinstance(told, dict) and str(told.get("code", "")).upper() == code:
            return told
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
    if terms.gift is not None:  # whoever has it in the cart gets one unit of it cheaper, or free
        body |= {"product_ids": [int(terms.gift)], "limit_usage_to_x_items": 1}
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
