"""WooCommerce's REST API v3 on `requests`: every way in which a shop can fail comes out as a `ShopTrouble`.

Over https the key goes by Basic authentication, over http signed with OAuth 1.0a (WooCommerce's docs
"Authentication"). It goes to no other host, whatever the shop answers.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit

import requests
from requests.auth import AuthBase, HTTPBasicAuth
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError, NameResolutionError, ReadTimeoutError

from chalicelib import VERSION
from chalicelib.commerce.trouble import ShopTrouble, TroubleCode
from chalicelib.store_adapters.base import Unintelligible
from chalicelib.store_adapters.public_addresses import PrivateAddress, PublicAddressesOnly
from chalicelib.store_adapters.reading import load

__all__ = ["Page", "RestKeys", "ShopTrouble", "WooCommerceRest"]

Params = Mapping[str, str | int | bool]

CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0  # between two pieces of an answer
WHOLE_SECONDS = 60.0  # for all of an answer: one that trickles in is not waited for for ever
LARGEST = 30_000_000  # bytes of an answer, unpacked
_PIECE = 65_536
_HOPS = 5  # redirects followed on one and the same host
_LONGEST_WAIT = timedelta(hours=24)
_REASON = re.compile(r"[A-Za-z0-9_-]{1,80}")
_REDIRECTS = (301, 302, 303, 307, 308)
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
        self._root = urlsplit(rest_url)
        if self._root.scheme not in ("http", "https") or not self._root.hostname or "@" in self._root.netloc:
            raise ValueError("expected an http or https address")
        self._keys, self._monotonic = keys, monotonic
        self._signed = False  # by OAuth over https too: some hosts take the Authorization header away
        self._session = _Session()
        self._session.trust_env = False  # no .netrc, no proxy of the machine
        self._session.headers = CaseInsensitiveDict(
            {
                "User-Agent": f"Agala/{VERSION}",
                "Accept": "application/json",
                "Accept-Encoding": "gzip, deflate",
            }
        )
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        if not private_addresses:
            self._session.mount("http://", PublicAddressesOnly())
            self._session.mount("https://", PublicAddressesOnly())

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
        self._session.close()

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
            status, headers, content = self._answer(method, url, body)
            if status not in _REDIRECTS:
                return _understood(status, headers, content), headers
            target = _target(url, headers.get("Location", ""))
            if method != "GET" or target is None or not _same_host(url, target):
                raise ShopTrouble(TroubleCode.MOVED, status=status)
            if target in seen:
                break
            seen.add(target)
            url = target
        raise ShopTrouble(TroubleCode.REDIRECT_LOOP)

    def _answer(
        self, method: str, url: str, body: Mapping[str, Any] | None
    ) -> tuple[int, CaseInsensitiveDict[str], bytes]:
        ends = self._monotonic() + WHOLE_SECONDS
        try:
            with self._session.request(
                method,
                url,
                json=body,
                auth=self._proof(url),
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
                stream=True,
            ) as response:
                return response.status_code, response.headers, self._content(response, ends)
        except (requests.RequestException, HTTPError, PrivateAddress, OSError, UnicodeError) as problem:
            raise ShopTrouble(_code_of(problem)) from None  # the error's own text may hold the signed address

    def _content(self, response: requests.Response, ends: float) -> bytes:
        content = bytearray()
        for piece in response.iter_content(_PIECE):
            content += piece
            if len(content) > LARGEST:
                raise ShopTrouble(TroubleCode.TOO_LARGE)
            if self._monotonic() > ends:
                raise ShopTrouble(TroubleCode.NO_ANSWER)
        return bytes(content)

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


class _Session(requests.Session):
    """Left to itself, `requests` reads a redirect's body whole, whoever follows it."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None


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


def _same_host(url: str, target: str) -> bool:
    """The same scheme, name and port, or the step from http to https on their usual ports."""
    one, other = urlsplit(url), urlsplit(target)
    if one.hostname != other.hostname or "@" in other.netloc:
        return False
    try:
        places = [(part.scheme, part.port or {"http": 80, "https": 443}.get(part.scheme)) for part in (one, other)]
    except ValueError:
        return False
    return places[0] == places[1] or places == [("http", 80), ("https", 443)]


def _understood(status: int, headers: CaseInsensitiveDict[str], content: bytes) -> Any:
    if status < 400:
        return _json(content)
    wait = _wait(headers)
    reason = _reason(content)
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


def _json(content: bytes) -> Any:
    try:
        return load(content)
    except Unintelligible:
        start = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
        raise ShopTrouble(TroubleCode.WEB_PAGE if start == b"<" else TroubleCode.BROKEN_ANSWER) from None


def _reason(content: bytes) -> str | None:
    """The error code in WordPress's own form of an error, if it is one."""
    try:
        told = load(content)
    except Unintelligible:
        return None
    code = told.get("code") if isinstance(told, dict) else None
    return code if isinstance(code, str) and _REASON.fullmatch(code) else None


def _wait(headers: Mapping[str, str]) -> timedelta | None:
    """`Retry-After` (RFC 9110 10.2.3): seconds, or a date, which the answer's own `Date` is held against."""
    told = (headers.get("Retry-After") or "").strip()
    if re.fullmatch(r"[0-9]{1,9}", told):
        return min(timedelta(seconds=int(told)), _LONGEST_WAIT)
    then = _date(told)
    if then is None:
        return None
    now = _date(headers.get("Date") or "") or datetime.now(UTC)
    return min(max(then - now, timedelta()), _LONGEST_WAIT)


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _code_of(problem: BaseException) -> TroubleCode:
    """What it was, by the kinds of errors in its chain."""
    chain = list(_causes(problem))
    for kinds, code in _KINDS:
        if any(isinstance(one, kinds) for one in chain):
            return code
    return TroubleCode.NO_CONNECTION


_KINDS: tuple[tuple[tuple[type[BaseException], ...], TroubleCode], ...] = (
    ((PrivateAddress,), TroubleCode.PRIVATE_ADDRESS),
    ((requests.exceptions.SSLError,), TroubleCode.CERTIFICATE),
    ((NameResolutionError, UnicodeError, requests.exceptions.InvalidURL), TroubleCode.UNKNOWN_HOST),
    ((requests.exceptions.Timeout, ReadTimeoutError), TroubleCode.NO_ANSWER),
    (
        (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError),
        TroubleCode.BROKEN_ANSWER,
    ),
)


def _causes(problem: BaseException) -> list[BaseException]:
    """The error with those inside it: `requests` and urllib3 keep them as arguments, reasons and causes."""
    found: list[BaseException] = [problem]
    for one in found:
        inner = [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
        found += [other for other in inner if isinstance(other, BaseException) and other not in found]
    return found
