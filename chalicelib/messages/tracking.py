"""Every address in a finished message becomes a short signed link of ours, and a record says where each leads.

Blocks and words write plain addresses, or one of ours for what is more than a redirect:
`agala:smart?to=<address>&at=<place of the block>` and
`agala:answer?survey=…&question=…&value=…[&field=…][&to=<address>]`.
What is under our own public address stays: to unsubscribe, preferences, pictures. So does what is no web address.

An email has two things more. The open pixel; and a link that nobody can see, hear or reach by keyboard, which only
programs that follow everything follow. It is an empty anchor in a box of no height, hidden from screen readers and
taken out of the tab order: `display:none` would be the first thing that a scanner which draws the page leaves alone.
It leads to the shop, like a link that somebody might follow.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from html import escape, unescape
from typing import Any, Protocol
from urllib.parse import parse_qs, urlencode

from chalicelib.commerce.store import Store
from chalicelib.messages.block_forms import SmartLink
from chalicelib.messages.content_model import EmailContent
from chalicelib.messages.followed import Answer, Followed, MessageLinks, Target, led
from chalicelib.messages.links import HONEYPOT, LEAVE
from chalicelib.messages.message import Message
from chalicelib.messages.phrase import web_address
from chalicelib.messages.ports import Email, Sms, WhatsApp

_MOST_LINKS = 999
_ANCHOR = re.compile(r"""(<(?:a|area|v:[a-z]+)\b[^<>]*?\shref=)(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
# Up to a space, a quotation mark, or a mark of direction.
_IN_TEXT = re.compile('(?:https?://|agala:)[^\\s<>"\u200e\u200f\u2066-\u2069]+', re.IGNORECASE)
_AFTER_AN_ADDRESS = ".,;:!?'…״׳”’)]}"
_PIXEL = (
    '<img src="{}" width="1" height="1" alt="" role="presentation" '
    'style="display:block;width:1px;height:1px;border:0;opacity:0" />'
)
_UNSEEN = (
    '<div aria-hidden="true" style="height:0;max-height:0;overflow:hidden;font-size:0;line-height:0;mso-hide:all">'
    '<a href="{}" tabindex="-1" rel="nofollow" style="font-size:0;line-height:0;color:transparent"></a></div>'
)


class LinkMaker(Protocol):
    @property
    def base(self) -> str: ...

    def message_code(self, store_id: str, message_id: str) -> str: ...

    def followed_url(self, code: str, number: str) -> str: ...

    def pixel_url(self, code: str) -> str: ...


class Linking(Protocol):
    """One message's links, while it is made."""

    def shorten(self, text: str) -> str:
        """A text with our links in the places of its addresses: for channels where the length decides what is said."""
        ...

    def leaving(self, unsubscribe_url: str) -> str:
        """A short way there, for the same channels."""
        ...

    def finished(self, made: Any) -> Any:
        """The message with every address that was not shortened yet."""
        ...

    def record(self, now: datetime) -> MessageLinks | None:
        """None where nothing can be followed."""
        ...


class Tracking(Protocol):
    """What sending needs of `Tracker`."""

    def begin(self, store: Store, message: Message, content: Any, language: str) -> Linking: ...

    def plain(self, store: Store, message: Message, content: Any, language: str) -> Linking:
        """For a message that is only looked at: its links lead where they will, and nobody is seen following them."""
        ...

    def keep(self, links: MessageLinks) -> None: ...

    def forget(self, code: str) -> None: ...


class Tracker:
    def __init__(self, links: LinkMaker, records: Followed) -> None:
        self._links, self._records = links, records

    def begin(self, store: Store, message: Message, content: Any, language: str) -> Linking:
        """`content` is what its smart links are read from. Alerts to the manager are not tracked at all."""
        if message.to_manager:
            return NOT_TRACKED
        return TrackedLinks(self._links, store, message, smart_links(content), language)

    def plain(self, store: Store, message: Message, content: Any, language: str) -> Linking:
        return PlainLinks(self._links, store, message, smart_links(content), language)

    def keep(self, links: MessageLinks) -> None:
        """Before the provider gets the message: whoever follows a link at once finds it."""
        self._records.keep(links)

    def forget(self, code: str) -> None:
        self._records.forget(code)


class NotTracked:
    """A `Linking` that leaves everything as it is."""

    def shorten(self, text: str) -> str:
        return text

    def leaving(self, unsubscribe_url: str) -> str:
        return unsubscribe_url

    def finished(self, made: Any) -> Any:
        return made

    def record(self, now: datetime) -> None:
        return None


NOT_TRACKED = NotTracked()


class TrackedLinks:
    """A `Linking`. The same address, doing the same, is one link however often it stands there."""

    def __init__(
        self, links: LinkMaker, store: Store, message: Message, smart: Mapping[str, SmartLink], language: str
    ) -> None:
        self._links, self._store, self._message = links, store, message
        self._smart, self._language = smart, language
        self._code = message.links or links.message_code(store.id, message.id)
        self._targets: dict[str, Target] = {}
        self._known: dict[str, str] = {}
        self._made: dict[str, str | None] = {}
        self._has_pixel = self._has_way_out = False

    def shorten(self, text: str) -> str:
        return _IN_TEXT.sub(self._in_text, text)

    def leaving(self, unsubscribe_url: str) -> str:
        self._has_way_out = True
        return self._links.followed_url(self._code, LEAVE)

    def finished(self, made: Any) -> Any:
        if isinstance(made, Email):
            html = self._with_unseen(_ANCHOR.sub(self._in_html, made.html))
            return made.model_copy(update={"html": html, "text": self.shorten(made.text)})
        return made.model_copy(update={"text": self.shorten(made.text)}) if isinstance(made, Sms | WhatsApp) else made

    def record(self, now: datetime) -> MessageLinks | None:
        if not self._targets and not self._has_pixel and not self._has_way_out:
            return None
        return MessageLinks(
            code=self._code,
            store_id=self._store.id,
            contact_id=self._message.contact_id,
            message_id=self._message.id,
            channel=self._message.channel,
            language=self._language,
            home=web_address(self._store.url) or self._links.base,
            utm=_utm(self._store, self._message),
            targets=tuple(self._targets.values()),
            sent_at=now,
        )

    def _in_html(self, found: re.Match[str]) -> str:
        address = unescape(found[2] if found[2] is not None else found[3]).strip()
        link = self._link(address)
        if link is None:
            return found[0]
        self._known[address] = link
        return f'{found[1]}"{escape(link)}"'

    def _in_text(self, found: re.Match[str]) -> str:
        """An address that the HTML has too ends where it ends there; else before the sentence's own signs."""
        whole = address = found[0]
        while address and address not in self._known and address[-1] in _AFTER_AN_ADDRESS:
            address = address[:-1]
        if address not in self._known:
            address = _without_what_follows(whole)
            if address.lower().startswith("agala:"):  # only a block's: a name at a checkout may look like one
                return whole
        link = self._known.get(address) or self._link(address)
        return f"{link}{whole[len(address) :]}" if link else whole

    def _link(self, address: str) -> str | None:
        """Ours for it; None for what is not followed."""
        if address not in self._made:
            self._made[address] = self._new_link(address)
        return self._made[address]

    def _new_link(self, address: str) -> str | None:
        target = self._target(address)
        if target is None:
            return None
        key = target.model_dump_json()
        if key not in self._targets and len(self._targets) >= _MOST_LINKS:
            return target.url
        self._targets.setdefault(key, target)
        return self._links.followed_url(self._code, str(list(self._targets).index(key)))

    def _target(self, address: str) -> Target | None:
        if address.lower().startswith("agala:"):
            return self._meant(address)
        url = web_address(address)
        ours = bool(self._links.base) and f"{address}/".startswith(f"{self._links.base}/")
        return Target(url=url) if url and not ours else None

    def _meant(self, address: str) -> Target:
        kind, _, query = address[len("agala:") :].partition("?")
        told = {name: values[0] for name, values in parse_qs(query).items()}
        url = web_address(told.get("to", ""))
        if kind == "answer" and all(told.get(name) for name in ("survey", "question", "value")):
            return Target(url=url, answer=Answer(**{k: v for k, v in told.items() if k in Answer.model_fields}))
        smart = self._smart.get(told.get("at", "")) if kind == "smart" else None
        return Target(
            url=url or web_address(self._store.url), smart=smart.model_dump(exclude_defaults=True) if smart else None
        )

    def _with_unseen(self, html: str) -> str:
        self._has_pixel = True
        unseen = _UNSEEN.format(escape(self._links.followed_url(self._code, HONEYPOT)))
        unseen += _PIXEL.format(escape(self._links.pixel_url(self._code)))
        before, end, after = html.rpartition("</body>")
        return f"{before}{unseen}{end}{after}" if end else f"{html}{unseen}"


class PlainLinks(TrackedLinks):
    """A `Linking` whose links lead where they would lead in the end: nothing is kept, and a click does nothing besides.
    What an answer's link would show is a word of thanks: it leads to the store."""

    def leaving(self, unsubscribe_url: str) -> str:
        return unsubscribe_url

    def record(self, now: datetime) -> None:
        return None

    def _new_link(self, address: str) -> str | None:
        target = self._target(address)
        home = web_address(self._store.url) or self._links.base
        return led(target.url or home, home, _utm(self._store, self._message)) if target else None

    def _with_unseen(self, html: str) -> str:
        return html


def smart_links(content: Any) -> dict[str, SmartLink]:
    """Those of an email's content by the place of their block."""
    located = content.located() if isinstance(content, EmailContent) else ()
    return {place: smart for place, block in located if isinstance(smart := getattr(block, "smart", None), SmartLink)}


def _utm(store: Store, message: Message) -> str:
    if store.settings.utm is None:
        return ""
    told = {
        "utm_source": store.settings.utm.source,
        "utm_medium": message.channel.value,
        "utm_campaign": message.journey,
        "utm_content": message.step,
    }
    return urlencode({name: value for name, value in told.items() if value})


def _without_what_follows(address: str) -> str:
    """Signs that end a sentence are no part of it, nor is a bracket that was opened before it."""
    while address and address[-1] in _AFTER_AN_ADDRESS:
        if address[-1] == ")" and address.count("(") >= address.count(")"):
            break
        address = address[:-1]
    return address
