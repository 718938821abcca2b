"""What came in, read strictly: JSON that every part of the house can keep, and query parameters that are known."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from chalicelib.errors import AgalaError, BadInput, FieldMistake

if TYPE_CHECKING:
    from pydantic import BaseModel, TypeAdapter, ValidationError

MAX_BODY = 1024 * 1024
MAX_DEPTH = 28  # DynamoDB nests 32 levels; a record adds a few of its own
_LARGEST_INTEGER = 10**36  # DynamoDB keeps 38 digits
_LARGEST_FLOAT, _SMALLEST_FLOAT = 1e100, 1e-100  # DynamoDB keeps 1e-130 to 1e125


class Unreadable(AgalaError):
    """The request cannot be read at all; `status` is 400, 413 or 415."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def read_json(raw: bytes, content_type: str) -> Any:
    """The body as plain values. Raises `Unreadable` for what is no plain UTF-8 JSON, and `BadInput` for what
    JSON can say and we cannot keep: lone surrogates, NUL, numbers beyond DynamoDB's."""
    if len(raw) > MAX_BODY:
        raise Unreadable(413, "The body is larger than 1 MiB.")
    _check_media_type(content_type)
    if raw.startswith(b"\xef\xbb\xbf"):
        raise Unreadable(400, "The body begins with a byte order mark; JSON has none.")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Unreadable(400, "The body is not UTF-8.") from None
    try:
        value = json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
    except RecursionError:
        raise Unreadable(400, f"The body is nested deeper than {MAX_DEPTH} levels.") from None
    except ValueError:
        raise Unreadable(400, "The body is not JSON.") from None
    mistakes = list(_unkeepable(value, "", 1))
    if mistakes:
        raise BadInput("The body holds values that cannot be kept.", mistakes[:20])
    return value


def read_text(raw: bytes) -> str:
    """A body that is plain UTF-8 text, with or without the byte order mark that spreadsheets write. Raises
    `Unreadable`."""
    if len(raw) > MAX_BODY:
        raise Unreadable(413, "The body is larger than 1 MiB.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable(400, "The body is not UTF-8.") from None
    if "\x00" in text:
        raise Unreadable(400, "The body holds the character NUL.")
    return text


def _check_media_type(content_type: str) -> None:
    kind, *parameters = (part.strip().lower() for part in content_type.split(";"))
    if kind not in ("", "application/json"):
        raise Unreadable(415, "The body must be application/json.")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in ("utf-8", "utf8"):
            raise Unreadable(400, "JSON is UTF-8; the request names another charset.")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Unreadable(400, "An object in the body names a field twice.")
    return found


def _no_constant(name: str) -> Any:
    raise Unreadable(400, f"{name} is not JSON.")


def _unkeepable(value: Any, path: str, depth: int) -> Iterator[FieldMistake]:
    if isinstance(value, str):
        message = text_mistake(value)
        if message:
            yield FieldMistake(path or "body", message)
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, int | float):
        if _out_of_range(value):
            yield FieldMistake(path or "body", "expected a number of sensible size")
    else:
        if depth > MAX_DEPTH:
            raise Unreadable(400, f"The body is nested deeper than {MAX_DEPTH} levels.")
        if isinstance(value, Mapping):
            for key, inner in value.items():
                if text_mistake(key):
                    yield FieldMistake(path or "body", "a field's name is not plain text")
                yield from _unkeepable(inner, f"{path}.{key}" if path else key, depth + 1)
        else:
            for index, inner in enumerate(value):
                yield from _unkeepable(inner, f"{path}[{index}]", depth + 1)


def text_mistake(text: str) -> str | None:
    """Why this text cannot be kept, or None."""
    if "\x00" in text:
        return "must not hold the character NUL"
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "must be Unicode text, without lone surrogates"
    return None


def _out_of_range(number: int | float) -> bool:
    if isinstance(number, int):
        return abs(number) >= _LARGEST_INTEGER
    return abs(number) > _LARGEST_FLOAT or (number != 0 and abs(number) < _SMALLEST_FLOAT)


def parse_body(adapter: TypeAdapter[Any], raw: bytes, content_type: str) -> Any:
    """The body as the model that this door expects. Raises `Unreadable`, `BadInput`."""
    from pydantic import ValidationError

    read_json(raw, content_type)
    try:
        return adapter.validate_json(raw, strict=True)
    except ValidationError as problem:
        raise BadInput("The body is not as expected.", field_mistakes(problem)) from None


def parse_query(model: type[BaseModel], given: Mapping[str, Sequence[str]]) -> Any:
    """Query parameters as `model`. Raises `BadInput` for unknown, repeated and malformed ones."""
    from pydantic import ValidationError

    mistakes = [FieldMistake(_shown(name), "given more than once") for name, values in given.items() if len(values) > 1]
    mistakes += [
        FieldMistake(_shown(name), message)
        for name, values in given.items()
        if (message := text_mistake(name + "".join(values)))
    ]
    if mistakes:
        raise BadInput("The query is not as expected.", mistakes)
    try:
        return model.model_validate({name: values[0] for name, values in given.items()})
    except ValidationError as problem:
        raise BadInput("The query is not as expected.", field_mistakes(problem)) from None


def _shown(name: str) -> str:
    return name.encode("utf-8", "replace").decode()[:100]


def field_mistakes(problem: ValidationError, prefix: str = "") -> list[FieldMistake]:
    """Each bad field by its path, such as `settings.quiet_hours.email.from`; the values stay out of it."""
    return [
        FieldMistake(
            prefix + _path(error["loc"]),
            _PLAIN.get(error.get("ctx", {}).get("pattern", error["type"]), error["msg"].removeprefix("Value error, ")),
        )
        for error in problem.errors(include_url=False, include_input=False)[:50]
    ]


_EMAIL, _PHONE = "expected one email address", "expected a phone number with + and country code"
_PLAIN = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    # Patterns of a store's settings, in the words of who fills them in.
    r"^#[0-9a-fA-F]{6}$": "expected a colour, such as #1f6f54",
    r"^https?://\S+$": "expected an address that starts with https:// or http://",
    r"^[^@\s,;<>\"]+@[^@\s,;<>\"]+$": _EMAIL,
    r"^[^@\s]+@[^@\s]+$": _EMAIL,
    r"^\+[1-9]\d{6,14}$": _PHONE,
    r"^(\+?[1-9]\d{2,14}|[A-Za-z][A-Za-z0-9_-]{0,10})$": f"{_PHONE}, a short code, or a name of up to 11 letters",
    r"^([01]\d|2[0-3]):[0-5]\d$": "expected a time of the day, such as 21:00",
}


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part not in ("[key]", ONE, MANY):
            path += f".{part}" if path else part
    return _shown(path) or "body"


ONE, MANY = "(one)", "(many)"  # tags of a body that is either one record or a list of them


def cursor(listing: str, after: str) -> str:
    """Where a listing goes on: opaque to the caller, bound to the listing it came from."""
    mark = hashlib.sha256(f"{listing}\x1f{after}".encode()).digest()[:6]
    return base64.urlsafe_b64encode(mark + after.encode()).decode().rstrip("=")


def after_cursor(listing: str, given: str | None) -> str | None:
    """The inverse of `cursor`. Raises `BadInput` for anything that `cursor` did not make for this listing."""
    if given is None:
        return None
    try:
        raw = base64.b64decode(given + "=" * (-len(given) % 4), altchars=b"-_", validate=True)
        after = raw[6:].decode()
    except (binascii.Error, ValueError):
        after = ""
    if not after or cursor(listing, after) != given:
        raise BadInput("The query is not as expected.", [FieldMistake("cursor", "expected the `next` of this list")])
    return after
