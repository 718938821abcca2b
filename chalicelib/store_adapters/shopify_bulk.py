"""Shopify's bulk operations: a query that the shop answers in its own time, with a file of JSON lines.

Asked for with `groupObjects`, the file has each record followed by what belongs to it (`__parentId`), so that it can be
read record by record however long it is, and taken up again at the byte where a record begins.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from chalicelib.commerce.trouble import ShopTrouble, TroubleCode
from chalicelib.store_adapters.base import Unintelligible
from chalicelib.store_adapters.reading import load

_ENDED = ("COMPLETED", "FAILED", "CANCELED", "EXPIRED")
_BUSY = ("OPERATION_IN_PROGRESS", "LIMIT_REACHED")
_STRAYS = 1000  # parts without their record; more of them, and the file is not in the order that was asked for

Json = dict[str, Any]


class Admin(Protocol):
    """`shopify_admin.ShopifyAdmin`."""

    notices: set[str]

    def ask(self, document: str, variables: Json | None = None) -> Json: ...

    def text(self, document: str) -> str: ...

    def lines(self, url: str, start: int = 0) -> Iterator[bytes]: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Operation:
    """`objects` were written down so far, `records` of them with no parent. `size`: of the file, in bytes."""

    ended: bool
    url: str | None
    error: str | None
    objects: int
    records: int
    size: int | None

    @property
    def is_empty(self) -> bool:
        """Nothing was found: there is no file then."""
        return self.ended and self.error is None and self.url is None and self.objects == 0


@dataclass
class Record:
    """A line with those that belong to it, and where in the file it begins and ends. `strays`: why other lines
    between here and there are of no use.
    """

    node: Json
    start: int
    end: int = 0
    parts: list[Json] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)


def start(admin: Admin, kind: str, search: str = "") -> str | None:
    """Begin one over all records of a kind (`orders`), or those that a search in Shopify's words finds.

    Returns its id, None while as many as may be are under way. Raises `ShopTrouble`.
    """
    query = admin.text(f"bulk_{kind}")
    if search:  # a bulk query takes no variables
        query = query.replace(f" {kind} {{", f" {kind}(query: {json.dumps(search)}) {{", 1)
    told = _object(admin.ask("bulk_run", {"query": query}), "bulkOperationRunQuery")
    if gid := _object(told, "bulkOperation").get("id"):
        return str(gid)
    codes = [one.get("code") for one in told.get("userErrors") or () if isinstance(one, dict)]
    if any(code in _BUSY for code in codes):
        return None
    raise ShopTrouble(TroubleCode.REFUSED, reason=next((str(code) for code in codes if code), None))


def state(admin: Admin, gid: str) -> Operation:
    """How far it is; one that the shop does not know any more has failed. Raises `ShopTrouble`."""
    told = _object(admin.ask("bulk_state", {"id": gid}), "bulkOperation")
    status = str(told.get("status") or "EXPIRED")
    done = status == "COMPLETED"
    return Operation(
        ended=status in _ENDED,
        url=str(told["url"]) if done and told.get("url") else None,
        error=None if done or status not in _ENDED else str(told.get("errorCode") or status),
        objects=_count(told.get("objectCount")) or 0,
        records=_count(told.get("rootObjectCount")) or 0,
        size=_count(told.get("fileSize")),
    )


def records(lines: Iterable[bytes], start: int, size: int | None) -> Iterator[Record]:
    """The file's records from byte `start` on, where one begins; `size` is the whole file's.

    Raises `ShopTrouble`, also for a file that ends too early or is in another order than was asked for.
    """
    offset, record, ids = start, None, set[Any]()
    for line in lines:
        begins, offset = offset, offset + len(line)
        if not line.strip():
            continue
        value, wrong = _read(line)
        parent = value.get("__parentId")
        if wrong is None and parent is None:
            if record:
                record.end = begins
                yield record
            record, ids = Record(value, begins), {value.get("id")}
        elif wrong is None and record and parent in ids:
            record.parts.append(value)
            ids.add(value.get("id"))
        else:
            record = record or Record({}, begins)
            record.strays.append(wrong or "line: expected to follow the record it belongs to")
            if len(record.strays) > _STRAYS:
                raise ShopTrouble(TroubleCode.BROKEN_ANSWER)
    if size is not None and offset < size:
        raise ShopTrouble(TroubleCode.BROKEN_ANSWER)
    if record:
        record.end = offset
        yield record


def _read(line: bytes) -> tuple[Json, str | None]:
    try:
        value = load(line)
    except Unintelligible:
        return {}, "line: expected JSON"
    return (value, None) if isinstance(value, dict) else ({}, "line: expected an object")


def _object(told: Json, name: str) -> Json:
    value = told.get(name)
    return value if isinstance(value, dict) else {}


def _count(value: Any) -> int | None:
    """Shopify writes large counts as text."""
    return int(value) if isinstance(value, int | str) and str(value).isdecimal() else None
