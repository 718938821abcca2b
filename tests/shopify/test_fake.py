"""The fake shop answers as the recorded real one did, where there is a record of it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from tests.conftest import HandClock
from tests.shopify import grants
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


def test_pages_go_backwards_and_in_reverse(shopify: FakeShopify, shop: FakeShop) -> None:
    shop.products += [product(number) for number in range(1, 6)]
    query = """query P($first: Int, $last: Int, $after: String, $before: String, $reverse: Boolean) {
        products(first: $first, last: $last, after: $after, before: $before, reverse: $reverse) {
        nodes { legacyResourceId } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""

    def page(**variables: Any) -> tuple[str, dict[str, Any]]:
        told = ask(shopify, query, variables)["data"]["products"]
        return "".join(one["legacyResourceId"] for one in told["nodes"]), told["pageInfo"]

    numbers, info = page(first=2, reverse=True)
    assert numbers == "54"
    assert page(first=9, reverse=True, after=info["endCursor"])[0] == "321"
    numbers, info = page(last=2)
    assert (numbers, info["hasNextPage"], info["hasPreviousPage"]) == ("45", False, True)
    assert page(last=2, before=info["startCursor"])[0] == "23"
    for variables in ({}, {"first": 251}, {"first": 1, "after": "nonsense"}):
        assert ask(shopify, query, variables)["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


def test_what_the_token_may_not_read_is_denied(shopify: FakeShopify, shop: FakeShop, clock: HandClock) -> None:
    old = clock.now() - timedelta(days=61)
    shop.orders += [{"id": "gid://shopify/Order/1", "createdAt": old}, {"id": "gid://shopify/Order/2"}]
    query = "{ orders(first: 5) { nodes { id } } }"
    assert len(ask(shopify, query)["data"]["orders"]["nodes"]) == 2
    shop.scopes.remove("read_all_orders")
    assert ask(shopify, query)["data"]["orders"]["nodes"] == [{"id": "gid://shopify/Order/2"}]
    shop.scopes = ["read_products"]
    told = ask(shopify, query)
    assert told["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"
    assert "`read_orders`" in told["errors"][0]["message"]
    told = ask(shopify, "{ currentAppInstallation { accessScopes { handle } } }")
    assert told["data"]["currentAppInstallation"]["accessScopes"] == [{"handle": "read_products"}]


def test_it_fails_as_it_is_told(shopify: FakeShopify, shop: FakeShop) -> None:
    query = "query Name { shop { name } }"
    shop.fail_next(500, b"oops", on="Other")
    shop.fail_next(503, headers={"Retry-After": "2"}, times=2)
    first = post(shopify, query)
    assert (first.status_code, first.headers["Retry-After"]) == (503, "2")
    assert post(shopify, query).status_code == 503
    assert post(shopify, query).json()["data"]["shop"]["name"] == "Tea"
    assert post(shopify, "query Other { shop { name } }").content == b"oops"
    shop.closed = True
    assert post(shopify, query).status_code == 402
    shop.closed = False
    assert post(shopify, query, token="shpat_other").status_code == 401
    assert (
        requests.post(f"{shopify.url}/nobody.myshopify.com/admin/api/2026-07/graphql.json", timeout=9).status_code
        == 404
    )
    shop.deprecated, shop.version = "https://shopify.dev/changelog", "2026-10"
    head = post(shopify, query).headers
    assert (head["X-Shopify-API-Deprecated-Reason"], head["X-Shopify-API-Version"]) == (shop.deprecated, "2026-10")


def test_it_may_have_done_what_it_says_it_has_not(shopify: FakeShopify, shop: FakeShop) -> None:
    shop.fail_next(504, after_doing=True)
    query = """mutation M { webhookSubscriptionCreate(topic: ORDERS_PAID, webhookSubscription: {
        uri: "arn:aws:events:eu-west-1::event-source/aws.partner/shopify.com/1/agala"}) {
        webhookSubscription { id } } }"""
    assert post(shopify, query).status_code == 504
    assert [one["topic"] for one in shop.webhooks] == ["ORDERS_PAID"]
    told = ask(shopify, query.replace("webhookSubscription { id }", "userErrors { message }"))
    assert "already been taken" in str(told)


def bulk(shopify: FakeShopify, query: str = "{ products { edges { node { id } } } }") -> Any:
    """As it stands in the end."""
    made = ask(shopify, RUN, {"query": query})["data"]["bulkOperationRunQuery"]["bulkOperation"]
    for _ in range(5):
        told = ask(shopify, STATE, {"id": made["id"]})["data"]["bulkOperation"]
    return told


def test_a_bulk_operation_may_fail_and_leave_a_part(shopify: FakeShopify, shop: FakeShop) -> None:
    shop.products += [product(number) for number in range(1, 4)]
    shop.bulk_states, shop.bulk_error, shop.bulk_partial = ["RUNNING", "FAILED"], "TIMEOUT", 2
    told = bulk(shopify)
    assert (told["status"], told["errorCode"], told["url"]) == ("FAILED", "TIMEOUT", None)
    assert len(requests.get(told["partialDataUrl"], timeout=9).content.splitlines()) == 2
    shop.bulk_partial = 0
    assert bulk(shopify)["partialDataUrl"] is None


def test_a_bulk_operation_that_finds_nothing_has_no_file(shopify: FakeShopify, shop: FakeShop) -> None:
    told = bulk(shopify)
    assert (told["status"], told["url"], told["objectCount"]) == ("COMPLETED", None, "0")


def test_a_file_breaks_off_is_whole_again_and_is_gone_in_the_end(shopify: FakeShopify, shop: FakeShop) -> None:
    shop.products += [product(number) for number in range(1, 4)]
    url = bulk(shopify)["url"]
    shop.file_cut = 10
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.get(url, timeout=9)
    whole = requests.get(url, timeout=9).content
    shop.file_ranges = False
    assert requests.get(url, headers={"Range": "bytes=5-"}, timeout=9).content == whole
    shop.forget_files()
    assert requests.get(url, timeout=9).status_code == 403


def grant(shopify: FakeShopify, **told: str) -> Any:
    url = f"{shopify.address(DOMAIN)}/admin/oauth/access_token"
    return requests.post(url, json={"client_id": "app", "client_secret": "s3cret", **told}, timeout=9)


def test_an_app_is_granted_a_token(shopify: FakeShopify, shop: FakeShop, clock: HandClock) -> None:
    shop.apps["app"] = "s3cret"
    asked = {
        "client_id": "app",
        "scope": "read_orders,read_products",
        "redirect_uri": "https://a.example/c",
        "state": "x",
    }
    page = requests.get(
        f"{shopify.address(DOMAIN)}/admin/oauth/authorize", params=asked, timeout=9, allow_redirects=False
    )
    back = dict(parse_qsl(urlsplit(page.headers["Location"]).query))
    sent = back.pop("hmac")
    assert grants.signed("s3cret", back)["hmac"] == sent
    assert (back["shop"], back["state"]) == (DOMAIN, "x")
    told = grant(shopify, code=back["code"], expiring="1").json()
    assert told["scope"] == "read_orders,read_products"
    assert grant(shopify, code=back["code"]).status_code == 400, "a code is good once"
    assert post(shopify, "{ shop { id } }", token=told["access_token"]).status_code == 200
    clock.advance(hours=1)
    assert post(shopify, "{ shop { id } }", token=told["access_token"]).status_code == 401
    again = grant(shopify, grant_type="refresh_token", refresh_token=told["refresh_token"]).json()
    assert post(shopify, "{ shop { id } }", token=again["access_token"]).status_code == 200
    assert grant(shopify, grant_type="refresh_token", refresh_token=told["refresh_token"]).status_code == 400
    own = grant(shopify, grant_type="client_credentials").json()
    assert (own["expires_in"], "refresh_token" in own) == (86_399, False)
    assert grant(shopify, client_secret="other", grant_type="client_credentials").status_code == 401


def test_a_tests_own_answer_comes_first(shopify: FakeShopify, shop: FakeShop) -> None:
    shop.answers["Mutation.tagsAdd"] = lambda told: {"node": {"id": told["id"]}, "userErrors": []}
    query = 'mutation { tagsAdd(id: "gid://shopify/Product/1", tags: ["a"]) { node { id } } }'
    assert ask(shopify, query)["data"]["tagsAdd"]["node"]["id"] == "gid://shopify/Product/1"
    told = ask(shopify, 'mutation { orderClose(input: {id: "gid://shopify/Order/1"}) { order { id } } }')
    assert "answers[...]" in told["errors"][0]["message"]
