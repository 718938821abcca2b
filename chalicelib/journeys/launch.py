"""Starting and stopping the execution that carries an enrolment. The record decides; this only follows it."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from chalicelib.clock import Clock, rfc3339
from chalicelib.errors import Conflict
from chalicelib.journeys.actions import Wait
from chalicelib.journeys.enrolment import Enrolment, EnrolmentStatus
from chalicelib.journeys.limits import LONGEST_EXECUTION
from chalicelib.journeys.ports import EnrolmentRecords, Workflows
from chalicelib.journeys.published import Edition, Published


class Launcher:
    def __init__(self, published: Published, enrolments: EnrolmentRecords, workflows: Workflows, clock: Clock) -> None:
        self._published = published
        self._enrolments = enrolments
        self._workflows = workflows
        self._clock = clock

    def launch(self, enrolment: Enrolment) -> None:
        """Start the execution of the present generation: repeating is harmless.

        The first generation runs the journey's machine from its beginning; later ones enter the resume machine at
        `at_step`, a wait with its absolute end (or as much of it as an execution may last). That it was started is told
        by its first step, with the rest that it records. Only where a wait comes before the first step this says so
        itself: else every event of the contact would start it once more, until the wait ends. Raises `TryLater` when
        the workflow service refuses for now.
        """
        if enrolment.status is not EnrolmentStatus.RUNNING or enrolment.started:
            return
        edition = self._published.get(enrolment.store_id, enrolment.journey, enrolment.version)
        machine = self._machine(edition, enrolment)
        self._workflows.start(machine, enrolment.execution, self._payload(edition, enrolment))
        if not self._waits_first(edition, enrolment):
            return
        try:
            self._enrolments.save(enrolment.model_copy(update={"started": True}))
        except Conflict:
            return  # a step was quicker than we, and every step marks it as started

    def stop(self, enrolment: Enrolment, reason: str) -> None:
        """After the record says that it ended: nothing may come of a machine that is stopped first."""
        edition = self._published.get(enrolment.store_id, enrolment.journey, enrolment.version)
        self._workflows.stop(self._machine(edition, enrolment), enrolment.execution, reason)

    @staticmethod
    def _waits_first(edition: Edition, enrolment: Enrolment) -> bool:
        return enrolment.at_step is not None and isinstance(edition.definition.step(enrolment.at_step), Wait)

    @staticmethod
    def _machine(edition: Edition, enrolment: Enrolment) -> str:
        return edition.version.machine if enrolment.generation == 0 else edition.version.resume_machine

    def _payload(self, edition: Edition, enrolment: Enrolment) -> dict[str, Any]:
        payload: dict[str, Any] = {
            "store_id": enrolment.store_id,
            "enrolment_id": enrolment.id,
            "generation": enrolment.generation,
        }
        if enrolment.at_step is None:
            return payload
        step = edition.definition.step(enrolment.at_step)
        if enrolment.generation > 0:
            payload["enter"] = step.id
        if isinstance(step, Wait) and (enrolment.generation > 0 or step.computed):
            payload |= time_left(step, enrolment.due_at, self._clock.now())
        return payload


def time_left(wait: Wait, due_at: datetime | None, now: datetime) -> dict[str, Any]:
    """What a state machine must be told of a wait: {"until": RFC 3339}, or of one for an event {"seconds": 1 and more}.

    Never more than an execution may last: who wakes before the wait is due goes on in a next one.
    """
    until = min(due_at or now, now + LONGEST_EXECUTION)
    if wait.until_event is None:
        return {"until": rfc3339(until)}
    return {"seconds": max(1, math.ceil((until - now).total_seconds()))}
