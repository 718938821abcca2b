"""WooCommerce's webhook deliveries in our words (its REST API v3 bodies; docs "Orders", "Customers", "Products")."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.commerce.customer import Customer
from chalicelib.commerce.money import Money
from chalicelib.commerce.order import STATUS_RANK, Order, OrderStatus, Refund
from chalicelib.commerce.product import Category, Product
from chalicelib.commerce.snapshot import Version
from chalicelib.commerce.store import Store
from chalicelib.contacts.person import Person
from chalicelib.store_adapters import signatures
from chalicelib.store_adapters.base import (
    Change,
    CustomerDeleted,
    Delivery,
    Nothing,
    OrderDeleted,
    OrderRestored,
    ProductDeleted,
    ProductRestored,
    Unintelligible,
)
from chalicelib.store_adapters.plugin_meta import consent_told, meta_of, occasion_told
from chalicelib.store_adapters.reading import Fields, load
from chalicelib.store_adapters.woocommerce_lines import lines_of, name_of

STATUSES = {
    "pending": OrderStatus.PENDING,
    "on-hold": OrderStatus.PENDING,
    "processing": OrderStatus.PAID,
    "completed": OrderStatus.COMPLETED,
    "cancelled": OrderStatus.CANCELLED,
    "refunded": OrderStatus.REFUNDED,
    "failed": OrderStatus.FAILED,
}
_NO_ORDER_YET = ("checkout-draft", "auto-draft", "draft", "new")  # a checkout or an edit screen that stands open
_TRASH = "trash"
_PAID = (OrderStatus.PAID, OrderStatus.COMPLETED, OrderStatus.REFUNDED)
_MOST_CHOICES = 500
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)


class WooCommerce:
    def repeat_key(self, delivery: Delivery) -> str:
        return signatures.repeat_key("woocommerce", delivery.headers, delivery.body)

    def topic(self, delivery: Delivery) -> str:
        return signatures.topic("woocommerce", delivery.headers)

    def parse(self, delivery: Delivery, store: Store) -> list[Change]:
        """Raises `Unintelligible`, naming the field."""
        topic = self.topic(delivery)
        if not topic:
            raise Unintelligible("x-wc-webhook-topic: expected a topic")
        if topic.startswith("action."):
            return [Nothing("a shop action, not a record")]
        read = _READERS.get(topic)
        if read is None:
            return [Nothing("a topic that Agala does not use")]
        fields = Fields(load(delivery.body))
        if "id" not in fields and _is_gone(fields):
            return [Nothing("the record was gone when the shop wrote this delivery")]
        return read(_Telling(fields, store, hashlib.sha256(delivery.body).hexdigest()[:16]))


def _is_gone(fields: Fields) -> bool:
    """The body is built when it is sent: of a record deleted meanwhile it is WordPress's own "not found"."""
    data = fields.any("data")
    return "code" in fields and isinstance(data, dict) and data.get("status") in (404, 410)


class _Telling:
    """A body with what is needed to read it: the store, and the body's hash for its version."""

    def __init__(self, fields: Fields, store: Store, body_hash: str) -> None:
        self.fields = fields
        self.store = store
        self.body_hash = body_hash
        try:
            self.zone = ZoneInfo(store.timezone)
        except (KeyError, ValueError, OSError):  # a zone that this machine's zone files do not know
            self.zone = ZoneInfo("UTC")

    def moment(self, name: str) -> datetime | None:
        """WooCommerce tells each time twice: in UTC (`…_gmt`), which we take, and in store time."""
        return self.fields.moment(f"{name}_gmt") or self.fields.moment(name, self.zone)

    def created_at(self) -> datetime:
        return self.moment("date_created") or self.fields.wrong("date_created_gmt", "a time")

    def version(self, rank: int = 0) -> Version:
        """A customer who never changed has no time of modification: then it is the creation's."""
        return Version(
            modified_at=self.moment("date_modified") or self.created_at(), rank=rank, body_hash=self.body_hash
        )

    def deletion(self) -> Version:
        """WooCommerce's deletions tell nothing but an id, so their version has no time."""
        return Version(modified_at=_NO_TIME, rank=99, body_hash=self.body_hash)


def _order(telling: _Telling) -> list[Change]:
    fields = telling.fields
    external_id = fields.identifier("id")
    word = fields.text("status", 60) or fields.wrong("status", "an order status")
    word = word.removeprefix("wc-")
    if word in _NO_ORDER_YET:
        return [Nothing("a checkout that stands open is no order yet")]
    if word == _TRASH:
        return [OrderDeleted(external_id, telling.version(99))]
    status = STATUSES.get(word) or _unknown_status(word)
    if "line_items" not in fields:
        fields.wrong("line_items", "a list")
    currency = fields.currency("currency", telling.store.currency)
    version = telling.version(STATUS_RANK[status])
    placed_at = telling.created_at()
    completed_at = telling.moment("date_completed")
    total = fields.money("total", currency)
    refunds = tuple(_refund(item, currency) for item in fields.items("refunds"))
    refunded = Money(amount=sum(refund.amount.amount for refund in refunds), currency=currency)
    if status is OrderStatus.REFUNDED and refunded.amount < total.amount:
        refunded = total  # marked as refunded by hand: the refund of the rest may not be written yet
    # An imported order may be paid without a time of payment. Only a time that no later telling moves will do.
    paid_at = telling.moment("date_paid") or (completed_at or placed_at if status in _PAID else None)
    meta = meta_of(fields)
    return [
        Order(
            external_id=external_id,
            number=fields.text("number", 60) or external_id,
            status=status,
            version=version,
            total=total,
            refunded=refunded,
            items=lines_of(fields, currency),
            refunds=refunds,
            coupons=tuple(code for item in fields.items("coupon_lines") if (code := item.text("code", 100))),
            person=_person(fields.child("billing"), fields.optional_identifier("customer_id"), meta.locale),
            placed_at=placed_at,
            paid_at=paid_at,
            completed_at=completed_at,
            payment_url=fields.link("payment_url"),
            cart_token=meta.cart_token,
            consent=consent_told(meta.consent, "checkout", placed_at, version.modified_at),
            occasion=occasion_told(meta.occasion, placed_at, version.modified_at, telling.zone),
        )
    ]


def _unknown_status(word: str) -> OrderStatus:
    shown = re.sub(r"[^a-z0-9_-]", "", word.lower())[:40] or "without letters"
    raise Unintelligible(f"status: no meaning known for “{shown}”")


def _order_restored(telling: _Telling) -> list[Change]:
    told = _order(telling)
    return [OrderRestored(change.external_id, change.version) for change in told if isinstance(change, Order)] + told


def _refund(refund: Fields, currency: str) -> Refund:
    """WooCommerce writes what went back with a minus."""
    amount = refund.money("total", currency)
    return Refund(external_id=refund.identifier("id"), amount=Money(amount=abs(amount.amount), currency=currency))


def _person(billing: Fields, customer_id: str | None, locale: str | None, account: Fields | None = None) -> Person:
    """A customer's own fields come before those of the billing address."""

    def told(name: str, limit: int) -> str | None:
        return (account.text(name, limit) if account else None) or billing.text(name, limit)

    return Person(
        email=told("email", 320),
        phone=billing.text("phone", 50),
        customer_id=customer_id,
        first_name=told("first_name", 200),
        last_name=told("last_name", 200),
        country=billing.text("country", 60),
        locale=locale,
    )


def _customer(telling: _Telling) -> list[Change]:
    fields = telling.fields
    external_id = fields.identifier("id")
    meta = meta_of(fields)
    version, created_at = telling.version(), telling.created_at()
    return [
        Customer(
            external_id=external_id,
            version=version,
            person=_person(fields.child("billing"), external_id, meta.locale, account=fields),
            created_at=created_at,
            consent=consent_told(meta.consent, "account", created_at, version.modified_at),
        )
    ]


def _product(telling: _Telling) -> list[Change]:
    """WooCommerce has no time of publishing: a product's date is that of its first draft or, where that had none (as
    those of the edit screen), of its publication.
    """
    fields, currency = telling.fields, telling.store.currency
    external_id = fields.identifier("id")
    status = fields.text("status", 60) or fields.wrong("status", "a product status")
    if status == _TRASH:
        return [ProductDeleted(external_id, telling.version(99))]
    if status == "auto-draft":
        return [Nothing("an edit screen that stands open is no product yet")]
    pictures = [picture.link("src") for picture in fields.items("images")] or [fields.picture("image")]
    return [
        Product(
            external_id=external_id,
            parent_id=fields.optional_identifier("parent_id"),
            version=telling.version(),
            name=name_of(fields),
            price=fields.optional_money("price", currency),
            regular_price=fields.optional_money("regular_price", currency),
            in_stock=(fields.text("stock_status", 60) or "instock") != "outofstock",
            stock=fields.whole("stock_quantity"),
            published=status == "publish",
            published_at=telling.moment("date_created") if status == "publish" and _is_listed(fields) else None,
            categories=tuple(
                Category(id=category.identifier("id"), name=name_of(category, 200))
                for category in fields.items("categories")
            ),
            image=next((picture for picture in pictures if picture), None),
            url=fields.link("permalink"),
            sku=fields.text("sku", 100),
            lifetime_days=meta_of(fields).lifetime_days,
            variants=tuple(str(one) for one in _variations(fields)),
        )
    ]


def _is_listed(fields: Fields) -> bool:
    """Whether shoppers find it without knowing its address."""
    return (fields.text("catalog_visibility", 60) or "visible") != "hidden"


def _variations(fields: Fields) -> list[int]:
    """The ids of its choices; anything else that a plugin put there tells none."""
    told = fields.any("variations")
    return [one for one in told if type(one) is int and one > 0][:_MOST_CHOICES] if isinstance(told, list) else []


def _product_restored(telling: _Telling) -> list[Change]:
    told = _product(telling)
    return [
        ProductRestored(change.external_id, change.version) for change in told if isinstance(change, Product)
    ] + told


def _order_deleted(telling: _Telling) -> list[Change]:
    return [OrderDeleted(telling.fields.identifier("id"), telling.deletion())]


def _customer_deleted(telling: _Telling) -> list[Change]:
    return [CustomerDeleted(telling.fields.identifier("id"), telling.deletion())]


def _product_deleted(telling: _Telling) -> list[Change]:
    return [ProductDeleted(telling.fields.identifier("id"), telling.deletion())]


_READERS: dict[str, Callable[[_Telling], list[Change]]] = {
    "order.created": _order,
    "order.updated": _order,
    "order.restored": _order_restored,
    "order.deleted": _order_deleted,
    "customer.created": _customer,
    "customer.updated": _customer,
    "customer.deleted": _customer_deleted,
    "product.created": _product,
    "product.updated": _product,
    "product.restored": _product_restored,
    "product.deleted": _product_deleted,
}


def read_record(kind: str, record: Any, store: Store) -> list[Change]:
    """A record as the REST API lists it, which is what a delivery about it carries. `kind`: order, customer, product.

    Raises `Unintelligible`, naming the field.
    """
    fields = Fields(record)
    spelt = json.dumps(record, sort_keys=True, separators=(",", ":"))
    return _READERS[f"{kind}.updated"](_Telling(fields, store, hashlib.sha256(spelt.encode()).hexdigest()[:16]))
