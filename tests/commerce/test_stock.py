"""Stock told with the product and place by place: a function of what was told, never of its order."""

from __future__ import annotations

import random
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.commerce.change import StockTold
from chalicelib.commerce.ports import ProductRecord
from chalicelib.commerce.product import Product
from chalicelib.commerce.product_intake import with_product
from chalicelib.commerce.snapshot import Version
from chalicelib.commerce.stock import TELLINGS_KEPT, Level, kept, level_key, returns, with_levels
from chalicelib.storage.table import Table
from tests.commerce.shop import START, STORE, Shop
from tests.conftest import HandClock

MINUTE = timedelta(minutes=1)


def told(minute: float, count: int | None, **more: Any) -> Product:
    """What the store says of the product at this minute: so many in all places, or that nobody counts."""
    version = Version(modified_at=START + minute * MINUTE, body_hash=f"p{count}-{more}")
    there = count is None or count > 0 or bool(more.get("keeps_selling"))
    return Product(
        external_id="1", version=version, name="Tea", in_stock=there, stock=count, **{"inventory_item": "i1", **more}
    )


def level(minute: float, count: int | None, place: str = "here", gone: bool = False, item: str = "i1") -> StockTold:
    version = Version(modified_at=START + minute * MINUTE, body_hash=f"l{count}-{gone}")
    return StockTold(item, Level(place=place, count=count, gone=gone), version)


def record_of(*tellings: Product | StockTold) -> ProductRecord:
    record = ProductRecord(store_id="shop", external_id="1")
    for telling in tellings:
        if isinstance(telling, Product):
            record = with_product(record, telling)
        else:
            record = with_levels(record, {level_key(telling.version, telling.level.place): telling.level})
    return record


def shows(record: ProductRecord) -> tuple[bool, int | None]:
    assert record.current
    return record.current.in_stock, record.current.stock


def returned(record: ProductRecord) -> list[float]:
    """At which minutes it came back."""
    fresh, _ = returns(None, record)
    return [(event.occurred_at - START) / MINUTE for event in fresh]


@pytest.mark.parametrize(
    ("tellings", "expected"),
    [
        ([told(0, 5)], (True, 5)),
        ([told(0, 0)], (False, 0)),
        ([told(0, -3)], (False, 0)),
        ([told(0, 5), level(1, 0)], (False, 0)),
        ([told(0, 0), level(1, 7)], (True, 7)),
        ([level(1, 7), told(2, 0)], (False, 0)),  # the product's own telling is newer
        ([level(2, 7), told(2, 0)], (False, 0)),  # of one instant the product's telling holds: it is of all places
        ([told(0, 5), level(1, -2)], (False, 0)),  # oversold
        ([told(0, -2), level(1, 1)], (True, 1)),
        ([told(0, 0, keeps_selling=True), level(1, -2)], (True, 0)),
        ([told(0, None), level(1, 0)], (True, None)),  # nobody counts it
        ([told(0, 5), level(1, None)], (True, None)),  # a place that tells no number
        ([told(0, 5), level(0, 2), level(0, 3, "there"), level(1, 0)], (True, 3)),
        ([told(0, 5), level(0, 2), level(0, 3, "there"), level(1, 0), level(2, 0, "there")], (False, 0)),
        ([told(0, 5), level(0, 2), level(0, 3, "there"), level(1, 3), level(2, -4, "there")], (False, 0)),
        ([told(0, 5), level(0, 2), level(0, 3, "there"), level(1, None, "there", gone=True)], (True, 2)),
        ([told(0, 5), level(0, 2), level(1, 0)], (True, None)),  # three are somewhere else
        ([told(0, 5, locations=2), level(1, 0)], (True, None)),
        ([told(0, 5, locations=1), level(0, 2), level(1, 0)], (False, 0)),
        ([told(0, 5, locations=2), level(1, 0), level(1, 0, "there")], (False, 0)),
        ([told(0, 0, locations=2), level(1, 0)], (False, None)),  # the product says it, not the one place
        ([told(0, 0, locations=2), level(1, 4)], (True, None)),
        ([told(0, 5, locations=2), told(1, 4), level(2, 0)], (True, None)),  # a webhook does not say how many places
        ([told(0, 5), level(0, 5), told(1, 0), level(2, 0, "there")], (False, 0)),  # "here" missed a change
        ([told(0, 5), level(1, None, gone=True)], (True, None)),  # nothing is kept nowhere
    ],
)
def test_what_a_product_shows_whatever_comes_first(
    tellings: list[Product | StockTold], expected: tuple[bool, int | None]
) -> None:
    for order in permutations(tellings):
        assert shows(record_of(*order)) == expected, order


def test_one_empty_shelf_is_no_sell_out_when_the_same_change_says_there_are_more() -> None:
    """The level comes first; the product's telling of the same sale says that the other shop has four."""
    alone = record_of(told(0, 5), level(10, 0))
    after = record_of(told(0, 5), level(10, 0), told(10, 4))
    assert shows(after) == (True, 4)
    assert (returned(after), after.sold_out_by, returns(alone, after)) == ([], "", ([], []))


def test_a_later_count_does_not_undo_that_it_was_sold_out() -> None:
    assert returned(record_of(told(0, 5), level(10, 0), told(60, 7))) == [60]
    assert returned(record_of(told(0, 5), level(10, 0), told(60, 7), level(60.02, 7))) == [60]


@pytest.mark.parametrize(
    ("tellings", "minutes"),
    [
        ([told(0, 5), level(1, 0), level(9, 7)], [9]),
        ([told(0, 5), level(1, 0), told(1, 0), level(9, 7), told(9, 7), level(11, 6), told(11, 6)], [9]),
        ([told(0, 0), told(9.02, 7), level(9, 7)], [9]),
        ([told(0, 5), level(1, 0), level(5, 2), level(6, 0), level(9, 7)], [5, 9]),
        ([told(0, 5), level(0, 2), level(0, 3, "there"), level(1, 0), level(2, 2)], []),  # never sold out
        ([told(0, 0, keeps_selling=True), level(1, 0), level(2, 2)], []),
        ([told(0, 5), level(1, 0), level(2, -1), level(3, 0), level(4, 1)], [4]),
    ],
)
def test_one_event_for_each_return_at_the_time_that_the_store_tells(
    tellings: list[Product | StockTold], minutes: list[float]
) -> None:
    orders = permutations(tellings) if len(tellings) < 6 else [tellings, tellings[::-1]]
    for order in orders:
        record = record_of(*order)
        assert returned(record) == minutes
        assert (record.back_by != "") is bool(minutes)


any_telling = st.one_of(
    st.builds(
        told,
        st.integers(0, 30),
        st.none() | st.integers(-2, 5),
        keeps_selling=st.booleans(),
        locations=st.none() | st.integers(1, 2),
    ),
    st.builds(level, st.integers(0, 30), st.none() | st.integers(-2, 5), st.sampled_from("abc"), st.booleans()),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(any_telling, max_size=TELLINGS_KEPT), st.randoms(use_true_random=False))
def test_any_order_and_any_repeats_end_in_the_same_record(
    tellings: list[Product | StockTold], chance: random.Random
) -> None:
    shuffled = [one for one in tellings for _ in range(chance.choice((1, 1, 2)))]
    chance.shuffle(shuffled)
    assert record_of(*shuffled) == record_of(*tellings)


@settings(max_examples=50, deadline=None)
@given(st.lists(any_telling, max_size=40), st.randoms(use_true_random=False))
def test_what_is_kept_of_many_tellings_does_not_depend_on_their_order(
    tellings: list[Product | StockTold], chance: random.Random
) -> None:
    shuffled = [*tellings, *tellings[:3]]
    chance.shuffle(shuffled)
    one, other = record_of(*tellings), record_of(*shuffled)
    told_of_one = (one.stock_told, one.stock_before, one.in_stock_now, one.stock_now)
    assert told_of_one == (other.stock_told, other.stock_before, other.in_stock_now, other.stock_now)
    newest, before = kept({**one.stock_before, **one.stock_told})
    assert (newest, before) == (one.stock_told, one.stock_before)
    assert len(newest) <= TELLINGS_KEPT
    assert len(before) <= 5  # three places, the product, and who said how many places


@settings(max_examples=50, deadline=None)
@given(st.lists(any_telling, max_size=TELLINGS_KEPT), st.randoms(use_true_random=False))
def test_events_told_one_by_one_are_those_of_the_whole(
    tellings: list[Product | StockTold], chance: random.Random
) -> None:
    """What each step says happened and happened not adds up to what all the tellings together say."""
    chance.shuffle(tellings)
    record, events = ProductRecord(store_id="shop", external_id="1"), dict[str, Any]()
    for telling in tellings:
        before = record
        if isinstance(telling, Product):
            record = with_product(record, telling)
        else:
            record = with_levels(record, {level_key(telling.version, telling.level.place): telling.level})
        fresh, gone = returns(before, record)
        for event in gone:
            events.pop(event.id, None)
        events |= {event.id: event for event in fresh}
    assert sorted(events) == sorted(event.id for event in returns(None, record)[0])


def body(minute: float, counts: Mapping[str, int]) -> list[Product]:
    """One telling of tea 1 with its variants, as the adapter gives it: the variants, then the product."""
    variants = [
        told(minute, count, inventory_item=f"i{number}").model_copy(update={"external_id": number, "parent_id": "1"})
        for number, count in counts.items()
    ]
    tea = told(minute, sum(max(0, one) for one in counts.values()), inventory_item=None)
    return [*variants, tea.model_copy(update={"variants": tuple(counts)})]


STORY: list[list[Any]] = [
    body(0, {"11": 2, "12": 3}),
    [level(10, 0, item="i11")],
    [level(20, 0, item="i12")],  # now all of it is sold out
    [level(30, 4, item="i12")],  # and back
    body(40, {"11": 0, "12": 4}),
    [level(50, 6, item="i11")],
    [level(60, 0, item="i12")],
]


def records(shop: Shop, store_id: str = "shop") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number in ("1", "11", "12"):
        record = shop.products.get(store_id, number)
        assert record
        found[number] = record.model_dump(mode="json", exclude={"rev"})
        found[f"returns of {number}"] = [event.id for event in shop.products.events(store_id, number)]
    for number in ("i11", "i12"):
        item = shop.products.stock_item(store_id, number)
        found[number] = item and item.model_dump(mode="json", exclude={"rev"})
    return found


def test_a_product_is_there_while_one_of_its_variants_is(table: Table, clock: HandClock) -> None:
    shop = Shop(table, clock)
    seen = []
    for part in STORY:
        shop.tell(*part)
        record = shop.products.get("shop", "1")
        assert record
        seen.append(shows(record))
    assert seen == [(True, 5), (True, 3), (False, 0), (True, 4), (True, 4), (True, 10), (True, 6)]
    (back,) = shop.products.events("shop", "1")
    assert (back.occurred_at, back.properties["product_id"]) == (START + 30 * MINUTE, "1")
    (small,) = shop.products.events("shop", "11")
    assert (small.occurred_at, small.properties) == (
        START + 50 * MINUTE,
        {"product_id": "1", "variation_id": "11"},
    )


@pytest.mark.parametrize(
    "parts",
    [
        [body(0, {"11": 2, "12": 3}), [level(20, 0, item="i12")], body(10, {"11": 0, "12": 3})],
        [[level(20, 0, item="i11")], body(0, {"11": 2, "12": 0})],
    ],
    ids=["a late telling", "a level that waited"],
)
def test_a_product_follows_its_variants_however_late_it_is_told(
    table: Table, clock: HandClock, parts: list[list[Any]]
) -> None:
    shop = Shop(table, clock)
    for part in parts:
        shop.tell(*part)
    record = shop.products.get("shop", "1")
    assert record
    assert shows(record) == (False, 0)


@pytest.mark.parametrize("seed", range(8))
def test_levels_and_products_in_any_order_with_repeats_end_in_the_same_records(
    table: Table, clock: HandClock, seed: int
) -> None:
    chance = random.Random(seed)
    parts = [part for part in STORY for _ in range(chance.choice((1, 1, 2)))]
    chance.shuffle(parts)
    shop = Shop(table, clock)
    for part in STORY:
        shop.tell(*part)
    expected = records(shop)
    for part in parts:
        shop.tell(*part, store=STORE.model_copy(update={"id": "other"}))
    assert str(records(shop, "other")).replace("other", "shop") == str(expected)


def test_a_level_waits_for_its_product(table: Table, clock: HandClock) -> None:
    shop = Shop(table, clock)
    applied = shop.intake.apply(STORE, level(5, 0), None, START)
    assert applied.reason == "kept until its product is told"
    shop.tell(told(0, 5))
    record = shop.products.get("shop", "1")
    assert record
    assert shows(record) == (False, 0)


def test_many_hands_with_levels_and_products_end_in_the_same_records(table: Table, clock: HandClock) -> None:
    shop = Shop(table, clock)
    for part in STORY:
        shop.tell(*part)
    expected = records(shop)
    other = STORE.model_copy(update={"id": "other"})
    parts = STORY * 2
    random.Random(3).shuffle(parts)
    with ThreadPoolExecutor(4) as hands:
        list(hands.map(lambda part: shop.tell(*part, store=other), parts))
    assert str(records(shop, "other")).replace("other", "shop") == str(expected)
