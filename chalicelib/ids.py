"""Identifiers: ULIDs where a record is born once, hashes where a retry must find the same record."""

from __future__ import annotations

import hashlib
from base64 import b32encode
from datetime import datetime

from ulid import ULID


def new_id(at: datetime) -> str:
    """A ULID, lower case: 26 letters and digits that sort by the time given."""
    return str(ULID.from_datetime(at)).lower()


def digest(*parts: str) -> str:
    """20 letters and digits (100 bits), the same for the same parts in the same order."""
    hashed = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return b32encode(hashed)[:20].decode().lower()


def bucket(of: int, *parts: str) -> int:
    """From 0 to before `of`, evenly spread by chance, the same for the same parts in the same order."""
    hashed = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return int.from_bytes(hashed[:8]) * of >> 64


def enrolment_id(contact_id: str, store_id: str, journey_id: str, entry_key: str) -> str:
    """`{contact}-{digest}`. The contact's id inside lets the record be found without an index."""
    return f"{contact_id}-{digest('enrolment', store_id, journey_id, entry_key)}"


def message_id(enrolment: str, step_id: str) -> str:
    """`{contact}-{digest}` of (enrolment, step): the claim on a message is its very id."""
    return f"{enrolment.split('-', 1)[0]}-{digest('message', enrolment.split('-', 1)[1], step_id)}"


def contact_of(identifier: str) -> str:
    """The contact id inside an enrolment or message id (of the time it was made: follow merges)."""
    return identifier.split("-", 1)[0]
