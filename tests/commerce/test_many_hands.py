"""Many hands at once: every order's events say its rank among the contact's paid orders, whatever breaks off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from chalicelib.commerce.change import CustomerDeleted, OrderDeleted, OrderRestored
from chalicelib.commerce.order import Order
from chalicelib.commerce.ports import OrderRecord
from chalicelib.contacts.person import Person
from chalicelib.contacts.ports import Writing
from chalicelib.contacts.purchases import in_order, ranks
from chalicelib.storage.table import Table
from tests.commerce.shop import DAN, NOA, S, Shop, customer, order, version
from tests.conftest import HandClock


@pytest.fixture
def shop(table: Table) -> Shop:
    return Shop(table, HandClock())


def paid(number: str, at: float, person: Person = DAN, told: float = 0) -> Order:
    return order(number, at + told, S.PAID, person, placed=at, paid=at)


def said(shop: Shop, person: Person = DAN) -> dict[str, tuple[int, int | None]]:
    """By order: its true rank, and what its payment in the timeline says."""
    contact = shop.contacts.find("shop", "email", (person.email or "").lower())
    assert contact is not None
    orders = in_order(shop.contacts.orders("shop", contact.id))
    true = ranks(orders)
    events = shop.timeline.of_contact("shop", contact.id, limit=1000)
    told = {e.properties["order_id"]: e.properties.get("nth") for e in events if e.type == "order_paid"}
    return {one.order_id: (true[one.order_id], told[one.order_id]) for one in orders}


# So that an older telling of another order says nothing new of the person.
FIRST_HEARD = order("0", 0, S.PENDING, DAN)


def just_before(owner: Any, name: str, happens: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, when `owner` is about to do it."""
    real, left = getattr(owner, name), [happens]

    def first(*args: Any) -> Any:
        if left:
            left.pop()()
        return real(*args)

    monkeypatch.setattr(owner, name, first)


def test_an_older_telling_does_not_bring_back_a_rank_that_another_order_has_changed(
    shop: Shop, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.tell(FIRST_HEARD, paid("3", 3, told=1))
    other = Shop(table, HandClock())
    just_before(shop.orders, "write", lambda: other.tell(paid("1", 1)), monkeypatch)
    shop.tell(paid("3", 3))  # an older telling: its words stand, nothing else changes
    assert said(shop) == {"1": (1, 1), "3": (2, 2)}


def test_a_change_of_ranks_does_not_bring_back_the_words_of_a_newer_telling(
    shop: Shop, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.tell(FIRST_HEARD, order("3", 4, S.PAID, DAN, placed=3, paid=3, coupons=("newer",)))
    other = Shop(table, HandClock())
    older = order("3", 3, S.PAID, DAN, placed=3, paid=3, coupons=("older",))
    just_before(shop.orders, "write", lambda: other.tell(older), monkeypatch)
    shop.tell(paid("1", 1))
    contact = shop.contacts.find("shop", "email", "dan@mail.test")
    assert contact is not None
    found = {e.id: e for e in shop.timeline.of_contact("shop", contact.id)}
    assert found["order_paid:shop:3"].properties["coupons"] == ["older"]
    assert said(shop) == {"1": (1, 1), "3": (2, 2)}


def test_whoever_finishes_a_merge_late_does_not_put_old_records_over_new_ones(
    shop: Shop, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest, account = Person(email="dan@mail.test"), Person(email="other@mail.test", customer_id="9")
    shop.tell(paid("3", 3, guest), paid("5", 5, account))
    hasty = Shop(Table(table._client, table.name), HandClock())
    one_person = Person(email="dan@mail.test", customer_id="9")

    def quicker() -> None:
        hasty.tell(paid("7", 7, one_person), OrderDeleted("5", version(8, 99)), paid("1", 1, one_person))

    def in_the_middle() -> None:
        just_before(table, "transact", quicker, monkeypatch)  # its records are read, but not carried yet

    just_before(shop.contacts, "move", in_the_middle, monkeypatch)
    shop.tell(paid("9", 9, one_person))
    assert said(shop) == {"1": (1, 1), "3": (2, 2), "7": (3, 3), "9": (4, 4)}


def many(person: Person = DAN) -> list[Order]:
    days = range(101, 171)
    return [order(str(day), day, S.COMPLETED, person, placed=day, paid=day) for day in days]


class Broken(Exception):
    pass


def test_more_later_orders_than_a_transaction_holds_all_change_rank(shop: Shop) -> None:
    shop.tell(*many(), paid("1", 1))
    assert all(true == told for true, told in said(shop).values())
    assert len(said(shop)) == 71


def test_a_repeat_mends_what_broke_off_between_two_transactions(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.tell(*many())

    def breaks(store_id: str, writings: Sequence[Writing]) -> None:
        raise Broken

    with monkeypatch.context() as patch:
        patch.setattr(shop.contacts, "write", breaks)
        with pytest.raises(Broken):
            shop.tell(paid("1", 1))
    assert any(true != told for true, told in said(shop).values())
    shop.tell(paid("1", 1))
    assert all(true == told for true, told in said(shop).values())


def test_an_order_that_leaves_for_another_contact_leaves_right_ranks_behind(shop: Shop) -> None:
    shop.tell(paid("1", 1), *many(), *(paid(f"n{number}", number, NOA) for number in range(2, 42)))
    shop.tell(paid("1", 1, NOA, told=2))
    for person in (DAN, NOA):
        assert all(true == told for true, told in said(shop, person).values())


def test_an_account_that_is_deleted_while_it_is_told_again_stays_deleted(
    shop: Shop, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    eve = customer("8", 30, Person(email="eve@mail.test", customer_id="8"), 30)
    shop.tell(eve)
    other = Shop(table, HandClock())
    gone = CustomerDeleted("8", version(31, 99))
    just_before(shop.contacts, "read", lambda: other.tell(gone), monkeypatch)  # the pointers are read already
    shop.tell(eve)
    contact = shop.contacts.find("shop", "email", "eve@mail.test")
    assert contact is not None
    assert contact.external_ids == ()


def test_a_repeat_that_read_the_order_before_others_wrote_it_takes_nothing_away(shop: Shop) -> None:
    removed = OrderDeleted("1", version(2, 99))
    shop.tell(paid("1", 1), removed)
    read = shop.orders.get

    def read_too_early(store_id: str, external_id: str) -> OrderRecord | None:
        found = read(store_id, external_id)
        shop.orders.get = read  # type: ignore[method-assign]
        shop.tell(OrderRestored("1", version(3)))
        return found

    shop.orders.get = read_too_early  # type: ignore[method-assign]
    shop.tell(removed)
    contact = shop.contacts.find("shop", "email", "dan@mail.test")
    assert contact is not None
    assert contact.orders_count == 1
