"""The owner says yes, in a real browser, between a running Agala and a shop."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.api.test_connections import WOO, inside
from tests.local.browser import CHROMIUM, Browser
from tests.local.test_runtime import STORE, Process
from tests.store_adapters.scripted_shop import Asked, Reply, ScriptedShop, shop

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    process = Process(tmp_path_factory.mktemp("agala")).ready()
    yield process
    process.popen.kill()
    process.popen.communicate()


@pytest.fixture
def there() -> Iterator[ScriptedShop]:
    def answer(asked: Asked) -> Reply:
        return Reply(200, b"<title>back at the shop</title>", {"Content-Type": "text/html"})

    with shop(answer) as found:
        yield found


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    opened = Browser(tmp_path)
    yield opened
    opened.close()


def open_page(browser: Browser, runtime: Process, there: ScriptedShop) -> None:
    way = f"{there.url}/wp-admin/admin.php?page=agala"
    query = urlencode({"shop": there.url, "return": way, "state": "s-1", "lang": "en"})
    browser.go(f"{runtime.url}/connect?{query}")
    browser.until("document.getElementById('form')?.hidden === false")


def press(browser: Browser, token: str | None = None) -> None:
    if token is not None:
        browser.value(f"document.getElementById('token').value = {json.dumps(token)}")
    browser.value("document.getElementById('connect').click()")


def came_back(browser: Browser, there: ScriptedShop) -> dict[str, str]:
    browser.until("document.title === 'back at the shop'")
    address = browser.value("location.href")
    assert address.startswith(f"{there.url}/wp-admin/admin.php?")
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def connect(runtime: Process, code: str, url: str) -> dict[str, Any]:
    told = inside(code)
    assert told["address"] == runtime.url
    status, made = runtime.ask("/v1/connections", "POST", WOO | {"url": url}, token=told["key"])
    assert status == 201, made
    answer: dict[str, Any] = made
    return answer


def test_with_a_token_the_owner_comes_back_with_a_code_that_connects(
    browser: Browser, runtime: Process, there: ScriptedShop
) -> None:
    open_page(browser, runtime, there)
    assert browser.value("document.activeElement.id") == "token"
    press(browser, "no such token")
    browser.until("document.getElementById('told').textContent.includes('does not know')")
    press(browser, "ק")  # no header can carry it
    browser.until("document.getElementById('told').textContent.includes('did not work')")
    press(browser, runtime.token)
    back = came_back(browser, there)
    assert (back["page"], back["state"]) == ("agala", "s-1")
    assert connect(runtime, back["code"], there.url)["webhook_url"].startswith(runtime.url)
    assert all(runtime.token not in str(asked) for asked in there.asked)
    assert [asked.headers.get("referer") for asked in there.asked if "code=" in str(asked.query)] in ([], [None])


def test_who_signed_in_on_the_start_page_only_says_yes(browser: Browser, runtime: Process, there: ScriptedShop) -> None:
    browser.go(runtime.link)
    browser.until("!!document.querySelector('#tabs a')")
    open_page(browser, runtime, there)
    assert browser.value("document.getElementById('sign-in').hidden") is True
    press(browser)
    assert "code" in came_back(browser, there)


def test_a_token_of_one_store_connects_that_shop_only(browser: Browser, runtime: Process, there: ScriptedShop) -> None:
    def scoped(url: str) -> str:
        store = runtime.ask("/v1/stores", "POST", STORE | {"url": url})[1]
        made = runtime.ask("/v1/tokens", "POST", {"name": "owner", "stores": [store["id"]]})[1]
        return str(made["secret"])

    open_page(browser, runtime, there)
    press(browser, scoped("https://other.example"))
    browser.until("document.getElementById('told').textContent.includes('other stores')")
    browser.value("sessionStorage.clear()")
    press(browser, scoped(there.url))
    assert "code" in came_back(browser, there)


def test_nothing_is_complained_of(browser: Browser, runtime: Process, there: ScriptedShop) -> None:
    open_page(browser, runtime, there)
    assert browser.complaints() == []
    assert all(url.startswith((runtime.url, "about:")) for url in browser.requested())
    with urllib.request.urlopen(f"{runtime.url}/connect/page.js", timeout=20) as answer:
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
