"""What a fake shop does when it is told to: webhook subscriptions, bulk operations, discount codes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from graphql import GraphQLError, parse, validate

from tests.shopify import bulk
from tests.shopify.search import text
from tests.shopify.shop import FakeShop, Record

if TYPE_CHECKING:
    from tests.shopify.execute import Execution

Arguments = dict[str, Any]
_ENDED = ("COMPLETED", "FAILED", "CANCELED", "EXPIRED")


def do(run: Execution, name: str, arguments: Arguments) -> Any:
    scope = "write_discounts" if name.startswith("discountCode") else None
    if scope and scope not in run.scopes:
        from tests.shopify.execute import denied

        raise denied(name, scope)
    if name not in _MUTATIONS:
        raise GraphQLError(f"the fake shop does not know Mutation.{name}: answers[...] may say what it gives")
    return _MUTATIONS[name](run, arguments)


def _problem(field: list[str] | None, message: str, code: str | None = None) -> Record:
    return {"field": field, "message": message, "code": code, "extraInfo": None}


# --- webhooks ---------------------------------------------------------------------------------------------------


def webhooks(shop: FakeShop, arguments: Mapping[str, Any]) -> list[Record]:
    uri = arguments.get("uri") or arguments.get("callbackUrl")
    return [
        one
        for one in shop.webhooks
        if (not arguments.get("topics") or one["topic"] in arguments["topics"])
        and (not uri or one["uri"] == uri)
        and (not arguments.get("format") or one["format"] == arguments["format"])
    ]


def of_webhook(record: Record, name: str) -> Any:
    """What follows from a subscription's address."""
    uri = record["uri"]
    if name == "callbackUrl":
        return uri
    if name == "endpoint":
        if uri.startswith("arn:"):
            return {"__typename": "WebhookEventBridgeEndpoint", "arn": uri}
        if uri.startswith("pubsub:"):
            project, topic = uri.removeprefix("pubsub://").split(":", 1)
            return {"__typename": "WebhookPubSubEndpoint", "pubSubProject": project, "pubSubTopic": topic}
        return {"__typename": "WebhookHttpEndpoint", "callbackUrl": uri}
    if name == "apiVersion":
        return {"handle": "2026-07", "displayName": "2026-07", "supported": True}
    return None


def _webhook_create(run: Execution, arguments: Arguments) -> Record:
    shop, told = run.shop, arguments["webhookSubscription"]
    problems = _address_problems(shop, arguments["topic"], told, None)
    if problems:
        return {"webhookSubscription": None, "userErrors": problems}
    now = text(shop.clock.now())
    made = {
        "id": shop.gid("WebhookSubscription"),
        "topic": arguments["topic"],
        "uri": told.get("uri") or told.get("callbackUrl"),
        "format": told.get("format") or "JSON",
        "includeFields": told.get("includeFields") or [],
        "metafieldNamespaces": told.get("metafieldNamespaces") or [],
        "metafields": told.get("metafields") or [],
        "filter": told.get("filter") or "",
        "name": told.get("name"),
        "createdAt": now,
        "updatedAt": now,
    }
    shop.webhooks.append(made)
    return {"webhookSubscription": made, "userErrors": []}


def _webhook_update(run: Execution, arguments: Arguments) -> Record:
    shop, told = run.shop, dict(arguments["webhookSubscription"])
    found = _by_id(shop.webhooks, arguments["id"])
    if found is None:
        return {"webhookSubscription": None, "userErrors": [_problem(["id"], "Webhook subscription does not exist")]}
    if "callbackUrl" in told:
        told["uri"] = told.pop("callbackUrl")
    problems = _address_problems(shop, found["topic"], {"uri": found["uri"], **told}, found)
    if problems:
        return {"webhookSubscription": None, "userErrors": problems}
    found.update(told, updatedAt=text(shop.clock.now()))
    return {"webhookSubscription": found, "userErrors": []}


def _webhook_delete(run: Execution, arguments: Arguments) -> Record:
    found = _by_id(run.shop.webhooks, arguments["id"])
    if found is None:
        missing = _problem(["id"], "Webhook subscription does not exist")
        return {"deletedWebhookSubscriptionId": None, "userErrors": [missing]}
    run.shop.webhooks.remove(found)
    return {"deletedWebhookSubscriptionId": found["id"], "userErrors": []}


def _address_problems(shop: FakeShop, topic: str, told: Mapping[str, Any], itself: Record | None) -> list[Record]:
    uri = str(told.get("uri") or told.get("callbackUrl") or "")
    place = ["webhookSubscription", "callbackUrl"]
    if not uri:
        return [_problem(place, "Address can't be blank")]
    scheme = uri.split(":", 1)[0]
    if scheme not in ("https", "arn") and not re.fullmatch(r"pubsub://[^:]+:.+", uri):
        return [_problem(place, f"Address protocol {scheme}:// is not supported")]
    if scheme == "https" and (urlsplit(uri).hostname or "").endswith((".myshopify.com", "localhost")):
        return [_problem(place, "Address is not allowed")]
    if scheme == "arn" and not re.fullmatch(
        r"arn:aws:events:[a-z0-9-]+::event-source/aws\.partner/shopify\.com/.+", uri
    ):
        return [_problem(place, "Address is an AWS ARN and must be an event source of shopify.com")]
    if any(one is not itself and one["topic"] == topic and one["uri"] == uri for one in shop.webhooks):
        return [_problem(place, "Address for this topic has already been taken")]
    return []


def _by_id(records: list[Record], gid: str) -> Record | None:
    return next((one for one in records if one["id"] == gid), None)


# --- bulk operations --------------------------------------------------------------------------------------------


def bulk_operation(run: Execution, gid: str | None) -> Record | None:
    """One (None: the newest), which goes on by being asked after."""
    shop = run.shop
    found = _by_id(shop.bulks, gid) if gid else (shop.bulks[-1] if shop.bulks else None)
    if found is None or found["status"] in _ENDED:
        return found
    if found["status"] == "CANCELING":
        found["status"] = "CANCELED"
    elif found["_states"]:
        found["status"] = found["_states"].pop(0)
    if found["status"] in ("COMPLETED", "FAILED"):
        _finish(run, found)
    return found


def _bulk_query(run: Execution, arguments: Arguments) -> Record:
    shop, query = run.shop, arguments["query"]
    running = [one for one in shop.bulks if one["status"] not in _ENDED]
    if len(running) >= shop.bulk_at_once:
        words = f"A bulk query operation for this app and shop is already in progress: {running[-1]['id']}."
        return {"bulkOperation": None, "userErrors": [_problem(None, words, "OPERATION_IN_PROGRESS")]}
    problems = _query_problems(run, query)
    if problems:
        return {"bulkOperation": None, "userErrors": [_problem(["query"], one, "INVALID") for one in problems]}
    made = {
        "id": shop.gid("BulkOperation"),
        "status": "CREATED",
        "type": "QUERY",
        "errorCode": None,
        "createdAt": text(shop.clock.now()),
        "completedAt": None,
        "objectCount": "0",
        "rootObjectCount": "0",
        "fileSize": None,
        "url": None,
        "partialDataUrl": None,
        "query": query,
        "_states": list(shop.bulk_states),
        "_scopes": list(run.scopes),
    }
    shop.bulks.append(made)
    return {"bulkOperation": dict(made), "userErrors": []}


def _query_problems(run: Execution, query: str) -> list[str]:
    if not query.strip():
        return ["Invalid bulk query: syntax error, unexpected end of file"]
    try:
        document = parse(query)
    except GraphQLError as problem:
        return [f"Invalid bulk query: {problem.message}"]
    wrong = validate(run.schema, document)
    return [f"Invalid bulk query: {one.message}" for one in wrong] or bulk.faults(run.schema, document)


def _finish(run: Execution, operation: Record) -> None:
    from tests.shopify.execute import Execution

    shop, document = run.shop, parse(operation["query"])
    told = Execution(run.schema, shop, operation["_scopes"], whole=True).run(document)
    if told.get("errors"):
        codes = {one["extensions"]["code"] for one in told["errors"]}
        operation.update(status="FAILED", errorCode="ACCESS_DENIED" if "ACCESS_DENIED" in codes else _BROKEN)
        shop.file_faults.append(str(told["errors"]))
        return
    lines = bulk.lines(run.schema, document, told["data"])
    failed = operation["status"] == "FAILED"
    kept = lines[: shop.bulk_partial] if failed else lines
    operation["objectCount"] = str(len(kept))
    operation["rootObjectCount"] = str(sum("__parentId" not in json.loads(line) for line in kept))
    if failed:
        operation["errorCode"] = shop.bulk_error or _BROKEN
    else:
        operation["completedAt"] = text(shop.clock.now())
    if kept:  # an answer without records has no file
        name = operation["id"].rsplit("/", 1)[1] + ".jsonl"
        shop.files[name] = b"".join(kept)
        operation["fileSize"] = str(len(shop.files[name]))
        operation["partialDataUrl" if failed else "url"] = shop.file_address(name)


_BROKEN = "INTERNAL_SERVER_ERROR"


def _bulk_cancel(run: Execution, arguments: Arguments) -> Record:
    found = _by_id(run.shop.bulks, arguments["id"])
    if found is None:
        return {"bulkOperation": None, "userErrors": [_problem(["id"], "Bulk operation does not exist")]}
    if found["status"] in _ENDED:
        words = f"A bulk operation cannot be canceled when it is {found['status'].lower()}"
        return {"bulkOperation": found, "userErrors": [_problem(None, words)]}
    found["status"] = "CANCELING"
    return {"bulkOperation": dict(found), "userErrors": []}


# --- discount codes ---------------------------------------------------------------------------------------------


def discount_by_code(shop: FakeShop, code: str) -> Record | None:
    """Codes are the same whatever their letters' case."""
    wanted = code.casefold()
    return next((one for one in shop.discounts if any(c["code"].casefold() == wanted for c in _codes(one))), None)


def _codes(discount: Record) -> list[Record]:
    return list(discount["codeDiscount"].get("codes", []))


def _discount_create(run: Execution, arguments: Arguments) -> Record:
    shop, told = run.shop, arguments["basicCodeDiscount"]
    problems = _discount_problems(shop, told, None)
    if problems:
        return {"codeDiscountNode": None, "userErrors": problems}
    now = text(shop.clock.now())
    redeem = {"id": shop.gid("DiscountRedeemCode"), "code": told["code"], "asyncUsageCount": 0}
    terms = {"__typename": "DiscountCodeBasic", "createdAt": now, "asyncUsageCount": 0, "codes": [redeem]}
    made = {"id": shop.gid("DiscountCodeNode"), "codeDiscount": terms}
    _put_terms(shop, made, told)
    shop.discounts.append(made)
    return {"codeDiscountNode": made, "userErrors": []}


def _discount_update(run: Execution, arguments: Arguments) -> Record:
    shop, told = run.shop, arguments["basicCodeDiscount"]
    found = _by_id(shop.discounts, arguments["id"])
    if found is None:
        return {"codeDiscountNode": None, "userErrors": [_problem(["id"], "Discount does not exist", "INVALID")]}
    problems = _discount_problems(shop, {**_given(found), **told}, found)
    if problems:
        return {"codeDiscountNode": None, "userErrors": problems}
    if told.get("code"):
        _codes(found)[0]["code"] = told["code"]
    _put_terms(shop, found, told)
    return {"codeDiscountNode": found, "userErrors": []}


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


def _discount_problems(shop: FakeShop, told: Mapping[str, Any], itself: Record | None) -> list[Record]:
    def wrong(name: str, message: str, code: str) -> Record:
        return _problem(["basicCodeDiscount", name], message, code)

    problems = [
        wrong(name, f"{words} can't be blank", "BLANK")
        for name, words in (("title", "Title"), ("code", "Code"), ("startsAt", "Starts at"))
        if not told.get(name)
    ]
    taken = discount_by_code(shop, told.get("code") or "")
    if taken is not None and taken is not itself:
        problems.append(wrong("code", "Code must be unique. Please try a different code.", "TAKEN"))
    if len(told.get("code") or "") > 255:
        problems.append(wrong("code", "Code is too long (maximum is 255 characters)", "TOO_LONG"))
    ends = told.get("endsAt")
    if ends and told.get("startsAt") and str(ends) <= str(told["startsAt"]):
        problems.append(wrong("endsAt", "Ends at needs to be after starts_at", "INVALID"))
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
    if "customerGets" in told:
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


def _second(moment: str | None) -> str | None:
    from datetime import datetime

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
    if items.get("all", True) and not items.get("products") and not items.get("collections"):
        chosen: Record = {"__typename": "AllDiscountItems", "allItems": True}
    elif items.get("collections"):
        chosen = {"__typename": "DiscountCollections", "collections": _refs(items["collections"], "add")}
    else:
        chosen = {"__typename": "DiscountProducts", "products": _refs(items["products"], "productsToAdd")}
    return {
        "value": given,
        "items": chosen,
        "appliesOnOneTimePurchase": told.get("appliesOnOneTimePurchase", True),
        "appliesOnSubscription": told.get("appliesOnSubscription", False),
    }


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


def _discount_delete(run: Execution, arguments: Arguments) -> Record:
    found = _by_id(run.shop.discounts, arguments["id"])
    if found is None:
        return {"deletedCodeDiscountId": None, "userErrors": [_problem(["id"], "Discount does not exist", "INVALID")]}
    run.shop.discounts.remove(found)
    return {"deletedCodeDiscountId": found["id"], "userErrors": []}


def _discount_switch(on: bool) -> Callable[[Execution, Arguments], Record]:
    def switch(run: Execution, arguments: Arguments) -> Record:
        found = _by_id(run.shop.discounts, arguments["id"])
        if found is None:
            return {"codeDiscountNode": None, "userErrors": [_problem(["id"], "Discount does not exist", "INVALID")]}
        now = text(run.shop.clock.now())
        found["codeDiscount"].update(status="ACTIVE" if on else "EXPIRED", endsAt=None if on else now, updatedAt=now)
        return {"codeDiscountNode": found, "userErrors": []}

    return switch


_MUTATIONS: dict[str, Callable[[Any, Arguments], Any]] = {
    "webhookSubscriptionCreate": _webhook_create,
    "webhookSubscriptionUpdate": _webhook_update,
    "webhookSubscriptionDelete": _webhook_delete,
    "bulkOperationRunQuery": _bulk_query,
    "bulkOperationCancel": _bulk_cancel,
    "discountCodeBasicCreate": _discount_create,
    "discountCodeBasicUpdate": _discount_update,
    "discountCodeDelete": _discount_delete,
    "discountCodeActivate": _discount_switch(True),
    "discountCodeDeactivate": _discount_switch(False),
}
