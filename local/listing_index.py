"""Listings of the embedded table, read through an index of SQLite's own.

Our table server answers a query of a secondary index by looking at every item there is: 60 ms for 4,000 items, and a
listing asks eight shards. SQLite can index an expression, and whoever writes keeps such an index up to date, so we add
one beside the server's own tables and read the listing there: eight shards in 2 ms.
"""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from pathlib import Path
from typing import Any

from chalicelib.storage import keys
from local.table_client import TableClient, binary

_HASH, _RANGE = (f"json_extract(item, '$.{name}.S')" for name in ("gsi1pk", "gsi1sk"))
_INDEX = (
    f"CREATE INDEX IF NOT EXISTS agala_listing ON items (table_id, {_HASH}, {_RANGE}, hk, rk) WHERE {_HASH} IS NOT NULL"
)
_PAGE = 500  # items, where the request says no limit
# What `chalicelib.storage.table` asks; anything else goes to the server.
_CONDITION = re.compile(
    r"gsi1pk = :pk(?: AND gsi1sk (?:(?P<between>BETWEEN :low AND :high)|(?P<from>>= :low)|(?P<below>< :high)))?"
)


class IndexedTableClient(TableClient):
    """A `TableClient` that reads listings from the server's SQLite file. Thread-safe. The table must be there."""

    def __init__(self, endpoint: str, file: Path) -> None:
        super().__init__(endpoint)
        self._lock = threading.Lock()
        self._file = file
        self._database: sqlite3.Connection | None = None

    def query(self, **request: Any) -> dict[str, Any]:
        """DynamoDB's Query."""
        asked = _CONDITION.fullmatch(request["KeyConditionExpression"])
        if request.get("IndexName") != keys.INDEX or asked is None or "FilterExpression" in request:
            return self._call("Query", **request)
        given = {name: value["S"] for name, value in request["ExpressionAttributeValues"].items()}
        clauses, values = [f"{_HASH} = ?"], [request["TableName"], given[":pk"]]
        if asked["between"] or asked["from"]:
            clauses.append(f"{_RANGE} >= ?")
            values.append(given[":low"])
        if asked["between"] or asked["below"]:
            clauses.append(f"{_RANGE} {'<=' if asked['between'] else '<'} ?")
            values.append(given[":high"])
        forward = request.get("ScanIndexForward", True)
        if start := request.get("ExclusiveStartKey"):
            clauses.append(f"({_RANGE}, hk, rk) {'>' if forward else '<'} (?, CAST(? AS BLOB), CAST(? AS BLOB))")
            values += [start[name]["S"] for name in ("gsi1sk", "pk", "sk")]
        order = ", ".join(f"{column} {'ASC' if forward else 'DESC'}" for column in (_RANGE, "hk", "rk"))
        limit = request.get("Limit", _PAGE)
        rows = self._rows(
            "SELECT item FROM items WHERE table_id = (SELECT table_id FROM tables WHERE name = ?) "  # noqa: S608
            f"AND {' AND '.join(clauses)} ORDER BY {order} LIMIT {int(limit)}",
            values,
        )
        items = [json.loads(text, object_hook=binary) for (text,) in rows]
        answer: dict[str, Any] = {"Items": items, "Count": len(items), "ScannedCount": len(items)}
        if len(items) == limit:
            answer["LastEvaluatedKey"] = {name: items[-1][name] for name in ("pk", "sk", "gsi1pk", "gsi1sk")}
        return answer

    def close(self) -> None:
        with self._lock:
            if self._database:
                self._database.close()
                self._database = None

    def _rows(self, statement: str, values: list[str]) -> list[Any]:
        with self._lock:
            if self._database is None:
                self._database = sqlite3.connect(self._file, timeout=20, isolation_level=None, check_same_thread=False)
                self._database.execute(_INDEX)
            return self._database.execute(statement, values).fetchall()
