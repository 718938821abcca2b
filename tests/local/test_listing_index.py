"""Listings read from the server's file, beside the server's own answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib.storage.table import Put, Table, create_table
from local.listing_index import IndexedTableClient
from local.table_client import TableClient
from local.table_server import TableServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TableServer]:
    made = TableServer(tmp_path_factory.mktemp("table"))
    create_table(TableClient(made.endpoint), "agala")  # type: ignore[arg-type]
    create_table(TableClient(made.endpoint), "another")  # type: ignore[arg-type]
    yield made
    made.close()


@pytest.fixture(scope="module")
def both(server: TableServer) -> Iterator[tuple[Table, Table]]:
    quick = IndexedTableClient(server.endpoint, server.file)
    plain: Any = TableClient(server.endpoint)
    here, there = Table(quick, "agala"), Table(plain, "agala")  # type: ignore[arg-type]
    here.query("L#s#0", index=True)  # the index stands before anything is written, as in the runtime
    for n in range(60):
        item = {"pk": f"x{n}", "sk": "1", "gsi1pk": f"L#s#{n % 3}", "gsi1sk": f"{n // 2:03d}#ש", "raw": b"\x00", "n": n}
        there.put(Put(item))
        Table(plain, "another").put(Put(item | {"n": -1}))
    there.put(Put({"pk": "x1", "sk": "1", "gsi1pk": "L#s#2", "gsi1sk": "500", "n": 1}))  # moved
    there.put(Put({"pk": "x2", "sk": "1", "n": 2}))  # left the listing
    there.delete("x3", "1")
    yield here, there
    quick.close()


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"limit": 4},
        {"together": 3},
        {"together": 3, "limit": 7},
        {"prefix": "01"},
        {"after": "004#ש"},
        {"before": "020#ש"},
        {"after": "004#ש", "before": "020", "together": 2},
        {"after": "9"},
    ],
)
def test_the_file_answers_as_the_server_does(
    both: tuple[Table, Table], asked: dict[str, Any], newest_first: bool
) -> None:
    found = []
    for table in both:
        pages = [table.iterate(f"L#s#{n}", index=True, newest_first=newest_first, **asked) for n in range(4)]
        found.append([list(page) for page in pages])
    assert found[0] == found[1]
    assert any(found[0]) or "after" in asked


def test_listings_and_plain_queries_are_the_same_too(both: tuple[Table, Table]) -> None:
    here, there = both
    assert here.listing("L", "s", limit=9) == there.listing("L", "s", limit=9)
    assert here.query("x5") == there.query("x5") != []


def test_equal_places_in_a_listing_are_each_shown_once(both: tuple[Table, Table]) -> None:
    here, there = both
    for n in range(7):
        there.put(Put({"pk": f"same{n}", "sk": "1", "gsi1pk": "L#same#0", "gsi1sk": "at once"}))
    seen = [item["pk"] for item in here.iterate("L#same#0", index=True, together=2)]
    assert sorted(seen) == [f"same{n}" for n in range(7)]
    back = [item["pk"] for item in here.iterate("L#same#0", index=True, together=2, newest_first=True)]
    assert back == seen[::-1]


def test_a_file_that_is_opened_again_still_has_its_index(server: TableServer, both: tuple[Table, Table]) -> None:
    again = IndexedTableClient(server.endpoint, Path(server.file))
    try:
        assert Table(again, "agala").listing("L", "s", limit=99) == both[1].listing("L", "s", limit=99)  # type: ignore[arg-type]
    finally:
        again.close()
