"""Who enters a journey, once, whatever comes how often and in which order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.commerce.event import Event
from chalicelib.commerce.order import OrderStatus
from chalicelib.errors import TryLater
from chalicelib.ids import contact_of
from chalicelib.journeys.enrolment import EnrolmentStatus
from chalicelib.storage.table import Table
from tests.conftest import HandClock
from tests.journeys.world import BOUGHT_AGAIN, World, journey, mail, minutes, pause

FIRST_ORDER = {"type": "order_paid", "where": {"field": "event.nth", "is": "equals", "value": 1}}


@pytest.fixture
def world(table: Table, clock: HandClock) -> World:
    return World(table, clock)


def visit(world: World, name: str, ago: timedelta = timedelta(0)) -> Event:
    return Event(id=name, type="visited", occurred_at=world.clock.now() - ago)


def on_visits(mode: str, *steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    trigger = {"type": "api_event", "name": "visited"}
    return journey(*(steps or (mail(),)), trigger=trigger, reentry={"mode": mode, **more})


def test_a_fitting_event_enters_and_starts_one_execution_of_ids_only(world: World) -> None:
    world.activate(journey(mail()))
    event = world.buy("1")
    enrolment = world.only()
    assert (enrolment.status, enrolment.entry_key, enrolment.at_step) == (EnrolmentStatus.RUNNING, "1", "mail")
    assert enrolment.event["id"] == event.id
    assert contact_of(enrolment.id) == world.contact
    payload = {"store_id": world.store.id, "enrolment_id": enrolment.id, "generation": 0}
    assert world.recorded.started == {enrolment.execution: (f"{world.store.id}-j-1", payload)}
    assert [p.what for p in enrolment.history] == ["entered"]


def test_the_same_event_twice_enters_once(world: World) -> None:
    for mode in ("once", "every_time", "per_order", "once_at_a_time"):
        world.activate(journey(mail(), reentry={"mode": mode}), f"j-{mode.replace('_', '-')}")
    world.activate(journey(mail(), reentry={"mode": "after_days", "days": 1}), "j-after")
    event = world.buy("1")
    world.clock.advance(hours=30)
    world.tell(event, event)
    assert len(world.enrolled()) == 5
    assert len(world.recorded.started) == 5


@pytest.mark.parametrize("mode", ["once", "every_time", "per_order", "once_at_a_time", "after_days"])
def test_one_event_from_many_sides_at_the_same_moment_enters_once(world: World, mode: str) -> None:
    world.activate(journey(mail(), reentry={"mode": mode} | ({"days": 30} if mode == "after_days" else {})))
    event = world.order("1")
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: world.tell(event), range(6)))
    assert len(world.enrolled()) == 1
    assert list(world.recorded.started) == [world.only().execution]


@pytest.mark.parametrize("mode", ["once", "once_at_a_time", "after_days"])
def test_two_events_at_the_same_moment_enter_once_where_one_keeps_out_the_other(world: World, mode: str) -> None:
    world.activate(on_visits(mode, **({"days": 30} if mode == "after_days" else {})))
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda n: world.tell(visit(world, f"v{n}")), range(6)))
    assert len(world.enrolled()) == 1


def test_every_time_and_per_order_let_each_order_in(world: World) -> None:
    world.activate(journey(mail(), reentry={"mode": "every_time"}), "every")
    world.activate(journey(mail(), reentry={"mode": "per_order"}), "per-order")
    world.buy("1")
    world.clock.advance(minutes=1)
    world.buy("2")
    assert sorted((e.journey, e.entry_key.rpartition(":")[2]) for e in world.enrolled()) == [
        ("every", "1"),
        ("every", "2"),
        ("per-order", "1"),
        ("per-order", "2"),
    ]


def test_after_days_lets_in_again_only_when_they_have_passed(world: World) -> None:
    world.activate(on_visits("after_days", days=30))
    world.tell(visit(world, "a"))
    world.clock.advance(days=29)
    world.tell(visit(world, "b"))
    assert len(world.enrolled()) == 1
    world.clock.advance(days=1)
    world.tell(visit(world, "c"))
    assert [e.entry_key for e in world.enrolled()] == ["r1", "r2"]


def test_once_at_a_time_lets_in_again_after_the_end_and_not_for_what_happened_before_it(world: World) -> None:
    world.activate(on_visits("once_at_a_time"))
    world.tell(visit(world, "a"))
    world.clock.advance(minutes=5)
    refused = visit(world, "b")
    world.tell(refused)
    assert len(world.enrolled()) == 1
    world.clock.advance(minutes=5)
    world.run(world.only(), ["mail"])
    world.tell(refused)
    assert len(world.enrolled()) == 1
    world.clock.advance(minutes=5)
    world.tell(visit(world, "c"))
    assert [e.entry_key for e in world.enrolled()] == ["r1", "r2"]


def test_an_event_two_days_old_starts_nothing(world: World) -> None:
    world.activate(journey(mail()))
    world.buy("1", ago=timedelta(hours=48))
    assert world.enrolled() == []
    world.buy("2", ago=timedelta(hours=47))
    assert len(world.enrolled()) == 1


def test_where_is_looked_at_with_the_event_and_the_contact(world: World) -> None:
    bought = {"type": "order_paid", "where": {"purchased": {"product": "77"}}}
    world.activate(journey(mail(), trigger=bought))
    world.buy("1", product_id="11")
    assert world.enrolled() == []
    world.clock.advance(minutes=1)
    world.buy("2", product_id="77")
    assert [e.entry_key for e in world.enrolled()] == ["2"]


def test_a_journey_that_is_no_draft_no_more_but_paused_takes_nobody_in(world: World) -> None:
    world.lifecycle.save_draft(world.store, "j", journey(mail()))
    world.buy("1")
    world.lifecycle.activate(world.store, "j")
    world.lifecycle.pause(world.store, "j")
    world.clock.advance(minutes=1)
    world.buy("2")
    assert world.enrolled() == []


def test_a_start_that_was_refused_is_made_up_for_when_the_event_comes_again(world: World) -> None:
    world.activate(journey(mail()))
    world.recorded.fail = {"start"}
    event = world.order("1")
    with pytest.raises(TryLater):
        world.tell(event)
    assert world.recorded.started == {}
    world.recorded.fail = set()
    world.tell(event)
    assert list(world.recorded.started) == [world.only().execution]


def test_the_first_step_tells_that_it_was_started_and_until_then_it_is_started_again(world: World) -> None:
    world.activate(journey(mail(), pause(), mail("later")))
    event = world.buy("1")
    assert not world.only().started
    world.recorded.started.clear()  # as if a crash had come before the start
    world.tell(event)
    assert list(world.recorded.started) == [world.only().execution]
    world.run(world.only(), ["mail"], "pause")
    world.recorded.started.clear()
    world.tell(event)
    assert (world.only().started, world.recorded.started) == (True, {})


def test_a_journey_that_begins_with_a_wait_is_not_started_at_every_event_until_it_ends(world: World) -> None:
    world.activate(journey(pause(), mail()))
    event = world.buy("1")
    assert world.only().started
    world.recorded.started.clear()
    world.tell(event)
    assert world.recorded.started == {}


def test_a_journey_that_begins_with_a_lifetime_is_told_its_end(world: World) -> None:
    wait = {"id": "used-up", "type": "wait", "lifetime": {"minus_days": 5, "default_days": 30}}
    world.activate(journey(wait, mail()))
    world.sell(lifetime_days=25)
    event = world.buy("1", ago=timedelta(hours=2))
    ((_, payload),) = world.recorded.started.values()
    due_at = event.occurred_at + timedelta(days=20)
    assert payload["until"] == due_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert (world.only().at_step, world.only().due_at) == ("used-up", due_at)


def test_a_lifetime_that_no_product_has_is_the_default(world: World) -> None:
    wait = {"id": "used-up", "type": "wait", "lifetime": {"minus_days": 5, "default_days": 30}}
    world.activate(journey(wait, mail()))
    event = world.buy("1")
    assert world.only().due_at == event.occurred_at + timedelta(days=25)


def test_buying_again_meets_the_goal_and_stops_the_execution_but_the_first_order_does_not(world: World) -> None:
    world.activate(journey(pause(), mail(), goal=BOUGHT_AGAIN, reentry={"mode": "once"}))
    first = world.buy("1")
    world.tell(first)
    assert world.only().status is EnrolmentStatus.RUNNING
    world.clock.advance(days=1)
    world.buy("2")
    assert (world.only().status, world.only().reason) == (EnrolmentStatus.GOAL_MET, "goal_met")
    assert world.only().ended_at == world.clock.now()
    assert world.recorded.stopped == [world.only().execution]


def test_an_order_that_meets_the_goal_may_begin_the_next_pass(world: World) -> None:
    world.activate(journey(pause(), mail(), goal=BOUGHT_AGAIN, reentry={"mode": "once_at_a_time"}))
    world.buy("1")
    world.clock.advance(days=1)
    second = world.order("2")
    world.clock.advance(minutes=3)
    world.tell(second)
    assert [(e.entry_key, e.status) for e in world.enrolled()] == [
        ("r1", EnrolmentStatus.GOAL_MET),
        ("r2", EnrolmentStatus.RUNNING),
    ]


def test_a_goal_met_before_we_heard_of_the_entry_counts(world: World) -> None:
    world.activate(journey(pause(), mail(), goal=BOUGHT_AGAIN, reentry={"mode": "once"}))
    first = world.order("1", ago=minutes(30))
    second = world.order("2", ago=minutes(10))
    world.tell(first)
    world.tell(second)
    assert world.only().status is EnrolmentStatus.GOAL_MET


@pytest.mark.parametrize("status", [OrderStatus.CANCELLED, OrderStatus.REFUNDED])
def test_who_entered_with_an_order_leaves_with_it(world: World, status: OrderStatus) -> None:
    world.activate(journey(pause(), mail()))
    paid = world.buy("1")
    world.clock.advance(minutes=1)
    world.buy("2")
    world.order("1", status=status)
    world.tell(paid.model_copy(update={"id": "gone", "type": f"order_{status}"}))
    first, second = world.enrolled()
    assert (first.status, first.reason) == (EnrolmentStatus.EXITED, f"order_{status}")
    assert second.status is EnrolmentStatus.RUNNING
    assert world.recorded.stopped == [first.execution]


def test_an_order_told_after_its_cancellation_sends_nobody_on_the_way(world: World) -> None:
    world.activate(journey(mail()))
    world.order("1")
    paid = world.order("1", status=OrderStatus.CANCELLED)
    world.tell(paid)
    assert (world.only().status, world.only().reason) == (EnrolmentStatus.EXITED, "order_cancelled")
    assert world.recorded.started == {}


def test_a_journey_about_cancellations_is_not_ended_by_one(world: World) -> None:
    world.activate(journey(mail(), trigger={"type": "order_cancelled"}))
    paid = world.order("1", status=OrderStatus.CANCELLED)
    world.tell(paid.model_copy(update={"id": "gone", "type": "order_cancelled"}))
    assert world.only().status is EnrolmentStatus.RUNNING


def test_a_journey_of_nothing_but_waits_is_over_at_once(world: World) -> None:
    world.activate(journey(pause()))
    world.buy("1")
    assert (world.only().status, world.recorded.started) == (EnrolmentStatus.COMPLETED, {})


def test_stop_all_ends_what_is_on_its_way_and_nothing_else(world: World) -> None:
    world.activate(journey(mail()))
    world.buy("1")
    world.run(world.only(), ["mail"])
    world.clock.advance(minutes=1)
    world.buy("2")
    world.enroller.stop_all(world.store.id, world.contact, "contact_erased")
    done, stopped = world.enrolled()
    assert done.status is EnrolmentStatus.COMPLETED
    assert (stopped.status, stopped.reason) == (EnrolmentStatus.STOPPED, "contact_erased")


def test_a_merge_at_the_very_moment_of_the_start_leaves_one_enrolment_where_the_contact_is_now(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.activate(journey(mail()))
    older = world.add_contact("older@shopper.example")
    start = world.recorded.start

    def merged_meanwhile(machine: str, execution: str, payload: dict[str, Any]) -> None:
        start(machine, execution, payload)
        world.contacts.move(world.store.id, world.contact, older)

    event = world.order("1")
    monkeypatch.setattr(world.recorded, "start", merged_meanwhile)
    world.tell(event)
    assert world.enrolled() == []
    assert len(world.enrolments.of_contact(world.store.id, older)) == 1


# Orders that come in another order than they were paid


def summary(world: World) -> list[tuple[str, str, str, str]]:
    return sorted((e.journey, e.entry_key, e.event["id"], e.status) for e in world.enrolled())


def three_journeys(world: World) -> None:
    world.activate(journey(pause(), mail(), trigger=FIRST_ORDER, reentry={"mode": "once"}), "first")
    world.activate(journey(pause(), mail(), reentry={"mode": "once"}), "any-once")
    world.activate(journey(pause(), mail(), reentry={"mode": "once_at_a_time"}), "one-at-a-time")
    returning = {"type": "order_paid", "where": {"field": "event.nth", "is": "greater", "value": 1}}
    world.activate(journey(pause(), mail(), trigger=returning, reentry={"mode": "per_order"}), "returning")


def test_orders_in_the_wrong_order_end_as_in_the_right_one(table: Table, clock: HandClock) -> None:
    told: list[list[tuple[str, str, str, str]]] = []
    for sequence in (("1", "2", "3"), ("3", "2", "1"), ("2", "3", "1"), ("3", "1", "2")):
        world = World(table, HandClock(clock.now()))
        three_journeys(world)
        for order_id in sequence:
            event = world.order(order_id, ago=minutes(40 - 10 * int(order_id)))
            world.tell(event)
            world.enroller.reconsider(world.store, world.contact)
        told.append([(j, k, i.replace(world.store.id, "s"), s) for j, k, i, s in summary(world)])
    assert told[0] == [
        ("any-once", "once", "order_paid:s:1", "running"),
        ("first", "once", "order_paid:s:1", "running"),
        ("one-at-a-time", "r1", "order_paid:s:1", "running"),
        ("returning", "2", "order_paid:s:2", "running"),
        ("returning", "3", "order_paid:s:3", "running"),
    ]
    assert told[1:] == [told[0]] * 3


def test_a_withdrawn_pass_is_stopped_and_its_execution_never_comes_back(world: World) -> None:
    world.activate(journey(pause(), mail(), trigger=FIRST_ORDER, reentry={"mode": "per_order"}))
    world.buy("2", ago=minutes(10))
    wrong = world.only()
    world.buy("1", ago=minutes(20))
    world.enroller.reconsider(world.store, world.contact)
    assert [e.entry_key for e in world.enrolled()] == ["1"]
    assert wrong.execution in world.recorded.stopped
    assert [e.id for e in world.enrolments.of_journey(world.store.id, "j")] == [world.only().id]
    # The older order turns out to be cancelled: the other is the first after all, in an execution of a new name.
    world.order("1", status=OrderStatus.CANCELLED)
    world.enroller.reconsider(world.store, world.contact)
    again = next(e for e in world.enrolled() if e.entry_key == "2")
    assert (again.id, again.generation, again.status) == (wrong.id, 1, EnrolmentStatus.RUNNING)
    machine, payload = world.recorded.started[again.execution]
    assert machine.endswith("-resume")
    assert payload["enter"] == "pause"
    assert payload["until"]


def test_a_pass_that_claimed_a_message_stays(world: World) -> None:
    world.activate(journey(mail(), pause(), mail("later"), trigger=FIRST_ORDER, reentry={"mode": "once"}))
    world.buy("2", ago=minutes(10))
    world.run(world.only(), ["mail"], "pause")
    world.buy("1", ago=minutes(20))
    world.enroller.reconsider(world.store, world.contact)
    assert world.only().event["properties"]["order_id"] == "2"
    assert world.only().status is EnrolmentStatus.RUNNING
