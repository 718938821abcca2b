"""A product that sells out and comes back: folded out of its tellings, whatever order they come in."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from chalicelib.clock import parse_rfc3339
from chalicelib.commerce.event import Event

if TYPE_CHECKING:
    from chalicelib.commerce.ports import ProductRecord
    from chalicelib.commerce.product import Product

TELLINGS_KEPT = 12  # a telling that comes later than so many newer ones finds its place no more


def with_stock(record: ProductRecord, told: Product) -> ProductRecord:
    """The record with what this telling says about stock.

    A product is back by the first telling that says so after the newest one that said it was sold out.
    """
    tellings = {**record.stock_told, told.version.key(): told.in_stock}
    sold_out = max((key for key, there in tellings.items() if not there), default="")
    sold_out = max(sold_out, record.sold_out_by)
    since = [key for key, there in tellings.items() if there and key > sold_out]
    if record.back_by > sold_out:
        since.append(record.back_by)
    newest = sorted(tellings)[-TELLINGS_KEPT:]
    return record.model_copy(
        update={
            "stock_told": {key: tellings[key] for key in newest},
            "sold_out_by": sold_out,
            "back_by": min(since, default="") if sold_out else "",
        }
    )


def returns(before: ProductRecord | None, after: ProductRecord) -> tuple[list[Event], list[Event]]:
    """Events `product_back_in_stock` that are new, and those that turned out to have been at another time."""
    known = _returns(before.stock_told) if before else set()
    told = _returns(after.stock_told)
    oldest = min(after.stock_told, default="")
    fresh = [_event(after, key) for key in sorted(told - known)]
    gone = [_event(after, key) for key in sorted(known - told) if key > oldest]
    kept = {event.id for event in fresh} | {_event(after, key).id for key in told}
    return fresh, [event for event in gone if event.id not in kept]


def told_at(version_key: str) -> datetime | None:
    """The time of a telling, by its `Version.key()`; of none, none."""
    return parse_rfc3339(version_key.partition("#")[0]) if version_key else None


def _returns(stock_told: dict[str, bool]) -> set[str]:
    keys = sorted(stock_told)
    return {key for last, key in pairwise(keys) if stock_told[key] and not stock_told[last]}


def _event(record: ProductRecord, key: str) -> Event:
    """Ids alone: what the product is like, the catalogue says when somebody is told."""
    time = key.partition("#")[0]
    parent = record.product.parent_id if record.product else None
    return Event(
        id=f"product_back_in_stock:{record.store_id}:{record.external_id}:{time}",
        type="product_back_in_stock",
        occurred_at=parse_rfc3339(time),
        properties={
            "product_id": parent or record.external_id,
            "variation_id": record.external_id if parent else None,
        },
    )
