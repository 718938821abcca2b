"""Shabbat and holidays against what newspapers and calendars printed, and where they run into each other."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from chalicelib.messages.policy import rest_city
from chalicelib.messages.rest import CITIES, candle_lighting, city_of_zone, is_holy, nightfall, rest_until
from tests.messages.shop import contact, store

# Candles, and the end of the day after (None: not printed, or by another reckoning there).
PRINTED = [
    ("jerusalem", "2024-10-23", "17:18", "18:34"),
    ("haifa", "2024-10-23", "17:28", "18:34"),
    ("new-york", "2024-10-23", "17:45", None),
    ("los-angeles", "2024-10-23", "17:51", None),
    ("jerusalem", "2019-12-06", "15:55", "17:15"),
    ("haifa", "2019-12-06", "16:04", "17:14"),
    ("new-york", "2019-12-06", "16:10", "17:13"),
    ("toronto", "2019-12-06", "16:23", "17:28"),
    ("london", "2019-12-06", "15:35", "16:50"),
    ("paris", "2019-12-06", "16:37", "17:48"),
    ("johannesburg", "2019-12-06", "18:32", "19:30"),
    ("new-york", "2024-06-21", "20:12", None),
    ("london", "2024-06-21", "21:03", None),
]


@pytest.mark.parametrize(("name", "eve", "candles", "ends"), PRINTED)
def test_times_are_those_that_were_printed_to_two_minutes(name: str, eve: str, candles: str, ends: str | None) -> None:
    city, day = CITIES[name], date.fromisoformat(eve)
    assert _apart(candle_lighting(city, day), city.zone, day, candles) <= timedelta(minutes=2)
    if ends:
        morrow = day + timedelta(days=1)
        assert _apart(nightfall(city, morrow), city.zone, morrow, ends) <= timedelta(minutes=2)


def _apart(found: datetime, zone: str, day: date, printed: str) -> timedelta:
    return abs(found - datetime.fromisoformat(f"{day}T{printed}").replace(tzinfo=ZoneInfo(zone)))


@pytest.mark.parametrize("name", CITIES)
def test_every_evening_of_a_year_ends_on_its_own_day_and_after_its_candles(name: str) -> None:
    city = CITIES[name]
    for number in range(0, 366, 7):
        day = date(2026, 1, 2) + timedelta(days=number)
        lit, dark = candle_lighting(city, day), nightfall(city, day)
        assert timedelta(minutes=40) < dark - lit < timedelta(hours=3)
        assert {lit.astimezone(ZoneInfo(city.zone)).date(), dark.astimezone(ZoneInfo(city.zone)).date()} == {day}
        assert lit.second == dark.second == lit.microsecond == dark.microsecond == 0


def test_holidays_last_a_day_longer_outside_of_israel_and_yom_kippur_does_not() -> None:
    pesach = [date(2026, 4, day) for day in range(1, 11)]
    assert [day.day for day in pesach if is_holy(day, in_israel=True)] == [2, 4, 8]  # the 4th is Shabbat
    assert [day.day for day in pesach if is_holy(day, in_israel=False)] == [2, 3, 4, 8, 9]
    tishrei = [date(2026, 9, day) for day in range(7, 31)]
    assert [day.day for day in tishrei if is_holy(day, in_israel=True)] == [12, 13, 19, 21, 26]
    assert [day.day for day in tishrei if is_holy(day, in_israel=False)] == [12, 13, 19, 21, 26, 27]


def test_days_that_follow_each_other_are_one_rest() -> None:
    """Rosh Hashana of 2024 was on Thursday and Friday, and Shabbat came after it."""
    city = CITIES["jerusalem"]
    eve = candle_lighting(city, date(2024, 10, 2))
    ends = nightfall(city, date(2024, 10, 5))
    assert rest_until(city, eve - timedelta(minutes=1)) is None
    assert {rest_until(city, eve + timedelta(hours=hours)) for hours in range(73)} == {ends}
    assert rest_until(city, ends) is None


def test_who_rests_and_where() -> None:
    jerusalem, new_york, london = CITIES["jerusalem"], CITIES["new-york"], CITIES["london"]
    assert rest_city(store()) is jerusalem, "in Israel by itself"
    assert rest_city(store(settings={"rest_days": False})) is None
    assert rest_city(store(settings={"city": "eilat"})) is CITIES["eilat"]
    assert rest_city(store(settings={"city": "no longer known"})) is jerusalem
    abroad = {"country": "US", "timezone": "America/New_York"}
    assert rest_city(store(**abroad)) is None
    assert rest_city(store(**abroad, settings={"rest_days": True})) is new_york
    assert rest_city(store(country="IN", timezone="Asia/Kolkata", settings={"rest_days": True})) is None
    assert rest_city(store(settings={"city": "haifa"}), contact(timezone="Europe/London")) is london
    for zone in (None, "Asia/Jerusalem", "Asia/Tel_Aviv", "Asia/Kolkata", "nonsense"):
        assert rest_city(store(settings={"city": "haifa"}), contact(timezone=zone)) is CITIES["haifa"], zone
    assert city_of_zone("America/Toronto") is CITIES["toronto"]


def test_who_travels_rests_where_they_are() -> None:
    friday_noon_in_new_york = datetime(2026, 11, 20, 17, tzinfo=UTC)
    assert rest_until(CITIES["jerusalem"], friday_noon_in_new_york) is not None
    assert rest_until(CITIES["new-york"], friday_noon_in_new_york) is None
