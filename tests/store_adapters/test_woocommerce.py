from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.commerce.customer import Customer
from chalicelib.commerce.money import Money
from chalicelib.commerce.order import Order, OrderStatus
from chalicelib.commerce.product import Category, Product
from chalicelib.contacts.consent import Channel, ConsentStatus
from chalicelib.store_adapters import adapter_for
from chalicelib.store_adapters.base import (
    CustomerDeleted,
    Nothing,
    OrderDeleted,
    OrderRestored,
    ProductDeleted,
    ProductRestored,
    Unintelligible,
)
from tests.recorded import NAMES, WOOCOMMERCE, load_json
from tests.store_adapters.deliveries import recorded, store, told


def order(topic: str = "order.updated", **changed: Any) -> Order:
    (change,) = told({**load_json("order.updated"), **changed}, topic)
    assert isinstance(change, Order)
    return change


def customer(**changed: Any) -> Customer:
    (change,) = told({**load_json("customer.created"), **changed}, "customer.updated")
    assert isinstance(change, Customer)
    return change


def product(**changed: Any) -> Product:
    (change,) = told({**load_json("product.updated"), **changed}, "product.updated")
    assert isinstance(change, Product)
    return change


@pytest.mark.parametrize("name", [name for name in NAMES if name != "ping"])
def test_every_recorded_delivery_is_understood(name: str) -> None:
    assert adapter_for("woocommerce").parse(recorded(name), store())


def test_the_recorded_payment_in_our_words() -> None:
    paid = order()
    assert (paid.external_id, paid.number, paid.status) == ("15", "15", OrderStatus.PAID)
    assert paid.total == Money(amount=5000, currency="EUR")
    assert paid.placed_at == datetime(2026, 11, 21, 21, 15, 56, tzinfo=UTC)
    assert paid.paid_at == paid.version.modified_at == datetime(2026, 11, 21, 21, 15, 57, tzinfo=UTC)
    assert paid.person.email == "zoe@example.test"
    assert (paid.person.customer_id, paid.person.country) == ("2", "FR")
    mug, shirt = paid.items
    assert (mug.product_id, mug.variation_id, mug.quantity, mug.total.amount) == ("12", None, 2, 3000)
    assert (shirt.product_id, shirt.variation_id) == ("13", "14")


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("pending", OrderStatus.PENDING),
        ("on-hold", OrderStatus.PENDING),
        ("processing", OrderStatus.PAID),
        ("completed", OrderStatus.COMPLETED),
        ("cancelled", OrderStatus.CANCELLED),
        ("refunded", OrderStatus.REFUNDED),
        ("failed", OrderStatus.FAILED),
    ],
)
def test_each_status_has_its_word(word: str, status: OrderStatus) -> None:
    assert order(status=word).status is status


def test_an_unknown_status_is_parked_by_its_name_cleaned() -> None:
    with pytest.raises(Unintelligible, match="“shipped-x”"):
        order(status="wc-shipped-X\u202e<b>"[:12])


@pytest.mark.parametrize("word", ["checkout-draft", "auto-draft"])
def test_a_checkout_that_merely_opened_is_no_order(word: str) -> None:
    (change,) = told({**load_json("order.created"), "status": word}, "order.created")
    assert isinstance(change, Nothing)


def test_an_order_in_the_trash_is_deleted_at_its_own_time() -> None:
    (change,) = told({**load_json("order.updated"), "status": "trash"}, "order.updated")
    assert isinstance(change, OrderDeleted)
    assert change.version.modified_at == datetime(2026, 11, 21, 21, 15, 57, tzinfo=UTC)


def test_an_order_paid_without_a_time_is_paid_at_a_time_that_no_telling_moves() -> None:
    imported = order(date_paid=None, date_paid_gmt=None, date_modified_gmt="2026-12-01T00:00:00")
    assert imported.paid_at == imported.placed_at
    assert order(status="pending", date_paid=None, date_paid_gmt=None).paid_at is None


def test_store_time_is_read_in_the_stores_zone_where_utc_is_not_told() -> None:
    assert order(date_created_gmt=None, date_created="2026-11-21T22:15:56").placed_at == order().placed_at
    changed = {"date_created_gmt": "2026-11-21T21:15:56", "date_created": "1999-01-01T00:00:00"}
    assert order(**changed).placed_at == order().placed_at


def test_refunds_are_added_up_and_refunded_by_hand_means_all() -> None:
    part = order(refunds=[{"id": 40, "reason": "", "total": "-10.50"}, {"id": 41, "total": "-2"}])
    assert part.refunded.amount == 1250
    assert [refund.external_id for refund in part.refunds] == ["40", "41"]
    assert order(status="refunded", refunds=[]).net.amount == 0


def test_a_line_is_what_the_shopper_paid_for_it_tax_included() -> None:
    line = {**load_json("order.updated")["line_items"][0], "total": "42.74", "total_tax": "7.26"}
    assert order(line_items=[line]).items[0].total.amount == 5000


def test_currencies_without_hundredths_are_whole() -> None:
    assert order(currency="JPY", total="5000").total == Money(amount=5000, currency="JPY")


def test_what_the_plugin_left_on_an_order_is_read() -> None:
    consent = {
        "email": {"status": "subscribed", "text": "Yes, write to me", "at": "2026-11-21T21:15:50Z"},
        "sms": {"status": "unsubscribed", "at": "2099-01-01T00:00:00Z"},
        "whatsapp": {"status": "perhaps"},
    }
    for value in (consent, json.dumps(consent)):
        meta = [
            {"id": 1, "key": "_agala_consent", "value": value},
            {"id": 2, "key": "_agala_cart_token", "value": "c-1"},
            {"id": 3, "key": "_agala_locale", "value": "he"},
            {"id": 4, "key": {"of": "another plugin"}, "value": [[]]},
        ]
        with_meta = order(meta_data=meta)
        assert (with_meta.cart_token, with_meta.person.locale) == ("c-1", "he")
        email, sms = with_meta.consent
        assert (email.channel, email.consent.status) == (Channel.EMAIL, ConsentStatus.SUBSCRIBED)
        assert (email.consent.text, email.consent.source) == ("Yes, write to me", "checkout")
        assert sms.consent.at == with_meta.version.modified_at, "nobody chose after the record was told"


def test_deletions_have_a_version_made_of_the_body_alone() -> None:
    first = told(b'{"id":18}', "order.deleted")
    assert first == adapter_for("woocommerce").parse(recorded("order.deleted"), store(timezone="Asia/Jerusalem"))
    assert isinstance(first[0], OrderDeleted)
    assert first[0].external_id == "18"
    assert isinstance(told({"id": 1}, "customer.deleted")[0], CustomerDeleted)
    assert isinstance(told({"id": 1}, "product.deleted")[0], ProductDeleted)


def test_restored_lifts_the_deletion_and_tells_the_record() -> None:
    lifted, again = told(load_json("order.updated"), "order.restored")
    assert isinstance(lifted, OrderRestored)
    assert isinstance(again, Order)
    assert lifted.version == again.version
    lifted_product, _ = told(load_json("product.updated"), "product.restored")
    assert isinstance(lifted_product, ProductRestored)


def test_a_customer_who_never_changed_dates_from_creation() -> None:
    fresh = customer(date_modified=None, date_modified_gmt=None)
    assert fresh.version.modified_at == fresh.created_at
    assert fresh.person.customer_id == "2"
    assert customer(email="", billing=[]).person.email is None


def test_a_variation_knows_its_parent_and_a_product_its_categories() -> None:
    (variation,) = adapter_for("woocommerce").parse(recorded("product.created"), store())
    assert isinstance(variation, Product)
    assert (variation.external_id, variation.parent_id) == ("14", "13")
    mug = product(meta_data=[{"key": "_agala_lifetime_days", "value": "30"}], stock_status="outofstock")
    assert mug.categories == (Category(id="15", name="Uncategorized"),)
    assert (mug.price, mug.stock, mug.in_stock, mug.lifetime_days) == (
        Money(amount=1500, currency="EUR"),
        20,
        False,
        30,
    )
    assert product(status="draft").published is False


def test_since_when_shoppers_see_a_product() -> None:
    """WooCommerce tells no time of publishing: the recorded product's own date is taken."""
    assert product().published_at == datetime(2026, 11, 21, 21, 15, 50, tzinfo=UTC)
    assert product(status="draft").published_at is None
    assert product(catalog_visibility="hidden").published_at is None, "who has its address may buy it"
    assert product(catalog_visibility="search").published_at is not None
    assert product(variations=[14, 15, "x", None, 0]).variants == ("14", "15")
    assert product(variations="none").variants == ()


def test_only_web_links_come_through() -> None:
    images = [{"id": 1, "src": "javascript:alert(1)"}, {"id": 2, "src": "https://shop.example/mug.jpg"}]
    assert product(images=images).image == "https://shop.example/mug.jpg"
    assert product(permalink="data:text/html,x").url is None


@pytest.mark.parametrize("topic", ["action.woocommerce_add_to_cart", "coupon.created", "nonsense"])
def test_topics_without_use_do_nothing(topic: str) -> None:
    (change,) = told(b"not even JSON", topic)
    assert isinstance(change, Nothing)


def test_a_delivery_without_a_topic_is_parked() -> None:
    with pytest.raises(Unintelligible, match="topic"):
        told({"id": 1}, "")


def test_a_record_gone_before_it_was_told_is_nothing() -> None:
    gone = json.loads((WOOCOMMERCE / "rest" / "error-404.json").read_text())["body"]
    (change,) = told(gone, "order.updated")
    assert isinstance(change, Nothing)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", None),
        ("id", True),
        ("id", "1#2"),
        ("total", "ten"),
        ("total", None),
        ("total", "1E+999999999"),
        ("currency", "euro"),
        ("line_items", None),
        ("line_items", {"0": {}}),
        ("line_items", ["x"]),
        ("date_created_gmt", "yesterday"),
        ("date_modified_gmt", 5),
        ("date_modified_gmt", "9999-12-31T23:59:59-12:00"),
        ("billing", "x"),
        ("status", ["processing"]),
        ("meta_data", "x"),
        ("coupon_lines", [{"code": ["x"]}]),
    ],
)
def test_a_surprise_is_named_by_its_field_and_never_quoted(field: str, value: Any) -> None:
    with pytest.raises(Unintelligible) as parked:
        order(**{field: value})
    assert str(parked.value).startswith(field)


def test_strings_are_cleaned_and_bounded() -> None:
    billing = {
        **load_json("order.updated")["billing"],
        "first_name": "\x00זו\u200fהר \ud83d\ude00\ud800",
        "last_name": "x" * 9999,
    }
    person = order(billing=billing).person
    assert person.first_name == "זו\u200fהר 😀\ufffd"
    assert len(person.last_name or "") == 200
