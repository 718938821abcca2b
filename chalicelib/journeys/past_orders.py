"""An order as it stood at a moment of the past, out of today's record and the events that tell what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.commerce.event import Event
from chalicelib.commerce.money import NO_CURRENCY, Money
from chalicelib.commerce.order import LineItem, Order, OrderStatus
from chalicelib.commerce.ports import OrderRecord
from chalicelib.commerce.snapshot import Version
from chalicelib.contacts.person import Person
from chalicelib.contacts.purchases import ContactOrder, Line, contact_order

_STATUS = {
    "order_placed": OrderStatus.PENDING,
    "order_paid": OrderStatus.PAID,
    "order_completed": OrderStatus.COMPLETED,
    "order_cancelled": OrderStatus.CANCELLED,
    "payment_failed": OrderStatus.FAILED,
}


@dataclass
class OrderPast:
    """`today` is the paid order as it is now, None where only events tell of it; `events` of this order by time."""

    order_id: str
    today: ContactOrder | None
    events: list[Event]
    _made: tuple[int, bool, Order] | None = None

    @property
    def moments(self) -> list[datetime]:
        """When it began to count, and when that changed."""
        changing = ("order_paid", "order_cancelled", "order_refunded", "payment_failed")
        found = [event.occurred_at for event in self.events if event.type in changing]
        return [*found, self.today.paid_at] if self.today else found

    def at(self, now: datetime) -> ContactOrder | None:
        """As it stood in its contact's purchases; None before it was paid."""
        if self.today is not None and self.today.paid_at > now:
            return None
        if self.today is not None and not any(event.occurred_at > now for event in self.events):
            return self.today
        order = self._order(now)
        if order is not None and order.paid_at is not None:
            return contact_order(order)
        return self._with_what_was_refunded_later(now) if self.today else None

    def record(self, store_id: str, now: datetime) -> OrderRecord | None:
        """As the store told it; None where no event tells of it by then."""
        order = self._order(now)
        return OrderRecord(store_id=store_id, external_id=self.order_id, order=order) if order else None

    def _order(self, now: datetime) -> Order | None:
        told = [event for event in self.events if event.occurred_at <= now]
        if not told:
            return None
        was_paid = self.today is not None and self.today.paid_at <= now
        if self._made is None or self._made[:2] != (len(told), was_paid):
            self._made = (len(told), was_paid, self._made_of(told, now))
        return self._made[2]

    def _made_of(self, told: list[Event], now: datetime) -> Order:
        first, status, paid_at = told[0], OrderStatus.PENDING, self.today.paid_at if self.today else None
        total = Money.told(first.properties.get("total"), _currency(self.today))
        refunded = 0
        for event in told:
            status = _STATUS.get(event.type, status)
            if event.type == "order_paid":
                paid_at = event.occurred_at
            elif event.type == "order_refunded":
                refunded += Money.told(event.properties.get("refund"), _currency(self.today)).amount
        if paid_at is not None and status is OrderStatus.PENDING:
            status = OrderStatus.PAID
        if total.amount and refunded >= total.amount:
            status = OrderStatus.REFUNDED
        return Order(
            external_id=self.order_id,
            number=str(first.properties.get("number") or self.order_id),
            status=status,
            version=Version(modified_at=told[-1].occurred_at),
            total=total,
            refunded=Money(amount=refunded, currency=total.currency),
            items=tuple(_items(first.properties.get("items"), total.currency)),
            person=Person(),
            placed_at=first.occurred_at,
            paid_at=paid_at if paid_at and paid_at <= now else None,
        )

    def _with_what_was_refunded_later(self, now: datetime) -> ContactOrder | None:
        """Paid before the first event that we know: today's goods, and the money before what went back since."""
        today = self.today
        if today is None:
            return None
        back = sum(
            Money.told(event.properties.get("refund"), today.net.currency).amount
            for event in self.events
            if event.type == "order_refunded" and event.occurred_at > now
        )
        before = today.net.amount + back
        lines = tuple(_scaled(line, before, today.net.amount) for line in today.lines)
        if today.net.amount == 0 and back and self.events:
            told = self.events[0].properties
            lines = tuple(_line(item) for item in _items(told.get("items"), today.net.currency)) or lines
        net = today.net.model_copy(update={"amount": before})
        return today.model_copy(update={"net": net, "counted": True, "lines": lines})


def order_pasts(orders: Iterable[ContactOrder], events: Iterable[Event]) -> dict[str, OrderPast]:
    """By order id."""
    found = {order.order_id: OrderPast(order.order_id, order, []) for order in orders}
    for event in events:
        order_id = event.properties.get("order_id")
        if isinstance(order_id, str) and (event.type.startswith("order_") or event.type == "payment_failed"):
            found.setdefault(order_id, OrderPast(order_id, None, [])).events.append(event)
    return found


def _scaled(line: Line, before: int, today: int) -> Line:
    return line.model_copy(update={"total": line.total * before // today}) if today else line


def _line(item: LineItem) -> Line:
    return Line(
        product=item.product_id,
        variation=item.variation_id,
        units=item.quantity,
        total=item.total.amount,
        categories=item.categories,
        included=item.included,
    )


def _currency(today: ContactOrder | None) -> str:
    return today.net.currency if today else NO_CURRENCY


def _items(told: Any, currency: str) -> list[LineItem]:
    found = []
    for item in told if isinstance(told, list) else ():
        if not isinstance(item, Mapping) or not item.get("product_id"):
            continue
        quantity = item.get("quantity")
        categories = item.get("categories")
        found.append(
            LineItem(
                product_id=str(item["product_id"]),
                variation_id=str(item["variation_id"]) if item.get("variation_id") else None,
                name=str(item.get("name") or ""),
                quantity=quantity if isinstance(quantity, int) else 1,
                total=Money.told(item.get("total"), currency),
                categories=tuple(str(one) for one in categories) if isinstance(categories, list) else (),
                included=item.get("included") is True,
            )
        )
    return found
