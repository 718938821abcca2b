"""What a fake shop does when it is told to: webhook subscriptions and bulk operations."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from graphql import GraphQLError, parse, validate

from tests.shopify import bulk, discounts
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
        "filter": told.get("filter"),
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
    if scheme == "pubsub" and not re.fullmatch(r"pubsub://[^:/]+:.+", uri):
        words = "Address is not a valid GCP pub/sub format. Format should be pubsub://project:topic"
        return [_problem(place, "Address protocol pubsub:// is not supported"), _problem(place, words)]
    if scheme not in ("https", "arn", "pubsub"):
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
        problem = _problem(None, words, "OPERATION_IN_PROGRESS")
        if shop.bulk_at_once > 1:
            problem = _problem(None, "Bulk operations limit reached. Please try again later.", "LIMIT_REACHED")
        return {"bulkOperation": None, "userErrors": [problem]}
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


_MUTATIONS: dict[str, Callable[[Any, Arguments], Any]] = {
    "webhookSubscriptionCreate": _webhook_create,
    "webhookSubscriptionUpdate": _webhook_update,
    "webhookSubscriptionDelete": _webhook_delete,
    "bulkOperationRunQuery": _bulk_query,
    "bulkOperationCancel": _bulk_cancel,
    **discounts.MUTATIONS,
}
