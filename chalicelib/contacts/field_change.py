"""What a step may do to one of a contact's own fields: set it, count, gather, sum. Pure, over the value that is there.

Numbers are counted in decimals and kept to 9 places, so that ten times 0.1 is 1; whole ones stay whole. A field
that is missing or an empty text counts from 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from chalicelib.errors import StepCannot

Kind = Literal["set", "clear", "add", "subtract", "append", "today", "sum"]
COUNTING = frozenset({"add", "subtract"})
MOST_GATHERED = 200  # values of a list; the newest stay
_BILLIONTH = Decimal("0.000000001")


@dataclass(frozen=True)
class FieldChange:
    """`value` is what to set, add, subtract or append, and for `today` the date as text, on the store's clock.

    `fields` are those that `sum` adds up; missing ones count 0. `only_if_empty` leaves alone what is there. `undoable`:
    an add or subtract that `undo_field` may take back, also before it was done.
    """

    kind: Kind
    value: Any = None
    fields: tuple[str, ...] = ()
    only_if_empty: bool = False
    undoable: bool = False


def is_empty(value: Any) -> bool:
    return value is None or value == "" or value == []


def changed(change: FieldChange, name: str, fields: Mapping[str, Any]) -> Any:
    """The field's next value, None for none. Raises `StepCannot` for what is no number."""
    present = fields.get(name)
    if change.only_if_empty and not is_empty(present):
        return present
    match change.kind:
        case "clear":
            return None
        case "add":
            return total(present, change.value)
        case "subtract":
            return total(present, -_number(change.value))
        case "append":
            return [*_several(present), *_several(change.value)][-MOST_GATHERED:]
        case "sum":
            return total(*(fields.get(field) for field in change.fields))
        case _:
            return list(change.value) if isinstance(change.value, tuple) else change.value


def total(*values: Any) -> int | float:
    """Raises `StepCannot` for what is no number."""
    return _plain(sum(map(_number, values), Decimal(0)))


def difference(after: Any, before: Any) -> int | float:
    """Raises `StepCannot` for what is no number."""
    return _plain(_number(after) - _number(before))


def _number(value: Any) -> Decimal:
    if is_empty(value):
        return Decimal(0)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise StepCannot("not_a_number")
    return Decimal(str(value))


def _plain(number: Decimal) -> int | float:
    if number == number.to_integral_value():
        return int(number)
    rounded = number.quantize(_BILLIONTH)
    return int(rounded) if rounded == rounded.to_integral_value() else float(rounded)


def _several(value: Any) -> list[Any]:
    if is_empty(value):
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
