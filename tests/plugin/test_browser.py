"""An owner installs the zip and connects the shop; a shopper leaves a cart and gets it back. All parts but WooCommerce
are the real ones: WordPress, our plugin, the product as `make run` starts it, Chromium."""

from __future__ import annotations

import base64
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from infra import plugin
from tests.local.browser import CHROMIUM, Browser
from tests.local.test_runtime import Process
from tests.plugin import environment, programs

PICTURES = environment.ROOT / "docs" / "pictures"
EMAIL, PHONE = "maya@shopper.example", "050-555-0142"
SECONDS = 60
REAL = os.environ.get("AGALA_TESTS_WOOCOMMERCE")  # the folder of a real WooCommerce, to try with


class Shop:
    """The shop, the product and the owner's browser."""

    def __init__(self, site: environment.WordPress, url: str, folder: Path) -> None:
        self.site, self.url, self.folder = site, url, folder
        self.port = str(environment.free_port())
        self.product = self._start("1")
        self.owner = self.browser("owner")

    def browser(self, name: str) -> Browser:
        """A browser of somebody else: a profile of its own."""
        browser = Browser(self.folder / f"browser-{name}")
        browser.call("Emulation.setDeviceMetricsOverride", width=1280, height=800, deviceScaleFactor=1, mobile=False)
        browser.call("Emulation.setScrollbarsHidden", hidden=True)
        return browser

    def let_time_pass(self, speed: int) -> None:
        """The product is started again with a faster clock, on the same data."""
        assert self.product.end(signal.SIGINT) == 0
        self.product = self._start(str(speed))

    def run_actions(self) -> None:
        """What WooCommerce's Action Scheduler has due."""
        if REAL:
            self.site.cli("action-scheduler", "run", "--force")
            return
        self.owner.value(f"fetch('{self.url}/wp-admin/admin-ajax.php?action=double_run_actions').then(a => a.text())")

    def asks(self, path: str) -> Any:
        status, answer = self.product.ask(path)
        assert status == 200, answer
        return answer

    def _start(self, speed: str) -> Process:
        settings = {"AGALA_PORT": self.port, "AGALA_CLOCK_SPEED": speed, "AGALA_ADMIN_TOKEN": "token-of-the-test"}
        return Process(self.folder / "agala", **settings).ready()

    def close(self) -> None:
        self.owner.close()
        self.product.popen.kill()
        self.product.popen.communicate()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    try:
        programs.require("chromium")
        site = environment.copy(folder / "wordpress", Path(REAL) if REAL else None, agala=None)
    except programs.Missing as missing:
        pytest.skip(str(missing))
    if not CHROMIUM:
        pytest.skip("Chromium was installed after the tests began; run them again")
    with site.serve() as url:
        shop = Shop(site, url, folder)
        yield shop
        shop.close()


def test_a_cart_that_is_left_comes_back(shop: Shop) -> None:
    log_in(shop)
    install(shop)
    ask_for_consent(shop)
    connect(shop)
    activate_journey(shop, "cart-abandonment")
    leave_a_cart(shop)
    shop.let_time_pass(speed=3600)
    message = until(lambda: next((m for m in shop.asks("/local/outbox")["items"] if m["journey"]), None))
    link = restore_link(message)
    assert message["to"] in (EMAIL, "+972505550142")
    restored = shop.browser("another-device")
    restored.go(link)
    assert restored.until("document.querySelector('.wc-block-checkout #email')?.value") == EMAIL
    restored.go(f"{shop.url}/classic-cart/")
    restored.until("[...document.querySelectorAll('.cart_item')].some(line => line.innerText.includes('mug'))")
    assert restored.value("document.querySelector('.cart .qty').value") == "2"
    assert not troubles(shop, shop.owner, restored)
    restored.close()


def log_in(shop: Shop) -> None:
    shop.owner.go(f"{shop.url}/wp-login.php")
    shop.owner.until("!!document.querySelector('#wp-submit')")
    fill(shop.owner, "#user_login", environment.ADMIN)
    fill(shop.owner, "#user_pass", environment.PASSWORD)
    press(shop.owner, "#wp-submit")
    shop.owner.until("!!document.querySelector('#wpadminbar')")


def install(shop: Shop) -> None:
    """By WordPress's own upload page, as an owner does."""
    made = plugin.build(out=shop.folder / "agala.zip")
    owner = shop.owner
    owner.go(f"{shop.url}/wp-admin/plugin-install.php?tab=upload")
    owner.until("!!document.querySelector('#pluginzip')")
    root = owner.call("DOM.getDocument")["root"]["nodeId"]
    field = owner.call("DOM.querySelector", nodeId=root, selector="#pluginzip")["nodeId"]
    owner.call("DOM.setFileInputFiles", nodeId=field, files=[str(made)])
    owner.until("!document.querySelector('#install-plugin-submit').disabled")
    press(owner, "#install-plugin-submit")
    owner.until("!!document.querySelector('a[href*=\"action=activate\"]')", SECONDS)
    press(owner, 'a[href*="action=activate"]')
    owner.until("!!document.querySelector('tr[data-plugin=\"agala/agala.php\"].active')", SECONDS)


def ask_for_consent(shop: Shop) -> None:
    """The settings page is right to left in Hebrew, left to right in English; its form keeps what it is told."""
    for locale, direction, words in (("he_IL", "rtl", "חיבור"), ("en_US", "ltr", "Connection")):
        open_settings(shop, locale)
        assert shop.owner.value("getComputedStyle(document.querySelector('.agala-card')).direction") == direction
        assert words in shop.owner.value("document.querySelector('#agala-connection-title').innerText")
        assert not shop.owner.value("document.documentElement.scrollWidth > innerWidth"), "wider than the window"
    for channel in ("email", "sms"):
        shop.owner.value(f"document.querySelector('[name=\"consent[{channel}][enabled]\"]').checked = true")
        fill(shop.owner, f"#agala-consent_{channel}", f"Yes, write to me by {channel}")
    shop.owner.value("document.querySelector('[name=\"consent[email][enabled]\"]').form.requestSubmit()")
    shop.owner.until("!!document.querySelector('.notice-success')")


def connect(shop: Shop) -> None:
    """From the settings page to Agala's own page and back; then the first sync runs to its end."""
    owner = shop.owner
    open_settings(shop)
    fill(owner, "#agala-where", shop.product.url)
    owner.value("document.querySelector('#agala-where').form.requestSubmit()")
    owner.until("location.pathname === '/connect' && !document.querySelector('#form').hidden")
    fill(owner, "#token", shop.product.token)
    press(owner, "#connect")
    owner.until("!!document.querySelector('#agala-state') && !!document.querySelector('.notice-success')", SECONDS)
    store = shop.asks("/v1/stores")["items"][0]
    until(lambda: shop.asks(f"/v1/stores/{store['id']}/sync")["status"] == "done" or shop.run_actions())
    for locale, name in (("he_IL", "plugin-hebrew"), ("en_US", "plugin-english")):
        open_settings(shop, locale)
        owner.until("!!document.querySelector('.agala-state-ready')", SECONDS)
        picture(owner, name)


def activate_journey(shop: Shop, name: str) -> None:
    store = shop.asks("/v1/stores")["items"][0]["id"]
    template = next(one for one in shop.asks("/v1/journey-templates")["items"] if one["id"] == name)
    journey = f"/v1/stores/{store}/journeys/{name}"
    assert shop.product.ask(journey, "PUT", template["definition"])[0] in (200, 201)
    status, answer = shop.product.ask(f"{journey}/activate", "POST")
    assert status == 200, answer


def leave_a_cart(shop: Shop) -> None:
    """A guest chooses two mugs, types who they are at the classic checkout, agrees to be written to, and goes away."""
    guest = shop.browser("guest")
    guest.go(f"{shop.url}/product/cafe-creme-mug/")
    guest.until("!!document.querySelector('.single_add_to_cart_button')")
    fill(guest, ".qty", "2")
    press(guest, ".single_add_to_cart_button")
    # A session is kept when its page has ended.
    guest.until("document.readyState === 'complete' && document.body.innerText.includes('been added to your cart')")
    guest.go(f"{shop.url}/classic-checkout/")
    guest.until("!!document.querySelector('#billing_email')")
    fill(guest, "#billing_first_name", "Maya")
    fill(guest, "#billing_phone", PHONE)
    for box in ("email", "sms"):
        press(guest, f'[name="agala_consent[{box}]"]')
    fill(guest, "#billing_email", EMAIL)
    store = shop.asks("/v1/stores")["items"][0]["id"]
    contact = f"/v1/stores/{store}/contacts?email={EMAIL}"
    until(lambda: shop.asks(contact)["items"] or shop.run_actions())
    guest.close()
    consent = shop.asks(contact)["items"][0]["consent"]
    assert consent["email"]["status"] == consent["sms"]["status"] == "subscribed", consent


def restore_link(message: dict[str, Any]) -> str:
    """Ours, which leads to the shop's."""
    found = re.search(r"https?://[^\s\"'<>]*/l/\w+", message["text"])
    assert found, message["text"]
    return found[0]


def troubles(shop: Shop, *browsers: Browser) -> list[str]:
    """What PHP complained of in plugins, and what went wrong in the browsers' scripts."""
    log = shop.site.folder / "debug.log"
    php = [line for line in log.read_text().splitlines() if "/plugins/" in line] if log.exists() else []
    events = [event for browser in browsers for event in browser.events]
    return php + [str(event["params"]) for event in events if event.get("method") == "Runtime.exceptionThrown"]


def open_settings(shop: Shop, locale: str = "en_US") -> None:
    """In the owner's language."""
    shop.site.cli("user", "meta", "update", environment.ADMIN, "locale", locale)
    shop.owner.go(f"{shop.url}/wp-admin/admin.php?page=agala&in={locale}")
    shop.owner.until(f"location.search.endsWith({locale!r}) && !!document.querySelector('.agala-card')")


def fill(browser: Browser, selector: str, text: str) -> None:
    """As typing does: the page hears of it."""
    browser.until(f"!!document.querySelector({selector!r})")
    told = "['input', 'keyup', 'change', 'blur'].forEach(name => field.dispatchEvent(new Event(name, {bubbles: true})))"
    found = f"const field = document.querySelector({selector!r})"
    browser.value(f"(() => {{ {found}; field.focus(); field.value = {text!r}; {told} }})()")


def press(browser: Browser, selector: str) -> None:
    browser.value(f"document.querySelector({selector!r}).click()")


def picture(browser: Browser, name: str) -> None:
    """Kept only when asked for, with AGALA_PICTURES=1."""
    if os.environ.get("AGALA_PICTURES") == "1":
        made = browser.call("Page.captureScreenshot", format="png", captureBeyondViewport=False)
        PICTURES.mkdir(parents=True, exist_ok=True)
        (PICTURES / f"{name}.png").write_bytes(base64.b64decode(made["data"]))


def until(look: Callable[[], Any], seconds: float = SECONDS) -> Any:
    """The first true answer."""
    ends = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < ends, "it did not come"
        time.sleep(0.2)
    return found
