"""Executions of compiled journeys on a virtual clock, in memory: our interpreter, no waiting.

Who drives it asks `due`, puts the clock there and says `go_on`: one execution goes on until it waits again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from heapq import heappop, heappush
from typing import Any

from chalicelib.clock import Clock
from chalicelib.journeys.walk import Standing, advance, begin

Call = Callable[[str, Any], Any]


@dataclass
class _Execution:
    machine: dict[str, Any]
    standing: Standing


class Executions:
    """`ports.Workflows`. Nothing runs inside `start`. Of two that are due at once the lesser name is first."""

    def __init__(self, clock: Clock, call: Call) -> None:
        """`call(resource, payload)` does a task; what it raises is the task's failure."""
        self._clock, self._call = clock, call
        self._machines: dict[str, dict[str, Any]] = {}
        self._running: dict[str, _Execution] = {}
        self._due: list[tuple[datetime, str]] = []
        self.transitions = 0

    def clear(self) -> None:
        """Forget all executions; machines and counts stay."""
        self._running, self._due = {}, []

    def publish(self, name: str, definition: dict[str, Any]) -> str:
        self._machines[name] = definition
        return name

    def start(self, machine: str, execution: str, payload: dict[str, Any]) -> None:
        if execution in self._running:
            return
        now = self._clock.now()
        standing = begin(self._machines[machine], payload, now, execution)
        self._running[execution] = _Execution(self._machines[machine], standing)
        self._moved(execution, 0, now)

    def stop(self, machine: str, execution: str, reason: str) -> None:
        """What ended stays known, so that its name is not used again."""
        running = self._running.get(execution)
        if running is not None and not running.standing.ended:
            running.standing = Standing(
                "failed", running.standing.execution, running.standing.state, running.standing.entered_at, None
            )

    def due(self) -> datetime | None:
        """When the next execution goes on, if any does by itself."""
        while self._due and not self._is_due(*self._due[0]):
            heappop(self._due)
        return self._due[0][0] if self._due else None

    def go_on(self) -> None:
        """The next one, as far as it goes at the clock's time."""
        _, name = heappop(self._due)
        running, now = self._running[name], self._clock.now()
        before = running.standing.transitions
        standing = advance(running.machine, running.standing, now, self._call)
        if not running.standing.ended:  # nobody stopped it meanwhile
            running.standing = standing
        self._moved(name, before, now, standing)

    def _moved(self, name: str, before: int, now: datetime, walked: Standing | None = None) -> None:
        standing = self._running[name].standing
        self.transitions += (walked or standing).transitions - before
        if not standing.ended and (moment := self._moment(standing, now)):
            heappush(self._due, (moment, name))

    @staticmethod
    def _moment(standing: Standing, now: datetime) -> datetime | None:
        return now if standing.kind == "task" else standing.due

    def _is_due(self, moment: datetime, name: str) -> bool:
        standing = self._running[name].standing
        return not standing.ended and (standing.kind == "task" or standing.due == moment)
