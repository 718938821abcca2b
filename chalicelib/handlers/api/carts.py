"""`/v1/stores/{s}/carts/{token}`: a cart as its activities came to it, in our words."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib.commerce.cart import CartRecord, CartState
from chalicelib.commerce.money import Money
from chalicelib.errors import NotFound
from chalicelib.handlers.api.shapes import Answer, Time
from chalicelib.handlers.http import Call, door

carts = Blueprint(__name__)


class CartLine(Answer):
    product_id: str
    variation_id: str | None
    name: str
    quantity: int
    price: Money
    image: str | None
    url: str | None
    categories: list[str]


class CartAnswer(Answer):
    """`items` holds at most 100 lines, `lines` counts all. `abandoned_at`: each time that it counted as left."""

    token: str
    status: CartState
    contact_id: str | None
    items: list[CartLine]
    lines: int
    total: Money | None
    coupons: list[str]
    restore_url: str | None
    first_at: Time | None
    last_activity_at: Time | None
    checkout_at: Time | None
    abandoned_at: list[Time]
    bought_at: Time | None
    order_id: str | None


@door(
    carts,
    "GET",
    "/v1/stores/{store_id}/carts/{cart_token}",
    summary="A cart, as its activities came to it",
    scope="store",
    answers=CartAnswer,
)
def get_cart(call: Call) -> CartAnswer:
    record = call.wiring.carts.get(call.store.id, call.path["cart_token"])
    if record is None:
        raise NotFound("no such cart")
    return _shown(call, record)


def _shown(call: Call, record: CartRecord) -> CartAnswer:
    shown = record.latest
    contact = call.wiring.contacts.get(record.store_id, record.contact_id) if record.contact_id else None
    return CartAnswer(
        token=record.token,
        status=record.state,
        contact_id=contact.id if contact else None,
        items=[CartLine.model_validate(dict(item)) for item in shown.items] if shown else [],
        lines=shown.lines if shown else 0,
        total=shown.total if shown else None,
        coupons=list(shown.coupons) if shown else [],
        restore_url=shown.restore_url if shown else None,
        first_at=record.first_at,
        last_activity_at=record.last_activity_at,
        checkout_at=record.checkout_at,
        abandoned_at=list(record.abandoned_at),
        bought_at=record.bought_at,
        order_id=record.order_id,
    )
