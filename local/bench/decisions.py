"""Decisions per second of one core: calls of the step function's own code, records in memory, against the bare
evaluation of the very conditions that these calls evaluate.

The contacts and their pasts are those of `local.bench.what_if`; the journey asks for purchases, engagement and
messages at its branch. CPU time inside the calls alone: enrolment, clock and the making of the pasts are left out.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from chalicelib.journeys import acts, steps
from chalicelib.journeys.conditions import Condition, Facts, evaluate
from chalicelib.journeys.definition import Definition
from chalicelib.journeys.past import Past
from chalicelib.journeys.steps import Steps
from chalicelib.journeys.what_if import what_if
from local.bench.what_if import DAYS, RESTOCK, START, NoGoods, a_store, past_of

CONTACTS = 2_000
HEAVY = {
    "all": [
        {"not": {"purchased": {"category": "7", "within_days": 365, "at_least_orders": 3}}},
        {"not": {"viewed": {"product": "trigger", "within_days": 30, "at_least_times": 20}}},
        {"not": {"message": {"step": "thanks", "is": "clicked"}}},
        {"not": {"segment": {"id": "resellers"}}},
    ]
}


class _Calls:
    """Times the step function's calls, and keeps what conditions they evaluated over which facts."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.count = 0
        self.evaluated: list[tuple[Condition, Facts]] = []
        self._run = Steps.run

    def run(self, *given: Any, **more: Any) -> dict[str, Any]:
        self.count += 1
        before = time.process_time()
        try:
            return self._run(*given, **more)
        finally:
            self.seconds += time.process_time() - before

    def evaluate(self, condition: Condition, facts: Facts) -> bool:
        self.evaluated.append((condition, facts))
        return evaluate(condition, facts)

    def evaluated_again(self) -> float:
        """CPU seconds of the conditions alone."""
        before = time.process_time()
        for condition, facts in self.evaluated:
            evaluate(condition, facts)
        return time.process_time() - before


def measure(contacts: int = CONTACTS) -> dict[str, Any]:
    calls, store = _Calls(), a_store()
    with ExitStack() as stack:
        stack.enter_context(patch.object(Steps, "run", lambda self, *given: calls.run(self, *given)))
        for module in (steps, acts):
            stack.enter_context(patch.object(module, "evaluate", calls.evaluate))
        pasts: Iterator[Past] = (past_of(store, number) for number in range(contacts))
        what_if(_journey(), store, pasts, START, START + timedelta(days=DAYS), NoGoods())
    bare = min(calls.evaluated_again() for _ in range(3))
    return {
        "decisions": calls.count,
        "decisions_per_second": round(calls.count / calls.seconds),
        "us_per_decision": round(calls.seconds / calls.count * 1e6, 1),
        "conditions_per_decision": round(len(calls.evaluated) / calls.count, 2),
        "us_of_its_conditions": round(bare / calls.count * 1e6, 2),
        "against_its_conditions": round(calls.seconds / bare, 1),
    }


def _journey() -> Definition:
    described: dict[str, Any] = json.loads(json.dumps(RESTOCK))
    (branch,) = (step for step in described["steps"] if step["type"] == "branch")
    branch["if"] = HEAVY
    return Definition.parse(described)
