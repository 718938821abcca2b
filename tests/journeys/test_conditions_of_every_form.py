"""What a contact did on the site, its benefits, the clock and chance; and no condition raises, whatever the facts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from chalicelib.commerce.event import Event
from chalicelib.contacts.contact import Benefit
from chalicelib.contacts.engagement import Engagement
from chalicelib.contacts.engagement_fold import fold
from chalicelib.journeys.condition_forms import FORMS, Operator
from chalicelib.journeys.conditions import Condition, Facts, evaluate
from chalicelib.journeys.enrolment import Enrolment, Parked, Passage
from chalicelib.journeys.facts import steps_of, wanted_for
from chalicelib.messages.message import HistoryEntry, MessageStatus
from tests.journeys.test_conditions import CONTACT, ENTERED, EVENT, NOW, fact, facts, message

_conditions: TypeAdapter[Condition] = TypeAdapter(Condition)


def happened(days_ago: float, type_: str, **properties: Any) -> Event:
    at = NOW - timedelta(days=days_ago)
    return Event(id=f"{type_}:{days_ago}", type=type_, occurred_at=at, properties=properties)


KNOWN = Engagement()
for _event in (
    happened(20, "product_viewed", product_id="12", categories=["8"], seconds=40),
    happened(5, "product_viewed", product_id="12", seconds=20, in_stock=False),
    happened(4, "product_viewed", product_id="13", categories=["9"], seconds=10),
    happened(3, "category_viewed", category="9"),
    happened(2, "wish_list_changed", added=["12", "13"]),
    happened(1, "wish_list_changed", removed=["13"]),
    happened(9, "segment_entered", segment="vip"),
    happened(8, "segment_left", segment="new"),
    happened(7, "topic_interest", topic="tea", score=60),
    happened(6, "survey_answered", survey="why", answers={"reason": "Price", "stars": 4, "likes": ["tea", "pots"]}),
    happened(6, "linked_record_changed", kind="pet", id="1", fields={"species": "cat", "born": "2020-01-01"}),
    happened(6, "linked_record_changed", kind="pet", id="2", fields={"species": "dog"}),
    happened(5, "linked_record_changed", kind="pet", id="2", deleted=True),
):
    KNOWN = fold(KNOWN, _event)

ENGAGED = Facts(
    contact=CONTACT,
    now=NOW,
    event=EVENT,
    entered_at=ENTERED,
    engagement=KNOWN,
    categories={"12": ["8"]},
    store_zone="Asia/Jerusalem",
    country="IL",
)


def holds(condition: dict[str, Any], known: Facts = ENGAGED) -> bool:
    return evaluate(_conditions.validate_python(condition), known)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, True),
        ({"product": "12"}, True),
        ({"product": "99"}, False),
        ({"product": None}, False),
        ({"product": "trigger", "at_least_times": 2}, True),
        ({"product": "trigger", "at_least_times": 3}, False),  # 12 and 13 do not add up
        ({"product": "12", "within_days": 5}, False),
        ({"product": "12", "within_days": 6}, True),
        ({"product": "12", "since": "entry", "at_least_times": 2}, False),
        ({"product": "12", "out_of_stock": True}, True),
        ({"product": "13", "out_of_stock": True}, False),
        ({"product": "12", "at_least_seconds": 60}, True),
        ({"product": "12", "at_least_seconds": 61}, False),
        ({"category": "8", "at_least_times": 2}, True),  # the second view by the catalogue
        ({"category": "9", "at_least_times": 2}, True),  # its own page counts
        ({"category": "9", "at_least_products": 2}, False),
        ({"category": "trigger", "at_least_products": 1}, True),
        ({"at_least_products": 2}, True),
        ({"at_least_products": 3}, False),
        ({"at_least_times": 3}, True),
        ({"at_least_times": 4}, False),  # a category's page is no product's
    ],
)
def test_what_was_looked_at(asked: dict[str, Any], expected: bool) -> None:
    assert holds({"viewed": asked}) is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"wish_list": {}}, True),
        ({"wish_list": {"product": "12"}}, True),
        ({"wish_list": {"product": "13"}}, False),
        ({"wish_list": {"category": "8"}}, True),
        ({"wish_list": {"category": "9"}}, False),
        ({"wish_list": {"product": "trigger"}}, True),
        ({"segment": {"id": "vip"}}, True),
        ({"segment": {"id": "new"}}, False),
        ({"topic": {"name": "tea"}}, True),
        ({"topic": {"name": "tea", "at_least": 61}}, False),
        ({"topic": {"name": "pots", "at_least": 0}}, False),
        ({"survey": {"survey": "why", "question": "reason", "is": "equals", "value": "Price"}}, True),
        ({"survey": {"survey": "why", "question": "reason", "is": "starts_with", "value": "pri"}}, True),
        ({"survey": {"survey": "why", "question": "stars", "is": "at_least", "value": 4}}, True),
        ({"survey": {"survey": "why", "question": "stars", "is": "equals", "value": "4"}}, False),
        ({"survey": {"survey": "why", "question": "likes", "is": "contains", "value": "pots"}}, True),
        ({"survey": {"survey": "why", "question": "else", "is": "is_missing"}}, True),
        ({"survey": {"survey": "other", "question": "reason", "is": "not_equals", "value": "x"}}, False),
        ({"linked": {"kind": "pet", "field": "species", "is": "equals", "value": "cat"}}, True),
        ({"linked": {"kind": "pet", "field": "species", "is": "equals", "value": "dog"}}, False),  # gone
        ({"linked": {"kind": "pet", "field": "born", "is": "before", "value": "2021-01-01"}}, True),
        ({"linked": {"kind": "child", "field": "born", "is": "is_missing"}}, False),  # no record, no missing field
    ],
)
def test_what_was_wished_for_answered_and_belongs(condition: dict[str, Any], expected: bool) -> None:
    assert holds(condition) is expected


@pytest.mark.parametrize(
    ("days_ago", "used", "asked", "expected"),
    [
        (None, False, {"none_within_days": 30}, True),
        (None, False, {"used": False}, False),
        (None, False, {}, False),
        (10, False, {"none_within_days": 10}, True),
        (9.9, False, {"none_within_days": 10}, False),
        (40, True, {"none_within_days": 30, "used": True}, True),
        (40, False, {"none_within_days": 30, "used": True}, False),
        (1, False, {"used": False}, True),
        (1, True, {"used": True}, True),
    ],
)
def test_the_last_benefit(days_ago: float | None, used: bool, asked: dict[str, Any], expected: bool) -> None:
    benefit = days_ago and Benefit(
        kind="percent",
        code="TEN",
        at=NOW - timedelta(days=days_ago),
        journey="j",
        step="coupon",
        used_at=NOW if used else None,
    )
    contact = CONTACT.model_copy(update={"last_benefit": benefit})
    assert holds({"benefit": asked}, facts(contact=contact)) is expected


@pytest.mark.parametrize(
    ("moment", "asked", "expected"),
    [
        ("2026-11-22T21:30:00+00:00", {"weekdays": ["sunday"]}, True),  # half past eleven at night in Jerusalem
        ("2026-11-22T22:00:00+00:00", {"weekdays": ["sunday"]}, False),  # Monday has begun there
        ("2026-11-22T22:00:00+00:00", {"weekdays": ["sunday"], "zone": "contact"}, True),  # not in New York
        ("2026-11-22T07:00:00+00:00", {"from": "09:00", "to": "18:00"}, True),
        ("2026-11-22T16:00:00+00:00", {"from": "09:00", "to": "18:00"}, False),
        ("2026-11-22T22:00:00+00:00", {"from": "22:00", "to": "06:00"}, True),
        ("2026-11-22T04:00:00+00:00", {"from": "22:00", "to": "06:00"}, False),
        ("2026-11-22T03:59:00+00:00", {"from": "22:00", "to": "06:00"}, True),
        ("2026-11-22T07:00:00+00:00", {"from": "09:00"}, True),
        ("2026-11-22T06:59:00+00:00", {"from": "09:00"}, False),
        ("2026-11-22T06:59:00+00:00", {"to": "09:00"}, True),
        ("2026-11-20T21:59:00+00:00", {"holiday": True}, False),
        ("2026-11-20T22:00:00+00:00", {"holiday": True}, True),  # Saturday
        ("2026-11-20T22:00:00+00:00", {"holiday": False}, False),
        ("2026-10-25T00:30:00+00:00", {"from": "02:00", "to": "03:00"}, True),  # after the clock went back
    ],
)
def test_the_clock(moment: str, asked: dict[str, Any], expected: bool) -> None:
    contact = CONTACT.model_copy(update={"timezone": "America/New_York"})
    known = facts(contact=contact, now=datetime.fromisoformat(moment), store_zone="Asia/Jerusalem", country="IL")
    assert holds({"clock": asked}, known) is expected


def test_a_zone_that_is_none_is_the_stores_or_utc() -> None:
    asked = {"clock": {"from": "10:00", "to": "11:00", "zone": "contact"}}
    noon = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
    assert not holds(asked, facts(now=noon, store_zone="Asia/Jerusalem"))
    assert holds(asked, facts(contact=CONTACT.model_copy(update={"timezone": "Mars/Sea"}), now=noon))


def test_chance_is_the_same_every_time_and_as_large_as_it_says() -> None:
    def drawn(percent: int, salt: str = "") -> set[int]:
        asked = _conditions.validate_python({"random": {"percent": percent, "salt": salt}})
        return {i for i in range(5000) if evaluate(asked, facts(contact=CONTACT.model_copy(update={"id": f"c{i}"})))}

    third, half = drawn(33), drawn(50)
    assert (third, half) == (drawn(33), drawn(50))
    assert third < half  # who is in stays in when there are more
    assert abs(len(third) / 5000 - 0.33) < 0.02
    assert abs(len(drawn(50, "other") & half) / 5000 - 0.25) < 0.02  # another salt parts anew


@pytest.mark.parametrize(
    ("clicked", "asked", "expected"),
    [
        ("https://shop.example/sale?utm=1#top", "https://shop.example/sale", True),
        ("https://shop.example/sale/tea", "https://shop.example/sale/", True),
        ("https://shop.example/sales", "https://shop.example/sale", False),
        ("https://shop.example/sale?id=1", "https://shop.example/sale?id=1", True),
        ("https://shop.example/sale?id=12", "https://shop.example/sale?id=1", False),
        (None, "https://shop.example/sale", False),
    ],
)
def test_which_link_was_clicked(clicked: str | None, asked: str, expected: bool) -> None:
    history = (
        HistoryEntry(at=NOW, status="clicked", detail="https://shop.example/other"),
        HistoryEntry(at=NOW, status="clicked", detail=clicked),
    )
    sent = message(MessageStatus.CLICKED).model_copy(update={"history": history})
    assert (
        holds({"message": {"step": "mail", "is": "clicked", "link": asked}}, facts(messages={"mail": sent})) is expected
    )


def test_what_became_of_the_steps_behind() -> None:
    def passage(what: str, step: str, detail: str | None = None) -> Passage:
        return Passage(at=NOW, what=what, step=step, detail=detail)

    enrolment = Enrolment(
        id="c1-x",
        store_id="s1",
        journey="j",
        contact_id="c1",
        version=1,
        entry_key="once",
        entered_at=ENTERED,
        at_step="wait-3",
        parked=Parked(step="wait-3", until=NOW + timedelta(days=1)),
        history=(
            passage("step", "mail", "sent"),
            passage("step", "coupon", "skipped:off"),
            passage("step", "hook", "failed:http_500"),
            passage("parked", "wait-1"),
            passage("happened", "wait-1"),
            passage("parked", "wait-2"),
            passage("parked", "wait-3"),
        ),
    )
    behind = {"mail": "done", "coupon": "skipped", "hook": "failed", "wait-1": "happened", "wait-2": "timed_out"}
    assert steps_of(enrolment, NOW) == behind | {"wait-3": "waits"}
    assert steps_of(enrolment, NOW + timedelta(days=1))["wait-3"] == "timed_out"
    came = enrolment.model_copy(update={"parked": Parked(step="wait-3", until=NOW, happened_at=NOW)})
    assert steps_of(came, NOW)["wait-3"] == "happened"
    known = facts(steps=steps_of(enrolment, NOW))
    assert holds({"step": {"step": "hook", "is": "failed"}}, known)
    assert not holds({"step": {"step": "wait-3", "is": "timed_out"}}, known)
    assert not holds({"step": {"step": "nowhere", "is": "done"}}, known)


def test_only_what_a_condition_is_answered_by_is_read() -> None:
    def wanted(*conditions: dict[str, Any]) -> Any:
        return wanted_for([_conditions.validate_python(one) for one in conditions], EVENT, "c1-x")

    nothing = wanted({"random": {"percent": 5}}, {"benefit": {"used": True}}, {"field": "tags", "is": "is_set"})
    assert not (nothing.engagement or nothing.store or nothing.subjects or nothing.orders or nothing.messages)
    assert wanted({"not": {"viewed": {}}}).engagement
    assert not wanted({"viewed": {"product": "12"}}).categories
    assert wanted({"any": [{"wish_list": {"category": "8"}}, {"clock": {"from": "09:00"}}]}).categories
    assert wanted({"clock": {"from": "09:00"}}).store
    both = wanted({"purchased": {"within_days": 3}}) | wanted(
        {"purchased": {"product": "12"}}, {"order": {"is": "paid"}}
    )
    assert (both.subjects, both.orders) == ({"any", "product:12"}, {"o1"})


# Robustness

_SCALAR = st.text(max_size=3) | st.integers(-9, 9) | st.booleans()
_ID = st.sampled_from(["12", "8", "trigger", "consumable", "", None])
_SUBJECT = st.one_of(st.just({}), st.fixed_dictionaries({"product": _ID}), st.fixed_dictionaries({"category": _ID}))
_BARS = st.dictionaries(st.sampled_from(["at_least_times", "at_least_products", "at_least_seconds"]), st.integers(1, 3))
_BOUGHT = st.dictionaries(st.sampled_from(["at_least_orders", "at_least_units", "at_least_total"]), st.integers(1, 9))
_WINDOW = st.sampled_from([{}, {"within_days": 7}, {"since": "entry"}])
_COMPARED = st.one_of(
    st.fixed_dictionaries({"is": st.sampled_from(["is_set", "is_missing"])}),
    st.fixed_dictionaries({"is": st.sampled_from(["before", "after"]), "value": st.just("2026-11-01")}),
    st.fixed_dictionaries(
        {"is": st.just("one_of"), "value": st.lists(st.integers(-9, 9) | st.text(max_size=3), max_size=3)}
    ),
    st.fixed_dictionaries(
        {"is": st.sampled_from(["greater", "at_most", "within_last_days"]), "value": st.integers(-9, 9)}
    ),
    st.fixed_dictionaries(
        {"is": st.sampled_from(["equals", "not_equals", "contains", "not_contains", "starts_with"])},
    ).flatmap(lambda one: _SCALAR.map(lambda value: {**one, "value": value})),
)


def _both(*several: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(*several).map(lambda found: {key: value for one in found for key, value in one.items()})


_PATHS = st.sampled_from(["timezone", "fields.x", "event.items.product_id"])
_LEAVES: dict[str, st.SearchStrategy[Any]] = {
    "field": _both(
        st.fixed_dictionaries({"field": st.sampled_from(["timezone", "fields.x", "event.items.product_id"])}), _COMPARED
    ),
    "purchased": _both(_SUBJECT, _WINDOW, _BOUGHT),
    "ordered": st.just({"since": "entry"}),
    "message": st.sampled_from([{"step": "mail", "is": "clicked", "link": "x"}, {"step": "mail", "is": "sent"}]),
    "step": st.fixed_dictionaries({"step": st.just("mail"), "is": st.sampled_from(["done", "timed_out"])}),
    "viewed": _both(_SUBJECT, _WINDOW, _BARS, st.sampled_from([{}, {"out_of_stock": True}])),
    "wish_list": _SUBJECT,
    "cart": _SUBJECT,
    "order": st.just({"is": "paid"}),
    "segment": st.just({"id": "vip"}),
    "topic": st.fixed_dictionaries({"name": st.just("tea"), "at_least": st.integers(0, 100)}),
    "benefit": st.sampled_from([{}, {"used": True}, {"none_within_days": 3}]),
    "survey": _both(st.just({"survey": "why", "question": "reason"}), _COMPARED),
    "linked": _both(st.just({"kind": "pet", "field": "species"}), _COMPARED),
    "clock": st.sampled_from(
        [{"from": "22:00", "to": "06:00", "holiday": True}, {"zone": "contact", "weekdays": ["friday"]}]
    ),
    "random": st.fixed_dictionaries({"percent": st.integers(1, 99)}),
}
_tree = st.recursive(
    st.one_of(
        [one if key == "field" else one.map(lambda asked, key=key: {key: asked}) for key, one in _LEAVES.items()]
    ),
    lambda inner: st.one_of(
        inner.map(lambda one: {"not": one}),
        st.lists(inner, min_size=1, max_size=3).map(lambda some: {"all": some}),
        st.lists(inner, min_size=1, max_size=3).map(lambda some: {"any": some}),
    ),
    max_leaves=6,
)
_junk = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.lists(st.integers() | st.none(), max_size=2)
)
_known = st.builds(
    lambda junk, zone, has, entered: Facts(
        contact=CONTACT.model_copy(update={"timezone": zone, "fields": {"x": junk}}),
        now=NOW,
        purchases={one: fact(one, o3=(1, 1, 1)) for one in ("any", "product:12", "category:8")} if has else {},
        event={"id": junk, "properties": {"items": [{"product_id": junk}, junk], "consumable": junk, "order_id": junk}},
        entered_at=ENTERED if entered else None,
        engagement=fold(
            fold(KNOWN, happened(0, "survey_answered", survey="why", answers={"reason": junk})),
            happened(0, "linked_record_changed", kind="pet", id="1", fields={"species": junk}),
        )
        if has
        else None,
        messages={"mail": message(MessageStatus.CLICKED, "clicked")} if has else {},
        store_zone="Asia/Jerusalem",
        country="IL",
    ),
    _junk,
    st.sampled_from([None, "", "Mars/Sea", "../etc", "Asia/Tokyo"]),
    st.booleans(),
    st.booleans(),
)


def test_every_form_is_tried() -> None:
    assert {*_LEAVES, "all", "any", "not"} == set(FORMS)


@settings(max_examples=300, deadline=None)
@given(tree=_tree, known=_known)
def test_no_condition_raises_whatever_the_facts(tree: dict[str, Any], known: Facts) -> None:
    condition = _conditions.validate_python(tree)
    assert evaluate(condition, known) is not evaluate(_conditions.validate_python({"not": tree}), known)
    wanted_for([condition], known.event or {}, "c1-x")


@pytest.mark.parametrize("operator", [one for one in Operator if one is not Operator.IS_MISSING])
def test_a_missing_answer_or_field_compares_false(operator: Operator) -> None:
    numeric = operator in ("greater", "at_least", "less", "at_most", "within_last_days")
    value: Any = {"one_of": ["x"], "is_set": None, "before": "2026-11-21", "after": "2026-11-21"}.get(operator, "x")
    compared = {"is": operator.value} | ({} if operator == "is_set" else {"value": 3 if numeric else value})
    assert not holds({"survey": {"survey": "why", "question": "else", **compared}})
    assert not holds({"linked": {"kind": "pet", "field": "name", **compared}})
    assert not holds({"field": "timezone", **compared})
