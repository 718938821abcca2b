"""A shop's owner lets Agala in on Shopify's page; and all the links that come from somewhere else."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from chalicelib.commerce.store import ConnectionStatus, Store
from chalicelib.errors import TryLater
from chalicelib.handlers import shopify_install
from tests.api.client import Answered, Caller
from tests.api.conftest import SHOP, ApiWiring
from tests.conftest import HandClock
from tests.handlers.shopify_walk import APP, TEA, Browser, ShopifyWiring, altered, has_app, resigned
from tests.shopify.fake import FakeShopify

COFFEE = "coffee.myshopify.com"


@pytest.fixture
def browser(wired: ApiWiring, call: Caller, shopify: FakeShopify) -> Browser:
    ShopifyWiring(wired, shopify)
    has_app(call, shopify, TEA, COFFEE)
    return Browser(shopify)


@pytest.fixture(autouse=True)
def nothing_secret_is_said(caplog: pytest.LogCaptureFixture, shopify: FakeShopify) -> Iterator[None]:
    for name in ("agala", "chalicelib", "urllib3"):
        caplog.set_level(logging.DEBUG, logger=name)
    yield
    tokens = [token for domain in (TEA, COFFEE) for token in shopify.shop(domain).tokens]
    refreshes = [token for domain in (TEA, COFFEE) for token in shopify.shop(domain).refreshes]
    for secret in (*tokens, *refreshes, APP["client_secret"]):
        assert secret not in caplog.text


def stores(wired: ApiWiring) -> list[Store]:
    return wired.stores.list()


def refused(answer: Answered, status: int, why: str) -> None:
    assert answer.status == status, answer.text
    assert shopify_install._WORDS["en"][why] in answer.text
    assert "set-cookie" not in answer.headers


# The whole walk


def test_an_install_link_leads_to_the_grant_page_and_back_to_a_store(
    browser: Browser, wired: ApiWiring, shopify: FakeShopify, clock: HandClock
) -> None:
    shop = shopify.shop(TEA)
    shop.currency = "ILS"
    shop.info |= {"name": "חנות התה", "ianaTimezone": "Asia/Jerusalem"}
    shop.info["shopAddress"]["countryCodeV2"] = "IL"
    shop.info["primaryDomain"] |= {"url": "https://tea.example", "localization": {"defaultLocale": "he"}}

    asked = browser.open(browser.link())
    page = urlsplit(asked.headers["location"])
    told = parse_qs(page.query)
    assert asked.headers["location"].startswith(shopify.address(TEA) + "/admin/oauth/authorize?")
    assert told["redirect_uri"] == ["https://agala.example/shopify/callback"]
    assert "grant_options[]" not in told
    assert "read_all_orders" not in told["scope"][0]

    done = browser.open(browser.approve(asked.headers["location"]))
    assert done.status == 200
    assert "חנות התה" in done.text

    [store] = stores(wired)
    assert (store.platform, store.name, store.url) == ("shopify", "חנות התה", "https://tea.example")
    assert (store.country, store.currency, store.timezone, store.locale) == ("IL", "ILS", "Asia/Jerusalem", "he")
    assert store.connection is not None
    assert (store.connection.status, store.connection.shop) == (ConnectionStatus.CONNECTED, TEA)
    assert wired.stores.of_shop(TEA) == store
    assert wired.secrets.webhook_secret(store.id) == APP["client_secret"]
    kept = wired.secrets.shopify_access(store.id)
    assert kept is not None
    assert kept["access_token"] in shop.tokens
    assert kept["refresh_token"] in shop.refreshes
    assert (kept["kind"], kept["client_id"]) == ("app", APP["client_id"])
    assert kept["expires_at"] == clock.now().timestamp() + 3600
    assert [name for name in wired.workflows.started if name.startswith(f"sync-{store.id}")]  # type: ignore[attr-defined]
    [exchange] = shop.grants_asked
    assert exchange["expiring"] == "1"


def test_neither_token_nor_state_lies_in_the_table(browser: Browser, wired: ApiWiring, shopify: FakeShopify) -> None:
    asked = browser.open(browser.link())
    back = browser.approve(asked.headers["location"])
    browser.open(back)
    state = parse_qs(urlsplit(back).query)["state"][0]
    text = everything(wired)
    shop = shopify.shop(TEA)
    for secret in (*shop.tokens, *shop.refreshes, state, *browser.cookies.values(), APP["client_secret"]):
        assert secret not in text


def test_the_cookie_is_bound_to_us_and_nobody_may_read_it(browser: Browser) -> None:
    cookie = browser.open(browser.link()).headers["set-cookie"]
    assert re.fullmatch(r"__Host-agala-tea=[\w-]{43}; Max-Age=600; Path=/; HttpOnly; SameSite=Lax; Secure", cookie)


def test_the_pages_run_nothing_and_are_kept_nowhere(browser: Browser) -> None:
    for answer in (browser.install(), browser.open("/shopify/callback")):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")
        assert "<script" not in answer.text


def test_they_speak_hebrew_to_whom_shopify_does(browser: Browser, shopify: FakeShopify) -> None:
    assert '<html lang="he" dir="rtl">' in Browser(shopify, "he-IL,he;q=0.9").install().text
    assert '<html lang="he" dir="rtl">' in browser.open("/shopify/install?locale=he").text
    assert '<html lang="en" dir="ltr">' in browser.open("/shopify/install?locale=fr").text
    assert set(shopify_install._WORDS["he"]) == set(shopify_install._WORDS["en"])
    assert set(shopify_install._STATUS) < set(shopify_install._WORDS["en"])


def test_two_shops_in_one_browser_do_not_meet(browser: Browser, wired: ApiWiring) -> None:
    one, other = browser.open(browser.link(TEA)), browser.open(browser.link(COFFEE))
    assert browser.open(browser.approve(one.headers["location"])).status == 200
    assert browser.open(browser.approve(other.headers["location"])).status == 200
    assert [store.connection and store.connection.shop for store in stores(wired)] == [TEA, COFFEE]


# Links that are not Shopify's


@pytest.mark.parametrize("path", ["/shopify/install", "/shopify/callback"])
def test_a_link_without_what_shopify_sends_is_not_complete(browser: Browser, path: str) -> None:
    refused(browser.open(path), 400, "incomplete")
    whole = browser.link().replace("/shopify/install", path)
    for name in ("hmac", "shop", "timestamp"):
        refused(browser.open(altered(whole, **{name: None})), 400, "incomplete")


def test_a_forged_hmac_is_refused(browser: Browser, wired: ApiWiring) -> None:
    for mark in ("0" * 64, "é" * 64, "x"):
        refused(browser.open(altered(browser.link(), hmac=mark)), 401, "forged")
    refused(browser.open(browser.link(secret="another apps secret")), 401, "forged")
    back = browser.approve(browser.open(browser.link()).headers["location"])
    refused(browser.open(altered(back, hmac="0" * 64)), 401, "forged")
    refused(browser.open(altered(back, code="another")), 401, "forged")
    assert stores(wired) == []


def test_another_shops_hmac_is_refused(browser: Browser, wired: ApiWiring) -> None:
    refused(browser.open(altered(browser.link(TEA), shop=COFFEE)), 401, "forged")
    back = browser.approve(browser.open(browser.link()).headers["location"])
    refused(browser.open(altered(back, shop=COFFEE)), 401, "forged")
    assert stores(wired) == []


@pytest.mark.parametrize(
    "shop",
    [
        "tea.example",
        "tea.myshopify.com.evil.example",
        "tea.myshopify.com/x",
        "tea.myshopify.com.",
        "evil.example/tea.myshopify.com",
        "tea.myshopify.com:8443",
        "tea.myshopify.com\n",
        "תה.myshopify.com",
        "ｔea.myshopify.com",
        "\u212aettle.myshopify.com",
        ".myshopify.com",
        "",
    ],
)
def test_a_domain_that_is_no_shops_is_refused_though_signed(browser: Browser, shopify: FakeShopify, shop: str) -> None:
    known = set(shopify._shops)
    for path in (browser.link(shop), browser.link(shop).replace("install", "callback")):
        answer = browser.open(path)
        assert answer.status == 400
        assert "location" not in answer.headers
        assert shop == "" or shop not in answer.text
    assert set(shopify._shops) == known


def test_a_shop_in_capitals_is_the_same_shop(browser: Browser, wired: ApiWiring) -> None:
    asked = browser.open(browser.link("TEA.myShopify.com"))
    assert urlsplit(asked.headers["location"]).path == f"/{TEA}/admin/oauth/authorize"
    browser.open(browser.approve(asked.headers["location"]))
    assert wired.stores.of_shop(TEA) is not None


def test_a_parameter_that_comes_twice_is_refused(browser: Browser) -> None:
    link = browser.link()
    for name in ("shop", "timestamp", "hmac"):
        value = parse_qs(urlsplit(link).query)[name][0]
        refused(browser.open(f"{link}&{name}={value}"), 400, "incomplete")
    back = browser.approve(browser.open(browser.link()).headers["location"])
    for name in ("state", "code", "host"):
        value = parse_qs(urlsplit(back).query)[name][0]
        refused(browser.open(f"{back}&{name}={value}"), 401, "forged")


def test_a_link_older_than_five_minutes_is_refused(browser: Browser, clock: HandClock) -> None:
    old, back = browser.link(), browser.approve(browser.open(browser.link(extra="1")).headers["location"])
    clock.advance(seconds=301)
    refused(browser.open(old), 401, "old")
    refused(browser.open(back), 401, "old")
    assert browser.open(browser.link()).status == 302


def test_a_replayed_install_link_is_refused(browser: Browser, shopify: FakeShopify) -> None:
    link = browser.link()
    assert browser.open(link).status == 302
    refused(browser.open(link), 409, "used")
    refused(Browser(shopify).open(link), 409, "used")
    mark = parse_qs(urlsplit(link).query)["hmac"][0]
    refused(browser.open(altered(link, hmac=mark.upper())), 409, "used")


def test_without_an_app_nothing_is_verified(browser: Browser, call: Caller) -> None:
    assert call("DELETE", "/v1/shopify/app").status == 204
    refused(browser.open(browser.link()), 409, "no_app")


# The way back


def test_a_state_is_good_once(browser: Browser, wired: ApiWiring, shopify: FakeShopify) -> None:
    back = browser.approve(browser.open(browser.link()).headers["location"])
    assert browser.open(back).status == 200
    refused(browser.open(back), 409, "used")
    assert len(shopify.shop(TEA).grants_asked) == 1
    assert len(stores(wired)) == 1


def test_a_state_that_we_did_not_give_is_refused(browser: Browser, shopify: FakeShopify) -> None:
    back = browser.approve(browser.open(browser.link()).headers["location"])
    refused(browser.open(resigned(back, state="x" * 43)), 409, "used")
    refused(browser.open(resigned(back, state="")), 400, "incomplete")
    refused(browser.open(resigned(back, code="")), 400, "incomplete")
    assert shopify.shop(TEA).grants_asked == []
    assert browser.open(back).status == 200  # nobody used it up


def test_a_state_of_another_shop_is_refused(browser: Browser, wired: ApiWiring, shopify: FakeShopify) -> None:
    back = browser.approve(browser.open(browser.link(TEA)).headers["location"])
    browser.open(browser.link(COFFEE))
    refused(browser.open(resigned(back, shop=COFFEE)), 409, "used")
    assert shopify.shop(COFFEE).grants_asked == []
    assert stores(wired) == []


def test_a_state_ends_after_ten_minutes(browser: Browser, clock: HandClock) -> None:
    back = browser.approve(browser.open(browser.link()).headers["location"])
    clock.advance(seconds=600)
    late = resigned(back, timestamp=str(int(clock.now().timestamp())))
    refused(browser.open(late), 409, "used")


def test_what_began_in_one_browser_does_not_end_in_another(
    browser: Browser, wired: ApiWiring, shopify: FakeShopify
) -> None:
    back = browser.approve(browser.open(browser.link()).headers["location"])
    stranger = Browser(shopify)
    refused(stranger.open(back), 403, "other_browser")
    stranger.cookies["__Host-agala-tea"] = "x" * 43
    refused(stranger.open(back), 403, "other_browser")
    assert stores(wired) == []
    assert browser.open(back).status == 200  # and the stranger did not use it up


def test_a_code_that_shopify_does_not_know_connects_nothing(
    browser: Browser, wired: ApiWiring, shopify: FakeShopify
) -> None:
    back = browser.approve(browser.open(browser.link()).headers["location"])
    shopify.shop(TEA).codes.clear()
    refused(browser.open(back), 422, "refused")
    assert nothing_stands(wired)


def test_missing_scopes_are_named_with_their_reasons(browser: Browser, wired: ApiWiring, shopify: FakeShopify) -> None:
    shopify.shop(TEA).withheld = {"read_customers", "read_inventory"}
    answer = browser.install()
    refused(answer, 422, "scopes")
    for name in ("read_customers", "read_inventory"):
        assert name in answer.text
    assert "read_orders" not in answer.text
    assert "read_all_orders" not in answer.text
    assert nothing_stands(wired)


def test_what_can_be_done_without_is_only_mentioned(browser: Browser, call: Caller, shopify: FakeShopify) -> None:
    assert "read_all_orders" in browser.install(TEA).text
    has_app(call, shopify, all_orders=True)
    assert "read_all_orders" not in browser.install(COFFEE).text


def test_a_part_that_is_out_says_later_and_nothing_is_half_made(
    browser: Browser, wired: ApiWiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out(*_: Any) -> None:
        raise TryLater("out")

    monkeypatch.setattr(wired.secrets, "put_shopify_access", out)
    refused(browser.install(), 503, "later")
    assert nothing_stands(wired)
    monkeypatch.undo()
    ShopifyWiring(wired, browser.shopify)


def test_our_own_mistakes_are_said_without_what_was_sent(
    browser: Browser, wired: ApiWiring, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("shpat_secret of the mistake")

    monkeypatch.setattr(wired.shopify_connecting, "connect", broken)
    refused(browser.install(), 503, "later")
    assert "shpat_secret" not in caplog.text
    assert "RuntimeError" in caplog.text


# Which store it is


def test_connecting_again_keeps_the_store(browser: Browser, wired: ApiWiring, clock: HandClock) -> None:
    browser.install()
    [before] = stores(wired)
    first = wired.secrets.shopify_access(before.id)
    clock.advance(hours=1)
    browser.install()
    [after] = stores(wired)
    assert after.id == before.id
    assert after.created_at == before.created_at
    assert wired.secrets.shopify_access(after.id) != first


def test_a_shop_becomes_the_store_of_its_address(
    browser: Browser, wired: ApiWiring, call: Caller, shopify: FakeShopify
) -> None:
    made = call("POST", "/v1/stores", {**SHOP, "platform": "shopify"}).json
    shop = shopify.shop(TEA)
    shop.currency = "ILS"
    shop.info["primaryDomain"]["url"] = SHOP["url"] + "/"
    browser.install()
    [store] = stores(wired)
    assert store.id == made["id"]
    assert wired.secrets.webhook_secret(store.id) == APP["client_secret"]


def test_a_store_in_another_currency_stays_as_it_was(
    browser: Browser, wired: ApiWiring, call: Caller, shopify: FakeShopify
) -> None:
    made = call("POST", "/v1/stores", {**SHOP, "platform": "shopify"}).json
    shopify.shop(TEA).info["primaryDomain"]["url"] = SHOP["url"]
    refused(browser.install(), 422, "other_currency")
    [store] = stores(wired)
    assert store.connection is None
    assert wired.secrets.webhook_secret(store.id) == made["secret"]
    assert wired.secrets.shopify_access(store.id) is None


def test_a_woocommerce_store_of_the_same_address_stays_its_own(
    browser: Browser, wired: ApiWiring, call: Caller, shopify: FakeShopify
) -> None:
    call("POST", "/v1/stores", SHOP)
    shopify.shop(TEA).info["primaryDomain"]["url"] = SHOP["url"]
    assert browser.install().status == 200
    assert [store.platform for store in stores(wired)] == ["woocommerce", "shopify"]


def test_a_shop_that_does_not_say_where_it_is_is_refused(
    browser: Browser, wired: ApiWiring, shopify: FakeShopify
) -> None:
    shopify.shop(TEA).info["shopAddress"]["countryCodeV2"] = "ZZ"
    shopify.shop(TEA).info["ianaTimezone"] = "Etc/UTC"
    refused(browser.install(), 422, "unclear")
    assert nothing_stands(wired)


def test_a_shop_without_an_address_is_where_its_time_zone_is(
    browser: Browser, wired: ApiWiring, shopify: FakeShopify
) -> None:
    shop = shopify.shop(TEA)
    shop.info["shopAddress"]["countryCodeV2"] = None
    shop.info["ianaTimezone"] = "Asia/Jerusalem"
    browser.install()
    [store] = stores(wired)
    assert (store.country, store.locale) == ("IL", "he")


def test_a_shop_that_answers_for_another_is_refused(browser: Browser, wired: ApiWiring, shopify: FakeShopify) -> None:
    shopify.shop(TEA).info["myshopifyDomain"] = COFFEE
    refused(browser.install(), 422, "unclear")
    assert nothing_stands(wired)


def test_what_a_shop_calls_itself_is_only_text(browser: Browser, shopify: FakeShopify) -> None:
    shopify.shop(TEA).info["name"] = "<img src=x onerror=alert(1)>\r\n\u202eTea"
    answer = browser.install()
    assert answer.status == 200
    assert "<img" not in answer.text
    assert "\u202e" not in answer.text


def everything(wired: ApiWiring) -> str:
    client = wired.table._client
    return str(list(client.get_paginator("scan").paginate(TableName=wired.table.name)))


def nothing_stands(wired: ApiWiring) -> bool:
    secrets: Any = wired.secrets
    return stores(wired) == [] and secrets.kept == {} and secrets.shopify == {} and wired.stores.of_shop(TEA) is None
