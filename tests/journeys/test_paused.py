"""Paused while somebody stands in a wait: held with what was due, and a wait keeps the end it would have had."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.journeys.enrolment import EnrolmentStatus
from chalicelib.storage.table import Table
from tests.conftest import HandClock
from tests.journeys.living import Living
from tests.journeys.world import journey, mail, pause

USED_UP = {"id": "used-up", "type": "wait", "lifetime": {"minus_days": 5, "default_days": 30}}


@pytest.fixture
def world(table: Table, clock: HandClock) -> Living:
    return Living(table, clock)


def test_resumed_before_the_wait_ends_it_ends_when_it_would_have(world: Living) -> None:
    world.activate(journey(mail(), pause(days=3), mail("second")))
    world.buy("1")
    world.virtual.live(days=1)
    due_at = world.only().due_at
    world.pause_journey()
    world.virtual.live(days=1)
    world.resume_journey()
    assert (world.only().status, world.only().generation, world.only().due_at) == (EnrolmentStatus.RUNNING, 0, due_at)
    world.virtual.live(hours=23)
    assert world.sent() == ["mail"]
    world.virtual.live(hours=1)
    assert world.sent() == ["mail", "second"]


def test_resumed_after_the_wait_ended_what_was_due_is_done_at_once_and_no_earlier(world: Living) -> None:
    world.activate(journey(mail(), pause(days=3), mail("second"), pause("more", days=2), mail("third")))
    world.buy("1")
    world.virtual.live(days=1)
    world.pause_journey()
    world.virtual.live(days=9)
    assert (world.only().status, world.only().at_step) == (EnrolmentStatus.HELD, "second")
    assert world.sent() == ["mail"]
    world.resume_journey()
    world.virtual.live(seconds=1)
    assert world.sent() == ["mail", "second"]
    world.virtual.live(days=2)
    assert world.sent() == ["mail", "second", "third"]
    assert world.only().status is EnrolmentStatus.COMPLETED


@pytest.mark.parametrize(("resumed_on", "sent_on"), [(2, 25), (10, 25), (24, 25), (40, 40)])
def test_a_computed_wait_that_would_have_begun_meanwhile_keeps_its_end(
    world: Living, resumed_on: int, sent_on: int
) -> None:
    world.activate(journey(mail(), pause(days=3), USED_UP, mail("restock")))
    event = world.buy("1")
    world.virtual.live(days=1)
    world.pause_journey()
    world.virtual.live(days=resumed_on - 1)
    if resumed_on > 3:
        held = world.only()
        ends = event.occurred_at + timedelta(days=25)
        assert (held.status, held.at_step, held.due_at) == (EnrolmentStatus.HELD, "used-up", ends)
    world.resume_journey()
    if sent_on > resumed_on:
        world.virtual.live(days=sent_on - resumed_on, seconds=-1)
        assert world.sent() == ["mail"]
    world.virtual.live(seconds=1)
    assert world.sent() == ["mail", "restock"]


def test_paused_once_more_in_the_resumed_wait(world: Living) -> None:
    world.activate(journey(mail(), pause(days=3), USED_UP, mail("restock")))
    world.buy("1")
    world.pause_journey()
    world.virtual.live(days=10)  # held before its first message
    world.resume_journey()
    world.virtual.live(days=5)
    assert (world.sent(), world.only().at_step) == (["mail"], "used-up")
    world.pause_journey()
    world.virtual.live(days=5)
    world.resume_journey()
    world.virtual.live(days=4, hours=23)
    assert world.sent() == ["mail"]
    world.virtual.live(hours=1)
    assert world.sent() == ["mail", "restock"]
