"""The one DynamoDB table: a thin, typed way to boto3's client. No record knows of it; repositories do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from heapq import merge
from itertools import islice
from math import isqrt
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import BadInput, Conflict, TryLater
from chalicelib.storage import keys
from chalicelib.storage.wire import from_wire, to_wire

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = dict[str, Any]
MOST_TOGETHER = 100
_BUSY = ("ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded", "InternalServerError")


class ConditionFailed(Conflict):
    """Somebody else wrote first, or the record is there (or gone) already."""


@dataclass(frozen=True)
class Put:
    """`new`: only if nothing is there. `rev`: only over the record with this `rev` (0: or over nothing).
    `condition` (with `names`, `values`): any other DynamoDB condition."""

    item: Item
    new: bool = False
    rev: int | None = None
    condition: str | None = None
    names: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Delete:
    """`rev`: only the record with this `rev`. `there`: only if it is there. `condition` (with `names`, `values`): any
    other DynamoDB condition."""

    pk: str
    sk: str
    rev: int | None = None
    there: bool = False
    condition: str | None = None
    names: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)


class Table:
    """Reads are strongly consistent except through the index. Raises `TryLater` when DynamoDB is busy."""

    def __init__(self, client: DynamoDBClient, name: str) -> None:
        self._client = client
        self.name = name

    def get(self, pk: str, sk: str) -> Item | None:
        answer = self._call("get_item", TableName=self.name, Key=to_wire({"pk": pk, "sk": sk}), ConsistentRead=True)
        return from_wire(answer["Item"]) if "Item" in answer else None

    def get_many(self, wanted: Sequence[tuple[str, str]]) -> list[Item]:
        """Those of up to 100 items that exist, in no order, in one request."""
        found: list[Item] = []
        request: Any = {
            self.name: {"Keys": [to_wire({"pk": p, "sk": s}) for p, s in dict.fromkeys(wanted)], "ConsistentRead": True}
        }
        while request and request[self.name]["Keys"]:
            answer = self._call("batch_get_item", RequestItems=request)
            found += [from_wire(item) for item in answer["Responses"].get(self.name, [])]
            request = answer.get("UnprocessedKeys")
        return found

    def put(self, put: Put) -> None:
        """Raises `ConditionFailed`."""
        self._call("put_item", **self._put(put))

    def delete(self, pk: str, sk: str) -> None:
        self._call("delete_item", TableName=self.name, Key=to_wire({"pk": pk, "sk": sk}))

    def update(
        self,
        pk: str,
        sk: str,
        expression: str,
        *,
        condition: str | None = None,
        names: dict[str, str] | None = None,
        values: dict[str, Any] | None = None,
    ) -> Item:
        """A DynamoDB update expression; returns the item as it is then. Raises `ConditionFailed`."""
        extra: dict[str, Any] = {}
        if condition:
            extra["ConditionExpression"] = condition
        if names:
            extra["ExpressionAttributeNames"] = names
        if values:
            extra["ExpressionAttributeValues"] = to_wire(values)
        answer = self._call(
            "update_item",
            TableName=self.name,
            Key=to_wire({"pk": pk, "sk": sk}),
            UpdateExpression=expression,
            ReturnValues="ALL_NEW",
            **extra,
        )
        return from_wire(answer["Attributes"])

    def transact(self, operations: Sequence[Put | Delete]) -> None:
        """All or nothing. Raises `ConditionFailed`, and `BadInput` for more than DynamoDB's 100 items."""
        if not operations:
            return
        if len(operations) > MOST_TOGETHER:
            raise BadInput("Too much changes at once; change it in smaller parts.")
        if len(operations) == 1 and isinstance(operations[0], Put):
            self.put(operations[0])
            return
        items = [{"Put": self._put(op)} if isinstance(op, Put) else {"Delete": self._delete(op)} for op in operations]
        self._call("transact_write_items", TransactItems=items)

    def query(
        self,
        pk: str,
        *,
        prefix: str | None = None,
        after: str | None = None,
        before: str | None = None,
        limit: int | None = None,
        newest_first: bool = False,
        index: bool = False,
    ) -> list[Item]:
        """One partition in sort-key order. `after` and `before` are exclusive bounds; `prefix` and a bound go together.

        With `index`, `pk` is the listing's key. Pages until `limit` items (all, if None).
        """
        return list(
            self.iterate(
                pk, prefix=prefix, after=after, before=before, limit=limit, newest_first=newest_first, index=index
            )
        )

    def iterate(
        self,
        pk: str,
        *,
        prefix: str | None = None,
        after: str | None = None,
        before: str | None = None,
        limit: int | None = None,
        newest_first: bool = False,
        index: bool = False,
        together: int | None = None,
    ) -> Iterator[Item]:
        """As `query`, a page at a time: constant memory. `together`: at most so many items in one page."""
        hash_key, range_key = ("gsi1pk", "gsi1sk") if index else ("pk", "sk")
        values: dict[str, Any] = {":pk": pk}
        condition = f"{hash_key} = :pk"
        low, high = prefix, (prefix + "\U0010ffff" if prefix else None)
        if after is not None:
            low = max(after + "\x00", low or "")
        if before is not None:
            high = min(before, high) if high else before
        if low is not None and high is not None:
            if low > high:
                return
            condition += f" AND {range_key} BETWEEN :low AND :high"
            values |= {":low": low, ":high": high}
        elif low is not None:
            condition += f" AND {range_key} >= :low"
            values[":low"] = low
        elif high is not None:
            condition += f" AND {range_key} < :high"
            values[":high"] = high
        request: dict[str, Any] = {
            "TableName": self.name,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": to_wire(values),
            "ScanIndexForward": not newest_first,
        }
        if index:
            request["IndexName"] = keys.INDEX
        else:
            request["ConsistentRead"] = True
        left = limit
        while left is None or left > 0:
            if left is not None or together is not None:
                request["Limit"] = min(most for most in (left, together) if most is not None)
            answer = self._call("query", **request)
            for raw in answer["Items"]:
                item = from_wire(raw)
                if before is not None and item[range_key] == before:
                    continue  # BETWEEN includes its upper bound
                if left is not None:
                    left -= 1
                yield item
            if not answer.get("LastEvaluatedKey"):
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def listing(self, *scope: str, after: str | None = None, before: str | None = None, limit: int = 100) -> list[Item]:
        """A store-wide listing over its shards, in sort-key order, between (not including) `after` and `before`."""
        share = -(-limit // keys.SHARDS)
        together = min(limit, share + 2 * isqrt(share) + 1)  # ids fall evenly: seldom does a shard need asking again
        shards = [
            self.iterate(
                "#".join((*scope, str(shard))), after=after, before=before, limit=limit, index=True, together=together
            )
            for shard in range(keys.SHARDS)
        ]
        return list(islice(merge(*shards, key=lambda item: str(item["gsi1sk"])), limit))

    def _delete(self, delete: Delete) -> dict[str, Any]:
        request: dict[str, Any] = {"TableName": self.name, "Key": to_wire({"pk": delete.pk, "sk": delete.sk})}
        if delete.rev is not None:
            request["ConditionExpression"] = "#rev = :rev"
            request["ExpressionAttributeNames"] = {"#rev": "rev"}
            request["ExpressionAttributeValues"] = to_wire({":rev": delete.rev})
        elif delete.there:
            request["ConditionExpression"] = "attribute_exists(pk)"
        elif delete.condition:
            request["ConditionExpression"] = delete.condition
            request["ExpressionAttributeNames"] = dict(delete.names)
            request["ExpressionAttributeValues"] = to_wire(delete.values)
        return request

    def _put(self, put: Put) -> dict[str, Any]:
        request: dict[str, Any] = {"TableName": self.name, "Item": to_wire(put.item)}
        condition, names, values = put.condition, dict(put.names), dict(put.values)
        if put.new:
            condition = "attribute_not_exists(pk)"
        elif put.rev is not None:
            condition = "#rev = :rev" + (" OR attribute_not_exists(pk)" if put.rev == 0 else "")
            names["#rev"], values[":rev"] = "rev", put.rev
        if condition:
            request["ConditionExpression"] = condition
        if names:
            request["ExpressionAttributeNames"] = names
        if values:
            request["ExpressionAttributeValues"] = to_wire(values)
        return request

    def _call(self, operation: str, **request: Any) -> Any:
        try:
            return getattr(self._client, operation)(**request)
        except ClientError as problem:
            code = problem.response["Error"]["Code"]
            if code == "ConditionalCheckFailedException":
                raise ConditionFailed(operation) from None
            if code == "TransactionCanceledException":
                reasons = {r.get("Code") for r in problem.response.get("CancellationReasons", [])}
                if reasons & {"ConditionalCheckFailed", "TransactionConflict"}:
                    raise ConditionFailed(operation) from None
                if reasons & {"ThrottlingError", "ProvisionedThroughputExceeded"}:
                    raise TryLater("the table is busy") from problem
            if code in ("TransactionConflictException", "TransactionInProgressException"):
                raise ConditionFailed(operation) from None
            if code in _BUSY:
                raise TryLater("the table is busy") from problem
            if code == "ValidationException" and "size" in problem.response["Error"].get("Message", "").lower():
                raise BadInput("The record would be larger than can be kept.") from None
            raise
        except BotoCoreError as problem:
            raise TryLater("the table does not answer") from problem


def create_table(client: DynamoDBClient, name: str) -> None:
    """The table as `infra/` deploys it, for the embedded runtime and the tests."""
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk", "gsi1pk", "gsi1sk")],
        GlobalSecondaryIndexes=[
            {
                "IndexName": keys.INDEX,
                "KeySchema": [
                    {"AttributeName": "gsi1pk", "KeyType": "HASH"},
                    {"AttributeName": "gsi1sk", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
