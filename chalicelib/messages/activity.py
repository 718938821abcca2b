"""What was seen of a message's links and picture is judged, and what a person did counts: the message moves on, smart
links and answers do what they say.

A queue brings each sighting here a few seconds late, so that the others of a program's visit are there to judge it by.
Everything is read from the record and its history, and may be done again: what a lost or interrupted activity left
undone the next one of the message does.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from chalicelib.commerce.event import Event
from chalicelib.commerce.store import Store
from chalicelib.contacts.contact import Contact
from chalicelib.errors import Conflict, NotFound, StepCannot
from chalicelib.journeys.enrolment import Enrolment
from chalicelib.messages.block_forms import SmartLink
from chalicelib.messages.followed import Answer, Followed, MessageLinks, Sighting, Target
from chalicelib.messages.links import HONEYPOT, OPEN
from chalicelib.messages.message import HistoryEntry, Message, MessageStatus
from chalicelib.messages.ports import MessageRepository
from chalicelib.messages.reports import ContactLookup, Report, Stores
from chalicelib.messages.robots import PERSON, PROXY, Verdict, judge

ROBOT_OPENED, ROBOT_CLICKED, PROXY_OPENED = "robot_opened", "robot_clicked", "proxy_opened"
"""In the message's history, the first of each kind with the rule that told: they move no status and nobody hears."""
_log = logging.getLogger("agala")
_LONGEST_LINK = 2000
_NUMBER = re.compile(r"0|[1-9][0-9]{0,14}")
_TRIES = 5


class Book(Protocol):
    """The part of the contact book that smart links and answers need; each change happens once for its cause."""

    def set_field(
        self, store_id: str, contact_id: str, name: str, value: Any, cause: str | None = None
    ) -> list[Event]: ...

    def add_to_list(self, store_id: str, contact_id: str, name: str, cause: str | None = None) -> list[Event]: ...

    def remove_from_list(self, store_id: str, contact_id: str, name: str, cause: str | None = None) -> list[Event]: ...

    def add_tag(self, store_id: str, contact_id: str, name: str, cause: str | None = None) -> list[Event]: ...

    def remove_tag(self, store_id: str, contact_id: str, name: str, cause: str | None = None) -> list[Event]: ...


class Takes(Protocol):
    """`reports.Reports`."""

    def take(self, report: Report) -> Message | None: ...


Listen = Callable[[Store, str, list[Event]], object]
"""Journeys hear these events of a contact."""
Tell = Callable[[Store, str, Event], object]
"""An event of a contact is kept, once for its id, and journeys hear it. Raises `NotFound`."""


class Enrolments(Protocol):
    def get(self, store_id: str, enrolment_id: str, contact_id: str | None = None) -> Enrolment | None: ...


class OtherJourneys(Protocol):
    """`journeys.other_journeys.OtherJourneys`: what `start_journey` steps use."""

    def start(self, store: Store, contact_id: str, journey_id: str, by: Enrolment, step: str) -> str | None: ...


class Activity:
    def __init__(
        self,
        records: Followed,
        messages: MessageRepository,
        contacts: ContactLookup,
        stores: Stores,
        reports: Takes,
        book: Book,
        listen: Listen,
        tell: Tell,
        enrolments: Enrolments,
        others: Callable[[], OtherJourneys],
    ) -> None:
        """`others` is asked for when the first smart link starts a journey."""
        self._records, self._messages, self._contacts, self._stores = records, messages, contacts, stores
        self._reports, self._book = reports, book
        self._listen, self._tell, self._enrolments, self._others = listen, tell, enrolments, others

    def take(self, code: str, number: str, at: datetime) -> None:
        """A link, the honeypot or the picture of this message was fetched at this moment.

        Of a person who was erased nothing is kept. Raises `TryLater` and `Conflict`: it may be taken again.
        """
        links = self._records.get(code)
        if links is None:
            return
        contact = self._contacts.get(links.store_id, links.contact_id)
        if contact is None:  # erased while the message was on its way
            self._records.forget(code)
            return
        message = self._messages.get(links.store_id, links.message_id, contact.id)
        store = self._stores.get(links.store_id)
        if message is None or store is None:
            return
        for seen, verdict in _firsts(links):
            if verdict.who == PERSON:
                self._did(store, contact, message, links, seen, again=(seen.number, seen.at) == (number, at))
            else:
                self._note(message, contact, seen, verdict)

    def _did(
        self, store: Store, contact: Contact, message: Message, links: MessageLinks, seen: Sighting, again: bool
    ) -> None:
        """The link's own doing first. What the history has was done; unless this sighting itself was brought once more
        (`again`): whoever took it first may not have come to the end."""
        target = links.target(seen.number)
        report = _report(links, contact, seen, target)
        told = next((e for e in message.history if (e.status, e.detail) == (report.status, report.detail)), None)
        if told is not None and not again:
            return
        if target is not None and target.acts:
            self._act(store, contact, message, seen, target)
        self._reports.take(replace(report, at=told.at) if told else report)

    def _act(self, store: Store, contact: Contact, message: Message, seen: Sighting, target: Target) -> None:
        cause = f"link:{message.id}:{seen.number}"
        about = {"message_id": message.id, "journey": message.journey, "step": message.step}
        try:
            if target.smart is not None:
                smart = SmartLink.model_validate(target.smart)
                self._change(store, contact, smart, cause)
                self._event(store, contact, "smart_link_clicked", cause, seen, {"name": smart.name, **about})
                if smart.start_journey:
                    self._start(store, contact, smart.start_journey, message, seen.number)
            if (answer := target.answer) is not None:
                told = {"survey": answer.survey, "answers": {answer.question: _value(answer)}, **about}
                if answer.field:
                    events = self._book.set_field(store.id, contact.id, answer.field, _value(answer), cause)
                    self._listen(store, contact.id, events)
                self._event(store, contact, "survey_answered", cause, seen, told)
        except NotFound:  # erased in this moment: there is nobody left to change
            return

    def _start(self, store: Store, contact: Contact, journey_id: str, message: Message, number: str) -> None:
        """As by a step of the message's own journey, about the same order or cart; once for each message and link."""
        by = self._enrolments.get(store.id, message.enrolment_id, contact.id) if message.enrolment_id else None
        if by is None:
            return
        try:
            self._others().start(store, contact.id, journey_id, by, f"{message.step}:link-{number}")
        except StepCannot as why:  # gone, or one start too many: the click counts all the same
            _log.warning("a smart link starts no journey: %s", why, extra={"message_id": message.id})

    def _change(self, store: Store, contact: Contact, smart: SmartLink, cause: str) -> None:
        book, whose = self._book, (store.id, contact.id)
        events = [e for n, v in smart.set_fields.items() for e in book.set_field(*whose, n, v, f"{cause}:{n}")]
        for change, names in (
            (book.add_to_list, smart.add_to_lists),
            (book.remove_from_list, smart.remove_from_lists),
            (book.add_tag, smart.add_tags),
            (book.remove_tag, smart.remove_tags),
        ):
            events += [event for name in names for event in change(*whose, name, cause)]
        if events:
            self._listen(store, contact.id, events)

    def _event(
        self, store: Store, contact: Contact, type_: str, cause: str, seen: Sighting, told: dict[str, Any]
    ) -> None:
        properties = {name: value for name, value in told.items() if value is not None}
        event = Event(id=f"{type_}:{store.id}:{cause}", type=type_, occurred_at=seen.at, properties=properties)
        self._tell(store, contact.id, event)

    def _note(self, message: Message, contact: Contact, seen: Sighting, verdict: Verdict) -> None:
        """The first of its kind in the history, for the owner to see. Raises `Conflict` where others keep writing."""
        status = PROXY_OPENED if verdict.who == PROXY else ROBOT_OPENED if seen.number == OPEN else ROBOT_CLICKED
        found: Message | None = message
        for _ in range(_TRIES):
            if found is None or any(entry.status == status for entry in found.history):
                return
            entry = HistoryEntry(at=seen.at, status=status, detail=verdict.why)
            try:
                self._messages.save(found.model_copy(update={"history": (*found.history, entry)}))
            except Conflict:
                found = self._messages.get(message.store_id, message.id, contact.id)
                continue
            return
        raise Conflict("the message keeps changing")


def _firsts(links: MessageLinks) -> list[tuple[Sighting, Verdict]]:
    """By a person the first open and the first click of each link, by anything else the first open and the first click:
    what comes after them tells nothing new."""
    found: dict[tuple[str, str], tuple[Sighting, Verdict]] = {}
    for seen, verdict in sorted(zip(links.seen, judge(links), strict=True), key=lambda one: one[0].at):
        if seen.number not in (OPEN, HONEYPOT) and links.target(seen.number) is None:
            continue
        which = seen.number if verdict.who == PERSON or seen.number == OPEN else "a link"
        found.setdefault((verdict.who, which), (seen, verdict))
    return list(found.values())


def _report(links: MessageLinks, contact: Contact, seen: Sighting, target: Target | None) -> Report:
    status = MessageStatus.OPENED if seen.number == OPEN else MessageStatus.CLICKED
    link = None if seen.number == OPEN else ((target.url if target else None) or _spoken(target))[:_LONGEST_LINK]
    return Report(links.store_id, links.message_id, status, seen.at, contact_id=contact.id, detail=link)


def _spoken(target: Target | None) -> str:
    """What history calls a link that leads to a word of thanks: its question and answer."""
    answer = target.answer if target else None
    return f"answer:{answer.survey}:{answer.question}:{answer.value}" if answer else ""


def _value(answer: Answer) -> str | int:
    """A rating is a number; one with more digits than a JSON reader keeps is none."""
    return int(answer.value) if _NUMBER.fullmatch(answer.value) else answer.value
