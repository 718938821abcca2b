from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.storage.wire import from_wire, to_wire

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.text(max_size=20)
    | st.binary(max_size=20)
    | st.integers(-(10**37), 10**37)
    | st.floats(-1e15, 1e15).filter(lambda number: number == 0 or abs(number) > 1e-100),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(min_size=1, max_size=5), plain, max_size=4))
def test_what_is_written_comes_back(item: dict[str, Any]) -> None:
    assert from_wire(to_wire(item)) == {name: value for name, value in item.items() if value is not None}


@given(plain)
def test_boto3_reads_and_writes_the_same(value: Any) -> None:
    wire = to_wire({"x": [value]})["x"]
    TypeDeserializer().deserialize(wire)

    def with_decimals(part: Any) -> Any:
        if isinstance(part, float):
            return Decimal(repr(part))
        if isinstance(part, dict):
            return {name: with_decimals(inner) for name, inner in part.items()}
        return [with_decimals(inner) for inner in part] if isinstance(part, list) else part

    assert from_wire({"x": TypeSerializer().serialize(with_decimals([value]))}) == {"x": [value]}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, object()])
def test_what_dynamodb_cannot_keep_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        to_wire({"x": value})
