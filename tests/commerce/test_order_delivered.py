"""An order's delivery, told by its parcels or with itself, in any order: one event, at the earliest time told."""

from __future__ import annotations

import random
import uuid

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from chalicelib.commerce.change import Change, ErasureAsked, OrderDeleted, OrderDelivered
from chalicelib.commerce.event import Event
from chalicelib.contacts.person import Person
from chalicelib.storage.table import Table, create_table
from tests.commerce.shop import DAN, NOA, START, STORE, S, Shop, day, line, order, records, version
from tests.conftest import HandClock
from tests.memory_client import MemoryTables

PAID = order("101", 1, S.PAID, NOA, paid=1)
SENT = order("101", 4, S.COMPLETED, NOA, paid=1, items=(line("1", 5000), line("2", 3000)))
TOLD_WITH_IT = order("101", 6, S.COMPLETED, NOA, paid=1, delivered_at=day(5.5))
CAME, CAME_TOO = OrderDelivered("101", day(5)), OrderDelivered("101", day(7))


@pytest.fixture
def shop(table: Table) -> Shop:
    return Shop(table, HandClock(START))


def deliveries(shop: Shop, email: str = "noa@mail.test") -> list[Event]:
    contact = shop.contacts.find("shop", "email", email)
    assert contact is not None
    return [e for e in shop.timeline.of_contact("shop", contact.id, limit=100) if e.type == "order_delivered"]


def heard(shop: Shop) -> list[str]:
    return [event.id for _, event in shop.heard.events if event.type == "order_delivered"]


def test_a_parcel_that_came_is_an_event_of_its_order(shop: Shop) -> None:
    shop.tell(PAID, SENT)
    assert deliveries(shop) == []
    shop.tell(CAME)
    (event,) = deliveries(shop)
    assert (event.id, event.occurred_at) == ("order_delivered:shop:101", day(5))
    assert event.properties["nth"] == 1
    assert [item["product_id"] for item in event.properties["items"]] == ["1", "2"]
    record = shop.orders.get("shop", "101")
    assert record is not None and record.delivered_at == day(5)
    assert heard(shop) == ["order_delivered:shop:101"]


def test_a_parcel_may_be_told_before_its_order(shop: Shop) -> None:
    shop.tell(CAME)
    assert heard(shop) == []
    shop.tell(PAID)
    assert [event.occurred_at for event in deliveries(shop)] == [day(5)]
    assert heard(shop) == ["order_delivered:shop:101"]


def test_the_earliest_time_told_wins_and_the_event_stays_one(shop: Shop) -> None:
    shop.tell(PAID, CAME_TOO, TOLD_WITH_IT, CAME, CAME_TOO)
    assert [event.occurred_at for event in deliveries(shop)] == [day(5)]
    assert set(heard(shop)) == {"order_delivered:shop:101"}


def test_the_delivery_of_an_order_of_nobody_waits_for_its_buyer(shop: Shop) -> None:
    shop.tell(order("107", 1, S.PAID, Person(), paid=1), OrderDelivered("107", day(5)))
    assert heard(shop) == []
    shop.tell(order("107", 6, S.PAID, DAN, paid=1))
    assert [event.id for event in deliveries(shop, "dan@mail.test")] == ["order_delivered:shop:107"]


def test_it_goes_along_when_the_order_turns_out_to_be_anothers(shop: Shop) -> None:
    shop.tell(PAID, CAME, order("101", 8, S.PAID, DAN, paid=1))
    assert deliveries(shop) == []
    assert [event.occurred_at for event in deliveries(shop, "dan@mail.test")] == [day(5)]


def test_nobody_hears_of_a_deleted_order_or_of_an_erased_person(shop: Shop) -> None:
    shop.tell(PAID, OrderDeleted("101", version(2, 99)), CAME)
    assert heard(shop) == []
    shop.tell(order("102", 1, S.PAID, DAN, paid=1), ErasureAsked(None, "dan@mail.test"))
    applied = shop.intake.apply(STORE, OrderDelivered("102", day(5)), None, START)
    assert heard(shop) == []
    assert applied.erased
    record = shop.orders.get("shop", "102")
    assert record is not None and record.delivered_at == day(5)


def test_the_text_of_a_parcel_is_not_kept(shop: Shop) -> None:
    assert shop.intake.apply(STORE, CAME, None, START).erased
    shop.tell(PAID)
    assert shop.intake.apply(STORE, CAME, None, START).erased


def everything(server: MemoryTables, tellings: list[Change]) -> str:
    name = f"agala-{uuid.uuid4().hex[:12]}"
    client = server.dynamodb()
    create_table(client, name)
    shop = Shop(Table(client, name), HandClock(START))
    shop.tell(*tellings)
    return records(shop) + "".join(event.model_dump_json() for event in deliveries(shop))


STORY: list[Change] = [PAID, SENT, TOLD_WITH_IT, CAME, CAME_TOO, order("103", 2, S.PAID, NOA, placed=0.5, paid=0.5)]


@pytest.fixture(scope="module")
def in_order(tables: MemoryTables) -> str:
    return everything(tables, STORY)


@settings(max_examples=25, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False))
def test_any_order_and_any_number_of_tellings_end_the_same(
    tables: MemoryTables, in_order: str, chance: random.Random
) -> None:
    tellings = [one for one in STORY for _ in range(chance.choice((1, 1, 2)))]
    chance.shuffle(tellings)
    assert everything(tables, tellings) == in_order
