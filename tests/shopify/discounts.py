"""Discount codes of a fake shop: what is given turned to what is answered, and what Shopify objects to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.shopify.search import text
from tests.shopify.shop import FakeShop, Record

if TYPE_CHECKING:
    from tests.shopify.execute import Execution

Arguments = dict[str, Any]
_INPUTS = {
    "DiscountCodeBasic": "basicCodeDiscount",
    "DiscountCodeBxgy": "bxgyCodeDiscount",
    "DiscountCodeFreeShipping": "freeShippingCodeDiscount",
}


def nodes(shop: FakeShop) -> list[Record]:
    """With their terms beside, where a search looks for them."""
    shown = ("title", "status", "startsAt", "endsAt", "createdAt", "updatedAt")
    return [
        {**one, "discount": one["codeDiscount"], **{name: one["codeDiscount"].get(name) for name in shown}}
        for one in shop.discounts
    ]


def by_code(shop: FakeShop, code: str) -> Record | None:
    """Codes are the same whatever their letters' case."""
    wanted = code.casefold()
    return next((one for one in shop.discounts if any(c["code"].casefold() == wanted for c in _codes(one))), None)


def _codes(discount: Record) -> list[Record]:
    return list(discount["codeDiscount"].get("codes", []))


def _create(kind: str) -> Callable[[Execution, Arguments], Record]:
    def create(run: Execution, arguments: Arguments) -> Record:
        shop, told = run.shop, arguments[_INPUTS[kind]]
        problems = _problems(shop, kind, told, None)
        if problems:
            return {"codeDiscountNode": None, "userErrors": problems}
        redeem = {"id": shop.gid("DiscountRedeemCode"), "code": told["code"], "asyncUsageCount": 0}
        now = text(shop.clock.now())
        terms = {"__typename": kind, "createdAt": now, "asyncUsageCount": 0, "codes": [redeem]}
        made = {"id": shop.gid("DiscountCodeNode"), "codeDiscount": terms}
        _put_terms(shop, made, told)
        shop.discounts.append(made)
        return {"codeDiscountNode": made, "userErrors": []}

    return create


def _update(kind: str) -> Callable[[Execution, Arguments], Record]:
    def update(run: Execution, arguments: Arguments) -> Record:
        shop, told = run.shop, arguments[_INPUTS[kind]]
        found = _by_id(shop, arguments["id"])
        if found is None:
            return {"codeDiscountNode": None, "userErrors": [_missing()]}
        problems = _problems(shop, kind, {**_given(found), **told}, found)
        if problems:
            return {"codeDiscountNode": None, "userErrors": problems}
        if told.get("code"):
            _codes(found)[0]["code"] = told["code"]
        _put_terms(shop, found, told)
        return {"codeDiscountNode": found, "userErrors": []}

    return update


def _by_id(shop: FakeShop, gid: str) -> Record | None:
    return next((one for one in shop.discounts if one["id"] == gid), None)


def _missing() -> Record:
    return {"field": ["id"], "message": "Discount does not exist", "code": "INVALID", "extraInfo": None}


def _given(discount: Record) -> Record:
    terms = discount["codeDiscount"]
    return {
        "code": _codes(discount)[0]["code"],
        "title": terms["title"],
        "startsAt": terms["startsAt"],
        "endsAt": terms["endsAt"],
        "customerGets": {"kept": True},
        "context": {"kept": True},
    }


def _problems(shop: FakeShop, kind: str, told: Mapping[str, Any], itself: Record | None) -> list[Record]:
    def wrong(name: str, message: str, code: str) -> Record:
        return {"field": [_INPUTS[kind], name], "message": message, "code": code, "extraInfo": None}

    problems = [
        wrong(name, f"{words} can't be blank", "BLANK")
        for name, words in (("title", "Title"), ("code", "Code"), ("startsAt", "Starts at"))
        if not told.get(name)
    ]
    taken = by_code(shop, told.get("code") or "")
    if taken is not None and taken is not itself:
        problems.append(wrong("code", "Code must be unique. Please try a different code.", "TAKEN"))
    if len(told.get("code") or "") > 255:
        problems.append(wrong("code", "Code is too long (maximum is 255 characters)", "TOO_LONG"))
    ends = told.get("endsAt")
    if ends and told.get("startsAt") and str(ends) <= str(told["startsAt"]):
        problems.append(wrong("endsAt", "Ends at needs to be after starts_at", "INVALID"))
    if kind == "DiscountCodeBxgy" and (
        told["customerBuys"]["items"].get("all") or told["customerGets"]["items"].get("all")
    ):
        problems.append(wrong("customerBuys", "Items can't be all", "INVALID"))
    value = (told.get("customerGets") or {}).get("value") or {}
    if "percentage" in value and not 0 < float(value["percentage"]) <= 1:
        problems.append(wrong("customerGets", "Value must be between 0.0 and 1.0", "VALUE_OUTSIDE_RANGE"))
    if "context" in told and "customerSelection" in told:
        problems.append(wrong("context", "Only one of context and customerSelection may be given", "INVALID"))
    return problems


def _put_terms(shop: FakeShop, discount: Record, told: Mapping[str, Any]) -> None:
    """The input's shape turned to the answer's."""
    terms, now = discount["codeDiscount"], text(shop.clock.now())
    for name in ("title", "appliesOncePerCustomer", "usageLimit", "recurringCycleLimit", "tags"):
        if name in told:
            terms[name] = told[name]
    for name in ("startsAt", "endsAt"):
        if name in told:
            terms[name] = _second(told[name])
    terms.setdefault("endsAt", None)
    if "combinesWith" in told:
        terms["combinesWith"] = {f"{kind}Discounts": False for kind in ("product", "order", "shipping")}
        terms["combinesWith"].update(told["combinesWith"] or {})
    if terms["__typename"] == "DiscountCodeFreeShipping":
        _put_shipping(shop, terms, told)
    elif terms["__typename"] == "DiscountCodeBxgy":
        _put_bxgy(shop, terms, told)
    elif "customerGets" in told:
        terms["customerGets"] = _gets(shop, told["customerGets"])
        terms["discountClasses"] = ["ORDER" if "allItems" in terms["customerGets"]["items"] else "PRODUCT"]
    if "minimumRequirement" in told:
        terms["minimumRequirement"] = _minimum(shop, told["minimumRequirement"] or {})
    if "context" in told or "context" not in terms:
        terms["context"] = _context(told.get("context") or {"all": "ALL"})
    terms["updatedAt"] = now
    ended = terms["endsAt"] is not None and terms["endsAt"] <= now
    terms["status"] = "EXPIRED" if ended else "SCHEDULED" if terms["startsAt"] > now else "ACTIVE"
    terms["summary"] = terms["shortSummary"] = terms["title"]


def _put_shipping(shop: FakeShop, terms: Record, told: Mapping[str, Any]) -> None:
    terms["discountClasses"] = ["SHIPPING"]
    terms.setdefault("destinationSelection", {"__typename": "DiscountCountryAll", "allCountries": True})
    if "maximumShippingPrice" in told:
        price = told["maximumShippingPrice"]
        terms["maximumShippingPrice"] = None if price is None else _money(shop, price)
    terms["appliesOnOneTimePurchase"] = told.get("appliesOnOneTimePurchase", True)
    terms["appliesOnSubscription"] = told.get("appliesOnSubscription", False)


def _put_bxgy(shop: FakeShop, terms: Record, told: Mapping[str, Any]) -> None:
    buys, gets = told["customerBuys"], told["customerGets"]
    amount = buys["value"].get("amount")
    if amount is not None:
        value = {"__typename": "DiscountPurchaseAmount", "amount": amount}
    else:
        value = {"__typename": "DiscountQuantity", "quantity": str(buys["value"]["quantity"])}
    given = gets["value"]["discountOnQuantity"]
    effect = {"__typename": "DiscountPercentage", "percentage": given["effect"]["percentage"]}
    on_quantity = {
        "__typename": "DiscountOnQuantity",
        "quantity": {"quantity": str(given["quantity"])},
        "effect": effect,
    }
    terms["discountClasses"] = ["PRODUCT"]
    terms["usesPerOrderLimit"] = told.get("usesPerOrderLimit")
    terms["customerBuys"] = {"items": _chosen(buys["items"]), "value": value}
    terms["customerGets"] = {"items": _chosen(gets["items"]), "value": on_quantity}


def _second(moment: str | None) -> str | None:
    return text(datetime.fromisoformat(moment)) if moment else None


def _money(shop: FakeShop, amount: Any) -> Record:
    return {"amount": str(float(amount)), "currencyCode": shop.currency}


def _gets(shop: FakeShop, told: Mapping[str, Any]) -> Record:
    value, items = told.get("value") or {}, told.get("items") or {}
    if "percentage" in value:
        given: Record = {"__typename": "DiscountPercentage", "percentage": value["percentage"]}
    else:
        amount = value.get("discountAmount") or {}
        each = amount.get("appliesOnEachItem", False)
        given = {
            "__typename": "DiscountAmount",
            "amount": _money(shop, amount.get("amount", 0)),
            "appliesOnEachItem": each,
        }
    return {
        "value": given,
        "items": _chosen(items),
        "appliesOnOneTimePurchase": told.get("appliesOnOneTimePurchase", True),
        "appliesOnSubscription": told.get("appliesOnSubscription", False),
    }


def _chosen(items: Mapping[str, Any]) -> Record:
    if items.get("all", True) and not items.get("products") and not items.get("collections"):
        return {"__typename": "AllDiscountItems", "allItems": True}
    if items.get("collections"):
        return {"__typename": "DiscountCollections", "collections": _refs(items["collections"], "add")}
    return {"__typename": "DiscountProducts", "products": _refs(items["products"], "productsToAdd")}


def _refs(told: Mapping[str, Any], name: str) -> list[Record]:
    return [{"id": gid} for gid in told.get(name) or []]


def _minimum(shop: FakeShop, told: Mapping[str, Any]) -> Record | None:
    if subtotal := (told.get("subtotal") or {}).get("greaterThanOrEqualToSubtotal"):
        return {"__typename": "DiscountMinimumSubtotal", "greaterThanOrEqualToSubtotal": _money(shop, subtotal)}
    if quantity := (told.get("quantity") or {}).get("greaterThanOrEqualToQuantity"):
        return {"__typename": "DiscountMinimumQuantity", "greaterThanOrEqualToQuantity": str(quantity)}
    return None


def _context(told: Mapping[str, Any]) -> Record:
    if told.get("customers"):
        return {"__typename": "DiscountCustomers", "customers": _refs(told["customers"], "add")}
    return {"__typename": "DiscountBuyerSelectionAll", "all": "ALL"}


def _delete(run: Execution, arguments: Arguments) -> Record:
    found = _by_id(run.shop, arguments["id"])
    if found is None:
        return {"deletedCodeDiscountId": None, "userErrors": [_missing()]}
    run.shop.discounts.remove(found)
    return {"deletedCodeDiscountId": found["id"], "userErrors": []}


def _switch(on: bool) -> Callable[[Execution, Arguments], Record]:
    def switch(run: Execution, arguments: Arguments) -> Record:
        found = _by_id(run.shop, arguments["id"])
        if found is None:
            return {"codeDiscountNode": None, "userErrors": [_missing()]}
        now = text(run.shop.clock.now())
        terms = found["codeDiscount"]
        terms.update(status="ACTIVE" if on else "EXPIRED", endsAt=None if on else now, updatedAt=now)
        return {"codeDiscountNode": found, "userErrors": []}

    return switch


MUTATIONS: dict[str, Callable[[Any, Arguments], Any]] = {
    "discountCodeBasicCreate": _create("DiscountCodeBasic"),
    "discountCodeBasicUpdate": _update("DiscountCodeBasic"),
    "discountCodeBxgyCreate": _create("DiscountCodeBxgy"),
    "discountCodeFreeShippingCreate": _create("DiscountCodeFreeShipping"),
    "discountCodeFreeShippingUpdate": _update("DiscountCodeFreeShipping"),
    "discountCodeDelete": _delete,
    "discountCodeActivate": _switch(True),
    "discountCodeDeactivate": _switch(False),
}
