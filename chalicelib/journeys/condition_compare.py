"""How conditions compare a value with what they want. Missing compares false, and so do unlike types."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from chalicelib.clock import parse_rfc3339
from chalicelib.commerce.money import Money
from chalicelib.journeys.condition_values import Operator


def single_or_list(root: Any, keys: list[str]) -> Any:
    """The value at the path; a list of all values where the path leads through a list, or ends in one."""
    node: Any = root
    for position, key in enumerate(keys):
        if isinstance(node, list | tuple):
            return gather(node, keys[position:])
        if not isinstance(node, Mapping):
            return None
        node = node.get(key)
    return plain(node)


def gather(node: Any, keys: list[str]) -> list[Any]:
    """All that is at the path, through every list on the way."""
    if isinstance(node, list | tuple):
        return [value for element in node for value in gather(element, keys)]
    if not keys:
        return [] if node is None else [plain(node)]
    return gather(node.get(keys[0]), keys[1:]) if isinstance(node, Mapping) else []


def plain(value: Any) -> Any:
    """Money becomes its minor units; an empty text is a missing one."""
    if isinstance(value, Money):
        return value.amount
    if isinstance(value, Mapping) and set(value) == {"amount", "currency"}:
        return value["amount"]
    return None if value == "" else value


def compare(operator: Operator, actual: Any, wanted: Any, now: datetime) -> bool:
    """Whether `actual` (`plain`) stands so to `wanted`. Never raises."""
    if operator is Operator.IS_MISSING:
        return _missing(actual)
    if operator is Operator.IS_SET:
        return not _missing(actual)
    if actual is None or wanted is None or wanted == "":
        return False
    return _COMPARISONS[operator](actual, wanted, now)


def _missing(actual: Any) -> bool:
    return actual is None or (isinstance(actual, list | tuple) and not actual)


def _same(actual: Any, wanted: Any) -> bool:
    return _alike(actual, wanted) and bool(actual == wanted)


def _alike(actual: Any, wanted: Any) -> bool:
    if isinstance(actual, bool) or isinstance(wanted, bool):
        return isinstance(actual, bool) and isinstance(wanted, bool)
    if isinstance(actual, str) or isinstance(wanted, str):
        return isinstance(actual, str) and isinstance(wanted, str)
    return _is_number(actual) and _is_number(wanted)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _contains(actual: Any, wanted: Any) -> bool | None:
    """None where the two cannot be compared."""
    if isinstance(actual, list | tuple):
        return any(_same(element, wanted) for element in actual)
    if isinstance(actual, str) and isinstance(wanted, str):
        return wanted.casefold() in actual.casefold()
    return None


def _one_of(actual: Any, wanted: Any) -> bool:
    present: Iterable[Any] = actual if isinstance(actual, list | tuple) else (actual,)
    return any(_same(element, choice) for element in present for choice in wanted)


def _moment(value: Any) -> datetime | None:
    """A time from a record or a text; a bare date is its midnight, UTC."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value
    if not isinstance(value, str):
        return None
    try:
        return parse_rfc3339(f"{value}T00:00:00Z" if len(value) == 10 else value)
    except ValueError:
        return None


def _numbers(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any, datetime], bool]:
    def compared(actual: Any, wanted: Any, now: datetime) -> bool:
        return _is_number(actual) and _is_number(wanted) and compare(actual, wanted)

    return compared


def _times(compare: Callable[[datetime, datetime], bool]) -> Callable[[Any, Any, datetime], bool]:
    def compared(actual: Any, wanted: Any, now: datetime) -> bool:
        first, second = _moment(actual), _moment(wanted)
        return first is not None and second is not None and compare(first, second)

    return compared


def _within_last_days(actual: Any, wanted: Any, now: datetime) -> bool:
    moment = _moment(actual)
    return moment is not None and moment <= now and (now - moment).total_seconds() <= float(wanted) * 86_400


_COMPARISONS: Mapping[Operator, Callable[[Any, Any, datetime], bool]] = {
    Operator.EQUALS: lambda actual, wanted, now: _same(actual, wanted),
    Operator.NOT_EQUALS: lambda actual, wanted, now: _alike(actual, wanted) and actual != wanted,
    Operator.CONTAINS: lambda actual, wanted, now: _contains(actual, wanted) is True,
    Operator.NOT_CONTAINS: lambda actual, wanted, now: _contains(actual, wanted) is False,
    Operator.STARTS_WITH: lambda actual, wanted, now: (
        isinstance(actual, str) and isinstance(wanted, str) and actual.casefold().startswith(wanted.casefold())
    ),
    Operator.ONE_OF: lambda actual, wanted, now: _one_of(actual, wanted),
    Operator.GREATER: _numbers(lambda actual, wanted: actual > wanted),
    Operator.AT_LEAST: _numbers(lambda actual, wanted: actual >= wanted),
    Operator.LESS: _numbers(lambda actual, wanted: actual < wanted),
    Operator.AT_MOST: _numbers(lambda actual, wanted: actual <= wanted),
    Operator.BEFORE: _times(lambda actual, wanted: actual < wanted),
    Operator.AFTER: _times(lambda actual, wanted: actual > wanted),
    Operator.WITHIN_LAST_DAYS: _within_last_days,
}
