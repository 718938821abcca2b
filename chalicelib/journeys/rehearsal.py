"""One journey, rehearsed: the Enroller and the Steps that do the work, over one contact's past, on a virtual clock.

Nothing is written and nobody is written to: records are in memory (`journeys.memory`), messages are decided on and
never composed. Of two things at the same moment what happened to the contact comes first, then who waited until then.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from heapq import heappop, heappush
from itertools import groupby
from typing import Any, Protocol, cast

from chalicelib.clock import Clock, rfc3339
from chalicelib.commerce.event import Event
from chalicelib.commerce.machines import ERRAND
from chalicelib.commerce.machines import machine as fixed_machine
from chalicelib.commerce.store import Sending, Store
from chalicelib.contacts.book import ContactBook
from chalicelib.contacts.erased import ErasedPeople
from chalicelib.contacts.ports import Contacts, KeptExports, RawDeliveries, Timeline
from chalicelib.contacts.resolve import Resolver
from chalicelib.ids import bucket, enrolment_id
from chalicelib.journeys.compile import compile_journey, compile_resume
from chalicelib.journeys.consequences import Consequences
from chalicelib.journeys.definition import Definition
from chalicelib.journeys.enrol import Enroller
from chalicelib.journeys.enrolment import Enrolment
from chalicelib.journeys.errands import Errands
from chalicelib.journeys.executions import Call, Executions
from chalicelib.journeys.facts import with_catalogue
from chalicelib.journeys.gatherer import GATHER
from chalicelib.journeys.gathering import VISITS, gathers
from chalicelib.journeys.journey import Journey, JourneyStatus, JourneyVersion
from chalicelib.journeys.memory import (
    Catalogue,
    MemoryContacts,
    MemoryEnrolments,
    MemoryJourneys,
    MemoryMessages,
    MemoryOrders,
    MemoryRecents,
    MemoryTimeline,
    OneContact,
    VirtualClock,
)
from chalicelib.journeys.nowhere import (
    MemoryCoupons,
    MemoryErrands,
    MemoryGatherings,
    NoWebhooks,
    Nowhere,
    OneStore,
    OthersNotFollowed,
)
from chalicelib.journeys.past import Past, Then, at_first, changed_by
from chalicelib.journeys.ports import NotNow, Outside, ProductRecords, Workflows
from chalicelib.journeys.reentry import ONCE
from chalicelib.journeys.rehearsed_days import rehearsed_days
from chalicelib.journeys.steps import Steps
from chalicelib.journeys.triggers import Trigger, ViewTrigger, event_type
from chalicelib.messages.making import Medium
from chalicelib.messages.message import Message, MessageStatus
from chalicelib.messages.ports import NobodySuppressed
from chalicelib.messages.reports import Report, Reports, apply_report
from chalicelib.messages.send import Sender

OPENED_AFTER = timedelta(hours=1)
CLICKED_AFTER = timedelta(hours=1, minutes=1)
_ARN = "arn:aws:lambda:::function:journey_step"
_VERSION = 1
_ENROLMENT = re.compile(r"[0-9a-z]{26}-[a-z2-7]{20}")
_KEYS = ("order_id", "cart_token")  # what entries are told apart by, beside their events (`journeys.reentry`)
_MOST_COUNTED = 100


@dataclass(frozen=True)
class Assume:
    """What share of the messages is opened, and clicked (from 0 to 1): the same ones every time."""

    opened: float = 0.0
    clicked: float = 0.0


UNOPENED = Assume()


_Happening = Sequence[Event] | str | date
"""Events of one moment, a cart that is over, or a day on which journeys of the calendar look who is due."""


class Running(Workflows, Protocol):
    """`executions.Executions`."""

    transitions: int

    def clear(self) -> None: ...

    def due(self) -> datetime | None: ...

    def go_on(self) -> None: ...


class Rehearsal:
    """`run` one contact after the other; afterwards `kept` and `workflows` tell what came of it."""

    def __init__(
        self,
        store: Store,
        journey_id: str,
        definition: Definition,
        products: ProductRecords,
        start: datetime,
        assume: Assume = UNOPENED,
        executions: Callable[[Clock, Call], Running] = Executions,
    ) -> None:
        self.store, self.definition, self._start, self._assume = _sending(store), definition, start, assume
        self.clock = VirtualClock(start)
        self.journeys = MemoryJourneys()
        self.products = Catalogue(products)
        self.kept = OneContact(self.store, self.journeys, self.products)
        self.workflows = executions(self.clock, self._task)
        self.invocations = self.heard = 0
        self._journey_id = journey_id
        self._publish()
        self._nowhere = Nowhere()
        self._reports: list[tuple[datetime, str, MessageStatus]] = []
        self._messages, self._contacts = MemoryMessages(self.kept), cast("Contacts", MemoryContacts(self.kept))
        self._coupons, self._gatherings, self._errand_records = MemoryCoupons(), MemoryGatherings(), MemoryErrands()
        self._book = self._made_book()
        self._enroller = self._made_enroller()
        self._errands = self._made_errands()
        self._steps = self._made_steps()
        self._desk = Reports(
            self._messages,
            self._contacts,
            self._book,
            self._book.note,
            OneStore(self.store),
            lambda: self._enroller,
        )
        self._days = rehearsed_days(definition.trigger, self.store, self.products)
        self._begins = _began_by(definition.trigger)
        self._asks_delivered = _mentions(definition.dump(), {"delivered", "message_delivered"})

    def _publish(self) -> None:
        name, now = f"{self.store.id}-{self._journey_id}", self.clock.now()
        machine = self.workflows.publish(name, compile_journey(self.definition, _ARN))
        resume = self.workflows.publish(f"{name}-resume", compile_resume(self.definition, _ARN))
        version = JourneyVersion(
            store_id=self.store.id,
            journey=self._journey_id,
            version=_VERSION,
            definition=self.definition.dump(),
            machine=machine,
            resume_machine=resume,
            published_at=now,
        )
        self.journeys.publish(version)
        head = Journey(
            id=self._journey_id,
            store_id=self.store.id,
            status=JourneyStatus.ACTIVE,
            live_version=_VERSION,
            trigger_type=event_type(self.definition.trigger),
            has_goal=self.definition.goal is not None,
            gathers=gathers(self.definition.trigger) is not None,
            created_at=now,
            updated_at=now,
        )
        self.journeys.save(head)

    def _made_enroller(self) -> Enroller:
        orders, timeline = MemoryOrders(self.kept), MemoryTimeline(self.kept)
        return Enroller(
            self.journeys,
            MemoryEnrolments(self.kept),
            self.kept,
            orders,
            self.products,
            timeline,
            self._gatherings,
            Consequences(self._contacts, orders, self._coupons, self._book, timeline),
            self._book,
            lambda: self._errands,
            self.workflows,
            self.clock,
        )

    def _made_steps(self) -> Steps:
        medium, enrolments = Medium(self._nowhere, self._nowhere), MemoryEnrolments(self.kept)
        nowhere, recents, suppressions = self._nowhere, MemoryRecents(self.kept), NobodySuppressed()
        sender = Sender(
            self._messages, recents, suppressions, nowhere, nowhere, nowhere, self.clock, lambda channel, store: medium
        )
        return Steps(
            self.kept,
            self.journeys,
            enrolments,
            self.products,
            MemoryTimeline(self.kept),
            self._book,
            self._enroller,
            sender,
            self.workflows,
            Outside(self._coupons, self._coupons, NoWebhooks, OthersNotFollowed()),
            self.clock,
        )

    def _made_book(self) -> ContactBook:
        """The steps change contacts that are there: nobody is met, merged, erased or exported."""
        nothing = cast("RawDeliveries", None), cast("KeptExports", None)
        erased = cast("ErasedPeople", None)
        resolver = Resolver(self._contacts, cast("Timeline", None), self.clock, erased)
        stores = OneStore(self.store)
        return ContactBook(self._contacts, resolver, *nothing, self.clock, lambda: self._enroller, stores, erased)

    def _made_errands(self) -> Errands:
        machine = self.workflows.publish(ERRAND, fixed_machine(ERRAND, _ARN))
        works = {GATHER: self._enroller.gatherer}
        return Errands(
            self._errand_records,
            OneStore(self.store),
            works.__getitem__,
            lambda: self.workflows,
            machine,
            self.clock,
        )

    def run(self, past: Past, end: datetime, meanwhile: Callable[[], object] = lambda: None) -> None:
        """From the start to `end`. `meanwhile` is called again and again; what it raises ends the run."""
        self.clock.time = self._start
        self.workflows.clear()
        self._reports = []
        for kept in (self._coupons, self._gatherings, self._errand_records):
            kept.clear()
        self._then = Then(past, self._start, self.clock.now)
        self.kept.take(at_first(past, self._start), self._then)
        self._look_at_totals()
        caused = any(_ENROLMENT.search(event.id) for event in past.events)
        self._ours = self._own_enrolments(past) if caused else set()
        told = _by_moment([event for event in past.events if self._start <= event.occurred_at <= end])
        over = [one for one in self._then.carts_over() if self._start <= one[0] <= end]
        days = self._days.moments(self._start, end) if self._days else ()
        moments: list[tuple[datetime, _Happening]] = [*days, *over, *told]  # of the same moment the last one first
        moments.sort(key=lambda one: one[0], reverse=True)
        while True:
            meanwhile()
            happens = moments[-1][0] if moments else None
            reported = self._reports[0][0] if self._reports else None
            due = self.workflows.due()
            following = min((at for at in (happens, reported, due) if at is not None), default=None)
            if following is None or following > end:
                break
            self.clock.time = max(self.clock.time, following)
            if following == happens:
                self._happened(moments.pop()[1])
            elif following == reported:
                self._report(*heappop(self._reports))
            else:
                self._look_at_totals()
                self.workflows.go_on()
                self._hand_over()
        self.clock.time = end

    def passes(self) -> list[Enrolment]:
        """Of the contact that was run last, oldest first."""
        return MemoryEnrolments(self.kept).of_contact(self.store.id, "")

    def messages_of(self, enrolment: Enrolment) -> list[Message]:
        return [message for message in self.kept.messages.values() if message.enrolment_id == enrolment.id]

    @property
    def assumed(self) -> str:
        """What became of messages, in words."""
        opened, clicked = max(self._assume.opened, self._assume.clicked), self._assume.clicked
        if not opened:
            return "Every message is delivered at once and never opened."
        return f"Every message is delivered at once; {opened:.0%} are opened and {clicked:.0%} clicked, an hour later."

    def _look_at_totals(self) -> None:
        if self.kept.contact is not None:
            self.kept.contact = self._then.up_to_date(self.kept.contact)

    def _happened(self, what: _Happening) -> None:
        contact = self.kept.contact
        if contact is None:
            return
        if isinstance(what, date):
            self._look_at_totals()
            due = (
                self._days.event(self.kept.contact or contact, self._then, what, self.clock.now())
                if self._days
                else None
            )
            what = [due] if due else []
        if isinstance(what, str):
            if self.kept.enrolments:
                self._enroller.leave_cart(self.store, contact.id, what)
            return
        fresh = [event for event in what if not self._is_ours(event) and self.kept.tell(event)]
        for event in fresh:
            self._then.tell(event)
            contact = changed_by(contact, event)
        self.kept.contact = contact
        self._look_at_totals()
        on_the_way = any(enrolment.open for enrolment in self.kept.enrolments.values())
        if on_the_way or any(event.type in self._begins or event.type.startswith("order_") for event in fresh):
            self.heard += on_the_way
            told = with_catalogue(self.products, self.store.id, fresh)
            self._enroller.on_events(self.store, contact.id, told)

    def _is_ours(self, event: Event) -> bool:
        """What this very journey really did, and what became of its messages: the rehearsed ones stand in their place.

        A step's cause is in its event's id, and an enrolment's id follows from its key.
        """
        if event.type.startswith("message_"):
            return event.properties.get("journey") == self._journey_id
        return any(found in self._ours for found in _ENROLMENT.findall(event.id))

    def _own_enrolments(self, past: Past) -> set[str]:
        """The ids of all passes of this journey that the contact may really have had since the beginning."""
        began = [event for event in past.events if event.type in self._begins]
        keys = {str(event.properties[name]) for event in began for name in _KEYS if event.properties.get(name)}
        keys |= {event.id for event in began} | {ONCE} | {f"r{number}" for number in range(1, _MOST_COUNTED)}
        return {enrolment_id(past.contact.id, self.store.id, self._journey_id, key) for key in keys}

    def _task(self, resource: str, payload: Any) -> Any:
        self.invocations += 1
        if "errand_id" in payload:
            again_at = self._errands.work(payload["store_id"], payload["errand_id"])
            if again_at is not None:  # text has milliseconds, and a moment too early would come again for ever
                raise NotNow(rfc3339(again_at + timedelta(microseconds=999)))
            return {}
        whose = payload["store_id"], payload["enrolment_id"], payload["generation"]
        if "park" in payload:
            return self._steps.park(*whose, payload["park"], payload["token"], payload["seconds"])
        return self._steps.run(*whose, payload["steps"], payload["next"])

    # What becomes of messages

    def _hand_over(self) -> None:
        """Everything that went out is delivered at once; whether it is opened is the assumption's."""
        taken, self._nowhere.taken = self._nowhere.taken, []
        for message_id in taken:
            now = self.clock.now()
            heappush(self._reports, (now, message_id, MessageStatus.DELIVERED))
            drawn = _share(message_id)
            if drawn < max(self._assume.opened, self._assume.clicked):
                heappush(self._reports, (now + OPENED_AFTER, message_id, MessageStatus.OPENED))
            if drawn < self._assume.clicked:
                heappush(self._reports, (now + CLICKED_AFTER, message_id, MessageStatus.CLICKED))

    def _report(self, at: datetime, message_id: str, status: MessageStatus) -> None:
        report = Report(self.store.id, message_id, status, at)
        if status is MessageStatus.DELIVERED and not self._asks_delivered:
            apply_report(report, self._messages, self._book)
            return  # told at the very moment of its step, it would show nothing that the step did not see
        self._desk.take(report)


def _began_by(trigger: Trigger) -> set[str]:
    """The types of the events upon which somebody may enter by it, sooner or later."""
    if isinstance(trigger, ViewTrigger) and trigger.quiet_hours:
        return {event_type(trigger), *VISITS}
    return {event_type(trigger)}


def _mentions(data: Any, words: set[str]) -> bool:
    """Whether any text in a definition is one of these."""
    if isinstance(data, dict):
        return any(_mentions(value, words) for value in data.values())
    if isinstance(data, list | tuple):
        return any(_mentions(value, words) for value in data)
    return data in words if isinstance(data, str) else False


def _share(message_id: str) -> float:
    """From 0 to 1, the same for a message every time."""
    return bucket(10_000, "what-if", message_id) / 10_000


def _sending(store: Store) -> Store:
    """As if it were connected and the owner's switch stood on live: what would go out is the question."""
    settings = store.settings.model_copy(update={"sending": Sending.LIVE})
    return store.model_copy(update={"settings": settings, "connection": None})


def _by_moment(events: Sequence[Event]) -> Iterator[tuple[datetime, Sequence[Event]]]:
    in_order = sorted(events, key=lambda event: (event.occurred_at, event.id))
    for moment, together in groupby(in_order, key=lambda event: event.occurred_at):
        yield moment, list(together)
