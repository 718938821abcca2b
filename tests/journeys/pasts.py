"""Pasts made for tests and measures: contacts of a small store, and what happened to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.commerce.event import Event
from chalicelib.commerce.money import Money
from chalicelib.commerce.ports import ProductRecord
from chalicelib.commerce.product import Product
from chalicelib.commerce.snapshot import Version
from chalicelib.commerce.store import Platform, Store
from chalicelib.contacts.consent import Channel, Consent, ConsentStatus
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.purchases import totals
from chalicelib.journeys.past import Past
from chalicelib.journeys.past_orders import order_pasts

START = datetime(2026, 8, 1, 0, 0, tzinfo=UTC)
END = START + timedelta(days=90)
STORE = Store(
    id="st-what-if",
    platform=Platform.WOOCOMMERCE,
    name="Tea",
    url="https://tea.example",
    country="FR",
    currency="EUR",
    timezone="Europe/Paris",
    locale="en",
    created_at=START - timedelta(days=400),
)


class Goods:
    """A catalogue: products by id with their lifetime in days and categories."""

    def __init__(self, **products: tuple[int | None, Sequence[str]]) -> None:
        self._products = products

    def get_many(self, store_id: str, external_ids: list[str]) -> dict[str, ProductRecord]:
        return {one: self._record(store_id, one) for one in external_ids if f"p{one}" in self._products}

    def _record(self, store_id: str, product_id: str) -> ProductRecord:
        lifetime, categories = self._products[f"p{product_id}"]
        product = Product(
            external_id=product_id,
            version=Version(modified_at=START),
            name="Tea",
            lifetime_days=lifetime,
            categories=tuple({"id": one, "name": one} for one in categories),
        )
        return ProductRecord(store_id=store_id, external_id=product_id, product=product)


GOODS = Goods(p11=(30, ["tea"]), p12=(None, ["cups"]))


def somebody(number: int = 1, **changes: Any) -> Contact:
    consent = Consent(status=ConsentStatus.SUBSCRIBED, source="checkout", at=START - timedelta(days=300))
    contact = Contact(
        id=f"{number:026d}",
        store_id=STORE.id,
        email=f"shopper{number}@shopper.example",
        consent={Channel.EMAIL: consent},
        total_spent=Money(amount=0, currency="EUR"),
        created_at=START - timedelta(days=300),
    )
    return contact.model_copy(update=changes)


def happened(type_: str, at: datetime, name: str = "", **properties: Any) -> Event:
    return Event(id=f"{type_}:{name or at.isoformat()}", type=type_, occurred_at=at, properties=properties)


def bought(order_id: str, at: datetime, product: str = "11", amount: int = 2000, nth: int = 1) -> list[Event]:
    """Placed and paid at once."""
    total = {"amount": amount, "currency": "EUR"}
    item = {"product_id": product, "name": "Tea", "quantity": 1, "total": total, "categories": []}
    about = {"order_id": order_id, "number": order_id, "total": total, "items": [item]}
    return [
        happened("order_placed", at, order_id, **about),
        happened("order_paid", at, order_id, **about, nth=nth),
    ]


def refunded(order_id: str, at: datetime, amount: int) -> Event:
    return happened(
        "order_refunded",
        at,
        f"{order_id}:{amount}",
        order_id=order_id,
        number=order_id,
        total={"amount": 2000, "currency": "EUR"},
        refund={"amount": amount, "currency": "EUR"},
        items=[],
    )


def past(contact: Contact, *events: Event) -> Past:
    """With the orders and totals that follow from the events, as they are today."""
    in_order = sorted(events, key=lambda event: (event.occurred_at, event.id))
    today = in_order[-1].occurred_at if in_order else START
    orders = [found for one in order_pasts([], in_order).values() if (found := one.at(today))]
    placed = [event.occurred_at for event in in_order if event.type == "order_placed"]
    changes = {**dict(totals(orders, "EUR")), "last_placed_at": max(placed, default=None)}
    return Past(contact.model_copy(update=changes), in_order, orders)
