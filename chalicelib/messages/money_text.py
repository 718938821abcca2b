"""Money as people of a language write it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from babel import Locale, UnknownLocaleError
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
    try:
        locale = Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        locale = Locale("en")
    return format_currency(money.decimal(), money.currency, locale=locale)
