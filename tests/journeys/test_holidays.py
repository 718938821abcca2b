"""Holidays against published calendars, and the days on which work rests in Israel."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from chalicelib.journeys.holidays import HOLIDAYS, days_of, is_rest_day

PUBLISHED = {
    2024: {
        "easter": "03-31",
        "mothers_day_uk": "03-10",
        "mothers_day_us": "05-12",
        "fathers_day": "06-16",
        "thanksgiving_us": "11-28",
        "black_friday": "11-29",
        "cyber_monday": "12-02",
        "purim": "03-24",  # a leap year: Adar II
        "passover": "04-23",
        "independence_day_israel": "05-14",  # 5 Iyar is a Monday: a day later
        "lag_baomer": "05-26",
        "shavuot": "06-12",
        "tisha_bav": "08-13",
        "rosh_hashana": "10-03",
        "yom_kippur": "10-12",
        "simchat_torah": "10-24",
        "hanukkah": "12-26",
    },
    2025: {
        "easter": "04-20",
        "tu_bishvat": "02-13",
        "purim": "03-14",
        "passover": "04-13",
        "independence_day_israel": "05-01",  # 5 Iyar is a Saturday: Thursday
        "tisha_bav": "08-03",  # 9 Av is a Saturday: Sunday
        "tu_bav": "08-09",
        "rosh_hashana": "09-23",
        "sukkot": "10-07",
        "hanukkah": "12-15",
        "black_friday": "11-28",
        "singles_day": "11-11",
    },
    2026: {
        "easter": "04-05",
        "family_day_israel": "02-17",
        "independence_day_israel": "04-22",  # stays
        "rosh_hashana": "09-12",
        "hanukkah": "12-05",
        "boxing_day": "12-26",
    },
    2028: {"independence_day_israel": "05-02"},  # 5 Iyar is a Monday
}


@pytest.mark.parametrize("year", PUBLISHED)
def test_holidays_are_on_the_days_that_calendars_print(year: int) -> None:
    found = {name: [f"{day:%m-%d}" for day in days_of(name, year)] for name in PUBLISHED[year]}
    assert found == {name: [day] for name, day in PUBLISHED[year].items()}


def test_every_holiday_is_once_a_year_and_has_words_in_both_languages() -> None:
    for name, holiday in HOLIDAYS.items():
        assert all(len(days_of(name, year)) == 1 for year in range(1990, 2101)), name
        assert holiday.he and holiday.en.isascii()


def test_work_rests_in_israel_on_shabbat_and_the_days_of_holiday_and_of_others_nothing_is_known() -> None:
    every = [date(2025, 1, 1) + timedelta(days=n) for n in range(365)]
    resting = [f"{day:%m-%d}" for day in every if is_rest_day(day, "IL") and day.weekday() != 5]
    holidays = ["04-13", "05-01", "06-02", "09-23", "09-24", "10-02", "10-07", "10-14"]
    assert resting == holidays  # the last day of Passover is a Saturday
    assert all(is_rest_day(day, "IL") for day in every if day.weekday() == 5)
    assert not any(is_rest_day(day, country) for day in every for country in ("DE", "US"))
