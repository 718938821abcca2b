from __future__ import annotations

import pytest

from chalicelib.storage.table import ConditionFailed, Delete, Put, Table
from tests.memory_client import memory_table


@pytest.fixture(params=["memory", "served"])
def table(request: pytest.FixtureRequest) -> Table:
    """Both are held to the same behaviour."""
    found: Table = memory_table() if request.param == "memory" else request.getfixturevalue("served_table")
    return found


def item(pk: str, sk: str, **more: object) -> dict[str, object]:
    return {"pk": pk, "sk": sk, **more}


def test_what_is_put_is_got_back_with_natural_numbers(table: Table) -> None:
    table.put(Put(item("a", "1", n=5, f=1.5, nested={"x": [1, 2.5, None]}, nothing=None, raw=b"\x00\x01")))
    assert table.get("a", "1") == item("a", "1", n=5, f=1.5, nested={"x": [1, 2.5, None]}, raw=b"\x00\x01")
    assert table.get("a", "2") is None


def test_a_new_item_is_claimed_once(table: Table) -> None:
    table.put(Put(item("a", "1"), new=True))
    with pytest.raises(ConditionFailed):
        table.put(Put(item("a", "1"), new=True))


def test_a_stale_revision_is_refused_and_a_transaction_is_all_or_nothing(table: Table) -> None:
    table.put(Put(item("a", "1", rev=1), rev=0))
    with pytest.raises(ConditionFailed):
        table.transact([Put(item("b", "1")), Put(item("a", "1", rev=1), rev=0)])
    assert table.get("b", "1") is None
    table.transact([Put(item("b", "1")), Put(item("a", "1", rev=2), rev=1), Delete("a", "0")])
    assert table.get("b", "1") is not None


def test_bounds_are_exclusive_and_prefixes_hold(table: Table) -> None:
    for sk in ("M#9", "T#1", "T#2", "T#3", "U#1"):
        table.put(Put(item("a", sk)))

    def found(**query: object) -> list[str]:
        return [i["sk"] for i in table.query("a", **query)]  # type: ignore[arg-type]

    assert found(prefix="T#") == ["T#1", "T#2", "T#3"]
    assert found(prefix="T#", newest_first=True, limit=2) == ["T#3", "T#2"]
    assert found(prefix="T#", after="T#1") == ["T#2", "T#3"]
    assert found(prefix="T#", before="T#3", newest_first=True) == ["T#2", "T#1"]
    assert found(after="T#2") == ["T#3", "U#1"]


def test_a_listing_is_in_order_over_its_shards_and_continues_where_it_stopped(table: Table) -> None:
    for n in range(20):
        table.put(Put(item(f"x{n}", "1", gsi1pk=f"L#s#{n % 8}", gsi1sk=f"{n:03d}")))
    first = [i["gsi1sk"] for i in table.listing("L", "s", limit=7)]
    assert first == [f"{n:03d}" for n in range(7)]
    assert [i["gsi1sk"] for i in table.listing("L", "s", after=first[-1], limit=100)] == [
        f"{n:03d}" for n in range(7, 20)
    ]


def test_a_page_of_a_listing_reads_little_more_than_itself(table: Table) -> None:
    """Each shard is asked for its share, and again only where it held more of the page than that."""
    for n in range(240):
        shard = n % 8 if n < 160 else 3
        table.put(Put(item(f"x{n}", "1", gsi1pk=f"L#s#{shard}", gsi1sk=f"{n:03d}")))
    pages: list[int] = []
    asked = table._call

    def counting(operation: str, **request: object) -> object:
        answer = asked(operation, **request)
        pages.append(len(answer["Items"]))
        return answer

    table._call = counting  # type: ignore[method-assign]
    assert [i["gsi1sk"] for i in table.listing("L", "s", limit=80)] == [f"{n:03d}" for n in range(80)]
    assert len(pages) == 8
    assert sum(pages) <= 2 * 80
    assert [i["gsi1sk"] for i in table.listing("L", "s", after="159", limit=70)] == [
        f"{n:03d}" for n in range(160, 230)
    ]
    assert [i["gsi1sk"] for i in table.listing("L", "s", limit=1)] == ["000"]
    assert table.listing("L", "nobody", limit=5) == []


def test_a_list_grows_while_it_may_and_what_is_there_stays(table: Table) -> None:
    names, grown = {"#seen": "seen", "#count": "count"}, "SET #seen = list_append(#seen, :one), #count = #count + :more"

    def grow() -> dict[str, object]:
        values = {":one": [{"n": "1"}], ":more": 1, ":most": 2}
        return table.update("a", "1", grown, condition="#count < :most", names=names, values=values)

    with pytest.raises(ConditionFailed):
        grow()
    begin = "SET #seen = if_not_exists(#seen, :none), #count = if_not_exists(#count, :zero), #x = :x"
    for x in ("old", "new"):
        table.update("a", "1", begin, names=names | {"#x": "x"}, values={":none": [], ":zero": 0, ":x": x})
        grow()
    assert table.get("a", "1") == item("a", "1", seen=[{"n": "1"}, {"n": "1"}], count=2, x="new")
    with pytest.raises(ConditionFailed):
        grow()
