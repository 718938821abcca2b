"""Shopify's Admin API (GraphQL): every way in which a shop can fail comes out as a `ShopTrouble`.

Shopify counts what is asked in points: each shop has a bucket of them that fills again with time (Shopify's docs "API
rate limits"). How full it is stands in every answer, so we wait before it is empty rather than be refused.
"""

from __future__ import annotations

import logging
import math
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from chalicelib.commerce.trouble import ShopTrouble, TroubleCode
from chalicelib.store_adapters import shopify_documents
from chalicelib.store_adapters.base import Unintelligible
from chalicelib.store_adapters.reading import load
from chalicelib.store_adapters.shop_http import (
    LARGEST,
    REDIRECTS,
    Answer,
    ShopHttp,
    json_of,
    plain_reason,
    retry_after,
    same_host,
    web_address,
)

__all__ = ["API_VERSION", "STATUSES", "ShopTrouble", "ShopifyAdmin", "Tokens"]

_log = logging.getLogger(__name__)

API_VERSION = "2026-07"
DEPRECATED = f"Shopify calls the API version that Agala uses ({API_VERSION}) deprecated: update Agala."
OTHER_VERSION = f"Shopify does not answer by the API version that Agala uses ({API_VERSION}): update Agala."

STATUSES = {
    401: TroubleCode.KEY_REFUSED,
    402: TroubleCode.SHOP_CLOSED,
    403: TroubleCode.NOT_ALLOWED,
    404: TroubleCode.UNKNOWN_SHOP,
    408: TroubleCode.NO_ANSWER,
    410: TroubleCode.UNKNOWN_SHOP,
    423: TroubleCode.SHOP_CLOSED,
    429: TroubleCode.SLOW_DOWN,
    430: TroubleCode.SLOW_DOWN,  # Shopify's own: too much that looks like an attack
    **dict.fromkeys(REDIRECTS, TroubleCode.MOVED),
}
# `extensions.code` of an error in an answer, the first that fits counts; any other: we asked what cannot be asked.
_ERRORS = {
    "THROTTLED": TroubleCode.SLOW_DOWN,
    "SHOP_INACTIVE": TroubleCode.SHOP_CLOSED,
    "ACCESS_DENIED": TroubleCode.NOT_ALLOWED,
    "MAX_COST_EXCEEDED": TroubleCode.TOO_MUCH,
    "INTERNAL_SERVER_ERROR": TroubleCode.FAILING,
    "SERVICE_UNAVAILABLE": TroubleCode.FAILING,
    "TIMEOUT": TroubleCode.NO_ANSWER,
}
_NO_SUCH_FILE = (400, 401, 403, 404, 410)  # Google's store says 400 or 403 of an address that has run out
_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")


class Tokens(Protocol):
    def access_token(self, renew: bool = False) -> str:
        """`renew`: the one given last was refused. Raises `ShopTrouble` (`no_key`, `key_refused`)."""
        ...


class ShopifyAdmin:
    """One shop's. Documents are told by their names in `shopify_documents`. Not for several threads at once."""

    def __init__(
        self,
        address: str,
        tokens: Tokens,
        private_addresses: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`address`: `https://tea.myshopify.com`. `private_addresses`: whether a shop in a private network may be
        called. Raises `ValueError` for an address that is not http or https.
        """
        web_address(address)
        self._address, self._tokens = address.rstrip("/"), tokens
        self._http = ShopHttp(private_addresses, monotonic)
        self._points = _Points(monotonic)
        self.notices: set[str] = set()
        """What the owner should know though all goes well."""

    def ask(self, document: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The answer's `data`; a mutation's `userErrors` are the caller's affair.

        Raises `ShopTrouble`, also where Shopify answers only a part: after `no_answer`, `no_connection` or
        `broken_answer` a mutation may have been done all the same. `reason` is Shopify's own code of the error.
        """
        self._points.require(document)
        body = {"query": self.text(document), "variables": dict(variables or {})}
        answer = self._call(body, self._tokens.access_token())
        if answer.status == 401:
            answer = self._call(body, self._tokens.access_token(renew=True))
        self._notice(answer)
        if answer.status != 200:
            code = TroubleCode.FAILING if answer.status >= 500 else STATUSES.get(answer.status, TroubleCode.REFUSED)
            raise ShopTrouble(code, retry_after(answer.headers), answer.status)
        return self._data(document, json_of(answer.content))

    def text(self, document: str) -> str:
        """A document's own text: a bulk operation's query is sent as a variable."""
        return shopify_documents.text(document)

    def lines(self, url: str, start: int = 0) -> Iterator[bytes]:
        """A bulk operation's file from its byte `start` on, line by line, each with its line end: `start` and the
        lines' lengths together are where to go on from after trouble.

        The file lies with another host, which is told no token. Raises `ShopTrouble`, from the lines too: `gone` when
        the address has run out, `refused` for one that is not https.
        """
        if not _is_https(url) and not same_host(self._address, url):
            raise ShopTrouble(TroubleCode.REFUSED)
        headers = {"Accept": "*/*", "Accept-Encoding": "identity"}  # packed, a range would be of the packed bytes
        if start:
            headers["Range"] = f"bytes={start}-"
        with self._http.stream(url, headers) as (answer, pieces):
            if _is_past_the_end(answer, start):
                return
            yield from _lines(_from(start, answer, pieces))

    def close(self) -> None:
        self._http.close()

    def _call(self, body: Mapping[str, Any], token: str) -> Answer:
        if not (token and token.isascii() and token.isprintable()):
            raise ShopTrouble(TroubleCode.KEY_REFUSED)
        url = f"{self._address}/admin/api/{API_VERSION}/graphql.json"
        return self._http.call("POST", url, body, headers={"X-Shopify-Access-Token": token})

    def _notice(self, answer: Answer) -> None:
        given = answer.headers.get("X-Shopify-API-Version")
        if answer.headers.get("X-Shopify-API-Deprecated-Reason"):
            self._say(DEPRECATED)
        if given and given != API_VERSION:
            self._say(OTHER_VERSION)

    def _say(self, notice: str) -> None:
        if notice not in self.notices:
            self.notices.add(notice)
            _log.warning(notice)

    def _data(self, document: str, told: Any) -> dict[str, Any]:
        if not isinstance(told, dict):
            raise ShopTrouble(TroubleCode.BROKEN_ANSWER)
        self._points.learn(document, told)
        if told.get("errors"):
            code, reason = _error(told["errors"])
            wait = self._points.wait(document) if code is TroubleCode.SLOW_DOWN else None
            raise ShopTrouble(code, wait, reason=reason)
        if not isinstance(told.get("data"), dict):
            raise ShopTrouble(TroubleCode.BROKEN_ANSWER)
        data: dict[str, Any] = told["data"]
        return data


@dataclass(frozen=True)
class _Bucket:
    available: float
    maximum: float
    restore: float  # points a second
    at: float


class _Points:
    """What is left in the shop's bucket, and what each document cost when it was last asked."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._bucket: _Bucket | None = None
        self._costs: dict[str, float] = {}

    def require(self, document: str) -> None:
        """Raises `ShopTrouble` (`slow_down`) while too little is left for the document."""
        wait = self.wait(document)
        if wait:
            raise ShopTrouble(TroubleCode.SLOW_DOWN, wait)

    def wait(self, document: str) -> timedelta | None:
        """Until there will be enough; None: there is, or the shop has not said."""
        bucket, cost = self._bucket, self._costs.get(document)
        if bucket is None or cost is None:
            return None
        available = bucket.available + (self._monotonic() - bucket.at) * bucket.restore
        missing = min(cost, bucket.maximum) - available
        return timedelta(seconds=math.ceil(missing / bucket.restore)) if missing > 0 else None

    def learn(self, document: str, told: Mapping[str, Any]) -> None:
        cost = _object(_object(told.get("extensions")).get("cost"))
        status = _object(cost.get("throttleStatus"))
        asked = _number(cost.get("requestedQueryCost"))
        available, maximum, restore = (
            _number(status.get(name)) for name in ("currentlyAvailable", "maximumAvailable", "restoreRate")
        )
        if asked is not None:
            self._costs[document] = asked
        if available is not None and maximum and restore:
            self._bucket = _Bucket(available, maximum, restore, self._monotonic())


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: Any) -> float | None:
    """A finite one that is not negative."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 10**9:
        return None
    return float(value)


def _error(errors: Any) -> tuple[TroubleCode, str | None]:
    told = [_object(_object(one).get("extensions")).get("code") for one in errors] if isinstance(errors, list) else []
    for name, code in _ERRORS.items():
        if name in told:
            return code, name
    return TroubleCode.REFUSED, next(filter(None, map(plain_reason, told)), None)


def _is_https(url: str) -> bool:
    try:
        return web_address(url).scheme == "https"
    except ValueError:
        return False


def _is_past_the_end(answer: Answer, start: int) -> bool:
    """Whether all of the file was read before. Raises `ShopTrouble` for an answer that is not the file."""
    if answer.status == 416:
        found = _RANGE.fullmatch(answer.headers.get("Content-Range") or "")
        if found and found[2] == str(start):
            return True
        raise ShopTrouble(TroubleCode.BROKEN_ANSWER, status=416)
    if answer.status in _NO_SUCH_FILE:
        raise ShopTrouble(TroubleCode.GONE, status=answer.status)
    if answer.status not in (200, 206):
        code = TroubleCode.FAILING if answer.status >= 500 else STATUSES.get(answer.status, TroubleCode.REFUSED)
        raise ShopTrouble(code, retry_after(answer.headers), answer.status)
    return False


def _from(start: int, answer: Answer, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The bytes from `start` on: one that does not know of ranges answers with the whole file."""
    skipped = start
    if answer.status == 206:
        found = _RANGE.fullmatch(answer.headers.get("Content-Range") or "")
        if not found or found[1] != str(start):
            raise ShopTrouble(TroubleCode.BROKEN_ANSWER)
        skipped = 0
    for piece in pieces:
        yield piece[skipped:]
        skipped = max(skipped - len(piece), 0)
    if skipped:
        raise ShopTrouble(TroubleCode.BROKEN_ANSWER)


def _lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The last one may lack its end, if what is there is whole."""
    rest = bytearray()
    for piece in pieces:
        rest += piece
        if b"\n" in piece:
            *whole, rest = rest.split(b"\n")
            for line in whole:
                yield bytes(line) + b"\n"
        if len(rest) > LARGEST:
            raise ShopTrouble(TroubleCode.TOO_LARGE)
    if rest:
        try:
            load(bytes(rest))
        except Unintelligible:
            raise ShopTrouble(TroubleCode.BROKEN_ANSWER) from None
        yield bytes(rest)
