"""When a wait ends."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from chalicelib.clock import parse_rfc3339
from chalicelib.journeys.actions import Lifetime, Wait
from chalicelib.journeys.conditions import subjects_of
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
        days = min(self._lifetimes(store_id, event), default=lifetime.default_days)
        return timedelta(days=max(0, days - lifetime.minus_days))

    def _lifetimes(self, store_id: str, event: Mapping[str, Any]) -> list[int]:
        ids = [subject.partition(":")[2] for subject in subjects_of(event, "product")]
        found = (self._products.get(store_id, product_id) for product_id in ids)
        products = (record.product for record in found if record)
        return [product.lifetime_days for product in products if product and product.lifetime_days]
