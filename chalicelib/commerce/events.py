"""What an order's telling says has happened, as events; and what the catalogue adds to them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chalicelib.commerce.event import Event
from chalicelib.commerce.money import Money
from chalicelib.commerce.order import LineItem, Order, OrderStatus
from chalicelib.commerce.ports import OrderRecord, ProductRecord
from chalicelib.commerce.product import Product
from chalicelib.contacts.person import Person


def events_of(store_id: str, order: Order) -> list[Event]:
    """Everything that this telling knows to have happened, by id; nothing in it depends on other tellings."""
    about = _properties(order)

    def event(type_: str, at: datetime, part: str = "", **more: Any) -> Event:
        event_id = f"{type_}:{store_id}:{order.external_id}{part}"
        return Event(id=event_id, type=type_, occurred_at=at, properties={**about, **more})

    found = [event("order_placed", order.placed_at)]
    if order.paid_at:
        found.append(event("order_paid", order.paid_at))
    if order.status is OrderStatus.COMPLETED or order.completed_at:
        found.append(event("order_completed", order.completed_at or order.version.modified_at))
    if order.status is OrderStatus.CANCELLED:
        found.append(event("order_cancelled", order.version.modified_at))
    if order.status is OrderStatus.FAILED:
        found.append(event("payment_failed", order.version.modified_at, payment_url=order.payment_url))
    for refund in order.refunds:
        at, amount = refund.at or order.version.modified_at, _money(refund.amount)
        found.append(event("order_refunded", at, f":{refund.external_id}", refund=amount))
    return found


def delivery_of(record: OrderRecord) -> list[Event]:
    """That the order was delivered: in its newest telling's words, once anybody told of both."""
    order, at = record.order, record.delivered_at
    if order is None or at is None:
        return []
    event_id = f"order_delivered:{record.store_id}:{order.external_id}"
    return [Event(id=event_id, type="order_delivered", occurred_at=at, properties=_properties(order))]


def enriched(event: Event, products: Mapping[str, ProductRecord]) -> Event:
    """The event with what the catalogue says today: each item's categories, picture, page and lifetime.

    This is not kept in the timeline: a product may be told before or after its order. `lifetime_days` and
    `consumable` are those of the bought product that is used up first; absent when none has a lifetime.
    """
    items = event.properties.get("items")
    if not isinstance(items, list):
        return event
    told = [_with_catalogue(item, products) for item in items if isinstance(item, dict)]
    more: dict[str, Any] = {"items": told}
    lasting = [item for item in told if item.get("lifetime_days")]
    if lasting:
        first = min(lasting, key=lambda item: (item["lifetime_days"], str(item.get("product_id"))))
        more["lifetime_days"] = first["lifetime_days"]
        more["consumable"] = {name: first.get(name) for name in ("product_id", "name", "url", "lifetime_days")}
    return event.model_copy(update={"properties": {**event.properties, **more}})


def products_in(event: Event) -> set[str]:
    """Ids of the products and variations that an event's items name."""
    items = event.properties.get("items")
    named = (item for item in items if isinstance(item, dict)) if isinstance(items, list) else ()
    return {str(item[key]) for item in named for key in ("product_id", "variation_id") if item.get(key)}


def unnamed(order: Order) -> Order:
    """As an order is kept: whose it is, its contact says, so that a person is written down in one place only."""
    return order.model_copy(update={"person": Person(), "consent": (), "occasion": None})


def without_person(order: Order) -> Order:
    """What may be kept of an erased person's order: the goods and the money."""
    return unnamed(order).model_copy(update={"payment_url": None, "cart_token": None})


def _properties(order: Order) -> dict[str, Any]:
    return {
        "order_id": order.external_id,
        "number": order.number,
        "total": _money(order.total),
        "items": [_item(item) for item in order.items],
        "coupons": list(order.coupons),
    }


def _item(item: LineItem) -> dict[str, Any]:
    more = {"included": True} if item.included else {}
    return {
        "product_id": item.product_id,
        "variation_id": item.variation_id,
        "name": item.name,
        "quantity": item.quantity,
        "total": _money(item.total),
        "image": item.image,
        "categories": list(item.categories),
        **more,
    }


def _money(money: Money) -> dict[str, Any]:
    return {"amount": money.amount, "currency": money.currency}


def _with_catalogue(item: dict[str, Any], products: Mapping[str, ProductRecord]) -> dict[str, Any]:
    known = [_alive(products.get(str(item.get(key)))) for key in ("variation_id", "product_id")]
    variation, product = known
    found = dict(item)
    if not found.get("categories") and product:
        found["categories"] = [category.id for category in product.categories]
    for source in filter(None, (variation, product)):
        for name in ("image", "url", "lifetime_days"):
            if found.get(name) is None and (value := getattr(source, name)) is not None:
                found[name] = value
    return found


def _alive(record: ProductRecord | None) -> Product | None:
    return record.current if record and not record.is_deleted else None
