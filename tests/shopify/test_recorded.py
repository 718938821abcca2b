"""The fake shop answers what a real one was recorded to answer, but for ids and times."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import HandClock
from tests.shopify.cost import requested
from tests.shopify.execute import answer
from tests.shopify.fake import FakeShop, FakeShopify
from tests.shopify.schema import recorded

_OWN = {
    "id",
    "createdAt",
    "updatedAt",
    "endsAt",
    "startCursor",
    "endCursor",
    "cursor",
    "summary",
    "deletedCodeDiscountId",
    "deletedWebhookSubscriptionId",
}
WEBHOOK = """id topic format includeFields metafieldNamespaces filter createdAt updatedAt
    endpoint { __typename ... on WebhookHttpEndpoint { callbackUrl } }"""
WEBHOOK_CREATE = f"""mutation Create(
    $topic: WebhookSubscriptionTopic!, $webhookSubscription: WebhookSubscriptionInput!) {{
    webhookSubscriptionCreate(topic: $topic, webhookSubscription: $webhookSubscription) {{
        webhookSubscription {{ {WEBHOOK} }} userErrors {{ field message }} }} }}"""
WEBHOOK_UPDATE = f"""mutation Update($id: ID!, $webhookSubscription: WebhookSubscriptionInput!) {{
    webhookSubscriptionUpdate(id: $id, webhookSubscription: $webhookSubscription) {{
        webhookSubscription {{ {WEBHOOK} }} userErrors {{ field message }} }} }}"""
WEBHOOK_DELETE = """mutation Delete($id: ID!) { webhookSubscriptionDelete(id: $id) {
    deletedWebhookSubscriptionId userErrors { field message } } }"""
WEBHOOK_DETAIL = f"query Detail($id: ID!) {{ webhookSubscription(id: $id) {{ {WEBHOOK} }} }}"
LIST = """query List($first: Int, $after: String, $before: String, $last: Int) {
    webhookSubscriptions(first: $first, after: $after, before: $before, last: $last) {
        nodes { topic format } pageInfo { hasNextPage hasPreviousPage } } }"""


@pytest.fixture
def shop(shopify: FakeShopify) -> FakeShop:
    made = shopify.shop("harry.myshopify.com")
    made.currency = "CAD"
    made.scopes += ["read_webhooks"]
    return made


def ask(shopify: FakeShopify, shop: FakeShop, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
    told: dict[str, Any] = answer(shopify.schema, shop, shop.scopes, query, variables or {})["data"]
    return told


def like(told: Any, real: Any) -> bool:
    """The same but for what is each shop's own, which is there in both or in neither."""
    if isinstance(real, dict):
        return (
            isinstance(told, dict)
            and told.keys() == real.keys()
            and all(
                (told[name] is None) == (part is None) if name in _OWN else like(told[name], part)
                for name, part in real.items()
            )
        )
    if isinstance(real, list):
        return isinstance(told, list) and len(told) == len(real) and all(map(like, told, real))
    return bool(told == real)


def test_bulk_operations(shopify: FakeShopify, shop: FakeShop) -> None:
    real = recorded("bulk-operation-run-query-operation-in-progress")
    runs = [real["firstRun"], real["secondRun"]]
    told = [ask(shopify, shop, run["query"], run["variables"]) for run in runs]
    assert like(told[0], real["firstRun"]["response"]["data"])
    bulk = told[0]["bulkOperationRunQuery"]["bulkOperation"]["id"]
    [problem] = told[1]["bulkOperationRunQuery"]["userErrors"]
    [expected] = real["secondRun"]["response"]["data"]["bulkOperationRunQuery"]["userErrors"]
    expected["message"] = expected["message"].replace(real["cancelAttempt"]["variables"]["id"], bulk)
    assert problem == expected
    cancelled = ask(shopify, shop, real["cancelAttempt"]["query"], {"id": bulk})
    assert like(cancelled, real["cancelAttempt"]["response"]["data"])


def test_bulk_queries_that_are_refused(shopify: FakeShopify, shop: FakeShop) -> None:
    for real in recorded("bulk-operation-run-query-user-error-codes")["validations"].values():
        assert ask(shopify, shop, real["query"], real["variables"]) == real["response"]["data"]


def test_webhook_subscriptions(shopify: FakeShopify, shop: FakeShop) -> None:
    real = recorded("webhook-subscription-conformance")
    ids: dict[str, str] = {}

    def does(part: dict[str, Any], query: str) -> None:
        variables = dict(part["variables"])
        if "id" in variables:
            variables["id"] = ids.get(variables["id"], variables["id"])
        told, expected = ask(shopify, shop, query, variables), part["response"]["payload"]["data"]
        assert like(told, expected), (told, expected)
        if "webhookSubscriptionCreate" in told:
            there = expected["webhookSubscriptionCreate"]["webhookSubscription"]
            ids[there["id"]] = told["webhookSubscriptionCreate"]["webhookSubscription"]["id"]

    queries = {"create": WEBHOOK_CREATE, "update": WEBHOOK_UPDATE, "delete": WEBHOOK_DELETE, "detail": WEBHOOK_DETAIL}
    for group in ("lifecycle", "filterDefault", "updateValidation"):
        for name, part in real[group].items():
            kind = next((kind for kind in queries if name.startswith(kind)), None)
            if kind is not None:
                does(part, queries[kind])
    assert not shop.webhooks


def test_a_list_of_webhook_subscriptions(shopify: FakeShopify, shop: FakeShop, clock: HandClock) -> None:
    real = recorded("webhook-subscription-list-connection")
    for part in real["setup"].values():
        ask(shopify, shop, WEBHOOK_CREATE, part["variables"])
        clock.advance(seconds=1)
    reads = real["reads"]
    for name in ("defaultSort", "firstPage"):
        told = ask(shopify, shop, LIST, {"first": reads[name]["variables"]["first"]})["webhookSubscriptions"]
        there = reads[name]["response"]["payload"]["data"]["webhookSubscriptions"]
        assert [one["topic"] for one in told["nodes"]] == [one["topic"] for one in there["nodes"]]
        assert told["pageInfo"]["hasNextPage"] is there["pageInfo"]["hasNextPage"]


def test_the_life_of_a_discount_code(shopify: FakeShopify, shop: FakeShop) -> None:
    real = recorded("discount-code-basic-lifecycle")
    gid = ""
    for name in ("create", "update", "deactivate", "activate"):
        request = real["requests"][name]
        told = ask(shopify, shop, request["query"], {**request["variables"], **({"id": gid} if gid else {})})
        there = real[name]["payload"]["data"]
        assert like(told, there), (told, there)
        gid = gid or told["discountCodeBasicCreate"]["codeDiscountNode"]["id"]
    read = {"id": gid, "code": real["variables"]["updatedCode"].lower()} if "variables" in real else {}
    found = ask(shopify, shop, real["requests"]["read"]["query"], read)
    assert found["codeDiscountNodeByCode"] == {"id": gid}
    assert found["discountNode"]["discount"]["status"] == "ACTIVE"
    assert found["discountNodesCount"] == real["readAfterUpdate"]["payload"]["data"]["discountNodesCount"]
    request = real["requests"]["delete"]
    assert like(ask(shopify, shop, request["query"], {"id": gid}), real["cleanup"]["payload"]["data"])
    told = ask(shopify, shop, real["requests"]["read"]["query"], read)
    assert told == real["readAfterDelete"]["payload"]["data"]


def test_points_are_at_least_shopifys_own(shopify: FakeShopify) -> None:
    """So that what the fake shop lets through, Shopify lets through too."""
    from graphql import parse

    real = recorded("discount-code-basic-lifecycle")
    for name in ("create", "update", "deactivate", "activate", "delete"):
        asked = real["requests"][name]
        there = (real["cleanup"] if name == "delete" else real[name])["payload"]["extensions"]["cost"]
        assert requested(shopify.schema, parse(asked["query"]), asked["variables"]) >= there["requestedQueryCost"]


def test_a_recorded_shop_is_there_to_be_asked(shopify: FakeShopify, shop: FakeShop) -> None:
    shop.recall()
    real = recorded("customers-catalog")["data"]["customers"]["edges"][0]["node"]
    query = """query Customers { customers(first: 1) { nodes { id displayName numberOfOrders amountSpent { amount
        currencyCode } defaultEmailAddress { emailAddress } } } collections(first: 9, sortKey: TITLE) { nodes { title
        products(first: 1) { nodes { title collections(first: 1) { nodes { id } } } } } } ordersCount { count } }"""
    told = ask(shopify, shop, query)
    [customer] = told["customers"]["nodes"]
    assert customer == {name: real[name] for name in customer}
    titles = [one["title"] for one in told["collections"]["nodes"]]
    assert titles == sorted(titles)
    assert told["ordersCount"]["count"] == len(shop.orders) > 2
