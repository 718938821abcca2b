"""What a person chooses on our pages about what comes to them: leave, choose channels and topics, confirm a wish.

Every choice is told to the contact book first and noted on the message after: whatever is cut off in between is
repeated by whoever pressed the button, and ends the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from chalicelib.clock import Clock
from chalicelib.commerce.store import Store
from chalicelib.contacts.consent import Channel, Consent, ConsentChange, ConsentStatus
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.double_opt_in import CONFIRM_WITHIN, address_channel, confirmed, request_id
from chalicelib.contacts.erased import ERASED
from chalicelib.errors import Conflict, NotFound, TryLater
from chalicelib.messages.links import Confirmation, Unsubscription
from chalicelib.messages.message import HistoryEntry, Message, MessageKind, MessageStatus
from chalicelib.messages.ports import MessageRepository

UNSUBSCRIBED = "unsubscribed"
_TRIES = 5
_NOT_OUT = (MessageStatus.NOT_SENT, MessageStatus.FAILED)


class Chooser(Protocol):
    """The part of the contact book that pages need. Repeating is harmless."""

    def change_consent(self, store_id: str, contact_id: str, changes: Sequence[ConsentChange]) -> object: ...

    def choose(
        self,
        store_id: str,
        contact_id: str,
        changes: Sequence[ConsentChange],
        joins: Sequence[str] = (),
        leaves: Sequence[str] = (),
    ) -> Contact: ...


class ContactLookup(Protocol):
    def get(self, store_id: str, contact_id: str) -> Contact | None: ...


class SuppressionList(Protocol):
    def holds(self, store_id: str, channel: Channel, address: str) -> str | None: ...


class AddressMarks(Protocol):
    def is_mark_of(self, mark: str, address: str) -> bool: ...


@dataclass(frozen=True)
class Wanted:
    """What a form of the preference page says: which channels and topics were shown as chosen, and which are now.

    Only what its reader changed counts: a page that was open for a week must not take back what happened meanwhile.
    """

    channels: frozenset[Channel]
    channels_shown: frozenset[Channel]
    topics: frozenset[str]
    topics_shown: frozenset[str]


class Choices:
    def __init__(
        self,
        contacts: ContactLookup,
        book: Chooser,
        messages: MessageRepository,
        suppressions: SuppressionList,
        clock: Clock,
    ) -> None:
        self._contacts, self._book, self._messages = contacts, book, messages
        self._suppressions, self._clock = suppressions, clock

    def leave(self, link: Unsubscription, channels: Iterable[Channel], source: str) -> None:
        """Take the consent of these channels back, now. Somebody who was erased meanwhile wants just that."""
        chosen = sorted(channels)
        refusals = [self._refusal(channel, source, link) for channel in chosen]
        with suppress(NotFound):
            self._book.change_consent(link.store_id, link.contact_id, refusals)
            self._note(link, chosen)

    def offered(self, contact: Contact) -> list[Channel]:
        """The channels on which the contact can be reached at all, so that there is something to choose."""
        found = []
        for channel in Channel:
            address = contact.email if channel is Channel.EMAIL else contact.phone
            if not address or contact.suppressed.get(channel, ERASED) != ERASED:
                continue
            if self._suppressions.holds(contact.store_id, channel, address) in (None, ERASED):
                found.append(channel)
        return found

    def save(
        self, link: Unsubscription, store: Store, contact: Contact, wanted: Wanted, texts: dict[Channel, str]
    ) -> Contact:
        """The contact afterwards. `texts`: what the page said beside each channel, the proof of a new yes."""
        now, offered = self._clock.now(), set(self.offered(contact))
        leaves = sorted((wanted.channels_shown - wanted.channels) & offered)
        joins = sorted((wanted.channels - wanted.channels_shown) & offered)
        changes = [self._refusal(channel, "preference_page", link) for channel in leaves]
        proven = now if joins and self._came_to(link, contact) else None
        changes += [self._wish(channel, link, now, texts[channel], proven) for channel in joins]
        known = set(store.settings.topics)
        topics_in = sorted((wanted.topics - wanted.topics_shown) & known)
        topics_out = sorted((wanted.topics_shown - wanted.topics) & known)
        if changes or topics_in or topics_out:
            contact = self._book.choose(store.id, contact.id, changes, topics_in, topics_out)
        if leaves:
            self._note(link, leaves)
        return contact

    def confirmable(self, link: Confirmation, contact: Contact | None, marks: AddressMarks) -> Consent | None:
        """The wish that this link may confirm; None if it is over, too old, or its address is not theirs any more."""
        if contact is None or self._clock.now() > datetime.fromtimestamp(link.asked_at, UTC) + CONFIRM_WITHIN:
            return None
        asked = contact.waiting(link.channel)
        by_email = address_channel(link.channel) is Channel.EMAIL
        address = contact.email if by_email else contact.phone
        if asked is None or asked.at is None or link.asked_at > asked.at.timestamp() or not address:
            return None
        return asked if marks.is_mark_of(link.mark, address) else None

    def confirm(self, link: Confirmation, asked: Consent) -> None:
        """The wish becomes a yes, with the message that asked as its place. Raises `NotFound`."""
        day = (asked.at or self._clock.now()).date()
        place = request_id(link.store_id, link.contact_id, link.channel, day)
        change = ConsentChange(channel=link.channel, consent=confirmed(asked, self._clock.now(), place))
        self._book.change_consent(link.store_id, link.contact_id, [change])

    def _came_to(self, link: Unsubscription, contact: Contact) -> bool:
        """Whether the link came to the address that the contact has now. One that was mistyped and mended since may be
        somebody else's, who has the link still."""
        message = self._message(link, contact.id)
        address = contact.email if link.channel is Channel.EMAIL else contact.phone
        return message is not None and message.to is not None and message.to == address

    def _wish(
        self, channel: Channel, link: Unsubscription, now: datetime, text: str, came: datetime | None
    ) -> ConsentChange:
        """Proven where the link itself `came` to the same address; else a double opt-in asks there."""
        proven = came if address_channel(channel) is address_channel(link.channel) else None
        yes = Consent(
            status=ConsentStatus.SUBSCRIBED,
            source="preference_page",
            at=now,
            text=text,
            place=link.message_id,
            confirmed_at=proven,
        )
        return ConsentChange(channel=channel, consent=yes)

    def _refusal(self, channel: Channel, source: str, link: Unsubscription) -> ConsentChange:
        no = Consent(status=ConsentStatus.UNSUBSCRIBED, source=source, at=self._clock.now(), place=link.message_id)
        return ConsentChange(channel=channel, consent=no)

    def _note(self, link: Unsubscription, channels: Collection[Channel]) -> None:
        """On the message that brought them here, once: which channels were left because of it."""
        contact = self._contacts.get(link.store_id, link.contact_id)
        if contact is None or not channels:
            return
        detail = ",".join(channels)
        for _ in range(_TRIES):
            message = self._message(link, contact.id)
            if message is None or any((e.status, e.detail) == (UNSUBSCRIBED, detail) for e in message.history):
                return
            entry = HistoryEntry(at=self._clock.now(), status=UNSUBSCRIBED, detail=detail)
            try:
                self._messages.save(message.model_copy(update={"history": (*message.history, entry)}))
            except Conflict:
                continue  # a report came in between: look again
            return
        raise TryLater("the message keeps changing")

    def _message(self, link: Unsubscription, contact_id: str) -> Message | None:
        """An SMS's link has no room for the message's id: the newest that advertised on the channel is meant."""
        if link.message_id is not None:
            return self._messages.get(link.store_id, link.message_id, contact_id)
        sent = [
            message
            for message in self._messages.of_contact(link.store_id, contact_id)
            if message.channel is link.channel
            and message.kind is MessageKind.MARKETING
            and message.status not in _NOT_OUT
        ]
        return max(sent, key=lambda message: message.created_at, default=None)


def receives(store: Store, contact: Contact, channel: Channel) -> bool:
    """Whether advertising goes there as things stand: what the preference page shows as chosen."""
    status = contact.consent_for(channel).status
    if status is ConsentStatus.NEVER_ASKED:
        return store.settings.soft_opt_in and contact.orders_count > 0
    return status is ConsentStatus.SUBSCRIBED
