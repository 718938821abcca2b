"""`/v1/stores/{s}/journeys`: save a draft, switch it on, hold it, stop it, look at it."""

from __future__ import annotations

import json
from typing import Any

from chalice.app import Blueprint

from chalicelib.errors import FieldMistake, NotFound
from chalicelib.handlers.api.shapes import Answer, FieldProblem, PageQuery, Time, page
from chalicelib.handlers.api.stores import not_yet
from chalicelib.handlers.http import Call, Reply, door
from chalicelib.handlers.request import after_cursor
from chalicelib.journeys.enrolment import EnrolmentStatus
from chalicelib.journeys.journey import Journey, JourneyStatus

journeys = Blueprint(__name__)

_PATH = "/v1/stores/{store_id}/journeys/{journey_id}"


class JourneyHead(Answer):
    """`version` is the one that takes people in, None before the first activation."""

    id: str
    name: dict[str, str]
    status: JourneyStatus
    version: int | None
    created_at: Time
    updated_at: Time


class JourneyAnswer(JourneyHead):
    """`draft` is what was saved last, `definition` what is live. `warnings`: it runs, but perhaps not as meant."""

    draft: dict[str, Any] | None
    definition: dict[str, Any] | None
    warnings: list[FieldProblem]


class JourneyList(Answer):
    items: list[JourneyHead]
    next: str | None


@door(
    journeys,
    "GET",
    "/v1/stores/{store_id}/journeys",
    summary="The store's journeys, by id",
    scope="store",
    query=PageQuery,
    answers=JourneyList,
)
def list_journeys(call: Call) -> JourneyList:
    listing = f"journeys:{call.store.id}"
    after = after_cursor(listing, call.query.cursor) or ""
    left = [journey for journey in call.wiring.journeys.of_store(call.store.id) if journey.id > after]
    kept, following = page(left, call.query.limit, listing, lambda journey: journey.id)
    return JourneyList(items=[JourneyHead(**_head(journey)) for journey in kept], next=following)


@door(journeys, "GET", _PATH, summary="One journey", scope="store", answers=JourneyAnswer)
def get_journey(call: Call) -> JourneyAnswer:
    return _shown(call, _found(call))


@door(
    journeys,
    "PUT",
    _PATH,
    summary="Save a draft; /v1/schemas/journey says what a definition is",
    scope="store",
    body=dict[str, Any],
    answers=JourneyAnswer,
)
def save_draft(call: Call) -> JourneyAnswer:
    journey, _warnings = call.wiring.lifecycle.save_draft(call.store, call.path["journey_id"], call.body)
    return _shown(call, journey)


@door(
    journeys,
    "POST",
    f"{_PATH}/activate",
    summary="Publish the draft as a new version and take people in",
    scope="store",
    answers=JourneyAnswer,
)
def activate_journey(call: Call) -> JourneyAnswer:
    return _shown(call, call.wiring.lifecycle.activate(call.store, call.path["journey_id"]))


@door(
    journeys,
    "POST",
    f"{_PATH}/pause",
    summary="Take nobody in; whoever is on the way is held at the next step",
    scope="store",
    answers=JourneyAnswer,
)
def pause_journey(call: Call) -> JourneyAnswer:
    return _shown(call, call.wiring.lifecycle.pause(call.store, call.path["journey_id"]))


@door(
    journeys,
    "POST",
    f"{_PATH}/resume",
    summary="Take people in again; the held go on",
    scope="store",
    answers=JourneyAnswer,
)
def resume_journey(call: Call) -> JourneyAnswer:
    return _shown(call, call.wiring.lifecycle.resume(call.store, call.path["journey_id"]))


@door(
    journeys,
    "POST",
    f"{_PATH}/stop",
    summary="Take nobody in and end everybody who is on the way",
    scope="store",
    answers=JourneyAnswer,
)
def stop_journey(call: Call) -> JourneyAnswer:
    return _shown(call, call.wiring.lifecycle.stop(call.store, call.path["journey_id"]))


@door(
    journeys,
    "POST",
    f"{_PATH}/archive",
    summary="Put it away for good; whoever is on the way finishes",
    scope="store",
    answers=JourneyAnswer,
)
def archive_journey(call: Call) -> JourneyAnswer:
    return _shown(call, call.wiring.lifecycle.archive(call.store, call.path["journey_id"]))


@door(
    journeys,
    "GET",
    f"{_PATH}/state-machine",
    summary="The Amazon States Language that it compiles to: the live version, else the draft",
    scope="store",
    answers=dict[str, Any],
)
def state_machine(call: Call) -> Reply:
    from chalicelib.journeys.compile import compile_journey
    from chalicelib.journeys.definition import Definition

    definition = Definition.kept(_definition(call, _found(call)))
    return Reply(json.dumps(compile_journey(definition, call.wiring.settings.step_function_arn), ensure_ascii=False))


@door(
    journeys,
    "GET",
    f"{_PATH}/drawing.svg",
    summary="The picture, with how many are where",
    scope="store",
    media="image/svg+xml",
)
def drawing(call: Call) -> Reply:
    from chalicelib.journeys.definition import Definition
    from chalicelib.journeys.drawing import drawing_svg

    journey = _found(call)
    counts: dict[str, int] = {}
    for enrolment in call.wiring.enrolments.all_of_journey(call.store.id, journey.id):
        if enrolment.at_step and enrolment.status in (EnrolmentStatus.RUNNING, EnrolmentStatus.HELD):
            counts[enrolment.at_step] = counts.get(enrolment.at_step, 0) + 1
    return Reply(drawing_svg(Definition.kept(_definition(call, journey)), counts, call.store.locale))


def _found(call: Call) -> Journey:
    journey = call.wiring.journeys.get(call.store.id, call.path["journey_id"])
    if journey is None:
        raise NotFound("no such journey")
    return journey


def _live(call: Call, journey: Journey) -> dict[str, Any] | None:
    if journey.live_version is None:
        return None
    version = call.wiring.journeys.version(journey.store_id, journey.id, journey.live_version)
    return version.definition if version else None


def _definition(call: Call, journey: Journey) -> dict[str, Any]:
    definition = _live(call, journey) or journey.draft
    if definition is None:
        raise NotFound("the journey has no definition yet")
    return definition


def _head(journey: Journey) -> dict[str, Any]:
    kept = {name: getattr(journey, name) for name in JourneyHead.model_fields if name != "version"}
    return kept | {"version": journey.live_version}


def _shown(call: Call, journey: Journey) -> JourneyAnswer:
    warnings = [FieldProblem(field=w.field, message=w.message) for w in _warnings(call, journey)]
    return JourneyAnswer(**_head(journey), draft=journey.draft, definition=_live(call, journey), warnings=warnings)


def _warnings(call: Call, journey: Journey) -> list[FieldMistake]:
    """What the draft's owner should know, and which settings of the store nothing obeys yet."""
    from chalicelib.journeys.definition import Definition, check

    found = []
    if journey.draft is not None:
        definition = Definition.kept(journey.draft)
        found = [*call.wiring.lifecycle.warnings(call.store.id, definition), *check(definition).not_yet]
    return found + [FieldMistake(name, "is kept, but not enforced yet") for name in not_yet(call.store.settings)]
