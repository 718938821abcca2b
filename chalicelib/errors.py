"""The one hierarchy of errors. Texts name fields and expectations, never a person's data."""

from __future__ import annotations

import traceback
from dataclasses import dataclass


class AgalaError(Exception):
    """Anything that Agala itself raises on purpose."""


@dataclass(frozen=True)
class FieldMistake:
    """One bad field. `field` is a path such as `steps[2].content.he.subject`."""

    field: str
    message: str


class BadInput(AgalaError):
    """What was asked cannot be done as asked (HTTP 422). `mistakes` names each field."""

    def __init__(self, detail: str, mistakes: list[FieldMistake] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.mistakes = mistakes or []


class NotFound(AgalaError):
    """No such record (HTTP 404)."""


class Conflict(AgalaError):
    """The record's present state does not allow it, or somebody else changed it meanwhile (HTTP 409)."""


class Unauthorised(AgalaError):
    """No token or signature, or a wrong one (HTTP 401)."""


class Forbidden(AgalaError):
    """A good token that may not do this (HTTP 403)."""


class TryLater(AgalaError):
    """A part that is needed is out for now (HTTP 503): nothing was done, repeating is safe."""


class TaskFailed(AgalaError):
    """A mistake of ours in a state machine's task. Says where, and never what the mistake itself said: executions and
    logs keep it."""


class StepCannot(AgalaError):
    """A journey's step fails for good; the text is a short code for its history (`not_a_number`), nothing personal."""


def told(mistake: BaseException) -> str:
    """An error's class and place, for the log, without its text: that may quote what a person sent."""
    frames = traceback.extract_tb(mistake.__traceback__)[-3:]
    places = " < ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in reversed(frames))
    return f"{type(mistake).__name__} at {places}"
