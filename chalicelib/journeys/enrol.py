"""Events meet journeys: who enters, whose goal is met, who leaves because the order was cancelled.

The enrolment's conditional put decides. Everything here may be repeated with the same events, at the same moment
from two sides, or after a crash at any point, and ends in the same records.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from chalicelib.clock import Clock
from chalicelib.commerce.cart_catalogue import completed_event, lacking_in
from chalicelib.commerce.event import Event
from chalicelib.commerce.store import FirstHistory, Store
from chalicelib.errors import Conflict
from chalicelib.ids import enrolment_id
from chalicelib.journeys.actions import Wait
from chalicelib.journeys.conditions import Condition, asks_for_cart, evaluate
from chalicelib.journeys.enrolment import Enrolment, EnrolmentStatus
from chalicelib.journeys.enrolment_changes import EnrolmentChanges
from chalicelib.journeys.entry import FRESH, cart_taken, happened_after, matches, place, same_words
from chalicelib.journeys.exits import (
    ON_CARTS,
    ON_ORDERS,
    CartExits,
    cart_exit_reason,
    cart_of,
    exit_reason,
    order_of,
    token_in,
)
from chalicelib.journeys.facts import (
    as_entered,
    messages_asked,
    newest_cart_asked,
    on_the_way,
    orders_asked,
    subjects_asked,
)
from chalicelib.journeys.journey import Journey, JourneyStatus
from chalicelib.journeys.launch import Launcher
from chalicelib.journeys.passages import ended, noted, resumed
from chalicelib.journeys.plan import first_step
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
from chalicelib.journeys.reentry import entry_key
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
        self._journeys = journeys
        self._enrolments = enrolments
        self._decisions = decisions
        self._orders, self._products = orders, products
        self._clock = clock
        self._published = Published(journeys)
        self._waits = Waits(products)
        self._cart_exits = CartExits(decisions)
        self._launcher = Launcher(self._published, enrolments, workflows, clock)
        self._changes = EnrolmentChanges(enrolments, decisions, self._launcher, clock)
        self._true_order = TrueOrder(decisions, products, timeline, self._published, self._changes, clock)

    def on_events(self, store: Store, contact_id: str, events: Sequence[Event]) -> None:
        """What follows from events of one contact, new or told again, after the records they are about are kept.

        First goals of those on their way, then entries (only events younger than 48 h of store time), then exits of
        orders that are over. Raises `TryLater`: repeat with the same events.
        """
        if not events:
            return
        told = sorted(self._with_goods(store.id, events), key=place)
        mine = self._enrolments.of_contact(store.id, contact_id)
        for enrolment in mine:
            self._launcher.launch(enrolment)  # one whose start a crash swallowed
        oldest = self._clock.now() - FRESH
        fresh = [event for event in told if event.occurred_at > oldest]
        journeys = self._taking_in(store.id, fresh)
        found = self._read(store.id, contact_id, journeys, fresh, mine)
        met = [self._look_at_goal(enrolment, found) for enrolment in mine]
        if any(met):
            mine = self._enrolments.of_contact(store.id, contact_id)
        in_the_way = [self._enter_all(store.id, contact_id, journeys, mine, event, found) for event in fresh]
        if any(in_the_way):
            self.reconsider(store, contact_id)
        if any(event.type.startswith("order_") for event in told):
            self._leave_with_orders(mine, {event.properties.get("order_id") for event in told})
        self._leave_with_carts(mine, {token for event in told if (token := token_in(as_entered(event)))})

    def look(self, store: Store, contact_id: str, events: Sequence[Event]) -> None:
        """Goals and exits that follow from events out of the store's past; nobody enters by them."""
        mine = [one for one in self._enrolments.of_contact(store.id, contact_id) if one.open]
        if not mine:
            return
        found = self._read(store.id, contact_id, (), (), mine)
        met = [self._look_at_goal(enrolment, found) for enrolment in mine]
        if any(met):
            mine = self._enrolments.of_contact(store.id, contact_id)
        if any(event.type.startswith("order_") for event in events):
            self._leave_with_orders(mine, {event.properties.get("order_id") for event in events})

    def reconsider(self, store: Store, contact_id: str) -> None:
        """Orders of this contact came in another order than they were paid: end as if they had not.

        Enrolments of order events that would not have begun, and of which no message was claimed, are withdrawn; the
        others keep their event as it reads now. Order events younger than 48 h are matched anew, oldest first.
        While ranks are unknown nothing is done: whoever finishes the first history comes back.
        """
        if store.first_history is FirstHistory.RUNNING:
            return
        recent = self._true_order.recent_orders(store.id, contact_id)
        journeys = self._taking_in(store.id, recent)
        found = self._read(store.id, contact_id, journeys, recent)
        orders = [event for event in recent if not _is_only_history(found, event)]
        self._true_order.put_right(self._enrolments.of_contact(store.id, contact_id), orders)
        mine = self._enrolments.of_contact(store.id, contact_id)
        for event in orders:
            goals = self._read(store.id, contact_id, (), (), mine)
            met = [self._look_at_goal(enrolment, goals) for enrolment in mine]
            if any(met):
                mine = self._enrolments.of_contact(store.id, contact_id)
            self._enter_all(store.id, contact_id, journeys, mine, event, found)
        self._leave_with_orders(mine, None)

    def leave_cart(self, store: Store, contact_id: str, token: str) -> None:
        """This cart was bought (by whomever) or emptied, or is another's: what began with it ends."""
        began = [e for e in self._enrolments.of_contact(store.id, contact_id) if e.open and cart_of(e.event) == token]
        found = self._read(store.id, contact_id, (), (), began)  # that it is bought may be the very goal
        self._leave_with_carts([e for e in began if not self._look_at_goal(e, found)], {token})

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

    # Entering

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
        subjects: set[str] = set()
        messages: set[str] = set()
        orders: set[str] = set()
        carts: set[str] = set()
        conditional = newest_cart = False
        for enrolment in enrolments:
            if goal := self._goal(enrolment):
                conditional = True
                subjects |= subjects_asked([goal], enrolment.event)
                messages |= set(messages_asked([goal], enrolment.id))
                orders |= orders_asked([goal], enrolment.event)
                carts |= {token for token in [token_in(enrolment.event)] if token and asks_for_cart(goal)}
                newest_cart = newest_cart or newest_cart_asked([goal], enrolment.event)
        for event in events:
            seen = as_entered(event)
            for edition in self._open_to(store_id, journeys, event):
                orders |= {order for order in [order_of(seen)] if order}
                carts |= {token for token in [token_in(seen)] if token}
                asked = [one for one in (edition.definition.trigger.where, edition.definition.goal) if one]
                conditional = conditional or bool(asked)
                subjects |= subjects_asked(asked, seen)
                orders |= orders_asked(asked, seen)
                newest_cart = newest_cart or newest_cart_asked(asked, seen)
        if not (conditional or orders or carts):
            return Found()
        wanted = Wanted(orders=orders, carts=carts, newest_cart=newest_cart, messages=messages, subjects=subjects)
        return self._decisions.read(store_id, contact_id, wanted)

    def _open_to(self, store_id: str, journeys: Iterable[Journey], event: Event) -> list[Edition]:
        return [
            self._published.get(store_id, journey.id, journey.live_version)
            for journey in journeys
            if journey.trigger_type == event.type and journey.live_version is not None
        ]

    def _taking_in(self, store_id: str, events: Iterable[Event]) -> list[Journey]:
        types = {event.type for event in events}
        if not types:
            return []
        return [
            journey
            for journey in self._journeys.of_store(store_id)
            if journey.status is JourneyStatus.ACTIVE and journey.trigger_type in types
        ]

    def _enter_all(
        self,
        store_id: str,
        contact_id: str,
        journeys: Iterable[Journey],
        mine: list[Enrolment],
        event: Event,
        found: Found,
    ) -> bool:
        """True if an enrolment that an earlier event should have had stands in this one's way."""
        editions = self._open_to(store_id, journeys, event)
        in_the_way = [self._enter(contact_id, edition, mine, event, found) for edition in editions]
        return any(in_the_way)

    def _enter(self, contact_id: str, edition: Edition, mine: list[Enrolment], event: Event, found: Found) -> bool:
        before = [enrolment for enrolment in mine if enrolment.journey == edition.version.journey]
        stands = next((e for e in before if e.event.get("id") == event.id), None)
        if stands is not None:
            return not same_words(stands, event) and self._true_order.is_untouched(stands)
        now = self._clock.now()
        if _is_only_history(found, event) or cart_taken(mine, event) or not matches(edition, event, found, now):
            return False
        key = entry_key(edition.definition.reentry, event, before)
        if key is not None:
            entered = self.let_in(contact_id, edition, key, event, found)
            if entered is not None:
                mine.append(entered)
                return False
        return event.type in ON_ORDERS and any(
            happened_after(e, event) and self._true_order.is_untouched(e) for e in before
        )

    def let_in(self, contact_id: str, edition: Edition, key: str, event: Event, found: Found) -> Enrolment | None:
        """Make the enrolment of this key and start it; None where there is one already. `found` is what its goal and
        its order or cart are read from."""
        enrolment = self._entering(contact_id, edition, key, event, found, self._clock.now())
        entered = enrolment if self._enrolments.create(enrolment) else self._revived(enrolment)
        if entered is not None:
            self._launcher.launch(entered)
        return entered

    def launch(self, enrolment: Enrolment) -> None:
        """See `Launcher.launch`."""
        self._launcher.launch(enrolment)

    def _entering(
        self, contact_id: str, edition: Edition, key: str, event: Event, found: Found, now: datetime
    ) -> Enrolment:
        store_id, journey_id = edition.version.store_id, edition.version.journey
        first = first_step(edition.definition)
        seen = as_entered(event)
        enrolment = Enrolment(
            id=enrolment_id(contact_id, store_id, journey_id, key),
            store_id=store_id,
            journey=journey_id,
            contact_id=contact_id,
            version=edition.version.version,
            entry_key=key,
            event=seen,
            at_step=first.id if first else None,
            due_at=self._waits.end(store_id, first, seen, now) if isinstance(first, Wait) else None,
            entered_at=now,
            rev=1,  # so that a save after a merge moved it away is a conflict, and never a second birth
        )
        enrolment = noted(enrolment, now, "entered", detail=event.id)
        if first is None:  # nothing but waits: whoever enters is through
            return ended(enrolment, now, EnrolmentStatus.COMPLETED, "completed")
        if over := exit_reason(found.orders.get(order_of(seen) or "")):
            return ended(enrolment, now, EnrolmentStatus.EXITED, over)
        if self._has_reached(edition.definition.goal, enrolment, found, now):  # an event that was told late
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

    # Goals and exits

    def _goal(self, enrolment: Enrolment) -> Condition | None:
        if not enrolment.open:
            return None
        return self._published.get(enrolment.store_id, enrolment.journey, enrolment.version).definition.goal

    def _look_at_goal(self, enrolment: Enrolment, found: Found) -> bool:
        """True if it is met now."""
        if not self._has_reached(self._goal(enrolment), enrolment, found, self._clock.now()):
            return False
        self.end(enrolment, EnrolmentStatus.GOAL_MET, "goal_met")
        return True

    @staticmethod
    def _has_reached(goal: Condition | None, enrolment: Enrolment, found: Found, now: datetime) -> bool:
        facts = on_the_way(enrolment, [goal], found, now) if goal else None
        return goal is not None and facts is not None and evaluate(goal, facts)

    def _leave_with_orders(self, enrolments: Iterable[Enrolment], concerned: Collection[object] | None) -> None:
        """End what began with orders that no longer stand: the `concerned` ones, or any.

        Orders are read anew, after the entries: of an order's end and an entry by it one always sees the other.
        """
        reasons: dict[str, str | None] = {}
        for enrolment in enrolments:
            order_id = order_of(enrolment.event) if enrolment.open else None
            if order_id is None or (concerned is not None and order_id not in concerned):
                continue
            if order_id not in reasons:
                reasons[order_id] = exit_reason(self._orders.get(enrolment.store_id, order_id))
            if reason := reasons[order_id]:
                self.end(enrolment, EnrolmentStatus.EXITED, reason)

    def _leave_with_carts(self, enrolments: Iterable[Enrolment], concerned: Collection[str]) -> None:
        """As with orders: carts are read anew, so that of a cart's end and an entry by it one sees the other."""
        began = [e for e in enrolments if e.open and cart_of(e.event) in concerned]
        if not began:
            return
        wanted = Wanted(carts=sorted(concerned))
        carts = self._decisions.read(began[0].store_id, began[0].contact_id, wanted).carts
        for enrolment in began:
            if reason := self._cart_exits.reason(enrolment, carts):
                self.end(enrolment, EnrolmentStatus.EXITED, reason)


def _is_only_history(found: Found, event: Event) -> bool:
    """Whether no delivery ever told of this event's order: it was found in the store's past."""
    order = found.orders.get(order_of(as_entered(event)) or "")
    return order is not None and order.pulled
