"""Plain Python values and DynamoDB's own JSON ("AttributeValue" in its API reference), both ways.

boto3's serialiser would bring boto3's file transfer along into every function's start: half of its import time.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from math import isfinite
from typing import Any


def to_wire(item: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes that are None are left out. Raises TypeError for what DynamoDB cannot keep."""
    return {name: _encoded(value) for name, value in item.items() if value is not None}


def from_wire(item: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers come back as int where they are whole, else as float."""
    return {name: _decoded(value) for name, value in item.items()}


def _encoded(value: Any) -> dict[str, Any]:
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": str(value)}
        case int() | Decimal():
            return {"N": str(int(value)) if isinstance(value, int) else str(value)}
        case float() if isfinite(value):
            return {"N": repr(value)}
        case bytes() | bytearray():
            return {"B": bytes(value)}
        case Mapping():
            return {"M": {str(name): _encoded(part) for name, part in value.items()}}
        case list() | tuple():
            return {"L": [_encoded(part) for part in value]}
    raise TypeError(f"the table cannot keep a {type(value).__name__}")


def _decoded(value: Mapping[str, Any]) -> Any:
    ((kind, content),) = value.items()
    match kind:
        case "S" | "B" | "BOOL":
            return content
        case "NULL":
            return None
        case "N":
            number = Decimal(content)
            return int(number) if number == number.to_integral_value() else float(number)
        case "M":
            return from_wire(content)
        case "L":
            return [_decoded(part) for part in content]
    raise TypeError(f"the table holds a {kind}, which nothing of ours wrote")
