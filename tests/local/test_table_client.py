"""The quick client and boto3's, side by side: the same calls, the same answers, the same errors."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from chalicelib.storage.table import ConditionFailed, Delete, Put, Table, create_table
from local.table_client import TableClient
from local.table_server import TableServer

Outcome = Any


def both(server: TableServer, act: Callable[[Table], Outcome]) -> tuple[Outcome, Outcome]:
    """What happens in a fresh table through each client; an error counts as its class and text."""
    outcomes = []
    for client in (server.dynamodb(), TableClient(server.endpoint)):
        name = f"agala-{uuid.uuid4().hex[:12]}"
        create_table(client, name)  # type: ignore[arg-type]
        try:
            outcomes.append(act(Table(client, name)))  # type: ignore[arg-type]
        except (ConditionFailed, ClientError) as error:
            outcomes.append((type(error), getattr(error, "response", {}).get("Error", {}).get("Code")))
    return outcomes[0], outcomes[1]


ITEM = {
    "pk": "a",
    "sk": "1",
    "text": "שלום \u0000 😀",
    "number": 5,
    "half": 1.5,
    "raw": b"\x00\xff",
    "nothing_in_it": {},
    "nested": {"B": {"x": [1, None, b"\x01"]}, "BS": ["not bytes"], "S": {"B": "text"}},
    "yes": True,
}


def put_and_get(table: Table) -> Outcome:
    table.put(Put(ITEM))
    return table.get("a", "1"), table.get("a", "2"), table.get_many([("a", "1"), ("b", "1")])


def claim_twice(table: Table) -> Outcome:
    table.put(Put(ITEM, new=True))
    table.put(Put(ITEM, new=True))


def broken_transaction(table: Table) -> Outcome:
    table.put(Put({"pk": "a", "sk": "1", "rev": 1}))
    table.transact([Put({"pk": "b", "sk": "1"}), Put({"pk": "a", "sk": "1", "rev": 1}, rev=5)])


def good_transaction(table: Table) -> Outcome:
    table.put(Put(ITEM))
    table.transact([Put({"pk": "b", "sk": "1"}), Delete("a", "1")])
    return table.query("a"), table.query("b")


def update(table: Table) -> Outcome:
    table.put(Put(ITEM))
    return table.update("a", "1", "ADD #n :n SET x = :x", names={"#n": "number"}, values={":n": 2, ":x": {"y": [1]}})


def pages(table: Table) -> Outcome:
    for number in range(30):
        table.put(Put({"pk": "a", "sk": f"T#{number:02d}", "filling": "x" * 60_000}))
    return [item["sk"] for item in table.query("a", prefix="T#", newest_first=True)]


def mistake(table: Table) -> Outcome:
    return table.update("a", "1", "SET")


@pytest.mark.parametrize(
    "act", [put_and_get, claim_twice, broken_transaction, good_transaction, update, pages, mistake]
)
def test_both_clients_see_the_same(table_server: TableServer, act: Callable[[Table], Outcome]) -> None:
    theirs, ours = both(table_server, act)
    assert ours == theirs
    assert ours is not None


def test_threads_do_not_share_an_answer(table_server: TableServer) -> None:
    client = TableClient(table_server.endpoint)
    name = f"agala-{uuid.uuid4().hex[:12]}"
    create_table(client, name)  # type: ignore[arg-type]
    table = Table(client, name)  # type: ignore[arg-type]
    wrong: list[Any] = []

    def work(own: str) -> None:
        for number in range(50):
            table.put(Put({"pk": own, "sk": "1", "number": number}))
            if table.get(own, "1") != {"pk": own, "sk": "1", "number": number}:
                wrong.append(own)

    threads = [threading.Thread(target=work, args=(f"own-{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_server_that_is_gone_is_named() -> None:
    server = TableServer(None)
    client = TableClient(server.endpoint)
    assert client.list_tables()["TableNames"] == []
    server.close()
    with pytest.raises(EndpointConnectionError):
        client.list_tables()
