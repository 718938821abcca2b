"""`GET /shopify/install` (the App URL) and `GET /shopify/callback`: a shop's owner lets Agala in on Shopify's own page.

Both are signed by Shopify with the app's secret. What comes back must bring a state that we gave out, to this browser
where the walk began here; an install link, a state and Shopify's code are good once. No page shows what was sent.
"""

from __future__ import annotations

import hmac
import logging
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from html import escape
from typing import TYPE_CHECKING, Any

from chalice.app import Blueprint, Response

from chalicelib import wiring
from chalicelib.access import ShopifyState, token_hash
from chalicelib.errors import TryLater, told
from chalicelib.handlers.connect_page import SAFE
from chalicelib.handlers.http import SECRET_AGE, base_url, parameters
from chalicelib.messages.wording import direction, primary
from chalicelib.store_adapters.shopify_links import Query, grant_page, is_fresh, is_signed, shop_domain
from chalicelib.store_adapters.shopify_scopes import Scope, asked

if TYPE_CHECKING:
    from chalicelib.store_adapters.shopify_connecting import Made
    from chalicelib.wiring import Wiring

shopify_install = Blueprint(__name__)
_log = logging.getLogger("agala")

INSTALL, CALLBACK = "/shopify/install", "/shopify/callback"
STATE_SECONDS = 600  # real time: what an owner needs to read Shopify's grant page
_LONGEST = 2000  # characters of one parameter
_MOST = 30  # parameters

_STATUS = {
    "incomplete": 400,
    "no_shop": 400,
    "forged": 401,
    "old": 401,
    "other_browser": 403,
    "used": 409,
    "no_app": 409,
    "other_store": 409,
    "other_currency": 422,
    "no_store": 409,
    "scopes": 422,
    "unclear": 422,
    "refused": 422,
    "later": 503,
}
_WORDS = {
    "en": {
        "connected_title": "The shop is connected",
        "connected": "Agala now fetches its products, customers and orders. You may close this page.",
        "without": "Agala has no leave for this, and goes on without it:",
        "refused_title": "The shop was not connected",
        "incomplete": "This link is not complete. Start again from Shopify, or with a new link from Agala.",
        "no_shop": "This link names no shop at Shopify.",
        "forged": "This link does not come from Shopify, or was changed on the way.",
        "old": "This link is older than five minutes. Start again.",
        "other_browser": "This was begun in another browser. Start again in this one.",
        "used": "This link was used already, or its ten minutes are over. Start again.",
        "no_app": "This Agala has no app at Shopify yet. Whoever runs it enters its keys first.",
        "other_store": "This shop and the store that it was to become are not one.",
        "other_currency": "The store's amounts are in another currency than the shop's: they cannot be added up.",
        "no_store": "The store that the shop was to become is gone.",
        "scopes": "Agala cannot do without these. Start again, and let it do all of them:",
        "unclear": "The shop does not say its country, currency or time zone. Fill in Settings → General in Shopify.",
        "refused": "Shopify did not let Agala in. Start again; if it stays so, check the app's keys.",
        "later": "That did not work now. Nothing is lost: start again in a minute.",
    },
    "he": {
        "connected_title": "החנות מחוברת",
        "connected": "אגלה מביאה עכשיו את המוצרים, הלקוחות וההזמנות שלה. אפשר לסגור את הדף.",
        "without": "לאגלה אין הרשאה לאלה, והיא ממשיכה בלעדיהם:",
        "refused_title": "החנות לא חוברה",
        "incomplete": "הקישור לא שלם. התחילו שוב מ־Shopify, או עם קישור חדש מאגלה.",
        "no_shop": "הקישור לא מוביל לחנות ב־Shopify.",
        "forged": "הקישור לא הגיע מ־Shopify, או ששונה בדרך.",
        "old": "הקישור ישן מחמש דקות. התחילו שוב.",
        "other_browser": "התחלתם בדפדפן אחר. התחילו שוב בדפדפן הזה.",
        "used": "הקישור כבר שימש, או שעברו עשר הדקות שלו. התחילו שוב.",
        "no_app": "לאגלה הזאת אין עדיין אפליקציה ב־Shopify. מי שמפעיל אותה מזין קודם את המפתחות.",
        "other_store": "החנות הזאת והחנות שהיא אמורה להיות באגלה אינן אחת.",
        "other_currency": "הסכומים באגלה במטבע אחר מזה של החנות: אי אפשר לחבר ביניהם.",
        "no_store": "החנות באגלה שאליה היה החיבור כבר איננה.",
        "scopes": "בלי אלה אגלה לא יכולה. התחילו שוב, ואשרו את כולם:",
        "unclear": "החנות לא מוסרת מדינה, מטבע או אזור זמן. מלאו אותם ב־Shopify תחת Settings → General.",
        "refused": "‏Shopify לא נתנה לאגלה להיכנס. התחילו שוב; אם זה נשאר כך, בדקו את מפתחות האפליקציה.",
        "later": "זה לא הצליח עכשיו. דבר לא אבד: התחילו שוב בעוד דקה.",
    },
}


class _Refused(Exception):
    """`why` is a key of the words; `scopes` are named with it."""

    def __init__(self, why: str, scopes: Sequence[Scope] = ()) -> None:
        super().__init__(why)
        self.why, self.scopes = why, scopes


def begin_grant(
    parts: Wiring, base: str, app: Mapping[str, Any], shop: str, store_id: str | None, browser: str | None = None
) -> tuple[str, datetime]:
    """Shopify's grant page for a walk that was not walked yet, and until when.

    `shop` in its one spelling; `browser`: the cookie of the one in which it must end. Raises `TryLater`.
    """
    state = secrets.token_urlsafe(32)
    until = datetime.fromtimestamp(parts.unix_time(), UTC) + timedelta(seconds=STATE_SECONDS)
    parts.connections.put_state(
        ShopifyState(
            hash=token_hash(state),
            shop=shop,
            store_id=store_id,
            browser=token_hash(browser) if browser else None,
            expires_at=until,
        )
    )
    scope = asked(all_orders=bool(app.get("all_orders")))
    return grant_page(parts.shopify_address(shop), app["client_id"], scope, base + CALLBACK, state), until


@shopify_install.route(INSTALL, methods=["GET"])
def install() -> Response:
    return _page(shopify_install.current_request, _installed)


@shopify_install.route(CALLBACK, methods=["GET"])
def callback() -> Response:
    return _page(shopify_install.current_request, _called_back)


def _page(request: Any, answer: Any) -> Response:
    query = parameters(request)
    headers: Mapping[str, str] = request.headers or {}
    words = query.get("locale", []) or [headers.get("accept-language", "").split(",")[0].split(";")[0]]
    language = "he" if primary(words[0]) == "he" else "en"
    try:
        response: Response = answer(wiring.get(), request, query, language)
    except _Refused as refusal:
        return _refusal(language, refusal)
    except TryLater:
        return _refusal(language, _Refused("later"))
    except Exception as mistake:  # noqa: BLE001  the last line: its text may quote a key
        _log.error("connecting a Shopify shop failed: %s", told(mistake))
        return _refusal(language, _Refused("later"))
    return response


def _installed(parts: Wiring, request: Any, query: Query, language: str) -> Response:
    """Shopify sends an owner who installs or opens the app: on to the grant page."""
    app, shop = _verified(parts, query)
    now = datetime.fromtimestamp(parts.unix_time(), UTC)
    if not parts.connections.use_link(token_hash(query["hmac"][0].lower()), now + timedelta(seconds=STATE_SECONDS)):
        raise _Refused("used")
    base, browser = base_url(request), secrets.token_urlsafe(32)
    url, _ = begin_grant(parts, base, app, shop, None, browser)
    cookie = f"{_cookie_name(base, shop)}={browser}; Max-Age={STATE_SECONDS}; Path=/; HttpOnly; SameSite=Lax"
    cookie += "; Secure" if base.startswith("https:") else ""
    return Response(body="", status_code=302, headers={**SAFE, "Location": url, "Set-Cookie": cookie})


def _called_back(parts: Wiring, request: Any, query: Query, language: str) -> Response:
    """The owner said yes: the code becomes a token, the shop a store."""
    app, shop = _verified(parts, query)
    code, brought = query.get("code", [""])[0], query.get("state", [""])[0]
    if not code or not brought:
        raise _Refused("incomplete")
    now = datetime.fromtimestamp(parts.unix_time(), UTC)
    state = parts.connections.state(token_hash(brought))
    if state is None or state.shop != shop or state.used_at is not None or now >= state.expires_at:
        raise _Refused("used")
    base = base_url(request)
    if state.browser is not None and not _brings(request, _cookie_name(base, shop), state.browser):
        raise _Refused("other_browser")
    if not parts.connections.use_state(state.hash, now):
        raise _Refused("used")
    return _connected(language, _made(parts, app, shop, code, state.store_id))


def _made(parts: Wiring, app: Mapping[str, Any], shop: str, code: str, store_id: str | None) -> Made:
    from chalicelib.commerce.trouble import ShopTrouble
    from chalicelib.store_adapters import shopify_connecting as connecting
    from chalicelib.store_adapters.shopify_tokens import AccessKind, ShopifyAccess

    try:
        oauth = parts.shopify_oauth(shop)
        try:
            grant = oauth.exchanged(app["client_id"], app["client_secret"], code)
        finally:
            oauth.close()
        access = ShopifyAccess.of(AccessKind.APP, grant, parts.unix_time(), app["client_id"])
        return parts.shopify_connecting.connect(shop, access, app["client_secret"], store_id)
    except ShopTrouble as trouble:
        _log.warning("a Shopify shop was not connected", extra={"code": str(trouble.code)})
        raise _Refused("refused" if trouble.lasting else "later") from None
    except connecting.ScopesMissing as refusal:
        raise _Refused("scopes", refusal.scopes) from None
    except connecting.NotConnected as refusal:
        why = {
            connecting.NoSuchStore: "no_store",
            connecting.OtherStore: "other_store",
            connecting.OtherCurrency: "other_currency",
        }
        raise _Refused(why.get(type(refusal), "unclear")) from None


def _verified(parts: Wiring, query: Query) -> tuple[Mapping[str, Any], str]:
    """The app, and the shop in its one spelling. Raises `_Refused`, `TryLater`."""
    if len(query) > _MOST or any(len(value) > _LONGEST for values in query.values() for value in values):
        raise _Refused("incomplete")
    if any(len(query.get(name, ())) != 1 for name in ("hmac", "shop", "timestamp")):
        raise _Refused("incomplete")
    shop = shop_domain(query["shop"][0])
    if shop is None:
        raise _Refused("no_shop")
    app = parts.secrets.shopify_app()
    if app is None:
        raise _Refused("no_app")
    if not is_signed(query, app["client_secret"]):
        app = parts.secrets.shopify_app(newer_than=SECRET_AGE)  # it may have been changed a moment ago
        if app is None or not is_signed(query, app["client_secret"]):
            raise _Refused("forged")
    if not is_fresh(query, parts.unix_time()):
        raise _Refused("old")
    return app, shop


def _cookie_name(base: str, shop: str) -> str:
    """One for each shop, so that two walks do not meet. `__Host-`: no other host can set it."""
    return f"{'__Host-' if base.startswith('https:') else ''}agala-{shop.partition('.')[0]}"


def _brings(request: Any, name: str, browser_hash: str) -> bool:
    pairs = [pair.strip().partition("=") for pair in (request.headers.get("cookie") or "").split(";")]
    brought = [value for found, _, value in pairs if found == name]
    return any(hmac.compare_digest(token_hash(value), browser_hash) for value in brought[:5])


def _connected(language: str, made: Made) -> Response:
    words = _WORDS[language]
    without = f"<p>{words['without']}</p>{_named(language, made.missing)}" if made.missing else ""
    content = f"<p><bdi>{escape(made.store.name)}</bdi></p><p>{words['connected']}</p>{without}"
    return _html(200, language, words["connected_title"], content)


def _refusal(language: str, refusal: _Refused) -> Response:
    words = _WORDS[language]
    content = f"<p>{words[refusal.why]}</p>{_named(language, refusal.scopes) if refusal.scopes else ''}"
    return _html(_STATUS[refusal.why], language, words["refused_title"], content)


def _named(language: str, scopes: Sequence[Scope]) -> str:
    rows = [f'<li><bdi dir="ltr">{scope.name}</bdi>: {escape(scope.words[language])}</li>' for scope in scopes]
    return f"<ul>{''.join(rows)}</ul>"


def _html(status: int, language: str, title: str, content: str) -> Response:
    body = (
        f'<!doctype html><html lang="{language}" dir="{direction(language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" '
        f'content="light dark"><title>{title}</title><link rel="stylesheet" href="../connect/page.css">'
        f"</head><body><main><h1>{title}</h1>{content}</main></body></html>"
    )
    return Response(body=body, status_code=status, headers={"Content-Type": "text/html; charset=utf-8", **SAFE})
