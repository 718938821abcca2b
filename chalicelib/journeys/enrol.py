"""Events meet journeys: who enters, whose goal is met, who leaves because the order was cancelled.

The enrolment's conditional put decides. Everything here may be repeated with the same events, at the same moment
from two sides, or after a crash at any point, and ends in the same records.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chalicelib.clock import Clock
from chalicelib.commerce.cart_catalogue import completed_event, lacking_in
from chalicelib.commerce.event import Event
from chalicelib.commerce.store import FirstHistory, Store
from chalicelib.journeys.enrolment import Enrolment, EnrolmentStatus
from chalicelib.journeys.enrolment_changes import EnrolmentChanges
from chalicelib.journeys.entering import Entering, begins_by_contact, is_only_history
from chalicelib.journeys.entry import FRESH, place
from chalicelib.journeys.exits import (
    ON_CARTS,
    cart_of,
    order_of,
    token_in,
)
from chalicelib.journeys.facts import as_entered, wanted_for
from chalicelib.journeys.journey import Journey
from chalicelib.journeys.launch import Launcher
from chalicelib.journeys.leaving import Leaving
from chalicelib.journeys.parked import Awaited, Wakers
from chalicelib.journeys.passages import resumed
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
from chalicelib.journeys.published import Published
from chalicelib.journeys.true_order import TrueOrder
from chalicelib.journeys.waits import Waits


class Enroller:
    def __init__(
        self,
        journeys: JourneyRecords,
        enrolments: EnrolmentRecords,
        decisions: DecisionRecords,
        orders: OrderRecords,
        products: ProductRecords,
        timeline: TimelineRecords,
        workflows: Workflows,
        clock: Clock,
    ) -> None:
        self._enrolments = enrolments
        self._decisions = decisions
        self._products = products
        self._clock = clock
        self._published = Published(journeys)
        self._launcher = Launcher(self._published, enrolments, workflows, clock)
        self._changes = EnrolmentChanges(enrolments, decisions, self._launcher, clock)
        awaited = Awaited(decisions, products, timeline)
        self._wakers = Wakers(self._published, awaited, self._changes, workflows, clock)
        self._true_order = TrueOrder(decisions, products, timeline, self._published, self._changes, clock)
        self._leaving = Leaving(decisions, orders, self._published, self._changes, clock)
        self._entering = Entering(
            journeys, enrolments, self._published, self._launcher, self._true_order, Waits(products), clock
        )

    def on_events(self, store: Store, contact_id: str, events: Sequence[Event]) -> None:
        """What follows from events of one contact, new or told again, after the records they are about are kept.

        First goals of those on their way, then entries (only events younger than 48 h of store time), then exits of
        orders that are over; last those are woken who waited for one of these events. Raises `TryLater`: repeat with
        the same events.
        """
        if not events:
            return
        told = sorted(self._with_goods(store.id, events), key=place)
        mine = self._enrolments.of_contact(store.id, contact_id)
        for enrolment in mine:
            self._launcher.launch(enrolment)  # one whose start a crash swallowed
        oldest = self._clock.now() - FRESH
        fresh = [event for event in told if event.occurred_at > oldest]
        journeys = self._entering.taking_in(store.id, fresh)
        found = self._read(store.id, contact_id, journeys, fresh, mine)
        met = [self._leaving.look_at_goal(enrolment, found) for enrolment in mine]
        if any(met):
            mine = self._enrolments.of_contact(store.id, contact_id)
        in_the_way = [self._entering.enter_all(store, contact_id, journeys, mine, event, found) for event in fresh]
        if any(in_the_way):
            self.reconsider(store, contact_id)
        if any(event.type.startswith("order_") for event in told):
            self._leaving.with_orders(mine, {event.properties.get("order_id") for event in told})
        self._leaving.with_carts(mine, {token for event in told if (token := token_in(as_entered(event)))})
        self._wakers.wake(mine, told)

    def look(self, store: Store, contact_id: str, events: Sequence[Event]) -> None:
        """Goals and exits that follow from events out of the store's past; nobody enters by them."""
        mine = [one for one in self._enrolments.of_contact(store.id, contact_id) if one.open]
        if not mine:
            return
        found = self._read(store.id, contact_id, (), (), mine)
        met = [self._leaving.look_at_goal(enrolment, found) for enrolment in mine]
        if any(met):
            mine = self._enrolments.of_contact(store.id, contact_id)
        if any(event.type.startswith("order_") for event in events):
            self._leaving.with_orders(mine, {event.properties.get("order_id") for event in events})
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
        self._changes.end(enrolment, status, reason)

    def let_go_on(self, enrolment: Enrolment) -> None:
        """Send a held one on, in the next generation's execution. Others are left as they are."""
        present = self._changes.present(enrolment)
        if present is None or not present.open:
            return

        def go(held: Enrolment) -> Enrolment:
            return resumed(held, self._clock.now()) if held.status is EnrolmentStatus.HELD else held

        self._launcher.launch(self._changes.change(present, go) or present)

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
        enrolments: Iterable[Enrolment] = (),
    ) -> Found:
        """What the entries of these events and the goals of these enrolments are decided by, read at once."""
        wanted = Wanted()
        conditional = False
        for enrolment in enrolments:
            if goal := self._leaving.goal(enrolment):
                conditional = True
                wanted |= wanted_for([goal], enrolment.event, enrolment.id)
        for event in events:
            seen = as_entered(event)
            order_id, token = order_of(seen), token_in(seen)
            for edition in self._entering.open_to(store_id, journeys, event):
                asked = [one for one in (edition.definition.trigger.where, edition.definition.goal) if one]
                conditional = conditional or bool(asked) or begins_by_contact(edition)
                wanted |= Wanted(orders=[order_id] if order_id else [], carts=[token] if token else [])
                wanted |= wanted_for(asked, seen)
        if not (conditional or wanted.orders or wanted.carts):
            return Found()
        return self._decisions.read(store_id, contact_id, wanted)
