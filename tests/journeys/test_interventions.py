"""One who is on the way, and everybody: stopped, skipped on, moved, tried again, swept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.errors import Conflict, NotFound, TryLater
from chalicelib.journeys.enrolment import Enrolment, EnrolmentStatus
from chalicelib.journeys.errands import Errand
from chalicelib.journeys.multitude import SWEEP, begin_sweeps
from chalicelib.journeys.passages import ended
from chalicelib.journeys.ports import Ended
from chalicelib.storage.table import Table
from tests.conftest import HandClock
from tests.journeys.world import World, journey, mail, pause
from tests.virtual_workflows import VirtualWorkflows


class Life(World):
    """A world whose executions run."""

    def __init__(self, table: Table, clock: HandClock) -> None:
        self.virtual = VirtualWorkflows(clock, self._task, {"arn:errands": self._errand})
        super().__init__(table, clock, self.virtual)

    def _task(self, task: Any) -> Any:
        return self.steps.run(
            task["store_id"], task["enrolment_id"], task["generation"], task["steps"], task.get("next")
        )

    def _errand(self, task: Any) -> Any:
        if again := self.errands.work(task["store_id"], task["errand_id"]):
            from chalicelib.clock import rfc3339
            from chalicelib.journeys.ports import NotNow

            raise NotNow(rfc3339(again))
        return {}

    def sent(self) -> list[str]:
        return [message.step for message in self.channel.taken]

    def sweep(self) -> Errand:
        begin_sweeps(self.errands, self.store, self.journeys.of_store(self.store.id), self.clock)
        (*_, begun) = self.errands.of_kind(self.store.id, SWEEP)
        self.errands.work(self.store.id, begun.id)
        (*_, swept) = self.errands.of_kind(self.store.id, SWEEP)
        return swept

    def passages(self) -> list[str]:
        return [passage.what for passage in self.only().history]


@pytest.fixture
def life(table: Table, clock: HandClock) -> Iterator[Life]:
    yield Life(table, clock)


@pytest.fixture
def waits(life: Life) -> Life:
    """Somebody had the first message and waits three days for the second."""
    life.activate(journey(mail("first"), pause("three-days"), mail("second")))
    life.buy("1")
    life.virtual.live(minutes=1)
    assert life.sent() == ["first"]
    return life


def test_a_wait_is_skipped_once_and_nothing_is_sent_twice(waits: Life) -> None:
    before = waits.only()
    waits.interventions.skip_wait(before)
    waits.interventions.skip_wait(before) if waits.only().at_step == "three-days" else None
    waits.virtual.live(minutes=1)
    assert waits.sent() == ["first", "second"]
    assert waits.only().status is EnrolmentStatus.COMPLETED
    assert "skipped" in waits.passages()
    waits.virtual.live(days=9)
    assert waits.sent() == ["first", "second"]
    with pytest.raises(Conflict):
        waits.interventions.skip_wait(waits.only())


def test_the_execution_that_was_left_behind_can_do_nothing(waits: Life) -> None:
    left = waits.only()
    waits.interventions.skip_wait(left)
    with pytest.raises(Ended):
        waits.steps.run(left.store_id, left.id, left.generation, ["second"], None)


def test_one_is_stopped_by_hand_once(waits: Life) -> None:
    stopped = waits.interventions.stop(waits.only())
    assert (stopped.status, stopped.reason) == (EnrolmentStatus.STOPPED, "stopped_by_hand")
    waits.virtual.live(days=9)
    assert waits.sent() == ["first"]
    with pytest.raises(Conflict):
        waits.interventions.stop(waits.only())


class TestMoving:
    def test_to_the_same_step_of_the_live_version(self, waits: Life) -> None:
        waits.activate(journey(mail("first"), pause("three-days", days=5), mail("second"), mail("third")))
        errand = waits.lifecycle.move(waits.store, "j")
        assert errand.report == {"moved": 1}
        enrolment = waits.only()
        assert (enrolment.version, enrolment.at_step) == (2, "three-days")
        assert waits.passages()[-1] == "moved"
        waits.virtual.live(days=4)
        assert waits.sent() == ["first"]  # the new version waits for five days from when the wait began
        waits.virtual.live(days=1, minutes=1)
        assert waits.sent() == ["first", "second", "third"]

    def test_who_stands_on_a_step_that_is_gone_is_reported_and_finishes(self, waits: Life) -> None:
        waits.activate(journey(mail("first"), pause("a-week", days=7), mail("second")))
        assert waits.lifecycle.move(waits.store, "j").report == {"no_such_step:three-days": 1}
        waits.virtual.live(days=3, minutes=1)
        assert waits.sent() == ["first", "second"]
        assert waits.only().version == 1

    def test_a_step_that_became_something_else_is_reported(self, waits: Life) -> None:
        waits.activate(journey(mail("first"), mail("three-days"), pause(), mail("second")))
        assert waits.lifecycle.move(waits.store, "j").report == {"step_changed:three-days": 1}

    def test_again_and_again_and_in_a_crash_it_is_one_move(self, waits: Life, monkeypatch: pytest.MonkeyPatch) -> None:
        waits.activate(journey(mail("first"), pause("three-days"), mail("second"), mail("third")))

        def out(*_: Any) -> None:
            raise TryLater("out")

        with monkeypatch.context() as crash:
            crash.setattr(waits.virtual, "start", out)
            with pytest.raises(TryLater):
                waits.lifecycle.move(waits.store, "j")
        assert waits.lifecycle.move(waits.store, "j").report == {"moved": 1}
        assert waits.lifecycle.move(waits.store, "j").report == {"moved": 1}
        waits.virtual.live(days=3, minutes=1)
        assert waits.sent() == ["first", "second", "third"]
        assert waits.only().generation == 1

    def test_there_must_be_such_a_version(self, waits: Life) -> None:
        with pytest.raises(NotFound):
            waits.lifecycle.move(waits.store, "j", 7)

    def test_who_is_held_stays_held_in_the_new_version(self, waits: Life) -> None:
        waits.lifecycle.pause(waits.store, "j")
        waits.virtual.live(days=3, minutes=1)
        assert waits.only().status is EnrolmentStatus.HELD
        waits.lifecycle.save_draft(
            waits.store, "j", journey(mail("first"), pause("three-days"), mail("second"), mail("third"))
        )
        waits.lifecycle.activate(waits.store, "j")
        waits.virtual.live(minutes=1)
        assert waits.sent() == ["first", "second"]


def test_who_failed_tries_the_step_again_after_the_fix(waits: Life) -> None:
    before = waits.only()
    broken = before.model_copy(update={"at_step": "second", "due_at": None})
    waits.enrolments.save(ended(broken, waits.clock.now(), EnrolmentStatus.FAILED, "error:KeyError"))
    waits.virtual.live(days=9)
    assert waits.sent() == ["first"]
    assert waits.lifecycle.redrive(waits.store, "j").report == {"redriven": 1}
    assert waits.only().status is EnrolmentStatus.RUNNING
    waits.virtual.live(minutes=1)
    assert waits.sent() == ["first", "second"]
    assert waits.only().status is EnrolmentStatus.COMPLETED
    with pytest.raises(Conflict):
        waits.interventions.redrive(waits.only())


class TestSweep:
    def test_one_whose_execution_is_gone_goes_on(self, waits: Life) -> None:
        waits.virtual.executions.clear()
        waits.virtual.live(days=3, hours=3)
        assert waits.sent() == ["first"]
        swept = waits.sweep()
        assert (swept.report["mended"], swept.report["mended_ids"]) == (1, [waits.only().id])
        waits.virtual.live(minutes=1)
        assert waits.sent() == ["first", "second"]
        assert "mended" in waits.passages()

    def test_one_whose_start_was_swallowed_is_started(self, life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
        life.activate(journey(mail("first")))
        with monkeypatch.context() as crash:
            crash.setattr(life.virtual, "start", _out)
            with pytest.raises(TryLater):
                life.buy("1")
        life.clock.advance(minutes=30)
        assert life.sweep().report["on_the_way"] == 1
        life.virtual.live(minutes=1)
        assert life.sent() == ["first"]

    def test_one_that_is_late_but_tended_is_reported_only(self, waits: Life, monkeypatch: pytest.MonkeyPatch) -> None:
        waits.clock.advance(days=3, hours=3)
        swept = waits.sweep()
        assert (swept.report["overdue"], swept.report["overdue_ids"]) == (1, [waits.only().id])
        assert waits.only().generation == 0

    def test_the_next_one_begins_at_the_oldest_that_was_open(self, waits: Life) -> None:
        waits.clock.advance(hours=1)
        waits.buy("2")
        first, second = waits.enrolled()
        waits.virtual.live(minutes=1)
        assert waits.sweep().report["on_the_way"] == 2
        waits.interventions.stop(first)
        waits.clock.advance(days=1)
        assert waits.sweep().report["on_the_way"] == 1
        waits.clock.advance(days=1)
        begun = waits.sweep()
        assert begun.parameters["after"] < waits.enrolments.sort_key(second)
        assert begun.parameters["after"] > waits.enrolments.sort_key(first)


def _out(*_: Any) -> None:
    raise TryLater("out")


def test_a_thousand_who_were_held_go_on_at_a_rate(life: Life) -> None:
    """Three hundred stand for the thousand: a hundred at once, ten seconds, the next hundred."""
    life.activate(journey(pause("three-days"), mail("second")))
    life.lifecycle.pause(life.store, "j")
    for number in range(300):
        held = Enrolment(
            id=f"{life.contact}-{number:020d}",
            store_id=life.store.id,
            journey="j",
            contact_id=life.contact,
            version=1,
            entry_key=str(number),
            event={"id": str(number), "type": "order_paid"},
            status=EnrolmentStatus.HELD,
            at_step="second",
            entered_at=life.clock.now() + timedelta(seconds=number),
            started=True,
            rev=1,
        )
        assert life.enrolments.create(held)
    life.lifecycle.resume(life.store, "j")
    resumed = sum(enrolment.generation for enrolment in life.enrolled())
    assert resumed == 100
    life.clock.advance(seconds=9)
    assert sum(enrolment.generation for enrolment in life.enrolled()) == 100
    life.virtual.live(seconds=12)
    assert 200 <= sum(enrolment.generation for enrolment in life.enrolled()) <= 300
    life.virtual.live(minutes=2)
    assert sum(enrolment.generation for enrolment in life.enrolled()) == 300
