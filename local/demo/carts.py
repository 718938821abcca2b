"""Cart activity as the shop's plugin tells it: bodies of `POST /v1/stores/{s}/carts`, signed when they are sent."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.clock import rfc3339
from local.demo.shop import Shopper, Ware


@dataclass(frozen=True)
class CartCall:
    """The exact bytes of one call; its signature names the moment of real time at which it is sent."""

    body: bytes

    def headers(self, secret: str) -> dict[str, str]:
        timestamp = str(int(time.time()))
        signed = hmac.new(secret.encode(), timestamp.encode() + b"." + self.body, hashlib.sha256).hexdigest()
        return {"X-Agala-Timestamp": timestamp, "X-Agala-Signature": signed, "Authorization": ""}


@dataclass(frozen=True)
class Cart:
    """A cart of the story. `consent` names the channels that the shopper ticked at the checkout."""

    token: str
    shopper: Shopper
    wares: tuple[tuple[Ware, int], ...]
    pictures: str
    email: str | None = None
    phone: str | None = None
    consent: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        return sum(ware.price * quantity for ware, quantity in self.wares)

    def call(self, event: str, at: datetime, order_id: int | None = None, *, known: bool = True) -> CartCall:
        """`known`: whether the shopper has typed who they are by then."""
        told: dict[str, Any] = {
            "id": f"{self.token}-{event}-{at:%H%M%S}",
            "token": self.token,
            "event": event,
            "items": [_line(ware, quantity, self.pictures) for ware, quantity in self.wares],
            "total": _money(self.total),
            "coupons": [],
            "restore_url": f"https://tea.example/?agala-restore={self.token}.1.demo",
            "locale": "he_IL",
            "occurred_at": rfc3339(at),
        }
        if known:
            choice = {"status": "subscribed", "text": "אשמח לקבל עדכונים", "at": rfc3339(at)}
            told |= {
                "email": self.email,
                "phone": self.phone,
                "first_name": self.shopper.first_name,
                "consent": dict.fromkeys(self.consent, choice),
            }
        if order_id is not None:
            told["order_id"] = str(order_id)
        return CartCall(json.dumps(told, ensure_ascii=False).encode())


def _line(ware: Ware, quantity: int, pictures: str) -> dict[str, Any]:
    return {
        "product_id": str(ware.id),
        "name": ware.name,
        "quantity": quantity,
        "price": _money(ware.price),
        "image": f"{pictures}/{ware.picture}.svg",
        "url": f"https://tea.example/product/{ware.picture}/",
        "categories": [ware.category[0]],
    }


def _money(agorot: int) -> dict[str, Any]:
    return {"amount": agorot, "currency": "ILS"}
