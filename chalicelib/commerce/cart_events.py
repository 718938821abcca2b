"""What a cart's record says has happened, as events on its contact's timeline."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chalicelib.commerce.cart import CartActivity, CartItem, CartRecord, CartStep
from chalicelib.commerce.event import Event
from chalicelib.commerce.money import Money

MOST_ITEMS = 30  # in an event, which every enrolment copies; messages show the cart's own record


def updated_event(record: CartRecord, activity: CartActivity) -> Event:
    """Every activity that names somebody, in its own words."""
    event_id = f"cart_updated:{record.store_id}:{activity.id}"
    checkout = activity.step is CartStep.CHECKOUT
    return _event("cart_updated", event_id, activity.occurred_at, record, activity, checkout=checkout)


def standing_events(record: CartRecord) -> list[Event]:
    """Those that a cart has once at most, and whose time may yet turn out to be an earlier one."""
    found = []
    if record.checkout_at and record.named_at and record.contact_id:
        event_id = f"checkout_started:{record.store_id}:{record.token}"
        at = max(record.checkout_at, record.named_at)
        url = record.latest.restore_url if record.latest else None
        found.append(_event("checkout_started", event_id, at, record, record.latest, checkout=True, restore_url=url))
    if recovered_at := _recovered_at(record):
        event_id = f"cart_recovered:{record.store_id}:{record.token}"
        found.append(_event("cart_recovered", event_id, recovered_at, record, record.latest, order_id=record.order_id))
    return found


def abandoned_events(record: CartRecord) -> list[Event]:
    """Of the last time that it counted as left; of one that had come to the checkout a second one says so.

    Raises IndexError if it never did.
    """
    kinds = ["cart_abandoned", "checkout_abandoned"] if record.checkout_at is not None else ["cart_abandoned"]
    url, at = record.latest.restore_url if record.latest else None, record.abandoned_at[-1]
    left = record.left_generation
    return [
        _event(
            kind,
            f"{kind}:{record.store_id}:{record.token}:{left}",
            at,
            record,
            record.latest,
            restore_url=url,
            generation=left,
        )
        for kind in kinds
    ]


def _recovered_at(record: CartRecord) -> datetime | None:
    """An order that was placed before the cart counted as left, and heard of later, brought nobody back."""
    if not (record.contact_id and record.bought_at and record.abandoned_at):
        return None
    return record.bought_at if record.bought_at > record.abandoned_at[0] else None


def _event(
    type_: str, event_id: str, at: datetime, record: CartRecord, shown: CartActivity | None, **more: Any
) -> Event:
    properties = {
        "cart_token": record.token,
        "items": [_item(item) for item in shown.items[:MOST_ITEMS]] if shown else [],
        "total": _money(shown.total) if shown else None,
        "lines": shown.lines if shown else 0,
        "coupons": list(shown.coupons) if shown else [],
        "checkout": record.checkout_at is not None,
        **more,
    }
    told = {name: value for name, value in properties.items() if value is not None}
    return Event(id=event_id, type=type_, occurred_at=at, properties=told)


def _item(item: CartItem) -> dict[str, Any]:
    told = {
        "product_id": item.product_id,
        "variation_id": item.variation_id,
        "name": item.name,
        "quantity": item.quantity,
        "price": _money(item.price),
        "image": item.image,
        "url": item.url,
        "categories": list(item.categories),
    }
    return {name: value for name, value in told.items() if value is not None}


def _money(money: Money) -> dict[str, Any]:
    return {"amount": money.amount, "currency": money.currency}
