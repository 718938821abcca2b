"""Calls of a shop on `requests`: every way in which the way to it can fail comes out as a `ShopTrouble`.

What both platforms' clients need: limits of time and size, no private networks, no redirect followed on its own, and
errors without a word of what was sent.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import SplitResult, urlsplit

import requests
from requests.auth import AuthBase
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError, NameResolutionError, ReadTimeoutError

from chalicelib import VERSION
from chalicelib.commerce.trouble import ShopTrouble, TroubleCode
from chalicelib.store_adapters.base import Unintelligible
from chalicelib.store_adapters.public_addresses import PrivateAddress, PublicAddressesOnly
from chalicelib.store_adapters.reading import load

# At DEBUG it writes each address down whole, with the signature that lets one in.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)

CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0  # between two pieces of an answer
WHOLE_SECONDS = 60.0  # for all of an answer: one that trickles in is not waited for for ever
LARGEST = 30_000_000  # bytes of an answer, unpacked
REDIRECTS = (301, 302, 303, 307, 308)
_PIECE = 65_536
_LONGEST_WAIT = timedelta(hours=24)
_REASON = re.compile(r"[A-Za-z0-9_-]{1,80}")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: CaseInsensitiveDict[str]
    content: bytes


class ShopHttp:
    """Not for several threads at once."""

    def __init__(self, private_addresses: bool = False, monotonic: Callable[[], float] = time.monotonic) -> None:
        """`private_addresses`: whether a shop in a private network may be called."""
        self._monotonic = monotonic
        self.session = _Session()
        self.session.trust_env = False  # no .netrc, no proxy of the machine
        self.session.headers = CaseInsensitiveDict(
            {
                "User-Agent": f"Agala/{VERSION}",
                "Accept": "application/json",
                "Accept-Encoding": "gzip, deflate",
            }
        )
        self.session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        if not private_addresses:
            self.session.mount("http://", PublicAddressesOnly())
            self.session.mount("https://", PublicAddressesOnly())

    def call(
        self,
        method: str,
        url: str,
        body: Mapping[str, Any] | None = None,
        auth: AuthBase | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Whatever the shop answers, redirects too. Raises `ShopTrouble` where no whole answer comes."""
        ends = self._monotonic() + WHOLE_SECONDS
        with self._opened(method, url, body, auth, headers) as response:
            return Answer(response.status_code, response.headers, self._content(response, ends))

    @contextmanager
    def stream(self, url: str, headers: Mapping[str, str]) -> Iterator[tuple[Answer, Iterator[bytes]]]:
        """An answer of any length, as the pieces it comes in; `content` is empty. Raises `ShopTrouble`, from the
        pieces too."""
        with self._opened("GET", url, None, None, headers) as response:
            yield Answer(response.status_code, response.headers, b""), response.iter_content(_PIECE)

    def status_of(self, method: str, url: str, content: bytes, headers: Mapping[str, str], seconds: float) -> int:
        """The answer's status, a redirect's too; its body is left unread. `seconds` to connect, and between two pieces
        of its head. Raises `ShopTrouble`."""
        with self._opened(method, url, content, None, headers, (seconds, seconds)) as response:
            return response.status_code

    def close(self) -> None:
        self.session.close()

    @contextmanager
    def _opened(
        self,
        method: str,
        url: str,
        body: Mapping[str, Any] | bytes | None,
        auth: AuthBase | None,
        headers: Mapping[str, str] | None,
        timeout: tuple[float, float] = (CONNECT_SECONDS, READ_SECONDS),
    ) -> Iterator[requests.Response]:
        try:
            with self.session.request(
                method,
                url,
                data=body if isinstance(body, bytes) else None,
                json=None if isinstance(body, bytes) else body,
                auth=auth,
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
                stream=True,
            ) as response:
                yield response
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


class _Session(requests.Session):
    """Left to itself, `requests` reads a redirect's body whole, whoever follows it."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None


def web_address(text: str) -> SplitResult:
    """Raises `ValueError` for an address that is not http or https, or has a name or password in it."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ValueError("expected an http or https address")
    return parts


def same_host(url: str, target: str) -> bool:
    """The same scheme, name and port, or the step from http to https on their usual ports."""
    try:
        one, other = urlsplit(url), urlsplit(target)
        if one.hostname != other.hostname or "@" in other.netloc:
            return False
        places = [(part.scheme, part.port or {"http": 80, "https": 443}.get(part.scheme)) for part in (one, other)]
    except ValueError:
        return False
    return places[0] == places[1] or places == [("http", 80), ("https", 443)]


def json_of(content: bytes) -> Any:
    """Raises `ShopTrouble` for what is no JSON."""
    try:
        return load(content)
    except Unintelligible:
        start = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
        raise ShopTrouble(TroubleCode.WEB_PAGE if start == b"<" else TroubleCode.BROKEN_ANSWER) from None


def plain_reason(code: Any) -> str | None:
    """A shop's error code, if it is one that may be shown."""
    return code if isinstance(code, str) and _REASON.fullmatch(code) else None


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """`Retry-After` (RFC 9110 10.2.3): seconds, with or without a fraction, or a date, which the answer's own `Date`
    is held against."""
    told = (headers.get("Retry-After") or "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", told):
        return min(timedelta(seconds=float(told)), _LONGEST_WAIT)
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
