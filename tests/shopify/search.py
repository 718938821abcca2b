"""Lists as Shopify gives them: sorted, filtered by its search syntax (the part that Agala uses), paged by cursors."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

LARGEST_PAGE = 250
_TERM = re.compile(r"""(-?)([a-z_]+):(>=|<=|>|<|=)?\s*("[^"]*"|'[^']*'|\S+)""")
_SORT_FIELDS = {
    "UPDATED_AT": "updatedAt",
    "CREATED_AT": "createdAt",
    "PROCESSED_AT": "processedAt",
    "TITLE": "title",
    "NAME": "name",
    "COMPLETED_AT": "completedAt",
    "STARTS_AT": "startsAt",
}
_FILTER_FIELDS = {
    "updated_at": "updatedAt",
    "created_at": "createdAt",
    "processed_at": "processedAt",
    "name": "name",
    "email": "email",
    "handle": "handle",
    "status": "status",
    "sku": "sku",
    "title": "title",
    "code": "code",
    "operation_type": "type",
    "financial_status": "displayFinancialStatus",
    "fulfillment_status": "displayFulfillmentStatus",
}
_TIMES = {"updated_at", "created_at", "processed_at"}


class BadArgument(Exception):
    """What Shopify's answer says of an argument."""


def connection(items: list[Any], arguments: Mapping[str, Any], whole: bool) -> dict[str, Any]:
    """A Relay connection of `items`. `whole`: as a bulk operation reads it, without pages.

    A cursor is a place in the order, not a count: records that come or go in between neither shift nor repeat others.
    """
    kept = sorted(filtered(items, arguments.get("query")), key=_place(arguments))
    if arguments.get("reverse"):
        kept.reverse()
    if whole:
        return _answer(kept, kept, arguments)
    first, last = arguments.get("first"), arguments.get("last")
    if first is None and last is None:
        raise BadArgument("you must provide one of first or last")
    if first is not None and last is not None:
        raise BadArgument("providing both first and last is not supported")
    size = first if first is not None else last
    if not 0 <= size <= LARGEST_PAGE:
        raise BadArgument(f"first cannot exceed {LARGEST_PAGE}")
    place, sign = _place(arguments), -1 if arguments.get("reverse") else 1
    left = kept
    if arguments.get("after"):
        left = [item for item in left if _compare(place(item), _decoded(arguments["after"])) * sign > 0]
    if arguments.get("before"):
        left = [item for item in left if _compare(place(item), _decoded(arguments["before"])) * sign < 0]
    return _answer(left[:size] if first is not None else left[max(len(left) - size, 0) :], kept, arguments)


def _answer(page: list[Any], kept: list[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    place = _place(arguments)
    edges = [{"cursor": _encoded(place(item)), "node": item} for item in page]
    return {
        "edges": edges,
        "nodes": page,
        "pageInfo": {
            "hasNextPage": bool(page) and page[-1] is not kept[-1],
            "hasPreviousPage": bool(page) and page[0] is not kept[0],
            "startCursor": edges[0]["cursor"] if edges else None,
            "endCursor": edges[-1]["cursor"] if edges else None,
        },
        "totalCount": len(kept),
    }


def number(item: Any) -> int:
    """The number in a record's gid; 0 for what has none."""
    found = re.search(r"/(\d+)", str(item.get("id", ""))) if isinstance(item, dict) else None
    return int(found[1]) if found else 0


def _place(arguments: Mapping[str, Any]) -> Callable[[Any], tuple[str, int]]:
    field = _SORT_FIELDS.get(arguments.get("sortKey") or "ID")

    def place(item: Any) -> tuple[str, int]:
        value = text(item.get(field) or item.get("createdAt") or "") if field and isinstance(item, dict) else ""
        return value, number(item)

    return place


def _compare(one: tuple[str, int], other: tuple[str, int]) -> int:
    return (one > other) - (one < other)


def _encoded(place: tuple[str, int]) -> str:
    return base64.b64encode(json.dumps({"last_id": place[1], "last_value": place[0]}).encode()).decode()


def _decoded(cursor: str) -> tuple[str, int]:
    try:
        told = json.loads(base64.b64decode(cursor, validate=True))
        return told["last_value"], told["last_id"]
    except (ValueError, KeyError, TypeError):
        raise BadArgument("Invalid cursor for current pagination sort.") from None


def text(value: Any) -> str:
    """A time as Shopify writes it; anything else as it is."""
    if isinstance(value, datetime):
        return value.astimezone().isoformat() if value.tzinfo is None else _utc(value)
    return str(value)


def _utc(moment: datetime) -> str:
    from datetime import UTC

    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def filtered(items: list[Any], query: str | None) -> list[Any]:
    """Raises `BadArgument` for a search that this fake does not know: better than finding the wrong records."""
    groups = [part.strip() for part in re.split(r"\s+OR\s+", query or "") if part.strip()]
    return [item for item in items if not groups or any(_fits(item, group) for group in groups)]


def _fits(item: Any, group: str) -> bool:
    terms = re.sub(r"\s+AND\s+|[()]", " ", group)
    if _TERM.sub("", terms).strip():
        raise BadArgument(f"the fake shop does not understand the search {group!r}")
    return all(
        _holds(item, name, sign or "=", told.strip("\"'")) != bool(less)
        for less, name, sign, told in _TERM.findall(terms)
    )


def _holds(item: dict[str, Any], name: str, sign: str, told: str) -> bool:
    if name == "id":
        one: Any = number(item)
        other: Any = int(told.rsplit("/", 1)[-1])
    elif name == "tag":
        return told in item.get("tags", [])
    elif name in _TIMES:
        value = item.get(_FILTER_FIELDS[name])
        if not value:
            return False
        one, other = datetime.fromisoformat(text(value)), datetime.fromisoformat(told)
    elif name in _FILTER_FIELDS:
        one, other = str(item.get(_FILTER_FIELDS[name]) or "").lower(), told.lower()
        if name == "status" and other == "any":
            return True
    else:
        raise BadArgument(f"the fake shop does not know the search field {name!r}")
    return {"=": one == other, ">": one > other, ">=": one >= other, "<": one < other, "<=": one <= other}[sign]
