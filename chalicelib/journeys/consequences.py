"""What an order means beyond itself: a threshold that it made its contact cross, a coupon of ours that was used.

Both follow from records, and their ids say what they are, so an order that is told again tells the same again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from chalicelib.commerce.event import Event
from chalicelib.commerce.store import FirstHistory, Store
from chalicelib.contacts.ports import Contacts, Writing
from chalicelib.contacts.purchases import ContactOrder, in_order
from chalicelib.errors import Conflict, NotFound
from chalicelib.journeys.actions import Wait
from chalicelib.journeys.definition import Definition
from chalicelib.journeys.ports import OrderRecords
from chalicelib.journeys.triggers import ThresholdTrigger, Trigger

Threshold = tuple[str, int]
"""`orders_count` or `total_spent` (minor units), and the value."""


class OwnedCode(Protocol):
    """A coupon's code that a step of ours gave to one contact (`commerce.coupon.OwnedCoupon`)."""

    @property
    def code(self) -> str: ...

    @property
    def contact_id(self) -> str: ...

    @property
    def journey(self) -> str: ...

    @property
    def step(self) -> str: ...

    @property
    def name(self) -> str | None: ...


class CouponRecords(Protocol):
    """`storage.coupons.Coupons`."""

    def get_many(self, store_id: str, codes: Collection[str]) -> Mapping[str, OwnedCode]:
        """By the codes asked for; those that are nobody's are left out."""
        ...


class BenefitKeeper(Protocol):
    """`contacts.book.ContactBook`."""

    def use_benefit(self, store_id: str, contact_id: str, code: str, at: datetime) -> None: ...


class EventKeeper(Protocol):
    """`storage.timeline.Timeline`."""

    def append(self, store_id: str, contact_id: str, event: Event) -> None: ...


def thresholds_in(definition: Definition) -> set[Threshold]:
    """Those that its trigger, exits and waits ask for."""
    waits = [place.step for place in definition.located() if isinstance(place.step, Wait)]
    asked: list[Trigger] = [definition.trigger, *definition.exits]
    asked += [wait.until_event.event for wait in waits if wait.until_event]
    return {(one.of, one.value) for one in asked if isinstance(one, ThresholdTrigger)}


class Consequences:
    def __init__(
        self,
        contacts: Contacts,
        orders: OrderRecords,
        coupons: CouponRecords,
        book: BenefitKeeper,
        timeline: EventKeeper,
    ) -> None:
        self._contacts, self._orders, self._coupons = contacts, orders, coupons
        self._book, self._timeline = book, timeline

    def thresholds(self, store: Store, contact_id: str, asked: Iterable[Threshold], since: datetime) -> list[Event]:
        """That the contact's orders, in the order in which they were paid, crossed any of these after `since`.

        The order counts that made it so: before it the sum was less, with it the value is reached. Once ever for each
        threshold: a refund takes nothing back, and crossing it again is no news. Nothing while the first history is on
        its way, or if only history told of that order.
        """
        wanted = sorted(asked)
        if not wanted or store.first_history is FirstHistory.RUNNING:
            return []
        orders = in_order(self._contacts.orders(store.id, contact_id))
        found = []
        for of, value in wanted:
            crossing = _crossing(orders, of, value, store.currency)
            if crossing is not None and crossing.paid_at > since:
                found += self._reached(store, contact_id, of, value, crossing)
        return found

    def redemptions(self, store: Store, events: Sequence[Event]) -> list[tuple[str, Event]]:
        """Coupons of ours with which these orders were paid, each told to its owner: (contact, event)."""
        found = []
        for event in events:
            codes = event.properties.get("coupons") if event.type == "order_paid" else None
            if not isinstance(codes, list) or not codes:
                continue
            ours = self._coupons.get_many(store.id, [code for code in codes if isinstance(code, str)])
            for code in sorted(ours):
                found += self._redeemed(store, ours[code], event)
        return found

    def _reached(self, store: Store, contact_id: str, of: str, value: int, crossing: ContactOrder) -> list[Event]:
        event = Event(
            id=f"threshold_reached:{store.id}:{contact_id}:{of}:{value}",
            type="threshold_reached",
            occurred_at=crossing.paid_at,
            properties={"of": of, "value": value, "order_id": crossing.order_id},
        )
        known = self._contacts.seen(store.id, event.id)
        if known is None:
            order = self._orders.get(store.id, crossing.order_id)
            if order is not None and order.pulled:
                return []
            try:
                self._contacts.write(store.id, [Writing(contact_id, events=(event,), seen=(event,))])
            except Conflict:  # another telling was quicker
                known = self._contacts.seen(store.id, event.id)
            else:
                return [event]
        return [known[1]] if known and known[1] else []

    def _redeemed(self, store: Store, coupon: OwnedCode, order: Event) -> list[tuple[str, Event]]:
        owner = self._contacts.get(store.id, coupon.contact_id)
        if owner is None:
            return []
        order_id = order.properties.get("order_id")
        event = Event(
            id=f"coupon_redeemed:{store.id}:{order_id}:{coupon.code.upper()}",
            type="coupon_redeemed",
            occurred_at=order.occurred_at,
            properties={
                "code": coupon.code,
                "coupon": coupon.name or coupon.step,
                "journey": coupon.journey,
                "step": coupon.step,
                "order_id": order_id,
            },
        )
        try:
            self._book.use_benefit(store.id, owner.id, coupon.code, order.occurred_at)
        except NotFound:  # erased at this moment
            return []
        self._timeline.append(store.id, owner.id, event)
        return [(owner.id, event)]


def _crossing(orders: Iterable[ContactOrder], of: str, value: int, currency: str) -> ContactOrder | None:
    """The first order with which the value was reached, as they stand today (totals: `contacts.purchases.totals`)."""
    reached = 0
    for order in orders:
        if not order.counted:
            continue
        if of == "orders_count":
            reached += 1
        elif order.net.currency == currency:
            reached += order.net.amount
        if reached >= value:
            return order
    return None
