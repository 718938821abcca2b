"""DynamoDB in dictionaries: as much of boto3's client as `storage.table.Table` calls, held to the same tests.

A request takes microseconds, so two thousand contacts can live through half a year in a test.
"""

from __future__ import annotations

import re
import threading
from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.storage.table import Table
from chalicelib.storage.wire import from_wire, to_wire

Wire = dict[str, Any]
_LARGEST = 400 * 1024  # bytes of one item (DynamoDB developer guide, "Quotas")
_PAGE = 400  # items of one page of a query; DynamoDB counts bytes


def memory_table() -> Table:
    return Table(MemoryClient(), "memory")  # type: ignore[arg-type]


class MemoryTables:
    """In the place of a `TableServer`: each client has a table of its own."""

    def dynamodb(self) -> Any:
        return MemoryClient()


class MemoryClient:
    def __init__(self) -> None:
        self._items: dict[tuple[str, str], Wire] = {}
        self._sorted: dict[str, list[tuple[str, str, str]]] = {}
        self._listed: dict[str, list[tuple[str, str, str]]] = {}
        self._lock = threading.RLock()

    # What boto3's client has

    def create_table(self, **_: Any) -> None:
        """There is one."""

    def get_item(self, Key: Wire, **_: Any) -> Wire:
        with self._lock:
            item = self._items.get(_key(Key))
        return {"Item": item} if item is not None else {}

    def batch_get_item(self, RequestItems: Mapping[str, Any]) -> Wire:
        with self._lock:
            found = {
                name: [self._items[_key(key)] for key in asked["Keys"] if _key(key) in self._items]
                for name, asked in RequestItems.items()
            }
        return {"Responses": found, "UnprocessedKeys": {}}

    def put_item(self, **request: Any) -> Wire:
        with self._lock:
            if not self._may(request):
                raise _refusal("ConditionalCheckFailedException", "PutItem")
            self._put(request["Item"])
        return {}

    def delete_item(self, **request: Any) -> Wire:
        with self._lock:
            if not self._may(request):
                raise _refusal("ConditionalCheckFailedException", "DeleteItem")
            self._drop(_key(request["Key"]))
        return {}

    def update_item(self, **request: Any) -> Wire:
        names, values = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
        with self._lock:
            if not self._may(request):
                raise _refusal("ConditionalCheckFailedException", "UpdateItem")
            item = dict(self._items.get(_key(request["Key"])) or request["Key"])
            _update(item, request["UpdateExpression"], names, values)
            self._put(item)
        return {"Attributes": item}

    def transact_write_items(self, TransactItems: Sequence[Mapping[str, Any]]) -> Wire:
        asked = [(kind, request) for one in TransactItems for kind, request in one.items()]
        with self._lock:
            fine = [self._may(request) for _, request in asked]
            if not all(fine):
                reasons = [{"Code": "None" if one else "ConditionalCheckFailed"} for one in fine]
                raise _refusal("TransactionCanceledException", "TransactWriteItems", CancellationReasons=reasons)
            for kind, request in asked:
                if kind == "Put":
                    self._put(request["Item"])
                else:
                    self._drop(_key(request["Key"]))
        return {}

    def query(self, **request: Any) -> Wire:
        values = {name: value["S"] for name, value in request["ExpressionAttributeValues"].items()}
        index = "IndexName" in request
        with self._lock:
            places = (self._listed if index else self._sorted).get(values[":pk"], [])
            low, high = _bounds(places, values, " BETWEEN " in request["KeyConditionExpression"])
            found = places[low:high]
            if not request.get("ScanIndexForward", True):
                found = found[::-1]
            if start := request.get("ExclusiveStartKey"):
                last = (start["gsi1sk" if index else "sk"]["S"], *_key(start))
                found = found[found.index(last) + 1 :] if last in found else found
            page = [self._items[(pk, sk)] for _, pk, sk in found[: min(request.get("Limit", _PAGE), _PAGE)]]
        answer: Wire = {"Items": page}
        if page and (len(page) < len(found) or len(page) == request.get("Limit")):
            answer["LastEvaluatedKey"] = {n: v for n, v in page[-1].items() if n in ("pk", "sk", "gsi1pk", "gsi1sk")}
        return answer

    def scan(self, **_: Any) -> Wire:
        with self._lock:
            return {"Items": list(self._items.values())}

    def get_paginator(self, operation: str) -> Any:
        assert operation == "scan"
        return self

    def paginate(self, **_: Any) -> list[Wire]:
        return [self.scan()]

    # Inside

    def _may(self, request: Mapping[str, Any]) -> bool:
        condition = request.get("ConditionExpression")
        if condition is None:
            return True
        item = self._items.get(_key(request.get("Key") or request["Item"]), {})
        names, values = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
        return _holds(condition, item, names, values)

    def _put(self, item: Wire) -> None:
        if sum(map(_length, item.values())) > _LARGEST:
            raise _refusal("ValidationException", "PutItem", Message="Item size has exceeded the maximum allowed size")
        key = _key(item)
        self._drop(key)
        self._items[key] = dict(item)
        insort(self._sorted.setdefault(key[0], []), (key[1], *key))
        if "gsi1pk" in item:
            insort(self._listed.setdefault(item["gsi1pk"]["S"], []), (item["gsi1sk"]["S"], *key))

    def _drop(self, key: tuple[str, str]) -> None:
        item = self._items.pop(key, None)
        if item is None:
            return
        _take(self._sorted[key[0]], (key[1], *key))
        if "gsi1pk" in item:
            _take(self._listed[item["gsi1pk"]["S"]], (item["gsi1sk"]["S"], *key))


def _key(item: Mapping[str, Any]) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def _length(value: Mapping[str, Any]) -> int:
    """About so many bytes."""
    ((kind, content),) = value.items()
    if kind == "M":
        return sum(len(name) + _length(part) for name, part in content.items())
    if kind == "L":
        return sum(map(_length, content))
    return len(content) if kind in "SNB" else 1


def _take(places: list[tuple[str, str, str]], place: tuple[str, str, str]) -> None:
    del places[bisect_left(places, place)]


def _bounds(places: list[tuple[str, str, str]], values: Mapping[str, str], between: bool) -> tuple[int, int]:
    """BETWEEN takes both ends in; a bound alone is from `:low` on, or before `:high`."""
    low = bisect_left(places, (values[":low"],)) if ":low" in values else 0
    if ":high" not in values:
        return low, len(places)
    high = values[":high"]
    return low, bisect_right(places, (high, "\U0010ffff")) if between else bisect_left(places, (high,))


def _refusal(code: str, operation: str, Message: str = "", **more: Any) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": Message or code}, **more}, operation)  # type: ignore[arg-type]


def _update(item: Wire, expression: str, names: Mapping[str, str], values: Mapping[str, Any]) -> None:
    """`SET name = :value, name = name + :value, name = list_append(name, :value), name = if_not_exists(name, :value)`
    and `REMOVE name`."""
    before = dict(item)
    for verb, body in re.findall(r"\b(SET|REMOVE)\b(.*?)(?=\bSET\b|\bREMOVE\b|$)", expression, re.DOTALL):
        for part in re.split(r",(?![^()]*\))", body):
            name, _, value = (piece.strip() for piece in part.partition("="))
            name = names.get(name, name)
            if verb == "REMOVE":
                item.pop(name, None)
            elif added := re.fullmatch(r"(#?\w+) \+ (:\w+)", value):
                old = from_wire(before)[names.get(added[1], added[1])]
                item |= to_wire({name: old + from_wire({"v": values[added[2]]})["v"]})
            elif joined := re.fullmatch(r"list_append\((#?\w+), (:\w+)\)", value):
                item[name] = {"L": [*before[names.get(joined[1], joined[1])]["L"], *values[joined[2]]["L"]]}
            elif kept := re.fullmatch(r"if_not_exists\((#?\w+), (:\w+)\)", value):
                item[name] = before.get(names.get(kept[1], kept[1]), values[kept[2]])
            else:
                item[name] = values[value]


def _holds(condition: str, item: Wire, names: Mapping[str, str], values: Mapping[str, Any]) -> bool:
    """attribute_exists, attribute_not_exists, comparisons with a value, AND, OR, NOT and brackets."""
    plain = from_wire(item)
    wanted = from_wire(values)

    def looked(match: re.Match[str]) -> str:
        return str((names.get(match[2], match[2]) in item) is (match[1] == "attribute_exists"))

    def compared(match: re.Match[str]) -> str:
        name, other = names.get(match[1], match[1]), wanted[match[3]]
        if name not in plain:
            return "False"
        mine = plain[name]
        if match[2] in ("=", "<>"):
            return str((mine == other) is (match[2] == "="))
        return str({"<": mine < other, ">": mine > other, "<=": mine <= other, ">=": mine >= other}[match[2]])

    text = re.sub(r"(attribute_exists|attribute_not_exists)\((#?\w+)\)", looked, condition)
    text = re.sub(r"(#?\w+)\s*(<>|<=|>=|=|<|>)\s*(:\w+)", compared, text)
    text = re.sub(r"\b(AND|OR|NOT)\b", lambda match: match[0].lower(), text)
    assert re.fullmatch(r"(True|False|and|or|not|[\s()])+", text), f"this table does not know {condition!r}"
    return bool(eval(text))
