"""Parcels of Shopify's orders: which tell that an order was delivered, and when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.commerce.order import Order
from chalicelib.store_adapters.base import Change, Nothing, OrderDelivered, Unintelligible
from tests.store_adapters.deliveries import told
from tests.store_adapters.test_shopify import ORDER

# The shape of the webhook documentation's fulfilment, with everything that may be null as null.
PARCEL: dict[str, Any] = {
    "id": 123456,
    "order_id": 9007199254740993123,
    "status": "success",
    "created_at": "2026-11-21T10:00:00+02:00",
    "updated_at": "2026-11-22T18:30:00+02:00",
    "service": None,
    "tracking_company": None,
    "shipment_status": "delivered",
    "location_id": None,
    "origin_address": None,
    "email": "noa@example.test",
    "destination": {"first_name": "Noa", "last_name": "Levi", "phone": "+972505550101"},
    "line_items": [],
    "tracking_number": None,
    "name": "#1001.1",
}
CAME = datetime(2026, 11, 22, 16, 30, tzinfo=UTC)


def of(topic: str = "fulfillments/update", **changed: Any) -> Change:
    (change,) = told({**PARCEL, **changed}, topic, "shopify")
    return change


@pytest.mark.parametrize("topic", ["fulfillments/create", "fulfillments/update"])
def test_a_parcel_that_came_delivers_its_order(topic: str) -> None:
    assert of(topic) == OrderDelivered("9007199254740993123", CAME)
    assert of(topic, shipment_status="DELIVERED") == OrderDelivered("9007199254740993123", CAME)


@pytest.mark.parametrize(
    "changed",
    [
        *({"shipment_status": status} for status in (None, "confirmed", "in_transit", "out_for_delivery", "failure")),
        {"status": "cancelled"},
        {"status": "error"},
    ],
)
def test_a_parcel_on_its_way_or_called_off_says_nothing_and_leaves_no_address(changed: dict[str, Any]) -> None:
    change = of(**changed)
    assert isinstance(change, Nothing)
    assert change.reason and change.private


def test_the_nearest_time_is_taken() -> None:
    assert of(delivered_at="2026-11-22T12:00:00Z", order_id=1) == OrderDelivered(
        "1", datetime(2026, 11, 22, 12, tzinfo=UTC)
    )
    assert of(updated_at=None) == OrderDelivered("9007199254740993123", datetime(2026, 11, 21, 8, tzinfo=UTC))
    with pytest.raises(Unintelligible, match="updated_at"):
        of(updated_at=None, created_at=None)
    with pytest.raises(Unintelligible, match="order_id"):
        of(order_id=None)


def test_an_order_tells_of_its_first_parcel_that_came() -> None:
    def order(*parcels: dict[str, Any]) -> Order:
        (change,) = told({**ORDER, "fulfillments": [*parcels]}, "orders/updated", "shopify")
        assert isinstance(change, Order)
        return change

    later = {**PARCEL, "updated_at": "2026-11-25T00:00:00Z"}
    assert order(later, PARCEL, {**PARCEL, "shipment_status": None}).delivered_at == CAME
    assert order({**PARCEL, "updated_at": None, "created_at": None}).delivered_at == datetime(
        2026, 11, 20, 10, tzinfo=UTC
    )
    assert order({**PARCEL, "shipment_status": "in_transit"}).delivered_at is None
    assert order().delivered_at is None
