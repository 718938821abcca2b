"""The examples of the DynamoDB Developer Guide, and a real (embedded) table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.storage.table import ConditionFailed, Delete, Put, Table, create_table
from local.bench.units import Bill, Meter, index_units, read_units, size, write_units
from local.table_server import TableServer


def test_sizes_follow_the_guide() -> None:
    assert size({"Name": {"S": "שלום"}}) == 4 + 8
    assert size({"n": {"N": "-12.50"}}) == 1 + 2 + 1 + 1, "two digits a byte, one more, one for the sign"
    assert size({"b": {"BOOL": True}, "x": {"NULL": True}}) == 4
    assert size({"raw": {"B": b"\x00" * 10}}) == 13
    assert size({"l": {"L": [{"S": "ab"}, {"N": "1"}]}}) == 1 + 3 + (1 + 2) + (1 + 2)
    assert size({"m": {"M": {"k": {"S": "v"}}}}) == 1 + 3 + 1 + 1 + 1
    assert size(None) == 0


@pytest.mark.parametrize(
    ("bytes_read", "consistent", "units"),
    [(0, True, 1), (4096, True, 1), (4097, True, 2), (8192, False, 1), (3500, False, 0.5)],
)
def test_reads_are_counted_in_four_kilobytes(bytes_read: int, consistent: bool, units: float) -> None:
    assert read_units(bytes_read, consistent=consistent) == units


def thing(letters: int, **more: str) -> dict[str, Any]:
    """An item of exactly `letters` bytes besides `more`."""
    return {"pk": {"S": "x" * (letters - 2)}} | {name: {"S": value} for name, value in more.items()}


def test_a_write_counts_with_the_larger_of_its_two_sizes() -> None:
    assert write_units(None, thing(1024)) == 1
    assert write_units(thing(3000), thing(10)) == 3
    assert write_units(thing(1025), None) == 2
    assert write_units(None, None) == 1, "a refused write, or a delete of nothing"


def test_an_index_is_written_when_what_it_holds_changes() -> None:
    here = {"sk": "s", "gsi1pk": "list", "gsi1sk": "1"}
    there = here | {"gsi1sk": "2"}
    assert index_units(None, thing(10)) == 0
    assert index_units(None, thing(10, **here)) == 1
    assert index_units(thing(10, **here), thing(10, **here)) == 0
    assert index_units(thing(10, **here), thing(10, more="x", **here)) == 1
    assert index_units(thing(10, **here), thing(10, **there)) == 2
    assert index_units(thing(10, **here), thing(10)) == 1


@pytest.fixture
def metered(table_server: TableServer) -> Iterator[tuple[Table, Meter]]:
    client = table_server.dynamodb()
    create_table(client, "metered")
    meter = Meter(table_server.dynamodb())
    meter.watch(client.meta.events)
    yield Table(client, "metered"), meter
    table_server.dynamodb().delete_table(TableName="metered")


def test_calls_on_a_real_table_are_billed(metered: tuple[Table, Meter]) -> None:
    table, meter = metered

    def billed(act: Any) -> Bill:
        with meter.bill() as bill:
            act()
        return bill

    put = billed(lambda: table.put(Put({"pk": "a", "sk": "1", "text": "x" * 2000})))
    assert (put.read, put.write, put.calls) == (0, 2, {"PutItem": 1})

    def claim_again() -> None:
        with pytest.raises(ConditionFailed):
            table.put(Put({"pk": "a", "sk": "1"}, new=True))

    assert billed(claim_again).write == 2, "a refused write costs what stands there"
    listed = {"gsi1pk": "L#0", "gsi1sk": "1"}
    both = billed(lambda: table.transact([Put({"pk": "b", "sk": "1", **listed}), Delete("a", "1")]))
    assert both.write == 2 * 1 + 1 + 2 * 2
    for n in range(3):
        table.put(Put({"pk": "q", "sk": str(n), "text": "x" * 3000}))
    query = billed(lambda: list(table.query("q")))
    assert (query.read, query.calls) == (3, {"Query": 1}), "9 KB together, not each rounded up"
    assert billed(lambda: table.get("nobody", "1")).read == 1
