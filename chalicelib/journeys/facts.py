"""Just those facts about a contact that some conditions ask for: what to read, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.clock import parse_rfc3339, rfc3339
from chalicelib.commerce.cart import CartRecord
from chalicelib.commerce.event import Event
from chalicelib.commerce.events import enriched, products_in
from chalicelib.commerce.order import Order
from chalicelib.contacts.contact import Contact
from chalicelib.ids import message_id
from chalicelib.journeys.conditions import (
    Condition,
    Facts,
    asks_for_cart,
    asks_for_categories,
    asks_for_engagement,
    asks_for_store,
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


def engagement_asked(conditions: Iterable[Condition]) -> bool:
    """Whether any of these conditions is answered by what the contact did on the site, or told us."""
    return any(asks_for_engagement(condition) for condition in conditions)


def newest_cart_asked(conditions: Iterable[Condition], event: Mapping[str, Any]) -> bool:
    """Whether these conditions ask for a cart, and the event has none of its own."""
    return token_in(event) is None and any(asks_for_cart(condition) for condition in conditions)


def cart_for(event: Mapping[str, Any], found: Found) -> CartRecord | None:
    """The cart that a condition asks for: the event's own, else the contact's newest."""
    token = token_in(event)
    return found.carts.get(token) if token else found.newest_cart


def wanted_for(conditions: Iterable[Condition], event: Mapping[str, Any], enrolment_id: str | None = None) -> Wanted:
    """All that these conditions are answered by, and no more; `event` as an enrolment keeps it.

    Before entry there is no enrolment, and so there are none of its messages.
    """
    asked = list(conditions)
    token = token_in(event)
    return Wanted(
        store=any(asks_for_store(condition) for condition in asked),
        orders=orders_asked(asked, event),
        carts={token} if token and any(asks_for_cart(condition) for condition in asked) else set(),
        newest_cart=newest_cart_asked(asked, event),
        messages=set(messages_asked(asked, enrolment_id)) if enrolment_id else set(),
        subjects=subjects_asked(asked, event),
        engagement=engagement_asked(asked),
        categories=any(asks_for_categories(condition) for condition in asked),
    )


def before_entry(event: Event, found: Found, now: datetime) -> Facts | None:
    """For a trigger's `where`. None if the contact is gone."""
    if found.contact is None:
        return None
    return _facts(found.contact, as_entered(event), found, now)


def on_the_way(enrolment: Enrolment, conditions: Iterable[Condition], found: Found, now: datetime) -> Facts | None:
    """For goals and branches of an enrolment. None if the contact is gone."""
    if found.contact is None:
        return None
    asked = messages_asked(conditions, enrolment.id)
    return replace(
        _facts(found.contact, enrolment.event, found, now),
        entered_at=entered_since(enrolment),
        messages={step: found.messages[name] for name, step in asked.items() if name in found.messages},
        steps=steps_of(enrolment, now),
    )


def steps_of(enrolment: Enrolment, now: datetime) -> dict[str, str]:
    """What became of each step that the enrolment has behind it: done, failed, skipped; of a wait for an event happened
    or timed_out."""
    found: dict[str, str] = {}
    for passage in enrolment.history:
        if passage.step is None:
            continue
        if passage.what == "step":
            found[passage.step] = _came_of(passage.detail or "")
        elif passage.what == "parked":
            found[passage.step] = "timed_out"
        elif passage.what == "happened":
            found[passage.step] = "happened"
    if parked := enrolment.parked:
        over = parked.until <= now or enrolment.at_step != parked.step
        found[parked.step] = "happened" if parked.happened_at else "timed_out" if over else "waits"
    return found


def _came_of(detail: str) -> str:
    if detail.startswith("failed:"):
        return "failed"
    return "skipped" if detail.startswith("skipped") else "done"


def _facts(contact: Contact, event: Mapping[str, Any], found: Found, now: datetime) -> Facts:
    store = found.store
    return Facts(
        contact=contact,
        now=now,
        purchases=found.purchases,
        event=event,
        order=_order_of(event, found),
        cart=cart_for(event, found),
        engagement=found.engagement,
        categories=found.categories,
        store_zone=store.timezone if store else "UTC",
        country=store.country if store else "",
    )


def _order_of(event: Mapping[str, Any], found: Found) -> Order | None:
    record = found.orders.get(order_in(event) or "")
    return record.order if record is not None and not record.is_deleted else None
