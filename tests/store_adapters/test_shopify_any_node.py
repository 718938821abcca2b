"""Whatever the Admin API answers, a record is read or its mistake is named: nothing else comes out."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.store_adapters.base import Unintelligible
from chalicelib.store_adapters.shopify import read_record
from chalicelib.store_adapters.shopify_nodes import BULK_BODIES, CHANGED_BODIES, PARTS, Strange, kind_of
from tests.store_adapters import shopify_records as like
from tests.store_adapters.test_shopify_history import STORE

AT = datetime(2026, 11, 10, 9, 0, tzinfo=UTC)
ODD = st.sampled_from([None, True, 0, -1, 2**70, 1.5, "", "x", "gid://shopify/Moon/1", [], [None], [[]], {}, {"a": 1}])
REFUNDED = like.order(1, AT, refunds=[like.back(8, AT, "1.00")], transactions=[{"kind": "REFUND", "status": "SUCCESS"}])


class Silent:
    """Knows nothing more of any record."""

    def __init__(self) -> None:
        self.notices: set[str] = set()

    def ask(self, document: str, variables: Any = None) -> dict[str, Any]:
        return {}

    def text(self, document: str) -> str:
        return ""

    def lines(self, url: str, start: int = 0) -> Iterator[bytes]:
        return iter(())

    def close(self) -> None:
        """There is nothing to close."""


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, part in inner for place in places(part, (*path, key)))]


def changed(record: dict[str, Any], place: tuple[Any, ...], odd: Any) -> Any:
    if not place:
        return record
    found = copy.deepcopy(record)
    holder: Any = found
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = odd
    return found


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_a_record_of_any_kind_with_anything_in_any_place(data: st.DataObject) -> None:
    noun, record = data.draw(
        st.sampled_from(
            [("order", REFUNDED), ("customer", like.customer(1, "a@b.example", AT)), ("product", like.product(1, AT))]
        )
    )
    whole = {**record, "parts": record.get("lineItems") or record.get("variants") or []}
    for place in data.draw(st.lists(st.sampled_from(places(whole)), min_size=1, max_size=3)):
        try:
            whole = changed(whole, place, data.draw(ODD))
        except (KeyError, IndexError, TypeError):  # what was changed before took the place away
            continue
    listed = whole.pop("parts")
    known = [part for part in listed if isinstance(part, dict)] if isinstance(listed, list) else []
    parts = [part for part in known if kind_of(part) in PARTS.get(f"{noun}s", ())]
    for body in (
        lambda: BULK_BODIES[f"{noun}s"](Silent(), whole, parts),
        lambda: CHANGED_BODIES[f"{noun}s"](Silent(), whole),
    ):
        try:
            read_record(noun, body(), STORE)
        except (Unintelligible, Strange) as mistake:
            assert "Moon" not in str(mistake)
