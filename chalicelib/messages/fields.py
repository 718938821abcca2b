"""The personal fields that a message's Liquid can read, and where each comes from. Each is made when it is first read.

Besides what owners may write (`KNOWN`) there is, for what `messages.blocks` writes:
- `goods.<places.goods_key(which)>`: the card of a product (`card_of`), by store id, `trigger` or `consumable`; nil
  where it is gone;
- `at.<places.place_key(place)>`: what was found for the block at a place: `products` (cards; nil for none),
  `focused`, and what `RenderData.placed` names;
- `mail`: {unsubscribe_url, preferences_url}; and `subject` and `preheader`, as they came out.
"""

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
from chalicelib.messages.places import place_key
from chalicelib.messages.safe_text import LazyFields, plain_name, web_address

# Of a cart that is longer the rest is only counted.
MOST_CART_LINES = 10
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
    records by id (the composer's `needs` say which); `cart` the live record of the event's cart, without which the cart
    is shown as the event told it; `coupon` what a step before made for the contact, while it is good;
    `unsubscribe_url` and `preferences_url` are needed for marketing; `alert` is there for what goes to the store's
    manager; `shorten` puts our short links in the places of a text's addresses, for a channel where the length
    decides what is said.

    By the place of a block (`blocks[2].else[0]`, as `EmailContent.located` tells it): `viewed`, `recommended` and
    `arrivals` are the products that it shows, `focused` whether its condition applies. `placed` is anything more that
    a kind of block needs: fields by name, texts, numbers and lists of them as `safe_text.clean` takes them.
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
    preferences_url: str | None = None
    alert: Alert | None = None
    viewed: Mapping[str, Sequence[Product]] = field(default_factory=dict)
    recommended: Mapping[str, Sequence[Product]] = field(default_factory=dict)
    arrivals: Mapping[str, Sequence[Product]] = field(default_factory=dict)
    focused: Mapping[str, bool] = field(default_factory=dict)
    placed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
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


def fields_of(data: RenderData) -> LazyFields:
    """The Liquid fields, cleaned (see `safe_text.clean`), with money as text in the email's language."""
    return LazyFields(_FIELDS, data)


def card_of(product: Product, language: str) -> LazyFields:
    """What a product card shows: {id, name, price, was, image, url, in_stock, stock}; `was` is the price before, where
    it is dearer. Addresses are http(s) or nil."""
    return LazyFields(_CARD, (product, language))


def _was(product: Product, language: str) -> str | None:
    price, regular = product.price, product.regular_price
    if price is None or regular is None or regular.currency != price.currency or regular.amount <= price.amount:
        return None
    return money_text(regular, language)


_CARD: dict[str, Callable[[tuple[Product, str]], Any]] = {
    "id": lambda of: of[0].external_id,
    "name": lambda of: plain_name(of[0].name),
    "price": lambda of: money_text(of[0].price, of[1]) or None,
    "was": lambda of: _was(*of),
    "image": lambda of: web_address(of[0].image or ""),
    "url": lambda of: web_address(of[0].url or ""),
    "in_stock": lambda of: of[0].in_stock,
    "stock": lambda of: of[0].stock,
}


class _Goods(LazyFields):
    """Product cards by `places.goods_key`."""

    __slots__ = ()

    def __missing__(self, key: str) -> Any:
        data: RenderData = self._of
        product = data.product(bytes.fromhex(key[1:]).decode())
        made = self[key] = None if product is None else card_of(product, data.language)
        return made


def _at_fields(data: RenderData) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {}
    for chosen in (data.viewed, data.recommended, data.arrivals):
        for place, products in chosen.items():
            cards = [card_of(product, data.language) for product in products]
            found.setdefault(place_key(place), {})["products"] = cards or None
    for place, applies in data.focused.items():
        found.setdefault(place_key(place), {})["focused"] = applies
    for place, more in data.placed.items():
        found.setdefault(place_key(place), {}).update(more)
    return found


def order_lines(data: RenderData) -> list[LazyFields]:
    """The order's items: {name, quantity, total (text), image}."""
    return [LazyFields(_ORDER_LINE, (item, data.language)) for item in _items(data.properties)]


def _line_total(item: Mapping[str, Any], language: str) -> str | None:
    return None if item.get("included") else money_text(item.get("total"), language) or None


def _order_fields(data: RenderData) -> LazyFields | None:
    return LazyFields(_ORDER, data) if "order_id" in data.properties else None


def _cart_fields(data: RenderData) -> LazyFields | None:
    cart = cart_shown(data.cart, data.properties, data.language)
    return None if cart is None else LazyFields(_CART, cart)


_CONTACT: dict[str, Callable[[Contact], Any]] = {
    "first_name": lambda contact: plain_name(contact.first_name),
    "last_name": lambda contact: plain_name(contact.last_name),
    "email": lambda contact: contact.email,
    "phone": lambda contact: contact.phone,
    "locale": lambda contact: contact.locale,
    "orders_count": lambda contact: contact.orders_count,
    "fields": lambda contact: contact.fields,
}
_STORE: dict[str, Callable[[Store], Any]] = {
    "name": lambda store: store.name,
    "url": lambda store: store.url,
    "talk_to_us_url": lambda store: store.settings.talk_to_us_url,
}
_ORDER_LINE: dict[str, Callable[[tuple[Mapping[str, Any], str]], Any]] = {
    "name": lambda of: plain_name(of[0].get("name") or ""),
    "quantity": lambda of: of[0].get("quantity") or 1,
    "total": lambda of: _line_total(*of),
    "image": lambda of: web_address(str(of[0].get("image") or "")),
}
_ORDER: dict[str, Callable[[RenderData], Any]] = {
    "id": lambda data: data.properties["order_id"],
    "number": lambda data: data.properties.get("number") or data.properties["order_id"],
    "total": lambda data: money_text(data.properties.get("total"), data.language) or None,
    "items": order_lines,
    "coupons": lambda data: data.properties.get("coupons") or [],
    "nth": lambda data: data.properties.get("nth"),
    "payment_url": lambda data: data.properties.get("payment_url"),
}
_CART: dict[str, Callable[[CartShown], Any]] = {
    "restore_url": lambda cart: cart.restore_url,
    "total": lambda cart: cart.total or None,
    "items": lambda cart: cart.items,
    "lines": lambda cart: cart.lines,
    "more": lambda cart: max(cart.lines - len(cart.items[:MOST_CART_LINES]), 0),
    "coupons": lambda cart: cart.coupons,
}


def _coupon_fields(data: RenderData) -> dict[str, Any] | None:
    if data.coupon is None:
        return None
    return {"code": data.coupon.code, "expires_at": coupon_end(data) or None}


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


def _product_fields(data: RenderData) -> Mapping[str, Any]:
    """The catalogue's present words; of a product that is gone only the name it was bought under."""
    product = data.product("trigger")
    if product is not None:
        return LazyFields(_PRODUCT, (product, data.language))
    for holder in (data.properties.get("consumable"), *_items(data.properties)[:1]):
        if isinstance(holder, Mapping) and holder.get("name"):
            return {"name": plain_name(holder["name"])}
    return {}


_PRODUCT: dict[str, Callable[[tuple[Product, str]], Any]] = {
    "name": lambda of: plain_name(of[0].name),
    "price": lambda of: money_text(of[0].price, of[1]),
    "url": lambda of: of[0].url,
    "image": lambda of: of[0].image,
    "in_stock": lambda of: of[0].in_stock,
    "lifetime_days": lambda of: of[0].lifetime_days,
}
_FIELDS: dict[str, Callable[[RenderData], Any]] = {
    "contact": lambda data: LazyFields(_CONTACT, data.contact),
    "store": lambda data: LazyFields(_STORE, data.store),
    "order": _order_fields,
    "cart": _cart_fields,
    "product": _product_fields,
    "coupon": _coupon_fields,
    "alert": _alert_fields,
    "event": lambda data: data.properties,
    "goods": lambda data: _Goods({}, data),
    "at": _at_fields,
    "mail": lambda data: {"unsubscribe_url": data.unsubscribe_url, "preferences_url": data.preferences_url},
}


def _items(properties: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    items = properties.get("items")
    return [item for item in items if isinstance(item, Mapping)] if isinstance(items, list | tuple) else []
