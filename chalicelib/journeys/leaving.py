"""Who leaves: by a goal that is met, an order that no longer stands, a cart that is over."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from chalicelib.clock import Clock
from chalicelib.journeys.conditions import Condition, evaluate
from chalicelib.journeys.enrolment import Enrolment, EnrolmentStatus
from chalicelib.journeys.enrolment_changes import EnrolmentChanges
from chalicelib.journeys.exits import CartExits, cart_of, exit_reason, order_of
from chalicelib.journeys.facts import on_the_way
from chalicelib.journeys.ports import DecisionRecords, Found, OrderRecords, Wanted
from chalicelib.journeys.published import Published


class Leaving:
    def __init__(
        self,
        decisions: DecisionRecords,
        orders: OrderRecords,
        published: Published,
        changes: EnrolmentChanges,
        clock: Clock,
    ) -> None:
        self._decisions, self._orders, self._published = decisions, orders, published
        self._changes, self._clock = changes, clock
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

    def with_orders(self, enrolments: Iterable[Enrolment], concerned: Collection[object] | None) -> None:
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
                self._changes.end(enrolment, EnrolmentStatus.EXITED, reason)

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
