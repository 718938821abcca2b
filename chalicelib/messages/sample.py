"""Somebody made up, and what may have happened to them: what a message is shown with before anybody real got it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from chalicelib.clock import rfc3339
from chalicelib.commerce.money import Money
from chalicelib.commerce.product import Product
from chalicelib.commerce.store import Store
from chalicelib.contacts.consent import Channel
from chalicelib.contacts.contact import Benefit, Contact
from chalicelib.ids import digest, enrolment_id
from chalicelib.journeys.enrolment import Enrolment
from chalicelib.messages.wording import primary

_NAMES = {"he": ("נועה", "לוי"), "en": ("Noa", "Levi")}
_PRODUCTS = {"he": ("מוצר לדוגמה", "עוד מוצר לדוגמה"), "en": ("A sample product", "Another sample product")}
_SHOWN = 3
NOBODY = "0" * 26
"""An id that no contact has: ids begin with the time."""
SAMPLE_CODE = "SAMP-LE00-CODE"


def sample_contact(store: Store, language: str, now: datetime) -> Contact:
    """A person who is nobody, at addresses that belong to nobody (RFC 2606; a number of the range kept for fiction)."""
    first, last = _NAMES.get(primary(language), _NAMES["en"])
    return Contact(
        id=NOBODY,
        store_id=store.id,
        email="noa@shopper.example",
        phone="+12025550143",
        first_name=first,
        last_name=last,
        locale=language,
        total_spent=Money(amount=0, currency=store.currency),
        replied={Channel.WHATSAPP: now},
        created_at=now,
    )


def sample_event(kind: str, store: Store, products: Sequence[Product], language: str, now: datetime) -> dict[str, Any]:
    """An event of this type, as an enrolment keeps it, about goods of the store's own where it has any."""
    items = [_item(product, store) for product in products[:_SHOWN]] or _invented(store, language)
    total = {"amount": sum(item["total"]["amount"] for item in items), "currency": store.currency}
    properties: dict[str, Any] = {"product_id": items[0]["product_id"], "name": items[0]["name"], "items": items}
    if kind.startswith(("order_", "payment_")):
        properties |= {"order_id": "1001", "number": "1001", "total": total, "coupons": [], "nth": 1}
        consumable = {"product_id": items[0]["product_id"], "name": items[0]["name"], "lifetime_days": 30}
        properties |= {"consumable": consumable, "lifetime_days": 30}
        properties |= {"payment_url": store.url} if kind == "payment_failed" else {}
    if kind.startswith(("cart_", "checkout_")):
        properties |= {"cart_token": "sample", "restore_url": store.url, "total": total, "lines": len(items)}
    return {"id": f"sample:{kind}", "type": kind, "occurred_at": rfc3339(now), "properties": properties}


def sample_pass(store: Store, contact: Contact, journey: str, event: Mapping[str, Any], now: datetime) -> Enrolment:
    """A pass that is kept nowhere, with a coupon that no shop knows."""
    coupon = Benefit(
        kind="percent", code=SAMPLE_CODE, at=now, journey=journey, step="coupon", expires_at=now + timedelta(days=7)
    )
    return Enrolment(
        id=enrolment_id(contact.id, store.id, journey, digest("sample", rfc3339(now))),
        store_id=store.id,
        journey=journey,
        contact_id=contact.id,
        version=1,
        entry_key="sample",
        event=dict(event),
        coupon=coupon,
        entered_at=now,
    )


def _item(product: Product, store: Store) -> dict[str, Any]:
    price = product.price or Money(amount=0, currency=store.currency)
    return {
        "product_id": product.external_id,
        "name": product.name,
        "quantity": 1,
        "price": price.model_dump(),
        "total": price.model_dump(),
        "image": product.image,
        "url": product.url,
        "categories": [category.id for category in product.categories],
    }


def _invented(store: Store, language: str) -> list[dict[str, Any]]:
    price = {"amount": 10000, "currency": store.currency}
    names = _PRODUCTS.get(primary(language), _PRODUCTS["en"])
    return [
        {"product_id": str(number), "name": name, "quantity": 1, "price": price, "total": price, "categories": []}
        for number, name in enumerate(names)
    ]
