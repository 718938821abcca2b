"""Several views, or several changed products, that begin one pass once they are over."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.commerce.event import Event
from chalicelib.contacts.ports import Writing
from chalicelib.contacts.profile import pointer_only
from chalicelib.errors import TryLater
from chalicelib.ids import new_id
from chalicelib.journeys.gathering import MOST_GATHERED, Gathering, added, begun, moved, told, united
from chalicelib.journeys.triggers import ViewTrigger
from chalicelib.storage.table import Table
from tests.conftest import HandClock
from tests.journeys.world import World, journey, mail, minutes

QUIET = {"type": "product_viewed", "quiet_hours": 2}


@pytest.fixture
def world(table: Table, clock: HandClock) -> World:
    return World(table, clock)


def view(world: World, event_id: str, ago: timedelta = timedelta(0), product: str = "11", **more: Any) -> Event:
    properties = {"product_id": product, "categories": ["5"], **more}
    return Event(id=event_id, type="product_viewed", occurred_at=world.clock.now() - ago, properties=properties)


def of_type(event: Event, type_: str) -> Event:
    return event.model_copy(update={"id": f"{type_}-{event.id}", "type": type_, "properties": {}})


def watching(world: World, mode: str = "every_time", **trigger: Any) -> None:
    world.activate(journey(mail(), trigger={**QUIET, **trigger}, reentry={"mode": mode}))


def after(world: World, **length: float) -> None:
    world.clock.advance(**length)
    world.run_errands()


def test_a_visits_views_make_one_pass_once_it_is_quiet(world: World) -> None:
    watching(world)
    world.sell(lifetime_days=None, product_id="12")
    first = view(world, "a", name="Green tea")
    world.tell(first)
    world.clock.advance(minutes=50)
    world.tell(view(world, "b", product="12", seconds=40))
    world.clock.advance(minutes=5)
    world.tell(view(world, "c"))
    world.clock.advance(minutes=55)
    world.tell(of_type(view(world, "d"), "page_viewed"))  # still there
    assert [len(world.errands_begun()), len(world.enrolled())] == [1, 0]
    after(world, minutes=119)
    assert world.enrolled() == []
    after(world, minutes=1)
    event = world.only().event
    assert (event["id"], event["type"]) == ("gathered:a", "product_viewed")
    assert event["occurred_at"] == "2026-11-22T01:50:00.000Z"
    assert event["properties"]["count"] == 3
    assert event["properties"]["product_id"] == "11"
    shown = [(item["product_id"], item["name"], item["times"]) for item in event["properties"]["items"]]
    assert shown == [("11", "Green tea", 2), ("12", "Tea", 1)], "told, or from the catalogue"
    assert len(world.recorded.started) == 2, "the errand, and the pass"


def test_the_same_events_again_and_what_comes_too_late_begin_nothing_more(world: World) -> None:
    watching(world)
    seen = [view(world, "a", ago=minutes(20)), view(world, "b", ago=minutes(10))]
    world.tell(*seen, *seen)
    after(world, hours=2)
    world.tell(*seen)
    late = view(world, "late", ago=minutes(70))
    world.tell(late)
    after(world, hours=3)
    assert world.only().event["properties"]["count"] == 2
    world.tell(view(world, "next day"))
    after(world, hours=2, minutes=5)
    assert [e.event["id"] for e in world.enrolled()] == ["gathered:a", "gathered:next day"]


def test_a_view_after_the_end_that_nobody_looked_at_yet_begins_the_next(world: World) -> None:
    watching(world)
    world.tell(view(world, "a"))
    world.clock.advance(hours=5)  # the machine that looks is out
    world.tell(view(world, "b"))
    assert world.only().event["occurred_at"] == "2026-11-22T00:00:00.000Z"
    after(world, hours=3)
    assert [e.event["properties"]["count"] for e in world.enrolled()] == [1, 1]


def test_where_and_the_journeys_state_are_looked_at_when_it_is_over(world: World) -> None:
    bought = {"where": {"not": {"purchased": {"within_days": 1}}}}
    watching(world, **bought)
    world.tell(view(world, "a"))
    world.order("1")
    after(world, hours=2)
    assert world.enrolled() == []
    watching_also = journey(mail(), trigger=QUIET, reentry={"mode": "once"})
    for name in ("paused", "stopped", "resumed"):
        world.activate(watching_also, name)
    world.tell(view(world, "b"))
    world.lifecycle.pause(world.store, "paused")
    world.lifecycle.stop(world.store, "stopped")
    world.lifecycle.pause(world.store, "resumed")
    world.lifecycle.resume(world.store, "resumed")
    after(world, hours=2)
    assert [e.journey for e in world.enrolled()] == ["resumed"]


@pytest.mark.parametrize("broken", ["start", "sent"])
def test_a_crash_between_the_record_and_the_errand_is_made_up_for(
    world: World, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    watching(world)
    event = view(world, "a")
    save = world.gatherings.save

    def crashing(contact_id: str, gathering: Gathering) -> Gathering:
        if gathering.sent:
            raise TryLater("killed")
        return save(contact_id, gathering)

    if broken == "start":
        world.recorded.fail = {"start"}
    else:
        monkeypatch.setattr(world.gatherings, "save", crashing)
    with pytest.raises(TryLater):
        world.tell(event)
    world.recorded.fail = set()
    monkeypatch.undo()
    world.tell(event)
    assert len(world.errands_begun()) == 1
    after(world, hours=2)
    after(world, hours=2)
    assert len(world.enrolled()) == 1


def test_a_crash_after_the_pass_began_begins_no_second(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    watching(world)
    world.tell(view(world, "a"))
    save = world.gatherings.save

    def crashing(contact_id: str, gathering: Gathering) -> Gathering:
        if gathering.over_at:
            raise TryLater("killed")
        return save(contact_id, gathering)

    monkeypatch.setattr(world.gatherings, "save", crashing)
    with pytest.raises(TryLater):
        after(world, hours=2)
    monkeypatch.undo()
    world.tell(view(world, "b", ago=minutes(10)))  # meanwhile something is heard of that visit
    after(world, hours=2)
    assert world.only().event["properties"]["count"] == 1


def test_a_merge_takes_what_was_gathered_along(world: World) -> None:
    watching(world)
    world.activate(journey(mail(), trigger=QUIET, reentry={"mode": "once"}), "other")
    loser, winner = world.contact, world.add_contact("older@shopper.example")
    world.tell(view(world, "a"))
    world.clock.advance(minutes=10)
    world.enroller.gatherer.hear(
        world.store, winner, [j for j in world.journeys.of_store(world.store.id) if j.id == "j"], [view(world, "b")]
    )
    gone = world.contacts.get(world.store.id, loser)
    assert gone
    world.contacts.write(world.store.id, [Writing(loser, contact=pointer_only(gone, winner))])
    world.contacts.move(world.store.id, loser, winner)
    world.contact = winner
    after(world, hours=2)
    assert sorted((e.journey, e.event["id"], e.event["properties"]["count"]) for e in world.enrolled()) == [
        ("j", "gathered:b", 2),
        ("other", "gathered:a", 1),
    ]


def test_a_visit_that_no_journey_gathers_costs_no_record(world: World) -> None:
    world.activate(journey(mail(), trigger={"type": "site_left", "quiet_hours": 4}, reentry={"mode": "once"}))
    world.tell(view(world, "a"))
    assert world.gatherings.get(world.store.id, world.contact, "j") is None
    world.tell(of_type(view(world, "a"), "site_left"))
    world.clock.advance(hours=3)
    world.tell(view(world, "b"))
    after(world, hours=3)
    assert world.enrolled() == []
    after(world, hours=1)
    assert world.only().event["properties"] == {"items": [], "count": 1}


def test_any_order_of_arrival_comes_to_the_same_record(clock: HandClock) -> None:
    trigger = ViewTrigger(type="product_viewed", quiet_hours=2)
    told_as = []
    seen = [
        Event(
            id=f"v{n}",
            type="product_viewed",
            occurred_at=clock.now() + timedelta(minutes=n),
            properties={"product_id": str(n % 3), "seconds": n, "image": "x" * 501},
        )
        for n in range(4)
    ]
    for sequence in itertools.permutations(seen):
        gathering = begun(None, "s", "j", sequence[0], clock.now())
        for event in (*sequence, *sequence):
            gathering = moved(added(gathering, event, clock.now()), event, clock.now())
        told_as.append(told(gathering, trigger).model_copy(update={"id": ""}))
    assert told_as[1:] == told_as[:1] * 23
    assert told_as[0].occurred_at == clock.now() + timedelta(minutes=123)
    assert told_as[0].properties["items"][0] == {"product_id": "0", "times": 2}
    many = begun(None, "s", "j", seen[0], clock.now())
    for n in range(2 * MOST_GATHERED):
        one = seen[1].model_copy(update={"id": new_id(clock.now()), "occurred_at": clock.now() + minutes(n)})
        many = added(many, one, clock.now())
    assert len(many.events) == MOST_GATHERED
    assert len(united(many, begun(None, "s", "j", seen[0], clock.now())).events) == MOST_GATHERED
