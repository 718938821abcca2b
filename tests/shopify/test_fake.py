"""The fake shop answers as the recorded real one did, where there is a record of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from tests.conftest import HandClock
from tests.shopify.fake import FakeShop, FakeShopify

DOMAIN = "tea.myshopify.com"


@pytest.fixture
def shop(shopify: FakeShopify) -> FakeShop:
    return shopify.shop(DOMAIN)


def post(shopify: FakeShopify, query: str, variables: dict[str, Any] | None = None, **more: Any) -> requests.Response:
    shop = shopify.shop(DOMAIN)
    return requests.post(
        f"{shopify.address(DOMAIN)}/admin/api/2026-07/graphql.json",
        json={"query": query, "variables": variables or {}},
        headers={"X-Shopify-Access-Token": more.get("token", shop.token)},
        timeout=10,
    )


def ask(shopify: FakeShopify, query: str, variables: dict[str, Any] | None = None, **more: Any) -> Any:
    return post(shopify, query, variables, **more).json()


def product(number: int, **more: Any) -> dict[str, Any]:
    return {"id": f"gid://shopify/Product/{number}", "title": f"Tea {number}", **more}


def test_records_are_paged_by_cursors(shopify: FakeShopify, shop: FakeShop) -> None:
    shop.products += [product(number, updatedAt=f"2026-11-2{number}T00:00:00Z") for number in (3, 1, 2)]
    query = """query P($after: String) { products(first: 2, after: $after, sortKey: UPDATED_AT) {
        nodes { title legacyResourceId tags } pageInfo { hasNextPage endCursor } } }"""
    first = ask(shopify, query)["data"]["products"]
    assert [one["legacyResourceId"] for one in first["nodes"]] == ["1", "2"]
    assert first["nodes"][0]["tags"] == []
    assert first["pageInfo"]["hasNextPage"]
    shop.products.pop(1)  # a record that goes away does not shift the others
    second = ask(shopify, query, {"after": first["pageInfo"]["endCursor"]})["data"]["products"]
    assert [one["title"] for one in second["nodes"]] == ["Tea 3"]
    assert not second["pageInfo"]["hasNextPage"]
    assert [one.name for one in shop.asked] == ["P", "P"]


def test_a_search_finds_what_changed_since(shopify: FakeShopify, shop: FakeShop) -> None:
    shop.products += [product(number, updatedAt=f"2026-11-2{number}T00:00:00Z") for number in (1, 2)]
    query = "{ products(first: 9, query: \"updated_at:>='2026-11-22T00:00:00Z'\") { nodes { title } } }"
    assert ask(shopify, query)["data"]["products"]["nodes"] == [{"title": "Tea 2"}]
    wrong = ask(shopify, '{ products(first: 9, query: "colour:red") { nodes { title } } }')
    assert "colour" in wrong["errors"][0]["message"]


def test_records_hang_together(shopify: FakeShopify, shop: FakeShop) -> None:
    level = {"id": "gid://shopify/InventoryLevel/9?inventory_item_id=7", "location": shop.locations[0]}
    item = {"id": "gid://shopify/InventoryItem/7", "inventoryLevels": [level]}
    shop.products.append(product(1, variants=[{"id": "gid://shopify/ProductVariant/5", "inventoryItem": item}]))
    shop.collections.append({"id": "gid://shopify/Collection/3", "title": "Green", "products": [product(1)]})
    told = ask(
        shopify,
        """{ productVariants(first: 2) { nodes { product { title collections(first: 1) { nodes { title } } } } }
        inventoryLevel(id: "gid://shopify/InventoryLevel/9?inventory_item_id=7") {
          item { variant { product { id } } } location { name } } }""",
    )["data"]
    [variant] = told["productVariants"]["nodes"]
    assert variant == {"product": {"title": "Tea 1", "collections": {"nodes": [{"title": "Green"}]}}}
    assert told["inventoryLevel"]["item"]["variant"]["product"]["id"] == "gid://shopify/Product/1"


def test_a_query_that_the_schema_does_not_know_is_refused(shopify: FakeShopify) -> None:
    told = ask(shopify, "{ shop { nickname } }")
    assert "nickname" in told["errors"][0]["message"]
    assert "data" not in told


def test_points_are_taken_and_come_back(shopify: FakeShopify, shop: FakeShop, clock: HandClock) -> None:
    dear = "{ products(first: 250) { nodes { id variants(first: 2) { nodes { id } } } } }"
    assert ask(shopify, dear)["errors"][0]["extensions"]["code"] == "MAX_COST_EXCEEDED"
    shop.bucket.available = 2
    told = ask(shopify, "{ products(first: 5) { nodes { id } } }")
    assert told["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert told["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] == 2
    clock.advance(seconds=1)
    told = ask(shopify, "{ products(first: 5) { nodes { id } } }")
    assert told["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] == 102 - 7


RUN = """mutation Run($query: String!) { bulkOperationRunQuery(query: $query) {
    bulkOperation { id status url objectCount } userErrors { field message code } } }"""
STATE = """query State($id: ID!) { bulkOperation(id: $id) {
    status url objectCount rootObjectCount fileSize errorCode partialDataUrl } }"""


def test_a_bulk_operation_goes_on_by_being_asked_after(shopify: FakeShopify, shop: FakeShop) -> None:
    shop.products.append(product(1, variants=[{"id": "gid://shopify/ProductVariant/5", "sku": "A"}]))
    query = "{ products { edges { node { id title variants { edges { node { id sku } } } } } } }"
    made = ask(shopify, RUN, {"query": query})["data"]["bulkOperationRunQuery"]["bulkOperation"]
    assert made["status"] == "CREATED"
    again = ask(shopify, RUN, {"query": query})["data"]["bulkOperationRunQuery"]
    assert again["userErrors"][0]["code"] == "OPERATION_IN_PROGRESS"
    assert ask(shopify, STATE, made)["data"]["bulkOperation"]["status"] == "RUNNING"
    done = ask(shopify, STATE, made)["data"]["bulkOperation"]
    assert (done["status"], done["objectCount"], done["rootObjectCount"]) == ("COMPLETED", "2", "1")
    file = requests.get(done["url"], timeout=10).content
    assert [json.loads(line) for line in file.splitlines()] == [
        {"id": "gid://shopify/Product/1", "title": "Tea 1"},
        {"id": "gid://shopify/ProductVariant/5", "sku": "A", "__parentId": "gid://shopify/Product/1"},
    ]
    part = requests.get(done["url"], headers={"Range": "bytes=10-"}, timeout=10)
    assert (part.status_code, part.content) == (206, file[10:])


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("{ shop { id } }", "Bulk queries must contain at least one connection."),
        ("", "Invalid bulk query: syntax error, unexpected end of file"),
        (
            "{ orders { edges { node { id fulfillments { events { edges { node { id } } } } } } } }",
            "Queries that contain a connection field within a list field are not currently supported.",
        ),
        ("{ products { nodes { id } } }", "Selecting via 'nodes' is not supported"),
        (
            "{ products { edges { node { title variants { edges { node { id } } } } } } }",
            "must select the 'id' field without an alias and must be of 'ID' return type",
        ),
        (
            "{ collections { edges { node { id products { edges { node { id variants { edges { node { id "
            "metafields { edges { node { id } } } } } } } } } } } } }",
            "Bulk queries cannot contain connections with a nesting depth greater than 2.",
        ),
        ('{ node(id: "gid://shopify/Product/1") { id } }', "Bulk queries cannot contain a top level `node` field."),
        ("{ products { nodes { name } } }", "Invalid bulk query: "),
    ],
)
def test_a_bulk_query_keeps_the_bulk_rules(shopify: FakeShopify, query: str, words: str) -> None:
    told = ask(shopify, RUN, {"query": query})["data"]["bulkOperationRunQuery"]
    assert told["bulkOperation"] is None
    assert words in told["userErrors"][0]["message"]
    assert told["userErrors"][0]["code"] == "INVALID"
