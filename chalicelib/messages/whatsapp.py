"""An owner's words and one contact's facts become a WhatsApp message.

Meta lets a business write first only with an approved template ("Message templates", WhatsApp Business Platform); the
owner's words are then the one variable of its body, which may hold no line breaks, and 1,024 letters. Without a
template the words are the message, up to 4,096 letters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.messages.content_model import WhatsAppContent
from chalicelib.messages.fields import RenderData
from chalicelib.messages.message import Message
from chalicelib.messages.phrase import one_line
from chalicelib.messages.ports import WhatsApp
from chalicelib.messages.showing import Holds, Needs, needs_of_words
from chalicelib.messages.sms import around, filled_words, sender_name

LONGEST, LONGEST_IN_TEMPLATE = 4096, 1024


class WhatsAppComposer:
    """A `Composer` of WhatsApp messages. `number` is the provider's id of the number that they come from."""

    def __init__(self, number: str) -> None:
        self._number = number

    def needs(self, content: WhatsAppContent, event: Mapping[str, Any], holds: Holds) -> Needs:
        return needs_of_words(event)

    def compose(self, content: WhatsAppContent, data: RenderData, message: Message) -> WhatsApp:
        """Raises RenderingError, naming the field."""
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
            text=_text(content, data),
        )


def _text(content: WhatsAppContent, data: RenderData) -> str:
    words = filled_words(content.text, data)
    before, after = around(words, data)
    if content.template is None:
        return before + _cut(words, LONGEST - len(before) - len(after)) + after
    before, words, after = (f" {one_line(part)} ".lstrip() if part else "" for part in (before, words, after))
    return one_line(before + _cut(words, LONGEST_IN_TEMPLATE - len(before) - len(after) - 1) + " " + after)


def _cut(words: str, most: int) -> str:
    """At a word, if it is longer."""
    if len(words) <= most:
        return words
    kept, _, _ = words[: most - 1].rpartition(" ")
    return f"{kept or words[: most - 1]}…"
