"""When a wait ends."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from chalicelib.clock import parse_rfc3339
from chalicelib.commerce.event import Event
from chalicelib.journeys.actions import Lifetime, Wait
from chalicelib.journeys.facts import with_catalogue
from chalicelib.journeys.ports import ProductRecords


class Waits:
    """Works out the end of a wait from the clock, the enrolment's event and the catalogue."""

    def __init__(self, products: ProductRecords) -> None:
        self._products = products

    def end(self, store_id: str, wait: Wait, event: Mapping[str, Any], now: datetime) -> datetime:
        """Store time (UTC); never before `now`.

        A lifetime counts from the event (the purchase), so that a late delivery does not move it. Raises ValueError
        for a kind of wait that activation does not let through.
        """
        if wait.duration is not None:
            return now + wait.duration.length
        if wait.lifetime is not None:
            since = parse_rfc3339(event["occurred_at"]) if event.get("occurred_at") else now
            return max(now, since + self._length(store_id, wait.lifetime, event))
        raise ValueError(f"wait {wait.id} cannot run yet")

    def _length(self, store_id: str, lifetime: Lifetime, event: Mapping[str, Any]) -> timedelta:
        days = self._shortest(store_id, event) or lifetime.default_days
        return timedelta(days=max(0, days - lifetime.minus_days))

    def _shortest(self, store_id: str, event: Mapping[str, Any]) -> int | None:
        """Of the event's products as the catalogue has them today, in days."""
        (told,) = with_catalogue(self._products, store_id, [Event.model_validate(event)])
        days = told.properties.get("lifetime_days")
        return days if isinstance(days, int) else None
