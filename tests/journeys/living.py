"""A world whose compiled machines run, on its clock."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from chalicelib.commerce.event import Event
from chalicelib.contacts.ports import Writing
from chalicelib.storage.table import Table
from tests.conftest import HandClock
from tests.journeys.world import World
from tests.virtual_workflows import VirtualWorkflows


class Living(World):
    """A world whose compiled machines run, on its clock."""

    def __init__(self, table: Table, clock: HandClock) -> None:
        self.virtual = VirtualWorkflows(clock, self._step)
        self._numbers = itertools.count(1)
        self.before_task: Callable[[dict[str, Any]], None] = lambda task: None
        self.after_task: Callable[[dict[str, Any]], None] = lambda task: None
        super().__init__(table, clock, self.virtual)

    def _step(self, task: dict[str, Any]) -> dict[str, Any]:
        self.before_task(task)
        whose = task["store_id"], task["enrolment_id"], task["generation"]
        if "park" in task:
            answer = self.steps.park(*whose, task["park"], task["token"], task["seconds"])
        else:
            answer = self.steps.run(*whose, task["steps"], task["next"])
        self.after_task(task)
        return answer

    def has_happened(self, type_: str, **properties: Any) -> Event:
        """Something happened to the contact: the timeline has it, and nobody was told."""
        occurred_at, number = properties.pop("occurred_at", self.clock.now()), next(self._numbers)
        event = Event(id=f"{type_}:{number}", type=type_, occurred_at=occurred_at, properties=properties)
        self.contacts.write(self.store.id, [Writing(self.contact, events=(event,))])
        return event

    def happen(self, type_: str, **properties: Any) -> Event:
        event = self.has_happened(type_, **properties)
        self.tell(event)
        return event

    def transitions(self) -> int:
        """Of all executions together, as Step Functions bills them."""
        return sum(execution.standing.transitions for execution in self.virtual.executions.values())

    def pause_journey(self) -> None:
        self.lifecycle.pause(self.store, "j")

    def resume_journey(self) -> None:
        self.lifecycle.resume(self.store, "j")

    def sent(self) -> list[str | None]:
        return [email.step for email in self.channel.taken]
