from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.store_adapters.envelope import Arrival, Unreadable, arrival_id, by_object, decode, encode

AT = datetime(2026, 11, 21, 22, 0, 0, 123000, tzinfo=UTC)


def arrival(body: bytes) -> Arrival:
    return Arrival("shop", "woocommerce", arrival_id(AT), "k" * 40, AT, {"x-wc-webhook-topic": "תודה"}, body)


@given(st.binary(max_size=2000))
def test_a_body_comes_out_as_it_went_in(body: bytes) -> None:
    sent = arrival(body)
    assert decode(json.loads(json.dumps(encode(sent)))) == sent


def test_a_body_in_the_bucket_comes_out_as_it_went_in() -> None:
    sent = arrival(b"{}" * 1000)
    message, key, content = by_object(encode(sent))
    assert "body" not in message
    assert key == f"deliveries/shop/{sent.delivery_id}.gz"
    assert decode(message, {key: content}.__getitem__) == sent
    with pytest.raises(Unreadable):
        decode(message)


@pytest.mark.parametrize(
    "change",
    [
        {"body": "!"},
        {"body": "AAAA"},
        {"body": None},
        {"headers": []},
        {"received_at": "yesterday"},
        {"received_at": 1},
    ],
)
def test_a_message_of_somebody_else_is_unreadable(change: dict[str, object]) -> None:
    with pytest.raises(Unreadable):
        decode({**encode(arrival(b"{}")), **change})
    with pytest.raises(Unreadable):
        decode({})


def test_arrival_ids_sort_by_time_and_look_like_all_ids() -> None:
    ids = [arrival_id(AT + timedelta(milliseconds=number)) for number in range(50)]
    assert ids == sorted(ids)
    assert all(len(one) == 26 and one == one.lower() for one in ids)
    assert arrival_id(AT) != arrival_id(AT)
