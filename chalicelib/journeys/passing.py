"""One run through a task, and what its steps share: what was looked at, and how a step that must rest comes back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn

from chalicelib.clock import parse_rfc3339, rfc3339
from chalicelib.commerce.cart import CartRecord
from chalicelib.commerce.store import Store
from chalicelib.journeys.conditions import Facts
from chalicelib.journeys.enrolment import Enrolment
from chalicelib.journeys.passages import noted, waiting
from chalicelib.journeys.ports import EnrolmentRecords, NotNow, StepCannot

GIVE_UP = timedelta(hours=24)
_FIRST_REST, _LONGEST_REST = timedelta(minutes=1), timedelta(hours=1)


@dataclass
class Passing:
    """One run through a task: the enrolment as it was read, and what changes from step to step."""

    store: Store
    read: Enrolment
    enrolment: Enrolment
    facts: Facts
    cart: CartRecord | None = None
    """That of the enrolment's event, as it is now."""
    go: str | None = None
    changed: bool = False
    """The contact is not as `facts` has it any more."""

    def cause(self, step: str) -> str:
        """The name under which a step's effect is found again."""
        return f"{self.enrolment.id}:{step}"


def put_off(passing: Passing, enrolments: EnrolmentRecords, step: str, later: NotNow, now: datetime) -> None:
    """Note that the step may not be done before `later`."""
    due_at = parse_rfc3339(str(later))
    enrolments.save(waiting(passing.enrolment, now, step, due_at, later.reason or "not_now"))


def come_back(passing: Passing, enrolments: EnrolmentRecords, step: str, reason: str, now: datetime) -> NoReturn:
    """What it needs is out: rest, for as long as it was tried already, from a minute to an hour.

    Raises `NotNow`; and `StepCannot` with this reason a day after the first attempt, which history keeps as `tried`.
    """
    enrolment = passing.enrolment
    first = next((one.at for one in enrolment.history if one.what == "tried" and one.step == step), None)
    if first is None:
        enrolment = noted(enrolment, now, "tried", step, reason)
    tried_for = now - (first or now)
    if tried_for >= GIVE_UP:
        raise StepCannot(reason)
    due_at = now + min(max(tried_for, _FIRST_REST), _LONGEST_REST)
    enrolments.save(waiting(enrolment, now, step, due_at, reason))
    raise NotNow(rfc3339(due_at), reason)
