"""Replies in what AWS tells over SNS: two-way SMS of End User Messaging ("Two-way SMS messaging", "Example payload"),
and WhatsApp messages in the events of End User Messaging Social, which hold Meta's webhook entry ("messages")."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from chalicelib.contacts.consent import Channel
from chalicelib.messages.replies import Reply

LONGEST = 5000  # letters of a message that are read


def sms_reply(event: Mapping[str, Any], at: datetime) -> Reply | None:
    """`at` is when SNS was told: the event itself has no time."""
    names = ("originationNumber", "destinationNumber", "inboundMessageId", "messageBody")
    sender, number, identifier, text = (event.get(name) for name in names)
    if not (isinstance(sender, str) and isinstance(number, str) and isinstance(identifier, str)):
        return None
    said = text[:LONGEST] if isinstance(text, str) else ""
    return Reply(Channel.SMS, identifier, sender, said, at, (number,))


def whatsapp_replies(value: Mapping[str, Any], numbers: tuple[str, ...]) -> Iterator[Reply]:
    """`value` is that of a change in Meta's entry; `numbers` are the ids that our number goes by, in AWS and at
    Meta."""
    told = value.get("messages")
    for message in told if isinstance(told, list) else ():
        if not isinstance(message, Mapping) or message.get("type") in ("system", "unsupported"):
            continue
        sender, identifier, at = message.get("from"), message.get("id"), _time(message.get("timestamp"))
        if isinstance(sender, str) and isinstance(identifier, str) and at is not None and numbers:
            yield Reply(Channel.WHATSAPP, identifier, sender, _text(message)[:LONGEST], at, numbers)


def _text(message: Mapping[str, Any]) -> str:
    """What was typed, or the words of the button that was pressed."""
    for path in (
        ("text", "body"),
        ("button", "text"),
        ("interactive", "button_reply", "title"),
        ("interactive", "list_reply", "title"),
    ):
        found: Any = message
        for name in path:
            found = found.get(name) if isinstance(found, Mapping) else None
        if isinstance(found, str):
            return found
    return ""


def _time(told: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(told), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
