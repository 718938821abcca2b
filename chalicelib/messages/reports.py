"""What providers report about a message: it moves forward only, the contact's channel follows, journeys hear of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, Protocol

from chalicelib.commerce.event import Event
from chalicelib.commerce.store import Store
from chalicelib.contacts.consent import Channel, Consent, ConsentChange, ConsentStatus
from chalicelib.contacts.contact import Contact
from chalicelib.errors import Conflict, NotFound
from chalicelib.ids import contact_of
from chalicelib.messages.message import HistoryEntry, Message, MessageStatus
from chalicelib.messages.message_events import event_of
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
DELAYED: Literal["delayed"] = "delayed"
"""It did not arrive yet, and may: the message's history says so, its status stays."""
REPORTED: frozenset[str] = frozenset(
    (
        MessageStatus.DELIVERED,
        MessageStatus.FAILED,
        MessageStatus.BOUNCED,
        MessageStatus.COMPLAINED,
        MessageStatus.OPENED,
        MessageStatus.CLICKED,
        DELAYED,
    )
)
_TRIES = 5


class ChannelKeeper(Protocol):
    """The part of the contact book that reports and links need. Repeating either is harmless."""

    def change_consent(self, store_id: str, contact_id: str, changes: list[ConsentChange]) -> object: ...

    def suppress(self, store_id: str, contact_id: str, channel: Channel, reason: str) -> object: ...


class ContactLookup(Protocol):
    def get(self, store_id: str, contact_id: str) -> Contact | None:
        """The contact, or the one it was merged into."""
        ...


class Stores(Protocol):
    def get(self, store_id: str) -> Store | None: ...


class Listener(Protocol):
    """Journeys (`commerce.ports.Listener`)."""

    def on_events(self, store: Store, contact_id: str, events: list[Event]) -> None: ...


@dataclass(frozen=True)
class Report:
    """`status` is one of REPORTED (BOUNCED only of a dead address; a full mailbox is DELAYED); `at` UTC; `contact_id`
    the one it was sent to; `detail` a code, without personal data, or of a click the link. `channel`: who tells it may
    tell of this one only. `opted_out`: it failed because its receiver told the provider to stop."""

    store_id: str
    message_id: str
    status: MessageStatus | Literal["delayed"]
    at: datetime
    contact_id: str | None = None
    detail: str | None = None
    channel: Channel | None = None
    opted_out: bool = False


class Reports:
    """Takes what providers tell. A repeat changes nothing, and tells what its first telling may not have come to."""

    def __init__(
        self,
        messages: MessageRepository,
        contacts: ContactLookup,
        book: ChannelKeeper,
        note: Callable[[str, str, Event], object],
        stores: Stores,
        listener: Callable[[], Listener],
    ) -> None:
        """`note` keeps an event with its contact (store, contact, event); the same one again changes nothing."""
        self._messages, self._contacts, self._book = messages, contacts, book
        self._note, self._stores, self._listener = note, stores, listener

    def take(self, report: Report) -> Message | None:
        """The message as it stands afterwards; None if there is no such message. Raises as `apply_report`.

        It is found where a merge carried it. Of an erased contact, and of an alert to the manager, nothing is kept
        but the message's own history.
        """
        contact = self._contacts.get(report.store_id, report.contact_id or contact_of(report.message_id))
        if contact is not None:
            report = replace(report, contact_id=contact.id)
        message = apply_report(report, self._messages, self._book)
        if message is None or contact is None or message.to_manager or message.status is MessageStatus.NOT_SENT:
            return message
        event = event_of(message, _entry(report))
        if event is not None:
            self._note(report.store_id, contact.id, event)
            store = self._stores.get(report.store_id)
            if store is not None:
                self._listener().on_events(store, contact.id, [event])
        return message


def apply_report(report: Report, messages: MessageRepository, contacts: ChannelKeeper) -> Message | None:
    """The message as it stands afterwards; None if there is no such message. The same report twice counts once.

    The contact is changed first: a crash in between repeats the report, and nothing gets lost.
    Raises ValueError for a status that nobody reports, Conflict when others keep writing the message.
    """
    if report.status not in REPORTED:
        raise ValueError(f"expected one of {', '.join(sorted(REPORTED))}")
    for _ in range(_TRIES):
        message = messages.get(report.store_id, report.message_id, report.contact_id)
        if message is None or report.channel not in (None, message.channel):
            return None
        entry = _entry(report)
        if message.status is MessageStatus.NOT_SENT or entry in message.history or _is_old_news(message, entry):
            return message
        _follow(report, message, contacts)
        try:
            return messages.save(_moved(message, report, entry))
        except Conflict:
            continue  # somebody wrote in between: look again
    raise Conflict("the message keeps changing")


def _entry(report: Report) -> HistoryEntry:
    return HistoryEntry(at=report.at, status=str(report.status), detail=report.detail)


def _is_old_news(message: Message, entry: HistoryEntry) -> bool:
    """That it is delayed for the same reason as before: said once."""
    last = message.history[-1] if message.history else None
    return last is not None and entry.status == DELAYED == last.status and entry.detail == last.detail


def _moved(message: Message, report: Report, entry: HistoryEntry) -> Message:
    update: dict[str, object] = {"history": (*message.history, entry)}
    if report.status != DELAYED and _RANK[report.status] > _RANK[message.status]:
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
    elif report.status is MessageStatus.BOUNCED:
        contacts.suppress(report.store_id, contact_id, channel, "bounced")
    elif report.opted_out:
        refusal = Consent(status=ConsentStatus.UNSUBSCRIBED, source="reply", at=report.at)
        contacts.change_consent(report.store_id, contact_id, [ConsentChange(channel=channel, consent=refusal)])
