"""Who enters: the enrolments that one event of a contact makes in the journeys that take people in by it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from chalicelib.clock import Clock
from chalicelib.commerce.event import Event
from chalicelib.commerce.store import Store
from chalicelib.errors import Conflict
from chalicelib.ids import enrolment_id
from chalicelib.journeys.actions import Wait
from chalicelib.journeys.enrolment import Enrolment, EnrolmentStatus
from chalicelib.journeys.entry import cart_taken, happened_after, matches, same_words
from chalicelib.journeys.exits import ON_ORDERS, cart_exit_reason, cart_of, exit_reason, order_of
from chalicelib.journeys.facts import as_entered
from chalicelib.journeys.gathering import gathers, is_gathered
from chalicelib.journeys.journey import Journey, JourneyStatus
from chalicelib.journeys.launch import Launcher
from chalicelib.journeys.leaving import Leaving, has_reached
from chalicelib.journeys.passages import ended, noted
from chalicelib.journeys.plan import first_step
from chalicelib.journeys.ports import EnrolmentRecords, Found, JourneyRecords
from chalicelib.journeys.published import Edition, Published
from chalicelib.journeys.reentry import entry_key
from chalicelib.journeys.true_order import TrueOrder
from chalicelib.journeys.waits import Waits, asks_contact


class Entering:
    """The enrolment's conditional put decides; repeating is harmless."""

    def __init__(
        self,
        journeys: JourneyRecords,
        enrolments: EnrolmentRecords,
        published: Published,
        launcher: Launcher,
        true_order: TrueOrder,
        leaving: Leaving,
        waits: Waits,
        clock: Clock,
    ) -> None:
        self._journeys, self._enrolments, self._published = journeys, enrolments, published
        self._launcher, self._true_order, self._leaving = launcher, true_order, leaving
        self._waits, self._clock = waits, clock

    def live(self, journey: Journey) -> Edition | None:
        if journey.live_version is None:
            return None
        return self._published.get(journey.store_id, journey.id, journey.live_version)

    def open_to(self, journeys: Iterable[Journey], event: Event) -> list[Edition]:
        """Which of them this event may begin a pass of: not those that gather it first."""
        editions = (self.live(journey) for journey in journeys if journey.trigger_type == event.type)
        return [
            edition
            for edition in editions
            if edition and (is_gathered(event) or gathers(edition.definition.trigger) is None)
        ]

    def active(self, store_id: str) -> list[Journey]:
        """Those that take people in."""
        return [one for one in self._journeys.of_store(store_id) if one.status is JourneyStatus.ACTIVE]

    def taking_in(self, store_id: str, events: Iterable[Event]) -> list[Journey]:
        """Those that take people in by such events."""
        types = {event.type for event in events}
        return [one for one in self.active(store_id) if one.trigger_type in types] if types else []

    def enter_all(
        self,
        store: Store,
        contact_id: str,
        journeys: Iterable[Journey],
        mine: list[Enrolment],
        event: Event,
        found: Found,
    ) -> bool:
        """True if an enrolment that an earlier event should have had stands in this one's way."""
        editions = self.open_to(journeys, event)
        in_the_way = [self._enter(store, contact_id, edition, mine, event, found) for edition in editions]
        return any(in_the_way)

    def _enter(
        self, store: Store, contact_id: str, edition: Edition, mine: list[Enrolment], event: Event, found: Found
    ) -> bool:
        before = [enrolment for enrolment in mine if enrolment.journey == edition.version.journey]
        stands = next((e for e in before if e.event.get("id") == event.id), None)
        if stands is not None:
            return not same_words(stands, event) and self._true_order.is_untouched(stands)
        now = self._clock.now()
        if is_only_history(found, event) or cart_taken(mine, event) or not matches(edition, event, found, now):
            return False
        key = entry_key(edition.definition.reentry, event, before)
        if key is not None:
            entered = self.let_in(store, contact_id, edition, key, event, found, mine)
            if entered is not None:
                mine.append(entered)
                return False
        return event.type in ON_ORDERS and any(
            happened_after(e, event) and self._true_order.is_untouched(e) for e in before
        )

    def let_in(
        self,
        store: Store,
        contact_id: str,
        edition: Edition,
        key: str,
        event: Event,
        found: Found,
        mine: Sequence[Enrolment],
    ) -> Enrolment | None:
        """Make the enrolment of this key and start it; None where there is one already. `found` is what its goal and
        its order or cart are read from, `mine` are the contact's enrolments.
        """
        enrolment = self._entering(store, contact_id, edition, key, event, found, self._clock.now())
        entered = enrolment if self._enrolments.create(enrolment) else self._revived(enrolment)
        if entered is not None and not self._leaving.by_what_was_told_before(entered, mine):
            self._launcher.launch(entered)
        return entered

    def _entering(
        self, store: Store, contact_id: str, edition: Edition, key: str, event: Event, found: Found, now: datetime
    ) -> Enrolment:
        journey_id = edition.version.journey
        first = first_step(edition.definition)
        seen = as_entered(event)
        enrolment = Enrolment(
            id=enrolment_id(contact_id, store.id, journey_id, key),
            store_id=store.id,
            journey=journey_id,
            contact_id=contact_id,
            version=edition.version.version,
            entry_key=key,
            event=seen,
            at_step=first.id if first else None,
            due_at=self._waits.end(store, first, found.contact, seen, now) if isinstance(first, Wait) else None,
            entered_at=now,
            execution_at=now,
            rev=1,  # so that a save after a merge moved it away is a conflict, and never a second birth
        )
        enrolment = noted(enrolment, now, "entered", detail=event.id)
        if first is None:  # nothing but waits: whoever enters is through
            return ended(enrolment, now, EnrolmentStatus.COMPLETED, "completed")
        if over := exit_reason(found.orders.get(order_of(seen) or "")):
            return ended(enrolment, now, EnrolmentStatus.EXITED, over)
        if has_reached(edition.definition.goal, enrolment, found, now):  # an event that was told late
            return ended(enrolment, now, EnrolmentStatus.GOAL_MET, "goal_met")
        over = cart_exit_reason(found.carts.get(cart_of(seen) or ""))
        return ended(enrolment, now, EnrolmentStatus.EXITED, over) if over else enrolment

    def _revived(self, wanted: Enrolment) -> Enrolment | None:
        """Entered again where an enrolment of the same key was withdrawn, for an execution of the next generation."""
        stood = self._enrolments.get(wanted.store_id, wanted.id, wanted.contact_id)
        if stood is None or not stood.withdrawn:
            return None
        again = wanted.model_copy(update={"id": stood.id, "generation": stood.generation + 1, "rev": stood.rev})
        try:
            return self._enrolments.save(again)
        except Conflict:
            return None  # another telling of the event was quicker


def begins_by_contact(edition: Edition) -> bool:
    """Whether its first wait ends by what is known of the contact."""
    first = first_step(edition.definition)
    return isinstance(first, Wait) and asks_contact(first)


def is_only_history(found: Found, event: Event) -> bool:
    """Whether no delivery ever told of this event's order: it was found in the store's past."""
    order = found.orders.get(order_of(as_entered(event)) or "")
    return order is not None and order.pulled
