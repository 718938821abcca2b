"""What a contact bought: the orders in the contact's partition, and everything that folds out of them.

Totals and facts are a pure fold of the orders, so no order of arrival can make a difference. A category's fact is
folded when it is asked for, from the categories the products have now: a product may well be told after its order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from chalicelib.commerce.money import Money
from chalicelib.commerce.order import Order
from chalicelib.contacts.contact import Earlier, PurchaseFact, Share

ANY = "any"  # the subject of whatever was bought
EVERYTHING = "*"
ORDERS_KEPT = 200  # one by one in the facts; older ones are summed, so that the item stays small


class Line(BaseModel):
    """`total` is net: a refund takes its proportion from every line. Minor units. `included` as in `LineItem`."""

    model_config = ConfigDict(frozen=True)

    product: str
    variation: str | None = None
    units: int
    total: int
    categories: tuple[str, ...] = ()
    included: bool = False


class ContactOrder(BaseModel):
    """An order that was paid, as its contact's partition holds it. `counted` as `Order.counts` says.

    `nth` is its rank as its events in the timeline say it; `events` are those events' ids and times.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    paid_at: datetime
    net: Money
    counted: bool
    lines: tuple[Line, ...] = ()
    nth: int = 0
    events: dict[str, datetime] = Field(default_factory=dict)


class Bought(BaseModel):
    """One counted order within `Purchases`. `net` is of the whole order, with what was paid beside its lines."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    lines: tuple[Line, ...]
    net: Money | None = None


class Purchases(BaseModel):
    """All of a contact's purchase facts in one item: the newest orders by id, the older ones summed by product, and all
    together (`EVERYTHING`)."""

    model_config = ConfigDict(frozen=True)

    orders: dict[str, Bought] = Field(default_factory=dict)
    earlier: dict[str, Earlier] = Field(default_factory=dict)

    def products(self) -> set[str]:
        earlier = set(self.earlier) - {EVERYTHING}
        return earlier | {line.product for bought in self.orders.values() for line in bought.lines}


class Totals(BaseModel):
    model_config = ConfigDict(frozen=True)

    orders_count: int
    total_spent: Money
    first_order_at: datetime | None
    last_order_at: datetime | None


def contact_order(order: Order) -> ContactOrder | None:
    """None if it was never paid."""
    if order.paid_at is None:
        return None
    share, whole = order.net.amount, order.total.amount
    lines = tuple(
        Line(
            product=item.product_id,
            variation=item.variation_id,
            units=item.quantity,
            total=item.total.amount * share // whole if whole > 0 else 0,
            categories=item.categories,
            included=item.included,
        )
        for item in order.items
    )
    return ContactOrder(
        order_id=order.external_id, paid_at=order.paid_at, net=order.net, counted=order.counts, lines=lines
    )


def in_order(orders: Iterable[ContactOrder]) -> list[ContactOrder]:
    return sorted(orders, key=lambda order: (order.paid_at, order.order_id))


def totals(orders: Iterable[ContactOrder], currency: str) -> Totals:
    """An order in another currency than the store's is counted, but not summed."""
    counted = [order for order in in_order(orders) if order.counted]
    spent = sum(order.net.amount for order in counted if order.net.currency == currency)
    return Totals(
        orders_count=len(counted),
        total_spent=Money(amount=spent, currency=currency),
        first_order_at=counted[0].paid_at if counted else None,
        last_order_at=counted[-1].paid_at if counted else None,
    )


def ranks(orders: Iterable[ContactOrder]) -> dict[str, int]:
    """1-based place of each paid order among the counted ones by paid time; others take no place."""
    place, found = 1, {}
    for order in in_order(orders):
        found[order.order_id] = place
        place += order.counted
    return found


def fold(orders: Iterable[ContactOrder]) -> Purchases:
    counted = [order for order in in_order(orders) if order.counted]
    kept = {
        order.order_id: Bought(at=order.paid_at, lines=order.lines, net=order.net) for order in counted[-ORDERS_KEPT:]
    }
    earlier: dict[str, Earlier] = {}
    for order in counted[:-ORDERS_KEPT]:
        named = {name for line in order.lines for name in (line.product, line.variation) if name}
        for subject in {EVERYTHING, *named}:
            mine = [line for line in order.lines if subject in (line.product, line.variation)]
            mine = apart(order.lines) if subject == EVERYTHING else mine
            before = earlier.get(subject, Earlier(orders=0, units=0, total=0, last_at=order.paid_at))
            earlier[subject] = Earlier(
                orders=before.orders + 1,
                units=before.units + sum(line.units for line in mine),
                total=before.total + sum(line.total for line in mine),
                last_at=order.paid_at,
            )
    return Purchases(orders=kept, earlier=earlier)


def fact(
    purchases: Purchases, subject: str, categories: Mapping[str, Iterable[str]], currency: str | None = None
) -> PurchaseFact:
    """`subject` is `product:{id}` (product or variation), `category:{id}` or `any`; `categories` of each product now.

    A bundle and its parts are not counted beside each other in one category: lines whose price is in another line
    count there only where that other line is not of the category. The total of `any` is that of whole orders, of those
    in the store's `currency`.
    """
    kind, _, wanted = subject.partition(":")

    def matches(line: Line) -> bool:
        if kind == "product":
            return wanted in (line.product, line.variation)
        return wanted in line.categories or wanted in categories.get(line.product, ())

    by_order: dict[str, Share] = {}
    for order_id, bought in purchases.orders.items():
        mine = list(bought.lines) if subject == ANY else [line for line in bought.lines if matches(line)]
        mine = mine if kind == "product" else apart(mine)
        total = sum(line.total for line in mine)
        if subject == ANY and bought.net:
            total = bought.net.amount if bought.net.currency == currency else 0
        if mine or subject == ANY:
            by_order[order_id] = Share(at=bought.at, units=sum(line.units for line in mine), total=total)
    return PurchaseFact(subject=subject, by_order=by_order, earlier=_earlier(purchases, kind, wanted, categories))


def apart(lines: Sequence[Line]) -> list[Line]:
    """Without the parts of a bundle that is among them."""
    return [line for line in lines if not line.included] or list(lines)


def _earlier(purchases: Purchases, kind: str, wanted: str, categories: Mapping[str, Iterable[str]]) -> Earlier | None:
    if kind in ("product", ANY):
        return purchases.earlier.get(EVERYTHING if kind == ANY else wanted)
    found = [sums for product, sums in purchases.earlier.items() if wanted in categories.get(product, ())]
    if not found:
        return None
    # Two products of one old order cannot be told apart any more: at least as many orders as of the most bought one.
    return Earlier(
        orders=max(sums.orders for sums in found),
        units=sum(sums.units for sums in found),
        total=sum(sums.total for sums in found),
        last_at=max(sums.last_at for sums in found),
    )
