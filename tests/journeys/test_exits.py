"""Who leaves by a journey's own exits, and what a refund takes back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.commerce.coupon import OwnedCoupon
from chalicelib.commerce.event import Event
from chalicelib.commerce.order import OrderStatus
from chalicelib.contacts.field_change import FieldChange
from chalicelib.errors import TryLater
from chalicelib.journeys.enrolment import EnrolmentStatus
from chalicelib.storage.table import Table
from tests.conftest import HandClock
from tests.journeys.world import BOUGHT_AGAIN, World, at, journey, mail, minutes, pause

NEWS = {"type": "list_joined", "list": "news"}
LEFT = {"type": "list_left", "list": "news"}


@pytest.fixture
def world(table: Table, clock: HandClock) -> World:
    return World(table, clock)


def event(world: World, type_: str, ago: timedelta = timedelta(0), **properties: Any) -> Event:
    """One that is in the timeline before anybody is told."""
    moment = world.clock.now() - ago
    told = Event(id=f"{type_}-{moment}", type=type_, occurred_at=moment, properties=properties)
    world.timeline.append(world.store.id, world.contact, told)
    return told


def ends(world: World) -> dict[str, tuple[str, str | None]]:
    return {e.journey: (e.status.value, e.reason) for e in world.enrolled()}


def test_an_exit_ends_the_pass_and_its_execution_for_that_list_and_no_other(world: World) -> None:
    world.activate(journey(pause(), mail(), trigger=NEWS, reentry={"mode": "once"}, exits=[LEFT]))
    world.tell(event(world, "list_joined", list="news"))
    world.clock.advance(minutes=5)
    world.tell(event(world, "list_left", list="offers"))
    assert world.only().open
    world.clock.advance(minutes=5)
    left = event(world, "list_left", list="news")
    world.tell(left)
    world.tell(left)
    assert (world.only().status, world.only().reason) == (EnrolmentStatus.EXITED, "exit:list_left")
    assert world.recorded.stopped == [world.only().execution]


def test_an_exit_that_was_heard_of_before_the_entry_counts_and_an_earlier_one_does_not(world: World) -> None:
    world.activate(journey(mail(), trigger=NEWS, reentry={"mode": "every_time"}, exits=[LEFT]))
    world.tell(event(world, "list_left", ago=minutes(30), list="news"))
    world.tell(event(world, "list_left", ago=minutes(10), list="news"))
    world.tell(event(world, "list_joined", ago=minutes(20), list="news"))
    assert ends(world) == {"j": ("exited", "exit:list_left")}
    assert world.recorded.started == {}, "it is not even begun"
    world.tell(event(world, "list_joined", ago=minutes(5), list="news"))
    assert sorted(e.open for e in world.enrolled()) == [False, True]


def test_where_of_an_exit_asks_about_its_own_event(world: World) -> None:
    exits = [
        {"type": "order_paid", "where": {"purchased": {"product": "trigger", "at_least_orders": 2}}},
        {"type": "api_event", "name": "called", "where": {"field": "event.answer", "is": "equals", "value": "no"}},
    ]
    for name in ("a", "b"):
        world.activate(
            journey(pause(), mail(), trigger=NEWS, reentry={"mode": "once"}, exits=exits[name == "b" :]), name
        )
    world.buy("0", product_id="77", ago=timedelta(days=3))
    world.tell(event(world, "list_joined", list="news"))
    world.clock.advance(minutes=5)
    world.buy("1")
    world.tell(event(world, "called", answer="yes"))
    assert ends(world) == {"a": ("running", None), "b": ("running", None)}
    world.clock.advance(minutes=5)
    world.buy("2", product_id="77")
    assert ends(world) == {"a": ("exited", "exit:order_paid"), "b": ("running", None)}
    world.tell(event(world, "called", answer="no"))
    assert ends(world)["b"] == ("exited", "exit:called")


def test_the_goal_comes_before_entries_and_entries_before_exits(world: World) -> None:
    exits = [{"type": "order_paid"}]
    world.activate(journey(pause(), mail(), goal=BOUGHT_AGAIN, exits=exits, reentry={"mode": "once"}), "goal")
    world.activate(journey(pause(), mail(), exits=exits, reentry={"mode": "once_at_a_time"}), "busy")
    world.buy("1")
    world.clock.advance(minutes=5)
    world.buy("2")
    assert [(e.journey, e.status.value) for e in world.enrolled()] == [("busy", "exited"), ("goal", "goal_met")] or [
        (e.journey, e.status.value) for e in world.enrolled()
    ] == [("goal", "goal_met"), ("busy", "exited")]


@pytest.mark.parametrize("sequence", [("joined", "paid"), ("paid", "joined")])
def test_entering_another_journey_is_an_exit_whichever_we_heard_of_first(world: World, sequence: list[str]) -> None:
    entered = [{"type": "journey_entered", "journey": "buyers"}]
    world.activate(journey(pause(), mail(), trigger=NEWS, reentry={"mode": "once"}, exits=entered), "welcome")
    world.activate(journey(pause(), mail()), "buyers")
    for what in sequence:
        if what == "joined":
            world.tell(event(world, "list_joined", ago=minutes(10), list="news"))
        else:
            world.buy("1", ago=minutes(5))
    assert ends(world) == {"welcome": ("exited", "exit:journey_entered"), "buyers": ("running", None)}


def test_a_crash_between_an_entry_and_the_others_exits_is_made_up_for(world: World) -> None:
    entered = [{"type": "journey_entered", "journey": "buyers"}]
    world.activate(journey(pause(), mail(), trigger=NEWS, reentry={"mode": "once"}, exits=entered), "welcome")
    world.activate(journey(mail()), "buyers")
    world.tell(event(world, "list_joined", ago=minutes(10), list="news"))
    paid = world.order("1")
    world.recorded.fail = {"start"}
    with pytest.raises(TryLater):
        world.tell(paid)
    assert ends(world)["welcome"] == ("running", None)
    world.recorded.fail = set()
    world.tell(paid)
    assert ends(world)["welcome"] == ("exited", "exit:journey_entered")


# What a refund takes back


def counting(mode: str = "per_order") -> dict[str, Any]:
    add = {"id": "count", "type": "set_field", "field": "stamps", "change": "add", "value": 1, "undo_on_refund": True}
    return journey(mail(), add, reentry={"mode": mode})


def stamped(world: World, order_id: str) -> None:
    """As the journey's step does it (`journeys.acts`)."""
    enrolment = next(e for e in world.enrolled() if e.entry_key == order_id)
    change = FieldChange("add", 1, undoable=True)
    world.book.change_field(world.store.id, world.contact, "stamps", change, f"{enrolment.id}:count")


def stamps(world: World) -> Any:
    contact = world.contacts.get(world.store.id, world.contact)
    assert contact
    return contact.fields.get("stamps")


@pytest.mark.parametrize("status", [OrderStatus.CANCELLED, OrderStatus.REFUNDED])
def test_a_refund_takes_back_what_the_order_counted_once_also_of_a_pass_that_ended(
    world: World, status: OrderStatus
) -> None:
    world.activate(counting())
    paid = [world.buy("1"), world.buy("2")]
    for order_id in ("1", "2"):
        stamped(world, order_id)
    world.enroller.end(world.enrolled()[0], EnrolmentStatus.COMPLETED, "completed")
    assert stamps(world) == 2
    world.clock.advance(minutes=5)
    world.activate(
        journey(mail(), trigger={"type": "field_changed", "field": "stamps"}, reentry={"mode": "every_time"}), "told"
    )
    world.order("1", status=status)
    gone = paid[0].model_copy(update={"id": "gone", "type": f"order_{status}"})
    for _ in range(2):
        world.tell(gone)
    assert stamps(world) == 1
    assert [e.event["properties"]["to"] for e in world.enrolled() if e.journey == "told"] == [1]
    stamped(world, "2")  # repeated: it was counted before
    assert stamps(world) == 1


def test_a_partial_refund_takes_nothing_back(world: World) -> None:
    world.activate(counting())
    paid = world.buy("1")
    stamped(world, "1")
    world.tell(paid.model_copy(update={"id": "some", "type": "order_refunded"}))
    assert stamps(world) == 1


# What an order means beyond itself


def test_the_order_that_makes_the_sum_reach_a_threshold_tells_it_once(world: World) -> None:
    for of, value in (("orders_count", 2), ("total_spent", 5000), ("orders_count", 9)):
        world.activate(
            journey(
                mail(), trigger={"type": "threshold_reached", "of": of, "value": value}, reentry={"mode": "every_time"}
            ),
            f"{of.replace('_', '-')}-{value}",
        )
    for order_id in ("1", "2", "3", "4"):
        told = world.buy(order_id)
        world.tell(told)
        world.clock.advance(minutes=5)
    found = {e.journey: e.event["properties"] for e in world.enrolled()}
    assert found == {
        "orders-count-2": {"of": "orders_count", "value": 2, "order_id": "2"},
        "total-spent-5000": {"of": "total_spent", "value": 5000, "order_id": "3"},
    }
    timeline = world.timeline.of_contact(world.store.id, world.contact)
    assert len([one for one in timeline if one.type == "threshold_reached"]) == 2


def test_orders_in_the_wrong_order_reach_it_too_and_those_of_long_ago_did_before(world: World) -> None:
    trigger = {"type": "threshold_reached", "of": "orders_count", "value": 2}
    world.activate(journey(mail(), trigger=trigger, reentry={"mode": "once"}))
    world.buy("2", ago=minutes(5))
    assert world.enrolled() == []
    world.buy("1", ago=timedelta(days=9))
    assert world.only().event["properties"]["order_id"] == "2"
    other = World(world.table, world.clock)
    other.activate(journey(mail(), trigger=trigger, reentry={"mode": "once"}))
    for order_id, days in (("1", 9), ("2", 8), ("3", 0)):
        other.buy(order_id, ago=timedelta(days=days))
    assert other.enrolled() == []


def test_a_coupons_use_is_told_to_its_owner_once_for_each_order(world: World) -> None:
    trigger = {"type": "coupon_redeemed", "coupon": "ambassador"}
    world.activate(journey(mail(), trigger=trigger, reentry={"mode": "every_time"}))
    owner = world.add_contact("owner@shopper.example")
    now = world.clock.now()
    for code, name in (("DANA-1", "ambassador"), ("GIFT", "gift")):
        coupon = OwnedCoupon(
            code=code,
            store_id=world.store.id,
            contact_id=owner,
            enrolment=f"{owner}-x",
            journey="ambassador",
            step="give",
            name=name,
            at=now,
            ends_at=now + timedelta(days=30),
        )
        world.coupons.claim(coupon)
    for order_id in ("1", "2"):
        paid = world.order(order_id)
        paid = paid.model_copy(update={"properties": {**paid.properties, "coupons": ["dana-1", "GIFT", "other"]}})
        world.tell(paid, at(paid, paid.occurred_at))
        world.tell(paid)
    assert world.enrolled() == []
    world.contact = owner
    assert sorted(e.event["id"] for e in world.enrolled()) == [
        f"coupon_redeemed:{world.store.id}:{order_id}:DANA-1" for order_id in ("1", "2")
    ]
    (first,) = (e for e in world.enrolled() if e.event["properties"]["order_id"] == "1")
    assert first.event["properties"] == {
        "code": "DANA-1",
        "coupon": "ambassador",
        "journey": "ambassador",
        "step": "give",
        "order_id": "1",
    }
