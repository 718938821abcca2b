"""Time, passed in wherever it is needed. The domain never asks the operating system for it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """Store time now, timezone-aware UTC."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def rfc3339(moment: datetime) -> str:
    """UTC with milliseconds and a `Z`: one fixed width, so that text order is time order.

    >>> rfc3339(datetime(2026, 11, 21, 21, 15, 56, tzinfo=UTC))
    '2026-11-21T21:15:56.000Z'
    """
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_rfc3339(text: str) -> datetime:
    """The inverse of `rfc3339`; any RFC 3339 offset is taken.

    Raises ValueError for a time without a zone, and for one that in UTC is before the year 1 or after 9999.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time needs a zone, such as 2026-11-21T21:15:56Z")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("a time needs a year from 1 to 9999, in UTC") from None
