"""Whatever a signed body holds, it is understood or it is parked: no third way."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.store_adapters import adapter_for
from chalicelib.store_adapters.base import Unintelligible
from chalicelib.store_adapters.shopify import _READERS as SHOPIFY_READERS
from chalicelib.store_adapters.shopify_inventory import TOPICS as INVENTORY_TOPICS
from chalicelib.store_adapters.woocommerce import _READERS as WOOCOMMERCE_READERS
from tests.recorded import load_json
from tests.store_adapters import shopify_bodies, test_shopify, test_shopify_checkouts, test_shopify_fulfilments
from tests.store_adapters.deliveries import delivery, store

TOPICS = [("woocommerce", topic) for topic in WOOCOMMERCE_READERS] + [
    ("shopify", topic) for topic in (*SHOPIFY_READERS, *INVENTORY_TOPICS)
]
BODIES: list[tuple[str, str, Any]] = [
    ("woocommerce", "order.updated", load_json("order.updated")),
    ("woocommerce", "order.restored", load_json("order.created")),
    ("woocommerce", "customer.updated", load_json("customer.created")),
    ("woocommerce", "product.updated", load_json("product.updated")),
    ("shopify", "orders/updated", {**test_shopify.ORDER, "refunds": [test_shopify.refund_of("11.00", "USD")]}),
    ("shopify", "customers/update", test_shopify.CUSTOMER),
    ("shopify", "checkouts/update", {**test_shopify_checkouts.CHECKOUT, "customer": test_shopify.CUSTOMER}),
    ("shopify", "fulfillments/update", test_shopify_fulfilments.PARCEL),
    ("shopify", "products/update", test_shopify.PRODUCT),
    *(("shopify", topic, body) for topic, body in shopify_bodies.BODIES.items()),
]

strange = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.sampled_from(
        [
            "\x00",
            "\ud800",
            "😀\u200f\u202e",
            "1e999999999",
            "-1E-999999999",
            "0x10",
            "NaN",
            "9999-12-31T23:59:59-23:00",
            "0001-01-01T00:00:00+23:00",
            "0000-00-00 00:00:00",
            "gid://shopify/Order/",
            10**400,
            -(10**4000),
            1e308,
            [],
            {},
            [[]],
            [None],
            {"0": {}},
        ]
    ),
)
values = st.recursive(
    strange, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


def understood_or_parked(platform: str, topic: str, body: bytes) -> None:
    try:
        changes = adapter_for(platform).parse(delivery(body, topic, platform), store(platform))
    except Unintelligible as parked:
        assert len(str(parked)) < 200
        str(parked).encode()
    else:
        assert changes
        repr(changes).encode()


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a body."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, inner in pairs for place in [(value, key), *places(inner)]]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_recorded_bodies_with_some_values_changed_or_gone(data: st.DataObject) -> None:
    platform, topic, body = data.draw(st.sampled_from(BODIES))
    changed = copy.deepcopy(body)
    for _ in range(data.draw(st.integers(1, 4))):
        container, key = data.draw(st.sampled_from(places(changed) or [({"": 0}, "")]))
        if data.draw(st.booleans()):
            container[key] = copy.deepcopy(data.draw(values))
        else:
            container.pop(key)
    understood_or_parked(platform, topic, json.dumps(changed).encode())


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(TOPICS), values | st.dictionaries(st.sampled_from(["id", "status", "customer"]), values))
def test_any_json(topic: tuple[str, str], body: Any) -> None:
    understood_or_parked(*topic, json.dumps(body).encode())


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(TOPICS), st.binary(max_size=200))
def test_any_bytes(topic: tuple[str, str], body: bytes) -> None:
    understood_or_parked(*topic, body)


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 1_000_000,
        b'{"id":1,"meta_data":[{"key":"_agala_consent","value":' + b"[" * 900 + b"]" * 900 + b"}]}",
        b'{"a":' * 150_000,
        b'{"id":' + b"9" * 5000 + b"}",
        b'{"id":NaN,"total":Infinity}',
        b'{"id":1,"line_items":[' + b",".join([b"{}"] * 6000) + b"]}",
        b"\xff\xfe{",
        b"",
        b"null",
    ],
    ids=["deep lists", "deep meta", "deep objects", "huge number", "NaN", "many lines", "no text", "empty", "null"],
)
def test_bodies_made_to_hurt(topic: tuple[str, str], body: bytes) -> None:
    understood_or_parked(*topic, body)
