"""Carts of the invented shop: what its plugin tells of them, and their records without what only time makes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.commerce.cart import CartActivity, CartItem, CartRecord, CartStep
from chalicelib.contacts.person import Person
from tests.commerce.shop import START, Shop, ils

TOKEN = "0123456789abcdef0123456789abcdef"
U, CHECKOUT, EMPTIED, CONVERTED = CartStep.UPDATED, CartStep.CHECKOUT, CartStep.EMPTIED, CartStep.CONVERTED
NOBODY = Person()
OF_WATCHING = {"generation", "watched", "heard_at", "abandoned_at", "left_as", "left_generation", "rev"}


def item(product: str = "1", quantity: int = 1, amount: int = 5000, **more: Any) -> CartItem:
    return CartItem(product_id=product, name=f"tea {product}", quantity=quantity, price=ils(amount), **more)


def activity(
    minute: float,
    step: CartStep = U,
    person: Person = NOBODY,
    *items: CartItem,
    token: str = TOKEN,
    name: str = "",
    **more: Any,
) -> CartActivity:
    """What happened so many minutes after `START`; without items, a cup of tea (nothing where it was emptied)."""
    items = items or (() if step in (EMPTIED, CONVERTED) else (item(),))
    return CartActivity(
        id=name or f"{token[:4]}-{minute:g}-{step}",
        token=token,
        step=step,
        person=person,
        items=items,
        lines=len(items),
        total=ils(sum(one.price.amount * one.quantity for one in items)),
        restore_url=f"https://tea.example/?cart={token}",
        occurred_at=START + timedelta(minutes=minute),
        **more,
    )


def cart(shop: Shop, token: str = TOKEN) -> CartRecord:
    found = shop.carts.get("shop", token)
    assert found is not None
    return found


def owner(shop: Shop, token: str = TOKEN) -> str | None:
    """The main address of whose cart it is."""
    contact_id = cart(shop, token).contact_id
    contact = shop.contacts.get("shop", contact_id) if contact_id else None
    return contact.email if contact else None


def told(shop: Shop, token: str = TOKEN) -> dict[str, Any]:
    """The record as far as it follows from what was told."""
    record = cart(shop, token)
    return {**record.model_dump(exclude={*OF_WATCHING, "contact_id"}), "owner": owner(shop, token)}


def events(shop: Shop, email: str) -> list[tuple[str, Any]]:
    """The (type, minute) of the cart's events on somebody's timeline, oldest first."""
    contact = shop.contacts.find("shop", "email", email)
    if contact is None:
        return []
    found = shop.timeline.of_contact("shop", contact.id, limit=1000)
    mine = [event for event in reversed(found) if event.type.startswith(("cart_", "checkout_"))]
    return [(event.type, (event.occurred_at - START).total_seconds() / 60) for event in mine]


class Broken(Exception):
    """A crash."""


def breaking(owner: Any, name: str, patch: pytest.MonkeyPatch, times: int = 1, after: bool = False) -> None:
    """The next so many calls end in a crash, before they do anything or after they did it."""
    real: Callable[..., Any] = getattr(owner, name)
    left = [True] * times

    def call(*args: Any, **named: Any) -> Any:
        if left:
            left.pop()
            if after:
                real(*args, **named)
            raise Broken
        return real(*args, **named)

    patch.setattr(owner, name, call)
