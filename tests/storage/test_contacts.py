from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from chalicelib.commerce.money import Money
from chalicelib.contacts.purchases import ORDERS_KEPT, ContactOrder, Line, fact, fold
from chalicelib.errors import Conflict
from chalicelib.journeys.ports import Wanted
from chalicelib.storage.decisions import Decisions
from chalicelib.storage.table import Table
from tests.commerce.shop import DAN, NOA, S, Shop, day, line, order, product
from tests.conftest import HandClock


@pytest.fixture
def shop(table: Table, clock: HandClock) -> Shop:
    return Shop(table, clock)


class Counted:
    """The table's client, with its requests counted."""

    def __init__(self, client: Any) -> None:
        self.client, self.calls = client, Counter[str]()

    def __getattr__(self, name: str) -> Any:
        self.calls[name] += 1
        return getattr(self.client, name)


def test_a_decision_is_one_request_whatever_was_bought_and_happened(shop: Shop) -> None:
    for number in range(1, 6):
        shop.tell(order(str(number), number, S.PAID, NOA, placed=number, paid=number))
    contact = shop.contacts.find("shop", "email", "noa@mail.test")
    assert contact is not None
    counted = Counted(shop.table._client)
    shop.table._client = counted  # type: ignore[assignment]
    wanted = Wanted(
        store=True,
        journey="j",
        enrolment=f"{contact.id}-x",
        orders=["1", "404"],
        subjects=["product:1", "product:404"],
    )
    found = Decisions(shop.table).read("shop", contact.id, wanted)
    assert counted.calls == {"batch_get_item": 1}
    assert (found.contact, found.enrolment, found.messages, found.journey) == (contact, None, {}, None)
    assert [(name, record.contact_id) for name, record in found.orders.items()] == [("1", contact.id)]
    facts = found.purchases
    assert (facts["product:1"].orders, facts["product:1"].units, facts["product:1"].total) == (5, 5, 25000)
    assert (facts["product:404"].orders, facts["product:404"].last_at) == (0, None)


def test_a_purchase_costs_the_same_whatever_the_timeline_holds(shop: Shop) -> None:
    shop.tell(order("1", 1, S.PAID, NOA, placed=1, paid=1), order("2", 1, S.PAID, DAN, placed=1, paid=1))
    dan = shop.contacts.find("shop", "email", "dan@mail.test")
    assert dan is not None
    made = shop.timeline.of_contact("shop", dan.id)[0]
    for number in range(200):
        past = {"id": f"seen-{number}", "type": "viewed", "occurred_at": day(-number)}
        shop.timeline.append("shop", dan.id, made.model_copy(update=past))
    counted = Counted(shop.table._client)
    shop.table._client = counted  # type: ignore[assignment]
    shop.tell(order("3", 2, S.PAID, NOA, placed=2, paid=2))
    short = Counter(counted.calls)
    counted.calls.clear()
    shop.tell(order("4", 2, S.PAID, DAN, placed=2, paid=2))
    assert counted.calls == short


def test_a_category_follows_its_products_whenever_they_are_told(shop: Shop) -> None:
    shop.tell(order("1", 1, S.PAID, NOA, paid=1, items=(line("1", 5000), line("2", 3000, 2, variation="21"))))
    contact = shop.contacts.find("shop", "email", "noa@mail.test")
    assert contact is not None

    def units(subject: str) -> int:
        found = Decisions(shop.table).read("shop", contact.id, Wanted(subjects=[subject]))
        return found.purchases[subject].units

    assert units("category:tea") == 0
    shop.tell(product("1", 0, "tea"), product("2", 0, "tea"))
    assert (units("category:tea"), units("product:21"), units("product:2")) == (3, 2, 2)
    shop.tell(product("2", 1, "coffee"))
    assert (units("category:tea"), units("category:coffee")) == (1, 2)


def test_the_timeline_is_newest_first_and_goes_on_from_its_cursor(shop: Shop) -> None:
    shop.tell(*(order(str(n), n, S.PAID, NOA, placed=n, paid=n) for n in range(1, 4)))
    contact = shop.contacts.find("shop", "email", "noa@mail.test")
    assert contact is not None
    every = shop.timeline.of_contact("shop", contact.id)
    assert every == sorted(every, key=shop.timeline.sort_key, reverse=True)
    first = shop.timeline.of_contact("shop", contact.id, limit=2)
    rest = shop.timeline.of_contact("shop", contact.id, before=shop.timeline.sort_key(first[-1]))
    assert first + rest == every


def test_listings_go_on_from_their_cursor(shop: Shop) -> None:
    shop.tell(order("1", 1, S.PAID, NOA, placed=1, paid=1), order("2", 2, S.PAID, DAN, placed=2, paid=2))
    shop.tell(product("1", 0), product("2", 0))
    first, second = shop.contacts.list("shop")
    assert (first.first_name, second.first_name) == ("Noa", "Dan")
    assert shop.contacts.list("shop", shop.contacts.sort_key(first)) == [second]
    assert [record.external_id for record in shop.products.list("shop", "1")] == ["2"]


def test_a_stale_writer_is_refused(shop: Shop) -> None:
    shop.tell(product("1", 0))
    record = shop.products.get("shop", "1")
    assert record is not None
    shop.products.save(record)
    with pytest.raises(Conflict):
        shop.products.save(record)


def test_old_orders_are_summed_and_nothing_is_lost() -> None:
    many = [
        ContactOrder(
            order_id=str(number),
            paid_at=day(number),
            net=Money(amount=100, currency="ILS"),
            counted=True,
            lines=(Line(product="1", units=2, total=60), Line(product="2", variation="21", units=1, total=40)),
        )
        for number in range(ORDERS_KEPT + 50)
    ]
    purchases = fold(many)
    assert len(purchases.orders) == ORDERS_KEPT
    one, other = fact(purchases, "product:1", {}), fact(purchases, "product:21", {})
    assert (one.orders, one.units, one.total) == (250, 500, 15000)
    assert (other.orders, other.units, other.total) == (250, 250, 10000)
    tea = fact(purchases, "category:tea", {"1": ["tea"], "2": ["tea"]})
    assert (tea.orders, tea.units, tea.last_at) == (250, 750, day(ORDERS_KEPT + 49))
    anything = fact(purchases, "any", {}, "ILS")
    assert (anything.orders, anything.units, anything.total) == (250, 750, 25_000)
    assert purchases.products() == {"1", "2", "21"}


def test_of_a_bundle_its_parts_are_not_counted_beside_it_and_a_foreign_total_not_at_all() -> None:
    lines = (Line(product="box", units=1, total=90), Line(product="1", units=3, total=0, included=True))
    bought = ContactOrder(
        order_id="1", paid_at=day(1), net=Money(amount=100, currency="ILS"), counted=True, lines=lines
    )
    abroad = bought.model_copy(update={"order_id": "2", "net": Money(amount=40, currency="EUR")})
    anything = fact(fold([bought, abroad]), "any", {}, "ILS")
    assert (anything.orders, anything.units, anything.total) == (2, 2, 100)
