"""Contacts parted at random: the right shares, the same way every time."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import BadInput
from chalicelib.ids import new_id
from chalicelib.journeys.actions import Split
from chalicelib.journeys.compile import compile_journey
from chalicelib.journeys.definition import Definition
from chalicelib.journeys.enrolment import EnrolmentStatus
from chalicelib.journeys.plan import plan
from chalicelib.journeys.split import drawn, way_of
from chalicelib.storage.table import Table
from tests.conftest import HandClock
from tests.journeys.sample_journeys import ARN, end, mail, pause, split, tag
from tests.journeys.sample_journeys import journey as sample
from tests.journeys.world import World, journey

CONTACTS = [new_id(datetime(2026, 11, 21, tzinfo=UTC)) for _ in range(4000)]
_weights = st.dictionaries(st.sampled_from(["a", "b", "c", "d", "control"]), st.integers(1, 100), min_size=2)


def parted(weights: dict[str, int], step_id: str = "test") -> Split:
    return Split.model_validate(split(step_id, weights=weights, **{name: [] for name in weights}))


@given(weights=_weights, journey_id=st.sampled_from(["welcome", "win-back", "vip"]))
def test_every_way_gets_its_share_of_the_contacts(weights: dict[str, int], journey_id: str) -> None:
    step = parted(weights)
    went = Counter(drawn(step, journey_id, contact) for contact in CONTACTS)
    for name, weight in weights.items():
        share = weight / sum(weights.values())
        spread = (share * (1 - share) * len(CONTACTS)) ** 0.5
        assert abs(went[name] - share * len(CONTACTS)) <= 5 * spread + 1


def test_a_contact_goes_the_same_way_in_every_version_and_another_in_another_split() -> None:
    step = parted({"a": 1, "b": 1})
    other_content = Split.model_validate(split("test", a=[mail("m")], b=[tag("t")]) | {"title": {"en": "A/B"}})
    ways = [drawn(step, "welcome", contact) for contact in CONTACTS]
    assert ways == [drawn(other_content, "welcome", contact) for contact in CONTACTS]
    for step_id, journey_id in (("test-2", "welcome"), ("test", "welcome-2")):
        elsewhere = [drawn(parted({"a": 1, "b": 1}, step_id), journey_id, contact) for contact in CONTACTS]
        assert 0.4 < sum(one == two for one, two in zip(ways, elsewhere, strict=True)) / len(CONTACTS) < 0.6


def states_of(*steps: dict[str, Any]) -> dict[str, Any]:
    states: dict[str, Any] = compile_journey(Definition.parse(sample(*steps)), ARN)["States"]
    return states


def test_a_split_is_a_choice_with_a_rule_for_each_way_that_leads_elsewhere() -> None:
    states = states_of(split("s", a=[mail("one")], b=[], control=[end("nothing")], d=[]), pause("p"), mail("both"))
    assert states["s"]["Parameters"]["next"] == {"a": "one", "b": "p", "control": "nothing", "d": "p"}
    assert states["s?"] == {
        "Type": "Choice",
        "Choices": [
            {"Variable": "$.last.go", "StringEquals": "a", "Next": "one"},
            {"Variable": "$.last.go", "StringEquals": "b", "Next": "p"},
            {"Variable": "$.last.go", "StringEquals": "d", "Next": "p"},
        ],
        "Default": "nothing",
    }
    assert "s?" not in states_of(split("s", a=[], b=[]), mail("both"))
    assert plan(Definition.parse(sample(split("s", a=[tag("t")], b=[]), mail("m")))).next_of("s", "b") == "m"


def test_two_ways_of_one_name_are_refused_with_the_step() -> None:
    twice = split("s", a=[], b=[])
    twice["ways"][1]["name"] = "a"
    with pytest.raises(BadInput) as refused:
        Definition.parse(sample(twice))
    (mistake,) = refused.value.mistakes
    assert (mistake.field, mistake.message.startswith("step 's': two ways")) == ("steps[0]", True)


def test_the_way_is_in_the_history_and_stays_when_the_task_is_asked_again(table: Table, clock: HandClock) -> None:
    world = World(table, clock)
    parting = split("s", weights={"a": 50, "b": 50}, a=[tag("t")], b=[])
    world.activate(journey(parting, pause("p"), mail("m", kind="transactional")))
    world.buy("1")
    enrolment = world.only()
    ways = {"a": "t", "b": "p"}
    way = way_of(Split.model_validate(parting), enrolment)
    assert world.run(enrolment, ["s"], ways)["go"] == way
    assert world.run(enrolment, ["s"], ways)["go"] == way
    assert [(p.step, p.detail) for p in world.only().history if p.what == "step"] == [("s", way)]
    assert (world.only().at_step, world.only().status) == (ways[way], EnrolmentStatus.RUNNING)
