"""How fast, and how much in a day, a channel's account may send: each message takes its turn.

Turns are places in a queue that all functions share, so that any number of them together keep the account's rate
without knowing of each other. There are two queues: marketing has three quarters of the rate, the rest is transactional
mail's, so that an order's confirmation does not stand behind a newsletter. Of the day's quota the last twentieth is
transactional mail's too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from chalicelib.clock import parse_rfc3339, rfc3339
from chalicelib.messages.message import HistoryEntry, Message, MessageKind

SEND_RATE = "send_rate"
NEAR = timedelta(seconds=2)
"""A turn that is so near is waited for: that costs less than to go and come back."""
_KEPT = timedelta(minutes=5)  # for who comes back late; who was held up elsewhere for longer takes a new one
QUOTA_RECHECK = timedelta(hours=1)
_SHARES = {MessageKind.MARKETING: 0.75, MessageKind.TRANSACTIONAL: 0.25}
_RESERVE = 0.05


@dataclass(frozen=True)
class Limits:
    """`rate` in messages a second; `daily` in 24 hours (None: unlimited), of which `sent` are used up. `read` tells
    one reading of the account from the next."""

    rate: float
    daily: int | None
    sent: int
    read: int


class Account(Protocol):
    """What the channel's provider lets us do."""

    def limits(self) -> Limits | None:
        """As known some minutes ago at most; None where nobody can tell."""
        ...


class Turns(Protocol):
    """The shared queues (`storage.turns.Turns`)."""

    def take(self, queue: str, apart: timedelta, now: datetime) -> tuple[datetime, int]:
        """The next free moment of this queue, at `now` or later, and how many have been taken of it, this one
        included. Raises `errors.TryLater`."""
        ...


@dataclass(frozen=True)
class Turn:
    """Go at `at`. `is_new`: the message's record does not say so yet."""

    at: datetime
    is_new: bool = True


@dataclass(frozen=True)
class UsedUp:
    """Nothing more of this kind for now; ask again at `until`."""

    until: datetime


class Pace:
    """`channel` names the account's queues."""

    def __init__(self, channel: str, account: Account, turns: Turns) -> None:
        self._channel, self._account, self._turns = channel, account, turns
        self._read = -1
        self._first: dict[MessageKind, int] = {}
        self._last: dict[MessageKind, int] = {}

    def turn(self, kind: MessageKind, now: datetime) -> Turn | UsedUp:
        """When a message of this kind may go. A turn that is not used is lost, and harms nobody."""
        limits = self._account.limits()
        if limits is None or limits.rate <= 0:
            return Turn(now)
        if limits.read != self._read:
            self._read, self._first, self._last = limits.read, {}, {}
        if self._is_used_up(kind, limits):
            return UsedUp(now + QUOTA_RECHECK)
        apart = timedelta(seconds=1 / (limits.rate * _SHARES[kind]))
        at, count = self._turns.take(f"{self._channel}:{kind.value}", apart, now)
        self._first.setdefault(kind, count - 1)
        self._last[kind] = count
        return Turn(at)

    def _is_used_up(self, kind: MessageKind, limits: Limits) -> bool:
        """By what the account said, and the turns that everybody took since."""
        if limits.daily is None:
            return False
        since = sum(self._last[kind] - self._first[kind] for kind in self._last)
        kept = limits.daily * _RESERVE if kind is MessageKind.MARKETING else 0
        return limits.sent + since >= limits.daily - kept


def waiting(message: Message, turn: Turn, now: datetime) -> Message:
    """The message with its turn on record."""
    entry = HistoryEntry(at=now, status=SEND_RATE, detail=rfc3339(turn.at))
    return message.model_copy(update={"history": (*message.history, entry)})


def kept_turn(found: Message | None, now: datetime) -> Turn | None:
    """The one that the message went away with, if it comes back in time."""
    last = found.history[-1] if found is not None and found.history else None
    if last is None or last.status != SEND_RATE or not last.detail:
        return None
    at = parse_rfc3339(last.detail)
    return Turn(at, is_new=False) if now <= at + _KEPT else None
