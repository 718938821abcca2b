"""A Shopify shop is connected over the API: our app and its install links, a pasted token, an owner's own app."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from chalicelib.clock import parse_rfc3339
from chalicelib.commerce.store import Platform
from chalicelib.store_adapters.shopify_scopes import SCOPES
from tests.api.client import Answered, Caller
from tests.api.conftest import SHOP, ApiWiring
from tests.conftest import HandClock
from tests.handlers.shopify_walk import APP, TEA, Browser, ShopifyWiring, has_app
from tests.shopify.fake import FakeShopify

COFFEE = "coffee.myshopify.com"
NEW_SECRET = "hush-new-app-secret"
OWN = {"client_id": "own-client-id", "client_secret": "hush-own-secret"}
APP_SECRET = "hush-pasted-secret"
SHOPIFY_STORE = {**SHOP, "platform": "shopify", "currency": "USD"}


@pytest.fixture(autouse=True)
def shops(wired: ApiWiring, shopify: FakeShopify, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    ShopifyWiring(wired, shopify)
    shopify.shop(TEA).apps[OWN["client_id"]] = OWN["client_secret"]
    for name in ("agala", "chalicelib", "urllib3"):
        caplog.set_level(logging.DEBUG, logger=name)
    yield
    for secret in secrets_of(shopify):
        assert secret not in caplog.text


def secrets_of(shopify: FakeShopify) -> list[str]:
    tokens = [token for shop in shopify._shops.values() for token in (*shop.tokens, *shop.refreshes)]
    return [*tokens, *(app["client_secret"] for app in (APP, OWN)), NEW_SECRET, APP_SECRET]


def paste(call: Caller, shop: str = TEA, **more: Any) -> Answered:
    pasted = {"shop": shop, "access_token": f"shpat_{shop.split('.')[0]}", "app_secret": APP_SECRET}
    return call("POST", "/v1/shopify/connections", pasted | more)


def own(call: Caller, **more: Any) -> Answered:
    return call("POST", "/v1/shopify/connections", {"shop": TEA, **OWN, **more})


def scoped(call: Caller, *stores: str) -> Caller:
    return Caller(call("POST", "/v1/tokens", {"name": "agency", "stores": list(stores)}).json["secret"])


def made_store(call: Caller, **more: Any) -> str:
    store_id: str = call("POST", "/v1/stores", SHOPIFY_STORE | more).json["id"]
    return store_id


def names(scopes: list[dict[str, Any]]) -> list[str]:
    return [scope["scope"] for scope in scopes]


def nothing_stands(wired: ApiWiring) -> bool:
    secrets: Any = wired.secrets
    return wired.stores.list() == [] and secrets.kept == {} and secrets.shopify == {}


# The app


def test_the_app_says_what_its_configuration_at_shopify_takes_and_never_its_secret(call: Caller) -> None:
    before = call("GET", "/v1/shopify/app").json
    assert before["client_id"] is None
    told = call("PUT", "/v1/shopify/app", APP)
    assert told.status == 200
    assert APP["client_secret"] not in told.text
    assert told.json == call("GET", "/v1/shopify/app").json == before | {"client_id": APP["client_id"]}
    assert told.json["install_url"] == "https://agala.example/shopify/install"
    assert told.json["redirect_url"] == "https://agala.example/shopify/callback"
    assert told.json["webhook_url"] == "https://agala.example/webhooks/shopify"
    assert (told.json["events"], told.json["event_source_arn"]) == ("https", None)
    assert told.json["scopes"] == [
        {"scope": s.name, "why": s.why, "words": {"en": s.why, "he": s.why_he}, "needed": s.needed} for s in SCOPES
    ]
    assert call("DELETE", "/v1/shopify/app").status == 204
    assert call("DELETE", "/v1/shopify/app").status == 204
    assert call("GET", "/v1/shopify/app").json["client_id"] is None


def test_events_may_come_over_eventbridge(call: Caller, wired: ApiWiring, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = "arn:aws:events:eu-west-1::event-source/aws.partner/shopify.com/1/agala"
    object.__setattr__(wired.settings, "shopify_event_source_arn", arn)
    told = call("GET", "/v1/shopify/app").json
    assert (told["events"], told["event_source_arn"]) == ("eventbridge", arn)


def test_only_who_may_do_all_names_the_app(call: Caller) -> None:
    some = scoped(call, made_store(call))
    assert some("PUT", "/v1/shopify/app", APP).status == 403
    assert some("DELETE", "/v1/shopify/app").status == 403
    assert some("GET", "/v1/shopify/app").status == 200
    assert Caller(None)("GET", "/v1/shopify/app").status == 401


@pytest.mark.parametrize(
    "change", [{"client_id": ""}, {"client_secret": "with space"}, {"client_id": "x\ny"}, {"client_secret": None}]
)
def test_keys_that_are_none_are_refused_by_name(call: Caller, change: dict[str, Any]) -> None:
    answer = call("PUT", "/v1/shopify/app", APP | change)
    assert (answer.status, answer.fields) == (422, list(change))


def test_a_new_secret_of_the_app_is_what_its_shops_sign_with(
    call: Caller, wired: ApiWiring, shopify: FakeShopify
) -> None:
    has_app(call, shopify, TEA, COFFEE)
    Browser(shopify).install(TEA)
    paste(call, COFFEE)
    tea, coffee = wired.stores.list()
    assert call("PUT", "/v1/shopify/app", APP | {"client_secret": NEW_SECRET}).status == 200
    assert wired.secrets.webhook_secret(tea.id) == NEW_SECRET
    assert wired.secrets.webhook_secret(coffee.id) == APP_SECRET


def test_an_app_that_shops_are_connected_through_is_not_taken_away(call: Caller, shopify: FakeShopify) -> None:
    has_app(call, shopify)
    Browser(shopify).install()
    [store] = call("GET", "/v1/stores").json["items"]
    other = {"client_id": "another-app", "client_secret": "another"}
    assert call("PUT", "/v1/shopify/app", other).status == 409
    assert call("DELETE", "/v1/shopify/app").status == 409
    assert call("POST", f"/v1/stores/{store['id']}/shopify/disconnect").status == 200
    assert call("PUT", "/v1/shopify/app", other).status == 200


# Install links


def test_an_install_leads_from_any_browser_to_a_store(
    call: Caller, wired: ApiWiring, shopify: FakeShopify, clock: HandClock
) -> None:
    has_app(call, shopify)
    made = call("POST", "/v1/shopify/installs", {"shop": "Tea.myshopify.com"})
    assert made.status == 201
    assert parse_rfc3339(made.json["expires_at"]).timestamp() == clock.now().timestamp() + 600
    told = parse_qs(urlsplit(made.json["url"]).query)
    assert told["client_id"] == [APP["client_id"]]
    assert told["scope"] == [",".join(s.name for s in SCOPES if s.needed)]
    browser = Browser(shopify)
    back = browser.approve(made.json["url"])
    assert browser.open(back).status == 200
    assert browser.open(back).status == 409
    [store] = wired.stores.list()
    assert store.connection is not None
    assert store.connection.shop == TEA


def test_an_install_may_be_for_a_store_that_is_there(call: Caller, wired: ApiWiring, shopify: FakeShopify) -> None:
    has_app(call, shopify)
    store_id = made_store(call)
    url = scoped(call, store_id)("POST", "/v1/shopify/installs", {"shop": TEA, "store_id": store_id}).json["url"]
    browser = Browser(shopify)
    assert browser.open(browser.approve(url)).status == 200
    assert [store.id for store in wired.stores.list()] == [store_id]
    connected = wired.stores.of_shop(TEA)
    assert connected is not None and connected.id == store_id


def test_a_store_that_went_while_its_owner_read_is_said(call: Caller, shopify: FakeShopify) -> None:
    has_app(call, shopify)
    store_id = made_store(call)
    url = call("POST", "/v1/shopify/installs", {"shop": TEA, "store_id": store_id}).json["url"]
    call("DELETE", f"/v1/stores/{store_id}")
    browser = Browser(shopify)
    assert browser.open(browser.approve(url)).status == 409


def test_who_may_make_an_install(call: Caller, shopify: FakeShopify) -> None:
    assert call("POST", "/v1/shopify/installs", {"shop": TEA}).status == 409  # no app yet
    has_app(call, shopify)
    mine, other = made_store(call), made_store(call)
    some = scoped(call, mine)
    assert some("POST", "/v1/shopify/installs", {"shop": TEA}).status == 403
    assert some("POST", "/v1/shopify/installs", {"shop": TEA, "store_id": other}).status == 403
    assert call("POST", "/v1/shopify/installs", {"shop": TEA, "store_id": "0" * 26}).fields == ["store_id"]
    assert Caller(None)("POST", "/v1/shopify/installs", {"shop": TEA}).status == 401
    assert paste(call, store_id=other).status == 201
    assert some("POST", "/v1/shopify/installs", {"shop": TEA, "store_id": mine}).status == 409


BAD_SHOPS = [
    "",
    "tea",
    "tea.example",
    "tea.myshopify.com.evil.example",
    "tea.myshopify.com/x",
    "tea.myshopify.com.",
    "tea.myshopify.com:443",
    "https://tea.myshopify.com",
    "תה.myshopify.com",
    "\u212aettle.myshopify.com",
    "127.0.0.1",
    "evil.example#.myshopify.com",
]


@pytest.mark.parametrize("shop", BAD_SHOPS)
def test_a_domain_that_is_no_shops_is_refused_before_anything_is_asked(
    call: Caller, shopify: FakeShopify, shop: str
) -> None:
    has_app(call, shopify)
    known = set(shopify._shops)
    assert call("POST", "/v1/shopify/installs", {"shop": shop}).fields == ["shop"]
    assert paste(call, shop, access_token="shpat_tea").fields == ["shop"]
    assert own(call, shop=shop).fields == ["shop"]
    assert set(shopify._shops) == known


# A pasted token, an own app


def test_a_pasted_token_connects_a_shop(call: Caller, wired: ApiWiring, shopify: FakeShopify) -> None:
    shop = shopify.shop(TEA)
    shop.info["primaryDomain"] |= {"url": "https://tea.example", "localization": {"defaultLocale": "pt-BR"}}
    answer = paste(call)
    assert answer.status == 201, answer.text
    [store] = wired.stores.list()
    assert answer.json == {
        "store_id": store.id,
        "shop": TEA,
        "name": "Tea",
        "webhook_url": f"https://agala.example/webhooks/shopify/{store.id}",
        "missing_scopes": [],
    }
    assert (store.platform, store.url, store.locale) == (Platform.SHOPIFY, "https://tea.example", "pt-BR")
    assert wired.secrets.webhook_secret(store.id) == APP_SECRET
    assert wired.secrets.shopify_access(store.id) == {"kind": "pasted", "access_token": shop.token}
    assert wired.shopify_admin(store).ask("shop_connecting")["shop"]["name"] == "Tea"
    shown = call("GET", f"/v1/stores/{store.id}").json["connection"]
    assert (shown["status"], shown["shop"], shown["rest_url"]) == ("connected", TEA, None)
    assert call("GET", f"/v1/stores/{store.id}/sync").json["status"] == "running"


def test_an_own_app_connects_a_shop_with_a_token_of_a_day(
    call: Caller, wired: ApiWiring, shopify: FakeShopify, clock: HandClock
) -> None:
    answer = own(call)
    assert answer.status == 201, answer.text
    store = wired.stores.get(answer.json["store_id"])
    assert store is not None
    kept = wired.secrets.shopify_access(store.id)
    assert kept is not None
    assert {**kept, "access_token": ""} == {
        "kind": "own_app",
        "access_token": "",
        "expires_at": clock.now().timestamp() + 86399,
        **OWN,
    }
    assert wired.secrets.webhook_secret(store.id) == OWN["client_secret"]
    clock.advance(days=2)
    assert wired.shopify_admin(store).ask("shop_connecting")["shop"]["name"] == "Tea"


def test_a_connected_apps_token_is_renewed_when_it_is_used(
    call: Caller, wired: ApiWiring, shopify: FakeShopify, clock: HandClock
) -> None:
    has_app(call, shopify)
    Browser(shopify).install()
    [store] = wired.stores.list()
    for _ in range(3):
        clock.advance(hours=2)
        assert wired.shopify_admin(store).ask("shop_connecting")["shop"]["name"] == "Tea"
    assert [asked.get("grant_type") for asked in shopify.shop(TEA).grants_asked] == [None, *["refresh_token"] * 3]


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"access_token": "x"},
        {"app_secret": "x"},
        {"client_id": "x"},
        {"access_token": "x", "client_secret": "y"},
        {"access_token": "x", "app_secret": "y", "client_id": "z"},
        {"access_token": "x", "app_secret": "y", **OWN},
    ],
)
def test_keys_are_of_one_way_and_whole(call: Caller, keys: dict[str, Any]) -> None:
    answer = call("POST", "/v1/shopify/connections", {"shop": TEA, **keys})
    assert (answer.status, answer.fields) == (422, ["body"])


def test_a_token_that_shopify_refuses_is_said_at_its_field(call: Caller, wired: ApiWiring) -> None:
    assert paste(call, access_token="shpat_wrong").fields == ["access_token"]
    answer = own(call, client_secret="wrong-secret")
    assert answer.fields == ["client_secret"]
    assert "wrong-secret" not in answer.text
    assert nothing_stands(wired)


@pytest.mark.parametrize("reason", ["app_not_installed", "shop_not_permitted"])
def test_an_own_app_that_cannot_be_this_shops_is_told_why(
    call: Caller, wired: ApiWiring, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    monkeypatch.setattr("tests.shopify.grants.exchange", lambda shop, told: (400, {"error": reason}))
    answer = own(call)
    assert answer.fields == ["client_id"]
    words = {"app_not_installed": "not installed", "shop_not_permitted": "organisation"}
    assert words[reason] in answer.text
    assert nothing_stands(wired)


def test_missing_scopes_are_refused_with_their_names_and_reasons(
    call: Caller, wired: ApiWiring, shopify: FakeShopify
) -> None:
    shopify.shop(TEA).scopes[:] = ["read_orders", "write_customers", "read_products", "read_discounts"]
    answer = paste(call)
    assert (answer.status, answer.fields) == (422, ["scopes"])
    message = answer.json["errors"][0]["message"]
    for scope in SCOPES:
        lacks = scope.name in ("read_inventory", "read_fulfillments", "write_discounts")
        assert (scope.name in message, scope.why in message) == (lacks, lacks)
    assert nothing_stands(wired)


def test_scopes_that_can_be_done_without_are_mentioned(call: Caller, shopify: FakeShopify) -> None:
    shopify.shop(TEA).scopes.remove("read_all_orders")
    assert names(paste(call).json["missing_scopes"]) == ["read_all_orders"]


def test_a_shop_that_is_not_there_or_closed_is_said(
    call: Caller, wired: ApiWiring, shopify: FakeShopify, monkeypatch: pytest.MonkeyPatch
) -> None:
    shopify.shop(TEA).closed = True
    closed = paste(call)
    assert closed.fields == ["shop"]
    assert "closed" in closed.text
    monkeypatch.setattr(wired, "shopify_address", lambda shop: f"{shopify.url}/nobody.myshopify.com")
    for answer in (paste(call), own(call)):
        assert answer.fields == ["shop"]
        assert "no shop" in answer.text
    assert nothing_stands(wired)


def test_a_shop_that_fails_is_said_and_nothing_is_half_made(
    call: Caller, wired: ApiWiring, shopify: FakeShopify
) -> None:
    for failure in ({"status": 500}, {"body": b"<html>"}, {"body": b'{"data": {"shop": null}}'}):
        shopify.shop(TEA).fail_next(**failure)  # type: ignore[arg-type]
        answer = paste(call)
        assert (answer.status, answer.fields) == (422, ["shop"])
    assert nothing_stands(wired)


def test_a_language_that_is_not_told_holds_nothing_up(call: Caller, wired: ApiWiring, shopify: FakeShopify) -> None:
    shopify.shop(TEA).fail_next(500, on="ShopLanguage")
    assert paste(call).status == 201
    [store] = wired.stores.list()
    assert store.locale == "en"


# Which store it is, and who may


def test_a_token_of_some_stores_connects_only_these(call: Caller, wired: ApiWiring) -> None:
    mine, other = made_store(call), made_store(call)
    some = scoped(call, mine)
    assert paste(some).status == 403
    assert paste(some, store_id=other).status == 403
    assert own(some, store_id=other).status == 403
    assert paste(some, store_id=mine).json["store_id"] == mine
    assert paste(Caller(None)).status == 401
    assert paste(call, store_id="0" * 26).fields == ["store_id"]


def test_a_shop_that_is_a_store_is_taken_by_nobody_else(call: Caller, wired: ApiWiring) -> None:
    owners = paste(call).json["store_id"]
    strangers = made_store(call)
    answer = paste(scoped(call, strangers), store_id=strangers)
    assert answer.status == 409
    found = wired.stores.of_shop(TEA)
    assert found is not None and found.id == owners
    assert wired.secrets.shopify_access(strangers) is None
    assert paste(call).json["store_id"] == owners


def test_a_store_of_one_shop_does_not_become_another(call: Caller, shopify: FakeShopify) -> None:
    tea = paste(call).json["store_id"]
    shopify.shop(COFFEE)
    assert paste(call, COFFEE, store_id=tea).status == 409
    call("POST", f"/v1/stores/{tea}/shopify/disconnect")
    assert paste(call, COFFEE, store_id=tea).status == 409
    assert paste(call, COFFEE).json["store_id"] != tea


def test_a_store_of_another_platform_or_currency_refuses(call: Caller, wired: ApiWiring) -> None:
    woo = call("POST", "/v1/stores", SHOP).json
    answer = paste(call, store_id=woo["id"])
    assert answer.status == 409
    assert "woocommerce" in answer.text
    shekels = made_store(call, currency="ILS")
    assert paste(call, store_id=shekels).fields == ["currency"]
    for store_id in (woo["id"], shekels):
        store = wired.stores.get(store_id)
        assert store is not None
        assert store.connection is None
        assert wired.secrets.shopify_access(store_id) is None
    assert wired.secrets.webhook_secret(woo["id"]) == woo["secret"]


def test_the_same_shop_at_once_becomes_one_store(call: Caller, wired: ApiWiring) -> None:
    with ThreadPoolExecutor(4) as hands:
        answers = list(hands.map(lambda _: wired.shopify_connecting.connect(*CONNECTED), range(4)))
    [store] = wired.stores.list()
    assert {made.store.id for made in answers} == {store.id}
    secrets: Any = wired.secrets
    assert set(secrets.shopify) == set(secrets.kept) == {store.id}


def test_connecting_again_keeps_what_the_store_is(call: Caller, wired: ApiWiring, clock: HandClock) -> None:
    store_id = paste(call).json["store_id"]
    call("PATCH", f"/v1/stores/{store_id}", {"abandon_after_minutes": 30, "settings": {"attribution_days": 7}})
    made = call("POST", f"/v1/stores/{store_id}/contacts", {"email": "dana@shopper.example"})
    clock.advance(hours=1)
    assert own(call).json["store_id"] == store_id
    store = wired.stores.get(store_id)
    assert store is not None and store.connection is not None
    assert (store.abandon_after_minutes, store.settings.attribution_days) == (30, 7)
    assert store.connection.at == clock.now()
    assert call("GET", f"/v1/stores/{store_id}/contacts/{made.json['id']}").status == 200
    assert wired.secrets.webhook_secret(store_id) == OWN["client_secret"]
    kept = wired.secrets.shopify_access(store_id)
    assert kept is not None
    assert kept["kind"] == "own_app"


# Letting go


def test_a_shop_that_is_let_go_leaves_no_token_and_its_messages_are_held(call: Caller, wired: ApiWiring) -> None:
    store_id = paste(call).json["store_id"]
    answer = call("POST", f"/v1/stores/{store_id}/shopify/disconnect")
    assert answer.status == 200
    assert answer.json["connection"]["status"] == "disconnected"
    assert wired.secrets.shopify_access(store_id) is None
    assert wired.secrets.webhook_secret(store_id) == APP_SECRET  # for the erasures that Shopify may still ask for
    again = call("POST", f"/v1/stores/{store_id}/shopify/disconnect")
    assert again.json == answer.json
    assert call("POST", f"/v1/stores/{store_id}/sync").status == 409
    assert paste(call).json["store_id"] == store_id
    assert call("GET", f"/v1/stores/{store_id}").json["connection"]["status"] == "connected"


def test_only_a_shopify_shop_is_let_go_this_way(call: Caller) -> None:
    woo = call("POST", "/v1/stores", SHOP).json["id"]
    never = made_store(call)
    for store_id in (woo, never):
        assert call("POST", f"/v1/stores/{store_id}/shopify/disconnect").status == 409
    assert call("POST", f"/v1/stores/{'0' * 26}/shopify/disconnect").status == 404
    assert scoped(call, woo)("POST", f"/v1/stores/{never}/shopify/disconnect").status == 403


def test_a_store_that_is_deleted_leaves_no_key(call: Caller, wired: ApiWiring) -> None:
    store_id = own(call).json["store_id"]
    assert call("DELETE", f"/v1/stores/{store_id}").status == 204
    assert nothing_stands(wired)
    assert wired.stores.of_shop(TEA) is None
    assert own(call).json["store_id"] != store_id


def test_no_key_lies_in_the_table_or_in_an_answer(call: Caller, wired: ApiWiring, shopify: FakeShopify) -> None:
    has_app(call, shopify)
    Browser(shopify).install()
    said = [own(call).text, paste(call).text, call("GET", "/v1/stores").text, call("GET", "/v1/shopify/app").text]
    client = wired.table._client
    said.append(str(list(client.get_paginator("scan").paginate(TableName=wired.table.name))))
    for secret in secrets_of(shopify):
        assert secret not in json.dumps(said)


def _pasted() -> Any:
    from chalicelib.store_adapters.shopify_tokens import AccessKind, ShopifyAccess

    return ShopifyAccess(AccessKind.PASTED, "shpat_tea")


CONNECTED = (TEA, _pasted(), APP_SECRET, None)
