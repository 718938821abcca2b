"""Several events that begin one pass: what a visitor looked at until they left, what changed within a day.

One record of a contact and a journey holds what was gathered; an errand looks whether it is over. It is a fold of the
events by id, so repeats and any order of arrival come to the same. Once it is over, one event tells of them all; its
id is known by the first that was heard, so however often it is told, one pass begins by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from chalicelib.clock import rfc3339
from chalicelib.commerce.event import Event
from chalicelib.journeys.triggers import ProductTrigger, Trigger, ViewTrigger

VISITS = frozenset({"product_viewed", "category_viewed", "page_viewed", "site_left"})
"""Whoever does any of these is still there: it moves the end of what their visit gathers."""
MOST_GATHERED = 50  # the newest, so that the record stays small
GRACE = timedelta(minutes=2)  # what comes in one backlog is heard by then
PREFIX = "gathered:"
_ABOUT = ("product_id", "category", "categories", "name", "image", "url", "price", "was", "percent", "in_stock")
_LONGEST_TEXT = 500
_MOST_IN_LIST = 20


class Gathered(BaseModel):
    """One event of the trigger's type: its id, when it happened, and what an item shows of it."""

    model_config = ConfigDict(frozen=True)

    id: str
    at: datetime
    about: dict[str, Any] = Field(default_factory=dict)

    @property
    def place(self) -> tuple[str, str]:
        return rfc3339(self.at), self.id


class Gathering(BaseModel):
    """`first` is the id of the event that was heard first, `events` the newest ones by time; `newest` are the
    properties of the last of them. `last_at` is the last sign of life, `heard_at` when the record last had news.

    `sent`: somebody is on the way to look. `over_at`: when it was over; its event is told by then. `generation` counts
    the contact's gatherings of this journey, `rev` counts writes.
    """

    model_config = ConfigDict(frozen=True)

    store_id: str
    journey: str
    first: str
    began_at: datetime
    last_at: datetime
    heard_at: datetime
    events: tuple[Gathered, ...] = ()
    newest: dict[str, Any] = Field(default_factory=dict)
    sent: bool = False
    over_at: datetime | None = None
    generation: int = 1
    rev: int = 0

    def ends_at(self, trigger: Trigger) -> datetime:
        """When it is over, if nothing more is heard. Raises ValueError for a trigger that gathers nothing."""
        length = gathers(trigger)
        if length is None:
            raise ValueError(f"{trigger.type} gathers nothing")
        return (self.last_at if isinstance(trigger, ViewTrigger) else self.began_at) + length

    def looked_at(self, trigger: Trigger) -> datetime:
        """When to look whether it is over."""
        return max(self.ends_at(trigger), self.heard_at + GRACE)


def gathers(trigger: Trigger) -> timedelta | None:
    """How long after the last sign of life (of views), or the first event (of products), it is over; None: at once."""
    hours = None
    if isinstance(trigger, ViewTrigger):
        hours = trigger.quiet_hours
    elif isinstance(trigger, ProductTrigger):
        hours = trigger.collect_hours
    return timedelta(hours=hours) if hours is not None else None


def is_gathered(event: Event) -> bool:
    return event.id.startswith(PREFIX)


def begun(before: Gathering | None, store_id: str, journey: str, event: Event, now: datetime) -> Gathering:
    """A new one, after the one that is over."""
    at = event.occurred_at
    fresh = Gathering(
        store_id=store_id,
        journey=journey,
        first=event.id,
        began_at=at,
        last_at=at,
        heard_at=now,
        generation=before.generation + 1 if before else 1,
        rev=before.rev if before else 0,
    )
    return added(fresh, event, now)


def added(gathering: Gathering, event: Event, now: datetime) -> Gathering:
    """With an event of the trigger's type; the same, if it has that one or enough newer ones."""
    one = Gathered(id=event.id, at=event.occurred_at, about=_about(event.properties))
    if one.id in {known.id for known in gathering.events}:
        return gathering
    kept = _newest((*gathering.events, one))
    if one not in kept:
        return gathering.model_copy(update={"began_at": min(gathering.began_at, one.at)})
    changes: dict[str, Any] = {
        "events": kept,
        "began_at": min(gathering.began_at, one.at),
        "last_at": max(gathering.last_at, one.at),
        "heard_at": now,
    }
    if kept[-1] == one:
        changes["newest"] = event.properties
    return gathering.model_copy(update=changes)


def moved(gathering: Gathering, event: Event, now: datetime) -> Gathering:
    """After another sign of life."""
    if event.occurred_at <= gathering.last_at:
        return gathering
    return gathering.model_copy(update={"last_at": event.occurred_at, "heard_at": now})


def united(stays: Gathering, comes: Gathering) -> Gathering:
    """Of two contacts that are one person, over the record of the one that stays."""
    generation = max(stays.generation, comes.generation)
    if stays.over_at is not None:
        later = comes.over_at is None or comes.over_at > stays.over_at
        return (comes if later else stays).model_copy(update={"rev": stays.rev, "generation": generation})
    if comes.over_at is not None:
        return stays.model_copy(update={"generation": generation})
    events = _newest(tuple({one.id: one for one in (*stays.events, *comes.events)}.values()))
    of_stays = bool(stays.events) and events[-1].id == stays.events[-1].id
    changes = {
        "events": events,
        "newest": stays.newest if of_stays else comes.newest,
        "began_at": min(stays.began_at, comes.began_at),
        "last_at": max(stays.last_at, comes.last_at),
        "heard_at": max(stays.heard_at, comes.heard_at),
        "generation": generation,
    }
    return stays.model_copy(update=changes)


def told(gathering: Gathering, trigger: Trigger) -> Event:
    """The one event that tells of them all, from when it was over: `items` newest first, each with its `times`."""
    items: dict[str, dict[str, Any]] = {}
    for one in reversed(gathering.events):
        subject = one.about.get("product_id") or one.about.get("category")
        if subject is None:
            continue
        newer = items.get(str(subject), {"times": 0})
        items[str(subject)] = {**one.about, **newer, "times": newer["times"] + 1}
    properties = {**gathering.newest, "items": list(items.values()), "count": len(gathering.events)}
    return Event(
        id=f"{PREFIX}{gathering.first}",
        type=trigger.type,
        occurred_at=gathering.ends_at(trigger),
        properties=properties,
    )


def _newest(events: tuple[Gathered, ...]) -> tuple[Gathered, ...]:
    return tuple(sorted(events, key=lambda one: one.place)[-MOST_GATHERED:])


def _about(properties: Mapping[str, Any]) -> dict[str, Any]:
    """What an item shows: nobody can make the record large by what they send."""
    return {name: value for name in _ABOUT if (value := _small(properties.get(name))) is not None}


def _small(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= _LONGEST_TEXT else None
    if isinstance(value, list | tuple):
        return [one for one in value if isinstance(one, str) and len(one) <= _LONGEST_TEXT][:_MOST_IN_LIST]
    if isinstance(value, Mapping):
        return dict(value) if set(value) == {"amount", "currency"} else None
    return value
