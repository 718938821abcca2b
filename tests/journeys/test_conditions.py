"""Conditions over facts: what is missing or unlike compares false, whatever comes never raises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from chalicelib.commerce.money import Money
from chalicelib.commerce.order import Order, OrderStatus
from chalicelib.commerce.snapshot import Version
from chalicelib.contacts.consent import Channel, Consent, ConsentStatus
from chalicelib.contacts.contact import Contact, PurchaseFact, Share
from chalicelib.contacts.person import Person
from chalicelib.journeys.condition_forms import Operator
from chalicelib.journeys.conditions import Condition, Facts, evaluate, needs, order_asked, steps_mentioned
from chalicelib.messages.message import HistoryEntry, Message, MessageKind, MessageStatus

NOW = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
ENTERED = NOW - timedelta(days=10)
_conditions: TypeAdapter[Condition] = TypeAdapter(Condition)

CONTACT = Contact(
    id="c1",
    store_id="s1",
    email="dana@shop.example",
    first_name="דנה",
    consent={Channel.EMAIL: Consent(status=ConsentStatus.SUBSCRIBED)},
    lists=("customers",),
    fields={"city": "Haifa", "points": 7, "likes": ["tea", "coffee"], "born": "1990-05-01", "asked": False, "none": ""},
    orders_count=2,
    total_spent=Money(amount=20_000, currency="ILS"),
    last_order_at=NOW - timedelta(days=4),
    created_at=NOW - timedelta(days=100),
)
EVENT = {
    "id": "order_paid:s1:o1",
    "type": "order_paid",
    "properties": {
        "order_id": "o1",
        "nth": 1,
        "total": {"amount": 12_000, "currency": "ILS"},
        "items": [
            {"product_id": "12", "quantity": 2, "categories": ["7", "8"]},
            {"product_id": "13", "quantity": 1, "categories": ["8"]},
        ],
    },
}


def fact(subject: str, **orders: tuple[int, int, int]) -> PurchaseFact:
    """Orders as (days ago, units, total)."""
    shares = {
        order: Share(at=NOW - timedelta(days=days), units=units, total=total)
        for order, (days, units, total) in orders.items()
    }
    return PurchaseFact(subject=subject, by_order=shares)


def facts(**changes: Any) -> Facts:
    purchases = [
        fact("product:12", o1=(9.5, 2, 8_000), o2=(4, 1, 4_000)),  # type: ignore[arg-type]
        fact("product:13", o1=(9.5, 1, 4_000)),  # type: ignore[arg-type]
        fact("category:8", o0=(400, 1, 100), o1=(9.5, 3, 12_000)),  # type: ignore[arg-type]
        fact("any", o1=(9.5, 3, 12_000), o2=(4, 1, 8_000)),  # type: ignore[arg-type]
    ]
    known: dict[str, Any] = {
        "contact": CONTACT,
        "now": NOW,
        "purchases": {one.subject: one for one in purchases},
        "event": EVENT,
        "entered_at": ENTERED,
    }
    return Facts(**(known | changes))


def holds(condition: dict[str, Any], **changes: Any) -> bool:
    return evaluate(_conditions.validate_python(condition), facts(**changes))


def field(path: str, operator: str, value: Any = None) -> dict[str, Any]:
    return {"field": path, "is": operator} | ({} if value is None else {"value": value})


@pytest.mark.parametrize(
    "condition",
    [
        field("email", "equals", "dana@shop.example"),
        field("email", "not_equals", "other@shop.example"),
        field("email", "contains", "SHOP"),
        field("email", "starts_with", "Dana"),
        field("email", "one_of", ["a", "dana@shop.example"]),
        field("phone", "is_missing"),
        field("fields.none", "is_missing"),
        field("tags", "is_missing"),
        field("tags", "not_contains", "vip"),
        field("lists", "is_set"),
        field("lists", "contains", "customers"),
        field("lists", "one_of", ["vip", "customers"]),
        field("orders_count", "equals", 2),
        field("orders_count", "at_least", 2),
        field("orders_count", "less", 2.5),
        field("total_spent", "greater", 19_999),
        field("total_spent", "at_most", 20_000),
        field("last_order_at", "within_last_days", 4),
        field("created_at", "before", "2026-11-01"),
        field("created_at", "after", "2025-11-01T00:00:00+02:00"),
        field("fields.likes", "contains", "tea"),
        field("fields.born", "before", "2000-01-01"),
        field("fields.asked", "equals", False),
        field("consent.email", "equals", "subscribed"),
        field("consent.sms", "equals", "never_asked"),
        field("event.nth", "equals", 1),
        field("event.total", "at_least", 12_000),
        field("event.total.currency", "equals", "ILS"),
        field("event.items.product_id", "contains", "13"),
        field("event.items.categories", "contains", "7"),
        field("event.items.categories", "not_contains", "9"),
        {"all": [field("orders_count", "equals", 2), {"not": field("phone", "is_set")}]},
        {"any": [field("phone", "is_set"), field("email", "is_set")]},
    ],
)
def test_holds(condition: dict[str, Any]) -> None:
    assert holds(condition)


@pytest.mark.parametrize(
    "condition",
    [
        field("phone", "equals", "x"),
        field("phone", "not_equals", "x"),  # missing compares false, whatever is asked
        field("phone", "not_contains", "x"),
        field("phone", "is_set"),
        field("orders_count", "equals", "2"),  # unlike types compare false
        field("orders_count", "not_equals", "2"),
        field("orders_count", "equals", True),
        field("fields.asked", "equals", 0),
        field("email", "greater", 1),
        field("orders_count", "before", "2026-11-01"),
        field("orders_count", "contains", "2"),
        field("orders_count", "not_contains", "2"),
        field("fields.city", "after", "2020-01-01"),
        field("last_order_at", "within_last_days", 3),
        field("first_order_at", "after", "2020-01-01"),
        field("lists", "equals", "customers"),
        field("lists", "contains", ""),  # nothing chosen matches nothing
        field("event.items.nonsense", "contains", "12"),
        field("event.items.product_id.deeper", "contains", "12"),
        field("event.nth.deeper", "equals", 1),
        {"all": [field("email", "is_set"), field("phone", "is_set")]},
        {"any": [field("phone", "is_set"), field("tags", "contains", "vip")]},
        {"not": field("email", "is_set")},
    ],
)
def test_does_not_hold(condition: dict[str, Any]) -> None:
    assert not holds(condition)


def bought(**asked: Any) -> dict[str, Any]:
    return {"purchased": asked}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"product": "12"}, True),
        ({"product": "99"}, False),
        ({"product": None}, False),
        ({"product": ""}, False),
        ({"category": None}, False),
        ({"product": "12", "within_days": 5}, True),
        ({"product": "13", "within_days": 5}, False),
        ({"product": "12", "at_least_orders": 2}, True),
        ({"product": "12", "at_least_orders": 2, "within_days": 5}, False),
        ({"product": "12", "at_least_units": 3}, True),
        ({"product": "12", "at_least_units": 4}, False),
        ({"product": "12", "at_least_total": 12_000}, True),
        ({"product": "12", "at_least_total": 12_001}, False),
        ({"category": "8", "within_days": 30, "at_least_units": 4}, False),
        ({"product": "trigger"}, True),
        ({"product": "trigger", "at_least_units": 4}, False),  # 12 and 13 do not add up
        ({"product": "trigger", "since": "entry"}, True),  # o2, though not the event's own o1
        ({"product": "13", "since": "entry"}, False),  # o1 was paid after entry, but started the journey
        ({"category": "trigger", "since": "entry"}, False),
        ({}, True),
        ({"at_least_orders": 2}, True),
        ({"at_least_orders": 3}, False),
        ({"at_least_total": 20_001}, False),
        ({"within_days": 5}, True),
        ({"within_days": 3}, False),
        ({"since": "entry"}, True),
        ({"since": "entry", "at_least_total": 8_000}, True),
        ({"since": "entry", "at_least_orders": 2}, False),  # the event's own is left out
        ({"within_days": 10, "at_least_orders": 2}, True),
        ({"within_days": 5, "at_least_total": 8_001}, False),
        ({"within_days": 10, "at_least_units": 4}, True),
        ({"at_least_units": 4}, True),
        ({"at_least_units": 5}, False),
    ],
)
def test_purchases(asked: dict[str, Any], expected: bool) -> None:
    assert holds(bought(**asked)) is expected


def test_the_order_that_started_the_journey_is_no_purchase_since() -> None:
    """Also when it was paid after the contact entered (a journey that starts when the order is placed)."""
    paid_later = fact("product:12", o1=(4, 2, 8_000))
    assert not holds(bought(since="entry"), purchases={"any": paid_later})
    assert not holds(bought(product="trigger", since="entry"), purchases={"product:12": paid_later})


def test_since_entry_is_false_before_entry() -> None:
    assert not holds(bought(since="entry"), entered_at=None)
    assert not holds(bought(product="12", since="entry"), entered_at=None)


def test_an_order_that_no_longer_counts_is_no_purchase() -> None:
    refunded = CONTACT.model_copy(update={"orders_count": 0})
    assert not holds(bought(), contact=refunded)
    assert not holds(bought(within_days=5), contact=refunded, purchases={"any": fact("any")})
    assert not holds(bought(product="12"), purchases={"product:12": fact("product:12")})


def test_one_read_brings_all_purchases_that_are_needed() -> None:
    condition = _conditions.validate_python(
        {
            "any": [
                bought(product="5"),
                {"not": bought(category="trigger")},
                {"all": [bought(product="trigger"), bought(category=None), bought()]},
            ]
        }
    )
    subjects = {"product:5", "category:7", "category:8", "product:12", "product:13"}
    assert needs(condition, EVENT) == subjects
    assert needs(condition, None) == {"product:5"}
    assert needs(_conditions.validate_python(bought(since="entry")), EVENT) == {"any"}
    assert needs(_conditions.validate_python(bought(at_least_orders=3)), EVENT) == set()  # the contact's totals know


def test_an_event_about_one_product_is_its_own_trigger_product() -> None:
    event = {"type": "product_back_in_stock", "properties": {"product_id": "12"}}
    assert needs(_conditions.validate_python(bought(product="trigger")), event) == {"product:12"}
    assert holds(bought(product="trigger", at_least_orders=2), event=event)


# Messages


def message(status: MessageStatus, *history: str) -> Message:
    return Message(
        id="m",
        store_id="s1",
        contact_id="c1",
        channel=Channel.EMAIL,
        kind=MessageKind.MARKETING,
        status=status,
        at=NOW,
        created_at=NOW,
        history=tuple(HistoryEntry(at=NOW, status=one) for one in history),
    )


@pytest.mark.parametrize(
    ("status", "true_of_it"),
    [
        (MessageStatus.CLAIMED, set()),
        (MessageStatus.UNKNOWN, set()),
        (MessageStatus.NOT_SENT, {"not_sent"}),
        (MessageStatus.SENT, {"sent"}),
        (MessageStatus.FAILED, {"failed"}),
        (MessageStatus.DELIVERED, {"sent", "delivered"}),
        (MessageStatus.BOUNCED, {"sent", "bounced"}),
        (MessageStatus.OPENED, {"sent", "delivered", "opened"}),
        (MessageStatus.CLICKED, {"sent", "delivered", "opened", "clicked"}),
    ],
)
def test_what_became_of_a_message(status: MessageStatus, true_of_it: set[str]) -> None:
    states = ("sent", "delivered", "failed", "opened", "clicked", "not_sent", "bounced")
    came = {"mail": message(status)}
    assert {one for one in states if holds({"message": {"step": "mail", "is": one}}, messages=came)} == true_of_it


def test_what_a_message_was_once_stays_true() -> None:
    complained = {"mail": message(MessageStatus.COMPLAINED, "sent", "opened")}
    assert holds({"message": {"step": "mail", "is": "opened"}}, messages=complained)


def order(status: OrderStatus) -> Order:
    euro = Money(amount=100, currency="EUR")
    version = Version(modified_at=NOW)
    return Order(
        external_id="o1",
        number="o1",
        status=status,
        version=version,
        total=euro,
        refunded=euro,
        person=Person(),
        placed_at=NOW,
    )


@pytest.mark.parametrize("status", OrderStatus)
def test_the_order_of_the_event_as_it_stands_today(status: OrderStatus) -> None:
    true_of_it = {one.value for one in OrderStatus if holds({"order": {"is": one.value}}, order=order(status))}
    assert true_of_it == {status.value}


def test_an_event_about_no_order_has_none_in_any_state() -> None:
    condition = _conditions.validate_python({"not": {"order": {"is": "paid"}}})
    assert evaluate(condition, facts())
    assert order_asked(condition, EVENT) == "o1"
    assert order_asked(condition, {"properties": {}}) is None
    assert order_asked(_conditions.validate_python({"purchased": {}}), EVENT) is None


def test_a_step_that_was_not_reached_is_false_both_ways() -> None:
    assert not holds({"message": {"step": "mail", "is": "sent"}})
    assert not holds({"message": {"step": "mail", "is": "not_sent"}})


def test_the_steps_asked_about_are_found_everywhere() -> None:
    condition = {"any": [{"not": {"message": {"step": "a", "is": "sent"}}}, {"message": {"step": "b", "is": "opened"}}]}
    assert steps_mentioned(_conditions.validate_python(condition)) == {"a", "b"}


# Robustness

# At their own place these are times; in UTC there is no such year.
_EDGES_OF_TIME = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00")
_anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.datetimes()
    | st.datetimes(timezones=st.timezones())
    | st.sampled_from(["9" * 10, *_EDGES_OF_TIME]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "amount", "currency"]), inner),
    max_leaves=5,
)
_WANTED: dict[Operator, st.SearchStrategy[Any]] = {
    Operator.ONE_OF: st.lists(st.text(max_size=3) | st.integers(-9, 9) | st.booleans(), max_size=3),
    Operator.BEFORE: st.sampled_from(["2026-11-21", "2026-11-21T22:00:00Z", "0001-01-01T00:00:00Z"]),
    **dict.fromkeys((Operator.IS_SET, Operator.IS_MISSING), st.none()),
    **dict.fromkeys(
        (Operator.GREATER, Operator.AT_LEAST, Operator.LESS, Operator.AT_MOST, Operator.WITHIN_LAST_DAYS),
        st.integers(-9, 9) | st.floats(-9, 9),
    ),
}
_WANTED[Operator.AFTER] = _WANTED[Operator.BEFORE]


@settings(max_examples=50, deadline=None)
@given(data=st.data(), operator=st.sampled_from(Operator), actual=_anything)
def test_no_value_makes_a_comparison_raise(data: st.DataObject, operator: Operator, actual: Any) -> None:
    wanted = data.draw(_WANTED.get(operator, st.text(max_size=3) | st.integers(-9, 9) | st.booleans()))
    event = {"properties": {"x": actual}}
    contact = CONTACT.model_copy(update={"fields": {"x": actual}})
    for path in ("event.x", "event.x.a", "fields.x"):
        answer = holds(field(path, operator, wanted), event=event, contact=contact)
        opposite = holds({"not": field(path, operator, wanted)}, event=event, contact=contact)
        assert answer is not opposite


def test_the_consumable_is_none_of_what_was_bought_beside_it() -> None:
    again = bought(product="consumable", since="entry")
    properties = {**EVENT["properties"], "consumable": {"product_id": "13", "lifetime_days": 30}}  # type: ignore[dict-item]
    event = {**EVENT, "properties": properties}
    assert holds(bought(product="trigger", since="entry"), event=event)  # product 12, in order o2
    assert not holds(again, event=event)
    assert needs(_conditions.validate_python(again), event) == {"product:13"}
    rebought = {"product:13": fact("product:13", o1=(9.5, 1, 4_000), o3=(1, 1, 4_000))}  # type: ignore[arg-type]
    assert holds(again, event=event, purchases=rebought)


def test_without_a_consumable_nothing_is_meant() -> None:
    asked = bought(product="consumable")
    for event in (EVENT, None, {"properties": {"consumable": None}}, {"properties": {"consumable": {"name": "x"}}}):
        assert not holds(asked, event=event)
        assert needs(_conditions.validate_python(asked), event) == set()


@pytest.mark.parametrize("moment", _EDGES_OF_TIME)
@pytest.mark.parametrize("operator", [Operator.BEFORE, Operator.AFTER, Operator.WITHIN_LAST_DAYS])
def test_a_time_outside_of_time_compares_false_and_is_no_value_to_compare_with(operator: Operator, moment: str) -> None:
    wanted = 3 if operator is Operator.WITHIN_LAST_DAYS else "2026-11-21"
    assert not holds(field("event.x", operator, wanted), event={"properties": {"x": moment}})
    with pytest.raises(ValidationError):
        _conditions.validate_python(field("event.x", operator, moment))


@pytest.mark.parametrize("event", [None, {}, {"properties": None}, {"properties": {"items": "x"}}])
def test_events_without_items_buy_nothing(event: Any) -> None:
    assert not holds(bought(product="trigger"), event=event)
    assert not holds(field("event.items.product_id", "contains", "12"), event=event)
