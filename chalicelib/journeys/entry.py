"""How an event and an enrolment that it began stand to each other: whether it may begin one, and which was first."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from chalicelib.clock import rfc3339
from chalicelib.commerce.event import Event
from chalicelib.journeys.conditions import evaluate
from chalicelib.journeys.enrolment import Enrolment
from chalicelib.journeys.exits import ON_ORDERS
from chalicelib.journeys.facts import as_entered, before_entry
from chalicelib.journeys.ports import Found
from chalicelib.journeys.published import Edition
from chalicelib.journeys.triggers import concerns, event_type

FRESH = timedelta(hours=48)  # only younger events begin anything
OF_ORDERS = ON_ORDERS | {"order_cancelled", "order_refunded"}


def matches(edition: Edition, event: Event, found: Found, now: datetime) -> bool:
    trigger = edition.definition.trigger
    if event_type(trigger) != event.type or not concerns(trigger, event.properties):
        return False
    if trigger.where is None:
        return True
    facts = before_entry(event, found, now)
    return facts is not None and evaluate(trigger.where, facts)


def same_words(enrolment: Enrolment, event: Event) -> bool:
    """Whether the enrolment's event reads as this telling of it does."""
    return event.type not in OF_ORDERS or bool(_bare(enrolment.event) == _bare(as_entered(event)))


def _bare(value: Any) -> Any:
    """Without what is not set: a record does not keep it."""
    if isinstance(value, dict):
        return {name: _bare(one) for name, one in value.items() if one is not None}
    return [_bare(one) for one in value] if isinstance(value, list | tuple) else value


def place(event: Event) -> tuple[str, str]:
    return rfc3339(event.occurred_at), event.id


def happened_after(enrolment: Enrolment, event: Event) -> bool:
    return (enrolment.event.get("occurred_at", ""), enrolment.event.get("id", "")) > place(event)
