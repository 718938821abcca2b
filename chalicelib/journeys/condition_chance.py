"""Conditions that no record answers: the clock, and chance."""

from __future__ import annotations

from chalicelib.ids import bucket
from chalicelib.journeys.condition_facts import Facts
from chalicelib.journeys.condition_forms import Moment, Share
from chalicelib.journeys.local_time import WEEKDAYS, zone_of


def is_moment(asked: Moment, facts: Facts) -> bool:
    """Now, on the store's clock or the contact's own (the store's, where that is not known)."""
    own = facts.contact.timezone if asked.zone == "contact" else None
    local = facts.now.astimezone(zone_of(own, facts.store_zone))
    if asked.weekdays is not None and WEEKDAYS[local.weekday()] not in asked.weekdays:
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


def is_drawn(asked: Share, contact_id: str) -> bool:
    """So many in a hundred, by a hash: the same contacts every time, and with more percent those and others."""
    return bucket(100, "random", asked.salt, contact_id) < asked.percent
