"""The step Lambda, as it is deployed: its module alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.handlers.journey_steps import journey_step
from chalicelib.journeys.ports import Ended, Held, NotNow, ProviderBusy
from chalicelib.settings import Settings

TASK = {"store_id": "s", "enrolment_id": "c-1", "generation": 2, "steps": ["mail"], "next": {"then": None, "else": "x"}}


class RecordingSteps:
    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.problem: Exception | None = None

    def run(self, *arguments: Any) -> dict[str, Any]:
        self.calls.append(arguments)
        if self.problem:
            raise self.problem
        return {"go": "then"}

    def park(self, *arguments: Any) -> dict[str, Any]:
        self.calls.append(arguments)
        return {}


@pytest.fixture
def steps() -> Iterator[RecordingSteps]:
    made = wiring.Wiring(Settings.from_environment({}))
    made.steps = recording = RecordingSteps()  # type: ignore[assignment,misc]
    wiring.use(made)
    yield recording
    wiring.use(None)


def test_a_task_is_handed_on_and_its_answer_back(steps: RecordingSteps) -> None:
    assert journey_step(TASK, None) == {"go": "then"}
    assert steps.calls == [("s", "c-1", 2, ["mail"], {"then": None, "else": "x"})]


def test_a_wait_for_an_event_parks_with_its_token(steps: RecordingSteps) -> None:
    whose = {"store_id": "s", "enrolment_id": "c-1", "generation": 2}
    assert journey_step({**whose, "park": "answer", "token": "t", "seconds": 60}, None) == {}
    assert steps.calls == [("s", "c-1", 2, "answer", "t", 60)]


@pytest.mark.parametrize("problem", [Ended("x"), Held("x"), ProviderBusy("x")])
def test_named_errors_keep_the_names_that_the_machine_catches(steps: RecordingSteps, problem: Exception) -> None:
    steps.problem = problem
    with pytest.raises(type(problem)) as raised:
        journey_step(TASK, None)
    assert type(raised.value).__name__ == type(problem).__name__


def test_not_now_says_only_the_time_to_come_back_at(steps: RecordingSteps) -> None:
    steps.problem = NotNow("2026-11-22T07:00:00.000Z", "quiet_hours")
    with pytest.raises(NotNow, match=r"^2026-11-22T07:00:00\.000Z$"):
        journey_step(TASK, None)


def test_the_module_alone_is_a_lambda() -> None:
    """Chalice deploys the function with its own module as handler: the map (app.py) is not loaded."""
    code = (
        "import json, sys; from chalicelib.handlers import journey_steps; "
        "print(json.dumps([callable(journey_steps.journey_step), 'app' in sys.modules, 'boto3' in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout) == [True, False, False]
