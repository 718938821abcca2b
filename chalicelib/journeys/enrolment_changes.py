"""An enrolment's record changed over its newest revision, and its execution stopped after the record says so."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.clock import Clock
from chalicelib.errors import Conflict, TryLater
from chalicelib.journeys.enrolment import Enrolment, EnrolmentStatus
from chalicelib.journeys.launch import Launcher
from chalicelib.journeys.passages import ended, withdrawn
from chalicelib.journeys.ports import DecisionRecords, EnrolmentRecords, Wanted

MAY_BE_WITHDRAWN = frozenset(
    {EnrolmentStatus.RUNNING, EnrolmentStatus.HELD, EnrolmentStatus.EXITED, EnrolmentStatus.GOAL_MET}
)
_ATTEMPTS = 10


class EnrolmentChanges:
    def __init__(
        self, enrolments: EnrolmentRecords, decisions: DecisionRecords, launcher: Launcher, clock: Clock
    ) -> None:
        self._enrolments, self._decisions, self._launcher, self._clock = enrolments, decisions, launcher, clock

    def end(self, enrolment: Enrolment, status: EnrolmentStatus, reason: str) -> None:
        """End one: its record first, then its execution. What ended already keeps its reason, and its execution is
        stopped once more, in case a crash came between the two."""
        over = self.change(enrolment, lambda present: ended(present, self._clock.now(), status, reason))
        self._launcher.stop(over or enrolment, reason)

    def withdraw(self, enrolment: Enrolment) -> None:
        def away(present: Enrolment) -> Enrolment:
            if present.withdrawn or present.status not in MAY_BE_WITHDRAWN:
                return present
            return withdrawn(present, self._clock.now())

        gone = self.change(enrolment, away)
        if gone is not None:
            self._launcher.stop(gone, "withdrawn")

    def change(self, enrolment: Enrolment, change: Callable[[Enrolment], Enrolment]) -> Enrolment | None:
        """Write a change over the newest revision; None if there is nothing to change."""
        present: Enrolment | None = enrolment
        for _ in range(_ATTEMPTS):
            if present is None or (changed := change(present)) == present:
                return None
            try:
                return self._enrolments.save(changed)
            except Conflict:
                present = self.present(enrolment)
        raise TryLater("the enrolment is being changed by others")

    def present(self, enrolment: Enrolment) -> Enrolment | None:
        """As it is now, wherever a merge moved it."""
        wanted = Wanted(enrolment=enrolment.id)
        return self._decisions.read(enrolment.store_id, enrolment.contact_id, wanted).enrolment
