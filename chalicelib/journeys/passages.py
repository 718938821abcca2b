"""How an enrolment moves on: each function gives the next record, and history grows by what happened."""

from __future__ import annotations

from datetime import datetime

from chalicelib.clock import rfc3339
from chalicelib.journeys.enrolment import Enrolment, EnrolmentStatus, Parked, Passage


def noted(
    enrolment: Enrolment, now: datetime, what: str, step: str | None = None, detail: str | None = None
) -> Enrolment:
    """The same, with one more passage in its history; a wait told again takes the place of the one before it."""
    history = enrolment.history
    if what == "waiting" and history and history[-1].what == what and history[-1].step == step:
        history = history[:-1]
    passage = Passage(at=now, what=what, step=step, detail=detail)
    return enrolment.model_copy(update={"history": (*history, passage)})


def ended(enrolment: Enrolment, now: datetime, status: EnrolmentStatus, reason: str) -> Enrolment:
    """Over, for this reason. What ended already stays as it is; who completed it stands at no step any more."""
    if not enrolment.open:
        return enrolment
    if status is EnrolmentStatus.COMPLETED:
        enrolment = enrolment.model_copy(update={"at_step": None})
    over = enrolment.model_copy(update={"status": status, "reason": reason, "ended_at": now, "due_at": None})
    return noted(over, now, "ended", enrolment.at_step, reason)


def held(enrolment: Enrolment, now: datetime, step: str) -> Enrolment:
    """Stopped before `step` because the journey is paused."""
    stopped = enrolment.model_copy(update={"status": EnrolmentStatus.HELD, "at_step": step, "started": True})
    return noted(stopped, now, "held", step)


def resumed(enrolment: Enrolment, now: datetime) -> Enrolment:
    """On its way again in an execution of the next generation, which is not started yet."""
    again = enrolment.model_copy(update={"status": EnrolmentStatus.RUNNING})
    return noted(handed_over(again, now), now, "resumed", enrolment.at_step)


def handed_over(enrolment: Enrolment, now: datetime) -> Enrolment:
    """To an execution of the next generation, which is not started yet; what the old one waited with is void."""
    changes = {"generation": enrolment.generation + 1, "started": False, "execution_at": now}
    if enrolment.parked is not None:
        changes["parked"] = enrolment.parked.model_copy(update={"token": None})
    return enrolment.model_copy(update=changes)


def resumed_here(enrolment: Enrolment, now: datetime) -> Enrolment:
    """On its way again in the very execution that was about to end."""
    return noted(enrolment.model_copy(update={"status": EnrolmentStatus.RUNNING}), now, "resumed", enrolment.at_step)


def waiting(enrolment: Enrolment, now: datetime, step: str, due_at: datetime, reason: str | None = None) -> Enrolment:
    """In a wait, or before a step that may not be done yet (`reason`: quiet_hours, …)."""
    paused = enrolment.model_copy(update={"at_step": step, "due_at": due_at})
    until = f"until {rfc3339(due_at)}"
    return noted(paused, now, "waiting", step, f"{reason}, {until}" if reason else until)


def happened(enrolment: Enrolment, now: datetime, parked: Parked, event_id: str) -> Enrolment:
    """The event that its present wait is for came."""
    came = parked.model_copy(update={"happened_at": now, "event_id": event_id})
    return noted(enrolment.model_copy(update={"parked": came}), now, "happened", parked.step, event_id)


def timed_out(enrolment: Enrolment, now: datetime, step: str) -> Enrolment:
    """The wait for an event is over, and it did not come."""
    return noted(enrolment, now, "timed_out", step)


def withdrawn(enrolment: Enrolment, now: datetime) -> Enrolment:
    """It never was: in the true order of events this contact would not have entered so."""
    over = enrolment.model_copy(update={"status": EnrolmentStatus.EXITED, "reason": "withdrawn", "ended_at": now})
    return over.model_copy(update={"withdrawn": True, "due_at": None})


def answer(enrolment: Enrolment, step: str) -> Passage | None:
    """The record of this step having been done, if it was."""
    return next((p for p in enrolment.history if p.what == "step" and p.step == step), None)


def failure(detail: str | None) -> str | None:
    """Why a step failed for good, by the detail of its passage; None if it did not."""
    word, _, reason = (detail or "").partition(":")
    return reason if word == "failed" else None
