"""Bodies that are not as Shopify's documentation promises: nulls, huge ids, other currencies, words we do not know."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest

from chalicelib.commerce.change import StockTold
from chalicelib.commerce.money import Money
from chalicelib.commerce.order import Order
from chalicelib.commerce.product import Product
from chalicelib.store_adapters.base import Change, Unintelligible
from tests.store_adapters.deliveries import told
from tests.store_adapters.shopify_bodies import BODIES, LEVEL, ORDER, PRODUCT

# What a record cannot be without; all else may be null. (A second way to tell it, as a body has it, may stand in.)
NEEDED = {
    "orders/updated": {"id", "line_items", "refunds[0].id", "refunds[0].transactions[0].amount"},
    "orders/delete": {"id"},
    "checkouts/update": {"token"},
    "fulfillments/update": {"order_id"},
    "customers/update": {"id"},
    "customers/delete": {"id"},
    # A choice without its time could not be set against a later one.
    "customers_email_marketing_consent/update": {
        "email_marketing_consent",
        "email_marketing_consent.consent_updated_at",
    },
    "customers_marketing_consent/update": {"sms_marketing_consent", "sms_marketing_consent.consent_updated_at"},
    "customers_whats_app_marketing_consent/update": {
        "whatsapp_marketing_consent",
        "whatsapp_marketing_consent.consent_updated_at",
    },
    "products/update": {"id", "variants[0].id", "collections[0].id"},
    "products/delete": {"id"},
    "inventory_levels/update": {"inventory_item_id", "location_id"},
    "inventory_levels/connect": {"inventory_item_id", "location_id"},
    "inventory_levels/disconnect": {"inventory_item_id", "location_id"},
    "collections/update": {"id"},
    "collections/delete": {"id"},
    "customers/redact": set(),
    "shop/redact": {"shop_id"},
}
# Told without these, what is left cannot be put into the shop's money, and is parked by the nearest name.
_RATE = {"total_price_set", "total_price_set.shop_money", "total_price_set.presentment_money"}
_RATE |= {f"{part}.amount" for part in sorted(_RATE) if "." in part}


def places(value: Any, path: str = "") -> list[tuple[str, Any, Any]]:
    """Every (path, container, key) of a body."""
    found: list[tuple[str, Any, Any]] = []
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        here = f"{path}[{key}]" if isinstance(key, int) else f"{path}.{key}" if path else key
        found += [(here, value, key), *places(inner, here)]
    return found


def parked_without(topic: str, nothing: Any) -> dict[str, str]:
    """Path → the reason, for every field that was made `nothing` on its own and could not be missed."""
    found = {}
    for number, (path, _, _) in enumerate(places(BODIES[topic])):
        body = copy.deepcopy(BODIES[topic])
        _, container, key = places(body)[number]
        if nothing is not None and not isinstance(container[key], str):
            continue
        container[key] = nothing
        try:
            assert told(body, topic, "shopify")
        except Unintelligible as parked:
            found[path] = str(parked)
    return found


@pytest.mark.parametrize("topic", BODIES)
def test_a_null_is_missed_only_where_the_record_means_nothing_without_it(topic: str) -> None:
    parked = parked_without(topic, None)
    assert parked.keys() - (_RATE if topic == "orders/updated" else set()) == NEEDED[topic]
    for path, reason in parked.items():
        field = "total_price_set" if path in _RATE else path
        assert reason.startswith(field) or reason.endswith(": expected a consent on some channel"), reason


@pytest.mark.parametrize("topic", BODIES)
def test_an_empty_text_is_a_null(topic: str) -> None:
    assert parked_without(topic, "").keys() - _RATE <= NEEDED[topic]
    assert parked_without(topic, "  ").keys() - _RATE <= NEEDED[topic]


def test_what_is_null_has_a_sensible_stand_in() -> None:
    def order(**changed: Any) -> Order:
        return one({**ORDER, **changed}, "orders/updated", Order)

    assert order(total_price=None).total == order().total == Money(amount=5000, currency="EUR")
    assert order(current_total_price=None).total == order().total
    assert order(processed_at=None).placed_at == order().placed_at
    assert order(updated_at=None).version.modified_at == order().placed_at
    assert order(currency=None).total.currency == "EUR", "the store's"
    assert order(name=None).number == "1001"
    assert order(name=None, order_number=None).number == order().external_id
    assert order(line_items=[{**ORDER["line_items"][0], "quantity": None}]).items[0].quantity == 1
    assert order(line_items=[None, ORDER["line_items"][0]]).items == order().items
    assert one({**PRODUCT, "updated_at": None}, "products/update", Product).version.modified_at.day == 1
    assert not one({**PRODUCT, "published_at": None}, "products/update", Product).published
    told_at = one({**LEVEL, "updated_at": None}, "inventory_levels/update", StockTold).version.modified_at
    assert told_at.isoformat() == "2026-11-21T22:00:00+00:00", "when it came"


ID = 2**63 - 5
IDENTIFIED: list[tuple[str, str, Any]] = [
    ("orders/updated", "id", lambda change: change.external_id),
    ("orders/updated", "line_items[0].product_id", lambda change: change.items[0].product_id),
    ("orders/updated", "line_items[0].variant_id", lambda change: change.items[0].variation_id),
    ("orders/updated", "customer.id", lambda change: change.person.customer_id),
    ("orders/updated", "refunds[0].id", lambda change: change.refunds[0].external_id),
    ("orders/delete", "id", lambda change: change.external_id),
    ("checkouts/update", "line_items[0].variant_id", lambda change: change.items[0].variation_id),
    ("fulfillments/update", "order_id", lambda change: change.external_id),
    ("customers/update", "id", lambda change: change.external_id),
    ("customers/delete", "id", lambda change: change.external_id),
    ("customers_email_marketing_consent/update", "customer_id", lambda change: change.person.customer_id),
    ("products/update", "variants[0].id", lambda change: change.external_id),
    ("products/update", "variants[0].inventory_item_id", lambda change: change.inventory_item),
    ("products/update", "id", lambda change: change.parent_id),
    ("products/update", "collections[0].id", lambda change: change.collections[0].id),
    ("products/delete", "id", lambda change: change.external_id),
    ("inventory_levels/update", "inventory_item_id", lambda change: change.item),
    ("inventory_levels/update", "location_id", lambda change: change.level.place),
    ("collections/update", "id", lambda change: change.external_id),
    ("collections/delete", "id", lambda change: change.external_id),
    ("customers/redact", "customer.id", lambda change: change.customer_id),
]


@pytest.mark.parametrize(("topic", "path", "read"), IDENTIFIED, ids=[f"{t} {p}" for t, p, _ in IDENTIFIED])
def test_an_id_of_any_size_is_exact_however_it_is_spelt(topic: str, path: str, read: Any) -> None:
    for number in (7, 2**53 + 1, ID, 10**30 + 1):
        for spelt in (number, str(number), f" {number} ", f"gid://shopify/Anything/{number}"):
            assert read(with_value(topic, path, spelt)[0]) == str(number)


@pytest.mark.parametrize(
    ("topic", "path"), [(t, p) for t, p, _ in IDENTIFIED if p not in ("id", "order_id", "customer_id")]
)
@pytest.mark.parametrize("wrong", [1e30, 1.5, True, {}, ["1"], "gid://shopify/Order/", "1 2", "x" * 65, "\u0661/"])
def test_what_is_no_id_is_parked_by_its_field(topic: str, path: str, wrong: Any) -> None:
    with pytest.raises(Unintelligible, match=re.escape(path) + ": expected an id"):
        with_value(topic, path, wrong)


@pytest.mark.parametrize(
    ("topic", "path"),
    [
        ("orders/updated", "financial_status"),
        ("orders/updated", "customer.email_marketing_consent.state"),
        ("customers/update", "sms_marketing_consent.state"),
        ("customers_email_marketing_consent/update", "email_marketing_consent.state"),
        ("products/update", "status"),
        ("products/update", "variants[0].inventory_policy"),
    ],
)
def test_a_word_that_we_do_not_know_is_parked_by_its_field_and_not_quoted(topic: str, path: str) -> None:
    with pytest.raises(Unintelligible) as parked:
        with_value(topic, path, "bartered")
    assert str(parked.value).startswith(f"{path}: expected")
    assert "bartered" not in str(parked.value)


@pytest.mark.parametrize("huge", [10**400, -(10**400), 1e300, "9" * 400, "1e500"])
def test_numbers_without_sense_are_parked_by_their_field(huge: Any) -> None:
    for topic, path in [
        ("orders/updated", "total_price"),
        ("orders/updated", "line_items[0].quantity"),
        ("products/update", "variants[0].inventory_quantity"),
        ("products/update", "variants[0].price"),
        ("inventory_levels/update", "available"),
    ]:
        with pytest.raises(Unintelligible) as parked:
            with_value(topic, path, huge)
        assert str(parked.value).startswith(f"{path}: expected")


@pytest.mark.parametrize(
    ("shop", "total", "seen", "presented", "expected"),
    [
        ("ILS", "200.00", "USD", "55.10", (20000, 5510)),
        ("JPY", "5000", "USD", "33.25", (5000, 3325)),
        ("EUR", "50.00", "JPY", "8100", (5000, 8100)),
        ("EUR", "50.00", "JPY", "8100.0", (5000, 8100)),
        ("KWD", "12.345", "EUR", "37.04", (12345, 3704)),
        ("EUR", "37.04", "BHD", "14.999", (3704, 14999)),
    ],
)
def test_a_total_is_in_the_shops_money_and_beside_it_as_the_shopper_saw_it(
    shop: str, total: str, seen: str, presented: str, expected: tuple[int, int]
) -> None:
    totals = {
        "shop_money": {"amount": total, "currency_code": shop},
        "presentment_money": {"amount": presented, "currency_code": seen},
    }
    bare = {"fulfillments": [], "refunds": [], "line_items": [], "current_total_price": total}
    body = {**ORDER, **bare, "currency": shop, "presentment_currency": seen, "total_price": total}
    order = one({**body, "current_total_price_set": None, "total_price_set": totals}, "orders/updated", Order)
    assert order.total == Money(amount=expected[0], currency=shop)
    assert order.presentment_total == Money(amount=expected[1], currency=seen)
    transaction = {"kind": "refund", "status": "success", "amount": presented, "currency": seen}
    refunded = one(
        {**body, "total_price_set": totals, "refunds": [{"id": 1, "transactions": [transaction]}]},
        "orders/updated",
        Order,
    )
    assert refunded.refunded == Money(amount=expected[0], currency=shop)


def test_an_edited_order_shows_the_shopper_the_edited_total() -> None:
    edited = one({**ORDER, "refunds": [], "current_total_price": "40.00"}, "orders/updated", Order)
    assert (edited.total.amount, edited.presentment_total) == (4000, Money(amount=4400, currency="USD"))


def test_a_total_in_the_shops_own_currency_is_not_shown_twice() -> None:
    own = {
        "shop_money": {"amount": "50.00", "currency_code": "EUR"},
        "presentment_money": {"amount": "50.00", "currency_code": "EUR"},
    }
    body = {**ORDER, "refunds": [], "presentment_currency": "EUR"}
    for totals in (own, None, {}, {"presentment_money": None}):
        assert one({**body, "total_price_set": totals}, "orders/updated", Order).presentment_total is None


def one(body: dict[str, Any], topic: str, kind: type[Any]) -> Any:
    (change,) = [one for one in told(json.loads(json.dumps(body)), topic, "shopify") if isinstance(one, kind)][-1:]
    return change


def with_value(topic: str, path: str, value: Any) -> list[Change]:
    body = copy.deepcopy(BODIES[topic])
    ((container, key),) = [(container, key) for here, container, key in places(body) if here == path]
    container[key] = value
    return told(body, topic, "shopify")
