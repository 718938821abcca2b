"""What those who watch a product want to hear of it follows from what was told, never from the order it came in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.commerce.change import Change, ProductDeleted
from chalicelib.commerce.event import Event
from chalicelib.commerce.intake import Intake
from chalicelib.commerce.money import Money
from chalicelib.commerce.ports import ProductRecord
from chalicelib.commerce.product import Category, Product
from chalicelib.commerce.product_intake import with_product
from chalicelib.commerce.product_news import PRICES_KEPT, in_words, news_between, news_since, standing
from chalicelib.commerce.snapshot import Version
from chalicelib.commerce.store import Store
from chalicelib.errors import TryLater
from chalicelib.storage.table import Table
from tests.commerce.shop import STORE, Shop
from tests.conftest import HandClock

NOW = HandClock().now()
MANY = tuple(str(number) for number in range(101))
LONG_AGO = NOW - timedelta(days=900)


def at(minute: float) -> datetime:
    return NOW - timedelta(hours=12) + timedelta(minutes=minute)


def told(minute: float, price: int | None = 100, since: datetime | None = LONG_AGO, **more: Any) -> Product:
    """What the store says at this minute; `since`: since when it is shown, None while it is hidden."""
    version = Version(modified_at=at(minute), body_hash=f"{price}-{since}-{more}")
    money = Money(amount=price, currency=more.pop("currency", "ILS")) if price is not None else None
    shown = {"published": since is not None, "published_at": since}
    return Product(**{"external_id": "1", "version": version, "name": "Tea", "price": money, **shown, **more})


def record_of(*tellings: Product) -> ProductRecord:
    record = ProductRecord(store_id="shop", external_id="1")
    for telling in tellings:
        record = with_product(record, telling)
    return record


def follow(record: ProductRecord, kind: str) -> list[tuple[float, int | None]]:
    """(minute, percent) of the events of this kind."""
    events = [event for event in news_since(record, at(-(10**6))) if event.type == kind]
    return [((event.occurred_at - at(0)) / timedelta(minutes=1), event.properties.get("percent")) for event in events]


@pytest.mark.parametrize(
    ("tellings", "drops"),
    [
        ([told(0), told(5, 80)], [(5, 20)]),
        ([told(0), told(5, 100), told(6, 67)], [(6, 33)]),
        ([told(0, 80), told(5, 100)], []),  # the telling of the lower price is the older one
        ([told(0), told(5, 80), told(6), told(9, 80)], [(5, 20), (9, 20)]),  # a sale that ended and began again
        ([told(0), told(3, 90), told(5, 80)], [(3, 10), (5, 11)]),
        ([told(0), told(5, 80, currency="EUR"), told(6, 75, currency="EUR")], [(6, 6)]),
        ([told(0), told(3, None), told(5, 80)], [(5, 20)]),
        ([told(0), told(5, 0)], [(5, 100)]),
        ([told(0), told(5, 80, sku="a"), told(5, 80, sku="b")], [(5, 20)]),  # a delivery, and the answer to a question
        ([told(0, variants=("11", "12")), told(5, 80, variants=("11", "12", "13"))], []),  # a smaller size came in
        ([told(0, variants=("11", "12")), told(5, 80, variants=("12", "11"))], [(5, 20)]),
        ([told(0, variants=MANY), told(5, 80, variants=MANY)], []),  # no telling has the prices of all of them
        ([told(0, parent_id="9"), told(5, 80, parent_id="9")], []),  # of a choice its product has the news
    ],
)
def test_a_price_drops_at_the_telling_that_first_has_it(tellings: list[Product], drops: list[Any]) -> None:
    for order in permutations(tellings):
        assert follow(record_of(*order), "price_dropped") == drops


FRESH = at(4)


@pytest.mark.parametrize(
    ("tellings", "minutes"),
    [
        ([told(5, since=FRESH)], [4]),
        ([told(5, since=FRESH), told(9, since=FRESH), told(10, since=None), told(11, since=at(11))], [4]),  # but once
        ([told(5)], [-900 * 24 * 60 + 720]),  # it was there long before anybody told us
        ([told(0, since=None), told(5, since=FRESH)], [4]),
        ([told(0, since=None), told(5)], [5]),  # a draft of long ago, shown now; its date is the draft's
        ([told(0, since=at(60)), told(61, since=at(60))], [60]),  # announced by the shop for an hour later
        ([told(0, since=None)], []),
        ([told(5, since=FRESH, parent_id="9")], []),
    ],
)
def test_a_product_is_new_when_it_is_first_shown(tellings: list[Product], minutes: list[float]) -> None:
    for order in permutations(tellings):
        assert [minute for minute, _ in follow(record_of(*order), "product_published")] == minutes


any_telling = st.builds(
    told,
    st.integers(0, 20),
    st.none() | st.integers(50, 60),
    st.sampled_from((None, LONG_AGO, FRESH)),
    in_stock=st.booleans(),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(any_telling, max_size=10).flatmap(lambda some: st.tuples(st.just(some), st.permutations(some * 2))))
def test_told_one_by_one_in_any_order_the_same_stands(both: tuple[list[Product], list[Product]]) -> None:
    happened, shuffled = both
    kept: dict[str, Event] = {}
    known, new = None, 0
    for telling in shuffled:
        after = with_product(known or ProductRecord(store_id="shop", external_id="1"), telling)
        news = news_between(known, after)
        kept = {name: one for name, one in kept.items() if name not in {event.id for event in news.gone}}
        kept |= {event.id: event for event in news.kept}
        new += sum(event.type == "product_published" for event in news.fresh)
        known = after
    whole = record_of(*happened)
    assert (known or whole) == whole
    follows = {event.id: event for event in news_since(whole, at(-(10**7)))}
    published = follows.pop("product_published:shop:1", None)
    assert kept == follows
    assert new == (published is not None)


def test_what_is_kept_of_prices_is_bounded_and_the_newest_drop_stands() -> None:
    many = [told(0), *(told(minute, 80) for minute in range(5, 40))]
    record, early = record_of(*many), record_of(*many[:2])
    assert len(record.prices_told) == PRICES_KEPT
    (drop,) = news_between(record_of(many[0]), early).fresh
    assert standing(record, drop) == drop
    assert news_between(record_of(*many[:-1]), record).gone == ()


def test_an_event_stands_while_it_is_so() -> None:
    first = told(0, 100, in_stock=False)
    both = record_of(first, told(5, 80, stock=3, inventory_item=None, categories=(Category(id="7", name="Green"),)))
    back, drop = news_between(record_of(first), both).fresh
    assert (back.type, drop.type) == ("product_back_in_stock", "price_dropped")
    assert standing(both, back) == back
    words = in_words(drop, both).properties
    price = {"amount": 80, "currency": "ILS"}
    assert words == {
        "product_id": "1",
        "name": "Tea",
        "categories": ["7"],
        "price": price,
        "url": None,
        "image": None,
        "was": {"amount": 100, "currency": "ILS"},
        "percent": 20,
        "stock": 3,
    }
    again = {"sold out": told(9, 80, in_stock=False), "hidden": told(9, 80, None), "dearer": told(9, 100)}
    stands = {
        name: [event.type for event in (back, drop) if standing(with_product(both, later), event)]
        for name, later in again.items()
    }
    assert stands == {"sold out": ["price_dropped"], "hidden": [], "dearer": ["product_back_in_stock"]}
    gone = both.model_copy(update={"deleted": Version(modified_at=at(10))})
    assert (standing(gone, back), standing(None, drop)) == (None, None)
    moved = with_product(with_product(record_of(first), told(4, 80)), told(5, 80))  # it came a minute before that
    assert (standing(moved, back), standing(moved, drop)) == (None, None)


class Noted:
    """The journeys' side: notes what it is told. `out` makes it refuse."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.out = False

    def tell(self, store: Store, events: Sequence[Event]) -> None:
        if self.out:
            raise TryLater("out")
        self.ids += [event.id.removeprefix("product_").partition(":")[0] for event in events]


def test_live_tellings_are_told_on_once_young_and_history_never(table: Table, clock: HandClock) -> None:
    shop, noted = Shop(table, clock), Noted()
    parts = vars(shop.intake)

    def tell(*changes: Change, live: bool = True) -> list[str]:
        intake = Intake(
            *(parts[f"_{name}"] for name in ("contacts", "resolver", "orders", "carts", "products", "privacy")),
            lambda: shop.heard,
            clock,
            (lambda: noted) if live else None,
        )
        noted.ids.clear()
        for change in changes:
            intake.apply(STORE, change, None, NOW)
        return list(noted.ids)

    assert tell(told(0, since=FRESH), live=False) == []
    assert tell(told(5, 80, since=FRESH)) == ["price_dropped"], "that it is new was heard of from history alone"
    noted.out = True
    sold_out, back = told(8, 80, FRESH, in_stock=False), told(9, 70, FRESH)
    with pytest.raises(TryLater):
        tell(sold_out, back)
    noted.out = False
    assert tell(back) == ["back_in_stock", "price_dropped"], "the repeat finds what was kept and not told"
    assert tell(told(8, 80, FRESH, in_stock=False), told(12, 70, FRESH)) == ["back_in_stock", "price_dropped"]
    assert tell(told(13, 70, FRESH)) == []
    new = told(5, since=FRESH, external_id="2")
    assert tell(new) == ["published"]
    assert tell(told(6, since=FRESH, external_id="2"), new) == ["published"]
    clock.advance(hours=37)
    assert tell(back, told(14, 60, FRESH), ProductDeleted("1", Version(modified_at=at(20)))) == []


def test_a_choice_that_returns_tells_only_where_all_were_sold_out(table: Table, clock: HandClock) -> None:
    shop, noted = Shop(table, clock), Noted()
    shop.intake._news = lambda: noted

    def body(minute: float, *in_stock: bool) -> list[Product]:
        names = [str(n) for n, _ in enumerate(in_stock, 11)]
        parts = [
            told(minute, external_id=n, parent_id="1", in_stock=one) for n, one in zip(names, in_stock, strict=True)
        ]
        return [*parts, told(minute, in_stock=any(in_stock), variants=tuple(names))]

    shop.tell(*body(0, True, True), *body(1, True, False), *body(2, True, True))
    assert noted.ids == []
    shop.tell(*body(3, False, False), *body(4, False, True), *body(5, True, True))
    assert noted.ids == ["back_in_stock"]
