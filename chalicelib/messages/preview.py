"""A message as somebody would get it: shown, or sent to the shop's own people, and kept nowhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from chalicelib.clock import Clock, parse_rfc3339, rfc3339
from chalicelib.commerce.event import Event
from chalicelib.commerce.product import Product
from chalicelib.commerce.store import Sending, Store, manager_address
from chalicelib.contacts.consent import Channel
from chalicelib.contacts.contact import Contact
from chalicelib.errors import BadInput, Conflict, FieldMistake, NotFound, StepCannot, TryLater
from chalicelib.ids import digest
from chalicelib.journeys.condition_forms import Condition
from chalicelib.journeys.conditions import evaluate
from chalicelib.journeys.enrolment import Enrolment
from chalicelib.journeys.facts import before_entry, wanted_for
from chalicelib.journeys.ports import DecisionRecords, ProviderBusy
from chalicelib.messages.content import RenderingError
from chalicelib.messages.content_model import EmailContent
from chalicelib.messages.making import Medium
from chalicelib.messages.message import Message, MessageKind, MessageStatus
from chalicelib.messages.ports import SendRejected, SendUncertain
from chalicelib.messages.sample import NOBODY, sample_contact, sample_event, sample_pass
from chalicelib.messages.showing import Holds
from chalicelib.messages.wording import choose_language, primary

_SAMPLES = 4
_LOOKED_BACK = timedelta(days=365)
_WHY = {"no_whatsapp_number": "there is no WhatsApp number to send from, nor a gateway of the store's"}
TEST = {"he": "בדיקה", "en": "Test"}


class Composing(Protocol):
    """The part of `messages.send.Sender` that makes messages and sends none."""

    def composed(
        self,
        store: Store,
        contact: Contact,
        enrolment: Enrolment,
        message: Message,
        content_by_language: Mapping[str, Any],
        holds: Holds,
        *,
        plain: bool = True,
    ) -> Any:
        """`plain`: its links lead straight where they lead. Raises RenderingError, naming the field."""
        ...


class ContactRecords(Protocol):
    def get(self, store_id: str, contact_id: str) -> Contact | None: ...


class Timeline(Protocol):
    def since(self, store_id: str, contact_id: str, moment: datetime) -> list[Event]: ...


class Goods(Protocol):
    """The store's first products, those with a picture first."""

    def __call__(self, store_id: str, count: int) -> Sequence[Product]: ...


class Preview:
    def __init__(
        self,
        sender: Composing,
        medium: Callable[[Store, Channel], Medium[Any, Any]],
        contacts: ContactRecords,
        timeline: Timeline,
        decisions: DecisionRecords,
        goods: Goods,
        clock: Clock,
    ) -> None:
        self._sender, self._medium, self._contacts = sender, medium, contacts
        self._timeline, self._decisions = timeline, decisions
        self._goods, self._clock = goods, clock

    def shown(
        self,
        store: Store,
        channel: Channel,
        kind: MessageKind,
        content: Mapping[str, Any],
        *,
        trigger: str = "order_paid",
        contact_id: str | None = None,
        language: str | None = None,
        journey: str = "preview",
        step: str = "preview",
        to: str | None = None,
    ) -> Any:
        """The finished message, in `language` or the one that the contact would get.

        With a contact, it is about their newest event of this type, else a made-up one; without, all is made up.
        Whoever looks is not the contact: its ways to unsubscribe and to choose are nobody's. An SMS that goes nowhere
        has links as long as the real ones, which are paid for. Raises NotFound for a contact that is not there,
        RenderingError."""
        now = self._clock.now()
        some = {language: content[language]} if language is not None and language in content else content
        spoken = language or choose_language(tuple(some), None, store.locale)
        contact = self._contact(store, contact_id, spoken, now)
        event = self._event(store, contact, contact_id is not None, trigger, language or contact.locale or store.locale)
        enrolment = sample_pass(store, contact, journey, event, now)
        message = Message(
            # Nobody's: who tries its unsubscribe link takes nobody off the list.
            id=f"{NOBODY}-{digest('preview', journey, step, rfc3339(now), to or '')}",
            store_id=store.id,
            contact_id=contact.id,
            journey=journey,
            step=step,
            channel=channel,
            kind=kind,
            to=to or (contact.email if channel is Channel.EMAIL else contact.phone),
            status=MessageStatus.CLAIMED,
            created_at=now,
            at=now,
        )
        plain = channel is Channel.EMAIL or to is not None  # the parts of an SMS are counted with its short links
        holds = self._holds(store, contact, event, some) if contact_id is not None else _nothing_holds
        try:
            return self._sender.composed(store, contact, enrolment, message, some, holds, plain=plain)
        except StepCannot as why:
            raise RenderingError(f"channel: {_WHY.get(str(why), why)}") from None

    def send(self, store: Store, channel: Channel, to: str, finished: Any) -> str:
        """To one of the shop's own people (`may_test`), marked as a test; what became of it: `sent` or `unknown`.

        Raises Conflict while the store's sending is stopped, BadInput for anybody else's address and for what the
        provider refuses, TryLater where it is busy."""
        if store.settings.sending is Sending.STOPPED:
            raise Conflict("the store's sending is stopped")
        if to not in may_test(store, channel):
            allowed = "expected an address of settings.sandbox_addresses, the manager's or the sender's"
            raise BadInput("A test goes to the shop's own people.", [FieldMistake("to", allowed)])
        try:
            self._medium(store, channel).channel.send(_marked(finished, store))
        except ProviderBusy:
            raise TryLater("the provider is busy") from None
        except SendRejected as refused:
            raise BadInput(f"The provider refused it: {refused}") from None
        except SendUncertain:
            return "unknown"
        return "sent"

    def _holds(self, store: Store, contact: Contact, event: Mapping[str, Any], content: Mapping[str, Any]) -> Holds:
        """What of its focused content this contact would see today, outside of any pass."""
        emails = [one for one in content.values() if isinstance(one, EmailContent)]
        asked = [condition for email in emails for _, condition in email.conditions()]
        if not asked:
            return _nothing_holds
        found = self._decisions.read(store.id, contact.id, wanted_for(asked, event))
        told = Event(
            id=event["id"],
            type=event["type"],
            occurred_at=parse_rfc3339(event["occurred_at"]),
            properties=event["properties"],
        )
        facts = before_entry(told, found, self._clock.now())
        return (lambda condition: evaluate(condition, facts)) if facts is not None else _nothing_holds

    def _contact(self, store: Store, contact_id: str | None, language: str, now: datetime) -> Contact:
        if contact_id is None:
            return sample_contact(store, language, now)
        contact = self._contacts.get(store.id, contact_id)
        if contact is None:
            raise NotFound("no such contact")
        return contact

    def _event(self, store: Store, contact: Contact, real: bool, kind: str, language: str) -> dict[str, Any]:
        if real:
            lived = self._timeline.since(store.id, contact.id, self._clock.now() - _LOOKED_BACK)
            newest = next((event for event in reversed(lived) if event.type == kind), None)
            if newest is not None:
                told = {"id": newest.id, "type": kind, "properties": newest.properties}
                return {**told, "occurred_at": rfc3339(newest.occurred_at)}
        goods = self._goods(store.id, _SAMPLES)
        return sample_event(kind, store, goods, language, self._clock.now())


def _nothing_holds(condition: Condition) -> bool:
    """Nobody made up belongs to anything."""
    return False


def may_test(store: Store, channel: Channel) -> set[str]:
    """Where tests may go: nobody else asked for them."""
    known = {*store.settings.sandbox_addresses, manager_address(store, channel)}
    if channel is Channel.EMAIL:
        known.add(store.settings.sender.email)
    return {address for address in known if address}


def _marked(finished: Any, store: Store) -> Any:
    """With the word in its subject, or at the start of its text."""
    word = TEST.get(primary(store.locale), TEST["en"])
    if finished.subject is not None:
        return finished.model_copy(update={"subject": f"[{word}] {finished.subject}"})
    return finished.model_copy(update={"text": f"[{word}] {finished.text}"})
