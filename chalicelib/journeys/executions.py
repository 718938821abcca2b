"""Executions of compiled journeys on a virtual clock, in memory: our interpreter, no waiting.

Who drives it asks `due`, puts the clock there and says `go_on`: one execution goes on until it waits again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from heapq import heappop, heappush
from typing import Any

from chalicelib.clock import Clock
from chalicelib.journeys.walk import Standing, advance, begin, task_succeeded

Call = Callable[[str, Any], Any]


@dataclass
class _Execution:
    machine: dict[str, Any]
    standing: Standing
    answer: tuple[str, Any] | None = None
    """What the token's holder answered, and with which token; it may be given by the very task that hands it over."""


class Executions:
    """`ports.Workflows`. Nothing runs inside `start`. Of two that are due at once the lesser name is first."""

    def __init__(self, clock: Clock, call: Call) -> None:
        """`call(resource, payload)` does a task; what it raises is the task's failure."""
        self._clock, self._call = clock, call
        self._machines: dict[str, dict[str, Any]] = {}
        self._running: dict[str, _Execution] = {}
        self._due: list[tuple[datetime, str]] = []
        self._under_way: str | None = None
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

    def runs(self, machine: str, execution: str) -> bool:
        running = self._running.get(execution)
        return running is not None and not running.standing.ended

    def answer(self, token: str, output: Mapping[str, Any]) -> None:
        """It goes on with that at once, when it has its turn."""
        name = token.partition(":")[0]
        running = self._running.get(name)
        if running is None or (name != self._under_way and running.standing.token != token):
            return
        running.answer = (token, dict(output))
        if name != self._under_way:
            heappush(self._due, (self._clock.now(), name))

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
        standing = running.standing
        if self._is_answered(running) and running.answer:
            standing = task_succeeded(running.machine, standing, running.answer[1], now)
        self._under_way = name
        standing = advance(running.machine, standing, now, self._call, lambda: running.standing.ended)
        self._under_way = None
        if not running.standing.ended:  # nobody stopped it meanwhile
            running.standing = standing
        self._moved(name, before, now, standing)

    def _moved(self, name: str, before: int, now: datetime, walked: Standing | None = None) -> None:
        running = self._running[name]
        standing = running.standing
        self.transitions += (walked or standing).transitions - before
        at_once = standing.kind == "task" or self._is_answered(running)
        if not standing.ended and (moment := now if at_once else standing.due):
            heappush(self._due, (moment, name))

    def _is_due(self, moment: datetime, name: str) -> bool:
        running = self._running[name]
        if running.standing.ended:
            return False
        return running.standing.kind == "task" or running.standing.due == moment or self._is_answered(running)

    @staticmethod
    def _is_answered(running: _Execution) -> bool:
        standing = running.standing
        return standing.kind == "token" and running.answer is not None and running.answer[0] == standing.token
