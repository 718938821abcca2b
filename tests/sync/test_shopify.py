"""A Shopify shop's past and its nights: real records and journeys, a real client, a fake Shopify."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.clock import parse_rfc3339
from chalicelib.commerce.store import Connection, ConnectionStatus, FirstHistory, Platform, Store
from chalicelib.contacts.consent import Channel, ConsentStatus
from chalicelib.contacts.identity import EMAIL
from chalicelib.errors import TryLater
from chalicelib.handlers.api.sync import sync_shown
from chalicelib.journeys.gallery import gallery
from chalicelib.storage.table import Table
from chalicelib.store_adapters.base import Delivery
from chalicelib.store_adapters.shopify import Shopify
from chalicelib.sync import pull
from chalicelib.sync.progress import SyncMode, SyncProgress, SyncStatus
from local.bench.house import wait_then_mail
from tests.conftest import HandClock
from tests.shopify.fake import FakeShop, FakeShopify
from tests.store_adapters import shopify_records as like
from tests.sync.world import STORE, Parts, one_page_a_call

DOMAIN = "tea.myshopify.com"


class ShopifyParts(Parts):
    def __init__(self, table: Table, clock: HandClock, shopify: FakeShopify) -> None:
        super().__init__(table, clock)
        self._shopify = shopify

    def shopify_address(self, shop: str) -> str:
        return self._shopify.address(shop)


@dataclass
class World:
    parts: ShopifyParts
    shop: FakeShop
    clock: HandClock

    @property
    def store(self) -> Store:
        found = self.parts.stores.get(STORE)
        assert found is not None
        return found

    @property
    def progress(self) -> SyncProgress:
        found = self.parts.sync_records.get(STORE)
        assert found is not None
        return found

    def work(self) -> dict[str, Any]:
        started: dict[str, dict[str, Any]] = self.parts.workflows.started  # type: ignore[attr-defined]
        given = [one for name, one in started.items() if name.startswith("sync-")][-1]
        answer = self.parts.pull.work(given["store_id"], given["run"], given["execution"])
        if not answer["done"]:
            self.clock.time = max(self.clock.time, parse_rfc3339(str(answer["until"])))
        return answer

    def run(self) -> None:
        for _ in range(200):
            if self.work()["done"]:
                return
        raise AssertionError("it does not come to an end")

    def history(self) -> None:
        self.parts.sync.history(self.store)
        self.run()

    def nightly(self) -> dict[str, int]:
        self.parts.sync.nightly(self.store)
        self.run()
        assert self.progress.last_reconciliation is not None
        return self.progress.last_reconciliation.found

    def hear(self, topic: str, body: dict[str, Any]) -> None:
        """A webhook's delivery, applied as ingest does it."""
        delivery = Delivery(STORE, "shopify", {"x-shopify-topic": topic}, json.dumps(body).encode(), self.clock.now())
        for change in Shopify().parse(delivery, self.store):
            self.parts.intake.apply(self.store, change, "delivery", self.clock.now())

    def contact_of(self, email: str) -> Any:
        pointer = self.parts.contacts.pointers(STORE, [(EMAIL, email)])[(EMAIL, email)]
        return self.parts.contacts.get(STORE, pointer.contacts[0])

    def fill(self, orders: int) -> None:
        """Orders of the last weeks, a customer for each of the first three, a product in a collection."""
        placed, lately = self.clock.now() - timedelta(days=20), self.clock.now() - timedelta(days=1)
        for number in range(1, orders + 1):
            self.shop.orders.append(like.order(number, placed + timedelta(hours=number)))
        for number in range(1, 4):
            self.shop.customers.append(like.customer(number, f"shopper{number}@tea.example", lately))
        self.shop.products.append(like.product(12, placed))
        self.shop.collections.append(
            {
                "id": like.gid("Collection", 3),
                "title": "Green",
                "products": [self.shop.products[0]],
                "updatedAt": like.time(placed),
            }
        )


@pytest.fixture
def world(table: Table, clock: HandClock, shopify: FakeShopify, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(pull, "PAGE", 10)
    parts, now = ShopifyParts(table, clock, shopify), clock.now()
    shop = shopify.shop(DOMAIN)
    shop.currency = "EUR"
    parts.secrets.put_shopify_access(STORE, {"kind": "pasted", "access_token": shop.token})
    parts.stores.save(
        Store(
            id=STORE,
            platform=Platform.SHOPIFY,
            name="Tea",
            url="https://tea.example",
            country="IL",
            currency="EUR",
            timezone="Asia/Jerusalem",
            locale="he",
            created_at=now,
            connection=Connection(status=ConnectionStatus.CONNECTED, shop=DOMAIN, at=now, keys_at=now),
        )
    )
    return World(parts, shop, clock)


def test_everything_a_shop_has_comes_in(world: World) -> None:
    world.fill(25)
    world.history()
    progress = world.progress
    assert progress.status is SyncStatus.DONE
    assert progress.parts[0].found == len(world.shop.webhooks) > 20
    assert [(part.kind, part.done, part.total) for part in progress.parts[1:]] == [
        ("products", 1, 1),
        ("customers", 3, 3),
        ("orders", 25, 25),
    ]
    assert all(world.parts.orders.get(STORE, str(number)) for number in range(1, 26))
    assert world.store.first_history is FirstHistory.DONE
    record = world.parts.products.get(STORE, "12")
    assert record is not None and record.current is not None
    assert "3" in [category.id for category in record.current.categories]
    contact = world.contact_of("shopper1@tea.example")
    assert contact.orders_count == 1
    assert contact.consent_for(Channel.SMS).status is ConsentStatus.UNSUBSCRIBED


def test_a_shop_that_takes_its_time_is_no_trouble(world: World) -> None:
    world.fill(3)
    world.shop.bulk_states = ["RUNNING", "RUNNING", "COMPLETED"]
    world.parts.sync.history(world.store)
    statuses, began = set(), world.clock.now()
    while not world.work()["done"]:
        statuses.add((world.progress.status, world.progress.trouble))
    assert statuses == {(SyncStatus.RUNNING, None)}
    assert timedelta(seconds=20) < world.clock.now() - began < timedelta(minutes=2)
    assert [part.prepared for part in sync_shown(world.progress).parts] == [None, 0, 0, 0]


def test_a_crash_after_any_page_loses_nothing_and_costs_that_page(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.fill(35)
    world.shop.bulk_at_once = 5
    world.parts.sync.history(world.store)
    one_page_a_call(monkeypatch)
    save, saves = world.parts.sync_records.save, iter(range(1, 10_000))

    def falls_over(progress: Any) -> Any:
        if next(saves) % 3 == 0:
            raise TryLater("the table is out")
        return save(progress)

    monkeypatch.setattr(world.parts.sync_records, "save", falls_over)
    crashes = 0
    for _ in range(60):
        try:
            if world.work()["done"]:
                break
        except TryLater:
            crashes += 1
            world.clock.advance(seconds=5)
    assert crashes > 3
    assert [part.done for part in world.progress.parts[1:]] == [1, 3, 35]
    assert all(world.parts.orders.get(STORE, str(number)) for number in range(1, 36))


def test_history_begins_no_journey(world: World) -> None:
    for journey, definition in (
        ("thank-you-new", None),
        ("after-purchase", wait_then_mail({"days": 3})),
        ("hello", wait_then_mail({"days": 3}) | {"trigger": {"type": "contact_created"}}),
    ):
        given = definition or next(one.definition for one in gallery() if one.id == journey)
        world.parts.lifecycle.save_draft(world.store, journey, given)
        world.parts.lifecycle.activate(world.store, journey)
    yesterday = world.clock.now() - timedelta(hours=3)
    world.shop.orders += [like.order(number, yesterday) for number in range(1, 6)]
    world.shop.customers += [like.customer(number, f"shopper{number}@tea.example", yesterday) for number in (1, 2)]
    world.history()
    assert world.progress.parts[-1].done == 5
    for journey in ("thank-you-new", "after-purchase", "hello"):
        assert list(world.parts.enrolments.all_of_journey(STORE, journey)) == []


def test_a_night_finds_what_no_webhook_told(world: World) -> None:
    world.fill(5)
    world.history()
    world.clock.advance(hours=20)
    lost, heard = world.clock.now() - timedelta(hours=5), world.clock.now() - timedelta(hours=6)
    world.shop.orders += [like.order(70, heard), like.order(71, lost)]
    world.hear("orders/create", like.order_told(70, heard))
    world.shop.orders[0] |= {"displayFinancialStatus": "REFUNDED", "updatedAt": like.time(lost)}
    world.shop.customers[0] |= _unsubscribed("shopper1@tea.example", lost)
    world.shop.customers[1] |= {"updatedAt": like.time(lost)}
    world.shop.products[0] |= {"title": "Better tea", "updatedAt": like.time(lost)}
    asked = len(world.shop.asked)
    assert world.nightly() == {"orders": 2, "customers": 1, "products": 3}
    assert not any(one.name == "BulkRun" for one in world.shop.asked[asked:])
    assert world.progress.mode is SyncMode.RECONCILE
    assert world.progress.parts[-1].heard == 1
    assert world.contact_of("shopper1@tea.example").consent_for(Channel.EMAIL).status is ConsentStatus.UNSUBSCRIBED
    world.clock.advance(hours=24)
    assert world.nightly() == {"orders": 0, "customers": 0, "products": 0}


def _unsubscribed(email: str, at: datetime) -> dict[str, Any]:
    told = {"emailAddress": email, "marketingState": "UNSUBSCRIBED", "marketingUpdatedAt": like.time(at)}
    return {"defaultEmailAddress": told, "updatedAt": like.time(at)}


def test_an_order_that_a_night_finds_begins_its_journey(world: World) -> None:
    """It is told as if its webhook had come."""
    world.history()
    world.parts.lifecycle.save_draft(world.store, "after-purchase", wait_then_mail({"days": 3}))
    world.parts.lifecycle.activate(world.store, "after-purchase")
    world.clock.advance(hours=20)
    world.shop.orders.append(like.order(71, world.clock.now() - timedelta(hours=5)))
    world.nightly()
    assert len(list(world.parts.enrolments.all_of_journey(STORE, "after-purchase"))) == 1


def test_what_a_missing_scope_keeps_from_us_is_named_and_passes(world: World) -> None:
    world.fill(2)
    world.shop.scopes.remove("read_customers")
    world.parts.sync.history(world.store)
    while world.progress.trouble is None:
        world.work()
    assert world.progress.status is SyncStatus.WAITING
    assert "customers" in world.progress.trouble.words
    assert [part.over for part in world.progress.parts] == [True, True, False, False]
    world.shop.scopes.append("read_customers")
    world.run()
    assert world.progress.status is SyncStatus.DONE
    assert world.progress.trouble is None


def test_what_the_owner_should_know_is_shown(world: World) -> None:
    world.shop.deprecated = "this version"
    world.history()
    [notice] = sync_shown(world.progress).notices
    assert "deprecated" in notice
    world.shop.deprecated = None
    world.clock.advance(hours=24)
    world.nightly()
    assert sync_shown(world.progress).notices == []


def test_points_that_run_out_are_no_trouble(world: World) -> None:
    world.history()
    world.clock.advance(hours=20)
    placed = world.clock.now() - timedelta(hours=9)
    world.shop.orders += [like.order(number, placed + timedelta(minutes=number)) for number in range(1, 40)]
    world.parts.sync.nightly(world.store)
    troubles = []
    while not world.work()["done"]:
        troubles.append(world.progress.trouble)
    assert set(troubles) == {None}
    assert world.progress.last_reconciliation is not None
    assert world.progress.last_reconciliation.found["orders"] == 39


def test_a_night_finds_what_was_taken_out_of_a_collection(world: World) -> None:
    """Neither the product nor any webhook says so."""
    world.fill(0)
    world.shop.products.append(like.product(13, world.clock.now() - timedelta(days=20)))
    world.history()
    world.clock.advance(hours=20)
    moved = like.time(world.clock.now() - timedelta(hours=5))
    world.shop.collections[0] |= {"products": [world.shop.products[1]], "updatedAt": moved}
    assert world.nightly()["products"] == 6
    assert {one: _collections(world, one) for one in ("12", "13", "131")} == {"12": [], "13": ["3"], "131": ["3"]}
    world.clock.advance(hours=24)
    assert world.nightly()["products"] == 0


def _collections(world: World, external_id: str) -> list[str]:
    record = world.parts.products.get(STORE, external_id)
    assert record is not None
    return [one.id for one in record.collections]
