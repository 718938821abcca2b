"""Every ready journey is lived through, on each of its branches, in Hebrew and in English."""

from __future__ import annotations

import pytest

from chalicelib.commerce.order import OrderStatus
from chalicelib.journeys.actions import Wait
from chalicelib.journeys.definition import Definition
from chalicelib.journeys.gallery import Template, gallery
from chalicelib.journeys.plan import plan
from chalicelib.storage.table import Table
from tests.journeys.template_life import TEA, buys, living, order_becomes, play
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


def test_a_card_that_two_purchases_fill_at_once_earns_one_reward(table: Table) -> None:
    """The second one comes in the middle of the reward that the first one earned: it counts for the next card."""
    with living(table, "en") as life:
        made, meanwhile = life.parts.coupon, [buys(TEA, "3")]

        def coupon(*asked: object) -> object:
            while meanwhile:
                meanwhile.pop()(life)
            return made(*asked)

        life.parts.coupon = coupon
        life.sells()
        life.switch_on("punch-card", {"trigger.where.value": "7", "steps[0].units_of.category": "7"})
        life.switch_on("punch-card-reward", {"steps[0].enabled": True})
        buys(TEA, "1", units=9)(life)
        life.until("1d")
        assert (life.profile.fields["punches"], life.sent()) == (9, [])
        buys(TEA, "2")(life)
        life.until("3d")
        assert meanwhile == [] and life.sent() == ["1d card-is-full email"]
        assert life.profile.fields["punches"] == 1
        order_becomes(OrderStatus.REFUNDED, "3")(life)
        life.until("4d")
        assert (life.profile.fields["punches"], len(life.sent())) == (0, 1)
