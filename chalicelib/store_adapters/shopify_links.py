"""How Shopify proves a request to be its own, which text is a shop, and where a shop's owner says yes.

Sources: Shopify's "Authorization code grant" and "Verify requests" documentation.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

FRESH = 300  # seconds of real time: how old a signed request may be, or how far ahead the clock of its signer
_SHOP = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\.myshopify\.com")
_HMAC = re.compile(r"[0-9a-fA-F]{64}")

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
