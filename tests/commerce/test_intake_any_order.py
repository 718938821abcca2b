"""Any order of arrival, any number of repeats, many hands at once: always the same records."""

from __future__ import annotations

import random
import threading
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.commerce.change import Change
from chalicelib.storage.table import Table, create_table
from tests.commerce.shop import Shop, records, story
from tests.conftest import HandClock
from tests.memory_client import MemoryTables


def fresh(server: MemoryTables) -> Shop:
    name = f"agala-{uuid.uuid4().hex[:12]}"
    client = server.dynamodb()
    create_table(client, name)
    return Shop(Table(client, name), HandClock())


@pytest.fixture(scope="module")
def in_order(tables: MemoryTables) -> str:
    shop = fresh(tables)
    shop.tell(*story())
    return records(shop)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False))
def test_any_order_with_any_repeats_ends_in_the_same_records(
    tables: MemoryTables, in_order: str, chance: random.Random
) -> None:
    tellings: list[Change] = [change for change in story() for _ in range(chance.choice((1, 1, 2)))]
    chance.shuffle(tellings)
    shop = fresh(tables)
    shop.tell(*tellings)
    assert records(shop) == in_order


def test_many_hands_at_once_end_in_the_same_records(tables: MemoryTables, in_order: str) -> None:
    shop = fresh(tables)
    tellings = story() * 2
    random.Random(7).shuffle(tellings)
    failures: list[BaseException] = []

    def work(part: list[Change]) -> None:
        try:
            shop.tell(*part)
        except BaseException as problem:  # noqa: BLE001
            failures.append(problem)

    hands = [threading.Thread(target=work, args=(tellings[start::4],)) for start in range(4)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert not failures
    assert records(shop) == in_order
