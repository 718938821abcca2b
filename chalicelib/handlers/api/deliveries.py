"""`/v1/stores/{s}/deliveries`: what the store sent, what became of it, and once more after a fix."""

from __future__ import annotations

from typing import Literal

from chalice.app import Blueprint

from chalicelib.handlers.api.shapes import Answer, PageQuery, Time, page
from chalicelib.handlers.http import Call, door
from chalicelib.handlers.request import after_cursor
from chalicelib.storage.deliveries import DeliveryRecord

deliveries = Blueprint(__name__)


class DeliveryQuery(PageQuery):
    status: Literal["applied", "repeated", "parked"] | None = None


class DeliveryAnswer(Answer):
    """`reason` says why it was parked, or why there was nothing to do. `size` is the raw body's, in bytes."""

    id: str
    platform: str
    topic: str
    status: Literal["applied", "repeated", "parked"]
    received_at: Time
    reason: str | None
    repeat_of: str | None
    size: int


class DeliveryList(Answer):
    items: list[DeliveryAnswer]
    next: str | None


@door(
    deliveries,
    "GET",
    "/v1/stores/{store_id}/deliveries",
    summary="What the store sent in the last 30 days, oldest first",
    scope="store",
    query=DeliveryQuery,
    answers=DeliveryList,
)
def list_deliveries(call: Call) -> DeliveryList:
    asked: DeliveryQuery = call.query
    listing = f"deliveries:{call.store.id}:{asked.status or ''}"
    records = call.wiring.deliveries
    after = after_cursor(listing, asked.cursor)
    found = records.list(call.store.id, asked.status, after=after, limit=asked.limit + 1)
    kept, following = page(found, asked.limit, listing, records.sort_key)
    return DeliveryList(items=[_shown(record) for record in kept], next=following)


@door(
    deliveries,
    "POST",
    "/v1/stores/{store_id}/deliveries/{delivery_id}/replay",
    summary="Read a kept delivery once more",
    scope="store",
    answers=DeliveryAnswer,
)
def replay_delivery(call: Call) -> DeliveryAnswer:
    """Repeating is harmless: a delivery that was applied already changes nothing."""
    from chalicelib.handlers.ingest import replay

    return _shown(replay(call.store.id, call.path["delivery_id"]))


def _shown(record: DeliveryRecord) -> DeliveryAnswer:
    kept = {name: getattr(record, name) for name in DeliveryAnswer.model_fields if name != "status"}
    return DeliveryAnswer(**kept, status=record.status.value)
