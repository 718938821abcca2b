"""Who leaves: by a goal that is met, an exit of the journey, an order that no longer stands, a cart that is over."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from chalicelib.clock import Clock
from chalicelib.commerce.event import Event
from chalicelib.errors import NotFound
from chalicelib.journeys.about import concerns
from chalicelib.journeys.actions import SetField
from chalicelib.journeys.conditions import Condition, evaluate
from chalicelib.journeys.enrolment import Enrolment, EnrolmentStatus
from chalicelib.journeys.enrolment_changes import EnrolmentChanges
from chalicelib.journeys.entry import place
from chalicelib.journeys.exits import ORDER_UNDONE, CartExits, cart_of, exit_reason, order_of
from chalicelib.journeys.facts import (
    as_entered,
    before_entry,
    entered_since,
    on_the_way,
    wanted_for_each,
)
from chalicelib.journeys.ports import DecisionRecords, Found, OrderRecords, Wanted
from chalicelib.journeys.published import Published
from chalicelib.journeys.triggers import Trigger, event_type


class FieldKeeper(Protocol):
    """`contacts.book.ContactBook`, as far as a refund needs it."""

    def undo_field(self, store_id: str, contact_id: str, cause: str) -> list[Event]: ...


class Leaving:
    def __init__(
        self,
        decisions: DecisionRecords,
        orders: OrderRecords,
        published: Published,
        changes: EnrolmentChanges,
        book: FieldKeeper,
        since: Callable[[str, str, datetime], Sequence[Event]],
        clock: Clock,
    ) -> None:
        """`since` gives a contact's timeline from a moment on."""
        self._decisions, self._orders, self._published = decisions, orders, published
        self._changes, self._book, self._since, self._clock = changes, book, since, clock
        self._cart_exits = CartExits(decisions)

    def goal(self, enrolment: Enrolment) -> Condition | None:
        if not enrolment.open:
            return None
        return self._published.get(enrolment.store_id, enrolment.journey, enrolment.version).definition.goal

    def look_at_goal(self, enrolment: Enrolment, found: Found) -> bool:
        """True if it is met now."""
        if not has_reached(self.goal(enrolment), enrolment, found, self._clock.now()):
            return False
        self._changes.end(enrolment, EnrolmentStatus.GOAL_MET, "goal_met")
        return True

    # Exits of the journey's own

    def conditions(
        self, enrolments: Iterable[Enrolment], events: Sequence[Event]
    ) -> Iterator[tuple[Condition, dict[str, Any]]]:
        """What these events' exits ask, each with its event: what to read for `by_events`."""
        for enrolment in enrolments:
            for leaving, event in self._concerned(enrolment, events):
                if leaving.where is not None:
                    yield leaving.where, as_entered(event)

    def by_events(self, mine: Sequence[Enrolment], events: Sequence[Event], found: Found) -> None:
        """End those of a contact's enrolments that have an exit which one of these events is.

        Only what happened later than the event that began it counts. That the contact entered another journey is known
        from `mine`: nobody tells it.
        """
        for enrolment in mine:
            if enrolment.open:
                self._by_events(enrolment, mine, events, found)

    def by_what_was_told_before(self, enrolment: Enrolment, mine: Sequence[Enrolment]) -> bool:
        """End one whose exit we heard of before its entry, as if they had come in their true order. True if so.

        Read after the enrolment is kept, as whoever tells of an exit looks for enrolments after its event is: of an
        exit and an entry one always sees the other.
        """
        if not (enrolment.open and self.has_exits(enrolment)):
            return False
        store_id, contact_id = enrolment.store_id, enrolment.contact_id
        events = self._since(store_id, contact_id, entered_since(enrolment))
        asked = list(self.conditions([enrolment], events))
        found = self._decisions.read(store_id, contact_id, wanted_for_each(asked)) if asked else Found()
        return self._by_events(enrolment, mine, events, found)

    def has_exits(self, enrolment: Enrolment) -> bool:
        edition = self._published.get(enrolment.store_id, enrolment.journey, enrolment.version)
        return bool(edition.definition.exits)

    def _by_events(
        self, enrolment: Enrolment, mine: Sequence[Enrolment], events: Sequence[Event], found: Found
    ) -> bool:
        happened = sorted((*events, *_entries_beside(enrolment, mine)), key=place)
        for leaving, event in self._concerned(enrolment, happened):
            if leaving.where is None or self._holds(leaving.where, enrolment, event, found):
                self._changes.end(enrolment, EnrolmentStatus.EXITED, f"exit:{event.type}")
                return True
        return False

    def _concerned(self, enrolment: Enrolment, events: Sequence[Event]) -> Iterator[tuple[Trigger, Event]]:
        """Its exits that one of these events may be, in the order of the events."""
        if not enrolment.open:
            return
        edition = self._published.get(enrolment.store_id, enrolment.journey, enrolment.version)
        if not edition.definition.exits:
            return
        since = entered_since(enrolment)
        for event in events:
            if event.occurred_at <= since or event.id == enrolment.event.get("id"):
                continue
            for leaving in edition.definition.exits:
                if event_type(leaving) == event.type and concerns(leaving, event.properties):
                    yield leaving, event

    def _holds(self, where: Condition, enrolment: Enrolment, event: Event, found: Found) -> bool:
        """As a trigger's `where`, about the event that is the exit; "since entry" counts from the pass's own."""
        facts = before_entry(event, found, self._clock.now())
        return facts is not None and evaluate(where, replace(facts, entered_at=entered_since(enrolment)))

    # Orders and carts that are over

    def with_orders(self, enrolments: Iterable[Enrolment], concerned: Collection[object] | None) -> list[Event]:
        """End what began with orders that no longer stand: the `concerned` ones, or any.

        Orders are read anew, after the entries: of an order's end and an entry by it one always sees the other. Of
        concerned ones that were cancelled or refunded in full it also takes back what steps counted, in passes that
        ended long ago too; the events of that are returned.
        """
        reasons: dict[str, str | None] = {}
        happened: list[Event] = []
        for enrolment in enrolments:
            order_id = order_of(enrolment.event)
            if order_id is None or (concerned is not None and order_id not in concerned):
                continue
            counting = self._counting(enrolment) if concerned is not None else []
            if not (enrolment.open or counting):
                continue
            if order_id not in reasons:
                reasons[order_id] = exit_reason(self._orders.get(enrolment.store_id, order_id))
            if (reason := reasons[order_id]) and enrolment.open:
                self._changes.end(enrolment, EnrolmentStatus.EXITED, reason)
            if reason in ORDER_UNDONE:
                happened += self._undo(enrolment, counting)
        return happened

    def _counting(self, enrolment: Enrolment) -> list[str]:
        """Its steps that count what a refund takes back."""
        edition = self._published.get(enrolment.store_id, enrolment.journey, enrolment.version)
        steps = (place.step for place in edition.definition.located())
        return [step.id for step in steps if isinstance(step, SetField) and step.undo_on_refund]

    def _undo(self, enrolment: Enrolment, steps: Sequence[str]) -> list[Event]:
        """Also of steps that were not done: one may be on its way at this very moment, and is not to count then."""
        try:
            undone = [
                self._book.undo_field(enrolment.store_id, enrolment.contact_id, f"{enrolment.id}:{step}")
                for step in steps
            ]
        except NotFound:  # erased meanwhile
            return []
        return [event for events in undone for event in events]

    def with_carts(self, enrolments: Iterable[Enrolment], concerned: Collection[str]) -> None:
        """As with orders: carts are read anew, so that of a cart's end and an entry by it one sees the other."""
        began = [e for e in enrolments if e.open and cart_of(e.event) in concerned]
        if not began:
            return
        wanted = Wanted(carts=sorted(concerned))
        carts = self._decisions.read(began[0].store_id, began[0].contact_id, wanted).carts
        for enrolment in began:
            if reason := self._cart_exits.reason(enrolment, carts):
                self._changes.end(enrolment, EnrolmentStatus.EXITED, reason)


def has_reached(goal: Condition | None, enrolment: Enrolment, found: Found, now: datetime) -> bool:
    facts = on_the_way(enrolment, [goal], found, now) if goal else None
    return goal is not None and facts is not None and evaluate(goal, facts)


def _entries_beside(enrolment: Enrolment, mine: Iterable[Enrolment]) -> list[Event]:
    """That the contact entered other journeys, as events; one that was over before it began is none."""
    return [
        Event(
            id=f"journey_entered:{other.id}",
            type="journey_entered",
            occurred_at=entered_since(other),
            properties={"journey": other.journey},
        )
        for other in mine
        if other.id != enrolment.id and (other.open or other.started)
    ]
