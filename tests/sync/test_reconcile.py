"""The nightly look: what no webhook told is found, told as if it had been, and shown."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from chalicelib.handlers.nightly import nightly
from chalicelib.sync.progress import SyncMode, SyncStatus
from local.bench.shop import FIRST_ORDER, FIRST_VARIATION
from local.demo.shop import GREEN
from local.demo.woocommerce import product_told
from tests.sync.test_journeys import activate, begun, told
from tests.sync.world import STORE, Make, World

SCHEDULED = {
    "version": "0",
    "account": "000000000000",
    "region": "eu-west-1",
    "detail": {},
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "time": "2026-11-22T02:00:00Z",
    "id": "1",
    "resources": [],
}


def known(make: Make, orders: int = 6) -> World:
    world = make(orders=orders)
    activate(world, "thank-you-new")
    world.history()
    world.clock.advance(hours=20)
    return world


def lost(world: World, number: int = FIRST_ORDER + 100, email: str = "noa@tea.example") -> dict[str, object]:
    """An order of three hours ago that no webhook tells."""
    order = told(world.clock.now() - timedelta(hours=3), email, number, world)
    world.shop.shelves["orders"].put[number] = order
    return order


def last(world: World) -> tuple[dict[str, int], int]:
    found = world.progress.last_reconciliation
    assert found is not None
    return found.found, found.webhooks_mended


def test_a_lost_order_is_found_and_begins_its_journey(make: Make) -> None:
    world = known(make)
    lost(world)
    world.nightly()
    assert world.progress.mode is SyncMode.RECONCILE
    assert world.progress.status is SyncStatus.DONE
    assert begun(world, "thank-you-new") == [str(FIRST_ORDER + 100)]
    assert last(world) == ({"products": 0, "customers": 0, "orders": 1}, 0)
    assert len([one for one in world.shop.asked if one == "GET orders"]) < 5


def test_what_history_told_begins_nothing_when_it_is_looked_at_again(make: Make) -> None:
    """The look overlaps with the pull before it."""
    world = make(orders=3)
    activate(world, "thank-you-new")
    orders = world.shop.shelves["orders"]
    for one in list(orders.ids()):
        orders.put[one] = told(world.clock.now() - timedelta(minutes=4), f"buyer{one}@tea.example", one, world)
    world.history()
    world.clock.advance(hours=20)
    world.nightly()
    assert begun(world, "thank-you-new") == []
    assert last(world)[0]["orders"] == 0


def test_an_old_order_that_was_lost_begins_nothing(make: Make) -> None:
    world = known(make)
    lost(world)
    world.clock.advance(hours=47)
    world.nightly()
    assert last(world)[0]["orders"] == 1
    assert begun(world, "thank-you-new") == []


def test_what_a_webhook_told_is_no_news(make: Make) -> None:
    world = known(make)
    world.hear("order.created", lost(world))
    world.nightly()
    world.clock.advance(hours=24)
    world.nightly()
    assert last(world)[0]["orders"] == 0
    assert len(begun(world, "thank-you-new")) == 1


def test_an_order_that_a_webhook_may_still_tell_is_applied_and_not_called_lost(make: Make) -> None:
    world = known(make)
    order = told(world.clock.now() - timedelta(minutes=2), "noa@tea.example", FIRST_ORDER + 100, world)
    world.shop.shelves["orders"].put[FIRST_ORDER + 100] = order
    world.nightly()
    assert last(world)[0]["orders"] == 0
    assert len(begun(world, "thank-you-new")) == 1


def test_changed_products_and_new_customers_are_found(make: Make) -> None:
    world = known(make, orders=40)
    at = world.clock.now() - timedelta(hours=2)
    world.shop.shelves["products"].put[GREEN.id] = product_told(GREEN, at, "") | {"stock_status": "outofstock"}
    customers = world.shop.shelves["customers"]
    new = max(customers.ids()) + 1
    said = {"id": new, "email": "new@tea.example", "billing": {}}
    moment = f"{at:%Y-%m-%dT%H:%M:%S}"
    customers.put[new] = world.shop._customer(new) | said | {"date_modified_gmt": moment, "date_created_gmt": moment}
    world.nightly()
    assert last(world)[0] == {"products": 1, "customers": 1, "orders": 0}
    green = world.parts.products.get(STORE, str(GREEN.id))
    assert green is not None and green.product is not None and not green.product.in_stock
    assert world.contact_of("new@tea.example").external_ids == (str(new),)
    asked = [one for one in world.shop.asked if one == "GET customers"]
    assert len(asked) <= 3, "the customers that were read before are not read again"


def test_variations_of_a_changed_product_are_looked_at(make: Make) -> None:
    world = known(make)
    at = world.clock.now() - timedelta(hours=2)
    moment = f"{at:%Y-%m-%dT%H:%M:%S}"
    variable, variations = (world.shop.shelves[name] for name in ("products", "products/150/variations"))
    variable.put[150] = world.shop._variable(150) | {"date_modified_gmt": moment}
    sold_out = {"date_modified_gmt": moment, "stock_status": "outofstock"}
    variations.put[FIRST_VARIATION] = world.shop._variation(FIRST_VARIATION) | sold_out
    world.nightly()
    assert last(world)[0]["products"] == 2
    found = world.parts.products.get(STORE, str(FIRST_VARIATION))
    assert found is not None and found.product is not None and not found.product.in_stock


def test_webhooks_that_were_switched_off_or_deleted_are_put_right(make: Make) -> None:
    world = known(make)
    webhooks = world.shop.shelves["webhooks"]
    webhooks.put[1]["status"] = "disabled"
    del webhooks.put[2]
    world.nightly()
    assert last(world)[1] == 2
    assert [one["status"] for one in webhooks.put.values()] == ["active"] * 11
    world.clock.advance(hours=24)
    world.nightly()
    assert last(world)[1] == 0


def test_a_shop_gone_quiet_is_reported_until_it_is_heard_again(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    world = known(make)
    first = world.clock.now() - timedelta(hours=3)
    lost(world)
    with caplog.at_level(logging.WARNING):
        world.nightly()
    assert "quiet" in caplog.text
    quiet = []
    for n in range(3):
        world.clock.advance(hours=24)
        if n == 2:
            world.hear("order.created", lost(world, FIRST_ORDER + 200, "dan@tea.example"))
        world.nightly()
        assert world.progress.last_reconciliation is not None
        quiet.append(world.progress.last_reconciliation.quiet_since)
    assert quiet == [first, first, None], "a day without orders says nothing"


def test_what_history_told_was_not_heard(make: Make) -> None:
    """The look overlaps with the pull before it: that order is known, and yet no webhook ever came."""
    world = make(orders=3)
    pulled = told(world.clock.now() - timedelta(minutes=4), "dan@tea.example", FIRST_ORDER + 1, world)
    world.shop.shelves["orders"].put[FIRST_ORDER + 1] = pulled
    world.history()
    world.clock.advance(hours=20)
    lost(world)
    world.nightly()
    assert world.progress.last_reconciliation is not None
    assert world.progress.last_reconciliation.quiet_since == world.clock.now() - timedelta(hours=3)


def test_a_shop_in_trouble_is_looked_at_later_and_nothing_is_passed_over(make: Make) -> None:
    from local.bench.shop import Mood

    world = known(make)
    lost(world)
    world.shop.mood = Mood(status=503, only="orders")
    world.parts.sync.nightly(world.store)
    world.work()
    assert world.progress.status is SyncStatus.WAITING
    world.clock.advance(hours=24)
    world.shop.mood = Mood()
    world.nightly()
    assert last(world)[0]["orders"] == 1


def test_every_connected_store_has_its_look(make: Make) -> None:
    from chalicelib import wiring

    world = known(make)
    wiring.use(world.parts)
    try:
        other = world.store.model_copy(update={"id": "01jstorestorestorestore00b", "connection": None, "rev": 0})
        world.parts.stores.save(other)
        before = set(world.started)
        assert nightly(SCHEDULED, None) == {"started": 1, "failed": 0}
        assert len(set(world.started) - before) == 1
    finally:
        wiring.use(None)


def test_a_history_that_is_not_over_is_seen_to_instead(make: Make) -> None:
    world = make(orders=3)
    world.parts.sync.nightly(world.store)
    assert world.progress.mode is SyncMode.HISTORY
    world.clock.advance(hours=24)
    world.nightly()
    assert world.progress.mode is SyncMode.HISTORY
    assert world.progress.parts[-1].done == 3
