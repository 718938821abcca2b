"""Addresses that an owner wants never written to, as they are told: one by one or as a table, brought to one form."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.contacts.consent import Channel
from chalicelib.contacts.erased import ERASED
from chalicelib.contacts.identity import normalise_email, normalise_phone
from chalicelib.errors import BadInput, FieldMistake

BY_PHONE = (Channel.SMS, Channel.WHATSAPP)
MOST_ROWS = 10_000
REASON = re.compile(r"[\w][\w .'-]{0,59}")  # no address has room in it
_SEVERAL = re.compile(r"[,;|\r\n\t]|\+.*\+|@")
_COLUMNS = ("email", "phone", "channels", "reason")


@dataclass(frozen=True)
class Unwanted:
    """One address, normalised, and the channels on which nothing goes there."""

    channels: tuple[Channel, ...]
    address: str
    reason: str


class Refused(Exception):
    """A row that makes no sense: which field, and what was expected. Never the address."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field, self.message = field, message


def address_of(email: str | None, phone: str | None, country: str) -> tuple[tuple[Channel, ...], str]:
    """The channels that an address has, and its one form. Raises `Refused`, also for a list in one field."""
    if bool((email or "").strip()) is bool((phone or "").strip()):
        raise Refused("email", "expected an email or a phone, one of the two")
    if (email or "").strip():
        found = normalise_email(email) if len(email or "") <= 320 else None
        if found is None:
            raise Refused("email", "expected one email address")
        return (Channel.EMAIL,), found
    number = None if _SEVERAL.search((phone or "").strip()) else normalise_phone(phone, country)
    if number is None:
        raise Refused("phone", "expected one phone number, best with + and country code")
    return BY_PHONE, number


def unwanted(row: Mapping[str, Any], country: str) -> Unwanted:
    """A row with `email` or `phone`, and perhaps `channels` and a `reason`. Raises `Refused`."""
    texts = {name: row.get(name) for name in ("email", "phone", "reason")}
    for name, value in texts.items():
        if value is not None and not isinstance(value, str):
            raise Refused(name, "expected a text")
    possible, address = address_of(texts["email"], texts["phone"], country)
    channels = _channels(row.get("channels"), possible)
    reason = (texts["reason"] or "").strip() or "unsubscribed"
    if not REASON.fullmatch(reason) or reason == ERASED:
        raise Refused("reason", "expected up to 60 letters and digits, and not erased, which only an erasure is")
    return Unwanted(channels, address, reason)


def _channels(told: Any, possible: tuple[Channel, ...]) -> tuple[Channel, ...]:
    named = told.replace(";", " ").replace("|", " ").replace(",", " ").split() if isinstance(told, str) else told
    if not named:
        return possible
    known = {channel.value for channel in possible}
    if not isinstance(named, list) or not all(isinstance(one, str) and one.lower() in known for one in named):
        raise Refused("channels", f"expected of {' or '.join(sorted(known))}")
    return tuple(Channel(one) for one in dict.fromkeys(one.lower() for one in named))


def rows_of(table: str) -> list[tuple[int, dict[str, str]]]:
    """The rows of a table whose first row names its columns, each with its number: 1 is the row after the names, and
    empty ones are passed over and counted, as whoever has the table open sees them. Columns that are none of ours are
    passed over. Raises `BadInput`."""
    rows = list(_read(table))
    if not rows:
        raise BadInput("The table is empty.", [FieldMistake("body", "expected a first row that names the columns")])
    first, names = rows[0][0], [name.strip().lower() for name in rows[0][1]]
    if not {"email", "phone"} & set(names) or len(set(_COLUMNS) & set(names)) < sum(n in _COLUMNS for n in names):
        raise BadInput("The table has no addresses.", [FieldMistake("body", "expected a column email or phone, once")])
    if len(rows) - 1 > MOST_ROWS:
        raise BadInput("The table is too long.", [FieldMistake("body", f"expected at most {MOST_ROWS} rows")])
    return [(number - first, dict(zip(names, row, strict=False))) for number, row in rows[1:]]


def _read(table: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that hold anything, and which ones they are; parted by commas, or by semicolons or tabs as the first row
    shows."""
    head = table.partition("\n")[0]
    comma = max(",;\t", key=head.count)
    try:
        rows = csv.reader(io.StringIO(table, newline=""), delimiter=comma)
        yield from ((number, row) for number, row in enumerate(rows) if any(row))
    except csv.Error:
        raise BadInput("The table cannot be read.", [FieldMistake("body", "expected text/csv")]) from None
