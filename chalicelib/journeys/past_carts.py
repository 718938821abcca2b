"""A cart as it was at a moment of the past, out of today's record and the events that told of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from chalicelib.commerce.cart import CartActivity, CartItem, CartRecord, CartState, CartStep
from chalicelib.commerce.event import Event
from chalicelib.commerce.money import Money
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.person import Person


def over_at(cart: CartRecord) -> datetime | None:
    """When it was bought or emptied; None for one that still waits."""
    if cart.bought_at is not None:
        return cart.bought_at
    return cart.latest.occurred_at if cart.state is CartState.EMPTIED and cart.latest else None


def cart_then(
    contact: Contact, today: CartRecord | None, token: str, told: Iterable[Event], now: datetime
) -> CartRecord | None:
    """None where neither a record nor an event knows it by then."""
    named = [event for event in told if event.properties.get("cart_token") == token]
    if today is not None and today.latest is not None and today.latest.occurred_at <= now:
        bought = today.bought_at if today.bought_at and today.bought_at <= now else None
        return today.model_copy(update={"bought_at": bought, "contact_id": contact.id})
    if not named:
        return None
    last = named[-1]
    shown = _shown(last, token)
    return CartRecord(
        store_id=contact.store_id,
        token=token,
        contact_id=contact.id,
        latest=shown,
        first_at=named[0].occurred_at,
        checkout_at=last.occurred_at if last.type.startswith("checkout") else None,
        bought_at=today.bought_at if today and today.bought_at and today.bought_at <= now else None,
        left_as=shown.place() if last.type.endswith("abandoned") else "",
    )


def _shown(event: Event, token: str) -> CartActivity:
    """The cart as its event shows it."""
    told = event.properties
    total = Money.told(told.get("total"))
    items = told.get("items")
    return CartActivity(
        id=event.id,
        token=token,
        step=CartStep.CHECKOUT if event.type.startswith("checkout") else CartStep.UPDATED,
        person=Person(),
        items=tuple(_item(one, total.currency) for one in items if isinstance(one, Mapping))
        if isinstance(items, list)
        else (),
        lines=len(items) if isinstance(items, list) else 0,
        total=total,
        restore_url=told.get("restore_url") if isinstance(told.get("restore_url"), str) else None,
        occurred_at=event.occurred_at,
    )


def _item(told: Mapping[str, Any], currency: str) -> CartItem:
    quantity, categories = told.get("quantity"), told.get("categories")
    return CartItem(
        product_id=str(told.get("product_id") or ""),
        variation_id=str(told["variation_id"]) if told.get("variation_id") else None,
        name=str(told.get("name") or ""),
        quantity=quantity if isinstance(quantity, int) else 1,
        price=Money.told(told.get("price"), currency),
        categories=tuple(str(one) for one in categories) if isinstance(categories, list) else (),
    )
