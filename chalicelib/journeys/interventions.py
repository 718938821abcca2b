"""What an owner, or a repair, does to one who is on the way: stop, skip a wait, move to another version, try again.

Each takes the record to its next generation first, ends the execution that carried it, and starts the next one in the
resume machine at the same step. Whatever a crash leaves undone the next event, or the sweep, does.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from chalicelib.clock import Clock
from chalicelib.errors import Conflict, NotFound
from chalicelib.journeys.actions import Step, Wait
from chalicelib.journeys.definition import Definition
from chalicelib.journeys.enrolment import Enrolment, EnrolmentStatus
from chalicelib.journeys.enrolment_changes import EnrolmentChanges
from chalicelib.journeys.launch import Launcher
from chalicelib.journeys.passages import another_try, handed_over, noted, resumed
from chalicelib.journeys.plan import plan
from chalicelib.journeys.published import Published

MOVED = "moved"


class Interventions:
    def __init__(self, published: Published, changes: EnrolmentChanges, launcher: Launcher, clock: Clock) -> None:
        self._published, self._changes, self._launcher, self._clock = published, changes, launcher, clock

    def stop(self, enrolment: Enrolment, reason: str = "stopped_by_hand") -> Enrolment:
        """Raises `Conflict` for one that is over."""
        if not enrolment.open:
            raise Conflict(f"the enrolment is over: {enrolment.status}")
        self._changes.end(enrolment, EnrolmentStatus.STOPPED, reason)
        return self._changes.present(enrolment) or enrolment

    def skip_wait(self, enrolment: Enrolment) -> Enrolment:
        """The wait that it is in ends now; one for an event as if the event had not come.

        Raises `Conflict` for one that is not in a wait. What may not be sent yet (quiet hours, a stopped shop) is no
        wait of the journey and is not skipped.
        """
        if enrolment.status is not EnrolmentStatus.RUNNING or not isinstance(self._step(enrolment), Wait):
            raise Conflict("the enrolment is in no wait")

        def skipped(present: Enrolment) -> Enrolment:
            if present.status is not EnrolmentStatus.RUNNING or present.at_step != enrolment.at_step:
                raise Conflict("the enrolment went on meanwhile")
            now = self._clock.now()
            parked = present.parked
            if parked is not None and parked.step == present.at_step:
                parked = parked.model_copy(update={"until": now})
            over = present.model_copy(update={"due_at": now, "parked": parked})
            return noted(handed_over(over, now), now, "skipped", over.at_step)

        return self._anew(enrolment, skipped)

    def redrive(self, enrolment: Enrolment) -> Enrolment:
        """One that failed goes on at the step where it failed, which is tried again. Raises `Conflict` for others."""
        if enrolment.status is not EnrolmentStatus.FAILED or enrolment.at_step is None:
            raise Conflict("the enrolment did not fail at a step")

        def again(present: Enrolment) -> Enrolment:
            if present.status is not EnrolmentStatus.FAILED:
                return present
            back = present.model_copy(
                update={"status": EnrolmentStatus.RUNNING, "reason": None, "ended_at": None, "due_at": None}
            )
            now = self._clock.now()
            return another_try(handed_over(back, now), now)

        return self._anew(enrolment, again)

    def mend(self, enrolment: Enrolment) -> Enrolment:
        """Its execution is gone: it goes on where the record says that it is."""

        def mended(present: Enrolment) -> Enrolment:
            if present.status is not EnrolmentStatus.RUNNING or present.generation != enrolment.generation:
                return present
            now = self._clock.now()
            return noted(handed_over(present, now), now, "mended", present.at_step)

        return self._anew(enrolment, mended)

    def move(self, enrolment: Enrolment, to: int) -> str:
        """To the same step of version `to`: `MOVED`, or why it could not be: `no_such_step`, `step_changed` (a wait
        there is none here, or the other way round). A wait of a given length ends as the new version says, counted
        from when it began; every other keeps its end.

        Raises `NotFound` for a version that is not there.
        """
        step = self._step(enrolment)
        if enrolment.version == to:
            if present := self._changes.present(enrolment):
                self._launcher.launch(present)  # moved before, by one who was interrupted
            return MOVED
        target = self._published.get(enrolment.store_id, enrolment.journey, to).definition
        place = plan(target).steps.get(enrolment.at_step or "")
        if place is None:
            return "no_such_step"
        if isinstance(place, Wait) != isinstance(step, Wait) or _awaits(place) != _awaits(step):
            return "step_changed"

        def moved(present: Enrolment) -> Enrolment:
            if not present.open or present.version == to or present.at_step != enrolment.at_step:
                return present
            now = self._clock.now()
            over = present.model_copy(update={"version": to, "due_at": _due(present, place)})
            if present.status is EnrolmentStatus.RUNNING:
                over = handed_over(over, now)
            return noted(over, now, MOVED, present.at_step, f"{present.version} to {to}")

        return MOVED if self._anew(enrolment, moved).version == to else "went_on"

    def let_go_on(self, enrolment: Enrolment) -> bool:
        """A held one goes on from where it was held. False if it is not held (any more)."""

        def go(present: Enrolment) -> Enrolment:
            return resumed(present, self._clock.now()) if present.status is EnrolmentStatus.HELD else present

        present = self._changes.present(enrolment)
        if present is None or not present.open:
            return False
        gone_on = self._changes.change(present, go)
        self._launcher.launch(gone_on or present)
        return gone_on is not None

    def definition(self, enrolment: Enrolment) -> Definition:
        return self._published.get(enrolment.store_id, enrolment.journey, enrolment.version).definition

    def _step(self, enrolment: Enrolment) -> Step | None:
        return self.definition(enrolment).step(enrolment.at_step) if enrolment.at_step else None

    def _anew(self, enrolment: Enrolment, change: Callable[[Enrolment], Enrolment]) -> Enrolment:
        changed = self._changes.change(enrolment, change)
        if changed is None:
            present = self._changes.present(enrolment)
            if present is None:
                raise NotFound("no such enrolment")
            self._launcher.launch(present)
            return present
        if enrolment.open:
            self._launcher.stop(enrolment, "superseded")
        self._launcher.launch(changed)
        return self._changes.present(changed) or changed


def _awaits(step: Step | None) -> bool:
    return isinstance(step, Wait) and step.until_event is not None


def _due(enrolment: Enrolment, step: Step) -> datetime | None:
    """When the wait that it is in ends in the version that has it as `step`."""
    if not isinstance(step, Wait) or step.duration is None or enrolment.due_at is None:
        return enrolment.due_at
    began = [passage.at for passage in enrolment.history if passage.step == step.id and passage.what == "waiting"]
    return (began[-1] if began else enrolment.entered_at) + step.duration.length


OVERDUE = timedelta(hours=2)  # longer than the pauses of a task's retries add up to before it rests for an hour
"""So long after its time one whose execution says nothing is looked at."""
