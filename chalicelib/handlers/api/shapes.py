"""The building stones of requests and answers: what is common to all resources of `/v1`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from chalicelib.clock import parse_rfc3339, rfc3339
from chalicelib.handlers.request import cursor

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")


class Answer(BaseModel):
    """An answer's model; built when first used, so that importing the map stays cheap."""

    model_config = ConfigDict(defer_build=True, frozen=True, populate_by_name=True)


class Body(BaseModel):
    """A request's model: strict, and a field it does not know is a mistake."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", populate_by_name=True)


class Told(BaseModel):
    """What a shop tells: strict in what we read of it, but a newer plugin or WooCommerce may tell more."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="ignore", populate_by_name=True)


class Query(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", populate_by_name=True)


def _read_time(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        raise ValueError("expected an RFC 3339 time such as 2026-11-21T21:15:56Z")
    try:
        moment = parse_rfc3339(value.upper())
    except (ValueError, OverflowError):
        raise ValueError("expected a time that exists") from None
    if not datetime(1900, 1, 1, tzinfo=UTC) <= moment < datetime(2200, 1, 1, tzinfo=UTC):
        raise ValueError("expected a time between the years 1900 and 2200")
    return moment


Time = Annotated[
    datetime,
    BeforeValidator(_read_time),
    PlainSerializer(rfc3339, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


def _no_control(value: str) -> str:
    if any(character < " " or character == "\x7f" for character in value):
        raise ValueError("must not hold control characters")
    return value


AHEAD = timedelta(minutes=10)
"""How far a sender's clock may be before ours."""

Line = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_no_control)]
"""One line of text, 1 to 200 characters."""


def _bounded(value: dict[str, Any]) -> dict[str, Any]:
    if any(not 1 <= len(name) <= 64 for name in value):
        raise ValueError("a name has 1 to 64 characters")
    if len(json.dumps(value, ensure_ascii=False).encode()) > 32_768:
        raise ValueError("must be no more than 32 KiB")
    return value


Properties = Annotated[dict[str, Any], Field(max_length=200), AfterValidator(_bounded)]
"""Free JSON by name, up to 200 names and 32 KiB."""


def _timezone(value: str) -> str:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("expected an IANA time zone such as Asia/Jerusalem") from None
    return value


Timezone = Annotated[
    str,
    Field(max_length=64, pattern=r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$"),
    AfterValidator(_timezone),
]
"""An IANA name."""


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        if not re.fullmatch(r"[0-9]{1,6}", value):
            raise ValueError("expected a whole number")
        return int(value)
    return value


Limit = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=200)]
Cursor = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"^[A-Za-z0-9_-]+$")]


class PageQuery(Query):
    limit: Limit = 50
    cursor: Cursor | None = None


class FieldProblem(Answer):
    field: str
    message: str


class Problem(Answer):
    """RFC 9457. `errors` names each bad field."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] | None = None


Kept = TypeVar("Kept")
MOST_READ = 2000


def page(
    found: Sequence[Kept], limit: int, listing: str, key: Callable[[Kept], str]
) -> tuple[Sequence[Kept], str | None]:
    """Cut what was read (one more than `limit`) to a page, and say where the next begins.

    `key` gives a record's place in the listing, `listing` names the listing for the cursor.
    """
    if len(found) <= limit:
        return found, None
    return found[:limit], cursor(listing, key(found[limit - 1]))


def sift(
    read: Callable[[str | None, int], Sequence[Kept]],
    keep: Callable[[Kept], bool] | None,
    key: Callable[[Kept], str],
    limit: int,
    listing: str,
    after: str | None,
) -> tuple[list[Kept], str | None]:
    """A page of those that `keep` lets through (None: all), and where the next begins.

    `read(after, count)` gives the next of the listing. At most `MOST_READ` records are looked at for one page, so a
    page may be short and still have a next.
    """
    if keep is None:
        kept, following = page(read(after, limit + 1), limit, listing, key)
        return list(kept), following
    found: list[Kept] = []
    looked = 0
    while looked < MOST_READ:
        batch = read(after, 200)
        for record in batch:
            if keep(record):
                if len(found) == limit:
                    return found, cursor(listing, key(found[-1]))
                found.append(record)
        looked += len(batch)
        if len(batch) < 200:
            return found, None
        after = key(batch[-1])
    return found, cursor(listing, after or "")
