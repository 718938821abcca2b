"""The start page connects a Shopify shop, in a real browser, over the real runtime and the fake Shopify."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.browser import CHROMIUM, Browser
from tests.local.test_runtime import Process
from tests.shopify.fake import FakeShopify

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")

TEA = "tea.myshopify.com"
NAME = "<img src=x onerror=\"document.title='taken over'\">"


@pytest.fixture
def runtime(tmp_path: Path, shopify: FakeShopify) -> Iterator[Process]:
    process = Process(tmp_path / "agala", AGALA_SHOPIFY_URL=shopify.url).ready()
    yield process
    process.popen.kill()
    process.popen.communicate()


@pytest.fixture
def page(runtime: Process, tmp_path: Path) -> Iterator[Browser]:
    browser = Browser(tmp_path / "profile")
    browser.go(runtime.link)
    browser.until("!!document.querySelector('#tabs a')")
    browser.value("location.hash = '#/shops'")
    browser.until("!!document.getElementById('shopify-shop')")
    yield browser
    browser.close()


def fill(page: Browser, **fields: str) -> None:
    page.value(
        f"for (const [name, value] of Object.entries({json.dumps(fields)})) {{"
        "const input = document.getElementById(`shopify-${name}`); input.value = value;"
        "input.dispatchEvent(new Event('input')); }"
        "document.getElementById('shopify-connect').click()"
    )


def choose(page: Browser, way: str) -> None:
    page.value(
        "{ const way = document.getElementById('shopify-way');"
        f"way.value = '{way}'; way.dispatchEvent(new Event('change')); }}"
    )
    page.until(f"document.getElementById('shopify-way').value === '{way}'")


def test_a_shop_is_connected_with_a_pasted_token(page: Browser, runtime: Process, shopify: FakeShopify) -> None:
    shopify.shop(TEA).info["name"] = NAME
    choose(page, "token")
    page.until("document.getElementById('shopify-access_token') !== null")
    fill(page, shop=TEA, access_token="shpat_wrong", app_secret="hush-secret")
    page.until("document.querySelector('.trouble')?.innerText.includes('refused')")
    assert page.value("document.getElementById('shopify-shop').value") == TEA
    fill(page, access_token=shopify.shop(TEA).token)
    page.until("[...document.querySelectorAll('.card')].at(-1).innerText.includes('tea.myshopify.com')")
    assert NAME in page.value("[...document.querySelectorAll('.card')].at(-1).innerText")
    assert page.value("document.querySelectorAll('img').length") == 1
    [store] = runtime.ask("/v1/stores")[1]["items"]
    assert store["connection"]["shop"] == TEA
    page.until("document.getElementById('shopify-access_token').value === ''")
    assert "hush-secret" not in page.value("document.documentElement.outerHTML")
    assert (
        page.value("document.querySelector('.shops [role=status] dl')?.innerText.trim().split(/\\s/).at(-1)")
        == store["webhook_url"]
    )


def test_what_the_owner_should_know_is_shown_with_the_shops_history(page: Browser, shopify: FakeShopify) -> None:
    choose(page, "token")
    page.until("document.getElementById('shopify-access_token') !== null")
    fill(page, shop=TEA, access_token=shopify.shop(TEA).token, app_secret="hush-secret")
    page.until("[...document.querySelectorAll('.card')].at(-1).innerText.includes('no webhooks are registered')")


def test_a_link_to_shopifys_page_needs_the_apps_keys_once(
    page: Browser, runtime: Process, shopify: FakeShopify
) -> None:
    choose(page, "link")
    page.until("document.querySelector('.fields dl')?.innerText.includes('/shopify/callback')")
    fill(page, shop=TEA, client_id="app-client-id", client_secret="hush-secret")
    url = page.until("document.getElementById('shopify-link')?.href")
    assert url.startswith(f"{shopify.url}/{TEA}/admin/oauth/authorize?client_id=app-client-id&")
    assert page.value("document.activeElement.id") == "shopify-link"
    assert page.value("document.getElementById('shopify-client_id')") is None


def test_what_is_being_typed_stays_when_the_page_is_drawn_anew(page: Browser) -> None:
    page.value(
        "{ const shop = document.getElementById('shopify-shop'); shop.focus(); shop.value = 'tea.my';"
        "shop.dispatchEvent(new Event('input')); shop.setSelectionRange(3, 3); }"
    )
    page.value("document.getElementById('make-code').click()")
    page.until("!!document.getElementById('code')")
    assert page.value("document.getElementById('shopify-shop').value") == "tea.my"
