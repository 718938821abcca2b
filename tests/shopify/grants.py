"""How an app gets a fake shop's tokens: Shopify's OAuth."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from tests.shopify.shop import FakeShop, Grant, Refresh

HOUR, DAY = 3600, 86_400
REFRESH = 90 * DAY

Answer = tuple[int, dict[str, Any]]


def signed(secret: str, told: Mapping[str, str]) -> dict[str, str]:
    """With Shopify's `hmac`: over the other parameters, sorted."""
    text = "&".join(f"{name}={value}" for name, value in sorted(told.items()))
    return {**told, "hmac": hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()}


def approve(shop: FakeShop, told: Mapping[str, str]) -> str | None:
    """The owner says yes on the grant page: where the browser is sent. None: the request is not one."""
    client = told.get("client_id", "")
    if client not in shop.apps or not told.get("redirect_uri"):
        return None
    code = secrets.token_hex(16)
    asked = [scope.strip() for scope in told.get("scope", "").split(",") if scope.strip()]
    shop.codes[code] = Grant(
        [scope for scope in asked if scope not in shop.withheld] or list(shop.scopes), None, client
    )
    back = {
        "code": code,
        "host": "YWRtaW4uc2hvcGlmeS5jb20",
        "shop": shop.domain,
        "state": told.get("state", ""),
        "timestamp": str(int(shop.clock.now().timestamp())),
    }
    return f"{told['redirect_uri']}?{urlencode(signed(shop.apps[client], back))}"


def exchange(shop: FakeShop, told: Mapping[str, str]) -> Answer:
    """POST /admin/oauth/access_token."""
    shop.grants_asked.append(dict(told))
    client = told.get("client_id", "")
    if client not in shop.apps or not hmac.compare_digest(shop.apps[client], told.get("client_secret", "")):
        return 401, {"error": "invalid_client", "error_description": "The client is not known, or its secret is wrong"}
    match told.get("grant_type") or "authorization_code":
        case "authorization_code":
            grant = shop.codes.pop(told.get("code", ""), None)
            if grant is None or grant.client_id != client:
                return 400, {"error": "invalid_request", "error_description": "The authorization code was not found"}
            return 200, _tokens(shop, grant.scopes or [], client, told.get("expiring") in ("1", "true", "True"))
        case "refresh_token":
            refresh = shop.refreshes.get(told.get("refresh_token", ""))
            if refresh is None or refresh.used or refresh.client_id != client:
                return 400, {"error": "invalid_grant", "error_description": "This refresh token is not active"}
            refresh.used = True
            return 200, _tokens(shop, refresh.scopes, client, True)
        case "client_credentials":
            token = _token(shop, Grant(list(shop.scopes), _now(shop) + DAY, client))
            return 200, {"access_token": token, "scope": ",".join(shop.scopes), "expires_in": DAY - 1}
    return 400, {"error": "unsupported_grant_type"}


def _tokens(shop: FakeShop, scopes: list[str], client: str, expiring: bool) -> dict[str, Any]:
    token = _token(shop, Grant(scopes, _now(shop) + HOUR if expiring else None, client))
    told: dict[str, Any] = {"access_token": token, "scope": ",".join(scopes)}
    if expiring:
        refresh = f"shprt_{secrets.token_hex(16)}"
        shop.refreshes[refresh] = Refresh(scopes, client)
        told |= {"expires_in": HOUR, "refresh_token": refresh, "refresh_token_expires_in": REFRESH}
    return told


def _token(shop: FakeShop, grant: Grant) -> str:
    token = f"shpat_{secrets.token_hex(16)}"
    shop.tokens[token] = grant
    return token


def _now(shop: FakeShop) -> float:
    return shop.clock.now().timestamp()
