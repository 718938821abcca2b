"""Waits for an event: who stands in one, which event it is that they wait for, and waking them when it comes.

The record says first that the event came; only then is the state machine's token answered. A crash between the two is
repaired by the next event told of this contact, or by the task that parks; at the latest the wait's own time-out wakes
the execution, and the record tells it that the event came. Which of event and time-out was first is decided by the
record too: whoever wrote over its newest revision.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.clock import Clock
from chalicelib.commerce.event import Event
from chalicelib.journeys.about import concerns
from chalicelib.journeys.actions import UntilEvent, Wait
from chalicelib.journeys.conditions import evaluate
from chalicelib.journeys.enrolment import Enrolment, Parked
from chalicelib.journeys.enrolment_changes import EnrolmentChanges
from chalicelib.journeys.entry import place
from chalicelib.journeys.exits import token_in
from chalicelib.journeys.facts import (
    as_entered,
    entered_since,
    messages_asked,
    newest_cart_asked,
    on_the_way,
    orders_asked,
    subjects_asked,
    with_catalogue,
)
from chalicelib.journeys.passages import happened
from chalicelib.journeys.ports import DecisionRecords, ProductRecords, TimelineRecords, Wanted, Workflows
from chalicelib.journeys.published import Published
from chalicelib.journeys.triggers import event_type

_PAGE = 100
_MOST_PAGES = 10  # so that a long wait of somebody who clicks all day costs no more than this


def parked_in(enrolment: Enrolment, step: str) -> Parked:
    """What is known of this enrolment's wait for an event, also before it parked there. Its limit is `due_at`."""
    parked = enrolment.parked
    if parked is None or parked.step != step:
        return Parked(step=step, until=enrolment.due_at or enrolment.entered_at)
    return parked.model_copy(update={"until": enrolment.due_at or parked.until})


def has_happened(enrolment: Enrolment, step: str) -> bool:
    return parked_in(enrolment, step).happened_at is not None


class Awaited:
    """Finds the event that an enrolment waits for."""

    def __init__(self, decisions: DecisionRecords, products: ProductRecords, timeline: TimelineRecords) -> None:
        self._decisions, self._products, self._timeline = decisions, products, timeline

    def first(self, enrolment: Enrolment, wait: Wait, events: Iterable[Event], now: datetime) -> Event | None:
        """The oldest of these that counts: since the contact entered, before the wait's limit, of this wait's kind.

        Neither the event that began the journey counts, nor one that an earlier wait of this pass was about.
        """
        until_event = wait.until_event
        if until_event is None:
            return None
        since, until = entered_since(enrolment), parked_in(enrolment, wait.id).until
        used = {passage.detail for passage in enrolment.history if passage.what == "happened"}
        used.add(enrolment.event.get("id"))
        for event in sorted(events, key=place):
            counts = event.id not in used and since <= event.occurred_at < until
            if counts and self._is_meant(enrolment, until_event, event, now):
                return event
        return None

    def came_before(self, enrolment: Enrolment, wait: Wait, now: datetime) -> Event | None:
        """As `first`, of those that the contact's timeline has: its newest thousand."""
        since, found = entered_since(enrolment), list[Event]()
        before: str | None = None
        for _ in range(_MOST_PAGES):
            page = self._timeline.of_contact(
                enrolment.store_id, enrolment.contact_id, before=before, limit=_PAGE, since=since
            )
            found += page
            if len(page) < _PAGE:
                break
            before = self._timeline.sort_key(page[-1])
        kind = event_type(wait.until_event.event) if wait.until_event else None
        told = [event for event in found if event.type == kind]
        return self.first(enrolment, wait, with_catalogue(self._products, enrolment.store_id, told), now)

    def _is_meant(self, enrolment: Enrolment, until_event: UntilEvent, event: Event, now: datetime) -> bool:
        trigger = until_event.event
        if event_type(trigger) != event.type or not concerns(trigger, event.properties):
            return False
        if trigger.where is None:
            return True
        seen, asked = as_entered(event), [trigger.where]
        token = token_in(seen)
        wanted = Wanted(
            store=True,
            orders=orders_asked(asked, seen),
            carts=[token] if token else [],
            newest_cart=newest_cart_asked(asked, seen),
            messages=list(messages_asked(asked, enrolment.id)),
            subjects=subjects_asked(asked, seen),
            engagement=True,
        )
        found = self._decisions.read(enrolment.store_id, enrolment.contact_id, wanted)
        facts = on_the_way(enrolment.model_copy(update={"event": seen}), asked, found, now)
        return facts is not None and evaluate(trigger.where, replace(facts, entered_at=entered_since(enrolment)))


class Wakers:
    """Tells those who wait for an event that it came."""

    def __init__(
        self, published: Published, awaited: Awaited, changes: EnrolmentChanges, workflows: Workflows, clock: Clock
    ) -> None:
        self._published, self._awaited, self._changes = published, awaited, changes
        self._workflows, self._clock = workflows, clock

    def wake(self, enrolments: Iterable[Enrolment], events: Sequence[Event]) -> None:
        """These events of a contact, told to all its enrolments. One that is held notes it, and goes on when resumed.

        Raises `TryLater`: repeat with the same events.
        """
        for enrolment in enrolments:
            wait = self._wait_of(enrolment)
            if wait is None:
                continue
            came = self._note(enrolment, wait, events)
            if came is not None:
                self._answer(came, wait)

    def _note(self, enrolment: Enrolment, wait: Wait, events: Sequence[Event]) -> Enrolment | None:
        """The record as it stands if the event came, now or before."""
        now = self._clock.now()
        if has_happened(enrolment, wait.id):
            return enrolment
        event = self._awaited.first(enrolment, wait, events, now)
        if event is None:
            return None

        def came(present: Enrolment) -> Enrolment:
            still = present.open and present.at_step == wait.id and not has_happened(present, wait.id)
            return happened(present, now, parked_in(present, wait.id), event.id) if still else present

        return self._changes.change(enrolment, came) or self._changes.present(enrolment)

    def _answer(self, enrolment: Enrolment, wait: Wait) -> None:
        parked = parked_in(enrolment, wait.id)
        if enrolment.open and enrolment.at_step == wait.id and parked.happened_at and parked.token:
            self._workflows.answer(parked.token, {})

    def _wait_of(self, enrolment: Enrolment) -> Wait | None:
        """The wait for an event that it stands in."""
        if not enrolment.open or enrolment.at_step is None:
            return None
        edition = self._published.get(enrolment.store_id, enrolment.journey, enrolment.version)
        step = edition.definition.step(enrolment.at_step)
        return step if isinstance(step, Wait) and step.until_event is not None else None
