"""What the catalogue adds to a cart whose store tells goods by id only: each item's picture, page and categories.

It is added where a cart is read and never kept: a product may be told after the cart, or change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib.commerce.cart import CartItem, CartRecord
from chalicelib.commerce.event import Event
from chalicelib.commerce.ports import ProductRecord
from chalicelib.commerce.product import Product

_ADDED = ("image", "url", "categories")


def lacking(record: CartRecord | None) -> set[str]:
    """Ids of the products and variations that the catalogue is to be asked for."""
    return (
        _asked_for(item.model_dump(include=_READ) for item in record.latest.items)
        if record and record.latest
        else set()
    )


def lacking_in(event: Event) -> set[str]:
    """As `lacking`, of a cart's event."""
    return _asked_for(_items(event)) if event.properties.get("cart_token") else set()


def completed(record: CartRecord, products: Mapping[str, ProductRecord]) -> CartRecord:
    if record.latest is None:
        return record
    items = tuple(_completed_item(item, products) for item in record.latest.items)
    return record.model_copy(update={"latest": record.latest.model_copy(update={"items": items})})


def completed_event(event: Event, products: Mapping[str, ProductRecord]) -> Event:
    items = [{**item, **_added(item, products)} for item in _items(event)]
    return event.model_copy(update={"properties": {**event.properties, "items": items}}) if items else event


_READ = {"product_id", "variation_id", *_ADDED}


def _items(event: Event) -> list[dict[str, Any]]:
    items = event.properties.get("items")
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _asked_for(items: Iterable[Mapping[str, Any]]) -> set[str]:
    short = (item for item in items if not all(item.get(name) for name in _ADDED))
    return {str(item[key]) for item in short for key in ("product_id", "variation_id") if item.get(key)}


def _completed_item(item: CartItem, products: Mapping[str, ProductRecord]) -> CartItem:
    added = _added(item.model_dump(include=_READ), products)
    if "categories" in added:
        added["categories"] = tuple(added["categories"])
    return item.model_copy(update=added)


def _added(item: Mapping[str, Any], products: Mapping[str, ProductRecord]) -> dict[str, Any]:
    """What the item does not say itself: of the variation bought, else of its product."""
    known = [_alive(products.get(str(item.get(key)))) for key in ("variation_id", "product_id")]
    found: dict[str, Any] = {}
    for product in filter(None, known):
        told = {"image": product.image, "url": product.url, "categories": [one.id for one in product.categories]}
        found |= {name: value for name, value in told.items() if value and not item.get(name) and name not in found}
    return found


def _alive(record: ProductRecord | None) -> Product | None:
    return record.product if record and not record.is_deleted else None
