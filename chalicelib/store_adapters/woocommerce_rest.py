"""WooCommerce's REST API v3 on `requests`: every way in which a shop can fail comes out as a `ShopTrouble`.

Over https the key goes by Basic authentication, over http signed with OAuth 1.0a (WooCommerce's docs
"Authentication"). It goes to no other host, whatever the shop answers.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit

import requests
from requests.auth import AuthBase, HTTPBasicAuth
from requests.structures import CaseInsensitiveDict

from chalicelib.commerce.trouble import ShopTrouble, TroubleCode
from chalicelib.store_adapters.base import Unintelligible
from chalicelib.store_adapters.reading import load
from chalicelib.store_adapters.shop_http import (
    REDIRECTS,
    Answer,
    ShopHttp,
    json_of,
    plain_reason,
    retry_after,
    same_host,
    web_address,
)

__all__ = ["Page", "RestKeys", "ShopTrouble", "WooCommerceRest"]

Params = Mapping[str, str | int | bool]

_HOPS = 5  # redirects followed on one and the same host
# WooCommerce reads a key only of requests whose address has this text in it, which one without pretty permalinks lacks.
_MARK = "wp-json/wc/"


@dataclass(frozen=True)
class RestKeys:
    """WooCommerce's consumer key and secret. Never shown."""

    key: str = field(repr=False)
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Page:
    """One page of a list; `total` records on `pages` pages, as far as the shop says it."""

    items: list[Any]
    total: int | None
    pages: int | None


class WooCommerceRest:
    """Paths are relative to `wc/v3`: `orders`, `products/12/variations`. Not for several threads at once."""

    def __init__(
        self,
        rest_url: str,
        keys: RestKeys,
        private_addresses: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`rest_url` is WordPress's REST root, `https://shop.example/wp-json/` or `https://shop.example/?rest_route=/`.

        `private_addresses`: whether a shop in a private network may be called. Raises `ValueError` for an address
        that is not http or https.
        """
        self._root = web_address(rest_url)
        self._keys = keys
        self._signed = False  # by OAuth over https too: some hosts take the Authorization header away
        self._http = ShopHttp(private_addresses, monotonic)

    def get(self, path: str, params: Params | None = None) -> Page:
        """A list. Raises `ShopTrouble`, also where the shop answers with something else."""
        body, headers = self._ask("GET", path, params)
        if not isinstance(body, list):
            raise ShopTrouble(TroubleCode.BROKEN_ANSWER)
        return Page(body, _whole(headers.get("X-WP-Total")), _whole(headers.get("X-WP-TotalPages")))

    def one(self, path: str, params: Params | None = None) -> dict[str, Any]:
        """A record. Raises `ShopTrouble`; one that is not there has the code `gone`."""
        return _record(self._ask("GET", path, params)[0])

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Make a record. Raises `ShopTrouble`: after `no_answer` or `no_connection` it may stand all the same."""
        return _record(self._ask("POST", path, None, body)[0])

    def put(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return _record(self._ask("PUT", path, None, body)[0])

    def delete(self, path: str, params: Params | None = None) -> dict[str, Any]:
        """`{"force": True}` deletes for good what would go to the bin."""
        return _record(self._ask("DELETE", path, params)[0])

    def close(self) -> None:
        self._http.close()

    def _ask(
        self, method: str, path: str, params: Params | None, body: Mapping[str, Any] | None = None
    ) -> tuple[Any, CaseInsensitiveDict[str]]:
        url = self._address(path, params or {})
        try:
            return self._followed(method, url, body)
        except ShopTrouble as trouble:
            if trouble.status != 401 or self._signed or urlsplit(url).scheme != "https":
                raise
            self._signed = True
            try:
                return self._followed(method, url, body)
            except ShopTrouble as again:
                self._signed = again.status != 401
                raise again from None

    def _address(self, path: str, params: Params) -> str:
        told = {name: _text(value) for name, value in params.items()}
        within = f"wc/v3/{quote(path.strip('/'))}"
        query = dict(parse_qsl(self._root.query, keep_blank_values=True))
        place = self._root.path.rstrip("/") + f"/{within}"
        if "rest_route" in query:
            query["rest_route"] = f"/{within}"
            query["agala"] = _MARK
            place = self._root.path or "/"
            place += "index.php" if place.endswith("/") else ""  # signed, WooCommerce takes the bare root for another
        text = urlencode({**query, **told}, safe="/", quote_via=quote)
        return urlunsplit((self._root.scheme, self._root.netloc, place, text, ""))

    def _followed(self, method: str, url: str, body: Mapping[str, Any] | None) -> tuple[Any, CaseInsensitiveDict[str]]:
        seen = {url}
        for _ in range(_HOPS):
            answer = self._http.call(method, url, body, self._proof(url))
            if answer.status not in REDIRECTS:
                return _understood(answer), answer.headers
            target = _target(url, answer.headers.get("Location", ""))
            if method != "GET" or target is None or not same_host(url, target):
                raise ShopTrouble(TroubleCode.MOVED, status=answer.status)
            if target in seen:
                break
            seen.add(target)
            url = target
        raise ShopTrouble(TroubleCode.REDIRECT_LOOP)

    def _proof(self, url: str) -> AuthBase:
        if url.startswith("https:") and not self._signed:
            return HTTPBasicAuth(self._keys.key, self._keys.secret)
        return _Signed(self._keys)


class _Signed(AuthBase):
    """OAuth 1.0a in the address. Signing spells the address anew; its mark must stay readable as it is."""

    def __init__(self, keys: RestKeys) -> None:
        self._keys = keys

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        from requests_oauthlib import OAuth1

        sign = OAuth1(self._keys.key, self._keys.secret, signature_method="HMAC-SHA256", signature_type="query")
        signed: requests.PreparedRequest = sign(request)
        signed.url = (signed.url or "").replace(quote(_MARK, safe=""), _MARK)
        return signed


def _text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _whole(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"[0-9]{1,12}", text) else None


def _record(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise ShopTrouble(TroubleCode.BROKEN_ANSWER)
    return body


def _target(url: str, location: str) -> str | None:
    """Without the signature of the request before, which a shop that redirects hands back. None: no address."""
    try:
        parts = urlsplit(urljoin(url, location))
    except ValueError:
        return None
    kept = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if not pair[0].startswith("oauth_")]
    return urlunsplit(parts._replace(query=urlencode(kept, safe="/", quote_via=quote), fragment=""))


def _understood(answer: Answer) -> Any:
    status = answer.status
    if status < 400:
        return json_of(answer.content)
    wait = retry_after(answer.headers)
    reason = _reason(answer.content)
    code = TroubleCode.REFUSED
    if status == 401:
        code = TroubleCode.KEY_REFUSED
    elif status == 403:
        code = TroubleCode.NOT_ALLOWED
    elif status in (404, 410):
        code = TroubleCode.NO_REST if reason is None or reason == "rest_no_route" else TroubleCode.GONE
    elif status == 429:
        code = TroubleCode.SLOW_DOWN
    elif status == 408:
        code = TroubleCode.NO_ANSWER
    elif status >= 500:
        code = TroubleCode.FAILING
    raise ShopTrouble(code, wait, status, reason)


def _reason(content: bytes) -> str | None:
    """The error code in WordPress's own form of an error, if it is one."""
    try:
        told = load(content)
    except Unintelligible:
        return None
    return plain_reason(told.get("code")) if isinstance(told, dict) else None
