"""Shopify's fulfilments: parcels of an order, told apart from it (`fulfillments/create|update`) and within it.

Read is only when a parcel came to the buyer: its addresses and tracking numbers are of no use here.
"""

from __future__ import annotations

from datetime import datetime

from chalicelib.commerce.store import Store
from chalicelib.store_adapters.base import Change, Nothing, OrderDelivered
from chalicelib.store_adapters.reading import Fields

# A parcel that was called off, or never left, was not delivered, whatever its carrier said of it last.
_NO_PARCEL = ("cancelled", "error", "failure")


def fulfilment(fields: Fields, store: Store, body_hash: str) -> list[Change]:
    """Its text has the buyer's address: where it says nothing about the order, it is not kept."""
    order_id = fields.identifier("order_id")
    if not _came(fields):
        return [Nothing("a parcel that has not come to the buyer", private=True)]
    return [OrderDelivered(order_id, _when(fields) or fields.wrong("updated_at", "a time"))]


def delivered_at(order: Fields) -> datetime | None:
    """When the first of an order's parcels came to the buyer, as far as the order's own body tells."""
    times = [_when(sent) or order.moment("updated_at") for sent in order.items("fulfillments") if _came(sent)]
    return min((time for time in times if time), default=None)


def _came(parcel: Fields) -> bool:
    status = (parcel.text("status", 40) or "").lower()
    return (parcel.text("shipment_status", 40) or "").lower() == "delivered" and status not in _NO_PARCEL


def _when(parcel: Fields) -> datetime | None:
    """`delivered_at` is told by the Admin API only; a delivery was written down when its webhook was last updated.

    Later updates move that time on: the earliest that anybody tells is the nearest to the truth.
    """
    return parcel.moment("delivered_at") or parcel.moment("updated_at") or parcel.moment("created_at")
