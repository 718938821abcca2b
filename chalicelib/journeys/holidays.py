"""Holidays by name, of the Gregorian and of the Hebrew calendar, and the days on which work rests.

A day here is a whole local day. Holidays of the Hebrew calendar begin the evening before it, and so does Shabbat.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

_MONDAY, _THURSDAY, _FRIDAY, _SATURDAY, _SUNDAY = 0, 3, 4, 5, 6  # as `date.weekday` counts
_NISAN, _IYAR, _SIVAN, _AV, _TISHREI, _KISLEV, _SHEVAT = 1, 2, 3, 5, 7, 9, 11
_ADAR, _ADAR_II = 12, 13
_HEBREW_YEAR_ONE = 3761  # before the common era: each Gregorian year sees the ends of two Hebrew ones


@dataclass(frozen=True)
class Holiday:
    """`day` gives its day (of a longer one the first) in a year of its own `calendar`."""

    he: str
    en: str
    day: Callable[[int], date]
    calendar: Literal["gregorian", "hebrew"] = "gregorian"


def days_of(name: str, year: int) -> tuple[date, ...]:
    """The days in this Gregorian year on which the holiday is, or begins. Raises KeyError for a name not known."""
    holiday = HOLIDAYS[name]
    if holiday.calendar == "gregorian":
        return (holiday.day(year),)
    found = (holiday.day(year + _HEBREW_YEAR_ONE - 1 + later) for later in (0, 1))
    return tuple(day for day in found if day.year == year)


def is_rest_day(day: date, country: str) -> bool:
    """Whether work rests on this whole local day in this country (ISO 3166 alpha-2).

    Israel (Hours of Work and Rest Law 1951; Independence Day Law 1949): Shabbat and the days of holiday. Of other
    countries nothing is known here: they have no rest days.
    """
    if country != "IL":
        return False
    if day.weekday() == _SATURDAY:
        return True
    from pyluach.dates import HebrewDate

    hebrew = HebrewDate.from_pydate(day)
    if hebrew.month == _IYAR:
        return day == _independence_day(hebrew.year)
    return (hebrew.month, hebrew.day) in _REST


_REST = {
    (_TISHREI, 1),
    (_TISHREI, 2),
    (_TISHREI, 10),
    (_TISHREI, 15),
    (_TISHREI, 22),
    (_NISAN, 15),
    (_NISAN, 21),
    (_SIVAN, 6),
}


def _fixed(month: int, day: int) -> Callable[[int], date]:
    return lambda year: date(year, month, day)


def _nth(nth: int, weekday: int, month: int) -> Callable[[int], date]:
    """The n-th such weekday of the month."""

    def day(year: int) -> date:
        first = date(year, month, 1)
        return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))

    return day


def _easter(year: int) -> date:
    """Western Easter Sunday: the Sunday after the ecclesiastical full moon, by the Gregorian computus."""
    golden, (century, of_century) = year % 19, divmod(year, 100)
    leaps, rest = divmod(century, 4)
    moon_shift = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leaps - moon_shift + 15) % 30
    quads, years = divmod(of_century, 4)
    to_sunday = (32 + 2 * rest + 2 * quads - epact - years) % 7
    back = (golden + 11 * epact + 22 * to_sunday) // 451
    month, day = divmod(epact + to_sunday - 7 * back + 114, 31)
    return date(year, month, day + 1)


def _from(other: Callable[[int], date], days: int) -> Callable[[int], date]:
    return lambda year: other(year) + timedelta(days=days)


def _hebrew(month: int, day: int) -> Callable[[int], date]:
    """Adar is the last month of the year, so Adar II of a leap year."""

    def found(year: int) -> date:
        from pyluach.dates import HebrewDate

        leap = (7 * year + 1) % 19 < 7
        last = _ADAR_II if month == _ADAR and leap else month
        told: date = HebrewDate(year, last, day).to_pydate()
        return told

    return found


def _independence_day(year: int) -> date:
    """5 Iyar, moved so that neither it nor the day before touches Shabbat (Independence Day Law, as of 2004)."""
    day = _hebrew(_IYAR, 5)(year)
    moved = {_FRIDAY: -1, _SATURDAY: -2, _MONDAY: 1}
    return day + timedelta(days=moved.get(day.weekday(), 0))


def _tisha_bav(year: int) -> date:
    """9 Av; a fast is put off from Shabbat to Sunday."""
    day = _hebrew(_AV, 9)(year)
    return day + timedelta(days=day.weekday() == _SATURDAY)


_THANKSGIVING = _nth(4, _THURSDAY, 11)


HOLIDAYS: dict[str, Holiday] = {
    "new_year": Holiday("ראש השנה האזרחית", "New Year's Day", _fixed(1, 1)),
    "valentines_day": Holiday("ולנטיין", "Valentine's Day", _fixed(2, 14)),
    "international_womens_day": Holiday("יום האישה", "International Women's Day", _fixed(3, 8)),
    "easter": Holiday("פסחא", "Easter", _easter),
    "mothers_day_uk": Holiday("יום האם (בריטניה)", "Mother's Day (UK)", _from(_easter, -21)),
    "mothers_day_us": Holiday("יום האם (ארה״ב)", "Mother's Day (US)", _nth(2, _SUNDAY, 5)),
    "fathers_day": Holiday("יום האב", "Father's Day", _nth(3, _SUNDAY, 6)),
    "halloween": Holiday("ליל כל הקדושים", "Halloween", _fixed(10, 31)),
    "singles_day": Holiday("יום הרווקים", "Singles' Day", _fixed(11, 11)),
    "thanksgiving_us": Holiday("חג ההודיה", "Thanksgiving (US)", _THANKSGIVING),
    "black_friday": Holiday("בלאק פריידיי", "Black Friday", _from(_THANKSGIVING, 1)),
    "cyber_monday": Holiday("סייבר מאנדיי", "Cyber Monday", _from(_THANKSGIVING, 4)),
    "christmas": Holiday("חג המולד", "Christmas", _fixed(12, 25)),
    "boxing_day": Holiday("בוקסינג דיי", "Boxing Day", _fixed(12, 26)),
    "rosh_hashana": Holiday("ראש השנה", "Rosh Hashana", _hebrew(_TISHREI, 1), "hebrew"),
    "yom_kippur": Holiday("יום כיפור", "Yom Kippur", _hebrew(_TISHREI, 10), "hebrew"),
    "sukkot": Holiday("סוכות", "Sukkot", _hebrew(_TISHREI, 15), "hebrew"),
    "simchat_torah": Holiday("שמחת תורה", "Simchat Torah", _hebrew(_TISHREI, 22), "hebrew"),
    "hanukkah": Holiday("חנוכה", "Hanukkah", _hebrew(_KISLEV, 25), "hebrew"),
    "tu_bishvat": Holiday("ט״ו בשבט", "Tu BiShvat", _hebrew(_SHEVAT, 15), "hebrew"),
    "family_day_israel": Holiday("יום המשפחה", "Family Day (Israel)", _hebrew(_SHEVAT, 30), "hebrew"),
    "purim": Holiday("פורים", "Purim", _hebrew(_ADAR, 14), "hebrew"),
    "passover": Holiday("פסח", "Passover", _hebrew(_NISAN, 15), "hebrew"),
    "independence_day_israel": Holiday("יום העצמאות", "Independence Day (Israel)", _independence_day, "hebrew"),
    "lag_baomer": Holiday("ל״ג בעומר", "Lag BaOmer", _hebrew(_IYAR, 18), "hebrew"),
    "shavuot": Holiday("שבועות", "Shavuot", _hebrew(_SIVAN, 6), "hebrew"),
    "tisha_bav": Holiday("תשעה באב", "Tisha B'Av", _tisha_bav, "hebrew"),
    "tu_bav": Holiday("ט״ו באב", "Tu B'Av", _hebrew(_AV, 15), "hebrew"),
}
