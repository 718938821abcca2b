"""Who is on the way, or was: of a journey, or of a contact."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from chalicelib.errors import NotFound
from chalicelib.handlers.api.messages import MessageAnswer
from chalicelib.handlers.api.messages import shown as message_shown
from chalicelib.handlers.api.shapes import Answer, PageQuery, Time, page
from chalicelib.handlers.http import Call, Reply, door
from chalicelib.handlers.request import after_cursor
from chalicelib.journeys.enrolment import Enrolment, EnrolmentStatus
from chalicelib.messages.message import Message

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


_ONE = "/v1/stores/{store_id}/enrolments/{enrolment_id}"


class EnrolmentWhole(EnrolmentAnswer):
    """With the event that began it, and every message that it came to, sent or not."""

    event: dict[str, Any]
    messages: list[MessageAnswer]


@door(enrolments, "GET", _ONE, summary="One pass: what happened, when and why", scope="store", answers=EnrolmentWhole)
def get_enrolment(call: Call) -> EnrolmentWhole:
    enrolment = _found(call)
    messages = [message_shown(one, call.store) for one in _messages(call, enrolment)]
    return EnrolmentWhole(**dict(shown(enrolment)), event=enrolment.event, messages=messages)


@door(
    enrolments,
    "GET",
    f"{_ONE}/page",
    summary="The same as a page to read, in the store's language",
    scope="store",
    media="text/html",
)
def enrolment_page(call: Call) -> Reply:
    from chalicelib.journeys.enrolment_page import page_of

    enrolment = _found(call)
    definition = call.wiring.interventions.definition(enrolment)
    return Reply(page_of(enrolment, definition, _messages(call, enrolment), call.store))


@door(enrolments, "POST", f"{_ONE}/stop", summary="End this pass", scope="store", answers=EnrolmentAnswer)
def stop_enrolment(call: Call) -> EnrolmentAnswer:
    return shown(call.wiring.interventions.stop(_found(call)))


@door(
    enrolments,
    "POST",
    f"{_ONE}/skip-wait",
    summary="End the wait that it is in",
    scope="store",
    answers=EnrolmentAnswer,
)
def skip_wait(call: Call) -> EnrolmentAnswer:
    return shown(call.wiring.interventions.skip_wait(_found(call)))


@door(enrolments, "POST", f"{_ONE}/redrive", summary="Try the failed step anew", scope="store", answers=EnrolmentAnswer)
def redrive_enrolment(call: Call) -> EnrolmentAnswer:
    return shown(call.wiring.interventions.redrive(_found(call)))


def _found(call: Call) -> Enrolment:
    """Wherever a merge moved it."""
    from chalicelib.ids import contact_of
    from chalicelib.journeys.ports import Wanted

    enrolment_id = call.path["enrolment_id"]
    found = call.wiring.decisions.read(call.store.id, contact_of(enrolment_id), Wanted(enrolment=enrolment_id))
    if found.enrolment is None:
        raise NotFound("no such enrolment")
    return found.enrolment


def _messages(call: Call, enrolment: Enrolment) -> list[Message]:
    mine = call.wiring.messages.of_contact(call.store.id, enrolment.contact_id)
    return [message for message in mine if message.enrolment_id == enrolment.id]


def shown(enrolment: Enrolment) -> EnrolmentAnswer:
    """An enrolment as the API shows it."""
    kept = {name: getattr(enrolment, name) for name in EnrolmentAnswer.model_fields if name != "history"}
    history = [PassageAnswer(at=p.at, what=p.what, step=p.step, detail=p.detail) for p in enrolment.history]
    return EnrolmentAnswer(**kept, history=history)
