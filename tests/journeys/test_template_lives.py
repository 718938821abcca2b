"""Every ready journey is lived through, on each of its branches, in Hebrew and in English."""

from __future__ import annotations

import pytest

from chalicelib.journeys.actions import Wait
from chalicelib.journeys.definition import Definition
from chalicelib.journeys.gallery import Template, gallery
from chalicelib.journeys.plan import plan
from chalicelib.storage.table import Table
from tests.journeys.template_life import play
from tests.journeys.template_lives import LIVES

NEVER_ON_THE_WAY = {"replenishment": {"no-need"}}
"""Steps that the goal forestalls: they are there for an owner who takes it away."""


def test_every_ready_journey_has_its_lives() -> None:
    assert set(LIVES) == {template.id for template in gallery()}


@pytest.mark.parametrize("template", gallery(), ids=lambda template: template.id)
def test_it_does_what_it_says_on_every_branch(table: Table, template: Template) -> None:
    reached: set[str] = set()
    scenes = LIVES[template.id]
    for number, scene in enumerate(scenes if len(scenes) > 1 else scenes * 2):
        reached |= play(table, template.id, scene, ("he", "en")[number % 2])
    laid = plan(Definition.parse(template.definition)).steps.values()
    steps = {step.id for step in laid if not (isinstance(step, Wait) and (step.duration or step.lifetime))}
    assert steps - reached == NEVER_ON_THE_WAY.get(template.id, set()), "no scene comes here"
