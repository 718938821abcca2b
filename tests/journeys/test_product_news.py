"""Who watches a product hears that it is back, cheaper or new: each once, whatever is interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice, permutations
from typing import Any

import pytest

from chalicelib.commerce.customer import Customer
from chalicelib.commerce.event import Event
from chalicelib.commerce.intake import ContactRef
from chalicelib.commerce.money import Money
from chalicelib.commerce.product import Category, Product
from chalicelib.commerce.snapshot import Version
from chalicelib.contacts.person import Person
from chalicelib.errors import TryLater
from chalicelib.ids import new_id
from chalicelib.journeys import product_news
from chalicelib.journeys.errands import Errand
from chalicelib.journeys.watchers import REMEMBERED, Watcher, Watchers
from tests.any_order import Listening, listening
from tests.conftest import HandClock
from tests.journeys.world import journey, mail
from tests.memory_client import MemoryTables
from tests.test_any_order import HEBREW, NOW

LONG_AGO = NOW - timedelta(days=900)


class Shop:
    """A store with goods, and people who look at them."""

    def __init__(self, listener: Listening) -> None:
        self.listener, self.parts, self.clock = listener, listener.parts, listener.clock
        self.store, self.people = listener.store, dict[str, str]()
        self._count = 0

    def activate(self, name: str, type_: str, **trigger: Any) -> None:
        entering = journey(mail(), trigger={"type": type_, **trigger}, reentry={"mode": "every_time"})
        self.listener.activate({name: entering})

    def sell(self, number: str, price: int = 5000, in_stock: bool = True, **more: Any) -> None:
        """The store tells of it now."""
        product = Product(
            external_id=number,
            version=Version(modified_at=self.clock.now()),
            name=f"Tea {number}",
            price=Money(amount=price, currency="ILS"),
            in_stock=in_stock,
            **{"published_at": LONG_AGO, "categories": (Category(id="green", name="Green"),), **more},
        )
        self.parts.intake.apply(self.store, product, None, self.clock.now())

    def does(self, who: str, type_: str, **properties: Any) -> None:
        self._count += 1
        event = Event(id=f"e{self._count}", type=type_, occurred_at=self.clock.now(), properties=properties)
        applied = self.parts.intake.record_event(self.store, ContactRef(email=f"{who}@shopper.example"), event)
        (self.people[who],) = applied.contact_ids

    def buys(self, who: str, product: str) -> None:
        """As journeys are told of it."""
        event = Event(
            id=f"order_paid:shop:{who}{product}",
            type="order_paid",
            occurred_at=self.clock.now(),
            properties={"order_id": who, "items": [{"product_id": product, "categories": ["green"]}]},
        )
        self.parts.listener.on_events(self.store, self.people[who], [event])

    def live(self, **delta: float) -> None:
        self.listener.workflows.live(**delta)

    def entered(self, journey_id: str) -> list[str]:
        """Who, by name, as often as they did."""
        found = [
            who
            for who, contact_id in self.people.items()
            for one in self.parts.enrolments.of_contact("shop", contact_id)
            if one.journey == journey_id
        ]
        return sorted(found)

    def heard(self, who: str, type_: str) -> list[dict[str, Any]]:
        timeline = self.parts.timeline.of_contact("shop", self.people[who])
        return [event.properties for event in timeline if event.type == type_]

    def errands(self) -> list[Errand]:
        found: list[Errand] = self.parts.errands.of_kind("shop", product_news.KIND)
        return found

    def watching(self) -> list[dict[str, Any]]:
        return [item for item in self.listener.items() if str(item["pk"]).startswith("WATCH#")]


@pytest.fixture
def shop(tables: MemoryTables) -> Iterator[Shop]:
    with listening(tables, HandClock(NOW), HEBREW) as listener:
        yield Shop(listener)


def test_each_watcher_hears_what_its_journey_means(shop: Shop) -> None:
    shop.activate("back", "product_back_in_stock")
    shop.activate("cheaper", "price_dropped", watchers=["wished", "bought"], at_least_percent=10)
    shop.activate("looked", "price_dropped", watchers=["viewed"])
    shop.activate("elsewhere", "price_dropped", category="black")
    shop.activate("new", "product_published")
    shop.sell("1", in_stock=False)
    shop.does("viewer", "product_viewed", product_id="1")
    shop.does("wisher", "wish_list_changed", added=["1", "2"], removed=[])
    shop.does("asker", "watch_requested", product_id="1")
    shop.does("fan", "watch_requested", category="green")
    shop.does("buyer", "product_viewed", product_id="9")
    shop.buys("buyer", "7")
    for who in ("viewer", "asker", "buyer"):  # who did it all hears it once
        shop.does("keen", "product_viewed", product_id="1")
        shop.does("keen", "watch_requested", product_id="1", **({"cancelled": True} if who == "buyer" else {}))
        shop.clock.advance(seconds=1)
    shop.buys("keen", "1")
    shop.sell("1")
    shop.clock.advance(seconds=1)
    shop.sell("1", price=4000)
    shop.sell("2", published_at=shop.clock.now())
    assert shop.entered("back") == [], "not before the news has settled"
    shop.live(minutes=3)
    assert shop.entered("back") == ["asker", "keen", "viewer", "wisher"]
    assert shop.entered("cheaper") == ["buyer", "keen", "wisher"]
    assert shop.entered("looked") == ["keen", "viewer"]
    assert shop.entered("elsewhere") == []
    assert shop.entered("new") == ["buyer", "fan", "keen"]
    (back,) = shop.heard("keen", "product_back_in_stock")
    assert (back["watched_as"], back["name"], back["categories"]) == (["viewed"], "Tea 1", ["green"])
    (drop,) = shop.heard("keen", "price_dropped")
    assert (drop["watched_as"], drop["percent"]) == (["bought", "viewed"], 20), "of the product and of its category"
    assert (drop["was"]["amount"], drop["price"]["amount"]) == (5000, 4000)
    assert shop.heard("asker", "price_dropped") == [], "nothing is told that no journey means"
    assert {one.report["ended"] for one in shop.errands()} == {"all_told"}


def test_without_a_journey_nothing_is_begun_and_too_late_nobody_is_told(shop: Shop) -> None:
    shop.does("viewer", "product_viewed", product_id="1")
    shop.sell("1", in_stock=False)
    shop.clock.advance(seconds=1)
    shop.sell("1")
    assert shop.errands() == []
    shop.activate("cheaper", "price_dropped")
    shop.clock.advance(seconds=1)
    shop.sell("1", price=4000)
    (errand,) = shop.errands()
    shop.clock.advance(hours=48)
    shop.live(seconds=1)
    assert (shop.entered("cheaper"), shop.errands()[0].report) == ([], {"ended": "too_old"})
    assert errand.report == {}


def test_interrupted_in_any_slice_everybody_is_told_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(product_news, "TOGETHER", 3)
    shop.activate("back", "product_back_in_stock")
    shop.sell("1", in_stock=False)
    names = [f"n{number}" for number in range(10)]
    for name in names:
        shop.does(name, "product_viewed", product_id="1")
    pages: list[int] = []
    page, append, calls = shop.parts.watcher_records.page, shop.parts.timeline.append, iter(range(1000))

    def watched_page(*asked: Any) -> Any:
        found = list(page(*asked))
        pages.append(len(found))
        return found

    def failing(store_id: str, contact_id: str, event: Event) -> None:
        number = next(calls)
        if number in (1, 6):
            raise TryLater("the table is busy")
        append(store_id, contact_id, event)
        if number in (4, 9):
            raise TryLater("the table is busy: it is kept, and journeys have not heard of it")

    monkeypatch.setattr(shop.parts.watcher_records, "page", watched_page)
    monkeypatch.setattr(shop.parts.timeline, "append", failing)
    monkeypatch.setattr(shop.parts.errand_records, "save", _once_in_a_while(shop.parts.errand_records.save))
    shop.clock.advance(seconds=1)
    shop.sell("1")
    shop.live(hours=3)
    (errand,) = shop.errands()
    assert errand.report["ended"] == "all_told"
    assert shop.entered("back") == names
    assert max(pages) <= 3, "no more is in memory than a slice"
    assert errand.looks >= 4


def test_a_table_that_is_often_busy_makes_news_late_and_keeps_it_from_nobody(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.activate("back", "product_back_in_stock")
    shop.sell("1", in_stock=False)
    names = sorted(f"n{number}" for number in range(30))
    for name in names:
        shop.does(name, "product_viewed", product_id="1")
    append, calls = shop.parts.timeline.append, iter(range(1, 10_000))

    def often_busy(store_id: str, contact_id: str, event: Event) -> None:
        if next(calls) % 15 == 0:  # never are thirty told without
            raise TryLater("the table is busy")
        append(store_id, contact_id, event)

    monkeypatch.setattr(shop.parts.timeline, "append", often_busy)
    shop.clock.advance(seconds=1)
    shop.sell("1")
    shop.live(minutes=10)
    assert (shop.entered("back"), next(calls) < 60) == (names, True)


def _once_in_a_while(save: Any) -> Any:
    """Every second slice is done and not written down."""
    turns = iter(range(1000))

    def saving(errand: Errand) -> Errand:
        if next(turns) % 2 == 0:
            raise TryLater("the table is busy")
        saved: Errand = save(errand)
        return saved

    return saving


def test_who_was_not_told_yet_hears_nothing_of_a_product_that_is_gone_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(product_news, "TOGETHER", 2)
    shop.activate("back", "product_back_in_stock")
    shop.sell("1", in_stock=False)
    for number in range(5):
        shop.does(f"n{number}", "product_viewed", product_id="1")
    shop.clock.advance(seconds=1)
    shop.sell("1")
    shop.live(minutes=2, seconds=1)
    shop.sell("1", in_stock=False)
    shop.live(minutes=5)
    (errand,) = shop.errands()
    assert (len(shop.entered("back")), errand.report) == (2, {"told": 2, "failed": 0, "ended": "no_longer_so"})


def test_a_contact_that_breaks_stands_in_nobodys_way(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.activate("back", "product_back_in_stock")
    shop.sell("1", in_stock=False)
    for name in ("ada", "bea", "cleo"):
        shop.does(name, "product_viewed", product_id="1")
    hears = shop.parts.enroller.on_events

    def breaking(store: Any, contact_id: str, events: Any) -> None:
        if contact_id == shop.people["bea"]:
            raise ValueError("a mistake of ours")
        hears(store, contact_id, events)

    monkeypatch.setattr(shop.parts.enroller, "on_events", breaking)
    shop.clock.advance(seconds=1)
    shop.sell("1")
    shop.live(minutes=3)
    assert shop.entered("back") == ["ada", "cleo"]
    assert shop.errands()[0].report == {"told": 2, "failed": 1, "ended": "all_told"}


def test_what_a_contact_watches_does_not_depend_on_the_order_of_its_events(shop: Shop) -> None:
    noted = Watchers(shop.parts.watcher_records, shop.clock)
    happened = [
        Event(id=f"e{n}", type=type_, occurred_at=NOW + timedelta(hours=n), properties=told)
        for n, (type_, told) in enumerate(
            [
                ("watch_requested", {"product_id": "1"}),
                ("product_viewed", {"product_id": "1"}),
                ("watch_requested", {"product_id": "1", "cancelled": True}),
                ("product_viewed", {"product_id": "1"}),
                ("wish_list_changed", {"added": ["1", None, True, "x" * 300], "removed": "1"}),
            ]
        )
    ]
    old = happened[1].model_copy(update={"occurred_at": NOW - REMEMBERED, "properties": {"product_id": "2"}})
    found = []
    for order in islice(permutations(happened), 0, None, 11):
        contact_id = new_id(shop.clock.now())
        for event in (*order, old, *order[:2]):
            noted.note("shop", contact_id, [event])
        entries = shop.parts.watcher_records.of_contact("shop", contact_id, ["product:1", "product:2"])
        assert entries.keys() == {"product:1"}
        found.append(
            (entries["product:1"].kinds, entries["product:1"].model_dump(exclude={"rev", "contact_id", "listed_until"}))
        )
    assert all(one == found[0] for one in found)
    assert found[0][0] == {"viewed", "wished"}


def test_a_busy_visitor_costs_one_write_a_day(shop: Shop) -> None:
    records = shop.parts.watcher_records
    days = set()
    for _ in range(8):
        shop.does("viewer", "product_viewed", product_id="1")
        days.add(shop.clock.now().date())
        shop.clock.advance(hours=6)
    entry: Watcher = records.of_contact("shop", shop.people["viewer"], ["product:1"])["product:1"]
    assert entry.rev == len(days) < 4


def test_the_merged_are_followed_and_the_erased_are_gone(shop: Shop) -> None:
    shop.activate("back", "product_back_in_stock")
    shop.sell("1", in_stock=False)
    shop.does("guest", "product_viewed", product_id="1")
    shop.clock.advance(seconds=1)
    shop.does("member", "watch_requested", product_id="1")
    shop.does("other", "product_viewed", product_id="1")
    guest, member = shop.people["guest"], shop.people["member"]
    one_customer(shop, "guest", "member")
    stays = shop.parts.contacts.get("shop", guest).id
    assert shop.parts.contacts.get("shop", member).id == stays
    watched = shop.parts.contact_book.export("shop", stays)["watched"]
    assert {tuple(one) for one in watched} == {("subject", "viewed"), ("subject", "asked")}
    shop.clock.advance(seconds=1)
    shop.sell("1")
    shop.live(minutes=3)
    assert len(shop.parts.enrolments.of_contact("shop", stays)) == 1
    assert {item["sk"] for item in shop.watching()} == {guest, member, shop.people["other"]}
    shop.parts.contact_book.erase("shop", stays)
    assert {item["sk"] for item in shop.watching()} == {shop.people["other"]}
    assert not [item for item in shop.listener.items() if str(item["sk"]).startswith("W#") and stays in item["pk"]]


def one_customer(shop: Shop, *names: str) -> None:
    """The store tells that they are the same."""
    for number, who in enumerate(names):
        person = Person(email=f"{who}@shopper.example", customer_id="7")
        version = Version(modified_at=shop.clock.now() + timedelta(seconds=number))
        told = Customer(external_id="7", version=version, person=person, created_at=NOW)
        shop.parts.intake.apply(shop.store, told, None, shop.clock.now())
