"""What providers report about a message: it moves forward only, and the contact's channel follows."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chalicelib.contacts.consent import Channel, Consent, ConsentChange, ConsentStatus
from chalicelib.errors import Conflict, NotFound
from chalicelib.messages.message import HistoryEntry, Message, MessageStatus
from chalicelib.messages.ports import MessageRepository

# Later ranks win; what ends badly stands above what went well. `not_sent` never changes.
_RANK = {
    status: rank
    for rank, status in enumerate(
        (
            MessageStatus.CLAIMED,
            MessageStatus.UNKNOWN,
            MessageStatus.SENT,
            MessageStatus.DELIVERED,
            MessageStatus.OPENED,
            MessageStatus.CLICKED,
            MessageStatus.FAILED,
            MessageStatus.BOUNCED,
            MessageStatus.COMPLAINED,
            MessageStatus.NOT_SENT,
        )
    )
}
REPORTED = frozenset(
    (
        MessageStatus.DELIVERED,
        MessageStatus.FAILED,
        MessageStatus.BOUNCED,
        MessageStatus.COMPLAINED,
        MessageStatus.OPENED,
        MessageStatus.CLICKED,
    )
)
_TRIES = 5


class ChannelKeeper(Protocol):
    """The part of the contact book that reports and links need. Repeating either is harmless."""

    def change_consent(self, store_id: str, contact_id: str, changes: list[ConsentChange]) -> object: ...

    def suppress(self, store_id: str, contact_id: str, channel: Channel, reason: str) -> object: ...


@dataclass(frozen=True)
class Report:
    """`status` is one of REPORTED; `at` UTC; `passing`: a bounce that says nothing about the address itself
    (mailbox full); `contact_id` the one it was sent to; `detail` a code, without personal data."""

    store_id: str
    message_id: str
    status: MessageStatus
    at: datetime
    contact_id: str | None = None
    passing: bool = False
    detail: str | None = None


def apply_report(report: Report, messages: MessageRepository, contacts: ChannelKeeper) -> Message | None:
    """The message as it stands afterwards; None if there is no such message. The same report twice counts once.

    The contact is changed first: a crash in between repeats the report, and nothing gets lost.
    Raises ValueError for a status that nobody reports, Conflict when others keep writing the message.
    """
    if report.status not in REPORTED:
        raise ValueError(f"expected one of {', '.join(sorted(REPORTED))}")
    for _ in range(_TRIES):
        message = messages.get(report.store_id, report.message_id, report.contact_id)
        if message is None:
            return None
        entry = HistoryEntry(at=report.at, status=report.status.value, detail=report.detail)
        if message.status is MessageStatus.NOT_SENT or entry in message.history:
            return message
        _follow(report, message, contacts)
        try:
            return messages.save(_moved(message, report, entry))
        except Conflict:
            continue  # somebody wrote in between: look again
    raise Conflict("the message keeps changing")


def _moved(message: Message, report: Report, entry: HistoryEntry) -> Message:
    update: dict[str, object] = {"history": (*message.history, entry)}
    if _RANK[report.status] > _RANK[message.status]:
        bad = report.status in (MessageStatus.FAILED, MessageStatus.BOUNCED, MessageStatus.COMPLAINED)
        update |= {"status": report.status, "at": report.at, "reason": report.status.value if bad else None}
    return message.model_copy(update=update)


def _follow(report: Report, message: Message, contacts: ChannelKeeper) -> None:
    """A dead or unwilling mailbox is not written to again (Gmail and Yahoo sender requirements, SES guidelines).

    The manager's mailbox is not the contact's.
    """
    if message.to_manager:
        return
    with suppress(NotFound):  # erased meanwhile: there is nobody left to write to
        _close_channel(report, message, contacts)


def _close_channel(report: Report, message: Message, contacts: ChannelKeeper) -> None:
    channel, contact_id = message.channel, message.contact_id
    if report.status is MessageStatus.COMPLAINED:
        refusal = Consent(status=ConsentStatus.UNSUBSCRIBED, source="complaint", at=report.at)
        contacts.change_consent(report.store_id, contact_id, [ConsentChange(channel=channel, consent=refusal)])
        contacts.suppress(report.store_id, contact_id, channel, "complained")
    elif report.status is MessageStatus.BOUNCED and not report.passing:
        contacts.suppress(report.store_id, contact_id, channel, "bounced")
