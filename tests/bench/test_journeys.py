from __future__ import annotations

from chalicelib.journeys.definition import Definition
from local.bench import decisions, touches
from local.bench.touches import Way, ways
from tests.journeys.world import journey, mail, pause


def walked(*steps: object) -> set[Way]:
    return set(ways(Definition.parse(journey(*steps))))  # type: ignore[arg-type]


def test_a_wait_and_a_message_are_two_transitions_and_a_branch_two_more() -> None:
    assert walked(pause(), mail()) == {Way(2, 1, 0)}
    branch = {"id": "b", "type": "branch", "if": {"random": {"percent": 50}}, "then": [pause("x"), mail("second")]}
    assert walked(pause(), mail(), branch) == {Way(5, 2, 1), Way(4, 1, 1)}
    assert all(way.keeps_the_aim for way in walked(pause(), mail(), branch))
    assert not Way(7, 2, 1).keeps_the_aim


def test_every_ready_journey_that_writes_is_counted() -> None:
    found = touches.measure()
    assert len(found) >= 40
    assert found["win-back"]["transitions"] == 3


def test_a_decision_costs_more_than_its_conditions() -> None:
    found = decisions.measure(40)
    assert found["decisions"] > 40 and found["against_its_conditions"] > 1
