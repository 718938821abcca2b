"""`/v1/stores/{s}/journey-files`: all journeys as a folder of YAML files, compared with what is live and applied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.errors import FieldMistake
from chalicelib.handlers.api.shapes import Answer, Body, FieldProblem
from chalicelib.handlers.http import Call, door

if TYPE_CHECKING:
    from chalicelib.journeys.files import FileState

journey_files = Blueprint(__name__)

_PATH = "/v1/stores/{store_id}/journey-files"


class FilesAnswer(Answer):
    """Texts by file name, such as `welcome.yaml`, or `templates/greeting.yaml` for a template of the store's own."""

    files: dict[str, str]


class FilesBody(Body):
    files: Annotated[dict[str, str], Field(max_length=200)]


class ApplyBody(FilesBody):
    """`activate`: publish what is new or changed, too; else it is saved as a draft."""

    activate: bool = False


class FileAnswer(Answer):
    """`diff` is unified, from what is live to the file. `mistakes` stop it. `only_live`: a journey without a file."""

    id: str
    state: Literal["new", "changed", "same", "mistaken", "archived", "only_live"]
    diff: str
    mistakes: list[FieldProblem]
    warnings: list[FieldProblem]


class FileList(Answer):
    items: list[FileAnswer]
    next: None = None


@door(journey_files, "GET", _PATH, summary="Every journey as a YAML file", scope="store", answers=FilesAnswer)
def journeys_as_files(call: Call) -> FilesAnswer:
    return FilesAnswer(files=call.wiring.journey_files.written(call.store))


@door(
    journey_files,
    "POST",
    f"{_PATH}/diff",
    summary="What applying these files would change; changes nothing",
    scope="store",
    body=FilesBody,
    answers=FileList,
)
def compare_files(call: Call) -> FileList:
    return _shown(call.wiring.journey_files.compared(call.store, call.body.files))


@door(
    journey_files,
    "POST",
    f"{_PATH}/apply",
    summary="Save (and activate) what is new or changed, all or nothing; answers what was different before",
    scope="store",
    body=ApplyBody,
    answers=FileList,
)
def apply_files(call: Call) -> FileList:
    return _shown(call.wiring.journey_files.applied(call.store, call.body.files, call.body.activate))


def _shown(states: list[FileState]) -> FileList:
    def problems(found: Sequence[FieldMistake]) -> list[FieldProblem]:
        return [FieldProblem(field=one.field, message=one.message) for one in found]

    return FileList(
        items=[
            FileAnswer(
                id=one.id,
                state=one.state,
                diff=one.diff,
                mistakes=problems(one.mistakes),
                warnings=problems(one.warnings),
            )
            for one in states
        ]
    )
