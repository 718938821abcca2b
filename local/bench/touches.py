"""State transitions per touch of every ready journey: its compiled machine walked on each of its ways, by count.

Every message goes out when its step comes (what waits for quiet hours takes three transitions more), and every task
answers the first time. The way that counts is the one with the most messages, and of those the longest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.clock import rfc3339
from chalicelib.journeys.actions import Branch, Split
from chalicelib.journeys.compile import compile_journey
from chalicelib.journeys.definition import SENDING, Definition
from chalicelib.journeys.gallery import gallery
from chalicelib.journeys.plan import plan
from chalicelib.journeys.walk import Machine, Standing, begin, task_succeeded, time_came

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:step"
PER_TOUCH, PER_BRANCH = 2, 2  # a wait and a task; a choice and a task
_START = datetime(2026, 11, 1, tzinfo=UTC)
_WAIT = timedelta(days=1)  # as long as every computed wait is here


@dataclass(frozen=True)
class Way:
    """What one walk from the beginning to the end met; `branches` are those at which the machine parts."""

    transitions: int
    touches: int
    branches: int

    @property
    def keeps_the_aim(self) -> bool:
        return self.transitions <= PER_TOUCH * self.touches + PER_BRANCH * self.branches


def measure() -> dict[str, Any]:
    """Templates that write to nobody are left out."""
    found = {}
    for template in gallery():
        definition = Definition.parse(template.definition)
        found_ways = list(ways(definition))
        fullest = max(found_ways, key=lambda way: (way.touches, way.transitions))
        if not fullest.touches:
            continue
        if fullest.touches != template.touches:
            raise RuntimeError(f"{template.id} promises {template.touches} touches, its machine has {fullest.touches}")
        found[template.id] = {
            "touches": fullest.touches,
            "branches": fullest.branches,
            "transitions": fullest.transitions,
            "per_touch": round(fullest.transitions / fullest.touches, 2),
            "aim": PER_TOUCH * fullest.touches + PER_BRANCH * fullest.branches,
            "holds": fullest.keeps_the_aim,
            "ways": len(found_ways),
            "ways_over": sum(not way.keeps_the_aim for way in found_ways if way.touches),
        }
    return found


def ways(definition: Definition) -> Iterator[Way]:
    """Every way through, once."""
    steps = plan(definition).steps
    parting = {name for name, step in steps.items() if isinstance(step, Branch | Split)}
    sending = {name for name, step in steps.items() if step.type in SENDING}
    machine = compile_journey(definition, ARN)
    payload = {"store_id": "s", "enrolment_id": "e", "generation": 1, "until": rfc3339(_START + _WAIT)}
    payload["seconds"] = int(_WAIT.total_seconds())
    first = begin(machine, payload, _START)
    open_ways = [(first, _START, 0, 0)]
    while open_ways:
        standing, now, touches, branches = open_ways.pop()
        if standing.ended:
            if standing.kind == "failed":
                raise RuntimeError(f"a walk failed: {standing.error}, {standing.cause}")
            yield Way(standing.transitions, touches, branches)
        elif standing.kind == "waiting":
            then = standing.due or now
            open_ways.append((time_came(machine, standing, then), then, touches, branches))
        else:
            asked: Any = standing.payload
            done: list[str] = asked.get("steps", []) if standing.kind == "task" else []
            touches += len(sending.intersection(done))
            for answer, parts in _answers(done, asked, parting):
                open_ways.append((_answered(machine, standing, answer, now), now, touches, branches + parts))


def _answers(done: list[str], asked: dict[str, Any], parting: set[str]) -> Iterator[tuple[dict[str, Any], int]]:
    """What a task may answer, and whether the machine parts there."""
    told = {"until": rfc3339(_START + 1000 * _WAIT), "seconds": int(_WAIT.total_seconds())}
    if not (done and done[-1] in parting):
        yield told, 0
        return
    for way in asked["next"]:
        yield told | {"go": way}, 1


def _answered(machine: Machine, standing: Standing, answer: dict[str, Any], now: datetime) -> Standing:
    return task_succeeded(machine, standing, answer, now)
