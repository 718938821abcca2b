"""`/v1/stores/{s}/journeys`: save a draft, switch it on, hold it, stop it, look at it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.errors import FieldMistake, NotFound
from chalicelib.handlers.api.shapes import Answer, Body, FieldProblem, PageQuery, Time, page
from chalicelib.handlers.api.stores import not_obeyed
from chalicelib.handlers.http import Call, Reply, door
from chalicelib.handlers.request import after_cursor
from chalicelib.journeys.enrolment import EnrolmentStatus
from chalicelib.journeys.journey import Journey, JourneyStatus

if TYPE_CHECKING:
    from chalicelib.journeys.errands import Errand

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
    shown = _shown(call, journey)
    standing = [FieldProblem(field=one.field, message=one.message) for one in _standing(call, journey)]
    return shown.model_copy(update={"warnings": [*shown.warnings, *standing]})


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


class MoveBody(Body):
    """`version` is the live one if absent."""

    version: Annotated[int, Field(ge=1, le=1_000_000)] | None = None


class ErrandAnswer(Answer):
    """Work on everybody in a journey. `kind`: let_go (after a pause), stop, move, redrive, sweep. `done`: to how many
    something was done. `report` counts what, such as `moved`, `no_such_step:offer`, `step_changed:a-week`; of a sweep
    also `overdue_ids` and `mended_ids` (20 at most). `ended_at` None: it is still at it, until `next_at` at rest.
    """

    kind: str
    parameters: dict[str, Any]
    done: int
    report: dict[str, Any]
    begun_at: Time
    next_at: Time | None
    ended_at: Time | None


class ErrandList(Answer):
    items: list[ErrandAnswer]
    next: None = None


@door(
    journeys,
    "POST",
    f"{_PATH}/move",
    summary="Move everybody who is on the way to the same step of the live (or a given) version",
    scope="store",
    body=MoveBody,
    answers=ErrandAnswer,
    status=202,
)
def move_journey(call: Call) -> ErrandAnswer:
    return _errand(call.wiring.lifecycle.move(call.store, call.path["journey_id"], call.body.version))


@door(
    journeys,
    "POST",
    f"{_PATH}/redrive",
    summary="Everybody whose pass failed tries the failed step again",
    scope="store",
    answers=ErrandAnswer,
    status=202,
)
def redrive_journey(call: Call) -> ErrandAnswer:
    return _errand(call.wiring.lifecycle.redrive(call.store, call.path["journey_id"]))


@door(
    journeys,
    "POST",
    f"{_PATH}/sweep",
    summary="Look at everybody on the way now: mend whose execution is gone, report who is late (each night anyway)",
    scope="store",
    answers=ErrandAnswer,
    status=202,
)
def sweep_journey(call: Call) -> ErrandAnswer:
    return _errand(call.wiring.lifecycle.sweep(call.store, call.path["journey_id"]))


@door(
    journeys,
    "GET",
    f"{_PATH}/errands",
    summary="What is, or was in the last 90 days, being done to everybody in it; oldest first",
    scope="store",
    answers=ErrandList,
)
def journey_errands(call: Call) -> ErrandList:
    from chalicelib.journeys.multitude import KINDS

    journey = _found(call)
    found = [one for kind in KINDS for one in call.wiring.errands.of_kind(call.store.id, kind)]
    mine = sorted((one for one in found if one.parameters["journey"] == journey.id), key=lambda one: one.begun_at)
    return ErrandList(items=[_errand(one) for one in mine])


def _errand(errand: Errand) -> ErrandAnswer:
    return ErrandAnswer(**{name: getattr(errand, name) for name in ErrandAnswer.model_fields})


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
    definition = Definition.kept(_definition(call, journey))
    return Reply(drawing_svg(definition, _counts(call, journey), call.store.locale))


@door(
    journeys,
    "GET",
    f"{_PATH}/drawing.mmd",
    summary="The picture as text (a Mermaid flowchart), for pull requests",
    scope="store",
    media="text/vnd.mermaid",
)
def drawing_as_text(call: Call) -> Reply:
    from chalicelib.journeys.definition import Definition
    from chalicelib.journeys.drawing import drawing_text

    return Reply(drawing_text(Definition.kept(_definition(call, _found(call))), call.store.locale))


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


def _standing(call: Call, journey: Journey) -> list[FieldMistake]:
    """Steps that the draft has no more, and how many stand on them."""
    from chalicelib.journeys.definition import Definition

    live = _live(call, journey)
    if live is None or journey.draft is None:
        return []
    kept = {place.step.id for place in Definition.kept(journey.draft).located()}
    gone = [place.step.id for place in Definition.kept(live).located() if place.step.id not in kept]
    if not gone:
        return []
    counts = _counts(call, journey)
    return [FieldMistake("steps", f"step {step!r} is gone: {_who_stands(counts.get(step, 0))}") for step in gone]


def _who_stands(number: int) -> str:
    if not number:
        return "nobody stands on it"
    stand = "1 contact stands on it and finishes" if number == 1 else f"{number} contacts stand on it and finish"
    return f"{stand} in the present version; nobody can be moved to this one from there"


def _counts(call: Call, journey: Journey) -> dict[str, int]:
    """How many stand at each step."""
    counts: dict[str, int] = {}
    for enrolment in call.wiring.enrolments.all_of_journey(call.store.id, journey.id):
        if enrolment.at_step and enrolment.status in (EnrolmentStatus.RUNNING, EnrolmentStatus.HELD):
            counts[enrolment.at_step] = counts.get(enrolment.at_step, 0) + 1
    return counts


def _warnings(call: Call, journey: Journey) -> list[FieldMistake]:
    """What the draft's owner should know, and which settings of the store nothing obeys yet."""
    from chalicelib.journeys.definition import Definition

    found = []
    if journey.draft is not None:
        definition = Definition.kept(journey.draft)
        found = call.wiring.lifecycle.warnings(call.store.id, definition)
    return found + not_obeyed(call.store)
