"""How many units of something the order of a journey's event has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.journeys.condition_forms import CONSUMABLE, TRIGGER, Subject


def units_in(event: Mapping[str, Any], asked: Subject) -> int:
    """`event` as an enrolment keeps it; `trigger` is all that its order has. A choice not made yet has none."""
    properties = event.get("properties")
    told = properties.get("items") if isinstance(properties, Mapping) else None
    items = [item for item in told if isinstance(item, Mapping)] if isinstance(told, list | tuple) else []
    if asked.unchosen:
        return 0
    wanted = asked.id
    if asked.product == CONSUMABLE:
        consumable = properties.get("consumable") if isinstance(properties, Mapping) else None
        wanted = str(consumable.get("product_id")) if isinstance(consumable, Mapping) else ""
    if wanted is None or wanted == TRIGGER:
        return sum(map(_quantity, items))
    if asked.kind == "category":
        return sum(_quantity(item) for item in items if wanted in (item.get("categories") or ()))
    return sum(_quantity(item) for item in items if wanted in (item.get("product_id"), item.get("variation_id")))


def _quantity(item: Mapping[str, Any]) -> int:
    told = item.get("quantity")
    return told if isinstance(told, int) and not isinstance(told, bool) and told > 0 else 0
