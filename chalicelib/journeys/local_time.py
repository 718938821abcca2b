"""Days and times of day on a clock on the wall, as moments: pure, across daylight-saving changes and leap years."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
"""As `date.weekday()` counts."""


def zone_of(*names: str | None) -> tzinfo:
    """The first of these IANA names that is one; UTC if none is."""
    for name in names:
        try:
            return ZoneInfo(name or "")
        except (ValueError, OSError, LookupError):
            continue
    return UTC


def moment_of(day: date, at: time, zone: tzinfo) -> datetime:
    """UTC. A time that comes twice in autumn is the first; one that is skipped in spring is the moment after the gap.

    Raises OverflowError before the year 1 and after 9999.
    """
    wall = datetime.combine(day, at, zone)
    moment = wall.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return moment
    return clock_change(wall.replace(fold=1).astimezone(UTC), wall.replace(fold=0).astimezone(UTC), zone)


def clock_change(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """The second between these two moments at which the zone's clock was set, forward or back: it was, once."""
    target = after.astimezone(zone).utcoffset()
    before, after = before.replace(microsecond=0), after.replace(microsecond=0) + timedelta(seconds=1)
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) // 2).replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == target:
            after = middle
        else:
            before = middle
    return after


def next_time(now: datetime, weekdays: Collection[str] | None, at: time, zone: tzinfo) -> datetime:
    """The next such weekday (None: any) and time of day, strictly after `now`: at that very moment, the one after it.

    So two such waits in a row are two moments, however quickly a step between them is done.
    """
    today = now.astimezone(zone).date()
    for days in range(9):  # a week, and a day more where the clock was set on the way
        day = today + timedelta(days=days)
        if weekdays is None or WEEKDAYS[day.weekday()] in weekdays:
            moment = moment_of(day, at, zone)
            if moment > now:
                return moment
    raise ValueError("no such weekday")


def in_year(day: date, year: int) -> date:
    """The same day of another year; of 29 February the 28th where the year has none."""
    try:
        return day.replace(year=year)
    except ValueError:
        return day.replace(year=year, day=28)
