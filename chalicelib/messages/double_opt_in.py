"""Double opt-in: whoever is said to have subscribed is asked once, and only their own answer counts.

`contacts.consent_heard` hears of every wish. Asking is an errand (`journeys.errands`), so that a stopped store or a
busy provider only delays it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from chalicelib.clock import Clock, parse_rfc3339, rfc3339
from chalicelib.commerce.store import Store
from chalicelib.contacts.consent import Channel
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.double_opt_in import CONFIRM_WITHIN, address_channel, request_id
from chalicelib.journeys.errands import Errand, Slice
from chalicelib.journeys.ports import NotNow, ProviderBusy
from chalicelib.messages.block_forms import ButtonBlock, HeadingBlock, TextBlock
from chalicelib.messages.content_model import EmailContent
from chalicelib.messages.message import Message, MessageStatus
from chalicelib.messages.personal_wording import LANGUAGES, personal_wording
from chalicelib.messages.ports import MessageRepository
from chalicelib.messages.wording import wording

STEP = "double_opt_in"
_NOT_AGAIN_WITHIN = timedelta(days=1)
_STORE = "{{ store.name }}"


class ContactLookup(Protocol):
    def get(self, store_id: str, contact_id: str) -> Contact | None: ...


class AsksOnce(Protocol):
    """`messages.send.Sender`."""

    def ask(
        self, channel: Channel, store: Store, contact: Contact, identifier: str, step: str, content: Mapping[str, Any]
    ) -> Message: ...


class ConfirmLinks(Protocol):
    def confirm_url(
        self, store_id: str, contact_id: str, channel: Channel, asked_at: datetime, address: str
    ) -> str: ...


class AskToConfirm:
    """The work of the errand: one message for one wish."""

    def __init__(
        self,
        sender: Callable[[], AsksOnce],
        messages: MessageRepository,
        contacts: ContactLookup,
        links: Callable[[], ConfirmLinks],
        clock: Clock,
    ) -> None:
        self._sender, self._messages, self._contacts = sender, messages, contacts
        self._links, self._clock = links, clock

    def slice(self, store: Store, errand: Errand) -> Slice:
        """Asks, unless the wish is over, or its owner was asked within a day. A wish that is newer has its own errand.

        What the store or the provider holds back is tried again, ever more rarely, as long as a link would be good.
        """
        now, told = self._clock.now(), errand.parameters
        channel = Channel(told["channel"])
        contact = self._contacts.get(store.id, told["contact_id"])
        asked = contact.waiting(channel) if contact is not None else None
        if contact is None or asked is None or asked.at is None or rfc3339(asked.at) != told["at"]:
            return Slice(report={"outcome": "over"})
        if now > asked.at + CONFIRM_WITHIN:
            return Slice(report={"outcome": "expired"})
        day = asked.at.date()
        if self._asked_lately(store.id, contact.id, channel, day - timedelta(days=1), now):
            return Slice(report={"outcome": "asked_lately"})
        by = address_channel(channel)
        address = (contact.email if by is Channel.EMAIL else contact.phone) or ""
        url = self._links().confirm_url(store.id, contact.id, channel, asked.at, address)
        identifier = request_id(store.id, contact.id, channel, day)
        try:
            message = self._sender().ask(by, store, contact, identifier, STEP, content_of(channel, url))
        except NotNow as later:
            rarely = now + min(timedelta(hours=2 ** min(errand.looks, 5)), timedelta(days=1))
            return Slice(again_at=max(parse_rfc3339(later.until), rarely))
        except ProviderBusy:
            return Slice(again_at=now + timedelta(minutes=2 ** min(errand.looks, 6)))
        return Slice(done=1, report={"outcome": message.status.value, "message_id": message.id})

    def _asked_lately(self, store_id: str, contact_id: str, channel: Channel, day: date, now: datetime) -> bool:
        """On the day before: two wishes of one day have one message by its very id."""
        before = self._messages.get(store_id, request_id(store_id, contact_id, channel, day), contact_id)
        if before is None or before.status is MessageStatus.NOT_SENT:
            return False
        return before.created_at > now - _NOT_AGAIN_WITHIN


def content_of(channel: Channel, url: str) -> dict[str, EmailContent] | dict[str, str]:
    """By language. Nothing in it is the person's: anybody may type anybody's address into a form."""
    if address_channel(channel) is Channel.EMAIL:
        return {language: _email(language, channel, url) for language in LANGUAGES}
    return {
        language: personal_wording(language).ask_sms.format(
            store=_STORE, messages=wording(language).adverts[channel], url=url
        )
        for language in LANGUAGES
    }


def _email(language: str, channel: Channel, url: str) -> EmailContent:
    words, messages = personal_wording(language), wording(language).adverts[channel]
    return EmailContent(
        subject=words.ask_subject.format(store=_STORE),
        preheader=words.ask_preheader,
        blocks=(
            HeadingBlock(type="heading", text=words.ask_heading),
            TextBlock(type="text", text=words.ask_text.format(store=_STORE, messages=messages)),
            ButtonBlock(type="button", text=words.ask_button, url=url),
            TextBlock(type="text", text=words.ask_small),
        ),
    )
