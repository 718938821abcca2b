"""Which days a trigger of the calendar is due on, whom it then looks for, and whom of those it means: pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from chalicelib.clock import rfc3339
from chalicelib.commerce.event import Event
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.day_index import date_of, entry_of_activity, entry_of_field, month_day
from chalicelib.contacts.engagement import Engagement
from chalicelib.journeys.holidays import days_of
from chalicelib.journeys.local_time import in_year, moment_of
from chalicelib.journeys.triggers import DateTrigger, HolidayTrigger, InactivityTrigger

JOINED = "joined"  # not an entry of the index: the store's contacts, listed by when they joined
CREATED_AT = "created_at"
MADE_UP = 14  # days back that are made up after nobody looked for so long
_DAY = timedelta(days=1)
_LEAP_DAY = "02-29"
_LONG_AGO = 100  # years: nobody joined before

CalendarTrigger = DateTrigger | HolidayTrigger | InactivityTrigger


@dataclass(frozen=True)
class Span:
    """A part of an index to look through: places from `low` to before `high` (None: to the end)."""

    name: str
    low: str
    high: str | None


@dataclass(frozen=True)
class Subject:
    """What is known of somebody who may be meant. `lifetime_days`: of what they bought last, where it has one."""

    contact: Contact
    engagement: Engagement = field(default_factory=Engagement)
    lifetime_days: int | None = None


@dataclass(frozen=True)
class Days:
    """`due` oldest first; `skipped` are too long ago to be made up; `through`: all until this day are decided."""

    due: tuple[date, ...]
    skipped: tuple[date, ...]
    through: date | None


def due_moment(trigger: CalendarTrigger, day: date, zone: tzinfo) -> datetime:
    """UTC. A time of day that the clock jumps over is the moment after the jump."""
    return moment_of(day, time.fromisoformat(trigger.at), zone)


def days_to_do(
    trigger: CalendarTrigger, zone: tzinfo, active_since: datetime, done_until: date | None, now: datetime
) -> Days:
    """The days whose moment came since the journey is active, and that were not done yet."""
    today = now.astimezone(zone).date()
    last = today if due_moment(trigger, today, zone) <= now else today - _DAY
    first = active_since.astimezone(zone).date()
    if due_moment(trigger, first, zone) <= active_since:
        first += _DAY
    if done_until is not None:
        first = max(first, done_until + _DAY)
    if first > last:
        return Days((), (), done_until)
    open_days = [first + _DAY * n for n in range((last - first).days + 1)]
    oldest = today - _DAY * MADE_UP
    return Days(tuple(day for day in open_days if day >= oldest), tuple(day for day in open_days if day < oldest), last)


def concerns_anybody(trigger: CalendarTrigger, day: date) -> bool:
    """False on a day that no holiday has to do with."""
    return not isinstance(trigger, HolidayTrigger) or _occurrence(trigger, day) in _holidays(trigger, day)


def asks_index(trigger: CalendarTrigger) -> bool:
    """Whether it looks into the index of days, which has contacts of before only once they were entered."""
    if isinstance(trigger, DateTrigger):
        return trigger.field != CREATED_AT
    return isinstance(trigger, InactivityTrigger)


# Whom to look at


def spans(
    trigger: CalendarTrigger, day: date, zone: tzinfo, first_year: int = 1, lifetimes: Iterable[int] = ()
) -> list[Span]:
    """Where everybody is who may be due. `first_year`: in which the first contact joined; `lifetimes`: those that
    the store's products have, in days. A few more are found than are meant: `due_event` tells them apart."""
    match trigger:
        case HolidayTrigger():
            return [Span(JOINED, "", None)]
        case DateTrigger(field="created_at"):
            return list(_joined_on(trigger, _occurrence(trigger, day), zone, first_year))
        case DateTrigger():
            return list(_dated_on(trigger, _occurrence(trigger, day)))
        case InactivityTrigger():
            limits = sorted({trigger.days, *(lifetimes if _asks_lifetime(trigger) else ())})
            return [span for limit in limits for span in _last_active_on(trigger, day - _DAY * limit, zone)]


def _dated_on(trigger: DateTrigger, day: date) -> Iterator[Span]:
    name = entry_of_field(trigger.field)
    after, before = day + _DAY, day - _DAY
    if not trigger.yearly:
        place = f"{month_day(day)}#{day.year:04}"
        yield Span(name, f"{place}#", f"{place}$")
    else:
        last = _LEAP_DAY if _keeps_leap_day(day) else month_day(day)
        yield Span(name, f"{month_day(day)}#", f"{last}$")
    if before.year == after.year:  # a time of the neighbouring days in UTC may be of this one
        yield Span(name, f"T{month_day(before)}#", f"T{month_day(after)}$")
    else:
        yield Span(name, f"T{month_day(before)}#", "T12-31$")
        yield Span(name, "T01-01#", f"T{month_day(after)}$")


def _joined_on(trigger: DateTrigger, day: date, zone: tzinfo, first_year: int) -> Iterator[Span]:
    if not trigger.yearly:
        yield _joined(day, zone)
        return
    for year in range(max(first_year - 1, day.year - _LONG_AGO), day.year):  # at new year zones differ in the year
        for then in sorted({in_year(day, year), date(year, 2, 28) + _DAY}):
            if in_year(then, day.year) == day:
                yield _joined(then, zone)


def _last_active_on(trigger: InactivityTrigger, day: date, zone: tzinfo) -> Iterator[Span]:
    start, end = _bounds(day, zone)
    first, last = start.date().isoformat(), (end - timedelta(microseconds=1)).date().isoformat()
    for kind in sorted(set(trigger.of)):
        yield Span(entry_of_activity(kind), f"{first}#", f"{last}$")
    if _counts_joining(trigger):
        yield _joined(day, zone)


def _joined(day: date, zone: tzinfo) -> Span:
    start, end = _bounds(day, zone)
    return Span(JOINED, rfc3339(start), rfc3339(end))


def _bounds(day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    return moment_of(day, time(0), zone).astimezone(UTC), moment_of(day + _DAY, time(0), zone).astimezone(UTC)


# Who is meant


def due_event(trigger: CalendarTrigger, subject: Subject, day: date, at: datetime, zone: tzinfo) -> Event | None:
    """What this contact is told if they are due on this day, as of what is known of them now."""
    match trigger:
        case DateTrigger():
            found = _date_properties(trigger, subject.contact, day, zone)
        case HolidayTrigger():
            found = _holiday_properties(trigger, day)
        case InactivityTrigger():
            found = _inactivity_properties(trigger, subject, day, zone)
    if found is None:
        return None
    name, properties = found
    event_id = f"{trigger.type}:{subject.contact.store_id}:{subject.contact.id}:{name}@{trigger.at}"
    return Event(id=event_id, type=trigger.type, occurred_at=at, properties={**properties, "at": trigger.at})


_Found = tuple[str, dict[str, Any]] | None


def _date_properties(trigger: DateTrigger, contact: Contact, day: date, zone: tzinfo) -> _Found:
    own, wanted = contact.fields.get(trigger.field), _occurrence(trigger, day)
    joined = trigger.field == CREATED_AT
    date_ = contact.created_at.astimezone(zone).date() if joined else date_of(own, zone)
    if date_ is None or (date_ != wanted if not trigger.yearly else in_year(date_, wanted.year) != wanted):
        return None
    years = wanted.year - date_.year
    if years < (1 if joined and trigger.yearly else 0):
        return None  # the day of joining is no anniversary, nor is a day before the first one
    when = f"{trigger.when}{trigger.days}"
    told = {"field": trigger.field, "date": wanted.isoformat(), "days": trigger.days, "when": trigger.when}
    return f"{trigger.field}:{wanted}:{when}", {**told, "years": years}


def _holiday_properties(trigger: HolidayTrigger, day: date) -> _Found:
    wanted = _occurrence(trigger, day)
    if wanted not in _holidays(trigger, day):
        return None
    told = {"holiday": trigger.holiday, "date": wanted.isoformat(), "days_before": trigger.days_before}
    return f"{trigger.holiday}:{wanted}:{trigger.days_before}", told


def _inactivity_properties(trigger: InactivityTrigger, subject: Subject, day: date, zone: tzinfo) -> _Found:
    contact, last = subject.contact, subject.engagement.last
    moments = [contact.last_order_at if kind == "order" else last.get(kind) for kind in trigger.of]
    if _counts_joining(trigger):
        moments.append(contact.created_at)
    latest = max((moment for moment in moments if moment), default=None)
    if latest is None:
        return None
    lifetime = subject.lifetime_days if _asks_lifetime(trigger) else None
    since = latest.astimezone(zone).date()
    if since + _DAY * (lifetime or trigger.days) != day:
        return None
    of = sorted(set(trigger.of))
    told = {"of": of, "days": trigger.days, "since": since.isoformat(), "lifetime": trigger.lifetime}
    if lifetime:
        told["lifetime_days"] = lifetime
    rule = f"{'+'.join(of)}:{trigger.days}{':lifetime' if trigger.lifetime else ''}"
    return f"{rule}:{since}", told


def needs_lifetime(trigger: CalendarTrigger) -> bool:
    return isinstance(trigger, InactivityTrigger) and _asks_lifetime(trigger)


def _asks_lifetime(trigger: InactivityTrigger) -> bool:
    return trigger.lifetime and "order" in trigger.of


def _counts_joining(trigger: InactivityTrigger) -> bool:
    return any(kind != "order" for kind in trigger.of)


def _occurrence(trigger: DateTrigger | HolidayTrigger, day: date) -> date:
    """The date itself, of what is due on `day`."""
    if isinstance(trigger, HolidayTrigger):
        return day + _DAY * trigger.days_before
    return day + _DAY * (trigger.days if trigger.when == "before" else -trigger.days)


def _holidays(trigger: HolidayTrigger, day: date) -> tuple[date, ...]:
    return days_of(trigger.holiday, _occurrence(trigger, day).year)


def _keeps_leap_day(day: date) -> bool:
    """Whether 29 February is kept on this day: the 28th of a year that has none."""
    return in_year(date(2024, 2, 29), day.year) == day
