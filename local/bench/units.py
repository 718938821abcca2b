"""DynamoDB request units by count: every call of a client, priced by the published rules from the items' sizes.

Rules: Amazon DynamoDB Developer Guide, "Read and write operations" and "Item sizes and formats". A read unit is
4 KB strongly consistent (half for eventual, double in a transaction), a write unit 1 KB (double in a transaction);
a replaced or changed item counts with the larger of its two sizes; a write that changes what an index holds is a write
there too, and two where the entry moves. Index writes of a transaction are counted once: they happen after it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Attributes = Mapping[str, Mapping[str, Any]]  # an item as DynamoDB's own JSON: {"pk": {"S": "…"}, …}

_KEY = ("pk", "sk")
_INDEX_KEY = ("gsi1pk", "gsi1sk")
_CONTEXT = "agala-bench"


def size(item: Attributes | None) -> int:
    """Bytes of an item; 0 where there is none."""
    return sum(len(name.encode()) + _value_size(value) for name, value in (item or {}).items())


def _value_size(value: Mapping[str, Any]) -> int:
    (kind, content), *_ = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            digits = content.lstrip("-").replace(".", "").strip("0")
            return math.ceil(len(digits) / 2) + 1 + int(content.startswith("-"))
        case "B":
            return len(content)
        case "BOOL" | "NULL":
            return 1
        case "L":
            return 3 + sum(1 + _value_size(element) for element in content)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value_size(part) for name, part in content.items())
        case "SS":
            return sum(len(element.encode()) for element in content)
    raise ValueError(f"no rule for the size of {kind}")


def read_units(bytes_read: int, *, consistent: bool) -> float:
    return max(1, math.ceil(bytes_read / 4096)) * (1.0 if consistent else 0.5)


def write_units(before: Attributes | None, after: Attributes | None) -> float:
    """Of the table alone. A delete has no `after`; a refused write leaves both the same."""
    return float(max(1, math.ceil(max(size(before), size(after)) / 1024)))


def index_units(before: Attributes | None, after: Attributes | None) -> float:
    """Of the index that holds every attribute of the items that have its key."""
    old, new = _index_key(before), _index_key(after)
    if before == after or (old is None and new is None):
        return 0.0
    entries = [(before, after)] if old == new or old is None or new is None else [(before, None), (None, after)]
    return sum(write_units(b if old else None, a if new else None) for b, a in entries)


def _index_key(item: Attributes | None) -> tuple[Any, ...] | None:
    if not item or not all(name in item for name in _INDEX_KEY):
        return None
    return tuple(item[name] for name in (*_INDEX_KEY, *_KEY))


@dataclass
class Bill:
    """Request units, and how often each operation was called."""

    read: float = 0.0
    write: float = 0.0
    calls: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        return {"read_units": self.read, "write_units": self.write, "calls": dict(sorted(self.calls.items()))}


class Meter:
    """Reads along on a boto3 client's (or session's) events. `look` is another client of the same table, not metered.

    Sizes before a write are looked up just before it: exact while nobody else writes the same item.
    """

    def __init__(self, look: Any) -> None:
        self._look = look
        self._bills = 0  # that are open
        self.total = Bill()

    def watch(self, events: Any) -> None:
        """`events` is `client.meta.events`, or a session's, which every later client of it copies."""
        events.register("provide-client-params.dynamodb.*", self._before)
        events.register("after-call.dynamodb.*", self._after)

    @contextmanager
    def bill(self) -> Iterator[Bill]:
        """What is called inside, filled when it is left."""
        start = Bill(self.total.read, self.total.write, self.total.calls.copy())
        part = Bill()
        self._bills += 1
        try:
            yield part
        finally:
            self._bills -= 1
        part.read, part.write = self.total.read - start.read, self.total.write - start.write
        part.calls = self.total.calls - start.calls

    def _before(self, params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        if not self._bills:
            return  # nobody asks, and looking takes time
        writes = _writes(model.name, params)
        context[_CONTEXT] = (params, [(table, key, self._now(table, key)) for table, key in writes])

    def _after(self, parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        if _CONTEXT not in context:
            return
        params, before = context[_CONTEXT]
        self.total.calls[model.name] += 1
        double = 2 if model.name.startswith("Transact") else 1
        for table, key, old in before:
            new = self._now(table, key)
            self.total.write += double * write_units(old, new) + index_units(old, new)
        self.total.read += self._reads(model.name, params, parsed)

    def _now(self, table: str, key: Attributes) -> Attributes | None:
        found: Attributes | None = self._look.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
        return found

    def _reads(self, operation: str, params: dict[str, Any], parsed: dict[str, Any]) -> float:
        consistent = params.get("ConsistentRead", False)
        match operation:
            case "GetItem":
                return read_units(size(self._now(params["TableName"], params["Key"])), consistent=consistent)
            case "BatchGetItem":
                return sum(
                    read_units(size(self._now(table, key)), consistent=asked.get("ConsistentRead", False))
                    for table, asked in params["RequestItems"].items()
                    for key in asked["Keys"]
                )
            case "TransactGetItems":
                gets = (item["Get"] for item in params["TransactItems"])
                return sum(2 * read_units(size(self._now(g["TableName"], g["Key"])), consistent=True) for g in gets)
            case "Query" | "Scan":
                if parsed.get("ScannedCount") != parsed.get("Count") or "ProjectionExpression" in params:
                    raise ValueError("a filtered or projected query reads more than it shows")
                return read_units(sum(map(size, parsed.get("Items", []))), consistent=consistent)
        return 0.0


def _writes(operation: str, params: dict[str, Any]) -> list[tuple[str, Attributes]]:
    """(table, key) of every item that the call writes or checks."""
    match operation:
        case "PutItem":
            return [(params["TableName"], _key_of(params["Item"]))]
        case "UpdateItem" | "DeleteItem":
            return [(params["TableName"], params["Key"])]
        case "BatchWriteItem":
            return [
                (table, _key_of(one["PutRequest"]["Item"]) if "PutRequest" in one else one["DeleteRequest"]["Key"])
                for table, requests in params["RequestItems"].items()
                for one in requests
            ]
        case "TransactWriteItems":
            parts = [next(iter(item.values())) for item in params["TransactItems"]]
            return [(part["TableName"], part.get("Key") or _key_of(part["Item"])) for part in parts]
    return []


def _key_of(item: Attributes) -> Attributes:
    return {name: item[name] for name in _KEY}
