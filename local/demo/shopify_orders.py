"""What shoppers do in a Shopify shop: bodies of its webhooks about checkouts, orders, refunds and fulfilments."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local.demo.shop import Shopper, Ware
from local.demo.shopify import CustomerAccount, Shop, address, gid
from local.demo.shopify_catalogue import variant_id

Wares = tuple[tuple[Ware, int], ...]


def token(name: str) -> str:
    """A checkout's token, as long as Shopify's."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Checkout:
    """A checkout of the story. `source`: `web`, `pos`, or the name of the app that made it."""

    shop: Shop
    number: int
    token: str
    shopper: Shopper
    wares: Wares
    begun: datetime
    source: str = "web"
    email: str | None = None
    phone: str | None = None
    accepts_email: bool = False
    accepts_sms: bool = False

    def told(
        self, modified: datetime, *, known: bool = True, addressed: bool = True, completed: datetime | None = None
    ) -> dict[str, Any]:
        """Its body at one moment. By then the shopper may have typed their email (`known`), and where they live."""
        shop = self.shop
        total = sum(ware.price * quantity for ware, quantity in self.wares)
        home = address(shop, self.shopper) if known and addressed else []  # Shopify writes an empty address as a list
        return {
            "id": self.number,
            "token": self.token,
            "cart_token": f"c1-{self.token}",
            "email": (self.email or self.shopper.email) if known else None,
            "phone": self.phone if known else None,
            "gateway": None,
            "buyer_accepts_marketing": known and self.accepts_email,
            "buyer_accepts_sms_marketing": known and self.accepts_sms,
            "sms_marketing_phone": self.phone if known and self.accepts_sms else None,
            "created_at": shop.time(self.begun),
            "updated_at": shop.time(modified),
            "completed_at": shop.time(completed),
            "closed_at": None,
            "landing_site": "/",
            "referring_site": "",
            "note": "",
            "note_attributes": [],
            "shipping_lines": [],
            "shipping_address": home,
            "billing_address": home,
            "taxes_included": True,
            "total_weight": 0,
            "currency": shop.currency,
            "presentment_currency": shop.currency,
            "user_id": None,
            "location_id": None,
            "source_identifier": None,
            "source_url": None,
            "source": None,
            "source_name": self.source,
            "device_id": None,
            "customer_locale": shop.locale,
            "line_items": [_checkout_line(shop, ware, quantity) for ware, quantity in self.wares],
            "name": f"#{self.number}",
            "abandoned_checkout_url": f"{shop.url}/{shop.id}/checkouts/ac/{self.token}/recover?key={self.token[:8]}",
            "discount_codes": [],
            "tax_lines": [],
            "reservation_token": None,
            "total_discounts": shop.text(0),
            "total_line_items_price": shop.text(total),
            "subtotal_price": shop.text(total),
            "total_price": shop.text(total),
            "total_tax": shop.text(0),
            "total_duties": None,
        }


def _checkout_line(shop: Shop, ware: Ware, quantity: int) -> dict[str, Any]:
    return {
        "key": str(variant_id(ware)),
        "product_id": ware.id,
        "variant_id": variant_id(ware),
        "title": ware.name,
        "variant_title": ware.choice or "",
        "presentment_title": ware.name,
        "presentment_variant_title": ware.choice or "",
        "quantity": quantity,
        "price": shop.text(ware.price),
        "line_price": shop.text(ware.price * quantity),
        "variant_price": shop.text(ware.price),
        "compare_at_price": None,
        "sku": f"TEA-{ware.variation_id or ware.id}",
        "vendor": "Agala's own",
        "grams": 0,
        "gift_card": False,
        "requires_shipping": True,
        "taxable": True,
        "tax_lines": [],
        "applied_discounts": [],
        "discount_allocations": [],
        "properties": None,
        "fulfillment_service": "manual",
        "destination_location_id": None,
        "origin_location_id": None,
        "unit_price_measurement": None,
        "user_id": None,
        "rank": None,
    }


@dataclass(frozen=True)
class GivenBack:
    """A refund: so much of an order's money (minor units), at this time."""

    number: int
    amount: int
    at: datetime


@dataclass(frozen=True)
class Purchase:
    """An order of the story, from which every telling of it is made. `source`: `web`, `pos`, or an app's name.

    Even a guest is a customer of Shopify: one whose account is `disabled`. `with_customer` False: nobody was named,
    as at a till.
    """

    shop: Shop
    id: int
    name: str
    shopper: Shopper
    wares: Wares
    placed: datetime
    email: str | None = None
    checkout: str | None = None
    source: str = "web"
    accepts_email: bool = False
    account: str = "enabled"
    with_customer: bool = True

    @property
    def total(self) -> int:
        return sum(ware.price * quantity for ware, quantity in self.wares)

    def told(
        self,
        financial: str,
        modified: datetime,
        *,
        sent: datetime | None = None,
        delivered: datetime | None = None,
        cancelled: datetime | None = None,
        refunds: tuple[GivenBack, ...] = (),
    ) -> dict[str, Any]:
        """The order's body at one moment of its life. `financial`: pending, paid, partially_refunded, refunded…"""
        shop, refunded = self.shop, sum(one.amount for one in refunds)
        return {
            "id": self.id,
            "admin_graphql_api_id": gid("Order", self.id),
            "app_id": 580111,
            "name": self.name,
            "number": self.id % 100_000,
            "order_number": self.id % 100_000 + 1000,
            "confirmation_number": token(self.name)[:9].upper(),
            "confirmed": True,
            "test": False,
            "token": token(f"order {self.id}"),
            "checkout_id": self.id + 1 if self.checkout else None,
            "checkout_token": self.checkout,
            "cart_token": f"c1-{self.checkout}" if self.checkout else None,
            "source_name": self.source,
            "source_identifier": None,
            "source_url": None,
            "location_id": None if self.source == "web" else 61,
            "user_id": None,
            "device_id": None,
            "browser_ip": None,
            "client_details": None,
            "created_at": shop.time(self.placed),
            "processed_at": shop.time(self.placed),
            "updated_at": shop.time(modified),
            "closed_at": None,
            "cancelled_at": shop.time(cancelled),
            "cancel_reason": "customer" if cancelled else None,
            "currency": shop.currency,
            "presentment_currency": shop.currency,
            "financial_status": financial,
            "fulfillment_status": "fulfilled" if sent else None,
            "payment_gateway_names": ["bogus"],
            "payment_terms": None,
            "taxes_included": True,
            "tax_exempt": False,
            "tax_lines": [],
            "estimated_taxes": False,
            **self._totals(refunded),
            "buyer_accepts_marketing": self.accepts_email,
            "customer_locale": shop.locale,
            **self._person(),
            "discount_codes": [],
            "discount_applications": [],
            "shipping_lines": [],
            "line_items": [self._line(n, *one) for n, one in enumerate(self.wares, 1)],
            "fulfillments": [self.fulfilment(sent, delivered)] if sent else [],
            "refunds": [self.refund(one) for one in refunds],
            "returns": [],
            "note": None,
            "note_attributes": [],
            "tags": "",
            "landing_site": "/",
            "referring_site": "",
            "reference": None,
            "po_number": None,
            "order_status_url": f"{shop.url}/{shop.id}/orders/{token(f'order {self.id}')}/authenticate",
            "total_weight": 0,
        }

    def _totals(self, refunded: int) -> dict[str, Any]:
        shop = self.shop
        told: dict[str, Any] = {}
        amounts = {
            "total_price": self.total,
            "current_total_price": self.total - refunded,
            "subtotal_price": self.total,
            "current_subtotal_price": self.total - refunded,
            "total_line_items_price": self.total,
            "total_discounts": 0,
            "current_total_discounts": 0,
            "total_tax": 0,
            "current_total_tax": 0,
        }
        for name, amount in amounts.items():
            told |= {name: shop.text(amount), f"{name}_set": shop.money(amount)}
        nothing = dict.fromkeys(("current_total_duties_set", "original_total_duties_set"))
        return {**told, **nothing, "total_outstanding": shop.text(0), "total_shipping_price_set": shop.money(0)}

    def _person(self) -> dict[str, Any]:
        nobody = ("email", "contact_email", "phone", "customer", "billing_address", "shipping_address")
        if not self.with_customer:
            return dict.fromkeys(nobody)
        email = self.email or self.shopper.email
        customer = CustomerAccount(self.shop, self.shopper, self.placed, email, self.account).told(self.placed)
        for name in ("addresses", "email_marketing_consent", "sms_marketing_consent"):
            del customer[name]
        home = address(self.shop, self.shopper)
        return {
            "email": email,
            "contact_email": email,
            "phone": None,
            "customer": customer,
            "billing_address": home,
            "shipping_address": home,
        }

    def _line(self, number: int, ware: Ware, quantity: int) -> dict[str, Any]:
        shop, line_id = self.shop, self.id * 10 + number
        return {
            "id": line_id,
            "admin_graphql_api_id": gid("LineItem", line_id),
            "product_id": ware.id,
            "variant_id": variant_id(ware),
            "title": ware.name,
            "variant_title": ware.choice,
            "name": ware.title,
            "quantity": quantity,
            "current_quantity": quantity,
            "fulfillable_quantity": quantity,
            "fulfillment_status": None,
            "fulfillment_service": "manual",
            "price": shop.text(ware.price),
            "price_set": shop.money(ware.price),
            "total_discount": shop.text(0),
            "total_discount_set": shop.money(0),
            "discount_allocations": [],
            "tax_lines": [],
            "duties": [],
            "properties": [],
            "sku": f"TEA-{ware.variation_id or ware.id}",
            "vendor": "Agala's own",
            "grams": 0,
            "gift_card": False,
            "product_exists": True,
            "requires_shipping": True,
            "taxable": True,
            "variant_inventory_management": None,
            "attributed_staffs": [],
            "sales_line_item_group_id": None,
        }

    def refund(self, given: GivenBack) -> dict[str, Any]:
        """As in the order, and as `refunds/create` tells it alone."""
        shop = self.shop
        return {
            "id": given.number,
            "admin_graphql_api_id": gid("Refund", given.number),
            "order_id": self.id,
            "created_at": shop.time(given.at),
            "processed_at": shop.time(given.at),
            "note": None,
            "restock": False,
            "user_id": None,
            "duties": [],
            "order_adjustments": [],
            "refund_line_items": [],
            "total_duties_set": shop.money(0),
            "transactions": [
                {
                    "id": given.number * 10,
                    "admin_graphql_api_id": gid("OrderTransaction", given.number * 10),
                    "order_id": self.id,
                    "parent_id": self.id * 10,
                    "kind": "refund",
                    "status": "success",
                    "amount": shop.text(given.amount),
                    "currency": shop.currency,
                    "gateway": "bogus",
                    "authorization": None,
                    "error_code": None,
                    "message": None,
                    "receipt": {},
                    "test": False,
                    "source_name": "1830279",
                    "location_id": None,
                    "device_id": None,
                    "user_id": None,
                    "payment_id": None,
                    "created_at": shop.time(given.at),
                    "processed_at": shop.time(given.at),
                }
            ],
        }

    def fulfilment(self, sent: datetime, delivered: datetime | None = None) -> dict[str, Any]:
        """One parcel with everything: as in the order, and as `fulfillments/create|update` tell it alone."""
        shop = self.shop
        return {
            "id": self.id * 10 + 8,
            "admin_graphql_api_id": gid("Fulfillment", self.id * 10 + 8),
            "order_id": self.id,
            "name": f"{self.name}.1",
            "status": "success",
            "shipment_status": "delivered" if delivered else None,
            "created_at": shop.time(sent),
            "updated_at": shop.time(delivered or sent),
            "service": "manual",
            "location_id": 61,
            "origin_address": {},
            "receipt": {},
            "tracking_company": None,
            "tracking_number": None,
            "tracking_numbers": [],
            "tracking_url": None,
            "tracking_urls": [],
            "line_items": [self._line(n, *one) for n, one in enumerate(self.wares, 1)],
        }
