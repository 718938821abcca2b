"""The preference page, and the page on which a wish to be subscribed is confirmed. A GET changes nothing.

Both are a person's own: the link is the key. Only their own forms' buttons change anything, so that neither a mail
scanner nor a one-click unsubscription (RFC 8058) that is sent here by mistake does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from chalice import Blueprint, Response  # type: ignore[attr-defined]

from chalicelib import wiring
from chalicelib.commerce.store import Store
from chalicelib.contacts.consent import Channel, Consent, ConsentStatus
from chalicelib.contacts.contact import Contact
from chalicelib.errors import NotFound
from chalicelib.handlers.visitor_page import answered, bad_link, page, reader_language
from chalicelib.messages.choices import Wanted, receives
from chalicelib.messages.links import Confirmation
from chalicelib.messages.personal_wording import PersonalWording, personal_wording
from chalicelib.messages.wording import choose_language, wording

if TYPE_CHECKING:
    from chalicelib.wiring import Wiring

preferences = Blueprint(__name__)

_FORM = "application/x-www-form-urlencoded"
_TYPES = [_FORM, "multipart/form-data", "application/json", "text/plain"]  # what is no form of ours changes nothing
_LARGEST_FORM, _MOST_FIELDS = 16_384, 120
_STYLE = (
    "<style>fieldset{border:1px solid #c5cbd6;border-radius:10px;margin:0 0 1.25rem;padding:.75rem 1.25rem;"
    "text-align:start}legend{font-weight:700;padding:0 .4rem}"
    "label{display:flex;gap:.75rem;align-items:center;min-height:2.75rem;cursor:pointer}"
    "input{width:1.3rem;height:1.3rem;flex:none;accent-color:#2f5bea}"
    "input:focus-visible{outline:3px solid #2f5bea;outline-offset:2px}small{display:block}"
    "blockquote{margin:0 0 1.5rem;padding:.25rem 1rem;border-inline-start:4px solid #c5cbd6;text-align:start}"
    ".quiet{background:transparent;color:inherit;border:1px solid currentColor;margin-top:1rem}"
    "@media(prefers-color-scheme:dark){fieldset,blockquote{border-color:#4a5260}"
    "button:focus-visible{outline-color:#eef1f6}}</style>"
)


@dataclass(frozen=True)
class _Visit:
    """Somebody's own page: who they are, and in which language they read it."""

    store: Store
    contact: Contact
    language: str

    @property
    def is_nobodys(self) -> bool:
        """Of a test message: the page can be looked at and tried, and nothing is kept."""
        from chalicelib.messages.sample import NOBODY

        return self.contact.id == NOBODY

    @property
    def words(self) -> PersonalWording:
        return personal_wording(self.language)

    def messages(self, channel: Channel) -> str:
        return wording(self.language).adverts[channel]

    def page(self, status: int, title: str, text: str, more: str = "", **named: str) -> Response:
        return page(status, self.language, title, text.format(store=self.store.name, **named), more)


@preferences.route("/p/{token}", methods=["GET", "HEAD"], content_types=_TYPES)
@answered
def show(token: str) -> Response:
    """The form with what counts now; or of a double opt-in the question with one button."""
    parts = _parts()
    if confirmation := parts.links.read_confirmation(token):
        return _question(parts, confirmation)
    link = parts.links.read_preferences(token)
    visit = _visit(parts, link.store_id, link.contact_id) if link else None
    if visit is None:
        return bad_link(preferences.current_request)
    return _form(parts, visit)


@preferences.route("/p/{token}", methods=["POST"], content_types=_TYPES)
@answered
def change(token: str) -> Response:
    """Does what the pressed button says; again and again with the same end."""
    parts, form = _parts(), _fields()
    if confirmation := parts.links.read_confirmation(token):
        confirms = form.get("do") == ["confirm"]
        return _confirmed(parts, confirmation) if confirms else _question(parts, confirmation, 400)
    link = parts.links.read_preferences(token)
    visit = _visit(parts, link.store_id, link.contact_id) if link else None
    if link is None or visit is None:
        return bad_link(preferences.current_request)
    if form.get("do") == ["leave"]:
        standing = [one for one in Channel if visit.contact.consent_for(one).status is not ConsentStatus.UNSUBSCRIBED]
        parts.choices.leave(link, standing, "preference_page")
        return _saved(visit, visit.contact)
    if form.get("do") != ["save"]:
        return _form(parts, visit, 400)
    texts = {channel: _shown(visit, channel) for channel in Channel}
    try:
        contact = parts.choices.save(link, visit.store, visit.contact, _wanted(form), texts)
    except NotFound:
        if visit.is_nobodys:
            return _saved(visit, visit.contact)
        return bad_link(preferences.current_request)
    return _saved(visit, contact)


def _parts() -> Wiring:
    return wiring.get()


def _visit(parts: Wiring, store_id: str, contact_id: str) -> _Visit | None:
    from chalicelib.messages.sample import NOBODY, sample_contact

    store = parts.stores.get(store_id)
    if store is None:
        return None
    request = preferences.current_request
    if contact_id == NOBODY:  # of a test that the shop's own people got
        sample = sample_contact(store, store.locale, parts.clock.now())
        return _Visit(store, sample, reader_language(request, None, store.locale))
    contact = parts.contacts.get(store_id, contact_id)
    if contact is None:
        return None
    return _Visit(store, contact, reader_language(request, contact.locale, store.locale))


def _fields() -> dict[str, list[str]]:
    """Nothing for what is no small form."""
    request = preferences.current_request
    raw = request.raw_body or b""
    raw = raw.encode() if isinstance(raw, str) else raw
    kind = (request.headers.get("content-type") or "").split(";")[0].strip().lower()
    if kind != _FORM or len(raw) > _LARGEST_FORM:
        return {}
    with suppress(ValueError):
        return parse_qs(raw.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    return {}


def _wanted(form: Mapping[str, Sequence[str]]) -> Wanted:
    known = {channel.value: channel for channel in Channel}

    def channels(name: str) -> frozenset[Channel]:
        return frozenset(known[value] for value in form.get(name, ()) if value in known)

    return Wanted(
        channels("channel"), channels("had"), frozenset(form.get("topic", ())), frozenset(form.get("had_topic", ()))
    )


def _shown(visit: _Visit, channel: Channel) -> str:
    """What the page says beside a channel's box: the proof of a yes that is given there."""
    return f"{visit.words.prefer_intro.format(store=visit.store.name)} {visit.messages(channel)}"


def _form(parts: Wiring, visit: _Visit, status: int = 200) -> Response:
    words, contact = visit.words, visit.contact
    offered = parts.choices.offered(contact)
    if not offered:
        return visit.page(status, words.prefer_title, words.nothing_to_choose)
    boxes = []
    for channel in offered:
        waits = f"<small>{escape(words.waits)}</small>" if contact.waiting(channel) else ""
        label = f"<span>{escape(_begun(visit.messages(channel)))}{waits}</span>"
        boxes.append(_box("channel", "had", channel.value, label, receives(visit.store, contact, channel)))
    fieldsets = _fieldset(words.channels, boxes)
    topics = visit.store.settings.topics
    if topics:
        labels = {
            name: titles.get(choose_language(tuple(titles), visit.language, visit.store.locale))
            for name, titles in topics.items()
            if titles
        }
        fieldsets += _fieldset(
            words.topics,
            [
                _box(
                    "topic",
                    "had_topic",
                    name,
                    f'<span dir="auto">{escape(title or name)}</span>',
                    name in contact.lists,
                )
                for name, title in labels.items()
            ],
        )
    more = (
        f'{_STYLE}<form method="post">{fieldsets}'
        f'<button name="do" value="save">{escape(words.save)}</button>'
        f'<button class="quiet" name="do" value="leave">{escape(words.leave_all)}</button></form>'
    )
    return visit.page(status, words.prefer_title, words.prefer_intro, more)


def _begun(words: str) -> str:
    """As they begin a line, where letters have capitals."""
    return words[:1].upper() + words[1:]


def _fieldset(legend: str, boxes: Sequence[str]) -> str:
    return f"<fieldset><legend>{escape(legend)}</legend>{''.join(boxes)}</fieldset>"


def _box(name: str, before: str, value: str, label: str, chosen: bool) -> str:
    """With what it is now, so that only what its reader changes counts."""
    given = escape(value)
    now = f'<input type="hidden" name="{before}" value="{given}">' if chosen else ""
    checked = " checked" if chosen else ""
    return f'{now}<label><input type="checkbox" name="{name}" value="{given}"{checked}>{label}</label>'


def _saved(visit: _Visit, contact: Contact) -> Response:
    waits = any(contact.waiting(channel) for channel in Channel)
    more = f"<p>{escape(visit.words.saved_waits)}</p>" if waits else ""
    return visit.page(200, visit.words.saved_title, visit.words.saved_text, more)


def _question(parts: Wiring, link: Confirmation, status: int = 200) -> Response:
    visit, asked, answer = _asked(parts, link)
    if visit is None or asked is None:
        return answer or bad_link(preferences.current_request)
    agreed = ""
    if asked.text:
        agreed = f'<p>{escape(visit.words.confirm_agreed)}</p><blockquote dir="auto">{escape(asked.text)}</blockquote>'
    button = f'<button name="do" value="confirm">{escape(visit.words.confirm_button)}</button>'
    more = f'{_STYLE}{agreed}<form method="post">{button}</form>'
    words, messages = visit.words, visit.messages(link.channel)
    return visit.page(status, words.confirm_title, words.confirm_question, more, messages=messages)


def _confirmed(parts: Wiring, link: Confirmation) -> Response:
    visit, asked, answer = _asked(parts, link)
    if visit is None or asked is None:
        return answer or bad_link(preferences.current_request)
    with suppress(NotFound):
        parts.choices.confirm(link, asked)
    return _done(visit, link.channel)


def _asked(parts: Wiring, link: Confirmation) -> tuple[_Visit | None, Consent | None, Response | None]:
    """Whose wish may be confirmed, or the page that says why there is none."""
    visit = _visit(parts, link.store_id, link.contact_id)
    if visit is None:
        return None, None, None
    asked = parts.choices.confirmable(link, visit.contact, parts.links)
    if asked is not None:
        return visit, asked, None
    if visit.contact.consent_for(link.channel).status is ConsentStatus.SUBSCRIBED:
        return visit, None, _done(visit, link.channel)
    return visit, None, visit.page(410, visit.words.over_title, visit.words.over_text)


def _done(visit: _Visit, channel: Channel) -> Response:
    words, messages = visit.words, visit.messages(channel)
    return visit.page(200, words.confirmed_title, words.confirmed_text, messages=messages)
