"""Discount codes that are one person's own, made over Shopify's Admin API. One id always finds the same code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from chalicelib.commerce.coupon import Coupon, CouponTerms, Removal, coupon_code
from chalicelib.commerce.trouble import ShopTrouble, TroubleCode
from chalicelib.errors import BadInput, FieldMistake

_TAKEN = "TAKEN"  # DiscountErrorCode
_MUTATIONS = {
    "discount_make_basic": "discountCodeBasicCreate",
    "discount_make_bxgy": "discountCodeBxgyCreate",
    "discount_make_free_shipping": "discountCodeFreeShippingCreate",
}
_NODE = re.compile(r"gid://shopify/DiscountCodeNode/(\d+)")
_REASON = re.compile(r"[A-Z_]{1,100}")


class Admin(Protocol):
    """What is used of `ShopifyAdmin`; raises `ShopTrouble`."""

    def ask(self, document: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]: ...


def make_coupon(
    admin: Admin, cause: str, terms: CouponTerms, currency: str, now: datetime, customer_id: str | None
) -> Coupon:
    """The code of this `cause` (an id of the enrolment and its step): found if it is there, else made.

    `customer_id` is Shopify's id of who alone may use it. Where it is not known, anybody who has the code may, as often
    as `usage_limit` says: Shopify binds a code to customers, not to addresses (`terms.email`).

    One that is there keeps the terms it was made with, whatever is asked now. Raises `BadInput` for terms that cannot
    be, `ShopTrouble` where the shop does not do it; after that the code may be there all the same, and asking again
    finds it.
    """
    code = coupon_code(cause)
    found = _find(admin, code)
    if found is not None:
        return found
    terms.check(currency, now)
    _check(terms)
    document, discount = _discount(code, terms, now, customer_id)
    answer = _part(admin.ask(document, {"discount": discount}), _MUTATIONS[document])
    if reasons := _reasons(answer):
        found = _find(admin, code) if _TAKEN in reasons else None  # somebody else made it: another attempt of ours
        if found is None:
            raise ShopTrouble(TroubleCode.REFUSED, reason=reasons[0])
        return found
    return _coupon(code, answer.get("codeDiscountNode"))


def remove_coupon(admin: Admin, code: str) -> Removal:
    """Delete it for good, unless an order used it: then it belongs to the shop's books. Raises `ShopTrouble`."""
    told = admin.ask("discount_by_code", {"code": code}).get("codeDiscountNodeByCode")
    if told is None:
        return Removal.GONE
    node, discount = _coupon(code, told).external_id, told.get("codeDiscount")
    if not isinstance(discount, dict) or discount.get("asyncUsageCount") != 0:
        return Removal.USED
    answer = _part(admin.ask("discount_remove", {"id": f"gid://shopify/DiscountCodeNode/{node}"}), "discountCodeDelete")
    if reasons := _reasons(answer):
        raise ShopTrouble(TroubleCode.REFUSED, reason=reasons[0])
    return Removal.REMOVED


def _check(terms: CouponTerms) -> None:
    """Raises `BadInput` for what no single code of Shopify can be."""
    mistakes = []
    if terms.free_shipping and (terms.amount is not None or terms.percent is not None):
        mistakes.append(FieldMistake("free_shipping", "Shopify takes one code off either the goods or the shipping"))
    if terms.free_shipping and (terms.products or terms.categories):
        field = "products" if terms.products else "categories"
        mistakes.append(FieldMistake(field, "on Shopify, free shipping is for the whole order"))
    elif terms.products and terms.categories:
        mistakes.append(FieldMistake("categories", "on Shopify, a code is for either products or collections"))
    if terms.gift is not None and not (terms.products or terms.categories):
        mistakes.append(FieldMistake("gift", "Shopify gives a product only with others that are bought"))
    if terms.minimum is not None and terms.minimum_units is not None:
        mistakes.append(FieldMistake("minimum_units", "on Shopify, a code asks for either a sum or a number of units"))
    if mistakes:
        raise BadInput("The coupon cannot be made like this.", mistakes)


def _find(admin: Admin, code: str) -> Coupon | None:
    """Whatever became of it: also one that was used, has expired or was switched off."""
    told = admin.ask("discount_by_code", {"code": code}).get("codeDiscountNodeByCode")
    return None if told is None else _coupon(code, told)


def _coupon(code: str, told: Any) -> Coupon:
    node = _NODE.fullmatch(str(told.get("id"))) if isinstance(told, dict) else None
    if node is None:
        raise ShopTrouble(TroubleCode.BROKEN_ANSWER)
    return Coupon(code, node[1])


def _part(data: dict[str, Any], name: str) -> dict[str, Any]:
    part = data.get(name)
    if not isinstance(part, dict):
        raise ShopTrouble(TroubleCode.BROKEN_ANSWER)
    return part


def _reasons(answer: dict[str, Any]) -> list[str]:
    """The codes of what Shopify has against it; what is no code is not quoted."""
    told = [error.get("code") if isinstance(error, dict) else None for error in answer.get("userErrors") or []]
    return [code if isinstance(code, str) and _REASON.fullmatch(code) else "UNKNOWN" for code in told]


def _discount(code: str, terms: CouponTerms, now: datetime, customer_id: str | None) -> tuple[str, dict[str, Any]]:
    """(the document that makes it, its input): DiscountCodeFreeShippingInput, …BxgyInput or …BasicInput."""
    discount: dict[str, Any] = {
        "title": f"Agala {code}",
        "code": code,
        "startsAt": _moment(now),
        "usageLimit": terms.usage_limit,
        "appliesOncePerCustomer": True,
        "context": {"customers": {"add": [_gid("Customer", customer_id)]}} if customer_id else {"all": "ALL"},
    }
    if terms.expires_at is not None:
        discount["endsAt"] = _moment(terms.expires_at)
    if terms.gift is not None:
        return "discount_make_bxgy", {**discount, **_gift(terms, terms.gift)}
    if terms.minimum is not None:
        least = str(terms.minimum.decimal())
        discount["minimumRequirement"] = {"subtotal": {"greaterThanOrEqualToSubtotal": least}}
    elif terms.minimum_units is not None:
        discount["minimumRequirement"] = {"quantity": {"greaterThanOrEqualToQuantity": str(terms.minimum_units)}}
    if terms.free_shipping:
        return "discount_make_free_shipping", {**discount, "destination": {"all": True}}
    gets = {"value": _value(terms), "items": _items(terms)}
    return "discount_make_basic", {**discount, "customerGets": gets}


def _gift(terms: CouponTerms, product: str) -> dict[str, Any]:
    """What must be bought, and the one unit that comes with it: once in an order."""
    assert terms.percent is not None
    least = terms.minimum
    bought = {"amount": str(least.decimal())} if least is not None else {"quantity": str(terms.minimum_units or 1)}
    effect = {"percentage": float(terms.percent / 100)}
    return {
        "customerBuys": {"items": _items(terms), "value": bought},
        "customerGets": {
            "items": {"products": {"productsToAdd": [_gid("Product", product)]}},
            "value": {"discountOnQuantity": {"quantity": "1", "effect": effect}},
        },
        "usesPerOrderLimit": 1,
    }


def _value(terms: CouponTerms) -> dict[str, Any]:
    """An amount off the whole, or a fraction between 0 and 1 (the schema's Float: its shortest text is exact)."""
    if terms.percent is not None:
        return {"percentage": float(terms.percent / 100)}
    assert terms.amount is not None
    return {"discountAmount": {"amount": str(terms.amount.decimal()), "appliesOnEachItem": False}}


def _items(terms: CouponTerms) -> dict[str, Any]:
    if terms.products:
        return {"products": {"productsToAdd": [_gid("Product", one) for one in terms.products]}}
    if terms.categories:
        return {"collections": {"add": [_gid("Collection", one) for one in terms.categories]}}
    return {"all": True}


def _gid(kind: str, external_id: str) -> str:
    return f"gid://shopify/{kind}/{external_id}"


def _moment(at: datetime) -> str:
    """To the second: Shopify keeps no more."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
