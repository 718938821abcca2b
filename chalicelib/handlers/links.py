"""The doors behind the links in messages. Following a link changes nothing: mail scanners follow every link.

RFC 8058: the unsubscribe link answers one POST (`List-Unsubscribe=One-Click`), without cookies or a login.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import wraps
from html import escape
from typing import Protocol, cast

from chalice import Blueprint, Response  # type: ignore[attr-defined]

from chalicelib import wiring
from chalicelib.clock import Clock
from chalicelib.commerce.store import Store
from chalicelib.contacts.consent import Consent, ConsentChange, ConsentStatus
from chalicelib.errors import NotFound, TryLater, told
from chalicelib.handlers.http import problem
from chalicelib.messages.links import Unsubscription
from chalicelib.messages.reports import ChannelKeeper
from chalicelib.messages.wording import direction, primary, wording

links = Blueprint(__name__)
_log = logging.getLogger("agala")

# RFC 8058 §3.2 allows the first two; a client that says nothing is taken as JSON by Chalice.
_FORMS = ["application/x-www-form-urlencoded", "multipart/form-data", "application/json", "text/plain"]
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
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


class _Stores(Protocol):
    def get(self, store_id: str) -> Store | None: ...


class _Links(Protocol):
    def read_unsubscribe(self, token: str) -> Unsubscription | None: ...


class _Parts(Protocol):
    @property
    def stores(self) -> _Stores: ...

    @property
    def links(self) -> _Links: ...

    @property
    def contact_book(self) -> ChannelKeeper: ...

    @property
    def clock(self) -> Clock: ...


def _answered(view: Callable[[str], Response]) -> Callable[[str], Response]:
    """The last line: Chalice would log an error's text, and that may quote a person's data."""

    @wraps(view)
    def answer(token: str) -> Response:
        try:
            return view(token)
        except Exception as mistake:  # noqa: BLE001
            _log.error("a link failed: %s", told(mistake))
            return problem(503 if isinstance(mistake, TryLater) else 500, "Please try again in a few minutes.")

    return answer


@links.route("/u/{token}", methods=["GET", "HEAD"], content_types=_FORMS)
@_answered
def ask(token: str) -> Response:
    """A page with one button; nothing is unsubscribed."""
    parts = _parts()
    found = parts.links.read_unsubscribe(token)
    store = parts.stores.get(found.store_id) if found else None
    if found is None or store is None:
        return _bad_link()
    words = wording(store.locale)
    form = (
        '<form method="post"><button name="List-Unsubscribe" value="One-Click">'
        f"{escape(words.leave_button)}</button></form>"
    )
    question = words.leave_question.format(messages=words.adverts[found.channel], store=store.name)
    return _page(200, store.locale, words.leave_title, question, form)


@links.route("/u/{token}", methods=["POST"], content_types=_FORMS)
@_answered
def unsubscribe(token: str) -> Response:
    """Takes the channel's consent back, at once; again and again with the same end."""
    parts = _parts()
    found = parts.links.read_unsubscribe(token)
    store = parts.stores.get(found.store_id) if found else None
    if found is None or store is None:
        return _bad_link()
    refusal = Consent(status=ConsentStatus.UNSUBSCRIBED, source="unsubscribe_link", at=parts.clock.now())
    change = ConsentChange(channel=found.channel, consent=refusal)
    with suppress(NotFound):  # erased meanwhile: there is nobody left to write to, which is what was asked for
        parts.contact_book.change_consent(found.store_id, found.contact_id, [change])
    words = wording(store.locale)
    text = words.left_text.format(messages=words.adverts[found.channel], store=store.name)
    return _page(200, store.locale, words.left_title, text)


def _parts() -> _Parts:
    return cast(_Parts, wiring.get())


def _bad_link() -> Response:
    """In the browser's language, for we do not know the store's."""
    headers: Mapping[str, str] = links.current_request.headers or {}
    accepted = headers.get("accept-language", "")
    locale = primary(accepted.split(",")[0].split(";")[0])
    words = wording(locale)
    return _page(404, locale, words.bad_link_title, words.bad_link_text)


def _page(status: int, locale: str, title: str, text: str, more: str = "") -> Response:
    language = primary(locale) if wording(locale) is not wording(None) else "en"
    body = (
        f'<!doctype html><html lang="{language}" dir="{direction(language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" '
        f'content="light dark"><title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>'
        f"<h1>{escape(title)}</h1><p>{escape(text)}</p>{more}</main></body></html>"
    )
    return Response(body=body, status_code=status, headers=dict(_HEADERS))
