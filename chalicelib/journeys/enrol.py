"""Events meet journeys: who enters, whose goal is met, who leaves because the order was cancelled.

The enrolment's conditional put decides. Everything here may be repeated with the same events, at the same moment
from two sides, or after a crash at any point, and ends in the same records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from chalicelib.clock import Clock
from chalicelib.commerce.cart_catalogue import completed_event, lacking_in
from chalicelib.commerce.event import FRESH, Event
from chalicelib.commerce.store import FirstHistory, Store
from chalicelib.journeys.consequences import Consequences, thresholds_in
from chalicelib.journeys.enrolment import Enrolment, EnrolmentStatus
from chalicelib.journeys.enrolment_changes import EnrolmentChanges
from chalicelib.journeys.entering import Entering, begins_by_contact, is_only_history
from chalicelib.journeys.entry import place
from chalicelib.journeys.errands import Errands
from chalicelib.journeys.exits import (
    ON_CARTS,
    cart_of,
    order_of,
    token_in,
)
from chalicelib.journeys.facts import as_entered, wanted_for, wanted_for_each
from chalicelib.journeys.gatherer import Gatherer, GatheringRecords
from chalicelib.journeys.journey import Journey
from chalicelib.journeys.launch import Launcher
from chalicelib.journeys.leaving import FieldKeeper, Leaving
from chalicelib.journeys.parked import Awaited, Wakers
from chalicelib.journeys.ports import (
    DecisionRecords,
    EnrolmentRecords,
    Found,
    JourneyRecords,
    OrderRecords,
    ProductRecords,
    TimelineRecords,
    Wanted,
    Workflows,
)
from chalicelib.journeys.published import Edition, Published
from chalicelib.journeys.true_order import TrueOrder
from chalicelib.journeys.waits import Waits


class Enroller:
    """`published`, `changes` and `launcher` serve whoever interferes with one on the way, too."""

    def __init__(
        self,
        journeys: JourneyRecords,
        enrolments: EnrolmentRecords,
        decisions: DecisionRecords,
        orders: OrderRecords,
        products: ProductRecords,
        timeline: TimelineRecords,
        gatherings: GatheringRecords,
        consequences: Consequences,
        book: FieldKeeper,
        errands: Callable[[], Errands],
        workflows: Workflows,
        clock: Clock,
    ) -> None:
        self._enrolments = enrolments
        self._decisions = decisions
        self._products = products
        self._consequences = consequences
        self._clock = clock
        self.published = Published(journeys)
        self.launcher = Launcher(self.published, enrolments, workflows, clock)
        self.changes = EnrolmentChanges(enrolments, decisions, self.launcher, clock)
        awaited = Awaited(decisions, products, timeline)
        self._wakers = Wakers(self.published, awaited, self.changes, workflows, clock)
        self._true_order = TrueOrder(decisions, products, timeline, self.published, self.changes, clock)
        since = self._true_order.since
        self._leaving = Leaving(decisions, orders, self.published, self.changes, book, since, clock)
        self._entering = Entering(
            journeys,
            enrolments,
            self.published,
            self.launcher,
            self._true_order,
            self._leaving,
            Waits(products),
            clock,
        )
        self.gatherer = Gatherer(
            gatherings, errands, journeys, decisions, products, self.published, self._enter_gathered, clock
        )

    def on_events(self, store: Store, contact_id: str, events: Sequence[Event]) -> None:
        """What follows from events of one contact, new or told again, after the records they are about are kept.

        First goals of those on their way, then entries (only events younger than 48 h of store time), then exits: the
        journey's own, and orders and carts that are over; last those are woken who waited for one of these events. So
        an event that is both the goal and an exit met the goal, and one that begins a pass does not end it.
        Raises `TryLater`: repeat with the same events.
        """
        if not events:
            return
        mine = self._enrolments.of_contact(store.id, contact_id)
        for enrolment in mine:
            self.launcher.launch(enrolment)  # one whose start a crash swallowed
        oldest = self._clock.now() - FRESH
        told = self._with_goods(store.id, events)
        may_begin = any(event.occurred_at > oldest or event.type.startswith("order_") for event in told)
        active = self._entering.active(store.id) if may_begin else []
        told = sorted([*told, *self._thresholds(store, contact_id, active, mine, told)], key=_turn)
        fresh = [event for event in told if event.occurred_at > oldest]
        self.gatherer.hear(store, contact_id, active, fresh)
        types = {event.type for event in fresh}
        journeys = [journey for journey in active if journey.trigger_type in types]
        found = self._read(store.id, contact_id, journeys, fresh, mine, told)
        met = [self._leaving.look_at_goal(enrolment, found) for enrolment in mine]
        if any(met):
            mine = self._enrolments.of_contact(store.id, contact_id)
        self._recheck(mine, told)
        in_the_way = [self._entering.enter_all(store, contact_id, journeys, mine, event, found) for event in fresh]
        if any(in_the_way):
            self.reconsider(store, contact_id)
        self._leave(store, contact_id, mine, told, found)
        self._wakers.wake(mine, told)
        for owner, event in self._consequences.redemptions(store, fresh):
            self.on_events(store, owner, [event])

    def look(self, store: Store, contact_id: str, events: Sequence[Event]) -> None:
        """Goals and exits that follow from events out of the store's past; nobody enters by them."""
        mine = self._enrolments.of_contact(store.id, contact_id)
        if not mine:
            return
        found = self._read(store.id, contact_id, (), (), mine, events)
        met = [self._leaving.look_at_goal(enrolment, found) for enrolment in mine]
        if any(met):
            mine = self._enrolments.of_contact(store.id, contact_id)
        self._leave(store, contact_id, mine, events, found)
        self._wakers.wake(mine, events)

    def reconsider(self, store: Store, contact_id: str) -> None:
        """Orders of this contact came in another order than they were paid: end as if they had not.

        Enrolments of order events that would not have begun, and of which no message was claimed, are withdrawn; the
        others keep their event as it reads now. Order events younger than 48 h are matched anew, oldest first.
        While ranks are unknown nothing is done: whoever finishes the first history comes back.
        """
        if store.first_history is FirstHistory.RUNNING:
            return
        recent = self._true_order.recent_orders(store.id, contact_id)
        journeys = self._entering.taking_in(store.id, recent)
        found = self._read(store.id, contact_id, journeys, recent)
        orders = [event for event in recent if not is_only_history(found, event)]
        self._true_order.put_right(self._enrolments.of_contact(store.id, contact_id), orders)
        mine = self._enrolments.of_contact(store.id, contact_id)
        for event in orders:
            goals = self._read(store.id, contact_id, (), (), mine)
            met = [self._leaving.look_at_goal(enrolment, goals) for enrolment in mine]
            if any(met):
                mine = self._enrolments.of_contact(store.id, contact_id)
            self._entering.enter_all(store, contact_id, journeys, mine, event, found)
        self._leaving.by_events(mine, (), Found())
        self._leaving.with_orders(mine, None)

    def leave_cart(self, store: Store, contact_id: str, token: str) -> None:
        """This cart was bought (by whomever) or emptied, or is another's: what began with it ends."""
        began = [e for e in self._enrolments.of_contact(store.id, contact_id) if e.open and cart_of(e.event) == token]
        found = self._read(store.id, contact_id, (), (), began)  # that it is bought may be the very goal
        self._leaving.with_carts([e for e in began if not self._leaving.look_at_goal(e, found)], {token})

    def stop_all(self, store_id: str, contact_id: str, reason: str) -> None:
        """End everything this contact is in (`contact_erased`, `store_deleted`, …)."""
        for enrolment in self._enrolments.of_contact(store_id, contact_id):
            if enrolment.open:
                self.end(enrolment, EnrolmentStatus.STOPPED, reason)

    def end(self, enrolment: Enrolment, status: EnrolmentStatus, reason: str) -> None:
        """See `EnrolmentChanges.end`."""
        self.changes.end(enrolment, status, reason)

    def _enter_gathered(self, store: Store, contact_id: str, journey: Journey, event: Event) -> None:
        """Several events that were gathered for one journey: what is true now decides."""
        if event.occurred_at <= self._clock.now() - FRESH:
            return
        mine = self._enrolments.of_contact(store.id, contact_id)
        for enrolment in mine:
            self.launcher.launch(enrolment)  # one whose start a crash swallowed
        self._recheck(mine, [event])
        found = self._read(store.id, contact_id, [journey], [event])
        self._entering.enter_all(store, contact_id, [journey], mine, event, found)
        self._leaving.by_events(mine, (), Found())

    def _recheck(self, mine: Sequence[Enrolment], events: Iterable[Event]) -> None:
        """Who entered by one of these before, perhaps without the look at exits that comes after it."""
        ids = {event.id for event in events}
        for enrolment in mine:
            if enrolment.event.get("id") in ids:
                self._leaving.by_what_was_told_before(enrolment, mine)

    def _leave(
        self, store: Store, contact_id: str, mine: Sequence[Enrolment], events: Sequence[Event], found: Found
    ) -> None:
        self._leaving.by_events(mine, events, found)
        undone: list[Event] = []
        if any(event.type.startswith("order_") for event in events):
            told = [event.properties.get("order_id") for event in events]
            undone = self._leaving.with_orders(mine, {one for one in told if isinstance(one, str)})
        self._leaving.with_carts(mine, {token for event in events if (token := token_in(as_entered(event)))})
        self.on_events(store, contact_id, undone)

    def _thresholds(
        self,
        store: Store,
        contact_id: str,
        active: Iterable[Journey],
        mine: Iterable[Enrolment],
        events: Iterable[Event],
    ) -> list[Event]:
        """What these orders made the contact reach, of all that anybody asks for."""
        if not any(event.type.startswith("order_") for event in events):
            return []
        live = (self._entering.live(one) for one in active if one.trigger_type == "threshold_reached")
        going = (self.published.get(one.store_id, one.journey, one.version) for one in mine if one.open)
        asked = {one for edition in (*live, *going) if edition for one in thresholds_in(edition.definition)}
        return self._consequences.thresholds(store, contact_id, asked, self._clock.now() - FRESH)

    def let_in(
        self, store: Store, contact_id: str, edition: Edition, key: str, event: Event, found: Found
    ) -> Enrolment | None:
        """See `Entering.let_in`; the contact's other passes hear of it."""
        mine = self._enrolments.of_contact(edition.version.store_id, contact_id)
        entered = self._entering.let_in(store, contact_id, edition, key, event, found, mine)
        if entered is not None:
            self._leaving.by_events([*mine, entered], (), Found())
        return entered

    def launch(self, enrolment: Enrolment) -> None:
        """See `Launcher.launch`."""
        self.launcher.launch(enrolment)

    def _with_goods(self, store_id: str, events: Sequence[Event]) -> list[Event]:
        """Events of carts that wait for their owner, as the catalogue completes them."""
        wanted = {one for event in events if event.type in ON_CARTS for one in lacking_in(event)}
        if not wanted:
            return list(events)
        known = self._products.get_many(store_id, sorted(wanted))
        return [completed_event(event, known) if event.type in ON_CARTS else event for event in events]

    def _read(
        self,
        store_id: str,
        contact_id: str,
        journeys: Sequence[Journey],
        events: Iterable[Event],
        enrolments: Sequence[Enrolment] = (),
        told: Sequence[Event] = (),
    ) -> Found:
        """What the entries of these events, and the goals and exits of these enrolments, are decided by, read at once.

        `told`: what may be somebody's exit.
        """
        exits = list(self._leaving.conditions(enrolments, told))
        wanted, conditional = wanted_for_each(exits), bool(exits)
        for enrolment in enrolments:
            if goal := self._leaving.goal(enrolment):
                conditional = True
                wanted |= wanted_for([goal], enrolment.event, enrolment.id)
        for event in events:
            seen = as_entered(event)
            order_id, token = order_of(seen), token_in(seen)
            for edition in self._entering.open_to(journeys, event):
                asked = [one for one in (edition.definition.trigger.where, edition.definition.goal) if one]
                conditional = conditional or bool(asked) or begins_by_contact(edition)
                wanted |= Wanted(orders=[order_id] if order_id else [], carts=[token] if token else [])
                wanted |= wanted_for(asked, seen)
        if not (conditional or wanted.orders or wanted.carts):
            return Found()
        return self._decisions.read(store_id, contact_id, wanted)


_FIRST_OF_TWO = {"checkout_abandoned": 0}


def _turn(event: Event) -> tuple[str, int, str]:
    """Of two events of one moment: who left at the checkout is written to about that, and not about the cart."""
    at, name = place(event)
    return at, _FIRST_OF_TWO.get(event.type, 1), name
