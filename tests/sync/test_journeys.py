"""History begins no journey; what is told live while it comes in begins its own when all is known."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.journeys.gallery import gallery
from local.bench.house import wait_then_mail
from local.bench.shop import FIRST_ORDER
from tests.sync.world import STORE, Make, World, one_page_a_call


def activate(world: World, journey: str, definition: dict[str, Any] | None = None) -> None:
    given = definition or next(one.definition for one in gallery() if one.id == journey)
    world.parts.lifecycle.save_draft(world.store, journey, given)
    world.parts.lifecycle.activate(world.store, journey)


def told(moment: datetime, email: str, number: int, world: World, **more: Any) -> dict[str, Any]:
    at = f"{moment:%Y-%m-%dT%H:%M:%S}"
    times: dict[str, Any] = {f"date_{what}_gmt": at for what in ("created", "modified", "paid")}
    times |= {"date_completed_gmt": None, "date_completed": None}
    said = {
        "billing": {"email": email, "country": "IL", "first_name": "נועה"},
        "customer_id": 0,
        "status": "processing",
    }
    return world.shop.order(number) | said | times | more


def begun(world: World, journey: str) -> list[str]:
    return [str(one.event["properties"]["order_id"]) for one in world.enrolments(journey)]


def test_a_year_of_orders_begins_nothing(make: Make) -> None:
    world = make(orders=40)
    for journey in ("thank-you-new", "repeat-purchase", "replenishment"):
        activate(world, journey)
    world.history()
    assert world.progress.parts[-1].done == 40
    assert [world.enrolments(one) for one in ("thank-you-new", "repeat-purchase", "replenishment")] == [[], [], []]


def test_orders_of_yesterday_begin_nothing_either(make: Make) -> None:
    """They are young enough for it: only that history told them keeps them from it."""
    world = make(orders=12)
    world.shop.until = world.clock.now() - timedelta(minutes=1)
    activate(world, "thank-you-new")
    activate(world, "after-purchase", wait_then_mail({"days": 3}))
    activate(world, "hello", wait_then_mail({"days": 3}) | {"trigger": {"type": "contact_created"}})
    orders = world.shop.shelves["orders"]
    orders.put = {
        one: told(world.clock.now() - timedelta(hours=3), f"buyer{one}@tea.example", one, world) for one in orders.ids()
    }
    world.history()
    assert world.progress.parts[-1].done == 12
    assert [world.enrolments(one) for one in ("thank-you-new", "after-purchase", "hello")] == [[], [], []]
    world.history()
    assert [world.enrolments(one) for one in ("thank-you-new", "after-purchase", "hello")] == [[], [], []]


@pytest.mark.parametrize("bought_before", [False, True])
def test_an_order_told_live_meanwhile_begins_its_journey_when_all_is_known(
    make: Make, monkeypatch: pytest.MonkeyPatch, bought_before: bool
) -> None:
    world = make(orders=24)
    one_page_a_call(monkeypatch)
    activate(world, "thank-you-new")
    orders = world.shop.shelves["orders"]
    if bought_before:  # at the end of the pull
        long_ago = world.clock.now() - timedelta(days=100)
        orders.put[FIRST_ORDER + 23] = told(long_ago, "noa@tea.example", FIRST_ORDER + 23, world)
    world.begin()
    world.work()
    world.clock.advance(minutes=1)
    live = told(world.clock.now(), "noa@tea.example", FIRST_ORDER + 500, world)
    world.hear("order.created", live)
    world.hear("order.updated", live)
    assert begun(world, "thank-you-new") == [], "nobody knows yet whether it is the first"
    world.run()
    expected = [] if bought_before else [str(FIRST_ORDER + 500)]
    assert begun(world, "thank-you-new") == expected
    assert not world.parts.sync_records.noted_contacts(STORE, 10)


def test_a_journey_that_asks_for_no_rank_does_not_wait(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    world = make(orders=24)
    one_page_a_call(monkeypatch)
    activate(world, "after-purchase", wait_then_mail({"days": 3}))
    world.begin()
    world.work()
    world.hear("order.created", told(world.clock.now(), "noa@tea.example", FIRST_ORDER + 500, world))
    assert begun(world, "after-purchase") == [str(FIRST_ORDER + 500)]
    world.run()
    assert begun(world, "after-purchase") == [str(FIRST_ORDER + 500)]


def test_an_order_that_history_was_quicker_to_tell_begins_its_journey_when_its_delivery_comes(make: Make) -> None:
    """A delivery waits for the shop's next visitor: minutes."""
    world = make(orders=6)
    activate(world, "thank-you-new")
    fresh = told(world.clock.now() - timedelta(seconds=5), "noa@tea.example", FIRST_ORDER + 5, world)
    world.shop.shelves["orders"].put[FIRST_ORDER + 5] = fresh
    world.history()
    assert begun(world, "thank-you-new") == []
    world.hear("order.created", fresh)
    assert begun(world, "thank-you-new") == [str(FIRST_ORDER + 5)]


def test_a_delivery_that_read_the_store_before_the_end_is_not_forgotten(make: Make) -> None:
    """It was under way while the history ended: it sees that, and looks itself."""
    world = make(orders=2)
    activate(world, "thank-you-new")
    world.parts.sync.history(world.store)
    before = world.store
    world.run()
    live = told(world.clock.now(), "noa@tea.example", FIRST_ORDER + 500, world)
    from chalicelib.store_adapters.base import Delivery
    from chalicelib.store_adapters.woocommerce import WooCommerce
    from tests.sync.world import _bytes

    delivery = Delivery(STORE, "woocommerce", {"x-wc-webhook-topic": "order.created"}, _bytes(live), world.clock.now())
    for change in WooCommerce().parse(delivery, before):
        world.parts.intake.apply(before, change, "delivery", world.clock.now())
    assert begun(world, "thank-you-new") == [str(FIRST_ORDER + 500)]


def test_a_live_order_is_ranked_among_those_of_the_past(make: Make) -> None:
    world = make(orders=6)
    activate(world, "thank-you-new")
    long_ago = world.clock.now() - timedelta(days=100)
    world.shop.shelves["orders"].put[FIRST_ORDER] = told(long_ago, "noa@tea.example", FIRST_ORDER, world)
    world.history()
    world.hear("order.created", told(world.clock.now(), "noa@tea.example", FIRST_ORDER + 500, world))
    assert begun(world, "thank-you-new") == []
    assert world.contact_of("noa@tea.example").orders_count == 2


def test_an_order_that_only_history_told_takes_no_other_ones_place(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journey that everybody enters once: by the live order, for the one of the past begins nothing."""
    world = make(orders=6)
    one_page_a_call(monkeypatch)
    definition = wait_then_mail({"days": 3}) | {"reentry": {"mode": "once"}}
    activate(world, "after-purchase", definition)
    hours_ago = world.clock.now() - timedelta(hours=5)
    world.shop.shelves["orders"].put[FIRST_ORDER] = told(hours_ago, "noa@tea.example", FIRST_ORDER, world)
    world.begin()
    world.work()
    world.hear("order.created", told(world.clock.now(), "noa@tea.example", FIRST_ORDER + 500, world))
    world.run()
    assert begun(world, "after-purchase") == [str(FIRST_ORDER + 500)]
    assert world.enrolments("after-purchase")[0].open
