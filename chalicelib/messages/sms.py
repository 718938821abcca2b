"""An owner's words and one contact's facts become an SMS: the text, who it is from, and how to have no more of them.

Carriers cut a long text into parts of 153 letters (GSM 03.38) or 67 (every other alphabet, Hebrew too), and End User
Messaging takes ten of the first and 630 letters of the second ("SMS character limits" in its guide). Longer words
are shortened; links, and what the law asks for, never are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chalicelib.messages.content import RenderingError
from chalicelib.messages.fields import RenderData, fields_of
from chalicelib.messages.message import Message, MessageKind
from chalicelib.messages.phrase import PhraseError, bare_phrase, clean, one_line
from chalicelib.messages.policy import marked
from chalicelib.messages.ports import Sms
from chalicelib.messages.showing import Holds, Needs, needs_of_words
from chalicelib.messages.sms_parts import is_gsm, places
from chalicelib.messages.wording import wording

LONGEST, LONGEST_IN_OTHER_ALPHABETS = 1530, 630
_LINK = re.compile(r"https?://\S+")
# What phones turn into a link by themselves.
_ADDRESS = re.compile(r"://|\w\.\w{2,}|\bwww\.", re.IGNORECASE)


class SmsComposer:
    """A `Composer` of SMS. `default_sender` is the number or sender id for stores that name none; `hears`: whether
    what is sent back to the store's sender comes to us (None: if it is a number, unless the store says otherwise)."""

    def __init__(self, default_sender: str | None, hears: bool | None = None) -> None:
        self._default_sender, self._hears = default_sender, hears

    def needs(self, content: str, event: Mapping[str, Any], holds: Holds) -> Needs:
        return needs_of_words(event)

    def compose(self, content: str, data: RenderData, message: Message) -> Sms:
        """Raises RenderingError, naming the field."""
        sender = data.store.settings.sender
        return Sms(
            message_id=message.id,
            store_id=message.store_id,
            contact_id=message.contact_id,
            kind=message.kind.value,
            journey=message.journey,
            step=message.step,
            sender=sender.sms or self._default_sender,
            sender_name=sender_name(data),
            to=message.to or "",
            text=render_sms(content, data, self._is_heard(data)),
        )

    def _is_heard(self, data: RenderData) -> bool:
        """Whether a reply reaches us: a name cannot be replied to."""
        sender = data.store.settings.sender
        if self._hears is not None:
            return self._hears
        if sender.sms_replies is not None:
            return sender.sms_replies
        return is_number(sender.sms or self._default_sender)


def is_number(sender: str | None) -> bool:
    """A phone number or short code, not a name."""
    return bool(sender) and str(sender).removeprefix("+").isdecimal()


def render_sms(source: str, data: RenderData, heard: bool = False) -> str:
    """One language's text for one contact; `heard`: a reply comes to us. Raises RenderingError."""
    words = filled_words(source, data)
    return _shortened(words, *around(words, data, heard))


def filled_words(source: str, data: RenderData) -> str:
    """The owner's words with their fields and short links. Raises RenderingError where nothing is left of them."""
    if data.kind is MessageKind.MARKETING and not data.unsubscribe_url:
        raise RenderingError("unsubscribe_url: a marketing message needs one")
    try:
        words = data.shorten(_tidy(bare_phrase(source).fill(fields_of(_with_plain_names(data))).plain()))
    except PhraseError as wrong:
        raise RenderingError(f"text: {wrong}") from None
    if not words:
        raise RenderingError("text: empty once its fields are filled in")
    return words


def around(words: str, data: RenderData, heard: bool = False) -> tuple[str, str]:
    """What stands before and after a marketing text: that it advertises, the sender's name, a way to refuse
    (Communications Law §30A(e)(1)), also by a reply where one is `heard` (§30A(d): the way the message came)."""
    if data.kind is not MessageKind.MARKETING:
        return "", ""
    name = sender_name(data)
    before = marked(words if name in words else f"{name}\n{words}", data.store, data.kind).removesuffix(words)
    spoken = wording(data.language)
    reply = f" {spoken.or_reply}" if heard else ""
    return before, f"\n{spoken.unsubscribe_sms}: {data.unsubscribe_url}{reply}"


def sender_name(data: RenderData) -> str:
    return one_line(clean(data.store.settings.sender.name or data.store.name))


def _with_plain_names(data: RenderData) -> RenderData:
    """Anybody may type a name at a checkout, with somebody else's phone: an address in it would come as our link."""
    contact = data.contact
    names = {name: getattr(contact, name) for name in ("first_name", "last_name")}
    wrong = {name: None for name, value in names.items() if value and _ADDRESS.search(value)}
    return replace(data, contact=contact.model_copy(update=wrong)) if wrong else data


def _tidy(text: str) -> str:
    """Without spaces at the ends of lines, and without lines that fields left empty."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _shortened(words: str, before: str, after: str) -> str:
    """Everything together, with the longest piece between links cut at a word until it fits.

    Raises RenderingError when the links alone are too long.
    """
    while (excess := _excess(f"{before}{words}{after}")) > 0:
        pieces = re.split(f"({_LINK.pattern})", words)  # every second one is a link
        longest = max(range(0, len(pieces), 2), key=lambda index: len(pieces[index]))
        if len(pieces[longest].strip()) < 2:
            raise RenderingError("text: its links alone are longer than an SMS may be")
        pieces[longest] = _cut(pieces[longest], excess)
        words = _tidy("".join(pieces))
    return f"{before}{words}{after}"


def _cut(piece: str, excess: int) -> str:
    kept = piece[: max(0, len(piece.rstrip()) - excess - 4)].rstrip("…. \n")
    at_a_word, _, _ = kept.rpartition(" ")
    end = piece[len(piece.rstrip()) :]
    return f"{at_a_word or kept}...{end}" if kept else end or " "


def _excess(text: str) -> int:
    """How many letters too long it is, as carriers count."""
    return places(text) - (LONGEST if is_gsm(text) else LONGEST_IN_OTHER_ALPHABETS)
