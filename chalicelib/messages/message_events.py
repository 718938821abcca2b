"""What became of a message, as events of its contact: delivered, opened, clicked, failed,
complained of.

Each kind is told once, a click once for each link: by the report that the message's history has first. A bounce is a
failure.
"""

from __future__ import annotations

from chalicelib.commerce.event import Event
from chalicelib.ids import digest
from chalicelib.messages.message import HistoryEntry, Message, MessageStatus

_KINDS: dict[str, str] = {
    MessageStatus.DELIVERED: "delivered",
    MessageStatus.OPENED: "opened",
    MessageStatus.CLICKED: "clicked",
    MessageStatus.FAILED: "failed",
    MessageStatus.BOUNCED: "failed",
    MessageStatus.COMPLAINED: "complained",
}


def event_of(message: Message, entry: HistoryEntry) -> Event | None:
    """What this entry of its history tells; None if it means nothing to anybody, or an earlier one told the same."""
    kind = _kind(entry)
    if kind is None:
        return None
    link = entry.detail if kind == "clicked" else None
    first = next(
        (one for one in message.history if _kind(one) == kind and (kind != "clicked" or one.detail == entry.detail)),
        None,
    )
    if first != entry:
        return None
    about = {
        "message_id": message.id,
        "journey": message.journey,
        "step": message.step,
        "channel": message.channel.value,
        "link": link,
    }
    part = f":{digest('link', link)}" if link else ""
    return Event(
        id=f"message_{kind}:{message.id}{part}",
        type=f"message_{kind}",
        occurred_at=entry.at,
        properties={name: value for name, value in about.items() if value is not None},
    )


def _kind(entry: HistoryEntry) -> str | None:
    return _KINDS.get(entry.status)
