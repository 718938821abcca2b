"""Deliveries as a WooCommerce shop would send them: bodies in its format, signed with its secret."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from chalicelib.commerce.money import Money
from local.demo.delivery import Delivery, sign
from local.demo.shop import Shopper, Ware


def delivery(secret: str, topic: str, content: Any, at: datetime) -> Delivery:
    """`at` goes into the delivery id as WooCommerce does it: a hash of the webhook and the second."""
    body = content if isinstance(content, bytes) else json.dumps(content, separators=(",", ":")).encode()
    resource, event = topic.split(".")
    return Delivery(
        topic,
        body,
        {
            "Content-Type": "application/json",
            "User-Agent": "WooCommerce/11.0.1 Hookshot (WordPress/7.1.1)",
            "X-WC-Webhook-Source": "https://tea.example/",
            "X-WC-Webhook-Topic": topic,
            "X-WC-Webhook-Resource": resource,
            "X-WC-Webhook-Event": event,
            "X-WC-Webhook-Signature": sign(secret, body),
            "X-WC-Webhook-ID": "1",
            "X-WC-Webhook-Delivery-ID": hashlib.md5(
                f"{topic}{at:%Y%m%d%H%M%S}".encode(), usedforsecurity=False
            ).hexdigest(),
        },
    )


def _text(amount: int) -> str:
    return str(Money(amount=amount, currency="ILS").decimal())


def _times(name: str, moment: datetime | None, zone_hours: int = 2) -> dict[str, str | None]:
    """WooCommerce tells each time twice: in the store's zone and in GMT."""
    if moment is None:
        return {name: None, f"{name}_gmt": None}
    local = moment + timedelta(hours=zone_hours)
    return {name: f"{local:%Y-%m-%dT%H:%M:%S}", f"{name}_gmt": f"{moment:%Y-%m-%dT%H:%M:%S}"}


@dataclass(frozen=True)
class Purchase:
    """An order of the story, from which every telling of it is made. `consent`: subscribed, unsubscribed or None."""

    id: int
    shopper: Shopper
    wares: tuple[tuple[Ware, int], ...]
    placed: datetime
    consent: str | None = None
    guest: bool = False
    email: str | None = None
    cart_token: str | None = None

    @property
    def total(self) -> int:
        return sum(ware.price * quantity for ware, quantity in self.wares)

    def told(
        self,
        status: str,
        modified: datetime,
        *,
        paid: datetime | None = None,
        completed: datetime | None = None,
        refunds: tuple[int, ...] = (),
        pictures: str = "",
    ) -> dict[str, Any]:
        """The order's body at one moment of its life. `refunds` in agorot; `pictures` the address of the pictures."""
        email = self.email or self.shopper.email
        billing = {
            "first_name": self.shopper.first_name,
            "last_name": self.shopper.last_name,
            "company": "",
            "address_1": "רחוב הדוגמה 1",
            "city": "חיפה",
            "state": "",
            "postcode": "",
            "country": "IL",
            "email": email,
            "phone": self.shopper.phone,
        }
        meta: list[dict[str, Any]] = [{"id": 1, "key": "_agala_locale", "value": "he"}]
        if self.consent:
            answer = {"status": self.consent, "text": "אשמח לקבל עדכונים", "at": f"{self.placed:%Y-%m-%dT%H:%M:%SZ}"}
            meta.append({"id": 2, "key": "_agala_consent", "value": {"email": answer}})
        if self.cart_token:
            meta.append({"id": 3, "key": "_agala_cart_token", "value": self.cart_token})
        return {
            "id": self.id,
            "parent_id": 0,
            "status": status,
            "currency": "ILS",
            "version": "11.0.1",
            "prices_include_tax": True,
            **_times("date_created", self.placed),
            **_times("date_modified", modified),
            **_times("date_paid", paid),
            **_times("date_completed", completed),
            "discount_total": "0.00",
            "shipping_total": "0.00",
            "total": _text(self.total),
            "total_tax": "0.00",
            "customer_id": 0 if self.guest else self.shopper.customer_id,
            "order_key": f"wc_order_{self.id}",
            "billing": billing,
            "shipping": {},
            "payment_method": "credit",
            "created_via": "checkout",
            "customer_note": "",
            "number": str(self.id),
            "meta_data": meta,
            "line_items": [
                {
                    "id": n,
                    "name": ware.title,
                    "product_id": ware.id,
                    "variation_id": ware.variation_id or 0,
                    "quantity": quantity,
                    "subtotal": _text(ware.price * quantity),
                    "total": _text(ware.price * quantity),
                    "total_tax": "0.00",
                    "meta_data": [],
                    "sku": f"TEA-{ware.variation_id or ware.id}",
                    "price": ware.price / 100,
                    "image": {"id": ware.id, "src": f"{pictures}/{ware.picture}.svg"},
                    "parent_name": None,
                }
                for n, (ware, quantity) in enumerate(self.wares, 1)
            ],
            "coupon_lines": [],
            "refunds": [{"id": self.id * 10 + n, "reason": "", "total": f"-{_text(r)}"} for n, r in enumerate(refunds)],
            "payment_url": f"https://tea.example/checkout/order-pay/{self.id}/",
        }


@dataclass(frozen=True)
class CustomerAccount:
    shopper: Shopper
    created: datetime
    email: str | None = None
    meta: list[dict[str, Any]] = field(default_factory=list)

    def told(self, modified: datetime) -> dict[str, Any]:
        email = self.email or self.shopper.email
        return {
            "id": self.shopper.customer_id,
            **_times("date_created", self.created),
            **_times("date_modified", modified),
            "email": email,
            "first_name": self.shopper.first_name,
            "last_name": self.shopper.last_name,
            "role": "customer",
            "username": f"shopper{self.shopper.number}",
            "billing": {"email": email, "phone": self.shopper.phone, "country": "IL"},
            "shipping": {},
            "is_paying_customer": True,
            "meta_data": self.meta,
        }


def product_told(ware: Ware, modified: datetime, pictures: str) -> dict[str, Any]:
    meta = [] if ware.lifetime_days is None else [{"id": 1, "key": "_agala_lifetime_days", "value": ware.lifetime_days}]
    return {
        "id": ware.id,
        "name": ware.name,
        "permalink": f"https://tea.example/product/{ware.picture}/",
        **_times("date_created", modified),
        **_times("date_modified", modified),
        "type": "simple",
        "status": "publish",
        "sku": f"TEA-{ware.id}",
        "price": _text(ware.price),
        "regular_price": _text(ware.price),
        "manage_stock": False,
        "stock_quantity": None,
        "stock_status": "instock",
        "parent_id": 0,
        "categories": [{"id": int(ware.category[0]), "name": ware.category[1], "slug": ware.picture}],
        "images": [{"id": ware.id, "src": f"{pictures}/{ware.picture}.svg", "name": "", "alt": ""}],
        "meta_data": meta,
    }
