"""Everything that happened with one contact: what the store told, the journeys, the messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chalice.app import Blueprint

from chalicelib.commerce.event import Event
from chalicelib.errors import NotFound
from chalicelib.handlers.api.shapes import Answer, PageQuery, Time, page
from chalicelib.handlers.http import Call, door
from chalicelib.handlers.request import after_cursor
from chalicelib.journeys.enrolment import Enrolment
from chalicelib.messages.message import Message
from chalicelib.storage.timeline import Timeline

timeline = Blueprint(__name__)


class EventAnswer(Answer):
    id: str
    type: str
    occurred_at: Time
    properties: dict[str, Any]


class TimelineList(Answer):
    items: list[EventAnswer]
    next: str | None


@door(
    timeline,
    "GET",
    "/v1/stores/{store_id}/contacts/{contact_id}/timeline",
    summary="Everything that happened with a contact, newest first",
    scope="store",
    query=PageQuery,
    answers=TimelineList,
)
def contact_timeline(call: Call) -> TimelineList:
    contact = call.wiring.contacts.get(call.store.id, call.path["contact_id"])
    if contact is None:
        raise NotFound("no such contact")
    listing = f"timeline:{contact.id}"
    before = after_cursor(listing, call.query.cursor)
    records, limit = call.wiring.timeline, call.query.limit
    found = _told(records, call.store.id, contact.id, before, limit + 1)
    for enrolment in call.wiring.enrolments.of_contact(call.store.id, contact.id):
        found += _of_enrolment(enrolment)
    for message in call.wiring.messages.of_contact(call.store.id, contact.id):
        found += _of_message(message)
    left = sorted(
        (event for event in found if before is None or records.sort_key(event) < before), key=records.sort_key
    )
    kept, following = page(left[::-1], limit, listing, records.sort_key)
    return TimelineList(items=[_shown(event) for event in kept], next=following)


def _told(records: Timeline, store_id: str, contact_id: str, before: str | None, wanted: int) -> list[Event]:
    """The timeline's own, without what became of messages: their histories tell that, and more."""
    found: list[Event] = []
    while len(found) < wanted:
        page_of_them = records.of_contact(store_id, contact_id, before=before, limit=wanted)
        found += [event for event in page_of_them if not event.type.startswith("message_")]
        if len(page_of_them) < wanted:
            break
        before = records.sort_key(page_of_them[-1])
    return found


def _of_enrolment(enrolment: Enrolment) -> Iterator[Event]:
    about = {"journey": enrolment.journey, "enrolment_id": enrolment.id, "version": enrolment.version}
    entered = f"journey_entered:{enrolment.id}"
    yield Event(id=entered, type="journey_entered", occurred_at=enrolment.entered_at, properties=about)
    if enrolment.ended_at:
        how = {"status": enrolment.status.value, "reason": enrolment.reason}
        ended = f"journey_ended:{enrolment.id}"
        yield Event(id=ended, type="journey_ended", occurred_at=enrolment.ended_at, properties=about | how)


def _of_message(message: Message) -> Iterator[Event]:
    about = {
        "message_id": message.id,
        "journey": message.journey,
        "step": message.step,
        "channel": message.channel.value,
        "kind": message.kind.value,
        "subject": message.subject,
    }
    for number, entry in enumerate(message.history):
        if entry.status != "claimed":
            identifier = f"message_{entry.status}:{message.id}:{number}"
            properties = about | {"detail": entry.detail}
            yield Event(id=identifier, type=f"message_{entry.status}", occurred_at=entry.at, properties=properties)


def _shown(event: Event) -> EventAnswer:
    return EventAnswer(id=event.id, type=event.type, occurred_at=event.occurred_at, properties=event.properties)
