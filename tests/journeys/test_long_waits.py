"""A year and more: an execution that would live too long hands over to the next, and nobody notices."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.clock import parse_rfc3339
from chalicelib.contacts.ports import Writing
from chalicelib.errors import TryLater
from chalicelib.journeys.enrolment import EnrolmentStatus
from chalicelib.journeys.limits import LONGEST_EXECUTION
from chalicelib.storage.table import Table
from tests.conftest import HandClock
from tests.journeys.living import Living
from tests.journeys.world import journey, mail, pause

START = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
WEDDING: dict[str, Any] = {"id": "wedding", "type": "wait", "until_date": {"field": "wedding"}}
ANSWER = {
    "id": "answer",
    "type": "wait",
    "until_event": {"event": {"type": "api_event", "name": "answered"}, "at_most": {"days": 365}},
}
TOLD = ("entered", "waiting", "step", "timed_out", "happened", "ended")


class Calendar(Living):
    """Knows when each message was sent, and that no execution grew too old."""

    def __init__(self, table: Table, clock: HandClock) -> None:
        super().__init__(table, clock)
        self.days: list[tuple[str | None, int]] = []
        self.before_task = self._look_at_its_age
        self.channel.after = lambda email: self.days.append((email.step, (clock.now() - START).days))
        contact = self.contacts.get(self.store.id, self.contact)
        assert contact is not None
        changed = contact.model_copy(update={"fields": {"wedding": "2029-11-20"}})
        self.contacts.write(self.store.id, [Writing(contact.id, contact=changed)])

    def _look_at_its_age(self, task: dict[str, Any]) -> None:
        execution = self.virtual.executions[f"{task['enrolment_id']}-g{task['generation']}"]
        started_at = parse_rfc3339(str(execution.standing.execution["StartTime"]))
        assert self.clock.now() - started_at <= LONGEST_EXECUTION + timedelta(days=1)


@pytest.fixture
def world(table: Table, clock: HandClock) -> Calendar:
    assert clock.now() == START
    return Calendar(table, clock)


def told(world: Living) -> list[tuple[str, str | None]]:
    return [(passage.what, passage.step) for passage in world.only().history]


def test_until_a_date_in_three_years(world: Calendar) -> None:
    world.activate(journey(mail(), WEDDING, mail("second")))
    world.buy("1")
    world.virtual.live(days=1094)
    assert world.only().due_at == datetime(2029, 11, 20, 8, 0, tzinfo=UTC)
    assert world.days == [("mail", 0)]
    world.virtual.live(days=1)
    assert world.days == [("mail", 0), ("second", 1094)]
    assert told(world) == [
        ("entered", None),
        ("step", "mail"),
        ("waiting", "wedding"),
        ("step", "second"),
        ("ended", None),
    ]
    assert world.only().generation == 4
    assert all(execution.standing.kind == "succeeded" for execution in world.virtual.executions.values())


def test_many_waits_that_add_up_to_two_years_and_a_wait_of_a_year_at_the_beginning(world: Calendar) -> None:
    waits = [pause(f"w{n}", days=120) for n in range(3)]
    steps = [pause("year", days=365), mail("m0"), *waits, mail("m1"), pause("w4", days=200), mail("m2")]
    world.activate(journey(*steps))
    world.buy("1")
    world.virtual.live(days=930)
    assert world.days == [("m0", 365), ("m1", 725), ("m2", 925)]
    assert {what for what, _ in told(world)} <= set(TOLD)
    assert world.only().generation >= 2


@pytest.mark.parametrize("comes", [True, False])
def test_an_event_waited_for_across_the_years(world: Calendar, comes: bool) -> None:
    world.activate(journey(pause("w", days=300), mail(), ANSWER, mail("second")))
    world.buy("1")
    world.virtual.live(days=300 + 364)
    if comes:
        world.happen("answered")
        world.virtual.live(seconds=1)
        assert world.days == [("mail", 300), ("second", 664)]
    world.virtual.live(days=2)
    assert world.days == [("mail", 300), ("second", 664 if comes else 665)]
    assert told(world)[-3:] == [("happened" if comes else "timed_out", "answer"), ("step", "second"), ("ended", None)]


def test_paused_and_resumed_in_the_second_year_the_wait_keeps_its_end(world: Calendar) -> None:
    world.activate(journey(mail(), WEDDING, mail("second")))
    world.buy("1")
    world.virtual.live(days=100)
    world.pause_journey()
    world.virtual.live(days=600)  # whoever wakes only to hand over is not held
    assert world.only().status is EnrolmentStatus.RUNNING
    world.resume_journey()
    world.virtual.live(days=395)
    assert world.days == [("mail", 0), ("second", 1094)]


def test_an_execution_that_grew_old_on_rests_hands_over_before_its_next_step(world: Calendar) -> None:
    """Messages that may not go out for weeks, a provider that is out: a wait is not the only thing that takes time."""
    world.activate(journey(pause("w", days=349), mail()))
    world.buy("1")
    world.before_task = lambda task: None

    def out(message: Any) -> None:
        if world.clock.now() - START < timedelta(days=351):
            raise TryLater("the provider")

    world.channel.before = out
    world.virtual.live(days=352)
    assert world.days == [("mail", 351)]
    assert (world.only().generation, world.only().status) == (1, EnrolmentStatus.COMPLETED)


def crashing(calls: dict[str, Callable[..., Any]], at: int, after: bool) -> dict[str, Callable[..., Any]]:
    """The same calls; the `at`-th of them all never comes back (`after`: but was done)."""
    count = [0]

    def wrapped(call: Callable[..., Any]) -> Callable[..., Any]:
        def once(*args: Any, **kwargs: Any) -> Any:
            count[0] += 1
            if count[0] != at:
                return call(*args, **kwargs)
            if after:
                call(*args, **kwargs)
            raise TryLater("the process ended here")

        return once

    return {name: wrapped(call) for name, call in calls.items()}


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_at_any_point_of_the_hand_over_changes_nothing(table: Table, after: bool) -> None:
    """Each write and each start once, before and after it was done; the day of every message stays the same."""
    for at in range(1, 12):
        world = Calendar(table, HandClock(START))
        world.activate(journey(mail(), WEDDING, mail("second"), pause(days=340), mail("third")))
        world.buy("1")
        broken = crashing({"save": world.enrolments.save, "start": world.virtual.start}, at, after)
        world.enrolments.save, world.virtual.start = broken["save"], broken["start"]  # type: ignore[method-assign]
        world.virtual.live(days=1440)
        assert world.days == [("mail", 0), ("second", 1094), ("third", 1434)], (at, after)
        assert world.only().status is EnrolmentStatus.COMPLETED
        assert [what for what, _ in told(world)] == ["entered", "step", "waiting", "step", "waiting", "step", "ended"]
