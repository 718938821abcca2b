"""Paths, templates and choices of the Amazon States Language (states-language.net), as far as the walk needs them."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from chalicelib.clock import parse_rfc3339

Json = Any


class StatesError(Exception):
    """An error with a name that Retry and Catch know."""

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause


_STEP = re.compile(r"\.(?P<name>[^.\[\]'\"()\s]+)|\['(?P<quoted>[^']*)'\]|\[(?P<index>\d+)\]")
_ABSENT = object()


def path_steps(path: str) -> list[str | int]:
    """The keys of a reference path such as `$.last['go'][0]`. Raises StatesError for any other path."""
    steps: list[str | int] = []
    position = 1
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None or not path.startswith("$"):
            raise StatesError("States.Runtime", f"the path {path!r} is not supported")
        index = match["index"]
        steps.append(int(index) if index is not None else (match["name"] or match["quoted"]))
        position = match.end()
    return steps


def look(path: str, data: Json, context: Json) -> Json:
    """The value at a path (`$$.` looks into the context). Raises StatesError where there is none."""
    found = _look(path, data, context)
    if found is _ABSENT:
        raise StatesError("States.ParameterPathFailure", f"nothing at the path {path!r}")
    return found


def _look(path: str, data: Json, context: Json) -> Json:
    node, path = (context, path[1:]) if path.startswith("$$") else (data, path)
    for step in path_steps(path):
        if isinstance(step, int):
            if not isinstance(node, list) or step >= len(node):
                return _ABSENT
        elif not isinstance(node, dict) or step not in node:
            return _ABSENT
        node = node[step]
    return node


def put(path: str | None, result: Json, data: Json) -> Json:
    """ResultPath: `None` drops the result, `$` lets it replace the input, else a copy of the input with it inside."""
    if path is None:
        return data
    steps = path_steps(path)
    return _put(steps, result, data)


def _put(steps: list[str | int], result: Json, data: Json) -> Json:
    if not steps:
        return result
    head, *rest = steps
    if not isinstance(data, dict) or not isinstance(head, str):
        raise StatesError("States.ResultPathMatchFailure", "the result cannot be put there")
    return data | {head: _put(rest, result, data.get(head, {}))}


def fill(template: Json, data: Json, context: Json) -> Json:
    """Parameters or ResultSelector: keys that end in `.$` hold a path or an intrinsic."""
    if isinstance(template, dict):
        filled = {}
        for key, value in template.items():
            if key.endswith(".$"):
                filled[key[:-2]] = _expression(value, data, context)
            else:
                filled[key] = fill(value, data, context)
        return filled
    return [fill(element, data, context) for element in template] if isinstance(template, list) else template


_INTRINSIC = re.compile(r"(States\.\w+)\((.*)\)", re.DOTALL)


def _expression(text: str, data: Json, context: Json) -> Json:
    if text.startswith("$"):
        return look(text, data, context)
    match = _INTRINSIC.fullmatch(text)
    if match is None:
        raise StatesError("States.Runtime", f"{text!r} is no path and no intrinsic")
    arguments = [_argument(part, data, context) for part in _split(match[2])]
    try:
        return _INTRINSICS[match[1]](*arguments)
    except (KeyError, TypeError, ValueError) as error:
        raise StatesError("States.IntrinsicFailure", f"{match[1]} failed: {type(error).__name__}") from None


def _argument(text: str, data: Json, context: Json) -> Json:
    if text.startswith("'"):
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return _expression(text, data, context) if text.startswith(("$", "States.")) else json.loads(text)


def _split(arguments: str) -> list[str]:
    """At the commas that stand outside quotes and brackets."""
    parts, depth, quoted, start = [], 0, False, 0
    for position, letter in enumerate(arguments):
        if letter == "'" and arguments[position - 1 : position] != "\\":
            quoted = not quoted
        elif not quoted and letter in "([":
            depth += 1
        elif not quoted and letter in ")]":
            depth -= 1
        elif letter == "," and not quoted and depth == 0:
            parts.append(arguments[start:position].strip())
            start = position + 1
    last = arguments[start:].strip()
    return [*parts, last] if last else parts


def _format(template: str, *values: Json) -> str:
    pieces = template.split("{}")
    if len(pieces) != len(values) + 1:
        raise ValueError("as many {} as values")
    texts = [value if isinstance(value, str) else json.dumps(value) for value in values]
    return "".join(piece + text for piece, text in zip(pieces, [*texts, ""], strict=True))


def _compact(value: Json) -> str:
    return json.dumps(value, separators=(",", ":"))


_INTRINSICS: Mapping[str, Callable[..., Json]] = {
    "States.StringToJson": json.loads,
    "States.JsonToString": _compact,
    "States.Format": _format,
    "States.Array": lambda *values: list(values),
}


# Choices


def holds(rule: Mapping[str, Json], data: Json, context: Json) -> bool:
    """Whether a choice rule holds. Values of unlike types compare false; a path to nothing is an error."""
    if "And" in rule:
        return all(holds(inner, data, context) for inner in rule["And"])
    if "Or" in rule:
        return any(holds(inner, data, context) for inner in rule["Or"])
    if "Not" in rule:
        return not holds(rule["Not"], data, context)
    name, wanted = next((key, value) for key, value in rule.items() if key not in ("Variable", "Next", "Comment"))
    actual = _look(rule["Variable"], data, context)
    if name == "IsPresent":
        return (actual is not _ABSENT) is wanted
    if actual is _ABSENT:
        raise StatesError("States.Runtime", f"nothing at the path {rule['Variable']!r}")
    if name in _TYPE_TESTS:
        return _TYPE_TESTS[name](actual) is wanted
    if name.endswith("Path"):
        name, wanted = name.removesuffix("Path"), look(wanted, data, context)
    for kind, read in _READERS.items():
        if name.startswith(kind):
            first, second = read(actual), read(wanted)
            compare = _COMPARISONS[name.removeprefix(kind)]
            return first is not None and second is not None and bool(compare(first, second))
    raise StatesError("States.Runtime", f"the comparison {name!r} is not supported")


def moment(value: Json) -> datetime | None:
    """A timestamp as Step Functions takes it, or None."""
    if not isinstance(value, str):
        return None
    try:
        return parse_rfc3339(value)
    except (ValueError, OverflowError):
        return None


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Json) -> int | float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _truth(value: Json) -> bool | None:
    return value if isinstance(value, bool) else None


_READERS: Mapping[str, Callable[[Json], Any]] = {
    "String": _text,
    "Numeric": _number,
    "Boolean": _truth,
    "Timestamp": moment,
}
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "GreaterThan": operator.gt,
    "LessThanEquals": operator.le,
    "GreaterThanEquals": operator.ge,
}
_TYPE_TESTS: Mapping[str, Callable[[Json], bool]] = {
    "IsNull": lambda value: value is None,
    "IsString": lambda value: isinstance(value, str),
    "IsNumeric": lambda value: _number(value) is not None,
    "IsBoolean": lambda value: isinstance(value, bool),
    "IsTimestamp": lambda value: moment(value) is not None,
}
