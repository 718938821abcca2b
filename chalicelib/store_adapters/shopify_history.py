"""A Shopify shop asked for all it has, and for what changed: its records as the bodies that its webhooks tell.

**All** comes by bulk operations, one for each kind: begun, asked after without waiting here, and read record by record
from the file that the shop makes. The cursor names the operation and the byte where the next record begins; the file's
address is asked for anew whenever it is opened, for it runs out. A file that went away (seven days), or an operation
that failed, is begun again; of a failed one nothing is read, for its part of the file ends anywhere.

**What changed** comes in pages by `updated_at`, the longest ago first: what changes again meanwhile moves to the end,
and is met there once more. A page's cost by Shopify's documented count, every object one point and a connection two
more, stays below the 1,000 points a query may cost: orders 6 × 142 + 2 = 854, products 5 × 190 + 2 = 952, customers
100 × 5 + 2 = 502; more of one order's line items 553, of one product's variants 803, its collections 253. What a page
has no room for is asked for by itself, and by a bulk operation where no bucket of points pays for it. A collection
that changes does not touch its products' `updated_at`, and does not say which product it lost: then all products are
read once more, as the first time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.commerce.store import Store
from chalicelib.commerce.trouble import ShopTrouble, TroubleCode
from chalicelib.store_adapters import shopify_bulk as bulk
from chalicelib.store_adapters.base import Unintelligible
from chalicelib.store_adapters.shopify import read_record
from chalicelib.store_adapters.shopify_nodes import BULK_BODIES, CHANGED_BODIES, PARTS, Strange, kind_of
from chalicelib.sync.ports import Cursor, Pulled, ShopPage

_NOUNS = {"products": "product", "customers": "customer", "orders": "order"}
PAGES = {"products": 5, "customers": 100, "orders": 6}  # the most that a query may cost
_FIRST_LOOK, _LONGEST_LOOK = timedelta(seconds=5), timedelta(minutes=1)
_BUSY = timedelta(minutes=1)
_QUIET_RETRIES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=20))
_LOUD_RETRY = timedelta(hours=1)
_SHORT_WAIT = timedelta(minutes=2)  # for points: so long it is no trouble
_REFILLED = timedelta(seconds=20)  # after so long an empty bucket of points is full

Json = dict[str, Any]


@dataclass
class _Reading:
    """A file that is being read: the next record of `operation` that comes begins at `offset`."""

    operation: str
    offset: int
    total: int
    records: Iterator[bulk.Record]
    next: bulk.Record | None = None


class ShopifyHistory:
    """`webhooks` puts the shop's webhooks in order and returns how many were not."""

    def __init__(self, admin: bulk.Admin, store: Store, webhooks: Callable[[], int]) -> None:
        self._admin, self._store, self._webhooks = admin, store, webhooks
        self._reading: _Reading | None = None

    @property
    def notices(self) -> set[str]:
        return self._admin.notices

    def mend_webhooks(self) -> int:
        return self._webhooks()

    def page(self, kind: str, cursor: Cursor, since: datetime | None, size: int) -> ShopPage:
        """`cursor`: {operation, looks} while the shop makes the file, {operation, offset, read} while it is read,
        {failures}; or {after, seen, waited} in a list by `updated_at`, {whole, search} of a file within such a look.
        """
        try:
            if since is None:
                return self._whole(kind, cursor, size)
            if "whole" in cursor:
                return self._once_more(kind, cursor, size)
            return self._changed(kind, cursor, since, size)
        except ShopTrouble as trouble:
            if _is_short(trouble):
                return ShopPage([], 0, None, cursor, False, wait=trouble.retry_after)
            if trouble.code is TroubleCode.NOT_ALLOWED:
                raise _not_allowed(kind) from None
            raise

    def close(self) -> None:
        self._reading = None
        self._admin.close()

    # --- all of it ----------------------------------------------------------------------------------------------

    def _whole(self, kind: str, cursor: Cursor, size: int, search: str = "") -> ShopPage:
        operation, offset = cursor.get("operation"), int(cursor.get("offset") or 0)
        if not operation:
            return self._begun(kind, cursor, search)
        reading = self._reading
        if reading is None or (reading.operation, reading.offset) != (operation, offset):
            found = bulk.state(self._admin, str(operation))
            if not found.ended:
                return _not_ready(cursor, found)
            if found.is_empty:
                return ShopPage([], 0, 0, {}, True, prepared=0)
            if found.url is None:
                return _again(kind, cursor, found.error)
            lines = self._admin.lines(found.url, offset)
            reading = _Reading(str(operation), offset, found.records, bulk.records(lines, offset, found.size))
            self._reading = reading
        try:
            return self._read_on(kind, cursor, reading, size)
        except ShopTrouble as trouble:
            self._reading = None
            if trouble.code is TroubleCode.GONE:
                return _again(kind, cursor, "EXPIRED")
            raise

    def _begun(self, kind: str, cursor: Cursor, search: str) -> ShopPage:
        operation = bulk.start(self._admin, kind, search)
        if operation is None:
            return ShopPage([], 0, None, cursor, False, wait=_BUSY)
        after = {"operation": operation, "looks": 0, "failures": cursor.get("failures") or 0}
        return ShopPage([], 0, None, after, False, wait=_FIRST_LOOK, prepared=0)

    def _read_on(self, kind: str, cursor: Cursor, reading: _Reading, size: int) -> ShopPage:
        pulled: list[Pulled] = []
        wait, over = None, False
        while len(pulled) < size:
            record = reading.next or next(reading.records, None)
            if record is None:
                over = True
                break
            reading.next = record
            try:
                pulled += self._record(kind, record)
            except ShopTrouble as trouble:
                if not (pulled and _is_short(trouble)):
                    raise
                wait = trouble.retry_after  # what was read so far is kept: more could be asked for each record
                break
            reading.next, reading.offset = None, record.end
        read = int(cursor.get("read") or 0) + len(pulled)
        after: Json = {"operation": reading.operation, "offset": reading.offset, "read": read}
        if over:
            self._reading, after = None, {}
        return ShopPage(pulled, len(pulled), reading.total, after, over, wait=wait)

    def _record(self, kind: str, record: bulk.Record) -> list[Pulled]:
        parts = [part for part in record.parts if kind_of(part) in PARTS.get(kind, ())]
        strays = record.strays + ["line: expected a kind that was asked for"] * (len(record.parts) - len(parts))
        pulled = [Pulled(mistake=stray) for stray in strays]
        if record.node:
            pulled.append(self._read(kind, lambda: BULK_BODIES[kind](self._admin, record.node, parts)))
        return pulled

    # --- what changed -------------------------------------------------------------------------------------------

    def _changed(self, kind: str, cursor: Cursor, since: datetime, size: int) -> ShopPage:
        moment = f"updated_at:>='{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}'"
        asked = {"first": min(size, PAGES[kind]), "after": cursor.get("after"), "query": moment}
        found = _object(self._admin.ask(f"{kind}_changed", asked).get(kind))
        seen = list(cursor.get("seen") or ())
        nodes = found.get("nodes")
        if not isinstance(nodes, list):
            raise ShopTrouble(TroubleCode.BROKEN_ANSWER)
        fresh = [node for node, gid in zip(nodes, _ids(nodes), strict=True) if gid not in seen]
        pulled: list[Pulled] = []
        for node in fresh:
            try:
                pulled.append(self._node(kind, node))
            except ShopTrouble as trouble:
                if not _is_short(trouble):
                    raise
                if not pulled and cursor.get("waited"):  # a full bucket does not pay for this one
                    return ShopPage([], 0, None, self._all_once_more(kind, moment), False)
                here = {"after": cursor.get("after"), "seen": seen + _ids(fresh[: len(pulled)]), "waited": not pulled}
                return ShopPage(pulled, len(pulled), None, here, False, wait=_REFILLED)
        page = _object(found.get("pageInfo"))
        if page.get("hasNextPage") and page.get("endCursor"):
            return ShopPage(pulled, len(pulled), None, {"after": page["endCursor"]}, False)
        if kind == "products" and self._collections_changed(moment):
            return ShopPage(pulled, len(pulled), None, {"whole": {}, "search": ""}, False)
        return ShopPage(pulled, len(pulled), None, {}, True)

    def _all_once_more(self, kind: str, moment: str) -> Json:
        everything = kind == "products" and self._collections_changed(moment)
        return {"whole": {}, "search": "" if everything else moment}

    def _node(self, kind: str, node: Any) -> Pulled:
        if not isinstance(node, dict):
            return Pulled(mistake="body: expected an object")
        return self._read(kind, lambda: CHANGED_BODIES[kind](self._admin, node))

    def _collections_changed(self, moment: str) -> bool:
        return bool(_object(self._admin.ask("collections_changed", {"query": moment}).get("collections")).get("nodes"))

    def _once_more(self, kind: str, cursor: Cursor, size: int) -> ShopPage:
        """A file within a look at what changed. Not counted: most of its records were not meant, or seen before."""
        page = self._whole(kind, cursor["whole"], size, str(cursor.get("search") or ""))
        after = {} if page.over else {**cursor, "whole": dict(page.cursor)}
        return ShopPage(page.records, 0, None, after, page.over, page.wait, page.prepared, page.trouble)

    def _read(self, kind: str, body: Callable[[], Json]) -> Pulled:
        """Raises `ShopTrouble` where more had to be asked."""
        try:
            return Pulled(read_record(_NOUNS[kind], body(), self._store))
        except (Unintelligible, Strange) as mistake:
            return Pulled(mistake=re.sub(r"\[\d+\]", "[]", str(mistake)))


def _not_ready(cursor: Cursor, found: bulk.Operation) -> ShopPage:
    looks = int(cursor.get("looks") or 0)
    wait = min(_FIRST_LOOK * 2 ** min(looks, 10), _LONGEST_LOOK)
    return ShopPage([], 0, None, {**cursor, "looks": looks + 1}, False, wait=wait, prepared=found.objects)


def _again(kind: str, cursor: Cursor, error: str | None) -> ShopPage:
    """From the beginning: quietly at first, then the owner is told. What was read of the file does not count."""
    failures = int(cursor.get("failures") or 0) + 1
    read, after = int(cursor.get("read") or 0), {"failures": failures}
    if error == "ACCESS_DENIED":
        return ShopPage([], -read, None, after, False, trouble=_not_allowed(kind, _LOUD_RETRY))
    if failures > len(_QUIET_RETRIES):
        trouble = ShopTrouble(TroubleCode.FAILING, _LOUD_RETRY, reason=error)
        return ShopPage([], -read, None, after, False, trouble=trouble)
    return ShopPage([], -read, None, after, False, wait=_QUIET_RETRIES[failures - 1])


def _not_allowed(kind: str, retry_after: timedelta | None = None) -> ShopTrouble:
    return ShopTrouble(TroubleCode.NOT_ALLOWED, retry_after, about=kind)


def _is_short(trouble: ShopTrouble) -> bool:
    """Points come back within seconds: waiting for them is how Shopify is meant to be asked."""
    wait = trouble.retry_after
    return trouble.code is TroubleCode.SLOW_DOWN and wait is not None and wait <= _SHORT_WAIT


def _ids(nodes: list[Any]) -> list[Any]:
    return [node.get("id") if isinstance(node, dict) else None for node in nodes]


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
