"""The largest journey that is allowed runs; what is larger is refused by name, and told what to do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.errors import BadInput
from chalicelib.journeys.compile import compile_journey, compile_resume
from chalicelib.journeys.definition import Definition
from chalicelib.journeys.limits import DEEPEST_CONDITION, LARGEST, LARGEST_MACHINE, MOST_STEPS
from chalicelib.storage.table import Table
from infra.check_state_machines import mistakes as read_by_others
from tests.conftest import HandClock
from tests.journeys.sample_journeys import ARN, branch, end, journey, mail, pause, split, tag, until_event, until_time
from tests.journeys.world import World


def named(number: int, kind: str = "step") -> str:
    """As long as an id may be."""
    return f"{kind}-{number}-".ljust(40, "x")


def titled(step: dict[str, Any]) -> dict[str, Any]:
    return {**step, "title": {"he": "כותרת ארוכה " * 10, "en": "A long title " * 10}}


def straight() -> dict[str, Any]:
    """One task of a hundred steps: in the resume machine each of them begins one."""
    return journey(*(titled(tag(named(n))) for n in range(MOST_STEPS)))


def deep() -> dict[str, Any]:
    """Branches and splits nine levels down, with every kind of wait and message on the way."""
    inner: list[dict[str, Any]] = [mail(named(0))]
    for level in range(9):
        numbers = range(level * 10 + 1, level * 10 + 11)
        ids = [named(n) for n in numbers]
        others = [mail(ids[1]), until_event(ids[2]), until_time(ids[3]), mail(ids[4])]
        more = [pause(ids[6], days=1), pause(ids[7], days=2), mail(ids[8])]
        parting = (
            branch(ids[0], inner, others) if level % 2 else split(ids[0], a=inner, b=others, control=[tag(ids[9])])
        )
        inner = [titled(tag(ids[5])), parting, *more]
    return journey(*inner)


@pytest.mark.parametrize("data", [straight(), deep()], ids=["straight", "deep"])
def test_the_largest_journey_fits_a_state_machine_and_two_readers_find_nothing(data: dict[str, Any]) -> None:
    definition = Definition.parse(data)
    machines = {"journey": compile_journey(definition, ARN), "resume": compile_resume(definition, ARN)}
    sizes = {name: len(json.dumps(machine, ensure_ascii=False).encode()) for name, machine in machines.items()}
    assert all(size < LARGEST_MACHINE * 0.8 for size in sizes.values()), sizes
    assert read_by_others(machines) == []


def too_patient(step_id: str) -> dict[str, Any]:
    step = until_event(step_id)
    step["until_event"]["at_most"] = {"days": 400}
    return step


def conditions(depth: int) -> Any:
    made: Any = {"field": "email", "is": "is_set"}
    for _ in range(depth):
        made = {"not": made}
    return made


@pytest.mark.parametrize(
    ("steps", "field", "said"),
    [
        ([pause("long", days=400)], "steps[0].for", "step 'long': a wait lasts from 1 second to 365 days; for longer"),
        (
            [too_patient("ask")],
            "steps[0].until_event.at_most",
            "step 'ask': a wait lasts from 1 second to 365 days; for longer",
        ),
        ([tag(f"t{n}") for n in range(500)], "steps", "at most 100 steps, this one has 500; let the rest be"),
        ([tag("one"), split("s", a=[tag("one")], b=[])], "steps[1].ways[0].steps[0].id", "step 'one': steps[0] has"),
        ([branch("b", [], [], conditions(50))], "steps[0].if", "step 'b': conditions are nested at most 10 deep; put"),
        ([tag("a") | {"colour": "red"}], "steps[0].colour", "step 'a': "),
        ([split("s", a=[end("over"), tag("t")], b=[])], "steps[0].ways[0].steps[1]", "step 't': is never reached"),
    ],
)  # fmt: skip
def test_what_is_too_large_or_goes_wrong_is_refused_with_its_step_and_what_to_do(
    steps: list[dict[str, Any]], field: str, said: str
) -> None:
    with pytest.raises(BadInput) as refused:
        Definition.parse(journey(*steps))
    found = {mistake.field: mistake.message for mistake in refused.value.mistakes}
    assert list(found) == [field]
    assert said in found[field]


def test_conditions_may_be_ten_deep_and_a_definition_a_quarter_of_a_megabyte() -> None:
    Definition.parse(journey(branch("b", [], [], conditions(DEEPEST_CONDITION))))
    with pytest.raises(BadInput, match="256 KiB"):
        Definition.parse(journey(tag("t"), description={"en": "x" * LARGEST}))


def test_a_journey_that_starts_itself_is_a_circle(table: Table, clock: HandClock) -> None:
    world = World(table, clock)
    again = {"id": "again", "type": "start_journey", "journey": "welcome"}
    with pytest.raises(BadInput) as refused:
        world.activate(journey(branch("b", [again], [])), "welcome")
    (mistake,) = refused.value.mistakes
    assert (mistake.field, mistake.message[:14]) == ("steps[0].then[0].journey", "step 'again': ")
