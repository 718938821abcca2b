"""Just those facts about a contact that some conditions ask for: what to read, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from chalicelib.clock import parse_rfc3339, rfc3339
from chalicelib.commerce.cart import CartRecord
from chalicelib.commerce.event import Event
from chalicelib.commerce.events import enriched, products_in
from chalicelib.commerce.order import Order
from chalicelib.ids import message_id
from chalicelib.journeys.conditions import (
    Condition,
    Facts,
    asks_for_cart,
    needs,
    order_asked,
    order_in,
    steps_mentioned,
)
from chalicelib.journeys.enrolment import Enrolment
from chalicelib.journeys.exits import token_in
from chalicelib.journeys.ports import Found, ProductRecords, Wanted


def as_entered(event: Event) -> dict[str, Any]:
    """The event as an enrolment keeps it."""
    return {
        "id": event.id,
        "type": event.type,
        "occurred_at": rfc3339(event.occurred_at),
        "properties": event.properties,
    }


def entered_since(enrolment: Enrolment) -> datetime:
    """From when "since the journey began" counts: the event that began it, however late we heard of it."""
    occurred_at = enrolment.event.get("occurred_at")
    return min(enrolment.entered_at, parse_rfc3339(occurred_at)) if occurred_at else enrolment.entered_at


def with_catalogue(products: ProductRecords, store_id: str, events: Iterable[Event]) -> list[Event]:
    """Events of the timeline with what the catalogue says of their products today, as journeys are told them."""
    told = list(events)
    wanted = sorted({product for event in told for product in products_in(event)})
    known = products.get_many(store_id, wanted) if wanted else {}
    return [enriched(event, known) for event in told]


def subjects_asked(conditions: Iterable[Condition], event: Mapping[str, Any]) -> set[str]:
    """The purchases to read for these conditions; `event` as an enrolment keeps it."""
    return {subject for condition in conditions for subject in needs(condition, event)}


def messages_asked(conditions: Iterable[Condition], enrolment_id: str) -> dict[str, str]:
    """The messages to read for these conditions: each id with the step that it is of."""
    steps = {step for condition in conditions for step in steps_mentioned(condition)}
    return {message_id(enrolment_id, step): step for step in steps}


def orders_asked(conditions: Iterable[Condition], event: Mapping[str, Any]) -> set[str]:
    """The orders to read for these conditions."""
    return {order for condition in conditions for order in [order_asked(condition, event)] if order}


def newest_cart_asked(conditions: Iterable[Condition], event: Mapping[str, Any]) -> bool:
    """Whether these conditions ask for a cart, and the event has none of its own."""
    return token_in(event) is None and any(asks_for_cart(condition) for condition in conditions)


def wanted_for(asked: Iterable[tuple[Condition, Mapping[str, Any]]]) -> Wanted:
    """What to read for these conditions, each about its event (as an enrolment keeps it)."""
    pairs = [([condition], event) for condition, event in asked]
    return Wanted(
        orders={order for conditions, event in pairs for order in orders_asked(conditions, event)},
        carts={
            token
            for conditions, event in pairs
            for token in [token_in(event)]
            if token and any(asks_for_cart(condition) for condition in conditions)
        },
        newest_cart=any(newest_cart_asked(conditions, event) for conditions, event in pairs),
        subjects={subject for conditions, event in pairs for subject in subjects_asked(conditions, event)},
    )


def cart_for(event: Mapping[str, Any], found: Found) -> CartRecord | None:
    """The cart that a condition asks for: the event's own, else the contact's newest."""
    token = token_in(event)
    return found.carts.get(token) if token else found.newest_cart


def before_entry(event: Event, found: Found, now: datetime) -> Facts | None:
    """For a trigger's `where`. None if the contact is gone."""
    if found.contact is None:
        return None
    seen = as_entered(event)
    order, cart = _order_of(seen, found), cart_for(seen, found)
    return Facts(contact=found.contact, now=now, purchases=found.purchases, event=seen, order=order, cart=cart)


def on_the_way(enrolment: Enrolment, conditions: Iterable[Condition], found: Found, now: datetime) -> Facts | None:
    """For goals and branches of an enrolment. None if the contact is gone."""
    if found.contact is None:
        return None
    asked = messages_asked(conditions, enrolment.id)
    return Facts(
        contact=found.contact,
        now=now,
        purchases=found.purchases,
        event=enrolment.event,
        entered_at=entered_since(enrolment),
        messages={step: found.messages[name] for name, step in asked.items() if name in found.messages},
        order=_order_of(enrolment.event, found),
        cart=cart_for(enrolment.event, found),
    )


def _order_of(event: Mapping[str, Any], found: Found) -> Order | None:
    record = found.orders.get(order_in(event) or "")
    return record.order if record is not None and not record.is_deleted else None
