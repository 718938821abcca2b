"""Validation errors in the terms of whoever wrote the journey: the field's path, the step's id, plain words."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError

from chalicelib.errors import BadInput, FieldMistake

MOST_MISTAKES = 100
MOST_LEVELS = 80

_PLAIN = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "string_type": "expected a text",
    "int_type": "expected a whole number",
    "bool_type": "expected true or false",
    "dict_type": 'expected an object by language, such as {"en": …}',
    "model_type": "expected an object",
    "model_attributes_type": "expected an object",
    "tuple_type": "expected a list",
    "string_unicode": "expected a text of valid Unicode",
}

_BOUNDS = {
    "greater_than": "expected more than {gt}",
    "greater_than_equal": "expected at least {ge}",
    "less_than": "expected less than {lt}",
    "less_than_equal": "expected at most {le}",
    "too_short": "expected at least {min_length} of them",
    "too_long": "expected at most {max_length} of them",
    "string_too_short": "expected a text of at least {min_length} characters",
    "string_too_long": "expected a text of at most {max_length} characters",
}


def refuse_outsized(data: Any, largest: int) -> None:
    """Raises `BadInput` for what is no object, is nested too deep, or is longer than `largest` UTF-8 bytes as JSON."""
    if not isinstance(data, dict):
        raise BadInput("a journey is an object", [FieldMistake("", "expected an object")])
    layer: list[Any] = [data]
    for _ in range(MOST_LEVELS):
        layer = [inner for outer in layer for inner in _children(outer)]
        if not layer:
            break
    else:
        raise BadInput(f"a journey is nested at most {MOST_LEVELS} levels deep")
    try:
        size = len(json.dumps(data, ensure_ascii=False, allow_nan=False).encode("utf-8", "surrogatepass"))
    except (TypeError, ValueError):
        raise BadInput("a journey holds JSON values only") from None
    if size > largest:
        raise BadInput(f"a journey is at most {largest // 1024} KiB")


def _children(node: Any) -> list[Any]:
    if isinstance(node, dict):
        return list(node.values())
    return list(node) if isinstance(node, list) else []


def mistakes_of(error: ValidationError, data: Any) -> list[FieldMistake]:
    """One for each field, in the order found, at most `MOST_MISTAKES`."""
    found: dict[str, FieldMistake] = {}
    for detail in error.errors(include_url=False, include_input=False):
        keys = _keys(detail["loc"])
        if detail["type"] == "unknown_type":
            keys = [*keys, "type"]
        if detail["type"] == "too_short" and _length(data, keys) >= detail["ctx"]["min_length"]:
            continue  # an echo: enough are there, and some have mistakes of their own
        path = _path(keys)
        step = _step_id(data, keys)
        message = _in_words(detail["type"], detail["msg"], detail.get("ctx", {}))
        found.setdefault(path, FieldMistake(path, f"step {step!r}: {message}" if step else message))
    return list(found.values())[:MOST_MISTAKES]


def _in_words(kind: str, message: str, bounds: dict[str, Any]) -> str:
    if kind in _BOUNDS:
        return _BOUNDS[kind].format(**bounds)
    return _PLAIN.get(kind, message.removeprefix("Value error, "))


def _keys(loc: tuple[int | str, ...]) -> list[int | str]:
    """Without pydantic's own marks: the tags of unions (`<Branch>`) and `[key]`."""
    return [key for key in loc if isinstance(key, int) or not key.startswith(("<", "["))]


def _path(keys: list[int | str]) -> str:
    path = ""
    for key in keys:
        path += f"[{key}]" if isinstance(key, int) else (f".{key}" if path else key)
    return path


def _step_id(data: Any, keys: list[int | str]) -> str | None:
    """The id of the innermost step that the path leads into."""
    step_id = None
    node = data
    for position, key in enumerate(keys):
        try:
            node = node[key]
        except (KeyError, IndexError, TypeError):
            break
        if isinstance(key, int) and keys[position - 1] in ("steps", "then", "else") and isinstance(node, dict):
            found = node.get("id")
            step_id = found if isinstance(found, str) and len(found) <= 40 else step_id
    return step_id


def _length(data: Any, keys: list[int | str]) -> int:
    node = data
    for key in keys:
        try:
            node = node[key]
        except (KeyError, IndexError, TypeError):
            return 0
    return len(node) if isinstance(node, list | dict) else 0
