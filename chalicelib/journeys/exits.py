"""When an order no longer stands, or a cart is over, what began with it ends: no thank-you for a cancelled order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.commerce.cart import CartRecord, CartState
from chalicelib.commerce.order import OrderStatus
from chalicelib.commerce.ports import OrderRecord
from chalicelib.journeys.enrolment import Enrolment
from chalicelib.journeys.ports import DecisionRecords, Wanted

ON_ORDERS = frozenset({"order_placed", "order_paid", "order_completed", "order_delivered", "payment_failed"})
"""Events of an order that stands. Journeys about a cancellation or a refund are not ended by it."""

ON_CARTS = frozenset({"cart_abandoned", "checkout_abandoned", "checkout_started"})
"""Events of a cart that waits for its owner."""

_CART_OVER = {CartState.BOUGHT: "cart_bought", CartState.EMPTIED: "cart_emptied"}
ORDER_UNDONE = frozenset({"order_cancelled", "order_refunded"})
"""Reasons by which an order was as if it had never been."""
_OVER = {OrderStatus.CANCELLED: "order_cancelled", OrderStatus.REFUNDED: "order_refunded"}


def order_of(event: Mapping[str, Any]) -> str | None:
    """The order that an enrolment's event is about, if it is one of an order that stands."""
    order = event.get("properties", {}).get("order_id") if event.get("type") in ON_ORDERS else None
    return order if isinstance(order, str) else None


def exit_reason(record: OrderRecord | None) -> str | None:
    """Why what began with this order must end, by what the store says of it today; None if it may go on."""
    if record is None:
        return None
    if record.is_deleted:
        return "order_deleted"
    return _OVER.get(record.order.status) if record.order else None


def cart_of(event: Mapping[str, Any]) -> str | None:
    """The token of the cart that an enrolment's event is about, if it is one that waits for its owner."""
    return token_in(event) if event.get("type") in ON_CARTS else None


def token_in(event: Mapping[str, Any] | None) -> str | None:
    """The token of the cart that any event is about."""
    token = (event or {}).get("properties", {}).get("cart_token")
    return token if isinstance(token, str) and token else None


def cart_exit_reason(record: CartRecord | None) -> str | None:
    """Why what began with this cart must end, by what is in it today; None if it may go on."""
    return _CART_OVER.get(record.state) if record else None


class CartExits:
    """Also looks whose the cart is today: an address that was corrected leaves the wrong one in peace."""

    def __init__(self, decisions: DecisionRecords) -> None:
        self._decisions = decisions

    def reason(self, enrolment: Enrolment, carts: Mapping[str, CartRecord]) -> str | None:
        """Why this enrolment must end; None if it may go on, or did not begin with a cart."""
        record = carts.get(cart_of(enrolment.event) or "")
        if record is None:
            return None
        return cart_exit_reason(record) or ("cart_of_another" if self._is_anothers(enrolment, record) else None)

    def _is_anothers(self, enrolment: Enrolment, record: CartRecord) -> bool:
        if record.contact_id in (None, enrolment.contact_id):
            return False
        owner = self._decisions.read(record.store_id, str(record.contact_id), Wanted()).contact
        return owner is not None and owner.id != enrolment.contact_id
