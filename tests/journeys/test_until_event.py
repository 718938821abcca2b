"""Waits for an event: woken by it within seconds, at the limit without it, whatever crashes or comes twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.clock import rfc3339
from chalicelib.errors import TryLater
from chalicelib.journeys.enrolment import EnrolmentStatus
from chalicelib.journeys.ports import Ended, Held
from chalicelib.storage.table import Table
from tests.conftest import HandClock
from tests.journeys.living import Living
from tests.journeys.sample_journeys import branch, split
from tests.journeys.world import BOUGHT_AGAIN, journey, mail, pause

Row = tuple[str, str | None, str | None]


def until(step_id: str = "answer", name: str = "answered", *, where: Any = None, **at_most: int) -> dict[str, Any]:
    event = {"type": "api_event", "name": name} | ({"where": where} if where else {})
    return {
        "id": step_id,
        "type": "wait",
        "until_event": {"event": event, "at_most": at_most or {"days": 3}},
    }


@pytest.fixture
def world(table: Table, clock: HandClock) -> Living:
    return Living(table, clock)


def history(world: Living) -> list[Row]:
    return [(p.what, p.step, p.detail) for p in world.only().history if p.what not in ("entered", "step")]


def steps_done(world: Living) -> list[str | None]:
    return [p.step for p in world.only().history if p.what == "step"]


def test_the_event_wakes_it_at_once_and_it_costs_two_transitions_a_touch(world: Living) -> None:
    world.activate(journey(mail(), until(), mail("second")))
    world.buy("1")
    world.virtual.live(days=1)
    parked, due_at = world.only().parked, world.clock.now() + timedelta(days=2)
    assert parked is not None and (parked.step, parked.until, bool(parked.token)) == ("answer", due_at, True)
    assert (world.only().at_step, world.only().due_at) == ("answer", due_at)
    event = world.happen("answered")
    world.virtual.live(seconds=1)
    assert world.sent() == ["mail", "second"]
    assert history(world) == [
        ("waiting", "answer", f"until {rfc3339(due_at)}"),
        ("happened", "answer", event.id),
        ("ended", None, "completed"),
    ]
    assert world.transitions() == 3  # mail, answer, second: as with a plain wait


def test_without_it_the_limit_ends_the_wait_and_later_events_change_nothing(world: Living) -> None:
    world.activate(journey(mail(), until(), mail("second"), pause(), mail("third")))
    world.buy("1")
    world.virtual.live(days=2, hours=23)
    assert world.sent() == ["mail"]
    world.virtual.live(hours=1)
    assert world.sent() == ["mail", "second"]
    assert [row[0] for row in history(world)] == ["waiting", "timed_out", "waiting"]
    world.happen("answered")
    world.virtual.live(days=1)
    assert [row[0] for row in history(world)] == ["waiting", "timed_out", "waiting"]
    world.virtual.live(days=2)
    assert (world.sent(), world.transitions()) == (["mail", "second", "third"], 5)


@pytest.mark.parametrize("told", [True, False])
def test_an_event_since_the_contact_entered_counts_once_and_not_the_one_that_began_it(
    world: Living, told: bool
) -> None:
    """Two waits in a row for the same: the event before them answers the first, and the second waits for its own."""
    trigger = {"type": "api_event", "name": "answered"}
    first, second = until(), until("once-more")
    world.activate(journey(pause("a-day", days=1), first, second, mail(), trigger=trigger, reentry={"mode": "once"}))
    world.happen("answered")
    world.virtual.live(hours=6)
    early = world.happen("answered") if told else world.has_happened("answered")
    world.virtual.live(hours=20)
    assert [(row[0], row[1]) for row in history(world)] == [
        ("waiting", "answer"),
        ("happened", "answer"),
        ("waiting", "once-more"),
    ]
    assert history(world)[1][2] == early.id
    other = world.happen("answered")
    world.virtual.live(seconds=1)
    assert history(world)[-2:] == [("happened", "once-more", other.id), ("ended", None, "completed")]


def test_only_the_event_that_is_meant_wakes_it(world: Living) -> None:
    where = {"field": "tags", "is": "contains", "value": "vip"}
    world.activate(journey(mail(), until(where=where), mail("second")))
    world.buy("1")
    world.virtual.live(hours=1)
    before = world.happen("answered", occurred_at=world.clock.now() - timedelta(days=1))
    world.book.add_tag(world.store.id, world.contact, "vip", "test")
    world.tell(before)  # before the contact entered
    world.happen("asked")
    world.happen("answered", occurred_at=world.clock.now() + timedelta(days=3))  # not before the limit
    world.virtual.live(seconds=1)
    assert world.sent() == ["mail"]
    world.happen("answered")
    world.virtual.live(seconds=1)
    assert world.sent() == ["mail", "second"]


def test_where_may_ask_about_the_awaited_order_and_what_was_bought_since_entry(world: Living) -> None:
    again = {"purchased": {"product": "trigger", "since": "entry"}}
    wait = until()
    wait["until_event"]["event"] = {"type": "order_paid", "where": {"purchased": {"product": "22"}}}
    world.activate(
        journey(mail(), wait, branch("again", [mail("thanks")], [mail("other")], again), reentry={"mode": "once"})
    )
    world.buy("1")
    world.virtual.live(hours=1)
    world.buy("2", product_id="33")
    world.virtual.live(hours=1)
    assert world.sent() == ["mail"]
    world.buy("3", product_id="22")
    world.virtual.live(seconds=1)
    assert world.sent() == ["mail", "other"]


def test_an_event_that_is_also_the_goal_ends_the_pass(world: Living) -> None:
    wait = until()
    wait["until_event"]["event"] = {"type": "order_paid"}
    world.activate(journey(mail(), wait, mail("second"), goal=BOUGHT_AGAIN, reentry={"mode": "once"}))
    world.buy("1")
    world.virtual.live(hours=1)
    world.buy("2")
    world.virtual.live(days=5)
    assert (world.only().status, world.sent()) == (EnrolmentStatus.GOAL_MET, ["mail"])


def test_waits_on_the_ways_of_a_split_and_at_the_very_beginning(world: Living) -> None:
    parting = split("s", a=[until("on-a", "came")], b=[until("on-b", "came")])
    world.activate(journey(until("at-first", hours=2), parting, mail()))
    world.buy("1")
    world.virtual.live(hours=1)
    world.happen("answered")
    world.virtual.live(hours=10)
    assert world.only().at_step in ("on-a", "on-b")
    world.happen("came")
    world.virtual.live(seconds=1)
    assert world.only().status is EnrolmentStatus.COMPLETED
    assert world.transitions() == 5  # at-first, s, s?, on-…, mail


@pytest.mark.parametrize("late", [-1, 0, 1])
def test_an_event_in_the_second_of_the_limit_is_decided_by_the_record(world: Living, late: int) -> None:
    """Told at the very moment of the limit, before the execution looks: it came in time if it occurred before it."""
    world.activate(journey(mail(), until(hours=1), mail("second")))
    world.buy("1")
    world.virtual.live(minutes=30)
    due_at = world.only().due_at
    assert due_at is not None
    world.clock.time = due_at
    world.happen("answered", occurred_at=due_at + timedelta(milliseconds=late))
    world.virtual.live(seconds=1)
    assert [row[0] for row in history(world)][1] == ("happened" if late < 0 else "timed_out")
    assert world.sent() == ["mail", "second"]


def test_told_while_the_task_before_it_is_under_way_or_before_it_parked(world: Living) -> None:
    """Whoever writes first: the event is found in the timeline when it parks, or noted before it did."""
    world.activate(journey(mail(), until(), mail("second"), until("more", "came"), mail("third")))
    world.buy("1")

    def meanwhile(message: Any) -> None:
        if not world.sent():
            world.happen("answered")

    world.channel.before = meanwhile
    world.virtual.live(seconds=1)
    assert world.sent() == ["mail", "second"]

    def early(task: dict[str, Any]) -> None:
        if task.get("park") == "more":
            world.before_task = lambda task: None
            world.happen("came")

    enrolment = world.only()
    assert enrolment.at_step == "more"
    world.before_task = early
    world.virtual.live(seconds=1)
    world.happen("came")
    world.virtual.live(seconds=1)
    assert world.sent() == ["mail", "second", "third"]


def test_noted_before_it_parked_it_is_answered_when_it_parks(world: Living) -> None:
    world.activate(journey(mail(), until(), mail("second")))
    world.buy("1")

    def early(task: dict[str, Any]) -> None:
        if "park" in task and not world.only().parked:
            world.happen("answered")
            parked = world.only().parked
            assert parked is not None and (parked.happened_at, parked.token) == (world.clock.now(), None)

    world.before_task = early
    world.virtual.live(seconds=1)
    assert world.sent() == ["mail", "second"]
    assert [row[0] for row in history(world)] == ["waiting", "happened", "ended"]


def test_a_crash_between_record_and_answer_is_repaired_by_the_next_telling_or_the_limit(world: Living) -> None:
    world.activate(journey(mail(), until(), mail("second")))
    world.buy("1")
    world.virtual.live(hours=1)
    answer, world.virtual.answer = world.virtual.answer, _out  # type: ignore[method-assign]
    with pytest.raises(TryLater):
        world.happen("answered")
    assert world.only().parked and world.only().parked.happened_at  # type: ignore[union-attr]
    world.virtual.answer = answer  # type: ignore[method-assign]
    world.happen("something_else")
    world.virtual.live(seconds=1)
    assert world.sent() == ["mail", "second"]

    world.buy("2")
    world.virtual.live(hours=1)
    world.virtual.answer = _out  # type: ignore[method-assign]
    with pytest.raises(TryLater):
        world.happen("answered")
    world.virtual.answer = answer  # type: ignore[method-assign]
    world.virtual.live(days=3)
    told = [p.what for p in world.enrolled()[1].history if p.step == "answer"]
    assert told == ["waiting", "happened"]
    assert world.sent() == ["mail", "second"] * 2


def _out(token: str, output: Any) -> None:
    raise TryLater("answer")


def test_parking_is_asked_again_after_a_crash_and_keeps_the_limit(world: Living) -> None:
    """Long retries would set the time-out anew: then an execution with the rest of the time takes over."""
    world.activate(journey(mail(), until(hours=2), mail("second")))
    world.buy("1")
    crashes = iter(range(3))

    def crash(task: dict[str, Any]) -> None:
        if "park" in task and next(crashes, None) is not None:
            raise TryLater("the table")

    world.after_task = crash
    entered_at = world.clock.now()
    world.virtual.live(hours=1, minutes=59)
    assert world.only().due_at == entered_at + timedelta(hours=2)
    world.virtual.live(minutes=2)
    assert world.sent() == ["mail", "second"]
    assert [row[0] for row in history(world)] == ["waiting", "timed_out", "ended"]
    assert world.only().generation == 1


def test_held_it_notes_the_event_and_goes_on_when_resumed(world: Living) -> None:
    world.activate(journey(mail(), pause("a-day", days=1), until(), mail("second")))
    world.buy("1")
    world.virtual.live(hours=1)
    world.pause_journey()
    world.virtual.live(days=1)  # held before the wait, which begins all the same
    assert (world.only().status, world.only().at_step) == (EnrolmentStatus.HELD, "answer")
    world.happen("answered")
    assert world.sent() == ["mail"]
    world.virtual.live(days=1)
    world.resume_journey()
    world.virtual.live(seconds=1)
    assert world.sent() == ["mail", "second"]
    assert [row[0] for row in history(world)] == ["waiting", "waiting", "held", "happened", "resumed", "ended"]


def test_paused_while_parked_the_event_wakes_it_to_be_held_after_the_wait(world: Living) -> None:
    world.activate(journey(mail(), until(), mail("second")))
    world.buy("1")
    world.virtual.live(hours=1)
    world.pause_journey()
    world.happen("answered")
    world.virtual.live(days=9)
    assert (world.only().status, world.only().at_step) == (EnrolmentStatus.HELD, "second")
    world.resume_journey()
    world.virtual.live(seconds=1)
    assert world.sent() == ["mail", "second"]


def test_parking_of_another_generation_or_one_that_is_over_is_told_so(world: Living) -> None:
    world.activate(journey(mail(), until(), mail("second")))
    world.buy("1")
    world.virtual.live(hours=1)
    enrolment = world.only()
    with pytest.raises(Ended):
        world.steps.park(world.store.id, enrolment.id, 7, "answer", "t", 9)
    assert world.steps.park(world.store.id, enrolment.id, 0, "mail", "t", 9) == {}
    assert world.only() == enrolment
    held = enrolment.model_copy(update={"status": EnrolmentStatus.HELD})
    world.enrolments.save(held)
    with pytest.raises(Held):
        world.steps.park(world.store.id, enrolment.id, 0, "answer", "t", 9)
