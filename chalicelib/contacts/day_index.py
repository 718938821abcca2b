"""By which days a contact is found without reading every contact: the dates in own fields, the days of last activity.

An entry has a name (`date:birthday`, `last:order`) and a place, the text by which an index sorts it:

- a date: `05-17#1990`, month first, so that one range is a day of every year;
- a time with its zone: `T05-17#1990`, of the day in UTC: which day that is for the store is seen when it is read;
- an activity: `2026-11-21`, the day in UTC, so that it changes once a day at most.

A record remembers the entries that were written with it (`indexed`), so that only what differs is written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, tzinfo
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chalicelib.contacts.contact import Contact
    from chalicelib.contacts.engagement import Engagement

MOST_DATES = 20  # of one contact, by name: all that changes must fit one transaction
LONGEST_NAME = 100  # no trigger can name a longer one
_DAY_FIRST = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?", re.ASCII)

Changes = dict[str, str | None]
"""Name → the new place, None where the entry goes."""


def entry_of_field(field: str) -> str:
    return f"date:{field}"


def entry_of_activity(kind: str) -> str:
    return f"last:{kind}"


def date_of(value: Any, zone: tzinfo) -> date | None:
    """The day that an own field's value is on this zone's clock; None if it is no date (2026-11-21) or time."""
    told = _told(value)
    return told.astimezone(zone).date() if isinstance(told, datetime) else told


def month_day(day: date) -> str:
    return f"{day.month:02}-{day.day:02}"


def contact_entries(contact: Contact) -> dict[str, str]:
    """Of the contact's own fields and last order, as the profile has them."""
    found = {}
    if contact.last_order_at:
        found[entry_of_activity("order")] = _utc_day(contact.last_order_at)
    dates = 0
    for name in sorted(contact.fields):
        told = _told(contact.fields[name])
        if told is None or len(name) > LONGEST_NAME or dates == MOST_DATES:
            continue
        dates += 1
        day, mark = (told.date(), "T") if isinstance(told, datetime) else (told, "")
        found[entry_of_field(name)] = f"{mark}{month_day(day)}#{day.year:04}"
    return found


def engagement_entries(engagement: Engagement) -> dict[str, str]:
    """Of the last visit, open and click."""
    return {entry_of_activity(kind): _utc_day(at) for kind, at in sorted(engagement.last.items())}


def changes(wanted: Mapping[str, str], indexed: Mapping[str, str]) -> Changes:
    """What is to be written so that the index holds `wanted`, where it holds `indexed`."""
    gone: Changes = dict.fromkeys(sorted(indexed.keys() - wanted.keys()))
    return gone | {name: place for name, place in wanted.items() if indexed.get(name) != place}


def _told(value: Any) -> date | datetime | None:
    """A time with a zone as UTC; one without is the day that it names."""
    if not isinstance(value, str) or not _DAY_FIRST.fullmatch(text := value.strip()):
        return None
    try:
        if len(text) == len("2026-11-21"):
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
        return moment.date() if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _utc_day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()
