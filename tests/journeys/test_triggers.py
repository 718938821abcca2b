"""What a trigger is about: its list, link, product, threshold; and which of two journeys a cart is for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter

from chalicelib.commerce.event import Event
from chalicelib.journeys.about import concerns
from chalicelib.journeys.triggers import Trigger
from chalicelib.storage.table import Table
from tests.conftest import HandClock
from tests.journeys.world import World, journey, mail, minutes, pause

READ: TypeAdapter[Trigger] = TypeAdapter(Trigger)


@pytest.fixture
def world(table: Table, clock: HandClock) -> World:
    return World(table, clock)


@pytest.mark.parametrize(
    ("trigger", "about", "not_about"),
    [
        ({"type": "segment_entered", "segment": "vip"}, {"segment": "vip"}, {"segment": "new"}),
        ({"type": "tag_added", "tag": "tea"}, {"tag": "tea"}, {}),
        ({"type": "subscribed", "channel": "sms"}, {"channel": "sms"}, {"channel": "email"}),
        ({"type": "unsubscribed"}, {"channel": "email"}, None),
        ({"type": "survey_answered", "form": "why"}, {"survey": "why", "answers": {}}, {"survey": "how"}),
        ({"type": "form_answered", "form": "why"}, {"form": "why"}, {"answers": {}}),
        (
            {"type": "message_clicked", "step": "a", "link": "https://x.example"},
            {"step": "a", "link": "https://x.example"},
            {"step": "a"},
        ),
        (
            {"type": "message_opened", "journey": "j", "channel": "email"},
            {"journey": "j", "channel": "email"},
            {"journey": "k", "channel": "email"},
        ),
        ({"type": "smart_link_clicked", "name": "share"}, {"name": "share"}, {"name": ["share"]}),
        ({"type": "product_published", "category": "7"}, {"categories": ["5", "7"]}, {"categories": ["5"]}),
        ({"type": "price_dropped", "at_least_percent": 10}, {"percent": 10}, {"percent": "much"}),
        (
            {"type": "threshold_reached", "of": "orders_count", "value": 3},
            {"of": "orders_count", "value": 3},
            {"of": "total_spent", "value": 3},
        ),
        ({"type": "coupon_redeemed", "coupon": "gift"}, {"coupon": "gift", "code": "X"}, {"coupon": "other"}),
        (
            {"type": "date_field", "field": "born", "days": 3},
            {"field": "born", "days": 3, "when": "before"},
            {"field": "born", "days": 3, "when": "after"},
        ),
        (
            {"type": "holiday", "holiday": "hanukkah"},
            {"holiday": "hanukkah", "days_before": 0},
            {"holiday": "hanukkah", "days_before": 1},
        ),
        (
            {"type": "inactivity", "of": ["order", "visit"], "days": 90},
            {"of": ["visit", "order"], "days": 90},
            {"of": ["visit"], "days": 90},
        ),
        ({"type": "journey_entered", "journey": "other"}, {"journey": "other"}, {"journey": "this"}),
    ],
)
def test_a_trigger_is_about_what_it_names(
    trigger: dict[str, Any], about: dict[str, Any], not_about: dict[str, Any] | None
) -> None:
    read = READ.validate_python(trigger)
    assert concerns(read, about)
    assert not_about is None or not concerns(read, not_about)


def left(world: World, type_: str, name: str = "1") -> Event:
    at = world.clock.now()
    properties = {"cart_token": name, "items": [], "checkout": True, "generation": 1}
    return Event(id=f"{type_}:{world.store.id}:{name}:1", type=type_, occurred_at=at, properties=properties)


def test_a_cart_left_at_the_checkout_is_written_about_once(world: World) -> None:
    for type_ in ("cart_abandoned", "checkout_abandoned", "checkout_started"):
        world.activate(
            journey(pause(), mail(), trigger={"type": type_}, reentry={"mode": "per_cart"}), type_.replace("_", "-")
        )
    both = [left(world, "cart_abandoned"), left(world, "checkout_abandoned")]
    world.tell(*both)
    world.tell(both[0])
    assert [e.journey for e in world.enrolled()] == ["checkout-abandoned"]
    world.tell(left(world, "cart_abandoned", "2"))
    world.tell(left(world, "checkout_abandoned", "2"))
    assert sorted(e.journey for e in world.enrolled()) == ["cart-abandoned", "checkout-abandoned"]


@pytest.mark.parametrize(("mode", "entered"), [("per_cart", 3), ("every_time", 3), ("once", 1), ("once_at_a_time", 1)])
def test_different_events_of_one_moment_from_many_sides(world: World, mode: str, entered: int) -> None:
    world.activate(journey(mail(), trigger={"type": "cart_abandoned"}, reentry={"mode": mode}))
    told = [left(world, "cart_abandoned", name) for name in ("a", "b", "c", "a", "b", "c")]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda event: world.tell(event), told))
    assert len(world.enrolled()) == entered
    assert len(world.recorded.started) == entered


def test_a_clock_that_is_ahead_and_events_of_last_year(world: World) -> None:
    world.activate(
        journey(pause(), mail(), trigger={"type": "api_event", "name": "called"}, reentry={"mode": "every_time"})
    )
    for name, ago in (("ahead", -minutes(10)), ("late", timedelta(hours=47)), ("last-year", timedelta(days=365))):
        world.tell(Event(id=name, type="called", occurred_at=world.clock.now() - ago))
    assert sorted(e.event["id"] for e in world.enrolled()) == ["ahead", "late"]
    for enrolment in world.enrolled():
        assert enrolment.due_at is not None
        assert enrolment.due_at <= world.clock.now() + timedelta(days=3), "a wait is counted from when we heard of it"
