"""`/v1/stores/{s}/orders`: an order as the store told it, in our words."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib.commerce.money import Money
from chalicelib.commerce.order import OrderStatus
from chalicelib.errors import NotFound
from chalicelib.handlers.api.shapes import Answer, Time
from chalicelib.handlers.http import Call, door

orders = Blueprint(__name__)


class LineAnswer(Answer):
    """`included`: its price is in another line (a part of a bundle, or its container)."""

    product_id: str
    variation_id: str | None
    name: str
    quantity: int
    total: Money
    sku: str | None
    image: str | None
    categories: list[str]
    included: bool


class OrderAnswer(Answer):
    """`total` is what was charged, `refunded` what went back. `deleted`: the store has it no longer.

    `presentment_total`: the total in the currency that the shopper saw, where it was not the store's own.
    `delivered_at`: when the first parcel came to the buyer, where the store says so.
    """

    external_id: str
    number: str
    status: OrderStatus
    total: Money
    presentment_total: Money | None
    refunded: Money
    items: list[LineAnswer]
    coupons: list[str]
    contact_id: str | None
    placed_at: Time
    paid_at: Time | None
    completed_at: Time | None
    delivered_at: Time | None
    modified_at: Time
    deleted: bool


@door(
    orders,
    "GET",
    "/v1/stores/{store_id}/orders/{external_id}",
    summary="An order, as the store told it last",
    scope="store",
    answers=OrderAnswer,
)
def get_order(call: Call) -> OrderAnswer:
    record = call.wiring.orders.get(call.store.id, call.path["external_id"])
    if record is None or record.order is None:
        raise NotFound("no such order")
    order = record.order
    contact = call.wiring.contacts.get(call.store.id, record.contact_id) if record.contact_id else None
    return OrderAnswer(
        external_id=order.external_id,
        number=order.number,
        status=order.status,
        total=order.total,
        presentment_total=order.presentment_total,
        refunded=order.refunded,
        items=[LineAnswer(**line.model_dump(include=_LINE), total=line.total) for line in order.items],
        coupons=list(order.coupons),
        contact_id=contact.id if contact else None,
        placed_at=order.placed_at,
        paid_at=order.paid_at,
        completed_at=order.completed_at,
        delivered_at=record.delivered_at,
        modified_at=order.version.modified_at,
        deleted=record.is_deleted,
    )


_LINE = set(LineAnswer.model_fields) - {"total"}
