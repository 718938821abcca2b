"""Who is on the way, or was: of a journey, or of a contact."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib.errors import NotFound
from chalicelib.handlers.api.shapes import Answer, PageQuery, Time, page
from chalicelib.handlers.http import Call, door
from chalicelib.handlers.request import after_cursor
from chalicelib.journeys.enrolment import Enrolment, EnrolmentStatus

enrolments = Blueprint(__name__)


class PassageAnswer(Answer):
    at: Time
    what: str
    step: str | None
    detail: str | None


class EnrolmentAnswer(Answer):
    """`due_at` is when its present wait ends. `reason` says why it ended as it did."""

    id: str
    journey: str
    contact_id: str
    version: int
    status: EnrolmentStatus
    at_step: str | None
    due_at: Time | None
    entered_at: Time
    ended_at: Time | None
    reason: str | None
    history: list[PassageAnswer]


class EnrolmentList(Answer):
    items: list[EnrolmentAnswer]
    next: str | None


@door(
    enrolments,
    "GET",
    "/v1/stores/{store_id}/journeys/{journey_id}/enrolments",
    summary="Who entered a journey, oldest first",
    scope="store",
    query=PageQuery,
    answers=EnrolmentList,
)
def list_journey_enrolments(call: Call) -> EnrolmentList:
    journey_id = call.path["journey_id"]
    if call.wiring.journeys.get(call.store.id, journey_id) is None:
        raise NotFound("no such journey")
    listing = f"enrolments:{call.store.id}:{journey_id}"
    after = after_cursor(listing, call.query.cursor)
    records = call.wiring.enrolments
    found = records.of_journey(call.store.id, journey_id, after=after, limit=call.query.limit + 1)
    kept, following = page(found, call.query.limit, listing, records.sort_key)
    return EnrolmentList(items=[shown(enrolment) for enrolment in kept], next=following)


@door(
    enrolments,
    "GET",
    "/v1/stores/{store_id}/contacts/{contact_id}/enrolments",
    summary="The journeys that a contact entered, oldest first",
    scope="store",
    query=PageQuery,
    answers=EnrolmentList,
)
def list_contact_enrolments(call: Call) -> EnrolmentList:
    contact = call.wiring.contacts.get(call.store.id, call.path["contact_id"])
    if contact is None:
        raise NotFound("no such contact")
    listing = f"enrolments:{call.store.id}:{contact.id}"
    after = after_cursor(listing, call.query.cursor) or ""
    records = call.wiring.enrolments
    left = [e for e in records.of_contact(call.store.id, contact.id) if records.sort_key(e) > after]
    kept, following = page(left, call.query.limit, listing, records.sort_key)
    return EnrolmentList(items=[shown(enrolment) for enrolment in kept], next=following)


def shown(enrolment: Enrolment) -> EnrolmentAnswer:
    """An enrolment as the API shows it."""
    kept = {name: getattr(enrolment, name) for name in EnrolmentAnswer.model_fields if name != "history"}
    history = [PassageAnswer(at=p.at, what=p.what, step=p.step, detail=p.detail) for p in enrolment.history]
    return EnrolmentAnswer(**kept, history=history)
