"""How Shopify hands out tokens: the authorization code grant, its renewal, and the client credentials grant.

Sources: Shopify's "Authorization code grant", "Expiring offline access tokens" and "Client credentials grant"
documentation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from chalicelib.commerce.trouble import ShopTrouble, TroubleCode
from chalicelib.store_adapters.shop_http import ShopHttp, json_of, plain_reason, retry_after
from chalicelib.store_adapters.shopify_admin import STATUSES

_TOKEN = re.compile(r"[\x21-\x7e]{1,2000}")
_PATH = "/admin/oauth/access_token"


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
        code = TroubleCode.FAILING if answer.status >= 500 else STATUSES.get(answer.status, TroubleCode.REFUSED)
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
