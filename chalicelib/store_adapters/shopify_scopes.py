"""What Agala may do in a Shopify shop, and why: the one table for the API's answer, the grant page and docs/shopify.md.

Sources: Shopify's "Access scopes" documentation, and what the Admin schema says of each webhook topic.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Scope:
    """`why` in English and in Hebrew. `needed`: a shop is not connected without it."""

    name: str
    why: str
    why_he: str
    needed: bool = True

    @property
    def words(self) -> dict[str, str]:
        """Why, by language."""
        return {"en": self.why, "he": self.why_he}


ALL_ORDERS = "read_all_orders"
SCOPES = (
    Scope(
        "read_orders",
        "orders with their refunds, and checkouts that were begun",
        "הזמנות עם ההחזרים שלהן, וקופות שהתחילו",
    ),
    Scope("read_customers", "customers, and what they agreed to be sent", "לקוחות, ומה הסכימו לקבל"),
    Scope(
        "read_products",
        "products, their pictures and prices, and collections as categories",
        "מוצרים, תמונות ומחירים, ואוספים כקטגוריות",
    ),
    Scope(
        "read_inventory",
        "stock, so that a journey knows what is sold out and what is back",
        "מלאי, כדי שמסע יידע מה אזל ומה חזר",
    ),
    Scope("read_fulfillments", "that an order was sent and delivered", "שההזמנה נשלחה והגיעה"),
    Scope(
        "write_discounts",
        "discount codes of one person each, when a journey asks for one",
        "קודי הנחה אישיים, כשמסע מבקש",
    ),
    Scope(
        ALL_ORDERS,
        "orders older than 60 days in the first history; Shopify grants it on request",
        "הזמנות בנות יותר מ־60 יום בהיסטוריה הראשונה; Shopify מאשרת לפי בקשה",
        needed=False,
    ),
)


def asked(all_orders: bool) -> str:
    """The `scope` of the grant page. `all_orders`: Shopify lets the app ask for these; else its page would refuse."""
    return ",".join(scope.name for scope in SCOPES if scope.needed or (all_orders and scope.name == ALL_ORDERS))


def missing(granted: Iterable[str]) -> list[Scope]:
    """Those of our scopes that are not granted. Leave to write is leave to read."""
    given = {name.strip() for name in granted}
    given |= {"read_" + name.removeprefix("write_") for name in given if name.startswith("write_")}
    return [scope for scope in SCOPES if scope.name not in given]
