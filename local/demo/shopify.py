"""Deliveries as a Shopify shop would send them: its own bodies of webhooks, signed with the app's secret.

Field names are those of Shopify's webhook reference, with null where a real shop leaves a field empty. Orders and
checkouts are in `shopify_orders`, the catalogue in `shopify_catalogue`.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from chalicelib.commerce.money import Money
from local.demo.delivery import Delivery, sign
from local.demo.shop import Shopper

API_VERSION = "2026-07"
_EVENTS = uuid.UUID("5f2d3c54-6e0e-4c1b-9d0a-3f7d6c1e8a90")  # our own corner of made-up ids


@dataclass(frozen=True)
class Shop:
    """A Shopify shop: `domain` is its own (`….myshopify.com`), `url` where shoppers see it, `hours` its zone's."""

    id: int
    domain: str
    url: str
    secret: str
    currency: str
    country: str
    locale: str
    city: str
    hours: int = 0
    pictures: str = ""

    def time(self, moment: datetime | None) -> str | None:
        """As Shopify writes it: in the shop's zone, to the second."""
        return moment.astimezone(timezone(timedelta(hours=self.hours))).isoformat("T", "seconds") if moment else None

    def text(self, amount: int) -> str:
        return str(Money(amount=amount, currency=self.currency).decimal())

    def money(self, amount: int) -> dict[str, Any]:
        """A `…_set`: the shop's money and, here the same, what the shopper saw."""
        told = {"amount": self.text(amount), "currency_code": self.currency}
        return {"shop_money": told, "presentment_money": told}

    def delivery(self, topic: str, content: Any, at: datetime, webhook: int = 1) -> Delivery:
        """One event of the shop at `at`. The same content under another `webhook` is the same event once more."""
        body = content if isinstance(content, bytes) else json.dumps(content, separators=(",", ":")).encode()
        event = uuid.uuid5(_EVENTS, f"{self.domain} {topic} {at.isoformat()} {sign(self.secret, body)}")
        return Delivery(
            topic,
            body,
            {
                "Content-Type": "application/json",
                "User-Agent": "Shopify-Captain-Hook",
                "X-Shopify-Topic": topic,
                "X-Shopify-Hmac-Sha256": sign(self.secret, body),
                "X-Shopify-Shop-Domain": self.domain,
                "X-Shopify-API-Version": API_VERSION,
                "X-Shopify-Event-Id": str(event),
                "X-Shopify-Webhook-Id": str(uuid.uuid5(event, str(webhook))),
                "X-Shopify-Triggered-At": at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z",
            },
            "shopify",
        )


def gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"


def again(shop: Shop, delivery: Delivery) -> Delivery:
    """The same event, delivered once more under another webhook id."""
    webhook = str(uuid.uuid5(uuid.UUID(delivery.headers["X-Shopify-Webhook-Id"]), "again"))
    return replace(delivery, headers={**delivery.headers, "X-Shopify-Webhook-Id": webhook})


def address(shop: Shop, shopper: Shopper) -> dict[str, Any]:
    """As in an order or a checkout."""
    return {
        "first_name": shopper.first_name,
        "last_name": shopper.last_name,
        "name": f"{shopper.first_name} {shopper.last_name}",
        "company": None,
        "address1": "1 Example Street",
        "address2": None,
        "city": shop.city,
        "zip": None,
        "province": None,
        "province_code": None,
        "country": shop.country,
        "country_code": shop.country,
        "phone": shopper.phone,
        "latitude": None,
        "longitude": None,
    }


def consent_told(shop: Shop, state: str, at: datetime | None, **more: Any) -> dict[str, Any]:
    """A `…_marketing_consent`. `state`: not_subscribed, pending, subscribed, unsubscribed, redacted, invalid."""
    told = {"state": state, "opt_in_level": "single_opt_in" if at else "unknown", "consent_updated_at": shop.time(at)}
    return {**told, **more}


@dataclass(frozen=True)
class CustomerAccount:
    """Shopify keeps a customer of every buyer; `state` is `enabled` for who made an account, else `disabled`.

    `email_consent` and `sms_consent` are a state and since when.
    """

    shop: Shop
    shopper: Shopper
    created: datetime
    email: str | None = None
    state: str = "enabled"
    email_consent: tuple[str, datetime] | None = None
    sms_consent: tuple[str, datetime] | None = None

    def told(self, modified: datetime) -> dict[str, Any]:
        shop, shopper = self.shop, self.shopper
        home = {
            "id": shopper.customer_id * 10,
            "customer_id": shopper.customer_id,
            **address(shop, shopper),
            "country_name": shop.country,
            "default": True,
        }
        for name in ("latitude", "longitude"):
            del home[name]
        return {
            "id": shopper.customer_id,
            "admin_graphql_api_id": gid("Customer", shopper.customer_id),
            "created_at": shop.time(self.created),
            "updated_at": shop.time(modified),
            "first_name": shopper.first_name,
            "last_name": shopper.last_name,
            "state": self.state,
            "note": None,
            "verified_email": True,
            "multipass_identifier": None,
            "tax_exempt": False,
            "tax_exemptions": [],
            "email": self.email or shopper.email,
            "phone": None,
            "currency": shop.currency,
            "addresses": [home],
            "default_address": home,
            "email_marketing_consent": consent_told(shop, *(self.email_consent or ("not_subscribed", None))),
            "sms_marketing_consent": (
                consent_told(shop, *self.sms_consent, consent_collected_from="SHOPIFY") if self.sms_consent else None
            ),
        }


def email_consent_told(shop: Shop, shopper: Shopper, state: str, at: datetime) -> dict[str, Any]:
    """`customers_email_marketing_consent/update`."""
    return {
        "customer_id": shopper.customer_id,
        "email_address": shopper.email,
        "email_marketing_consent": consent_told(shop, state, at),
    }


def sms_consent_told(shop: Shop, shopper: Shopper, state: str, at: datetime) -> dict[str, Any]:
    """`customers_marketing_consent/update`."""
    return {
        "id": shopper.customer_id,
        "phone": shopper.phone,
        "sms_marketing_consent": consent_told(shop, state, at, consent_collected_from="OTHER"),
    }


def redaction_told(shop: Shop, shopper: Shopper, orders: tuple[int, ...] = ()) -> dict[str, Any]:
    """`customers/redact`: the owner asked that the app forgets a customer."""
    return {**_about(shop, shopper), "orders_to_redact": list(orders)}


def data_request_told(shop: Shop, shopper: Shopper, number: int, orders: tuple[int, ...] = ()) -> dict[str, Any]:
    """`customers/data_request`: a customer asked what is known of them."""
    return {**_about(shop, shopper), "orders_requested": list(orders), "data_request": {"id": number}}


def _about(shop: Shop, shopper: Shopper) -> dict[str, Any]:
    customer = {"id": shopper.customer_id, "email": shopper.email, "phone": shopper.phone}
    return {"shop_id": shop.id, "shop_domain": shop.domain, "customer": customer}
