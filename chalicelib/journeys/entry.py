"""How an event and an enrolment that it began stand to each other: whether it may begin one, and which was first."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from chalicelib.clock import rfc3339
from chalicelib.commerce.event import Event
from chalicelib.journeys.about import concerns
from chalicelib.journeys.conditions import evaluate
from chalicelib.journeys.enrolment import Enrolment
from chalicelib.journeys.exits import ON_ORDERS, cart_of
from chalicelib.journeys.facts import as_entered, before_entry
from chalicelib.journeys.ports import Found
from chalicelib.journeys.published import Edition
from chalicelib.journeys.triggers import event_type
from chalicelib.messages.message import MessageStatus

_WRITTEN = {status.value for status in MessageStatus} - {MessageStatus.NOT_SENT.value, MessageStatus.FAILED.value}
STARTED_BY = "started_by"
"""The property of an event by which another journey started this one: {journey, step, depth}."""
OF_ORDERS = ON_ORDERS | {"order_cancelled", "order_refunded"}


def matches(edition: Edition, event: Event, found: Found, now: datetime) -> bool:
    trigger = edition.definition.trigger
    if event_type(trigger) != event.type or not concerns(trigger, event.properties):
        return False
    if trigger.where is None:
        return True
    facts = before_entry(event, found, now)
    return facts is not None and evaluate(trigger.where, facts)


def cart_taken(mine: Iterable[Enrolment], event: Event) -> bool:
    """Whether journeys of another kind of this cart's events have it: one cart is not written about twice.

    They have it while they are on their way, and for ever once they sent anything.
    """
    token = cart_of(as_entered(event))
    if token is None:
        return False
    others = (e for e in mine if cart_of(e.event) == token and e.event.get("type") != event.type)
    return any(other.open or _has_written(other) for other in others)


def _has_written(enrolment: Enrolment) -> bool:
    return any(passage.what == "step" and passage.detail in _WRITTEN for passage in enrolment.history)


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
