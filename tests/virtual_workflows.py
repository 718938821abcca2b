"""Workflows on the clock of a test: our interpreter, many executions, no waiting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chalicelib.journeys.walk import Standing, advance, begin, task_succeeded
from tests.conftest import HandClock


@dataclass
class _Execution:
    machine: str
    standing: Standing


class VirtualWorkflows:
    """A `Workflows`. Nothing runs inside `start`: `live` moves the clock from one due moment to the next."""

    def __init__(
        self, clock: HandClock, task: Callable[[Any], Any], others: Mapping[str, Callable[[Any], Any]] | None = None
    ) -> None:
        """`task` does what every resource is asked, but for `others` by resource."""
        self._clock = clock
        self._task = task
        self._others = others or {}
        self.machines: dict[str, dict[str, Any]] = {}
        self.executions: dict[str, _Execution] = {}
        self._answers: dict[str, Mapping[str, Any]] = {}
        self._under_way: set[str] = set()

    def publish(self, name: str, definition: dict[str, Any]) -> str:
        self.machines[name] = definition
        return name

    def start(self, machine: str, execution: str, payload: dict[str, Any]) -> None:
        if execution not in self.executions:
            standing = begin(self.machines[machine], payload, self._clock.now(), execution)
            self.executions[execution] = _Execution(machine, standing)

    def stop(self, machine: str, execution: str, reason: str) -> None:
        self.executions.pop(execution, None)

    def answer(self, token: str, output: Mapping[str, Any]) -> None:
        name = token.partition(":")[0]
        execution = self.executions.get(name)
        if name in self._under_way:  # perhaps by the very task that hands it over
            self._answers[token] = output
        elif execution is not None and (execution.standing.kind, execution.standing.token) == ("token", token):
            self._succeed(execution, output)

    def _succeed(self, execution: _Execution, output: Mapping[str, Any]) -> None:
        machine = self.machines[execution.machine]
        execution.standing = task_succeeded(machine, execution.standing, dict(output), self._clock.now())

    def live(self, **delta: float) -> None:
        """Let so much time pass, doing everything that comes due, when it comes due."""
        until = self._clock.now() + timedelta(**delta)
        while due := self._next(until):
            moment, name = due
            self._clock.time = max(self._clock.time, moment)
            self._go_on(name)
        self._clock.time = until

    def _next(self, until: datetime) -> tuple[datetime, str] | None:
        waiting = [
            (execution.standing.due or self._clock.now(), name)
            for name, execution in self.executions.items()
            if not execution.standing.ended
        ]
        return min((one for one in waiting if one[0] <= until), default=None)

    def _go_on(self, name: str) -> None:
        execution = self.executions[name]
        machine = self.machines[execution.machine]
        self._under_way.add(name)
        try:
            execution.standing = advance(
                machine,
                execution.standing,
                self._clock.now(),
                lambda resource, payload: self._others.get(resource, self._task)(payload),
            )
        finally:
            self._under_way.discard(name)
        if execution.standing.kind == "token" and execution.standing.token in self._answers:
            self._succeed(execution, self._answers.pop(execution.standing.token))
