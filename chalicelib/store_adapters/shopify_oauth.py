"""How Shopify proves a request to be its own, and hands out tokens: the authorization code grant, its renewal, and the
client credentials grant.

Sources: Shopify's "Authorization code grant", "Expiring offline access tokens" and "Client credentials grant"
documentation.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from chalicelib.commerce.trouble import ShopTrouble, TroubleCode
from chalicelib.store_adapters.shop_http import REDIRECTS, ShopHttp, json_of, plain_reason, retry_after

FRESH = 300  # seconds of real time: how old a signed request may be, or how far ahead the clock of its signer
_SHOP = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\.myshopify\.com")
_HMAC = re.compile(r"[0-9a-fA-F]{64}")
_TOKEN = re.compile(r"[\x21-\x7e]{1,2000}")
_PATH = "/admin/oauth/access_token"

_CODES = {
    401: TroubleCode.KEY_REFUSED,
    402: TroubleCode.SHOP_CLOSED,
    403: TroubleCode.NOT_ALLOWED,
    404: TroubleCode.UNKNOWN_SHOP,
    408: TroubleCode.NO_ANSWER,
    410: TroubleCode.UNKNOWN_SHOP,
    423: TroubleCode.SHOP_CLOSED,
    429: TroubleCode.SLOW_DOWN,
    430: TroubleCode.SLOW_DOWN,
    **dict.fromkeys(REDIRECTS, TroubleCode.MOVED),
}

Query = Mapping[str, Sequence[str]]


def shop_domain(text: str) -> str | None:
    """`tea.myshopify.com` in its one spelling; None for anything else, before an address is made of it."""
    if not text.isascii():  # some letters become ASCII when they are made small
        return None
    small = text.lower()
    return small if _SHOP.fullmatch(small) else None


def is_signed(query: Query, secret: str) -> bool:
    """Whether Shopify signed these parameters (decoded, by name) with the app's secret. In constant time.

    The message is every parameter but `hmac`, sorted, `name=value` joined by `&`; a list (`ids[]`) is written as
    JSON. A parameter that is given twice is refused, for who reads it next may read the other one.
    """
    given = query.get("hmac", ())
    if len(given) != 1 or not _HMAC.fullmatch(given[0]) or not secret:
        return False
    if any(not values or (len(values) > 1 and not name.endswith("[]")) for name, values in query.items()):
        return False
    spaced, tight = (hmac.digest(secret.encode(), _message(query, comma), "sha256").hex() for comma in (", ", ","))
    return hmac.compare_digest(given[0].lower(), spaced) | hmac.compare_digest(given[0].lower(), tight)


def is_fresh(query: Query, now: float) -> bool:
    """`now`: Unix seconds of real time."""
    told = query.get("timestamp", ())
    return len(told) == 1 and re.fullmatch(r"[0-9]{1,12}", told[0]) is not None and abs(now - int(told[0])) <= FRESH


def grant_page(address: str, client_id: str, scope: str, redirect: str, state: str) -> str:
    """Where the shop's owner says yes. Without `grant_options[]` the token is one for work in the background."""
    asked = {"client_id": client_id, "scope": scope, "redirect_uri": redirect, "state": state}
    return f"{address}/admin/oauth/authorize?{urlencode(asked)}"


@dataclass(frozen=True)
class Grant:
    """`expires_in` and `refresh_token` None: the token is good until it is revoked. Never shown."""

    access_token: str = field(repr=False)
    scopes: tuple[str, ...]
    expires_in: int | None = None
    refresh_token: str | None = field(default=None, repr=False)


class ShopifyOAuth:
    """Of one shop, to be closed. Every method raises `ShopTrouble`.

    Its `reason` is then Shopify's own word: `app_not_installed`, `shop_not_permitted`, `invalid_grant`, …
    """

    def __init__(self, address: str, http: ShopHttp) -> None:
        """`address` such as `https://tea.myshopify.com`."""
        self._url = address.rstrip("/") + _PATH
        self._http = http

    def exchanged(self, client_id: str, client_secret: str, code: str) -> Grant:
        """For the code that Shopify brought back, once. `expiring`: Shopify asks it of public apps."""
        return self._grant({"client_id": client_id, "client_secret": client_secret, "code": code, "expiring": "1"})

    def renewed(self, client_id: str, client_secret: str, refresh_token: str) -> Grant:
        """The refresh token of before goes on working until the new one is used."""
        asked = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self._grant({"client_id": client_id, "client_secret": client_secret, **asked})

    def own(self, client_id: str, client_secret: str) -> Grant:
        """For an app and a shop of one organisation: no grant page, a token for a day."""
        asked = {"client_id": client_id, "client_secret": client_secret, "grant_type": "client_credentials"}
        return self._grant(asked)

    def close(self) -> None:
        self._http.close()

    def _grant(self, body: Mapping[str, str]) -> Grant:
        answer = self._http.call("POST", self._url, body)
        if answer.status == 200:
            return _read(json_of(answer.content))
        code = TroubleCode.FAILING if answer.status >= 500 else _CODES.get(answer.status, TroubleCode.REFUSED)
        raise ShopTrouble(code, retry_after(answer.headers), answer.status, _reason(answer.content))


def _reason(content: bytes) -> str | None:
    with suppress(ShopTrouble):
        told = json_of(content)
        return plain_reason(told.get("error")) if isinstance(told, dict) else None
    return None


def _read(told: Any) -> Grant:
    if not isinstance(told, dict):
        raise ShopTrouble(TroubleCode.BROKEN_ANSWER)
    token, scope, seconds, refresh = (told.get(k) for k in ("access_token", "scope", "expires_in", "refresh_token"))
    secrets = [token] if refresh is None else [token, refresh]
    good = all(isinstance(one, str) and _TOKEN.fullmatch(one) for one in secrets) and isinstance(scope, str)
    if not good or not (seconds is None or (isinstance(seconds, int) and 0 < seconds < 10**9)):
        raise ShopTrouble(TroubleCode.BROKEN_ANSWER)
    scopes = tuple(name for part in str(scope).split(",") if (name := part.strip()))
    return Grant(str(token), scopes, seconds, refresh)


def _message(query: Query, comma: str) -> bytes:
    pairs = []
    for name, values in query.items():
        if name == "hmac":
            continue
        value = values[0]
        if name.endswith("[]"):
            name, value = name.removesuffix("[]"), json.dumps(list(values), separators=(comma, ": "))
        pairs.append((_plain(name).replace("=", "%3D"), _plain(value)))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs)).encode("utf-8", "replace")


def _plain(text: str) -> str:
    """One parameter cannot pass for two."""
    return text.replace("%", "%25").replace("&", "%26")
