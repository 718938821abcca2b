"""What Shopify's three privacy topics say, whatever is null in them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.store_adapters import adapter_for
from chalicelib.store_adapters.base import Change, ErasureAsked, ExportAsked, Unintelligible
from tests.store_adapters.deliveries import delivery, store

NOA = {"id": 9007199254740993, "email": "noa@shopper.example", "phone": "+972505550123"}
SHOP = {"shop_id": 1, "shop_domain": "tea.myshopify.com"}


def read(topic: str, body: Any) -> list[Change]:
    return adapter_for("shopify").parse(delivery(json.dumps(body).encode(), topic, "shopify"), store())


def test_a_data_request_names_the_person_their_orders_and_itself() -> None:
    body = {
        **SHOP,
        "orders_requested": [299938, 9007199254740995, 299938],
        "customer": NOA,
        "data_request": {"id": 9999},
    }
    asked = ExportAsked("9999", "9007199254740993", NOA["email"], NOA["phone"], ("299938", "9007199254740995"))
    assert read("customers/data_request", body) == [asked]


@pytest.mark.parametrize(
    ("more", "asked"),
    [
        ({}, ExportAsked(None, "7", None)),
        ({"data_request": None, "orders_requested": None}, ExportAsked(None, "7", None)),
        ({"data_request": {"id": None}, "orders_requested": []}, ExportAsked(None, "7", None)),
        ({"orders_requested": ["12", 0, None, ""]}, ExportAsked(None, "7", None, None, ("12",))),
        ({"customer": None, "orders_requested": [5]}, ExportAsked(None, None, None, None, ("5",))),
    ],
)
def test_what_is_null_in_a_data_request_is_not_told(more: dict[str, Any], asked: ExportAsked) -> None:
    assert read("customers/data_request", {**SHOP, "customer": {"id": 7, "email": None}, **more}) == [asked]


def test_an_erasure_names_the_person_and_their_orders() -> None:
    body = {**SHOP, "customer": NOA, "orders_to_redact": [1, 2]}
    asked = ErasureAsked("9007199254740993", NOA["email"], NOA["phone"], orders=("1", "2"))
    assert read("customers/redact", body) == [asked]


@pytest.mark.parametrize("topic", ["customers/data_request", "customers/redact"])
@pytest.mark.parametrize("customer", [None, {}, {"id": None}, {"id": 0, "email": " "}])
def test_a_request_about_nobody_is_parked(topic: str, customer: Any) -> None:
    with pytest.raises(Unintelligible):
        read(topic, {**SHOP, "customer": customer})


@pytest.mark.parametrize("orders", [7, "7", {"id": 7}, [{"id": 7}], [[7]], [True], list(range(5001))])
def test_orders_that_are_no_list_of_ids_are_named_and_not_quoted(orders: Any) -> None:
    with pytest.raises(Unintelligible, match=r"^orders_to_redact: expected"):
        read("customers/redact", {**SHOP, "customer": NOA, "orders_to_redact": orders})


def test_a_whole_shop_is_erased_by_its_own_topic_only() -> None:
    assert read("shop/redact", SHOP) == [ErasureAsked(None, None, whole_shop=True)]
    with pytest.raises(Unintelligible):
        read("shop/redact", {"shop_domain": "tea.myshopify.com"})
