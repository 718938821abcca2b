"""What blocks with a picture that is drawn when it is opened need: its address, and the words that stay true."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.commerce.store import Store
from chalicelib.contacts.contact import Benefit
from chalicelib.messages.block_forms import CountdownBlock, StockLeftBlock
from chalicelib.messages.fields import product_meant
from chalicelib.messages.money_text import moment_text
from chalicelib.messages.picture_links import PictureLinks
from chalicelib.messages.showing import Needs, Showing
from chalicelib.messages.wording import primary


def placed_pictures(
    needs: Needs,
    showing: Showing,
    store: Store,
    event: Mapping[str, Any],
    coupon: Benefit | None,
    language: str,
    pictures: PictureLinks | None,
    now: datetime,
) -> dict[str, dict[str, Any]]:
    """By the place of the block: {picture (an address), ends (words)}. A block of something that is over, or not
    counted, or sold out by now, has none: it is left out."""
    found: dict[str, dict[str, Any]] = {}
    colour, spoken = store.settings.brand.colour, primary(language)[:2] or "en"
    for place, block in needs.pictured.items():
        if isinstance(block, CountdownBlock):
            end = block.until or (coupon.expires_at if coupon else None)
            if end is None or end <= now:
                continue
            url = pictures.countdown_url(end, spoken, colour) if pictures else None
            found[place] = {"picture": url, "ends": moment_text(end.astimezone(ZoneInfo(store.timezone)), language)}
        else:
            product_id = _left(block, showing, event)
            if product_id and pictures:
                found[place] = {"picture": pictures.stock_url(store.id, product_id, block.below, spoken, colour)}
    return found


def _left(block: StockLeftBlock, showing: Showing, event: Mapping[str, Any]) -> str | None:
    """The product, if the shop counts it and some are there. How many are left is told when the email is opened: they
    may be few only then."""
    told = event.get("properties")
    product_id = product_meant(block.product, told if isinstance(told, Mapping) else {})
    product = showing.products.get(product_id) if product_id else None
    if product is None or not product.published or not product.in_stock or not product.stock:
        return None
    return product_id
