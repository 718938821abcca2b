"""Money, and days, as people of a language write them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency

from chalicelib.commerce.money import Money


def money_of(told: Any) -> Money | None:
    """A {amount, currency} of an event, or a Money; None for anything else."""
    if isinstance(told, Mapping):
        try:
            return Money.model_validate(dict(told))
        except ValueError:
            return None
    return told if isinstance(told, Money) else None


def money_text(told: Any, language: str) -> str:
    """As `money_of` reads it; empty for what is no money."""
    money = money_of(told)
    if money is None:
        return ""
    return _formatted(money.amount, money.currency, language)


@lru_cache(maxsize=4096)
def _formatted(amount: int, currency: str, language: str) -> str:
    """Babel reads its tables again each time, and a shop has few prices: most are asked for again."""
    money = Money(amount=amount, currency=currency)
    return format_currency(money.decimal(), currency, locale=_locale(language))


@lru_cache(maxsize=1024)
def day_text(day: date, language: str) -> str:
    """Such as "5 December 2026": the month in words, since nobody knows whether 5/12 is in May."""
    return str(format_date(day, "long", locale=_locale(language)))


def moment_text(moment: datetime, language: str) -> str:
    """Such as "Thursday 26 November at 20:00", in the zone that the moment has. The year is left out: it is near.

    What is over at midnight is so at 23:59 of the day before, as people say it."""
    locale = _locale(language)
    if (moment.hour, moment.minute) == (0, 0):
        moment -= timedelta(minutes=1)
    if locale.language == "he":
        day = str(format_date(moment.date(), "EEEE, d בMMMM", locale=locale))
        return f"{day} בשעה {moment:%H:%M}"
    if locale.language == "en":
        return f"{format_date(moment.date(), 'EEEE d MMMM', locale=locale)} at {moment:%H:%M}"
    return f"{format_date(moment.date(), 'full', locale=locale)}, {moment:%H:%M}"


def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")
