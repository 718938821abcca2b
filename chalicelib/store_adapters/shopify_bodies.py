"""The Admin API's records as the bodies that Shopify's webhooks tell: one reader decides what a record is.

The two say the same in other words: `createdAt` and `created_at`, `gid://shopify/Order/1` and `1`, `PAID` and `paid`,
money as an object and as a text. What the API did not tell is left out or null, as in a webhook; whether it makes
sense is the reader's affair. The documents that ask for the fields lie in `shopify_documents`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]
Node = Mapping[str, Any]

_GID = re.compile(r"gid://shopify/[A-Za-z]+/(\d+)(?:\?.*)?")
_FULFILMENT = {"FULFILLED": "fulfilled", "PARTIALLY_FULFILLED": "partial", "RESTOCKED": "restocked"}


def order_body(order: Node, line_items: Sequence[Node]) -> Json:
    """`refunds` with their `transactions` (`nodes`), or with `totalRefundedSet` alone: then it is what went back."""
    return {
        "id": _number(order.get("id")),
        "admin_graphql_api_id": order.get("id"),
        **{name: order.get(name) for name in ("name", "test", "email", "phone")},
        "order_number": order.get("number"),
        "currency": order.get("currencyCode"),
        "presentment_currency": order.get("presentmentCurrencyCode"),
        "created_at": order.get("createdAt"),
        "processed_at": order.get("processedAt"),
        "updated_at": order.get("updatedAt"),
        "cancelled_at": order.get("cancelledAt"),
        "closed_at": order.get("closedAt"),
        "financial_status": _small(order.get("displayFinancialStatus")),
        "fulfillment_status": _FULFILMENT.get(str(order.get("displayFulfillmentStatus"))),
        "taxes_included": order.get("taxesIncluded"),
        "buyer_accepts_marketing": order.get("customerAcceptsMarketing"),
        "customer_locale": order.get("customerLocale"),
        "source_name": order.get("sourceName"),
        "cart_token": order.get("cartToken"),
        "checkout_token": order.get("checkoutToken"),
        "discount_codes": [{"code": code} for code in _list(order, "discountCodes")],
        "total_price": _amount(order, "totalPriceSet"),
        "current_total_price": _amount(order, "currentTotalPriceSet"),
        "total_price_set": _money_set(_object(order, "totalPriceSet")),
        "billing_address": _address(order, "billingAddress"),
        "shipping_address": _address(order, "shippingAddress"),
        "customer": _customer(_object(order, "customer")) if order.get("customer") else None,
        "fulfillments": [_fulfilment(one) for one in _objects(order, "fulfillments")],
        "refunds": [_refund(one) for one in _objects(order, "refunds")],
        "line_items": [_line_item(one) for one in line_items],
    }


def customer_body(customer: Node) -> Json:
    return _customer(customer) | {
        "updated_at": customer.get("updatedAt"),
        "locale": customer.get("locale"),
        "state": _small(customer.get("state")),
        "default_address": _address(customer, "defaultAddress"),
    }


def product_body(product: Node, collections: Sequence[Node] | None, variants: Sequence[Node]) -> Json:
    """`collections`: all of them (None: not asked for). A variant's `media` is a list of nodes.

    `inventory_locations` is how many places a variant is kept at, which no webhook tells. How many are at each is not
    asked: a place's id may only be read by who may read locations.
    """
    featured = _object(product, "featuredMedia")
    lifetime = _object(product, "lifetimeDays").get("value")
    pictures = [featured, *(picture for variant in variants for picture in _objects(variant, "media")[:1])]
    body = {
        "id": _number(product.get("id")),
        "admin_graphql_api_id": product.get("id"),
        **{name: product.get(name) for name in ("title", "handle")},
        "status": _small(product.get("status")),
        "product_type": product.get("productType"),
        "created_at": product.get("createdAt"),
        "updated_at": product.get("updatedAt"),
        "published_at": product.get("publishedAt"),
        "category": _category(_object(product, "category")),
        "image": {"src": _source(featured)} if featured else None,
        "images": [{"id": _number(one.get("id")), "src": _source(one)} for one in pictures if one],
        "metafields": [{"namespace": "agala", "key": "lifetime_days", "value": lifetime}] if lifetime else [],
        "variants": [_variant(variant) for variant in variants],
    }
    if collections is not None:
        body["collections"] = [{"id": _number(one.get("id")), "title": one.get("title")} for one in collections]
    return body


def _customer(customer: Node) -> Json:
    email, phone = _object(customer, "defaultEmailAddress"), _object(customer, "defaultPhoneNumber")
    body = {
        "id": _number(customer.get("id")),
        "created_at": customer.get("createdAt"),
        "email": email.get("emailAddress"),
        "phone": phone.get("phoneNumber"),
        "first_name": customer.get("firstName"),
        "last_name": customer.get("lastName"),
        "email_marketing_consent": _consent(email.get("marketingState"), email.get("marketingUpdatedAt")),
        "sms_marketing_consent": _consent(phone.get("marketingState"), phone.get("marketingUpdatedAt")),
    }
    if whatsapp := _object(phone, "whatsAppMarketingConsent"):
        body["whatsapp_marketing_consent"] = _consent(whatsapp.get("state"), whatsapp.get("updatedAt"))
    return body


def _consent(state: Any, at: Any) -> Json | None:
    return {"state": _small(state), "consent_updated_at": at} if state else None


def _line_item(item: Node) -> Json:
    return {
        "id": _number(item.get("id")),
        **{name: item.get(name) for name in ("name", "quantity", "sku")},
        "product_id": _number(_object(item, "product").get("id")),
        "variant_id": _number(_object(item, "variant").get("id")),
        "variant_title": item.get("variantTitle"),
        "price": _amount(item, "originalUnitPriceSet"),
        "discount_allocations": [
            {"amount": _amount(one, "allocatedAmountSet")} for one in _objects(item, "discountAllocations")
        ],
        "tax_lines": [{"price": _amount(one, "priceSet")} for one in _objects(item, "taxLines")],
    }


def _refund(refund: Node) -> Json:
    told = refund.get("transactions")
    if told is None:
        transactions = [_transaction("REFUND", "SUCCESS", refund, "totalRefundedSet")]
    else:
        transactions = [
            _transaction(one.get("kind"), one.get("status"), one, "amountSet")
            for one in _objects(_object(refund, "transactions"), "nodes")
        ]
    return {
        "id": _number(refund.get("id")),
        "created_at": refund.get("createdAt"),
        "processed_at": refund.get("processedAt"),
        "transactions": transactions,
    }


def _transaction(kind: Any, status: Any, source: Node, money: str) -> Json:
    amount = {"shop_money": {"amount": _amount(source, money)}}
    return {"kind": _small(kind), "status": _small(status), "amount_set": amount}


def _fulfilment(parcel: Node) -> Json:
    """`delivered_at` is told by the API only."""
    return {
        "id": _number(parcel.get("id")),
        "status": _small(parcel.get("status")),
        "shipment_status": _small(parcel.get("displayStatus")),
        "created_at": parcel.get("createdAt"),
        "updated_at": parcel.get("updatedAt"),
        "delivered_at": parcel.get("deliveredAt"),
    }


def _variant(variant: Node) -> Json:
    item = _object(variant, "inventoryItem")
    pictures = _objects(variant, "media")
    return {
        "id": _number(variant.get("id")),
        **{name: variant.get(name) for name in ("title", "sku", "price")},
        "compare_at_price": variant.get("compareAtPrice"),
        "inventory_management": "shopify" if item.get("tracked") else None,
        "inventory_policy": _small(variant.get("inventoryPolicy")),
        "inventory_quantity": variant.get("inventoryQuantity"),
        "inventory_item_id": _number(item.get("id")),
        "inventory_locations": _object(item, "locationsCount").get("count"),
        "image_id": _number(pictures[0].get("id")) if pictures else None,
    }


def _category(category: Node) -> Json | None:
    return {"admin_graphql_api_id": category.get("id"), "name": category.get("name")} if category else None


def _source(media: Node) -> Any:
    return _object(_object(media, "preview"), "image").get("url")


def _address(holder: Node, name: str) -> Json | None:
    address = _object(holder, name)
    if not address:
        return None
    return {
        "first_name": address.get("firstName"),
        "last_name": address.get("lastName"),
        "phone": address.get("phone"),
        "country_code": address.get("countryCodeV2"),
    }


def _money_set(money: Node) -> Json:
    return {
        told: {"amount": part.get("amount"), "currency_code": part.get("currencyCode")}
        for told, name in (("shop_money", "shopMoney"), ("presentment_money", "presentmentMoney"))
        if (part := _object(money, name))
    }


def _amount(holder: Node, name: str) -> Any:
    """In the shop's money."""
    return _object(_object(holder, name), "shopMoney").get("amount")


def _number(gid: Any) -> Any:
    """A gid's number, as text; what is none stays as it is, for the reader to name."""
    found = _GID.fullmatch(gid) if isinstance(gid, str) else None
    return found[1] if found else gid


def _small(word: Any) -> Any:
    return word.lower() if isinstance(word, str) else word


def _object(holder: Node, name: str) -> Node:
    value = holder.get(name)
    return value if isinstance(value, dict) else {}


def _objects(holder: Node, name: str) -> list[Node]:
    return [one for one in _list(holder, name) if isinstance(one, dict)]


def _list(holder: Node, name: str) -> list[Any]:
    value = holder.get(name)
    return value if isinstance(value, list) else []
