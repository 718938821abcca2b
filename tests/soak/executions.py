"""Step Functions for a soak: thousands of executions by our interpreter, in the order of their times."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.journeys import walk
from chalicelib.journeys.walk import Standing
from tests.conftest import HandClock
from tests.soak.trouble import Killed


class Executions:
    """A `Workflows`. Pauses before retries, and rests after the last of them, are a tenth of production's, so
    that nothing comes late.
    """

    def __init__(self, clock: HandClock, tasks: Mapping[str, Callable[[Any], Any]], table: Any) -> None:
        self._clock, self._tasks, self._table = clock, tasks, table
        self.machines: dict[str, dict[str, Any]] = {}
        self.running: dict[str, tuple[str, Standing]] = {}
        self._planned: dict[str, datetime | None] = {}
        self.names: set[str] = set()
        self.failed: list[str] = []
        self._due: list[tuple[datetime, int, str]] = []
        self._count = 0
        self.transitions = 0

    def publish(self, name: str, definition: dict[str, Any]) -> str:
        states = {state: _rested_soon(state, told) for state, told in definition["States"].items()}
        self.machines[name] = {**definition, "States": states}
        return name

    def start(self, machine: str, execution: str, payload: dict[str, Any]) -> None:
        if execution not in self.names:
            self.names.add(execution)
            self._keep(execution, machine, walk.begin(self.machines[machine], payload, self._clock.now(), execution))

    def stop(self, machine: str, execution: str, reason: str) -> None:
        self.running.pop(execution, None)

    def runs(self, machine: str, execution: str) -> bool:
        return execution in self.running

    def answer(self, token: str, output: dict[str, Any]) -> None:
        name = token.split(":", 1)[0]
        machine, standing = self.running.get(name, ("", None))
        if standing is not None and standing.token == token and standing.kind in ("token", "task"):
            after = walk.task_succeeded(self.machines[machine], _parked(standing), output, self._clock.now())
            self._keep(name, machine, after)

    def next_due(self) -> datetime | None:
        while self._due:
            due, _, name = self._due[0]
            if name in self.running and self._planned[name] == due:
                return due
            heapq.heappop(self._due)
        return None

    def go_on(self) -> None:
        """What is due first."""
        _, _, name = heapq.heappop(self._due)
        machine, standing = self.running[name]
        definition = self.machines[machine]
        while name in self.running:
            after = self._step(definition, standing)
            if after is standing:
                break
            if name not in self.running or self.running[name][1] is not standing:
                return  # it was stopped, or its token answered, meanwhile
            self._keep(name, machine, after)
            standing = after

    def _step(self, definition: dict[str, Any], standing: Standing) -> Standing:
        now = self._clock.now()
        if standing.kind != "task":
            return walk.time_came(definition, standing, now)
        try:
            self._table.armed = True
            result = self._tasks[standing.resource.split(".waitFor")[0] if standing.resource else ""](standing.payload)
        except Killed:
            return walk.task_failed(definition, standing, "Lambda.Unknown", "", now, _soon)
        except Exception as failure:  # noqa: BLE001 - whatever a task raises is that task's failure
            return walk.task_failed(definition, standing, *walk.lambda_failure(failure), now, _soon)
        finally:
            self._table.armed = False
        return walk.task_succeeded(definition, standing, result, now)

    def _keep(self, name: str, machine: str, standing: Standing) -> None:
        if standing.ended:
            self.transitions += standing.transitions
            if standing.kind == "failed":
                self.failed.append(f"{name}: {standing.error}")
            self.running.pop(name, None)
            return
        self.running[name] = (machine, standing)
        due = self._clock.now() if standing.kind == "task" else standing.due
        self._planned[name] = due
        if due is not None:
            self._count += 1
            heapq.heappush(self._due, (due, self._count, name))


def _parked(standing: Standing) -> Standing:
    """Its holder was quicker than the task that handed the token over."""
    return replace(standing, kind="token")


def _rested_soon(name: str, state: dict[str, Any]) -> dict[str, Any]:
    """A state that waits before a task that failed too often is named so."""
    rests = name == "Again" or name.endswith(" again")
    return {**state, "Seconds": state["Seconds"] // 10} if rests else state


def _soon(delay: float) -> float:
    return delay / 10
