"""The doors behind the links in messages. Following a link changes nothing: mail scanners follow every link.

RFC 8058: the unsubscribe link answers one POST (`List-Unsubscribe=One-Click`), without cookies or a login.
"""

from __future__ import annotations

from contextlib import suppress
from html import escape
from typing import Protocol, cast

from chalice import Blueprint, Response  # type: ignore[attr-defined]

from chalicelib import wiring
from chalicelib.clock import Clock
from chalicelib.commerce.store import Store
from chalicelib.contacts.consent import Consent, ConsentChange, ConsentStatus
from chalicelib.errors import NotFound
from chalicelib.handlers.visitor_page import answered, bad_link, page
from chalicelib.messages.links import Unsubscription
from chalicelib.messages.reports import ChannelKeeper
from chalicelib.messages.wording import wording

links = Blueprint(__name__)

# RFC 8058 §3.2 allows the first two; a client that says nothing is taken as JSON by Chalice.
_FORMS = ["application/x-www-form-urlencoded", "multipart/form-data", "application/json", "text/plain"]


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


@links.route("/u/{token}", methods=["GET", "HEAD"], content_types=_FORMS)
@answered
def ask(token: str) -> Response:
    """A page with one button; nothing is unsubscribed."""
    parts = _parts()
    found = parts.links.read_unsubscribe(token)
    store = parts.stores.get(found.store_id) if found else None
    if found is None or store is None:
        return bad_link(links.current_request)
    words = wording(store.locale)
    form = (
        '<form method="post"><button name="List-Unsubscribe" value="One-Click">'
        f"{escape(words.leave_button)}</button></form>"
    )
    question = words.leave_question.format(messages=words.adverts[found.channel], store=store.name)
    return page(200, store.locale, words.leave_title, question, form)


@links.route("/u/{token}", methods=["POST"], content_types=_FORMS)
@answered
def unsubscribe(token: str) -> Response:
    """Takes the channel's consent back, at once; again and again with the same end."""
    parts = _parts()
    found = parts.links.read_unsubscribe(token)
    store = parts.stores.get(found.store_id) if found else None
    if found is None or store is None:
        return bad_link(links.current_request)
    refusal = Consent(status=ConsentStatus.UNSUBSCRIBED, source="unsubscribe_link", at=parts.clock.now())
    change = ConsentChange(channel=found.channel, consent=refusal)
    with suppress(NotFound):  # erased meanwhile: there is nobody left to write to, which is what was asked for
        parts.contact_book.change_consent(found.store_id, found.contact_id, [change])
    words = wording(store.locale)
    text = words.left_text.format(messages=words.adverts[found.channel], store=store.name)
    return page(200, store.locale, words.left_title, text)


def _parts() -> _Parts:
    return cast(_Parts, wiring.get())
