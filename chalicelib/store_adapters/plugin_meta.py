"""What Agala's WordPress plugin leaves on a WooCommerce record, among its `meta_data`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from chalicelib.commerce.order import Occasion
from chalicelib.contacts.consent import Channel, Consent, ConsentChange, ConsentStatus
from chalicelib.store_adapters.base import Unintelligible
from chalicelib.store_adapters.reading import Fields

_Value = TypeVar("_Value")
_LONGEST_LIFETIME = 3650  # days
_DAY = re.compile(r"(?:(\d{4})-)?(\d{2})-(\d{2})")


@dataclass(frozen=True)
class PluginMeta:
    """`consent` and `occasion` as they stand in the record: read them with `consent_told` and `occasion_told`."""

    consent: Any = None
    occasion: Any = None
    cart_token: str | None = None
    lifetime_days: int | None = None
    locale: str | None = None


def meta_of(record: Fields) -> PluginMeta:
    """The keys `_agala_consent`, `_agala_occasion`, `_agala_cart_token`, `_agala_lifetime_days` and `_agala_locale`.

    What makes no sense in them is not told: no order is held up by it.
    """
    ours = Fields({key: value for key, value in entries_of(record) if key.startswith("_agala_")})
    days = _or_none(ours.whole, "_agala_lifetime_days")
    return PluginMeta(
        consent=ours.any("_agala_consent"),
        occasion=ours.any("_agala_occasion"),
        cart_token=_or_none(lambda key: ours.text(key, 100), "_agala_cart_token"),
        lifetime_days=days if days is not None and 0 < days <= _LONGEST_LIFETIME else None,
        locale=_or_none(lambda key: ours.text(key, 35), "_agala_locale"),
    )


def entries_of(record: Fields) -> Iterator[tuple[str, Any]]:
    """(key, value) of a record's or a line's `meta_data`, where any plugin may have left anything.

    Usually a list of {id, key, value}; PHP writes a list with gaps as an object of them. Raises `Unintelligible` for
    neither.
    """
    told = record.any("meta_data")
    found = list(told.values()) if isinstance(told, dict) else told
    if not found:
        return
    if not isinstance(found, list):
        record.wrong("meta_data", "a list")
    for entry in found:
        if isinstance(entry, dict) and isinstance(entry.get("key"), str):
            yield entry["key"], entry.get("value")


def _or_none(read: Callable[[str], _Value | None], key: str) -> _Value | None:
    try:
        return read(key)
    except Unintelligible:
        return None


def consent_told(value: Any, source: str, default_at: datetime, told_at: datetime) -> tuple[ConsentChange, ...]:
    """From `{"email": {"status", "text", "at"}, "sms": …, "whatsapp": …}`, as an object or its JSON text.

    An entry that makes no sense is no consent: it is passed over. Nobody chose after the record was told, so a
    later `at` (a wrong clock) counts as `told_at`; without one it is `default_at`.
    """
    value = _object(value)
    changes = []
    for channel in Channel:
        if not isinstance(value.get(channel.value), dict):
            continue
        try:
            entry = Fields(value[channel.value])
            consent = Consent(
                status=ConsentStatus(entry.text("status", 20) or ""),
                source=entry.text("source", 60) or source,
                at=min(entry.moment("at") or default_at, told_at),
                text=entry.text("text", 1000),
            )
        except (ValueError, Unintelligible):
            continue
        changes.append(ConsentChange(channel=channel, consent=consent))
    return tuple(changes)


def occasion_told(value: Any, default_at: datetime, told_at: datetime, zone: ZoneInfo) -> Occasion | None:
    """From `{"occasion", "date": "MM-DD" or "YYYY-MM-DD", "remind", "at"}`, as an object or its JSON text.

    None unless the buyer asked to be reminded: then nothing of it is kept. Also for what makes no sense. `at` is read
    as that of a consent.
    """
    entry = Fields(_object(value))
    try:
        if not entry.yes("remind"):
            return None
        at = min(entry.moment("at") or default_at, told_at)
        name = entry.text("occasion", 60)
        day = _next_day(entry.text("date", 10) or "", at.astimezone(zone).date())
    except (ValueError, Unintelligible):
        return None
    return Occasion(name=name, date=day, at=at) if name and day else None


def _next_day(text: str, since: date) -> date | None:
    """The day itself, or without a year the next one from `since` on; the 29th of February falls on the 28th else.

    Raises ValueError for a day that no month has.
    """
    told = _DAY.fullmatch(text)
    if told is None:
        return None
    year, month, day = (int(part or 0) for part in told.groups())
    if year:
        return date(year, month, day)
    date(2024, month, day)  # a leap year has every day there is
    days = (_in_year(since.year + more, month, day) for more in (0, 1))
    return next(one for one in days if one >= since)


def _in_year(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        return date(year, month, 28)


def _object(value: Any) -> dict[str, Any]:
    """An object or its JSON text; an empty one for anything else."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}
