"""A shopper with a browser of text: keeps cookies, reads pages, sends forms, speaks to the Store API."""

from __future__ import annotations

import http.cookiejar
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"
SECONDS = 60


class Shopper:
    """`page` is the text of the last answer, `at` its address, `status` its status."""

    def __init__(self, shop: str) -> None:
        self.shop = shop
        self.cookies = http.cookiejar.CookieJar()
        self._open = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies)).open
        self.page, self.at, self.status = "", shop, 0
        self._nonce = ""

    def go(self, path: str) -> str:
        return self._ask(urllib.request.Request(self._address(path)))

    def send(self, path: str, fields: Mapping[str, str]) -> str:
        body = urllib.parse.urlencode(fields).encode()
        return self._ask(urllib.request.Request(self._address(path), data=body, method="POST"))

    def store(self, path: str, body: Mapping[str, Any], method: str = "POST") -> Any:
        """A call of the Store API below wc/store/v1; `page` is its JSON."""
        if not self._nonce:
            self.go("/wp-json/wc/store/v1/cart")
        headers = {"Content-Type": "application/json", "Nonce": self._nonce}
        address = self._address(f"/wp-json/wc/store/v1{path}")
        self._ask(urllib.request.Request(address, data=json.dumps(body).encode(), headers=headers, method=method))
        return json.loads(self.page)

    def field(self, name: str) -> str:
        """The value of a field (a nonce, say) on the present page."""
        found = re.search(rf'name="{re.escape(name)}"[^>]*?value="([^"]*)"', self.page)
        assert found, f"no field {name} at {self.at}:\n{self.page[-3000:]}"
        return found[1]

    def _address(self, path: str) -> str:
        return path if path.startswith("http") else self.shop + path

    def _ask(self, request: urllib.request.Request) -> str:
        request.add_header("User-Agent", AGENT)
        try:
            answer = self._open(request, timeout=SECONDS)
        except urllib.error.HTTPError as refused:
            answer = refused
        with answer:
            self.page, self.at, self.status = answer.read().decode(), answer.url, answer.status
            self._nonce = answer.headers.get("Nonce") or self._nonce
        return self.page
