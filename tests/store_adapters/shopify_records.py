"""The same things as the Admin API has them and as a webhook tells them, side by side.

Left: dicts in GraphQL's field names, for the fake shop. Right: the bodies of deliveries (Shopify's docs "Webhooks").
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

Json = dict[str, Any]


def gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"


def time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def money(amount: str, currency: str = "EUR", seen: str | None = None) -> Json:
    shop = {"amount": amount, "currencyCode": currency}
    presented = {"amount": seen, "currencyCode": "USD"} if seen else shop
    return {"shopMoney": shop, "presentmentMoney": presented}


def address(first: str = "Noa", last: str = "Levi", phone: str | None = None, country: str = "IL") -> Json:
    return {"firstName": first, "lastName": last, "phone": phone, "countryCodeV2": country}


def address_told(first: str = "Noa", last: str = "Levi", phone: str | None = None, country: str = "IL") -> Json:
    return {"first_name": first, "last_name": last, "phone": phone, "country_code": country}


def customer(number: int, email: str, changed: datetime, **more: Any) -> Json:
    return {
        "id": gid("Customer", number),
        "createdAt": time(changed - timedelta(days=30)),
        "updatedAt": time(changed),
        "firstName": "Noa",
        "lastName": "Levi",
        "locale": "he",
        "defaultEmailAddress": {
            "emailAddress": email,
            "marketingState": "SUBSCRIBED",
            "marketingUpdatedAt": time(changed - timedelta(days=2)),
        },
        "defaultPhoneNumber": {
            "phoneNumber": f"+97250555{100 + number % 100:04}",
            "marketingState": "UNSUBSCRIBED",
            "marketingUpdatedAt": time(changed - timedelta(days=1)),
            "whatsAppMarketingConsent": {"state": "NEVER_SUBSCRIBED", "updatedAt": None},
        },
        "defaultAddress": address(),
        **more,
    }


def customer_told(number: int, email: str, changed: datetime, **more: Any) -> Json:
    return {
        "id": number,
        "created_at": time(changed - timedelta(days=30)),
        "updated_at": time(changed),
        "first_name": "Noa",
        "last_name": "Levi",
        "locale": "he",
        "email": email,
        "phone": f"+97250555{100 + number % 100:04}",
        "default_address": address_told(),
        "email_marketing_consent": {
            "state": "subscribed",
            "opt_in_level": "single_opt_in",
            "consent_updated_at": time(changed - timedelta(days=2)),
        },
        "sms_marketing_consent": {
            "state": "unsubscribed",
            "consent_updated_at": time(changed - timedelta(days=1)),
        },
        **more,
    }


def line(number: int, quantity: int = 2, price: str = "27.50", off: str = "5.00", tax: str = "7.00") -> Json:
    return {
        "id": gid("LineItem", number),
        "name": f"Tea {number}",
        "quantity": quantity,
        "sku": f"TEA-{number}",
        "product": {"id": gid("Product", 12), "title": "Tea"},
        "variant": {"id": gid("ProductVariant", 34), "title": "100 g"},
        "originalUnitPriceSet": money(price, seen="30.25"),
        "discountAllocations": [{"allocatedAmountSet": money(off)}],
        "taxLines": [{"priceSet": money(tax)}],
    }


def line_told(number: int, quantity: int = 2, price: str = "27.50", off: str = "5.00", tax: str = "7.00") -> Json:
    return {
        "id": number,
        "name": f"Tea {number}",
        "quantity": quantity,
        "sku": f"TEA-{number}",
        "product_id": 12,
        "variant_id": 34,
        "price": price,
        "price_set": {"shop_money": {"amount": price, "currency_code": "EUR"}},
        "discount_allocations": [{"amount": off}],
        "tax_lines": [{"price": tax}],
    }


def order(number: int, placed: datetime, changed: datetime | None = None, **more: Any) -> Json:
    changed = changed or placed
    return {
        "id": gid("Order", number),
        "name": f"#{number}",
        "number": number % 10**6,
        "test": False,
        "email": f"shopper{number}@tea.example",
        "phone": None,
        "currencyCode": "EUR",
        "presentmentCurrencyCode": "USD",
        "createdAt": time(placed),
        "processedAt": time(placed),
        "updatedAt": time(changed),
        "displayFinancialStatus": "PAID",
        "displayFulfillmentStatus": "UNFULFILLED",
        "taxesIncluded": True,
        "customerAcceptsMarketing": True,
        "customerLocale": "he-IL",
        "sourceName": "web",
        "cartToken": f"cart-{number}",
        "checkoutToken": f"checkout-{number}",
        "discountCodes": ["HELLO"],
        "totalPriceSet": money("50.00", seen="55.00"),
        "currentTotalPriceSet": money("50.00", seen="55.00"),
        "billingAddress": address(phone="+972505550101"),
        "shippingAddress": None,
        "customer": {
            "id": gid("Customer", number),
            "firstName": "Noa",
            "lastName": "Levi",
            "defaultEmailAddress": {"emailAddress": f"shopper{number}@tea.example", "marketingState": "NOT_SUBSCRIBED"},
        },
        "lineItems": [line(number * 10)],
        **more,
    }


def order_told(number: int, placed: datetime, changed: datetime | None = None, **more: Any) -> Json:
    changed = changed or placed
    return {
        "id": number,
        "admin_graphql_api_id": gid("Order", number),
        "name": f"#{number}",
        "order_number": number % 10**6,
        "test": False,
        "email": f"shopper{number}@tea.example",
        "phone": None,
        "currency": "EUR",
        "presentment_currency": "USD",
        "created_at": time(placed),
        "processed_at": time(placed),
        "updated_at": time(changed),
        "cancelled_at": None,
        "financial_status": "paid",
        "fulfillment_status": None,
        "fulfillments": [],
        "taxes_included": True,
        "buyer_accepts_marketing": True,
        "customer_locale": "he-IL",
        "source_name": "web",
        "cart_token": f"cart-{number}",
        "checkout_token": f"checkout-{number}",
        "discount_codes": [{"code": "HELLO", "amount": "5.00", "type": "fixed_amount"}],
        "total_price": "50.00",
        "current_total_price": "50.00",
        "total_price_set": {
            "shop_money": {"amount": "50.00", "currency_code": "EUR"},
            "presentment_money": {"amount": "55.00", "currency_code": "USD"},
        },
        "billing_address": address_told(phone="+972505550101"),
        "shipping_address": None,
        "customer": {
            "id": number,
            "email": f"shopper{number}@tea.example",
            "first_name": "Noa",
            "last_name": "Levi",
            "email_marketing_consent": {"state": "not_subscribed", "consent_updated_at": None},
        },
        "line_items": [line_told(number * 10)],
        "refunds": [],
        **more,
    }


def back(number: int, at: datetime, amount: str, status: str = "SUCCESS") -> Json:
    """A refund with one transaction; its sum is that of all, whatever became of them."""
    return {
        "id": gid("Refund", number),
        "createdAt": time(at),
        "processedAt": time(at),
        "totalRefundedSet": money(amount),
        "transactions": [{"id": gid("OrderTransaction", number), "kind": "REFUND", "status": status,
                          "amountSet": money(amount, seen="11.00")}],
    }  # fmt: skip


def back_told(number: int, at: datetime, amount: str, status: str = "success") -> Json:
    told = {"amount": "11.00", "currency": "USD", "amount_set": {"shop_money": {"amount": amount}}}
    return {
        "id": number,
        "created_at": time(at),
        "processed_at": time(at),
        "transactions": [{"id": number, "kind": "refund", "status": status, **told}],
    }


def picture(number: int, name: str) -> Json:
    return {"id": gid("MediaImage", number), "preview": {"image": {"url": f"https://cdn.example/{name}.jpg"}}}


def product(number: int, changed: datetime, **more: Any) -> Json:
    return {
        "id": gid("Product", number),
        "title": "Tea",
        "handle": "tea",
        "status": "ACTIVE",
        "productType": "Teas",
        "createdAt": time(changed - timedelta(days=100)),
        "updatedAt": time(changed),
        "publishedAt": time(changed - timedelta(days=100)),
        "category": {"id": "gid://shopify/TaxonomyCategory/fb-1-2", "name": "Tea & infusions"},
        "featuredMedia": picture(5, "tea"),
        "metafield": {"id": gid("Metafield", 1), "value": "30"},
        "variants": [variant(number * 10 + 1, 0), variant(number * 10 + 2, 4, media=[picture(6, "200")])],
        **more,
    }


def variant(number: int, stock: int, **more: Any) -> Json:
    return {
        "id": gid("ProductVariant", number),
        "title": f"{number} g",
        "sku": f"TEA-{number}",
        "price": "27.50",
        "compareAtPrice": "30.00",
        "inventoryQuantity": stock,
        "inventoryPolicy": "DENY",
        "inventoryItem": {
            "id": gid("InventoryItem", number),
            "tracked": True,
            "locationsCount": {"count": 2, "precision": "EXACT"},
        },
        **more,
    }


def product_told(number: int, changed: datetime, **more: Any) -> Json:
    return {
        "id": number,
        "title": "Tea",
        "handle": "tea",
        "status": "active",
        "product_type": "Teas",
        "created_at": time(changed - timedelta(days=100)),
        "updated_at": time(changed),
        "published_at": time(changed - timedelta(days=100)),
        "category": {"admin_graphql_api_id": "gid://shopify/TaxonomyCategory/fb-1-2", "name": "Tea & infusions"},
        "image": {"src": "https://cdn.example/tea.jpg"},
        "images": [{"id": 55, "src": "https://cdn.example/tea.jpg"}, {"id": 66, "src": "https://cdn.example/200.jpg"}],
        "metafields": [{"namespace": "agala", "key": "lifetime_days", "value": "30"}],
        "variants": [variant_told(number * 10 + 1, 0), variant_told(number * 10 + 2, 4, image_id=66)],
        **more,
    }


def variant_told(number: int, stock: int, **more: Any) -> Json:
    return {
        "id": number,
        "title": f"{number} g",
        "sku": f"TEA-{number}",
        "price": "27.50",
        "compare_at_price": "30.00",
        "inventory_management": "shopify",
        "inventory_policy": "deny",
        "inventory_quantity": stock,
        "inventory_item_id": number,
        **more,
    }
