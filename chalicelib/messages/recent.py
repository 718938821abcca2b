"""What marketing went to one contact lately, and what of it was clicked or opened: a record beside the contact, by
which caps and duplicates are told, and what earned an order.

A message takes its place here before it is claimed, over the revision that was read: of two that reach for the last
place at the same instant one finds it taken.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict

from chalicelib.commerce.store import Cap, Store
from chalicelib.contacts.consent import Channel
from chalicelib.messages.message import BUSY, Message, MessageStatus
from chalicelib.messages.pace import SEND_RATE

WEEK = timedelta(days=7)
# Longer than any run of a step: Lambda ends one after 15 minutes.
LONGEST_RUN = timedelta(minutes=20)
# Longer than a step tries again for while its provider is busy.
_TRIES_LAST = timedelta(days=1)
# What comes every so many days at one hour comes some moments sooner now and then: it is no duplicate for that.
_EARLY = timedelta(hours=1)
_MOST = 100
_TOUCHES = 30
_OUT = frozenset(
    (
        MessageStatus.SENT,
        MessageStatus.DELIVERED,
        MessageStatus.OPENED,
        MessageStatus.CLICKED,
        MessageStatus.UNKNOWN,
    )
)


class Place(BaseModel):
    """One message that went out, or is about to: `message` its id, `at` when it took the place, `words` a digest of
    what it says (`said.words_digest`)."""

    model_config = ConfigDict(frozen=True)

    message: str
    channel: Channel
    at: datetime
    words: str


class Touch(BaseModel):
    """That a person clicked, or opened, a message: `message` its id."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    kind: Literal["click", "open"]
    message: str


class Recent(BaseModel):
    """Oldest first. `rev` counts writes."""

    model_config = ConfigDict(frozen=True)

    places: tuple[Place, ...] = ()
    touches: tuple[Touch, ...] = ()
    rev: int = 0

    def touched(self, *touches: Touch) -> Recent:
        """With these; of very many the newest."""
        known = sorted({*self.touches, *touches}, key=lambda touch: (touch.at, touch.kind, touch.message))
        return self.model_copy(update={"touches": tuple(known[-_TOUCHES:])})


def matters(store: Store, channel: Channel) -> bool:
    """Whether the store counts on this channel at all."""
    return store.settings.duplicate_days > 0 or channel in (store.settings.caps or {})


def kept(places: Iterable[Place], store: Store, now: datetime) -> tuple[Place, ...]:
    """Those that may matter still: of a week, or of the days for which the same words are not said again. Bounded: of
    very many the newest, more than any cap asks for."""
    since = now - max(WEEK, timedelta(days=store.settings.duplicate_days))
    caps = [number for cap in (store.settings.caps or {}).values() for number in (cap.per_day, cap.per_week)]
    most = max(_MOST, *(number or 0 for number in caps)) if caps else _MOST
    young = sorted((place for place in places if place.at > since), key=lambda place: (place.at, place.message))
    return tuple(young[-most:])


def too_much(
    store: Store, channel: Channel, words: str, places: Collection[Place], now: datetime
) -> tuple[str, list[Place]] | None:
    """Why one more message is not sent beside these, and because of which of them; None if it may be.

    The channel's cap of 24 hours and of 7 days first; then the same words within `duplicate_days`.
    """
    settings = store.settings
    mine = [place for place in places if place.channel is channel]
    cap = (settings.caps or {}).get(channel) or Cap()
    for most, length in ((cap.per_day, timedelta(days=1)), (cap.per_week, WEEK)):
        lately = [place for place in mine if place.at > now - length]
        if most is not None and len(lately) >= most:
            return "frequency_cap", lately
    spoken = now - timedelta(days=settings.duplicate_days) + _EARLY
    same = [place for place in mine if place.words == words and place.at > spoken]
    return ("duplicate", same) if same else None


def still_stands(place: Place, message: Message | None, now: datetime) -> bool:
    """Whether a message with a place went out, or yet may: `message` is its record as it is now.

    Without one the run that took the place may be just before its claim, or was cut off there. What the provider
    refused, or gave back, went to nobody.
    """
    if message is None:
        return now - place.at < LONGEST_RUN
    if message.id != place.message:
        return True  # a merge put the record aside: it stays in doubt
    if message.status is not MessageStatus.CLAIMED:
        return message.status in _OUT
    last = message.history[-1] if message.history else None
    return last is None or last.status not in (BUSY, SEND_RATE) or now - last.at < _TRIES_LAST


def joined(one: Recent, other: Recent) -> Recent:
    """What two contacts were sent, when they turn out to be one; in the revision of the first."""
    places = {place.message: place for place in (*other.places, *one.places)}
    ordered = sorted(places.values(), key=lambda place: (place.at, place.message))
    return one.model_copy(update={"places": tuple(ordered)}).touched(*other.touches)
