"""The small pages that whoever follows a link of a message may see, and the last line of their doors."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import wraps
from html import escape
from typing import Any

from chalice import Response  # type: ignore[attr-defined]

from chalicelib.errors import TryLater, told
from chalicelib.handlers.http import problem
from chalicelib.messages.personal_wording import LANGUAGES
from chalicelib.messages.wording import choose_language, direction, primary, wording

_log = logging.getLogger("agala")

_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}
_STYLE = (
    "body{margin:0;background:#f2f4f7;color:#1d2433;font:18px/1.6 'Segoe UI','Helvetica Neue',Arial,sans-serif}"
    "main{max-width:30rem;margin:12vh auto;padding:2.5rem 2rem;background:#fff;border-radius:14px;text-align:center}"
    "h1{font-size:1.5rem;margin:0 0 .75rem}p{margin:0 0 1.5rem}"
    "button{font:inherit;font-weight:700;color:#fff;background:#2f5bea;border:0;border-radius:8px;padding:.8rem 1.8rem;"
    "cursor:pointer}button:focus-visible{outline:3px solid #1d2433}"
    "@media(max-width:32rem){main{margin:1rem}}"
    "@media(prefers-color-scheme:dark){body{background:#14171d;color:#eef1f6}main{background:#1f242d}}"
)


def answered(view: Callable[[str], Response]) -> Callable[[str], Response]:
    """The last line: Chalice would log an error's text, and that may quote a person's data."""

    @wraps(view)
    def answer(token: str) -> Response:
        try:
            return view(token)
        except Exception as mistake:  # noqa: BLE001
            _log.error("a link failed: %s", told(mistake))
            return problem(503 if isinstance(mistake, TryLater) else 500, "Please try again in a few minutes.")

    return answer


def reader_language(request: Any, contact_locale: str | None, store_locale: str) -> str:
    """The contact's; else the browser's; else the store's: of those that we speak."""
    if primary(contact_locale) in LANGUAGES:
        return primary(contact_locale)
    headers: Mapping[str, str] = request.headers or {}
    accepted = [primary(one.split(";")[0].strip()) for one in headers.get("accept-language", "")[:200].split(",")]
    spoken = next((one for one in accepted if one in LANGUAGES), None)
    return spoken or choose_language(("en", *LANGUAGES), None, store_locale)


def bad_link(request: Any) -> Response:
    """In the browser's language, for we do not know the store's."""
    headers: Mapping[str, str] = request.headers or {}
    accepted = headers.get("accept-language", "")
    locale = primary(accepted.split(",")[0].split(";")[0])
    words = wording(locale)
    return page(404, locale, words.bad_link_title, words.bad_link_text)


def page(status: int, locale: str, title: str, text: str, more: str = "") -> Response:
    """`more` is HTML below the text, which is escaped here."""
    language = primary(locale) if wording(locale) is not wording(None) else "en"
    body = (
        f'<!doctype html><html lang="{language}" dir="{direction(language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" '
        f'content="light dark"><title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>'
        f"<h1>{escape(title)}</h1><p>{escape(text)}</p>{more}</main></body></html>"
    )
    return Response(body=body, status_code=status, headers=dict(_HEADERS))
