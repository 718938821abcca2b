"""What a cart's activities and orders come to, in any order and told any number of times."""

from __future__ import annotations

import random
import uuid
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from chalicelib.commerce.cart import CartActivity, CartState
from chalicelib.commerce.cart_fold import kept
from chalicelib.commerce.change import Change
from chalicelib.commerce.order import Order
from chalicelib.contacts.consent import Channel, ConsentStatus
from chalicelib.contacts.person import Person
from chalicelib.storage.table import Table, create_table
from tests.commerce.carts import (
    CHECKOUT,
    CONVERTED,
    EMPTIED,
    NOBODY,
    TOKEN,
    Broken,
    U,
    activity,
    breaking,
    cart,
    events,
    item,
    owner,
    told,
)
from tests.commerce.shop import DAN, NOA, START, STORE, S, Shop, chose, order
from tests.conftest import HandClock
from tests.memory_client import MemoryTables

LATER = START + timedelta(days=1)
NOA_MAIL, DAN_MAIL = "noa@mail.test", "dan@mail.test"


@pytest.fixture
def shop(table: Table) -> Shop:
    return Shop(table, HandClock(LATER))


def tell(shop: Shop, *changes: Change) -> None:
    for change in changes:
        shop.intake.apply(STORE, change, None, LATER)


def fresh(server: MemoryTables) -> Shop:
    name = f"agala-{uuid.uuid4().hex[:12]}"
    client = server.dynamodb()
    create_table(client, name)
    return Shop(Table(client, name), HandClock(LATER))


def bought(minute: float, person: Person = NOA, number: str = "900", **more: Any) -> Order:
    at = minute / 1440
    return order(number, at, S.PENDING, person, placed=at, cart_token=TOKEN, **more)


def test_a_cart_of_nobody_is_kept_and_not_watched(shop: Shop) -> None:
    tell(shop, activity(0), activity(5, U, NOBODY, item("1"), item("2", 3)))
    found = cart(shop)
    assert found.state is CartState.OPEN
    assert found.latest is not None and [one.product_id for one in found.latest.items] == ["1", "2"]
    assert (found.contact_id, found.watched) == (None, False)
    assert shop.executions.started == {}
    assert shop.heard.events == []


def test_a_typed_address_makes_the_contact_and_somebody_is_to_look(shop: Shop) -> None:
    tell(shop, activity(0), activity(5, CHECKOUT, NOA, consent=(chose(ConsentStatus.SUBSCRIBED, 0),)))
    assert owner(shop) == NOA_MAIL
    contact = shop.contacts.find("shop", "email", NOA_MAIL)
    assert contact is not None
    assert contact.joined_from == "checkout"
    assert contact.consent_for(Channel.EMAIL).status is ConsentStatus.SUBSCRIBED
    assert contact.consent_for(Channel.SMS).status is ConsentStatus.NEVER_ASKED
    assert cart(shop).watched
    ((name, payload),) = shop.executions.started.items()
    assert name.startswith("cart-") and name.endswith("-1")
    assert payload == {
        "store_id": "shop",
        "token": TOKEN,
        "generation": 1,
        "until": "2026-11-02T10:02:00.000Z",  # the delay is long over: two minutes for what came with it
    }
    assert events(shop, NOA_MAIL) == [("cart_updated", 5), ("checkout_started", 5)]


def test_the_record_names_nobody_but_its_contact(shop: Shop, table: Table) -> None:
    tell(shop, activity(5, CHECKOUT, NOA, consent=(chose(ConsentStatus.SUBSCRIBED, 0),)))
    kept_item = table.get(f"CART#shop#{TOKEN}", "CART")
    assert "noa" not in str(kept_item).lower()
    assert kept_item is not None and kept_item["expires_at"] == (START + timedelta(days=180, minutes=5)).timestamp()


def test_moving_carts_are_watched_once(shop: Shop) -> None:
    tell(shop, *(activity(minute, U, NOA) for minute in range(5)))
    assert len(shop.executions.started) == 1
    assert cart(shop).generation == 1


def test_an_activity_said_to_happen_later_than_it_came_happened_when_it_came(shop: Shop) -> None:
    tell(shop, activity(5000, U, NOA))
    assert cart(shop).last_activity_at == LATER


def test_a_bought_cart_is_bought_for_ever(shop: Shop) -> None:
    tell(shop, activity(0, U, NOA), bought(10), activity(20, U, NOA, item("2")))
    found = cart(shop)
    assert (found.state, found.order_id) == (CartState.BOUGHT, "900")
    contact = shop.contacts.find("shop", "email", NOA_MAIL)
    assert contact is not None
    assert (contact.id, TOKEN) in shop.heard.left


def test_an_order_that_is_heard_first_leaves_nothing_to_watch(shop: Shop) -> None:
    tell(shop, bought(10), activity(0, CHECKOUT, NOA))
    assert cart(shop).state is CartState.BOUGHT
    assert shop.executions.started == {}


def test_the_guest_who_buys_under_another_address_keeps_their_own_cart(shop: Shop) -> None:
    """Both the conversion and the order name somebody else: those who began with the cart's owner are told."""
    tell(shop, activity(0, U, NOA), activity(10, CONVERTED, DAN, order_id="900"), bought(10, DAN))
    assert owner(shop) == NOA_MAIL
    contact = shop.contacts.find("shop", "email", NOA_MAIL)
    assert contact is not None
    assert {owner for owner, _ in shop.heard.left} == {contact.id}


def test_a_corrected_address_takes_the_cart_and_its_checkout_along(shop: Shop) -> None:
    typo = Person(email="noa@mial.test")
    tell(shop, activity(0, CHECKOUT, typo), activity(1, CHECKOUT, NOA))
    assert owner(shop) == NOA_MAIL
    assert events(shop, "noa@mial.test") == [("cart_updated", 0)]
    assert events(shop, NOA_MAIL) == [("checkout_started", 0), ("cart_updated", 1)]
    wrong = shop.contacts.find("shop", "email", "noa@mial.test")
    right = shop.contacts.find("shop", "email", NOA_MAIL)
    assert wrong and right
    assert shop.table.get(f"C#shop#{wrong.id}", f"K#{TOKEN}") is None
    assert shop.table.get(f"C#shop#{right.id}", f"K#{TOKEN}") is not None


def test_an_emptied_cart_is_over_until_it_is_filled_again(shop: Shop) -> None:
    tell(shop, activity(0, U, NOA), activity(1, EMPTIED, NOA))
    assert cart(shop).state is CartState.EMPTIED
    assert [token for _, token in shop.heard.left] == [TOKEN]
    tell(shop, activity(2, U, NOA))
    assert cart(shop).state is CartState.OPEN


def test_what_broke_off_between_the_watch_and_the_record_is_done_by_the_repeat(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: Any, **__: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(shop.carts, "write", breaks)
        with pytest.raises(RuntimeError):
            tell(shop, activity(0, U, NOA))
    assert shop.carts.get("shop", TOKEN) is None
    assert len(shop.executions.started) == 1
    tell(shop, activity(0, U, NOA))
    assert (cart(shop).generation, cart(shop).watched) == (1, True)
    assert len(shop.executions.started) == 1


def test_what_broke_off_before_the_timeline_is_told_by_the_repeat(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(shop.timeline, "append", breaks)
        with pytest.raises(RuntimeError):
            tell(shop, activity(0, CHECKOUT, NOA))
    assert shop.heard.events == []
    tell(shop, activity(0, CHECKOUT, NOA))
    assert {event.type for _, event in shop.heard.events} >= {"cart_updated", "checkout_started"}
    assert events(shop, NOA_MAIL) == [("cart_updated", 0), ("checkout_started", 0)]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("where", ["watch", "contacts", "record", "timeline", "journeys", "leave"])
@pytest.mark.parametrize("last", ["checkout", "emptied", "order"])
def test_what_breaks_off_anywhere_is_finished_by_the_repeat(
    tables: MemoryTables, monkeypatch: pytest.MonkeyPatch, where: str, after: bool, last: str
) -> None:
    begun = activity(0, CHECKOUT, NOA if last != "checkout" else Person(email="noa@mial.test"))
    then = {"checkout": activity(9, CHECKOUT, NOA), "emptied": activity(9, EMPTIED, NOA), "order": bought(9)}[last]
    shop, whole = fresh(tables), fresh(tables)
    tell(whole, begun, then)
    tell(shop, begun)
    owner, name = {
        "watch": (shop.executions, "start"),
        "contacts": (shop.contacts, "write"),
        "record": (shop.carts, "write"),
        "timeline": (shop.timeline, "append"),
        "journeys": (shop.heard, "on_events"),
        "leave": (shop.heard, "leave_cart"),
    }[where]
    with monkeypatch.context() as patch, suppress(Broken):
        breaking(owner, name, patch, after=after)
        tell(shop, then)
    tell(shop, then)
    assert told(shop) == told(whole)
    for email in (NOA_MAIL, "noa@mial.test"):
        assert events(shop, email) == events(whole, email)
    assert (cart(shop).watched, cart(shop).generation) == (cart(whole).watched, cart(whole).generation)
    assert {event.id for _, event in shop.heard.events} >= {
        event.id for _, event in whole.heard.events if event.type != "contact_created"
    }
    if last != "checkout":  # whoever it was before the correction, the next step finds out
        assert set(shop.heard.left) and set(whole.heard.left)


def test_nobody_who_was_not_reached_is_sent_for(shop: Shop) -> None:
    """The workflows are out: nothing is written, so that the repeat begins anew."""

    def out(_: str) -> None:
        raise RuntimeError

    shop.executions.before = out
    with pytest.raises(RuntimeError):
        tell(shop, activity(0, U, NOA))
    assert shop.carts.get("shop", TOKEN) is None


def test_only_a_page_of_a_monstrous_cart_is_kept() -> None:
    huge = activity(0, U, NOA, *(item(str(number)) for number in range(500)))
    named = huge.items[0].model_copy(update={"name": "x" * 20_000, "image": "https://tea.example/" + "y" * 2000})
    huge = huge.model_copy(update={"items": (named, *huge.items[1:]), "restore_url": "https://" + "z" * 2000})
    small = kept(huge, LATER)
    assert (len(small.items), small.lines) == (100, 500)
    assert (len(small.items[0].name), small.items[0].image, small.restore_url) == (200, None, None)


def test_a_merge_carries_the_cart_along(shop: Shop) -> None:
    guest, account = Person(email="dan@mail.test"), Person(email="other@mail.test", customer_id="9")
    tell(shop, activity(0, U, guest), order("5", 0, S.PAID, account, placed=0, paid=0))
    tell(shop, order("6", 0.1, S.PAID, Person(email="dan@mail.test", customer_id="9"), placed=0.1, paid=0.1))
    one = shop.contacts.find("shop", "customer", "9")
    assert one is not None and "dan@mail.test" in one.emails
    known = shop.contacts.get("shop", cart(shop).contact_id or "")
    assert known is not None and known.id == one.id
    assert shop.table.get(f"C#shop#{one.id}", f"K#{TOKEN}") is not None
    tell(shop, activity(30, U, guest))
    assert cart(shop).contact_id == one.id


# Any order, any number of times

OTHER = "f" * 32


def story() -> list[Change]:
    """A guest fills a cart, mistypes an address, goes to the checkout, empties, fills, buys; another is left open."""
    return [
        activity(0),
        activity(3, U, Person(email="noa@mial.test")),
        activity(4, U, NOA, item("1"), item("2", 2)),
        activity(6, CHECKOUT, NOA, item("2", 2)),
        activity(7, CHECKOUT),
        activity(9, EMPTIED, NOA),
        activity(12, CHECKOUT, NOA, item("3"), name="same-1"),
        activity(12, CHECKOUT, NOA, item("4"), name="same-2"),
        activity(15, CONVERTED, DAN, order_id="901"),
        bought(14, DAN, "901"),
        bought(16, DAN, "1000"),
        activity(1, U, DAN, token=OTHER),
        activity(2, CHECKOUT, token=OTHER),
        activity(90, U, DAN, item("9", 9), token=OTHER),
    ]


def both(shop: Shop) -> list[Any]:
    timelines = [events(shop, email) for email in (NOA_MAIL, DAN_MAIL, "noa@mial.test")]
    return [told(shop), told(shop, OTHER), timelines]


@pytest.fixture(scope="module")
def in_order(tables: MemoryTables) -> list[Any]:
    shop = fresh(tables)
    tell(shop, *story())
    return both(shop)


def test_the_story_comes_to_something(in_order: list[Any]) -> None:
    first, other, timelines = in_order
    assert (first["order_id"], first["owner"], first["latest"]["id"]) == ("901", NOA_MAIL, "same-2")
    assert (first["bought_at"], first["checkout_at"]) == (
        START + timedelta(minutes=14),
        START + timedelta(minutes=6),
    )
    assert (other["owner"], other["bought_at"]) == (DAN_MAIL, None)
    assert ("checkout_started", 6) in timelines[0] and ("checkout_started", 2) in timelines[1]


@settings(max_examples=25, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False))
def test_any_order_with_any_repeats_comes_to_the_same(
    tables: MemoryTables, in_order: list[Any], chance: random.Random
) -> None:
    tellings = [change for change in story() for _ in range(chance.choice((1, 1, 2)))]
    chance.shuffle(tellings)
    shop = fresh(tables)
    tell(shop, *tellings)
    assert both(shop) == in_order
    watched = {name.rpartition("-")[2] for name in shop.executions.started}
    assert watched <= {"1", "2"}
    assert isinstance(tellings[0], CartActivity | Order)
