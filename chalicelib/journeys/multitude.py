"""Errands about everybody in a journey: going on after a pause, stopping, moving to a version, trying again, sweeping.

A page at a time, oldest first, and not faster than a rate: a thousand who were held for a week do not all write in
one second.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Protocol

from chalicelib.clock import Clock, rfc3339
from chalicelib.commerce.store import Store
from chalicelib.journeys.enrolment import Enrolment, EnrolmentStatus
from chalicelib.journeys.errands import Errand, Errands, Slice, Work
from chalicelib.journeys.interventions import MOVED, OVERDUE, Interventions
from chalicelib.journeys.journey import Journey, JourneyStatus
from chalicelib.journeys.launch import Launcher
from chalicelib.journeys.ports import JourneyRecords

LET_GO, STOP, MOVE, REDRIVE, SWEEP = "let_go", "stop", "move", "redrive", "sweep"
KINDS = (LET_GO, STOP, MOVE, REDRIVE, SWEEP)
_PAGE = 100
_AT_ONCE = 100  # of those something was done to; then a pause
_PAUSE = timedelta(seconds=10)  # 10 a second: a thirtieth of what Step Functions starts in a big region
_PAGES = 20  # of nobody in particular, before the call ends
_NAMED = 20
_LAUNCHED_BY = timedelta(minutes=10)
_log = logging.getLogger(__name__)


class Listed(Protocol):
    """`storage.journeys.Enrolments`."""

    def of_journey(
        self, store_id: str, journey_id: str, after: str | None = None, limit: int = 100
    ) -> Sequence[Enrolment]: ...

    def sort_key(self, enrolment: Enrolment) -> str: ...


class Everybody:
    """`act` does it to one and says what was done (counted in the report), or None where there was nothing to do."""

    def __init__(self, enrolments: Listed, act: Callable[[Store, Errand, Enrolment], str | None], clock: Clock) -> None:
        self._enrolments, self._act, self._clock = enrolments, act, clock

    def slice(self, store: Store, errand: Errand) -> Slice:
        """`cursor` is the sort key of the last one seen. Raises `TryLater`."""
        journey_id, after = errand.parameters["journey"], errand.cursor or errand.parameters.get("after")
        report: dict[str, Any] = dict(errand.report)
        done = 0
        for _ in range(_PAGES):
            page = self._enrolments.of_journey(store.id, journey_id, after=after, limit=_PAGE)
            for enrolment in page:
                after = self._enrolments.sort_key(enrolment)
                if what := self._act(store, errand, enrolment):
                    report[what] = report.get(what, 0) + 1
                    done += 1
            if len(page) < _PAGE:
                return Slice(cursor=after, done=done, report=report)
            if done >= _AT_ONCE:
                break
        return Slice(self._clock.now() + _PAUSE, after, done, report)


class Acts:
    """What is done to one, by kind of errand."""

    def __init__(
        self, interventions: Interventions, launcher: Launcher, journeys: JourneyRecords, clock: Clock
    ) -> None:
        self._interventions, self._launcher, self._journeys, self._clock = interventions, launcher, journeys, clock

    def of(self, kind: str) -> Callable[[Store, Errand, Enrolment], str | None]:
        """Raises KeyError for another kind."""
        return {
            LET_GO: self._let_go,
            STOP: self._stop,
            MOVE: self._move,
            REDRIVE: self._redrive,
            SWEEP: self._sweep,
        }[kind]

    def _let_go(self, store: Store, errand: Errand, enrolment: Enrolment) -> str | None:
        return "resumed" if enrolment.open and self._interventions.let_go_on(enrolment) else None

    def _stop(self, store: Store, errand: Errand, enrolment: Enrolment) -> str | None:
        if not enrolment.open:
            return None
        self._interventions.stop(enrolment, errand.parameters["reason"])
        return "stopped"

    def _move(self, store: Store, errand: Errand, enrolment: Enrolment) -> str | None:
        if not enrolment.open:
            return None
        to = errand.parameters["to"]
        if enrolment.version == to and not any(passage.what == MOVED for passage in enrolment.history):
            return None  # entered there
        outcome = self._interventions.move(enrolment, to)
        return outcome if outcome == MOVED else f"{outcome}:{enrolment.at_step}"

    def _redrive(self, store: Store, errand: Errand, enrolment: Enrolment) -> str | None:
        if enrolment.status is not EnrolmentStatus.FAILED or enrolment.at_step is None:
            return None
        self._interventions.redrive(enrolment)
        return "redriven"

    def _sweep(self, store: Store, errand: Errand, enrolment: Enrolment) -> str | None:
        if not enrolment.open:
            return None
        now = self._clock.now()
        if enrolment.status is EnrolmentStatus.HELD:
            journey = self._journeys.head(store.id, enrolment.journey)
            paused = journey is None or journey.status is JourneyStatus.PAUSED
            return "held" if paused or not self._interventions.let_go_on(enrolment) else "mended"
        last = max([passage.at for passage in enrolment.history], default=enrolment.entered_at)
        if not enrolment.started and last < now - _LAUNCHED_BY:
            self._launcher.launch(enrolment)
        if max(last, enrolment.due_at or last) > now - OVERDUE:
            return "on_the_way"
        if self._launcher.runs(enrolment):
            return "overdue"
        self._interventions.mend(enrolment)
        return "mended"


class Sweep:
    """Everybody who is on the way is looked at: who should be further is mended where the execution is gone, and
    reported where it is not. What is long over is not read again: a sweep begins at the oldest one it found open.
    """

    def __init__(self, enrolments: Listed, acts: Acts, clock: Clock) -> None:
        self._clock, self._sweep, self._enrolments = clock, acts.of(SWEEP), enrolments

    def slice(self, store: Store, errand: Errand) -> Slice:
        found: dict[str, Any] = {}

        def look(store: Store, errand: Errand, enrolment: Enrolment) -> str | None:
            what = self._sweep(store, errand, enrolment)
            if what is not None:
                found.setdefault("from", _before(self._enrolments.sort_key(enrolment)))
            if what in ("overdue", "mended"):
                found.setdefault(f"{what}_ids", []).append(enrolment.id)
                _log.warning("an enrolment is %s", what, extra={"store_id": store.id, "enrolment_id": enrolment.id})
            return what

        done = Everybody(self._enrolments, look, self._clock).slice(store, errand)
        report = {**found, **(done.report or {})}
        if done.again_at is None:
            report.setdefault("from", done.cursor)
        for name in ("overdue_ids", "mended_ids"):
            report[name] = [*errand.report.get(name, []), *found.get(name, [])][:_NAMED]
        return Slice(done.again_at, done.cursor, done.done, report)


def work_of(kind: str, enrolments: Listed, acts: Acts, clock: Clock) -> Work:
    """Raises KeyError for a kind that is not among `KINDS`."""
    return Sweep(enrolments, acts, clock) if kind == SWEEP else Everybody(enrolments, acts.of(kind), clock)


def begin_sweeps(
    errands: Errands, store: Store, journeys: Sequence[Journey], clock: Clock, others: Sequence[str] = ()
) -> None:
    """One sweep a day of each journey that people can be in, from where the one before found the oldest open one.

    Errands of these kinds, and of the `others`, that should be further get another execution.
    """
    now = clock.now()
    for kind in (*KINDS, *others):
        for errand in errands.of_kind(store.id, kind):
            if errand.ended_at is None and (errand.next_at or errand.begun_at) < now - OVERDUE:
                errands.start_again(errand)
    key = rfc3339(now)[:10]
    swept = errands.of_kind(store.id, SWEEP)
    for journey in journeys:
        if journey.live_version is None:
            continue
        before = [one for one in swept if one.parameters["journey"] == journey.id and one.ended_at is not None]
        after = before[-1].report.get("from") if before else None
        errands.begin(store, SWEEP, f"{journey.id}:{key}", {"journey": journey.id, "after": after}, at=now)


def _before(sort_key: str) -> str:
    """What is listed just before this one: a sweep from there sees it again."""
    return sort_key[:-1]
