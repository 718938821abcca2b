"""Shopify's webhook deliveries in our words (REST-shaped bodies; docs "Webhooks", resources Order, Customer, Product).

Money is the shop's (never the presentment currency); ids are text, whatever their size.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.commerce.customer import Customer
from chalicelib.commerce.order import STATUS_RANK, Order, OrderStatus
from chalicelib.commerce.snapshot import Version
from chalicelib.commerce.store import Store
from chalicelib.contacts.consent import Channel, Consent, ConsentChange, ConsentStatus
from chalicelib.contacts.person import Person
from chalicelib.store_adapters import shopify_inventory, signatures
from chalicelib.store_adapters.base import (
    AnotherShops,
    AppRemoved,
    Change,
    ConsentTold,
    CustomerDeleted,
    Delivery,
    Nothing,
    OrderDeleted,
    ProductDeleted,
    Unintelligible,
)
from chalicelib.store_adapters.reading import Fields, load
from chalicelib.store_adapters.shopify_checkouts import checkout, checkout_deleted, ordered_token
from chalicelib.store_adapters.shopify_collections import collection, collection_deleted
from chalicelib.store_adapters.shopify_fulfilments import delivered_at, fulfilment
from chalicelib.store_adapters.shopify_money import line, presented, refund, refunded_in_all, total_charged
from chalicelib.store_adapters.shopify_people import CONSENT_FIELDS, CONSENT_STATES, buyer, consent
from chalicelib.store_adapters.shopify_privacy import customer_redacted, data_requested, shop_redacted
from chalicelib.store_adapters.shopify_products import products

# OrderDisplayFinancialStatus in small letters. "Authorized" money is not the shop's yet.
FINANCIAL_STATUSES = {
    "pending": OrderStatus.PENDING,
    "authorized": OrderStatus.PENDING,
    "partially_paid": OrderStatus.PENDING,
    "paid": OrderStatus.PAID,
    "partially_refunded": OrderStatus.PAID,
    "refunded": OrderStatus.REFUNDED,
    "voided": OrderStatus.CANCELLED,
    "expired": OrderStatus.CANCELLED,
}
_EVER_PAID = ("paid", "partially_refunded", "refunded")
REMOVED = "app/uninstalled"
SHOP_REDACTED = "shop/redact"
_ERASED_AFTER = timedelta(hours=48)
_OF_A_SHOP = (REMOVED, "customers/data_request", "customers/redact", SHOP_REDACTED)  # their bodies name the shop
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER = datetime(9000, 1, 1, tzinfo=UTC)
_UNUSED = {
    "refunds/create": "an orders/updated tells the same refund with the whole order",
}


class Shopify:
    def repeat_key(self, delivery: Delivery) -> str:
        return signatures.repeat_key("shopify", delivery.headers, delivery.body)

    def topic(self, delivery: Delivery) -> str:
        return signatures.topic("shopify", delivery.headers)

    def parse(self, delivery: Delivery, store: Store) -> list[Change]:
        """Raises `Unintelligible`, naming the field; also for what another shop told."""
        topic = self.topic(delivery)
        if not topic:
            raise Unintelligible("x-shopify-topic: expected a topic")
        _require_own_shop(delivery, store)
        if topic == REMOVED:
            return [AppRemoved(signatures.triggered_at(delivery.headers))]
        if topic == SHOP_REDACTED and _came_back(delivery, store):
            return [Nothing("the shop is connected again since it was left: nothing is erased")]
        body_hash = hashlib.sha256(delivery.body).hexdigest()[:16]
        if topic in shopify_inventory.TOPICS:
            sent_at = signatures.triggered_at(delivery.headers) or delivery.received_at
            return shopify_inventory.stock_level(Fields(load(delivery.body)), topic, sent_at, body_hash)
        read = _READERS.get(topic)
        if read is None:
            return [Nothing(_UNUSED.get(topic, "a topic that Agala does not use"))]
        return read(Fields(load(delivery.body)), store, body_hash)


def _require_own_shop(delivery: Delivery, store: Store) -> None:
    """An app signs for all its shops with one secret, so a good signature does not say which shop it was."""
    shop = store.connection.shop if store.connection else None
    if shop is None:
        return
    told = delivery.headers.get("x-shopify-shop-domain", "").strip().lower()
    if told not in ("", shop):
        raise AnotherShops("x-shopify-shop-domain: expected the store's own shop, this is another's")
    names_it = signatures.topic("shopify", delivery.headers) in _OF_A_SHOP
    if names_it and signatures.shop_told(delivery.body) not in (None, shop):
        raise AnotherShops("shop_domain: expected the store's own shop, this is another's")


def _came_back(delivery: Delivery, store: Store) -> bool:
    """Shopify asks to erase a shop 48 hours after it was left: one that was connected since has not gone."""
    asked_at = signatures.triggered_at(delivery.headers) or delivery.received_at
    connection = store.connection
    return connection is not None and store.is_connected and connection.at > asked_at - _ERASED_AFTER


def _order(fields: Fields, store: Store, body_hash: str) -> list[Change]:
    external_id = fields.identifier("id")
    if fields.yes("test"):
        return [Nothing("a test order", private=True)]
    financial = (fields.text("financial_status", 40) or "pending").lower()
    if financial not in FINANCIAL_STATUSES:
        fields.wrong("financial_status", "a financial status of Shopify")
    if "line_items" not in fields:
        fields.wrong("line_items", "a list")
    cancelled_at = fields.moment("cancelled_at")
    completed_at = _completed_at(fields)
    status = FINANCIAL_STATUSES[financial]
    if cancelled_at:
        status = OrderStatus.CANCELLED
    elif status is OrderStatus.PAID and completed_at:
        status = OrderStatus.COMPLETED
    currency = fields.currency("currency", store.currency)
    # An imported or point-of-sale order was made when it was processed, not when Shopify wrote it down.
    placed_at = fields.moment("processed_at") or _time(fields, "created_at")
    refunds = tuple(refund(item, fields, currency) for item in fields.items("refunds"))
    refunded = refunded_in_all(refunds, currency)
    customer = fields.child("customer")
    version = Version(
        modified_at=fields.moment("updated_at") or _time(fields, "created_at"),
        rank=STATUS_RANK[status],
        body_hash=body_hash,
    )
    total = total_charged(fields, refunded, currency)
    return [
        Order(
            external_id=external_id,
            number=fields.text("name", 60) or fields.text("order_number", 60) or external_id,
            status=status,
            version=version,
            total=total,
            presentment_total=presented(fields, total),
            refunded=refunded,
            items=tuple(line(item, fields.yes("taxes_included"), currency) for item in fields.items("line_items")),
            refunds=refunds,
            coupons=tuple(code for item in fields.items("discount_codes") if (code := item.text("code", 100))),
            person=buyer(fields, customer),
            placed_at=placed_at,
            # The body tells no time of payment; this one is right for all who pay at the checkout, and never moves.
            paid_at=placed_at if financial in _EVER_PAID else None,
            completed_at=completed_at,
            cancelled_at=cancelled_at,
            delivered_at=delivered_at(fields),
            cart_token=ordered_token(fields),
            consent=consent(customer, version.modified_at, placed_at) or _consent_at_checkout(fields, placed_at),
        )
    ]


def _time(fields: Fields, name: str) -> datetime:
    return fields.moment(name) or fields.wrong(name, "a time")


def _completed_at(order: Fields) -> datetime | None:
    """When all was sent: the last fulfilment's time, which later tellings do not move."""
    if (order.text("fulfillment_status", 40) or "").lower() != "fulfilled":
        return None
    times = [moment for sent in order.items("fulfillments") if (moment := sent.moment("created_at"))]
    return max(times, default=None) or order.moment("closed_at") or _time(order, "created_at")


def _consent_at_checkout(order: Fields, at: datetime) -> tuple[ConsentChange, ...]:
    if not order.yes("buyer_accepts_marketing"):
        return ()
    ticked = Consent(status=ConsentStatus.SUBSCRIBED, source="checkout", at=at)
    return (ConsentChange(channel=Channel.EMAIL, consent=ticked),)


def _customer(fields: Fields, store: Store, body_hash: str) -> list[Change]:
    external_id = fields.identifier("id")
    created_at = fields.moment("created_at") or _time(fields, "updated_at")
    version = Version(modified_at=fields.moment("updated_at") or created_at, body_hash=body_hash)
    address = fields.child("default_address")
    return [
        Customer(
            external_id=external_id,
            version=version,
            person=Person(
                email=fields.text("email", 320),
                phone=fields.text("phone", 50) or address.text("phone", 50),
                customer_id=external_id,
                first_name=fields.text("first_name", 200) or address.text("first_name", 200),
                last_name=fields.text("last_name", 200) or address.text("last_name", 200),
                country=address.text("country_code", 60),
                locale=fields.text("locale", 35),
            ),
            created_at=created_at,
            # Shopify keeps a customer of every buyer and subscriber, with an account or without.
            joined_from="account" if (fields.text("state", 40) or "").lower() == "enabled" else "store",
            consent=consent(fields, version.modified_at, created_at),
        )
    ]


def _consent_alone(fields: Fields, store: Store, body_hash: str) -> list[Change]:
    """`customers_(email_|whats_app_)marketing_consent/update`: the state with its time, and whose it is."""
    person = Person(
        email=fields.text("email_address", 320) or fields.text("email", 320),
        phone=fields.text("phone", 50),
        customer_id=fields.optional_identifier("customer_id") or fields.optional_identifier("id"),
    )
    if not (person.customer_id or person.email or person.phone):
        fields.wrong("customer_id", "an id")
    if not any(name in fields for name in CONSENT_FIELDS.values()):
        fields.wrong("email_marketing_consent", "a consent on some channel")
    for name in CONSENT_FIELDS.values():
        # No other time is told here, and a choice without one could not be set against a later one.
        choice = fields.child(name)
        if CONSENT_STATES.get((choice.text("state", 40) or "not_subscribed").lower()):
            _time(choice, "consent_updated_at")
    chosen = consent(fields, _NEVER, _NEVER)
    if not chosen:
        return [Nothing("nobody chose anything")]
    return [ConsentTold(person, chosen)]


def _products(fields: Fields, store: Store, body_hash: str) -> list[Change]:
    return [*products(fields, store, body_hash)]


def _deletion(body_hash: str) -> Version:
    """Shopify's deletions tell nothing but an id, so their version has no time."""
    return Version(modified_at=_NO_TIME, rank=99, body_hash=body_hash)


def _order_deleted(fields: Fields, store: Store, body_hash: str) -> list[Change]:
    return [OrderDeleted(fields.identifier("id"), _deletion(body_hash))]


def _customer_deleted(fields: Fields, store: Store, body_hash: str) -> list[Change]:
    return [CustomerDeleted(fields.identifier("id"), _deletion(body_hash))]


def _product_deleted(fields: Fields, store: Store, body_hash: str) -> list[Change]:
    return [ProductDeleted(fields.identifier("id"), _deletion(body_hash))]


_READERS: dict[str, Callable[[Fields, Store, str], list[Change]]] = {
    **dict.fromkeys(
        (
            "orders/create",
            "orders/updated",
            "orders/paid",
            "orders/cancelled",
            "orders/fulfilled",
            "orders/partially_fulfilled",
        ),
        _order,
    ),
    "orders/delete": _order_deleted,
    **dict.fromkeys(("checkouts/create", "checkouts/update"), checkout),
    "checkouts/delete": checkout_deleted,
    **dict.fromkeys(("fulfillments/create", "fulfillments/update"), fulfilment),
    **dict.fromkeys(("customers/create", "customers/update", "customers/enable", "customers/disable"), _customer),
    "customers/delete": _customer_deleted,
    "customers/data_request": data_requested,
    "customers/redact": customer_redacted,
    "shop/redact": shop_redacted,
    "customers_marketing_consent/update": _consent_alone,
    "customers_email_marketing_consent/update": _consent_alone,
    "customers_whats_app_marketing_consent/update": _consent_alone,
    "products/create": _products,
    "products/update": _products,
    "products/delete": _product_deleted,
    "collections/update": collection,
    "collections/delete": collection_deleted,
}
_RECORDS = {"order": _order, "customer": _customer, "product": _products}


def read_record(kind: str, body: Any, store: Store) -> list[Change]:
    """A record that the shop was asked for, as a delivery about it would tell it. `kind`: order, customer, product.

    Raises `Unintelligible`, naming the field.
    """
    spelt = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return _RECORDS[kind](Fields(body), store, hashlib.sha256(spelt.encode()).hexdigest()[:16])
