"""A tea shop at Shopify, for tests: its checkouts, orders, parcels and products as its webhooks tell them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from local.demo.shop import Shopper, Ware
from tests.recorded import signature

Basket = Sequence[tuple[Ware, int]]


def told(topic: str, body: dict[str, Any]) -> tuple[dict[str, str], bytes]:
    """Signed as Shopify signs it."""
    text = json.dumps(body, ensure_ascii=False).encode()
    return {"X-Shopify-Topic": topic, "X-Shopify-Hmac-Sha256": signature(text)}, text


def checkout(
    token: str, wares: Basket, updated_at: datetime, shopper: Shopper | None = None, **more: Any
) -> dict[str, Any]:
    """Without `shopper`, as it is before anything was typed. `more` goes over the body."""
    total = _money(sum(ware.price * quantity for ware, quantity in wares))
    return {
        "id": 35481578373269,
        "token": token,
        "cart_token": f"c1-{token}",
        "email": shopper.email if shopper else None,
        "phone": None,
        "buyer_accepts_marketing": False,
        "created_at": updated_at.isoformat(),
        "updated_at": updated_at.isoformat(),
        "completed_at": None,
        "closed_at": None,
        "shipping_address": _address(shopper) if shopper else [],
        "currency": "ILS",
        "presentment_currency": "ILS",
        "customer_locale": "he",
        "line_items": [_line(ware, quantity) for ware, quantity in wares],
        "abandoned_checkout_url": f"https://tea.myshopify.com/548/checkouts/ac/c1-{token}/recover?key=0a1b2c",
        "discount_codes": [],
        "source_name": "web",
        "total_line_items_price": total,
        "subtotal_price": total,
        "total_price": total,
        **more,
    }


def order(number: int, wares: Basket, placed_at: datetime, shopper: Shopper, **more: Any) -> dict[str, Any]:
    """Paid. The token of its checkout goes in `more`."""
    total = _money(sum(ware.price * quantity for ware, quantity in wares))
    return {
        "id": number,
        "name": f"#{number}",
        "email": shopper.email,
        "currency": "ILS",
        "presentment_currency": "ILS",
        "created_at": placed_at.isoformat(),
        "processed_at": placed_at.isoformat(),
        "updated_at": placed_at.isoformat(),
        "cancelled_at": None,
        "financial_status": "paid",
        "fulfillment_status": None,
        "fulfillments": [],
        "total_price": total,
        "current_total_price": total,
        "taxes_included": True,
        "source_name": "web",
        "cart_token": None,
        "checkout_token": None,
        "billing_address": _address(shopper),
        "customer": {"id": shopper.customer_id, "email": shopper.email, "first_name": shopper.first_name},
        "line_items": [{"id": n, **_line(*bought)} for n, bought in enumerate(wares)],
        "refunds": [],
        **more,
    }


def parcel(order_id: int, updated_at: datetime, shopper: Shopper, status: str | None = "delivered") -> dict[str, Any]:
    return {
        "id": order_id * 10,
        "order_id": order_id,
        "status": "success",
        "created_at": updated_at.isoformat(),
        "updated_at": updated_at.isoformat(),
        "shipment_status": status,
        "email": shopper.email,
        "destination": _address(shopper),
        "line_items": [],
    }


def product(ware: Ware, updated_at: datetime) -> dict[str, Any]:
    picture = f"https://cdn.shop.example/{ware.picture}.jpg"
    return {
        "id": ware.id,
        "title": ware.name,
        "handle": ware.picture,
        "status": "active",
        "published_at": updated_at.isoformat(),
        "created_at": updated_at.isoformat(),
        "updated_at": updated_at.isoformat(),
        "product_type": ware.category[1],
        "image": {"src": picture},
        "images": [{"id": ware.id * 10, "src": picture}],
        "variants": [{"id": ware.id * 100, "title": "Default Title", "price": _money(ware.price)}],
    }


def _line(ware: Ware, quantity: int) -> dict[str, Any]:
    return {
        "product_id": ware.id,
        "variant_id": ware.id * 100,
        "title": ware.name,
        "name": ware.name,
        "variant_title": None,
        "quantity": quantity,
        "price": _money(ware.price),
        "line_price": _money(ware.price * quantity),
        "sku": None,
    }


def _address(shopper: Shopper) -> dict[str, Any]:
    return {
        "first_name": shopper.first_name,
        "last_name": shopper.last_name,
        "phone": shopper.phone,
        "country_code": "IL",
    }


def _money(agorot: int) -> str:
    return f"{agorot / 100:.2f}"
