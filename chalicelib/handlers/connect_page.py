"""`GET /connect?shop=…&return=…&state=…`: where a shop's owner says yes, who gave the plugin only our address.

The page makes a connection code over the API, with the owner's own token, and takes it back to the shop. A code in the
wrong hands connects a stranger's shop, so the way back is on the origin that the page names to the owner, and
no other page may frame this one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from chalice.app import Blueprint, Response

from chalicelib.messages.wording import direction, primary

connect_page = Blueprint(__name__)

_FILES = Path(__file__).parent / "pages"
SAFE = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}
_STATE = re.compile(r"[A-Za-z0-9_.~-]{0,200}")
_HOST = re.compile(r"[\w.-]+|[0-9a-f:.]+")
_USUAL_PORTS = {"http": 80, "https": 443}
_LONGEST = 2000
_SAID_LATER = ("refused", "not_allowed", "failed")
_WORDS = {
    "en": {
        "title": "Connect a shop to Agala",
        "asks": "This shop asks to be connected:",
        "means": "Agala will then:",
        "reads": "read its products, customers and orders, and hear of every change",
        "hears": "hear of carts that are left",
        "makes": "make coupons in it, when your journeys ask for them",
        "token": "Your Agala token",
        "hint": "It stays in this tab and is not sent to the shop.",
        "connect": "Connect",
        "cancel": "Back to the shop",
        "other": "עברית",
        "script": "This page needs JavaScript.",
        "refused": "Agala does not know this token. Check that all of it was copied.",
        "not_allowed": "This token may not connect this shop: it is for other stores.",
        "failed": "That did not work. Please try again in a minute.",
        "bad_title": "This link is not complete",
        "bad": "Start from the shop: in WordPress, under WooCommerce, Agala, enter Agala's address and press Connect.",
    },
    "he": {
        "title": "חיבור חנות לאגלה",
        "asks": "החנות הזאת מבקשת להתחבר:",
        "means": "אחרי החיבור אגלה:",
        "reads": "תקרא את המוצרים, הלקוחות וההזמנות שלה, ותדע על כל שינוי",
        "hears": "תדע על עגלות שננטשו",
        "makes": "תיצור בה קופונים, כשהמסעות שלכם יבקשו",
        "token": "המפתח (token) שלכם באגלה",
        "hint": "הוא נשאר בלשונית הזאת ולא נשלח לחנות.",
        "connect": "חיבור",
        "cancel": "חזרה לחנות",
        "other": "English",
        "script": "לדף הזה דרוש JavaScript.",
        "refused": "אגלה לא מכירה את המפתח הזה. בדקו שהועתק במלואו.",
        "not_allowed": "המפתח הזה לא רשאי לחבר את החנות הזאת: הוא של חנויות אחרות.",
        "failed": "זה לא הצליח. נסו שוב בעוד דקה.",
        "bad_title": "הקישור הזה לא שלם",
        "bad": "התחילו מהחנות: ב־WordPress, תחת WooCommerce ואז אגלה, הזינו את הכתובת של אגלה ולחצו על חיבור.",
    },
}


@connect_page.route("/connect", methods=["GET"])
def show() -> Response:
    request = connect_page.current_request
    query: dict[str, str] = dict(request.query_params or {})
    headers: Mapping[str, str] = request.headers or {}
    accepted = headers.get("accept-language", "")
    language = "he" if primary(query.get("lang") or accepted.split(",")[0].split(";")[0]) == "he" else "en"
    shop, back, state = (query.get(name, "") for name in ("shop", "return", "state"))
    origin = origin_of(shop)
    words = _WORDS[language]
    if origin is None or origin_of(back) != origin or not _STATE.fullmatch(state):
        return _html(400, language, words["bad_title"], f"<p>{escape(words['bad'])}</p>")
    asked = {"shop": origin, "back": back, "state": state, "words": {name: words[name] for name in _SAID_LATER}}
    other = {"shop": shop, "return": back, "state": state, "lang": "en" if language == "he" else "he"}
    return _html(200, language, words["title"], _form(words, origin, back, other), json.dumps(asked))


@connect_page.route("/connect/page.js", methods=["GET"])
def script() -> Response:
    return _file("connect.js", "text/javascript; charset=utf-8")


@connect_page.route("/connect/page.css", methods=["GET"])
def style() -> Response:
    return _file("connect.css", "text/css; charset=utf-8")


def origin_of(url: str) -> str | None:
    """`https://shop.example:8443`, in one spelling; None for what no browser should be sent to."""
    if len(url) > _LONGEST or "\\" in url or any(character <= " " or character == "\x7f" for character in url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _USUAL_PORTS or "@" in parts.netloc or not _HOST.fullmatch(parts.hostname or ""):
        return None
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}" + ("" if port in (None, _USUAL_PORTS[parts.scheme]) else f":{port}")


def _form(words: Mapping[str, str], origin: str, back: str, other: Mapping[str, str]) -> str:
    said = {name: escape(text) for name, text in words.items()}
    gains = "".join(f"<li>{said[name]}</li>" for name in ("reads", "hears", "makes"))
    return (
        f'<p>{said["asks"]} <bdi dir="ltr">{escape(origin)}</bdi></p><p>{said["means"]}</p><ul>{gains}</ul>'
        '<form id="form" hidden><div id="sign-in" hidden>'
        f'<label for="token">{said["token"]}</label>'
        '<input id="token" type="password" dir="ltr" autocomplete="off" spellcheck="false" aria-describedby="hint">'
        f'<p id="hint" class="quiet">{said["hint"]}</p></div>'
        f'<p class="buttons"><button id="connect">{said["connect"]}</button>'
        f'<a href="{escape(back)}">{said["cancel"]}</a></p><p id="told" role="alert"></p></form>'
        f"<noscript><p>{said['script']}</p></noscript>"
        f'<nav><a href="?{escape(urlencode(other))}" lang="{other["lang"]}">{said["other"]}</a></nav>'
    )


def _html(status: int, language: str, title: str, content: str, asked: str | None = None) -> Response:
    """Addresses are relative, for the stage's name may stand before them."""
    told = f' data-asked="{escape(asked)}"' if asked else ""
    loaded = '<script type="module" src="connect/page.js"></script>' if asked else ""
    body = (
        f'<!doctype html><html lang="{language}" dir="{direction(language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" '
        f'content="light dark"><title>{escape(title)}</title><link rel="stylesheet" href="connect/page.css">'
        f"{loaded}</head><body><main{told}><h1>{escape(title)}</h1>{content}</main></body></html>"
    )
    return Response(body=body, status_code=status, headers={"Content-Type": "text/html; charset=utf-8", **SAFE})


def _file(name: str, kind: str) -> Response:
    return Response(
        body=(_FILES / name).read_text(), headers={"Content-Type": kind, **SAFE, "Cache-Control": "no-cache"}
    )
