"""`/v1/stores/{s}/events`: something happened that no store platform tells."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from chalice.app import Blueprint
from pydantic import Field, ValidationError

from chalicelib.commerce.event import Event
from chalicelib.contacts import told_events
from chalicelib.errors import BadInput, FieldMistake
from chalicelib.handlers.api.shapes import AHEAD, Answer, Body, Line, Properties, Time
from chalicelib.handlers.http import PATH_PATTERNS, Call, door
from chalicelib.handlers.request import field_mistakes

events = Blueprint(__name__)

# Told by the store's deliveries or made by ourselves; sent over the API they could contradict the records.
_OURS = frozenset(
    (
        "cart_abandoned",
        "cart_recovered",
        "cart_updated",
        "checkout_abandoned",
        "checkout_started",
        "consent_changed",
        "contact_created",
        "coupon_redeemed",
        "date_field",
        "field_changed",
        "field_undone",
        "gathered",
        "holiday",
        "inactivity",
        "list_joined",
        "list_left",
        "order_cancelled",
        "order_completed",
        "order_delivered",
        "order_paid",
        "order_placed",
        "order_refunded",
        "payment_failed",
        "price_dropped",
        "product_back_in_stock",
        "product_published",
        "subscribed",
        "tag_added",
        "tag_removed",
        "threshold_reached",
        "unsubscribed",
    )
)
_OUR_BEGINNINGS = ("journey_", "message_", "audience_")
_OUR_IDS = frozenset({"started"})  # of events that one journey hands to another (`journeys.other_journeys`)


class EventContact(Body):
    """One of them at least; an `id` is believed before the others."""

    id: Annotated[str, Field(pattern=PATH_PATTERNS["contact_id"])] | None = None
    email: Annotated[str, Field(min_length=3, max_length=254)] | None = None
    phone: Annotated[str, Field(min_length=3, max_length=40)] | None = None


class EventNew(Body):
    """`id` is the sender's own: the same id again changes nothing. `occurred_at` is now if absent.

    The `properties` of a known type (`product_viewed`, `survey_answered`, …) have their names, as docs/api.md has them.
    """

    id: Line
    type: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.:-]{0,63}$")]
    contact: EventContact
    occurred_at: Time | None = None
    properties: Properties = Field(default_factory=dict)


class EventTaken(Answer):
    """`contact_id` is None where an event with this id came before for a person who was erased since."""

    id: str
    contact_id: str | None


@door(
    events,
    "POST",
    "/v1/stores/{store_id}/events",
    summary="Tell an event",
    scope="store",
    body=EventNew,
    answers=EventTaken,
    status=202,
)
def record_event(call: Call) -> EventTaken:
    from chalicelib.commerce.intake import ContactRef

    given: EventNew = call.body
    now = call.wiring.clock.now()
    if mistakes := list(_mistakes(given, now)):
        raise BadInput("The body is not as expected.", mistakes)
    about = ContactRef(id=given.contact.id, email=given.contact.email, phone=given.contact.phone)
    event = Event(id=given.id, type=given.type, occurred_at=given.occurred_at or now, properties=dict(given.properties))
    applied = call.wiring.intake.record_event(call.store, about, event)
    return EventTaken(id=given.id, contact_id=next(iter(applied.contact_ids), None))


def _is_ours(name: str) -> bool:
    return name in _OURS or name.startswith(_OUR_BEGINNINGS)


def _mistakes(given: EventNew, now: datetime) -> Iterator[FieldMistake]:
    if _is_ours(given.type):
        yield FieldMistake("type", "this kind of event is told by the store's own deliveries")
    beginning, colon, _ = given.id.partition(":")
    if colon and (_is_ours(beginning) or beginning in _OUR_IDS):
        yield FieldMistake("id", "an id that begins so belongs to the store's own deliveries")
    if not (given.contact.id or given.contact.email or given.contact.phone):
        yield FieldMistake("contact", "expected an id, an email or a phone")
    if given.occurred_at and given.occurred_at > now + AHEAD:
        yield FieldMistake("occurred_at", "is in the future")
    try:
        told_events.read(given.type, given.properties)
    except ValidationError as problem:
        for mistake in field_mistakes(problem):  # "body": of the properties as a whole
            field = "properties" if mistake.field == "body" else f"properties.{mistake.field}"
            yield FieldMistake(field, mistake.message)
