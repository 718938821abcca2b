"""The doors behind the links in messages. Following a link changes nothing: mail scanners follow every link.

RFC 8058: the unsubscribe link answers one POST (`List-Unsubscribe=One-Click`), without cookies or a login.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Protocol, cast

from chalice import Blueprint, Response  # type: ignore[attr-defined]

from chalicelib import wiring
from chalicelib.commerce.store import Store
from chalicelib.handlers.visitor_page import answered, bad_link, page, reader_language
from chalicelib.messages.links import Unsubscription
from chalicelib.messages.personal_wording import personal_wording
from chalicelib.messages.wording import wording

if TYPE_CHECKING:
    from chalicelib.messages.choices import Choices
    from chalicelib.messages.reports import ContactLookup

links = Blueprint(__name__)

# RFC 8058 §3.2 allows the first two; a client that says nothing is taken as JSON by Chalice.
_FORMS = ["application/x-www-form-urlencoded", "multipart/form-data", "application/json", "text/plain"]


class _Stores(Protocol):
    def get(self, store_id: str) -> Store | None: ...


class _Links(Protocol):
    def read_unsubscribe(self, token: str) -> Unsubscription | None: ...

    def preferences_url_of(self, link: Unsubscription) -> str: ...


class _Parts(Protocol):
    @property
    def stores(self) -> _Stores: ...

    @property
    def links(self) -> _Links: ...

    @property
    def contacts(self) -> ContactLookup: ...

    @property
    def choices(self) -> Choices: ...


@links.route("/u/{token}", methods=["GET", "HEAD"], content_types=_FORMS)
@answered
def ask(token: str) -> Response:
    """A page with one button; nothing is unsubscribed."""
    parts = _parts()
    found = parts.links.read_unsubscribe(token)
    store = parts.stores.get(found.store_id) if found else None
    if found is None or store is None:
        return bad_link(links.current_request)
    language = _language(parts, found, store)
    words = wording(language)
    form = (
        '<form method="post"><button name="List-Unsubscribe" value="One-Click">'
        f"{escape(words.leave_button)}</button></form>"
        f'<p style="margin:1.5rem 0 0"><a style="color:inherit" href="{escape(parts.links.preferences_url_of(found))}">'
        f"{escape(personal_wording(language).fewer)}</a></p>"
    )
    question = words.leave_question.format(messages=words.adverts[found.channel], store=store.name)
    return page(200, language, words.leave_title, question, form)


@links.route("/u/{token}", methods=["POST"], content_types=_FORMS)
@answered
def unsubscribe(token: str) -> Response:
    """Takes the channel's consent back, at once; again and again with the same end."""
    parts = _parts()
    found = parts.links.read_unsubscribe(token)
    store = parts.stores.get(found.store_id) if found else None
    if found is None or store is None:
        return bad_link(links.current_request)
    parts.choices.leave(found, [found.channel], "unsubscribe_link")
    language = _language(parts, found, store)
    words = wording(language)
    text = words.left_text.format(messages=words.adverts[found.channel], store=store.name)
    return page(200, language, words.left_title, text)


def _language(parts: _Parts, found: Unsubscription, store: Store) -> str:
    """That of the message they come from, as on the preference page."""
    contact = parts.contacts.get(found.store_id, found.contact_id)
    return reader_language(links.current_request, contact.locale if contact else None, store.locale)


def _parts() -> _Parts:
    return cast(_Parts, wiring.get())
