"""Conditions that no record answers: the clock, and chance."""

from __future__ import annotations

from datetime import UTC, tzinfo
from hashlib import sha256
from zoneinfo import ZoneInfo

from chalicelib.journeys.condition_facts import Facts
from chalicelib.journeys.condition_forms import Moment, Share

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")  # as `date.weekday` counts


def is_moment(asked: Moment, facts: Facts) -> bool:
    """Now, on the store's clock or the contact's own (the store's, where that is not known)."""
    name = facts.contact.timezone if asked.zone == "contact" else None
    local = facts.now.astimezone(_zone(name or facts.store_zone))
    if asked.weekdays is not None and _WEEKDAYS[local.weekday()] not in asked.weekdays:
        return False
    if not _between(local.strftime("%H:%M"), asked.start, asked.end):
        return False
    if asked.holiday is None:
        return True
    from chalicelib.journeys.holidays import is_rest_day

    return is_rest_day(local.date(), facts.country) is asked.holiday


def _between(time: str, start: str | None, end: str | None) -> bool:
    """`start` is in it, `end` is not; over midnight where it ends no later than it starts."""
    first, last = start or "00:00", end or "24:00"
    return first <= time < last if first < last else time >= first or time < last


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # no such zone any more: zones are renamed now and then
        return UTC


def is_drawn(asked: Share, contact_id: str) -> bool:
    """So many in a hundred, by a hash: the same contacts every time, and with more percent those and others."""
    hashed = sha256("\x1f".join(("random", asked.salt, contact_id)).encode()).digest()
    return int.from_bytes(hashed[:8]) * 100 >> 64 < asked.percent
