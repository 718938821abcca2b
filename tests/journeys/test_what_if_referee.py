"""What if against moto: random journeys over random pasts, every passage and every message the same at the same times.

Both sides run the very Enroller and Steps over records in memory; here our interpreter walks the executions, there
moto's does. `make prove` runs thousands of cases, the ordinary tests a few.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from chalicelib.journeys.definition import Definition
from chalicelib.journeys.enrolment import Enrolment
from chalicelib.journeys.executions import Executions
from chalicelib.journeys.rehearsal import Assume, Rehearsal
from tests.journeys.moto_executions import MotoExecutions, moto_on_virtual_clocks
from tests.journeys.pasts import GOODS, START
from tests.journeys.sample_pasts import DAYS, made_journey, made_past, made_store

PROVING = os.environ.get("PROVE") == "1"
JOURNEYS, PASTS = (150, 15) if PROVING else (8, 4)
END = START + timedelta(days=DAYS)
ASSUME = Assume(opened=0.5, clicked=0.2)


@pytest.fixture(scope="module", autouse=True)
def moto() -> Iterator[None]:
    logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)
    with moto_on_virtual_clocks():
        yield


def passes_of(side: Rehearsal) -> list[Enrolment]:
    """A task's token is whatever its service makes it."""
    parked = [(one, one.parked.model_copy(update={"token": None}) if one.parked else None) for one in side.passes()]
    return [one.model_copy(update={"parked": without}) for one, without in parked]


def both_ways(definition: Definition, seed: int, pasts: int) -> int:
    """How many passes there were."""
    store = made_store(seed)
    sides = [
        Rehearsal(store, "made", definition, GOODS, START, ASSUME, executions)
        for executions in (Executions, MotoExecutions)
    ]
    ours, theirs = sides
    passes = 0
    for number in range(pasts):
        lived = made_past(seed + number)
        for side in sides:
            side.run(lived, END)
        assert passes_of(ours) == passes_of(theirs)
        assert ours.kept.messages == theirs.kept.messages
        assert ours.kept.contact == theirs.kept.contact
        assert (ours.invocations, ours.workflows.transitions) == (theirs.invocations, theirs.workflows.transitions)
        passes += len(ours.passes())
    theirs.workflows.clear()
    return passes


@settings(
    max_examples=JOURNEYS,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@given(journey=st.integers(0, 2**32), seed=st.integers(0, 10**9))
def test_what_if_and_moto_agree_on_every_path_and_every_time(journey: int, seed: int) -> None:
    both_ways(made_journey(journey), seed, PASTS)


def test_the_cases_are_worth_running() -> None:
    """Enough people enter."""
    passes = sum(both_ways(made_journey(seed), seed, 5) for seed in range(9))
    assert passes >= 10


def test_the_referee_sees_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.journeys.walk._wait_end", lambda _state, _standing, now: now + timedelta(seconds=7))
    with pytest.raises(AssertionError):
        for seed in range(20):
            both_ways(made_journey(seed), seed, 5)
