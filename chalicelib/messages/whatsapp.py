"""An owner's words and one contact's facts become a WhatsApp message.

Meta lets a business write first only with an approved template ("Message templates", WhatsApp Business Platform). The
owner's variables fill the places of its body in their order; without variables the words are the one that it has. A
variable may hold no line breaks, no more than four spaces in a row, 1,024 letters, and may not be empty. Without a
template the words are the message, up to 4,096 letters, and reach only who wrote to the shop in the last 24 hours
("Customer service windows").
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from chalicelib.contacts.consent import Channel
from chalicelib.contacts.contact import Contact
from chalicelib.messages.content import RenderingError
from chalicelib.messages.content_model import WhatsAppContent
from chalicelib.messages.fields import RenderData
from chalicelib.messages.message import Message
from chalicelib.messages.phrase import one_line
from chalicelib.messages.ports import NotAllowed, WhatsApp
from chalicelib.messages.showing import Holds, Needs, needs_of_words
from chalicelib.messages.sms import around, filled_words, sender_name

LONGEST, LONGEST_IN_TEMPLATE = 4096, 1024
SESSION = timedelta(hours=24)


def session_open(contact: Contact, now: datetime) -> bool:
    """Whether a free text may go to this contact: 24 hours from the last one that came from them."""
    last = contact.replied.get(Channel.WHATSAPP)
    return last is not None and now < last + SESSION


class WhatsAppComposer:
    """A `Composer` of WhatsApp messages. `number` is the provider's id of the number that they come from; `hears`:
    whether what is sent back to it comes to us."""

    def __init__(self, number: str, hears: bool = True) -> None:
        self._number, self._hears = number, hears

    def needs(self, content: WhatsAppContent, event: Mapping[str, Any], holds: Holds) -> Needs:
        return needs_of_words(event)

    def compose(self, content: WhatsAppContent, data: RenderData, message: Message) -> WhatsApp:
        """Raises RenderingError, naming the field, and NotAllowed("session_over") for a free text whose time is over;
        of an alert to the manager, whose own messages nobody keeps, Meta is the judge."""
        if content.template is None and data.alert is None and not session_open(data.contact, message.at):
            raise NotAllowed("session_over")
        variables = _variables(content, data, self._hears)
        return WhatsApp(
            message_id=message.id,
            store_id=message.store_id,
            contact_id=message.contact_id,
            kind=message.kind.value,
            journey=message.journey,
            step=message.step,
            sender=self._number,
            sender_name=sender_name(data),
            to=message.to or "",
            language=data.language,
            template=content.template,
            variables=variables,
            text="\n".join(variables) if content.template else _free_text(content, data, self._hears),
        )


def _variables(content: WhatsAppContent, data: RenderData, heard: bool) -> tuple[str, ...]:
    """What fills the template's places. Where the owner maps them, what the law asks for is in the words that Meta
    approved; a single one of our own making says it itself."""
    if content.template is None:
        return ()
    if content.variables:
        return tuple(_variable(index, source, data) for index, source in enumerate(content.variables))
    words = filled_words(content.text, data)
    before, after = map(one_line, around(words, data, heard))
    words = one_line(words)
    room = LONGEST_IN_TEMPLATE - sum(len(part) + 1 for part in (before, after) if part)
    return (" ".join(part for part in (before, _cut(words, room), after) if part),)


def _variable(index: int, source: str, data: RenderData) -> str:
    try:
        filled = one_line(filled_words(source, data))
    except RenderingError as wrong:
        raise RenderingError(f"variables[{index}]: {str(wrong).removeprefix('text: ')}") from None
    return _cut(filled, LONGEST_IN_TEMPLATE)


def _free_text(content: WhatsAppContent, data: RenderData, heard: bool) -> str:
    words = filled_words(content.text, data)
    before, after = around(words, data, heard)
    return before + _cut(words, LONGEST - len(before) - len(after)) + after


def _cut(words: str, most: int) -> str:
    """At a word, if it is longer."""
    if len(words) <= most:
        return words
    kept, _, _ = words[: most - 1].rpartition(" ")
    return f"{kept or words[: most - 1]}…"
