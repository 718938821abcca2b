"""The personal fields that a message's Liquid can read, and where each comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.commerce.cart import CartRecord
from chalicelib.commerce.product import Product
from chalicelib.commerce.store import Store
from chalicelib.contacts.contact import Benefit, Contact
from chalicelib.messages.cart_shown import CartShown, cart_shown
from chalicelib.messages.message import MessageKind
from chalicelib.messages.money_text import day_text, money_text
from chalicelib.messages.phrase import clean

# Every path an owner may write; None takes anything below it.
KNOWN: dict[str, frozenset[str] | None] = {
    "contact": frozenset(("first_name", "last_name", "email", "phone", "locale", "orders_count", "fields")),
    "store": frozenset(("name", "url", "talk_to_us_url")),
    "order": frozenset(("id", "number", "total", "items", "coupons", "nth", "payment_url")),
    "cart": frozenset(("restore_url", "total", "items", "lines", "coupons")),
    "product": frozenset(("name", "price", "url", "image", "in_stock", "lifetime_days")),
    "coupon": frozenset(("code", "expires_at")),
    "event": None,
}


@dataclass(frozen=True)
class Alert:
    """What makes a message one to the store's manager: their name, its subject, and what it tells of the contact as
    (label, value)."""

    to_name: str | None
    subject: str
    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class RenderData:
    """What one message to one contact is made from.

    `event` is the enrolment's trigger {id, type, occurred_at, properties}; `products` the catalogue's present
    records by id (`products_needed` says which); `cart` the live record of the event's cart, without which the cart
    is shown as the event told it; `coupon` what a step before made for the contact, while it is good;
    `unsubscribe_url` is needed for marketing; `alert` is there for what goes to the store's manager; `shorten` puts our
    short links in the places of a text's addresses, for a channel where the length decides what is said.
    """

    store: Store
    contact: Contact
    language: str
    kind: MessageKind
    event: Mapping[str, Any] = field(default_factory=dict)
    products: Mapping[str, Product] = field(default_factory=dict)
    cart: CartRecord | None = None
    coupon: Benefit | None = None
    unsubscribe_url: str | None = None
    alert: Alert | None = None
    shorten: Callable[[str], str] = str

    @property
    def properties(self) -> Mapping[str, Any]:
        found = self.event.get("properties")
        return found if isinstance(found, Mapping) else {}

    def product(self, which: str | None) -> Product | None:
        """By id, or a word for the event's own (`product_meant`); None for one gone, hidden or not yet chosen."""
        product_id = product_meant(which, self.properties)
        product = self.products.get(product_id) if product_id else None
        return product if product is not None and product.published else None


def event_product(event: Mapping[str, Any]) -> set[str]:
    """The id of the product that an event is about, if it is about one."""
    told = event.get("properties")
    found = trigger_product(told) if isinstance(told, Mapping) else None
    return {found} if found else set()


def product_meant(which: str | None, properties: Mapping[str, Any]) -> str | None:
    """The store id that a product block names: itself, or what `trigger` and `consumable` mean for this event."""
    if which == "trigger":
        return trigger_product(properties)
    if which != "consumable":
        return which
    consumable = properties.get("consumable")
    found = consumable.get("product_id") if isinstance(consumable, Mapping) else None
    return str(found) if found else None


def trigger_product(properties: Mapping[str, Any]) -> str | None:
    """The product an event is about: the consumable, the product named, or the order's first item."""
    for holder in (properties.get("consumable"), properties, *_items(properties)[:1]):
        if isinstance(holder, Mapping) and holder.get("product_id"):
            return str(holder["product_id"])
    return None


def fields_of(data: RenderData) -> dict[str, Any]:
    """The Liquid fields, cleaned (see `phrase.clean`), with money as text in the email's language."""
    contact, store = data.contact, data.store
    return clean(  # type: ignore[no-any-return]
        {
            "contact": {
                "first_name": contact.first_name,
                "last_name": contact.last_name,
                "email": contact.email,
                "phone": contact.phone,
                "locale": contact.locale,
                "orders_count": contact.orders_count,
                "fields": contact.fields,
            },
            "store": {"name": store.name, "url": store.url, "talk_to_us_url": store.settings.talk_to_us_url},
            "order": _order_fields(data),
            "cart": _cart_fields(data),
            "product": _product_fields(data),
            "coupon": _coupon_fields(data),
            "alert": _alert_fields(data),
            "event": data.properties,
        }
    )


def order_lines(data: RenderData) -> list[dict[str, Any]]:
    """The order's items, cleaned: {name, quantity, total (text), image}."""
    lines = [
        {
            "name": item.get("name") or "",
            "quantity": item.get("quantity") or 1,
            "total": "" if item.get("included") else money_text(item.get("total"), data.language),
            "image": item.get("image"),
        }
        for item in _items(data.properties)
    ]
    return clean(lines)  # type: ignore[no-any-return]


def _order_fields(data: RenderData) -> dict[str, Any] | None:
    properties = data.properties
    if "order_id" not in properties:
        return None
    return {
        "id": properties["order_id"],
        "number": properties.get("number") or properties["order_id"],
        "total": money_text(properties.get("total"), data.language),
        "items": order_lines(data),
        "coupons": properties.get("coupons") or [],
        "nth": properties.get("nth"),
        "payment_url": properties.get("payment_url"),
    }


def cart_of(data: RenderData) -> CartShown | None:
    """None where the journey's event is about no cart."""
    return cart_shown(data.cart, data.properties, data.language)


def _cart_fields(data: RenderData) -> dict[str, Any] | None:
    cart = cart_of(data)
    if cart is None:
        return None
    return {
        "restore_url": cart.restore_url,
        "total": cart.total,
        "items": cart.items,
        "lines": cart.lines,
        "coupons": cart.coupons,
    }


def _coupon_fields(data: RenderData) -> dict[str, Any] | None:
    return None if data.coupon is None else {"code": data.coupon.code, "expires_at": coupon_end(data)}


def coupon_end(data: RenderData) -> str:
    """The last day on which the coupon is good, as people of the message's language write it; empty for no end."""
    end = data.coupon.expires_at if data.coupon else None
    if end is None:
        return ""
    return day_text((end - timedelta(seconds=1)).astimezone(ZoneInfo(data.store.timezone)).date(), data.language)


def _alert_fields(data: RenderData) -> dict[str, Any] | None:
    """No owner may write these: they are not in `KNOWN`."""
    if data.alert is None:
        return None
    rows = [{"label": name, "value": value} for name, value in data.alert.rows]
    return {"subject": data.alert.subject, "rows": rows}


def _product_fields(data: RenderData) -> dict[str, Any]:
    """The catalogue's present words; of a product that is gone only the name it was bought under."""
    product = data.product("trigger")
    if product is not None:
        return {
            "name": product.name,
            "price": money_text(product.price, data.language),
            "url": product.url,
            "image": product.image,
            "in_stock": product.in_stock,
            "lifetime_days": product.lifetime_days,
        }
    for holder in (data.properties.get("consumable"), *_items(data.properties)[:1]):
        if isinstance(holder, Mapping) and holder.get("name"):
            return {"name": holder["name"]}
    return {}


def _items(properties: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    items = properties.get("items")
    return [item for item in items if isinstance(item, Mapping)] if isinstance(items, list | tuple) else []
