"""Shopify's inventory levels: how many of an item are available at one location.

`inventory_levels/connect` and `/update` tell `available` (null: not told); `/disconnect` tells no more than the ids.
"""

from __future__ import annotations

from datetime import datetime

from chalicelib.commerce.change import Change, StockTold
from chalicelib.commerce.snapshot import Version
from chalicelib.commerce.stock import Level
from chalicelib.store_adapters.reading import Fields

DISCONNECTED = "inventory_levels/disconnect"
TOPICS = ("inventory_levels/update", "inventory_levels/connect", DISCONNECTED)


def stock_level(fields: Fields, topic: str, sent_at: datetime, body_hash: str) -> list[Change]:
    """A level that tells no time of its own is of the time when its delivery was triggered.

    Levels are told to the second. Of several in one second the one that was triggered last holds, else any one.
    """
    at = fields.moment("updated_at") or sent_at.replace(microsecond=0)
    version = Version(modified_at=at, body_hash=f"{sent_at:%Y%m%d%H%M%S%f}-{body_hash}")
    gone = topic == DISCONNECTED
    level = Level(place=fields.identifier("location_id"), count=None if gone else fields.whole("available"), gone=gone)
    return [StockTold(item=fields.identifier("inventory_item_id"), level=level, version=version)]
