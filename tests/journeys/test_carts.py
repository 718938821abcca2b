"""Conditions on carts, in the language of conditions and in words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter

from chalicelib.commerce.cart import CartRecord, CartStep
from chalicelib.commerce.cart_fold import with_activity, with_order
from chalicelib.commerce.money import Money
from chalicelib.contacts.contact import Contact
from chalicelib.journeys.condition_forms import Condition
from chalicelib.journeys.conditions import Facts, asks_for_cart, evaluate
from chalicelib.journeys.wording_conditions import condition_in_words
from tests.commerce.carts import activity, item

NOW = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
CONTACT = Contact(id="c1", store_id="s", total_spent=Money(amount=0, currency="ILS"), created_at=NOW)
EMPTY = CartRecord(store_id="s", token="t")
OPEN = with_activity(EMPTY, activity(0, CartStep.UPDATED, activity(0).person, item("1", categories=("7",))), "c1")
LEFT = OPEN.model_copy(update={"left_as": OPEN.latest.place() if OPEN.latest else ""})
BOUGHT = with_order(LEFT, "900", NOW)
EMPTIED = with_activity(OPEN, activity(5, CartStep.EMPTIED), "c1")
OF_ONE = {"type": "order_paid", "properties": {"items": [{"product_id": "1"}]}}


def read(data: dict[str, Any]) -> Condition:
    found: Condition = TypeAdapter(Condition).validate_python(data)
    return found


def holds(asked: dict[str, Any], cart: CartRecord | None, event: dict[str, Any] | None = None) -> bool:
    return evaluate(read({"cart": asked}), Facts(contact=CONTACT, now=NOW, cart=cart, event=event))


@pytest.mark.parametrize(
    ("state", "cart"), [("open", OPEN), ("abandoned", LEFT), ("bought", BOUGHT), ("emptied", EMPTIED)]
)
def test_a_cart_is_in_one_state_at_a_time(state: str, cart: CartRecord) -> None:
    held = [name for name in ("open", "abandoned", "bought", "emptied") if holds({"is": name}, cart)]
    assert held == [state]


def test_who_has_no_cart_has_none_in_any_state() -> None:
    assert not holds({}, None)
    assert holds({}, OPEN)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"product": "1"}, True),
        ({"product": "2"}, False),
        ({"product": ""}, False),
        ({"category": "7"}, True),
        ({"category": "8"}, False),
        ({"product": "trigger"}, True),
        ({"at_least_total": 5000}, True),
        ({"at_least_total": 5001}, False),
        ({"is": "bought", "product": "1", "at_least_total": 1}, True),
    ],
)
def test_what_is_in_it_and_what_it_comes_to(asked: dict[str, Any], expected: bool) -> None:
    assert holds(asked, BOUGHT, OF_ONE) is expected


def test_nothing_is_in_an_emptied_cart() -> None:
    assert not holds({"product": "1"}, EMPTIED)


def test_a_cart_is_only_read_where_it_is_asked_for() -> None:
    assert asks_for_cart(read({"not": {"any": [{"cart": {"is": "open"}}]}}))
    assert not asks_for_cart(read({"purchased": {"product": "1"}}))


@pytest.mark.parametrize(
    ("asked", "hebrew", "english"),
    [
        ({"is": "abandoned"}, "העגלה ננטשה", "the cart was left"),
        ({"is": "open", "product": "5"}, "העגלה פתוחה ויש בה מוצר 5", "the cart is open, with product 5"),
        ({"product": "trigger"}, "יש עגלה ויש בה אותו מוצר", "there is a cart, with the same product"),
        ({"at_least_total": 900}, "יש עגלה, בסכום 9.00 ומעלה", "there is a cart, total 9.00 or more"),
    ],
)
def test_conditions_on_carts_read_as_words(asked: dict[str, Any], hebrew: str, english: str) -> None:
    condition = read({"cart": asked})
    assert (condition_in_words(condition, "he"), condition_in_words(condition, "en")) == (hebrew, english)
