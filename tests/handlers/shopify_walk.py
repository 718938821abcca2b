"""An owner's browser on its way between Shopify and us, over the fake Shopify."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests

from tests.api.client import Answered, Caller
from tests.api.conftest import ApiWiring
from tests.shopify.fake import FakeShopify
from tests.shopify.grants import signed

TEA = "tea.myshopify.com"
APP = {"client_id": "app-client-id", "client_secret": "hush-app-secret"}


class ShopifyWiring:
    """Makes a wiring look for shops at the fake, and take the fake's clock for real time."""

    def __init__(self, wired: ApiWiring, shopify: FakeShopify) -> None:
        wired.private_shops = True
        wired.shopify_address = shopify.address  # type: ignore[method-assign]
        wired.unix_time = lambda: shopify.clock.now().timestamp()  # type: ignore[method-assign]


def has_app(call: Caller, shopify: FakeShopify, *shops: str, **more: Any) -> None:
    """The deployment has an app, which these shops know."""
    assert call("PUT", "/v1/shopify/app", {**APP, **more}).status == 200
    for shop in shops or (TEA,):
        shopify.shop(shop).apps[APP["client_id"]] = APP["client_secret"]


class Browser:
    """Keeps cookies, follows to where it is told. `language` is what it accepts."""

    def __init__(self, shopify: FakeShopify, language: str = "en") -> None:
        self.shopify, self.language = shopify, language
        self.cookies: dict[str, str] = {}

    def open(self, path: str, **headers: str) -> Answered:
        sent = {"accept-language": self.language, **headers}
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = Caller(None)("GET", path, headers=sent)
        if found := re.match(r"([^=]+)=([^;]+)", answer.headers.get("set-cookie", "")):
            self.cookies[found[1]] = found[2]
        return answer

    def link(self, shop: str = TEA, secret: str = APP["client_secret"], **more: str) -> str:
        """An install link, as Shopify makes it now."""
        told = {"shop": shop, "timestamp": str(int(self.shopify.clock.now().timestamp())), **more}
        return "/shopify/install?" + urlencode(signed(secret, told))

    def approve(self, grant_page: str) -> str:
        """The owner says yes on Shopify's page: the path at which we are called back."""
        answer = requests.get(grant_page, allow_redirects=False, timeout=10)
        assert answer.status_code == 302, answer.text
        parts = urlsplit(answer.headers["Location"])
        return f"{parts.path}?{parts.query}"

    def install(self, shop: str = TEA) -> Answered:
        """The whole walk."""
        asked = self.open(self.link(shop))
        assert asked.status == 302, asked.text
        return self.open(self.approve(asked.headers["location"]))


def altered(path: str, **change: str | None) -> str:
    """The same address with some parameters changed or gone, its signature as it was."""
    parts = urlsplit(path)
    query = dict(parse_qsl(parts.query)) | change
    return f"{parts.path}?{urlencode({name: value for name, value in query.items() if value is not None})}"


def resigned(path: str, secret: str = APP["client_secret"], **change: str) -> str:
    parts = urlsplit(path)
    query = dict(parse_qsl(parts.query)) | change
    query.pop("hmac")
    return f"{parts.path}?{urlencode(signed(secret, query))}"
