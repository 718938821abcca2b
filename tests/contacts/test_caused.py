"""What steps do to a contact: once for each cause, nothing lost when several do it at once."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.commerce.event import Event
from chalicelib.contacts.book import ContactInput, ContactPatch
from chalicelib.contacts.consent import Channel, Consent, ConsentChange, ConsentStatus
from chalicelib.contacts.contact import Benefit, Contact
from chalicelib.contacts.field_change import FieldChange, changed
from chalicelib.contacts.own_fields import change_field, count, join_fields, set_fields
from chalicelib.errors import StepCannot
from chalicelib.storage.table import Table
from tests.commerce.shop import START, STORE, Shop, day
from tests.conftest import HandClock
from tests.journeys.test_conditions import CONTACT

ONE = FieldChange("add", 1)
PHONE = "+972505550101"


@pytest.fixture
def shop(table: Table, clock: HandClock) -> Shop:
    return Shop(table, clock)


@pytest.fixture
def noa(shop: Shop) -> str:
    return shop.book.upsert(STORE, ContactInput(email="noa@mail.test")).id


def fields(shop: Shop, contact_id: str) -> dict[str, Any]:
    return contact(shop, contact_id).fields


def contact(shop: Shop, contact_id: str) -> Contact:
    found = shop.contacts.get("shop", contact_id)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("change", "before", "after"),
    [
        (FieldChange("set", "x"), 3, "x"),
        (FieldChange("set", ("a", "b")), None, ["a", "b"]),
        (FieldChange("clear"), 3, None),
        (FieldChange("add", 2), None, 2),
        (FieldChange("add", 2), "", 2),
        (FieldChange("subtract", 2), 1, -1),
        (FieldChange("add", 0.2), 0.1, 0.3),
        (FieldChange("add", 0.5), 1.5, 2),
        (FieldChange("append", "b"), "a", ["a", "b"]),
        (FieldChange("append", ("b", "c")), ["a"], ["a", "b", "c"]),
        (FieldChange("append", "a"), None, ["a"]),
        (FieldChange("today", "2026-11-22"), "2025-01-01", "2026-11-22"),
        (FieldChange("sum", fields=("one", "two", "none")), 99, 7.5),
        (FieldChange("set", "x", only_if_empty=True), "said", "said"),
        (FieldChange("set", "x", only_if_empty=True), "", "x"),
    ],
)
def test_each_change_over_what_is_there(change: FieldChange, before: Any, after: Any) -> None:
    there = {"one": 3, "two": 4.5} | ({} if before is None else {"f": before})
    value = changed(change, "f", there)
    assert (value, type(value)) == (after, type(after))


@pytest.mark.parametrize("before", ["three", "3", True, [1]])
@pytest.mark.parametrize("change", [ONE, FieldChange("subtract", 1), FieldChange("sum", fields=("f",))])
def test_what_is_no_number_is_not_counted_with(change: FieldChange, before: Any) -> None:
    with pytest.raises(StepCannot, match="not_a_number"):
        changed(change, "f", {"f": before})


def test_a_tenth_ten_times_is_one() -> None:
    value: Any = None
    for _ in range(10):
        value = changed(FieldChange("add", 0.1), "f", {"f": value})
    assert (value, type(value)) == (1, int)


def test_many_at_once_count_each_once(shop: Shop, noa: str) -> None:
    """At one moment of the clock, every cause told twice, from several hands."""
    causes = [f"e{index}:count" for index in range(6)] * 2
    random.Random(1).shuffle(causes)
    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(lambda cause: shop.book.change_field("shop", noa, "points", ONE, cause), causes))
    assert fields(shop, noa) == {"points": 6}
    assert {event.id for events in told for event in events} == {f"field_changed:shop:e{i}:count" for i in range(6)}
    steps = sorted((e.properties["from"] or 0, e.properties["to"]) for events in told for e in events)
    assert steps == sorted([(i, i + 1) for i in range(6)] * 2)


def test_two_purchases_and_a_refund_at_once_count_one(shop: Shop, noa: str) -> None:
    """Whether the refund is heard before or after its purchase is counted."""
    counted = FieldChange("add", 2, undoable=True)

    def work(asked: tuple[str, str]) -> list[Event]:
        what, cause = asked
        if what == "refund":
            return shop.book.undo_field("shop", noa, cause)
        return shop.book.change_field("shop", noa, "units", counted, cause)

    for attempt in range(3):
        first, second = f"{attempt}a:count", f"{attempt}b:count"
        works = [("purchase", first), ("purchase", second), ("refund", first), ("refund", first)]
        random.Random(attempt).shuffle(works)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, works))
        list(map(work, works))  # all told again
        assert fields(shop, noa) == {"units": 2 * (attempt + 1)}


def test_what_was_undone_is_told_once_and_found_again(shop: Shop, noa: str) -> None:
    shop.book.change_field("shop", noa, "units", FieldChange("add", 3), "e1:count")
    shop.book.change_field("shop", noa, "units", FieldChange("subtract", 1), "e2:count")
    (undone,) = shop.book.undo_field("shop", noa, "e1:count")
    assert (undone.type, undone.properties) == ("field_changed", {"field": "units", "from": 2, "to": -1})
    assert shop.book.undo_field("shop", noa, "e1:count") == [undone]
    assert shop.book.undo_field("shop", noa, "e9:never") == []
    assert shop.book.change_field("shop", noa, "units", FieldChange("add", 1, undoable=True), "e9:never") == []
    assert fields(shop, noa) == {"units": -1}
    shop.book.set_field("shop", noa, "units", "many", "e3:set")
    shop.book.undo_field("shop", noa, "e2:count")  # no number any more: left alone
    assert fields(shop, noa) == {"units": "many"}


def test_only_if_empty_is_decided_over_what_is_written_over(shop: Shop, noa: str) -> None:
    """Not over what was read before: of several at once one writes."""
    gentle = [FieldChange("set", f"guess {i}", only_if_empty=True) for i in range(4)]
    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(lambda i: shop.book.change_field("shop", noa, "kids", gentle[i], f"e{i}"), range(4)))
    assert sum(map(len, told)) == 1
    assert [e.properties["from"] for events in told for e in events] == [None]


def test_a_cause_is_known_again_after_two_contacts_became_one(shop: Shop, noa: str) -> None:
    other = shop.book.upsert(STORE, ContactInput(phone=PHONE)).id
    told = [
        shop.book.change_field("shop", noa, "points", FieldChange("add", 3), "e1"),
        shop.book.change_field("shop", other, "points", FieldChange("add", 2), "e2"),
    ]
    shop.book.upsert(STORE, ContactInput(email="noa@mail.test", phone=PHONE))
    assert fields(shop, noa) == {"points": 5}  # what both counted
    again = [
        shop.book.change_field("shop", other, "points", FieldChange("add", 3), "e1"),
        shop.book.change_field("shop", noa, "points", FieldChange("add", 2), "e2"),
    ]
    assert again == told
    shop.book.undo_field("shop", noa, "e2")
    assert fields(shop, other) == {"points": 3}


def test_what_is_told_late_is_under_what_was_counted_since() -> None:
    told = set_fields(CONTACT, {"points": 10}, day(1), "api")
    counted = count(count(told, "points", 2, day(3)), "points", 1, day(4))
    assert set_fields(counted, {"points": 20}, day(2), "api").fields["points"] == 23
    assert set_fields(counted, {"points": 20}, day(0), "api").fields["points"] == 13  # older than the 10
    assert set_fields(counted, {"points": 20}, day(5), "api").fields["points"] == 20
    assert set_fields(counted, {"points": "many"}, day(2), "api").fields["points"] == "many"


def test_fields_join_the_same_way_whoever_stays() -> None:
    plain = CONTACT.model_copy(update={"fields": {}, "provenance": {}})
    one = count(set_fields(plain, {"points": 10, "city": "Haifa"}, day(1), "api"), "points", 2, day(2))
    other = count(set_fields(plain, {"points": 1, "city": "Yafo"}, day(3), "api"), "points", 5, day(4))
    third = count(plain, "points", 7, day(0))
    for sides in ((one, other, third), (third, other, one), (other, one, third)):
        joined = join_fields(join_fields(sides[0], sides[1]), sides[2])
        assert joined.fields == {"points": 1 + 2 + 5 + 7, "city": "Yafo"}


def test_a_step_is_the_newest_by_coming_last() -> None:
    """Two causes of one moment: whichever is written second must not be lost for its name."""
    first = change_field(CONTACT, "words", FieldChange("append", "a"), START, "z")
    second = change_field(first, "words", FieldChange("append", "b"), START, "a")
    assert second.fields["words"] == ["a", "b"]
    assert (
        change_field(second, "words", FieldChange("clear"), START - timedelta(days=1), "a").fields.get("words") is None
    )


def types(events: list[Event]) -> list[str]:
    return [event.type for event in events]


def test_consent_is_told_in_a_word_too_and_a_later_choice_stays(shop: Shop, noa: str, clock: HandClock) -> None:
    def choose(status: ConsentStatus, cause: str) -> list[Event]:
        return shop.book.set_consent("shop", noa, Channel.SMS, status, "journey:j", cause)

    told = choose(ConsentStatus.SUBSCRIBED, "e1")
    assert types(told) == ["consent_changed", "subscribed"]
    assert told[1].properties == {"channel": "sms", "source": "journey:j"}
    assert choose(ConsentStatus.SUBSCRIBED, "e1") == told
    later = Consent(status=ConsentStatus.UNSUBSCRIBED, source="link", at=clock.now() + timedelta(seconds=1))
    shop.book.change_consent("shop", noa, [ConsentChange(channel=Channel.SMS, consent=later)])
    assert choose(ConsentStatus.SUBSCRIBED, "e1") == told
    assert choose(ConsentStatus.SUBSCRIBED, "e2") == []
    assert contact(shop, noa).consent_for(Channel.SMS).status is ConsentStatus.UNSUBSCRIBED
    kept = [event.type for event in shop.timeline.of_contact("shop", noa)]
    assert kept.count("subscribed") == 1


def test_audiences_benefits_and_the_zone_go_with_the_contact(shop: Shop, noa: str) -> None:
    other = shop.book.upsert(STORE, ContactInput(phone=PHONE, timezone="Asia/Tokyo")).id
    assert types(shop.book.join_audience("shop", noa, "vip", "e1")) == ["audience_joined"]
    assert types(shop.book.join_audience("shop", noa, "vip", "e2")) == []
    shop.book.join_audience("shop", other, "new", "e3")
    (left,) = shop.book.leave_audience("shop", noa, "vip", "e4")
    assert left.properties == {"audience": "vip"}

    first, second = (
        Benefit(kind="percent", code=code, at=at, journey="j", step="s") for code, at in (("A", day(1)), ("B", day(2)))
    )
    for _ in range(2):
        shop.book.give_benefit("shop", noa, second)
        shop.book.use_benefit("shop", noa, "b", day(3))
        shop.book.use_benefit("shop", noa, "A", day(4))
        shop.book.give_benefit("shop", noa, first)
    shop.book.give_benefit("shop", other, first)
    assert contact(shop, noa).last_benefit == second.model_copy(update={"used_at": day(3)})

    joined = shop.book.upsert(STORE, ContactInput(email="noa@mail.test", phone=PHONE))
    assert (joined.timezone, joined.audiences) == ("Asia/Tokyo", ("new",))
    assert joined.last_benefit == second.model_copy(update={"used_at": day(3)})
    assert shop.book.patch(STORE, noa, ContactPatch(timezone=None)).timezone is None
