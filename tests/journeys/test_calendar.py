"""Who is due on which day: zones, clock changes, leap days, year ends, and what was missed. All in memory."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.commerce.ports import ProductRecord
from chalicelib.commerce.product import Product
from chalicelib.commerce.snapshot import Version
from chalicelib.contacts.engagement import Engagement
from chalicelib.contacts.purchases import Bought, Line, Purchases
from chalicelib.errors import BadInput, TryLater
from chalicelib.journeys.definition import Definition
from chalicelib.journeys.due_days import due_moment
from chalicelib.journeys.errands import Errand
from chalicelib.journeys.triggers import DateTrigger
from tests.conftest import HandClock
from tests.journeys.calendar_world import STORE, CalendarWorld, Crash
from tests.journeys.world import journey, mail

DAY = timedelta(days=1)
BIRTHDAY = {"type": "date_field", "field": "birthday", "yearly": True}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def world_at(moment: str, timezone: str = "Asia/Jerusalem") -> CalendarWorld:
    return CalendarWorld(HandClock(at(moment)), timezone)


def looks_until(world: CalendarWorld, moment: str, every: timedelta = timedelta(hours=6)) -> None:
    while world.clock.now() < at(moment):
        world.clock.time = min(world.clock.now() + every, at(moment))
        world.look()


# Dates


@pytest.mark.parametrize(
    ("value", "rule", "told"),
    [
        ("1990-12-05", {}, ["2026-12-05"]),
        ("1990-12-05", {"yearly": False}, []),
        ("2026-12-05", {"yearly": False}, ["2026-12-05"]),
        ("2027-12-05", {}, []),  # no year of it has come yet
        ("1990-01-03", {"days": 7}, ["2027-01-03"]),  # a week before, in the year before
        ("1990-12-28", {"days": 7, "when": "after"}, ["2026-12-28"]),  # a week after, in the year after
        ("2026-11-25", {"days": 30, "when": "after", "yearly": False}, ["2026-11-25"]),
        ("1990-12-05T23:30:00Z", {}, ["2026-12-06"]),  # in Jerusalem it is the next day already
        ("2026-12-31T23:30:00Z", {"yearly": False}, ["2027-01-01"]),
        ("1990-12-05T23:30:00+02:00", {}, ["2026-12-05"]),
        ("5 December", {}, []),
        ("1990-13-45", {}, []),
        (5, {}, []),
    ],
)
def test_a_date_is_told_on_its_day_in_the_stores_zone(value: Any, rule: dict[str, Any], told: list[str]) -> None:
    world = world_at("2026-11-20T12:00:00Z")
    world.person("dana", fields={"birthday": value})
    world.activate({**BIRTHDAY, **rule})
    looks_until(world, "2027-01-20T12:00:00Z")
    assert world.dates("dana") == told
    assert all(event.occurred_at.astimezone(ZoneInfo("Asia/Jerusalem")).hour == 9 for _, event, _ in world.told)


@pytest.mark.parametrize(
    ("value", "year", "told"),
    [
        ("1992-02-29", 2027, "2027-02-28"),
        ("1992-02-29", 2028, "2028-02-29"),
        ("1992-02-28", 2028, "2028-02-28"),
        ("1992-02-28", 2027, "2027-02-28"),
        ("1992-02-28T22:30:00Z", 2027, "2027-02-28"),  # the 29th in Jerusalem
        ("1992-02-29T22:30:00Z", 2027, "2027-03-01"),
    ],
)
def test_29_february_is_kept_on_the_28th_of_other_years(value: str, year: int, told: str) -> None:
    world = world_at(f"{year}-02-20T12:00:00Z")
    world.person("dana", fields={"birthday": value}, joined=at(f"{value[:10]}T10:00:00Z"))
    world.activate(BIRTHDAY)
    world.activate({"type": "date_field", "field": "created_at", "yearly": True}, "anniversary")
    looks_until(world, f"{year}-03-05T12:00:00Z")
    by_field = {event.properties["field"]: event.properties for _, event, _ in world.told}
    assert len(world.told) == 2
    assert by_field["birthday"] == {
        "field": "birthday", "date": told, "days": 0, "when": "before", "years": year - 1992, "at": "09:00"
    }  # fmt: skip
    kept = date(year, 2, 28) if value[:10] == "1992-02-28" or year == 2027 else date(year, 2, 29)
    assert by_field["created_at"]["date"] == kept.isoformat()


def test_the_day_of_joining_is_no_anniversary() -> None:
    world = world_at("2026-11-20T00:00:00Z")
    world.activate({"type": "date_field", "field": "created_at", "yearly": True})
    world.activate({"type": "date_field", "field": "created_at", "days": 1, "when": "after"}, "next-day")
    world.person("new", joined=at("2026-11-20T01:00:00Z"))
    world.person("old", joined=at("2021-11-20T22:30:00Z"))  # the 21st in Jerusalem
    looks_until(world, "2026-11-23T00:00:00Z")
    assert [(who, e.properties["date"], e.properties["years"]) for who, e, _ in world.told] == [
        ("old", "2026-11-21", 5), ("new", "2026-11-20", 0)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("zone", "day", "time", "moment"),
    [
        ("Asia/Jerusalem", "2026-03-27", "02:30", "2026-03-27T00:00:00Z"),  # no 02:30: the moment after the jump
        ("America/New_York", "2026-03-08", "02:00", "2026-03-08T07:00:00Z"),
        ("Asia/Jerusalem", "2026-10-25", "01:30", "2026-10-24T22:30:00Z"),  # twice 01:30: the first
        ("Asia/Beirut", "2026-03-29", "00:00", "2026-03-28T22:00:00Z"),
        ("Pacific/Kiritimati", "2026-05-01", "09:00", "2026-04-30T19:00:00Z"),
        ("Pacific/Pago_Pago", "2026-05-01", "23:59", "2026-05-02T10:59:00Z"),
        ("Asia/Kathmandu", "2026-05-01", "09:00", "2026-05-01T03:15:00Z"),
    ],
)
def test_a_day_is_due_when_its_time_has_come_on_the_stores_clock(zone: str, day: str, time: str, moment: str) -> None:
    assert due_moment(DateTrigger(type="date_field", field="f", at=time), date.fromisoformat(day), ZoneInfo(zone)) == (
        at(moment)
    )
    world = CalendarWorld(HandClock(at(moment) - timedelta(hours=1)), zone)
    world.person("dana", fields={"birthday": f"1990{day[4:]}"})
    world.activate({**BIRTHDAY, "at": time})
    world.clock.time = at(moment) - timedelta(seconds=1)
    world.look()
    assert not world.told
    world.clock.time = at(moment)
    world.look()
    assert [event.occurred_at for _, event, _ in world.told] == [at(moment)]


# Switching on, and what was missed


def test_what_was_due_before_it_was_switched_on_is_not_told() -> None:
    world = world_at("2026-11-20T08:00:00Z")  # 10:00 in Jerusalem
    for day in (19, 20, 21):
        world.person(f"p{day}", fields={"birthday": f"1990-11-{day}"})
    world.activate(BIRTHDAY)
    world.activate({**BIRTHDAY, "at": "10:30"}, "later")
    looks_until(world, "2026-11-21T12:00:00Z")
    assert [(who, e.properties["at"]) for who, e, _ in world.told] == [
        ("p20", "10:30"),
        ("p21", "09:00"),
        ("p21", "10:30"),
    ]


def test_days_while_it_was_paused_are_nobodys_and_a_new_version_goes_on_where_the_old_one_was() -> None:
    world = world_at("2026-11-20T08:00:00Z")
    for day in range(20, 31):
        world.person(f"p{day}", fields={"birthday": f"1990-11-{day}"})
    world.activate(BIRTHDAY)
    looks_until(world, "2026-11-22T12:00:00Z")
    head = world.heads.pop("j")
    looks_until(world, "2026-11-24T12:00:00Z")  # paused
    world.heads["j"] = head.model_copy(update={"active_since": world.clock.now()})
    looks_until(world, "2026-11-25T12:00:00Z")
    world.activate({**BIRTHDAY, "at": "07:00"}, fresh=False)
    looks_until(world, "2026-11-26T12:00:00Z")
    assert [who for who, _, _ in world.told] == ["p21", "p22", "p25", "p26"]


def test_missed_days_are_made_up_once_up_to_two_weeks_back_and_older_ones_are_noted() -> None:
    world = world_at("2026-11-01T00:00:00Z")
    for day in range(1, 31):
        world.person(f"p{day:02}", fields={"birthday": f"1990-11-{day:02}"})
    world.activate(BIRTHDAY)
    world.look()
    world.clock.time = at("2026-11-20T08:00:00Z")  # nobody looked for nineteen days
    world.look()
    world.look()
    assert world.calendar.look(world.store) == 0, "what is done is not even begun again"
    assert [who for who, _, _ in world.told] == [f"p{day:02}" for day in range(6, 21)]
    assert all(world.clock.now() - event.occurred_at < timedelta(hours=24) for _, event, _ in world.told), "else stale"
    assert world.ledgers.ledger is not None
    skipped = world.ledgers.ledger.done["j"].skipped
    assert [day.day for day in skipped] == [1, 2, 3, 4, 5]
    assert world.told[-1][1].occurred_at == at("2026-11-20T07:00:00Z"), "today's is not late"


def test_an_errand_that_rested_for_days_tells_the_others_as_of_now() -> None:
    world = world_at("2026-11-20T00:00:00Z")
    for number in range(150):
        world.person(f"p{number:03}", fields={"birthday": "1990-11-20"})
    world.activate(BIRTHDAY)
    world.clock.time = at("2026-11-20T08:00:00Z")
    world.calendar.look(world.store)
    (errand,) = world.started
    world.errands.work(world.store.id, errand)
    assert len(world.told) == 100
    world.clock.advance(days=3)
    world.run()
    assert len(world.told) == 150 and set(world.occurrences().values()) == {1}
    assert {event.occurred_at for _, event, _ in world.told[100:]} == {world.clock.now()}


# Holidays


def test_a_holiday_is_told_to_every_contact_so_many_days_before_and_only_then() -> None:
    world = world_at("2026-08-20T00:00:00Z")
    for number in range(230):
        world.person(f"p{number:03}", joined=at("2026-01-01T00:00:00Z") + timedelta(minutes=number))
    world.activate({"type": "holiday", "holiday": "rosh_hashana", "days_before": 14, "at": "08:00"})
    looks_until(world, "2026-09-30T00:00:00Z")
    assert world.occurrences() == Counter(
        {(f"p{n:03}", f"holiday:st-calendar:p{n:03}:rosh_hashana:2026-09-12:14@08:00"): 1 for n in range(230)}
    )
    assert {event.occurred_at for _, event, _ in world.told} == {at("2026-08-29T05:00:00Z")}
    assert len(world.records.errands) == 1, "on other days nothing is begun"


def test_an_unknown_holiday_is_refused_and_those_that_are_known_are_named() -> None:
    with pytest.raises(BadInput) as refused:
        Definition.parse(journey(mail(), trigger={"type": "holiday", "holiday": "easter_monday"}))
    (mistake,) = refused.value.mistakes
    assert mistake.field == "trigger.holiday" and "yom_kippur" in mistake.message and "easter" in mistake.message


# Inactivity


def test_inactive_is_who_did_none_of_it_and_joining_counts_except_for_orders() -> None:
    world = world_at("2026-11-01T00:00:00Z")
    old = at("2025-01-01T09:00:00Z")
    world.person("ordered", old, last_order_at=at("2026-10-20T22:30:00Z"))  # the 21st in Jerusalem
    world.person("looked", old)
    world.index.engaged["looked"] = Engagement(last={"visit": at("2026-10-25T09:00:00Z")})
    world.person("both", old, last_order_at=at("2026-10-21T09:00:00Z"))
    world.index.engaged["both"] = Engagement(last={"visit": at("2026-10-26T09:00:00Z"), "open": old})
    world.person("joined", at("2026-10-22T09:00:00Z"))
    world.person("returns", old, last_order_at=at("2026-10-23T09:00:00Z"))
    world.activate({"type": "inactivity", "of": ["order"], "days": 30}, "orders")
    world.activate({"type": "inactivity", "of": ["order", "visit"], "days": 30}, "any")
    looks_until(world, "2026-11-22T00:00:00Z")
    world.index.people["returns"] = world.index.people["returns"].model_copy(
        update={"last_order_at": world.clock.now()}
    )
    looks_until(world, "2026-12-10T00:00:00Z")
    told = [("+".join(e.properties["of"]), who, e.properties["since"]) for who, e, _ in world.told]
    assert sorted(told) == [
        ("order", "both", "2026-10-21"),
        ("order", "ordered", "2026-10-21"),
        ("order+visit", "both", "2026-10-26"),
        ("order+visit", "joined", "2026-10-22"),
        ("order+visit", "looked", "2026-10-25"),
        ("order+visit", "ordered", "2026-10-21"),
    ]


def test_with_lifetime_it_is_what_was_bought_last_that_says_how_long() -> None:
    world = world_at("2026-11-01T00:00:00Z")
    bought = at("2026-10-25T09:00:00Z")
    for product, days in (("tea", 20), ("cup", None), ("soap", 12)):
        told = Product(external_id=product, version=Version(modified_at=bought), name=product, lifetime_days=days)
        world.catalogue.products[product] = ProductRecord(store_id="st-calendar", external_id=product, product=told)
    for who, products in {"tea": ["tea", "cup"], "cup": ["cup"], "soap": ["tea", "soap"]}.items():
        world.person(who, last_order_at=bought)
        lines = tuple(Line(product=product, units=1, total=1) for product in products)
        older = Bought(at=bought - DAY, lines=(Line(product="soap", units=1, total=1),))
        world.index.bought[who] = Purchases(orders={"1": older, "2": Bought(at=bought, lines=lines)})
    world.activate({"type": "inactivity", "of": ["order"], "days": 30, "lifetime": True})
    looks_until(world, "2026-12-10T00:00:00Z")
    assert [(who, e.occurred_at.day, e.properties.get("lifetime_days")) for who, e, _ in world.told] == [
        ("soap", 6, 12), ("tea", 14, 20), ("cup", 24, None)
    ]  # fmt: skip


# Any dates, zones and outages: once per contact and occurrence

ZONES = ["Asia/Jerusalem", "America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/London", "UTC"]
dates = st.dates(date(2024, 1, 1), date(2030, 12, 31)) | st.sampled_from(
    [date(2024, 2, 29), date(2024, 12, 31), date(2025, 1, 1), date(2028, 2, 29), date(2027, 2, 28), date(2026, 3, 29)]
)


@settings(max_examples=60, deadline=None)
@given(
    data=st.data(),
    zone=st.sampled_from(ZONES),
    start=st.sampled_from([date(2027, 2, 10), date(2028, 2, 10), date(2026, 12, 15), date(2026, 3, 15)]),
    days=st.integers(0, 40),
    when=st.sampled_from(["before", "after"]),
    yearly=st.booleans(),
    time=st.sampled_from(["00:00", "02:30", "09:00", "23:45"]),
)
def test_whatever_is_missed_or_crashes_each_is_told_once_per_occurrence(
    data: st.DataObject, zone: str, start: date, days: int, when: str, yearly: bool, time: str
) -> None:
    clock = HandClock(datetime(start.year, start.month, start.day, data.draw(st.integers(0, 23)), tzinfo=UTC))
    world, there = CalendarWorld(clock, zone), ZoneInfo(zone)
    near = st.integers(-60, 60).map(lambda n: start + n * DAY)
    earlier = near.map(lambda day: _in(day, day.year - 1 - day.day % 5))
    values = data.draw(st.lists(near | earlier | dates, min_size=1, max_size=12))
    for number, value in enumerate(values):
        world.person(f"p{number:02}", fields={"birthday": value.isoformat()})
    activated = clock.now()
    trigger = {**BIRTHDAY, "days": days, "when": when, "yearly": yearly, "at": time}
    world.activate(trigger)
    calls = Counter[str]()
    crashes = data.draw(st.sets(st.integers(0, 30), max_size=6))

    def crash() -> None:
        calls["told"] += 1
        if calls["told"] in crashes:
            raise Crash

    world.before_telling = crash
    for hours in data.draw(st.lists(st.sampled_from([1, 5, 12, 24, 24, 72, 240]), min_size=3, max_size=12)):
        clock.advance(hours=hours)
        for _ in range(2):  # the same look twice; after a crash the next takes it up
            try:
                world.look()
            except Crash:
                continue
    while world.started:
        try:
            world.run()
        except Crash:
            continue
    world.look()
    rule = DateTrigger.model_validate(trigger)
    expected = set()
    for number, value in enumerate(values):
        for year in range(value.year, value.year + 8 if yearly else value.year + 1):
            occurs = _in(value, year)
            due = occurs - days * DAY if when == "before" else occurs + days * DAY
            if activated < due_moment(rule, due, there) <= clock.now():
                expected.add((f"p{number:02}", occurs.isoformat()))
    told = Counter((who, date_) for who, date_, _ in {(w, e.properties["date"], e.id) for w, e, _ in world.told})
    assert told == Counter(expected)
    assert all(timedelta(0) <= heard - event.occurred_at < timedelta(hours=48) for _, event, heard in world.told)


def _in(day: date, year: int) -> date:
    return date(year, 2, 28) if (day.month, day.day) == (2, 29) and year % 4 else date(year, day.month, day.day)


def test_two_looks_at_once_begin_the_same_errand_and_a_crash_before_the_note_costs_no_day() -> None:
    world = world_at("2026-11-20T00:00:00Z")
    world.person("dana", fields={"birthday": "1990-11-20"})
    world.activate(BIRTHDAY)
    world.look()
    world.clock.time = at("2026-11-20T08:00:00Z")

    def crash() -> None:
        raise Crash

    world.ledgers.before_save = crash
    with pytest.raises(Crash):
        world.calendar.look(world.store)

    def another() -> None:
        world.ledgers.before_save = lambda: None
        world.calendar.look(world.store)

    world.ledgers.before_save = another
    world.look()
    world.look()
    assert len(world.told) == 1 and len(world.records.of_kind("", "due")) == 1


def test_one_of_whom_something_is_broken_keeps_nobody_else_from_their_day() -> None:
    world = CalendarWorld(HandClock(datetime(2027, 5, 3, 12, tzinfo=UTC)))
    for number in range(3):
        world.person(f"c{number}", fields={"birthday": "1990-05-04"})
    world.activate({"type": "date_field", "field": "birthday", "yearly": True, "at": "09:00"})
    calls = iter(range(9))

    def breaks() -> None:
        if next(calls) == 1:
            raise KeyError("broken")

    world.before_telling = breaks
    world.clock.time += timedelta(days=1)
    world.look()
    (errand,) = world.records.of_kind("", "due")
    assert sorted(contact for contact, _ in world.occurrences()) == ["c0", "c2"]
    assert (errand.done, errand.report, errand.ended_at is not None) == (2, {"read": 3, "failed": 1}, True)


def test_a_day_on_which_every_fifteenth_telling_fails_is_done_piece_by_piece() -> None:
    world = CalendarWorld(HandClock(datetime(2027, 5, 3, 12, tzinfo=UTC)))
    for number in range(30):
        world.person(f"c{number:02}", fields={"birthday": "1990-05-04"})
    world.activate({"type": "date_field", "field": "birthday", "yearly": True, "at": "09:00"})
    calls = iter(range(1, 100))

    def often_busy() -> None:
        if next(calls) % 15 == 0:
            raise TryLater("the table is busy")

    world.before_telling = often_busy
    world.clock.time += timedelta(days=1)
    world.calendar.look(world.store)
    for _ in range(5):
        with suppress(TryLater):
            world.run()
    (errand,) = world.records.of_kind("", "due")
    assert (len(world.occurrences()), errand.done, errand.ended_at is not None) == (30, 30, True)


def test_an_errand_goes_on_at_once_in_the_same_call_for_a_hundred() -> None:
    world = CalendarWorld(HandClock(datetime(2027, 5, 3, 12, tzinfo=UTC)))
    for number in range(150):
        world.person(f"c{number:03}", fields={"birthday": "1990-05-04"})
    world.activate({"type": "date_field", "field": "birthday", "yearly": True, "at": "09:00"})
    world.clock.time += timedelta(days=1)
    world.calendar.look(world.store)
    (errand_id,) = world.started
    assert world.errands.work(STORE, errand_id) == world.clock.now(), "and has more to do in the next one"
    assert len(world.told) == 100
    assert world.errands.work(STORE, errand_id) is None
    assert len(world.occurrences()) == len(world.told) == 150


def test_an_errand_that_another_call_ended_meanwhile_is_not_done_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    world = CalendarWorld(HandClock(datetime(2027, 5, 3, 12, tzinfo=UTC)))
    for number in range(30):
        world.person(f"c{number:02}", fields={"birthday": "1990-05-04"})
    world.activate({"type": "date_field", "field": "birthday", "yearly": True, "at": "09:00"})
    world.clock.time += timedelta(days=1)
    world.calendar.look(world.store)
    (errand_id,) = world.started
    read, reads = world.records.get, iter(range(9))

    def another_ends_it(store_id: str, errand_id: str) -> Errand | None:
        found = read(store_id, errand_id)
        if found is not None and next(reads) == 1:
            return world.records.save(found.model_copy(update={"cursor": None, "ended_at": world.clock.now()}))
        return found

    monkeypatch.setattr(world.records, "get", another_ends_it)
    assert world.errands.work(STORE, errand_id) is None
    assert len(world.told) == 10
