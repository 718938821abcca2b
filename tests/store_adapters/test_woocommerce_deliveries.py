"""All deliveries of WooCommerce, through the real door: from the signed call to the records."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.commerce.money import Money
from chalicelib.commerce.order import OrderStatus
from chalicelib.commerce.ports import OrderRecord, ProductRecord
from chalicelib.contacts.consent import Channel, ConsentStatus
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.purchases import fact, fold
from chalicelib.handlers.ingest import replay
from chalicelib.store_adapters import woocommerce
from tests.any_order import Listening, Told, listening
from tests.conftest import HandClock
from tests.memory_client import MemoryTables
from tests.store_adapters.woocommerce_shop import (
    PLACED,
    at,
    customer,
    deleted,
    guest,
    line,
    meta,
    order,
    product,
    refund,
    times,
    told,
    variation,
)

NOW = at(3600)
FRENCH = {"country": "FR", "currency": "EUR", "timezone": "Europe/Paris", "locale": "fr"}
ISRAELI = {"country": "IL", "currency": "ILS", "timezone": "Asia/Jerusalem", "locale": "he"}


class Door(Listening):
    """What a test asks of the store that listens."""

    def known_order(self, number: int) -> OrderRecord:
        record: OrderRecord | None = self.parts.orders.get("shop", str(number))
        assert record is not None
        return record

    def order(self, number: int) -> Any:
        return self.known_order(number).order

    def product(self, number: int) -> ProductRecord:
        record: ProductRecord | None = self.parts.products.get("shop", str(number))
        assert record is not None
        return record

    def contact(self, email: str) -> Contact:
        found: Contact | None = self.parts.contacts.find("shop", "email", email)
        assert found is not None
        return found

    def events(self, email: str) -> list[str]:
        told = self.parts.timeline.of_contact("shop", self.contact(email).id)
        return [event.id for event in reversed(told)]

    def returns(self, number: int) -> list[str]:
        happened = self.parts.products.events("shop", str(number))
        return [event.id for event in happened if event.type == "product_back_in_stock"]

    def bought(self, email: str, subject: str, categories: dict[str, list[str]] | None = None) -> tuple[int, int, int]:
        """(orders, units, net total) of what the contact bought of a product or category."""
        purchases = fold(self.parts.contacts.orders("shop", self.contact(email).id))
        found = fact(purchases, subject, categories or {})
        return found.orders, found.units, found.total

    def statuses(self) -> dict[str, int]:
        kinds = ("applied", "repeated", "parked")
        return {kind: len(self.parts.deliveries.list("shop", kind, None, 100)) for kind in kinds}


@pytest.fixture
def shop(tables: MemoryTables) -> Iterator[Door]:
    with listening(tables, HandClock(NOW), FRENCH) as listener:
        listener.__class__ = Door
        assert isinstance(listener, Door)
        yield listener


def euros(amount: int) -> Money:
    return Money(amount=amount, currency="EUR")


@pytest.mark.parametrize("prefix", ["", "wc-"])
@pytest.mark.parametrize(
    ("word", "status", "counted"),
    [
        ("pending", OrderStatus.PENDING, 0),
        ("on-hold", OrderStatus.PENDING, 0),
        ("processing", OrderStatus.PAID, 1),
        ("completed", OrderStatus.COMPLETED, 1),
        ("cancelled", OrderStatus.CANCELLED, 0),
        ("refunded", OrderStatus.REFUNDED, 0),
        ("failed", OrderStatus.FAILED, 0),
    ],
)
def test_an_order_in_every_status(shop: Door, prefix: str, word: str, status: OrderStatus, counted: int) -> None:
    shop.hear([order(70, prefix + word, 5)])
    assert shop.order(70).status is status
    assert shop.contact("zoe@example.test").orders_count == counted
    assert shop.contact("zoe@example.test").total_spent == euros(5000 * counted)


@pytest.mark.parametrize("word", ["checkout-draft", "auto-draft", "draft", "new"])
def test_a_checkout_or_an_edit_screen_that_stands_open_is_no_order(shop: Door, word: str) -> None:
    shop.hear([order(70, word, 0, "order.created")])
    assert shop.parts.orders.get("shop", "70") is None
    assert shop.parts.contacts.list("shop", None, 10) == []
    assert shop.statuses()["applied"] == 1


def test_a_status_of_another_plugin_is_parked_and_replayed_after_a_fix(
    shop: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.hear([order(70, "processing", 1), order(70, "wc-awaiting-shipment", 9)])
    (parked,) = shop.parts.deliveries.list("shop", "parked", None, 10)
    assert parked.reason == "status: no meaning known for “awaiting-shipment”"
    assert shop.order(70).status is OrderStatus.PAID
    monkeypatch.setitem(woocommerce.STATUSES, "awaiting-shipment", OrderStatus.PAID)
    replay("shop", parked.id)
    assert shop.order(70).version.modified_at == at(9)
    assert shop.statuses()["parked"] == 0


def test_refunds_in_parts_and_then_whole(shop: Door) -> None:
    first, rest = refund(90, "20.00"), refund(91, "30.00")
    shop.hear([order(70, "processing", 1), order(70, "processing", 60, refunds=[first])])
    assert (shop.order(70).status, shop.order(70).refunded) == (OrderStatus.PAID, euros(2000))
    zoe = shop.contact("zoe@example.test")
    assert (zoe.orders_count, zoe.total_spent) == (1, euros(3000))
    assert shop.bought("zoe@example.test", "product:12") == (1, 2, 1800), "a refund takes its part of every line"
    shop.hear([order(70, "refunded", 120, refunds=[rest, first])])
    zoe = shop.contact("zoe@example.test")
    assert (shop.order(70).refunded, zoe.orders_count, zoe.total_spent) == (euros(5000), 0, euros(0))
    assert shop.bought("zoe@example.test", "product:12") == (0, 0, 0)
    assert [event for event in shop.events("zoe@example.test") if event.startswith("order_refunded")] == [
        "order_refunded:shop:70:90",
        "order_refunded:shop:70:91",
    ]


def test_refunded_by_hand_is_all_of_it_also_before_the_refund_of_the_rest_is_written(shop: Door) -> None:
    shop.hear([order(70, "refunded", 60, refunds=[refund(90, "20.00")])])
    assert shop.order(70).refunded == euros(5000)


def test_a_refund_that_was_taken_back_is_none(shop: Door) -> None:
    shop.hear([order(70, "processing", 60, refunds=[refund(90, "20.00")]), order(70, "processing", 90, refunds=[])])
    assert shop.contact("zoe@example.test").total_spent == euros(5000)


def test_an_order_deleted_and_restored(shop: Door) -> None:
    shop.hear([order(70, "processing", 1), deleted("order", 70, 2)])
    assert shop.known_order(70).is_deleted
    assert shop.contact("zoe@example.test").orders_count == 0
    shop.hear([order(70, "processing", 1.5), order(70, "trash", 3)])
    assert shop.known_order(70).is_deleted, "a deletion wins over what was told before and after"
    shop.hear([order(70, "processing", 5, "order.restored")])
    assert not shop.known_order(70).is_deleted
    assert shop.contact("zoe@example.test").orders_count == 1


def test_a_deletion_of_what_was_never_told_keeps_a_late_telling_out(shop: Door) -> None:
    shop.hear([deleted("order", 70, 2), order(70, "processing", 1, "order.created")])
    assert shop.known_order(70).is_deleted
    assert shop.contact("zoe@example.test").orders_count == 0


def test_a_guests_orders_are_one_persons_whoever_makes_an_account(shop: Door) -> None:
    shop.hear([order(70, "processing", 1, **guest("Gil@Example.test")), order(71, "processing", 2, **guest())])
    assert shop.contact("gil@example.test").id != shop.contact("guest@example.test").id
    shop.hear([order(72, "processing", 3, **guest("gil@example.test"))])
    assert (shop.contact("gil@example.test").orders_count, shop.contact("gil@example.test").external_ids) == (2, ())
    shop.hear([customer(8, 9, "gil@example.test", "customer.created")])
    assert shop.contact("gil@example.test").external_ids == ("8",)
    assert shop.contact("gil@example.test").orders_count == 2


def test_a_customer_changed_and_deleted(shop: Door) -> None:
    shop.hear([customer(8, 1, "gil@example.test", "customer.created"), order(70, "processing", 2, customer_id=8)])
    shop.hear([customer(8, 30, "gil@work.test", first_name="Gilad")])
    gil = shop.contact("gil@work.test")
    assert (gil.email, gil.first_name, gil.other_emails) == (
        "gil@work.test",
        "Gilad",
        ("gil@example.test", "zoe@example.test"),
    )
    shop.hear([deleted("customer", 8, 40), customer(8, 35, "gil@work.test")])
    gil = shop.contact("gil@work.test")
    assert (gil.external_ids, gil.orders_count) == ((), 1), "the person stays, the account does not come back"


def test_products_of_every_kind(shop: Door) -> None:
    drink = {"id": 7, "name": "Tea &amp; Coffee", "slug": "tea-coffee"}
    shop.hear(
        [
            product(80, 1, name="Cups &#8211; &quot;fine&quot;", categories=[drink], type="simple"),
            product(81, 1, type="variable", price="", variations=[82], stock_status="onbackorder"),
            variation(82, 81, 1),
            product(83, 1, type="grouped", price="", stock_quantity=None, images=[]),
            product(84, 1, type="external", external_url="https://elsewhere.example/", status="private"),
        ]
    )
    simple, variable, one, grouped, external = (shop.product(number).product for number in range(80, 85))
    assert simple and variable and one and grouped and external
    assert simple.name == 'Cups – "fine"'
    assert simple.categories[0].name == "Tea & Coffee"
    assert (variable.price, variable.in_stock, one.parent_id, one.price) == (None, True, "81", euros(2000))
    assert (grouped.image, grouped.stock, external.published) == (None, None, False)


def test_a_product_deleted_and_restored(shop: Door) -> None:
    shop.hear([product(80, 1), deleted("product", 80, 2), product(80, 1.5)])
    assert shop.product(80).is_deleted
    shop.hear([product(80, 9, "product.restored")])
    assert not shop.product(80).is_deleted
    shop.hear([product(80, 10, status="trash")])
    assert shop.product(80).is_deleted


def test_a_product_and_a_variation_come_back_into_stock(shop: Door) -> None:
    out, there = {"stock_status": "outofstock"}, {"stock_status": "instock"}
    shop.hear([product(80, 1, **there), product(80, 10, **out), variation(82, 81, 5, **out)])
    assert (shop.returns(80), shop.product(80).back_by) == ([], "")
    shop.hear([product(80, 20, **there), product(80, 30, price="9.00", **there), variation(82, 81, 40, **there)])
    assert shop.returns(80) == ["product_back_in_stock:shop:80:2026-11-21T21:16:16.000Z"]
    assert shop.product(80).back_by.startswith("2026-11-21T21:16:16.000Z")
    (back,) = shop.parts.products.events("shop", "82")
    assert (back.occurred_at, back.properties) == (at(40), {"product_id": "81", "variation_id": "82"})
    shop.hear([product(80, 50, **out)])
    assert (shop.product(80).back_by, len(shop.returns(80))) == ("", 1)
    shop.hear([product(80, 60, **there)])
    assert len(shop.returns(80)) == 2


def test_a_product_that_was_never_sold_out_does_not_come_back(shop: Door) -> None:
    shop.hear([product(80, seconds, stock_quantity=20 - seconds) for seconds in range(15)])
    assert (shop.returns(80), shop.product(80).back_by) == ([], "")


def test_what_a_product_was_told_is_bounded_and_its_return_stands(shop: Door) -> None:
    shop.hear([product(80, 1, stock_status="outofstock")])
    shop.hear([product(80, seconds, stock_quantity=seconds) for seconds in range(2, 30)])
    assert len(shop.product(80).stock_told) == 12
    assert shop.product(80).back_by.startswith("2026-11-21T21:15:58.000Z")
    assert shop.returns(80) == ["product_back_in_stock:shop:80:2026-11-21T21:15:58.000Z"]


@pytest.mark.parametrize(
    ("currency", "total", "amount"),
    [
        ("JPY", "5000", 5000),
        ("KRW", "5000.00", 5000),
        ("KWD", "12.345", 12345),
        ("BHD", "5.1", 5100),
        ("ILS", "59.90", 5990),
        ("EUR", "0.005", 1),
        ("USD", "1234567.89", 123456789),
    ],
)
def test_currencies_with_any_decimals(shop: Door, currency: str, total: str, amount: int) -> None:
    shop.hear([order(70, "processing", 1, currency=currency, total=total, line_items=[line(12, total)])])
    assert shop.order(70).total == Money(amount=amount, currency=currency)
    assert shop.order(70).items[0].total == Money(amount=amount, currency=currency)
    zoe = shop.contact("zoe@example.test")
    assert (zoe.orders_count, zoe.total_spent) == (1, euros(amount if currency == "EUR" else 0))


def test_prices_with_tax_fees_shipping_and_coupons(shop: Door) -> None:
    shop.hear(
        [
            order(
                70,
                "processing",
                1,
                prices_include_tax=True,
                line_items=[line(12, "42.02", tax="7.98", subtotal="50.42"), line(13, "8.40", tax="1.60")],
                fee_lines=[{"id": 3, "name": "Gift wrap", "total": "4.20", "total_tax": "0.80"}],
                shipping_lines=[{"id": 4, "method_title": "Post", "total": "8.40", "total_tax": "1.60"}],
                coupon_lines=[{"id": 5, "code": "welcome", "discount": "8.40"}, {"id": 6, "code": "TEN"}],
                discount_total="8.40",
                total_tax="11.98",
                total="75.00",
            )
        ]
    )
    told_order = shop.order(70)
    assert told_order.total == euros(7500)
    assert [item.total for item in told_order.items] == [euros(5000), euros(1000)], "fees and postage are no products"
    assert told_order.coupons == ("welcome", "TEN")


def test_an_order_that_costs_nothing_counts(shop: Door) -> None:
    shop.hear([order(70, "completed", 1, total="0.00", line_items=[line(12, "0.00", subtotal="15.00")])])
    assert shop.contact("zoe@example.test").orders_count == 1
    assert not shop.order(70).items[0].included, "a coupon made it free: its price is in no other line"


def test_an_administrators_order_by_telephone(shop: Door) -> None:
    by_phone = {**guest("", "+33 6 39 98 00 01"), "created_via": "admin", "payment_method": ""}
    shop.hear([order(70, "auto-draft", 0, "order.created", **by_phone), order(70, "processing", 30, **by_phone)])
    contact = shop.parts.contacts.find("shop", "phone", "+33639980001")
    assert contact and (contact.email, contact.orders_count) == (None, 1)
    assert contact.consent_for(Channel.EMAIL).status is ConsentStatus.NEVER_ASKED


def test_an_administrators_order_for_nobody_yet(shop: Door) -> None:
    nobody = {**guest(""), "created_via": "admin"}
    shop.hear([order(70, "pending", 1, **nobody)])
    assert shop.known_order(70).contact_id is None
    shop.hear([order(70, "processing", 60, **guest("late@example.test"))])
    assert shop.contact("late@example.test").orders_count == 1
    assert {"order_placed:shop:70", "order_paid:shop:70"} < set(shop.events("late@example.test"))


BUNDLES = {
    "Product Bundles": (
        {"bundled_items": [101, 102]},
        {"bundled_by": 100, "bundled_item_title": "Cup"},
    ),
    "Product Bundles, meta data alone": (
        {"meta_data": meta({"_bundled_items": ["a", "b"], "_bundle_cart_key": "k"})},
        {"meta_data": meta({"_bundled_by": "k", "_bundled_item_priced_individually": "no"})},
    ),
    "Composite Products": ({"composite_children": [101]}, {"composite_parent": "100"}),
    "WPC Product Bundles": (
        {"meta_data": meta({"_woosb_ids": "51/a/1,52/b/1"})},
        {"meta_data": meta({"_woosb_parent_id": "50"})},
    ),
}


@pytest.mark.parametrize("plugin", BUNDLES)
def test_a_bundles_parts_are_not_counted_twice(shop: Door, plugin: str) -> None:
    container, part = BUNDLES[plugin]
    lines = [line(50, "100.00", **container), line(51, "0.00", quantity=2, **part), line(52, "0.00", **part)]
    shop.hear([order(70, "processing", 1, total="110.00", line_items=[*lines, line(53, "10.00")])])
    assert [item.included for item in shop.order(70).items] == [False, True, True, False]
    categories = {number: ["7"] for number in ("50", "51", "52", "53")}
    assert shop.bought("zoe@example.test", "category:7", categories) == (1, 2, 11000), "a bundle and a cup"
    assert shop.bought("zoe@example.test", "product:51") == (1, 2, 0), "still bought"
    assert shop.bought("zoe@example.test", "category:8", {"51": ["8"]}) == (1, 2, 0), "nothing else tells of it there"
    assert shop.contact("zoe@example.test").total_spent == euros(11000)


def test_a_bundle_whose_parts_have_the_prices_is_a_mere_container(shop: Door) -> None:
    container, part = BUNDLES["Product Bundles"]
    lines = [line(50, "0.00", **container), line(51, "30.00", **part), line(52, "20.00", **part)]
    shop.hear([order(70, "processing", 1, line_items=lines)])
    assert [item.included for item in shop.order(70).items] == [True, False, False]
    assert shop.bought("zoe@example.test", "category:7", {n: ["7"] for n in ("50", "51", "52")}) == (1, 2, 5000)


SHAPES: dict[str, Any] = {
    "nothing": None,
    "no list": "",
    "an empty object": {},
    "a list with gaps": {"0": {"id": 1, "key": "_agala_cart_token", "value": "c-1"}, "3": {"key": "x", "value": 1}},
    "scalars": [*meta({"a": 1, "b": 1.5, "c": True, "d": None, "_agala_cart_token": "c-1"})],
    "numbers as text": meta({"_price": "12", "_agala_lifetime_days": "30", "_agala_cart_token": "c-1"}),
    "lists and objects": meta({"a": [1, [2, {"x": None}]], "b": {"0": "x"}, "_agala_cart_token": "c-1"}),
    "serialized": meta({"a": 'a:1:{s:1:"x";i:1;}', "_agala_consent": "a:0:{}", "_agala_cart_token": "c-1"}),
    "keys of any kind": [{"key": 5, "value": 1}, {"key": None}, {}, *meta({"_agala_cart_token": "c-1"})],
    "no objects": ["x", 3, None, [1], *meta({"_agala_cart_token": "c-1"})],
    "ours of a wrong kind": meta(
        {
            "_agala_cart_token": ["c-1"],
            "_agala_locale": {"a": 1},
            "_agala_consent": 7,
            "_agala_occasion": True,
            "_agala_lifetime_days": "long",
        }
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_meta_data_in_every_shape(shop: Door, shape: str) -> None:
    lines = [line(12, "50.00", meta_data=SHAPES[shape])]
    shop.hear([order(70, "processing", 1, meta_data=SHAPES[shape], line_items=lines)])
    shop.hear([product(80, 1, meta_data=SHAPES[shape]), customer(8, 1, "gil@example.test", meta_data=SHAPES[shape])])
    assert shop.statuses() == {"applied": 3, "repeated": 0, "parked": 0}
    assert shop.order(70).cart_token == ("c-1" if "c-1" in json.dumps(SHAPES[shape]) and "ours" not in shape else None)
    assert shop.contact("gil@example.test").consent == {}
    lifetime = shop.product(80).product
    assert lifetime and lifetime.lifetime_days == (30 if shape == "numbers as text" else None)


@pytest.mark.parametrize(
    ("zone", "local", "utc"),
    [
        (FRENCH, "2026-11-21T22:15:56", "2026-11-21T21:15:56"),
        (FRENCH, "2026-07-01T00:30:00", "2026-06-30T22:30:00"),  # summer, and another day
        (FRENCH, "2026-10-25T02:30:00", "2026-10-25T00:30:00"),  # twice on this night: the first
        (FRENCH, "2026-03-29T02:30:00", "2026-03-29T01:30:00"),  # never on this night
        (ISRAELI, "2026-10-25T01:30:00", "2026-10-24T22:30:00"),
        (ISRAELI, "2026-03-27T01:59:59", "2026-03-26T23:59:59"),
        (ISRAELI, "2026-03-27T03:00:00", "2026-03-27T00:00:00"),
    ],
)
def test_times_without_gmt_are_the_shops(tables: MemoryTables, zone: dict[str, str], local: str, utc: str) -> None:
    with listening(tables, HandClock(NOW), zone) as listener:
        without = dict.fromkeys(times(date_created=PLACED, date_modified=PLACED, date_paid=PLACED))
        moments = {**without, "date_created": local, "date_modified": local, "date_paid": local}
        body = {**json.loads(order(70, "processing", 1)[1]), **moments}
        absent = {name: value for name, value in body.items() if not name.endswith("_gmt")}
        listener.hear([told("order.created", body), told("order.updated", absent, 1)])
        placed = listener.parts.orders.get("shop", "70").order
        expected = datetime.fromisoformat(utc).replace(tzinfo=UTC)
        assert (placed.placed_at, placed.paid_at, placed.version.modified_at) == (expected, expected, expected)


def test_gmt_is_believed_before_the_shops_time(shop: Door) -> None:
    shop.hear([order(70, "processing", 1, date_created="1999-01-01T00:00:00", date_paid="0000-00-00T00:00:00")])
    assert (shop.order(70).placed_at, shop.order(70).paid_at) == (PLACED, PLACED)


def test_what_the_shopper_wants_to_be_reminded_of(shop: Door) -> None:
    def said(remind: bool, day: str = "03-31", **more: str) -> str:
        answer = {
            "occasion": "birthday",
            "date": day,
            "remind": remind,
            "text": "Remind me",
            "at": "2026-11-21T21:15:50Z",
        }
        return json.dumps({**answer, **more})

    shop.hear([order(70, "processing", 1, meta_data=meta({"_agala_occasion": said(False)}))])
    assert shop.contact("zoe@example.test").fields == {}, "who does not want to be reminded is not remembered for it"
    shop.hear([order(71, "processing", 2, meta_data=meta({"_agala_occasion": said(True)}))])
    wanted = {"occasion": "birthday", "occasion_date": "2027-03-31", "occasion_reminder": True}
    assert shop.contact("zoe@example.test").fields == wanted
    later = {"occasion": "wedding", "at": "2026-11-21T21:15:55Z"}
    shop.hear([order(72, "pending", 3, meta_data=meta({"_agala_occasion": said(True, "2027-01-02", **later)}))])
    shop.hear([order(71, "completed", 900, meta_data=meta({"_agala_occasion": json.loads(said(True))}))])
    changed = {**wanted, "occasion": "wedding", "occasion_date": "2027-01-02"}
    assert shop.contact("zoe@example.test").fields == changed, "what was said last, not what was told last"
    assert "wedding" not in json.dumps(shop.known_order(72).model_dump(mode="json"))


@pytest.mark.parametrize(
    ("day", "since", "found"),
    [
        ("11-21", "2026-11-21T21:15:50Z", "2026-11-21"),
        ("11-21", "2026-11-21T23:30:00Z", "2027-11-21"),  # the 22nd in the shop
        ("01-01", "2026-11-21T21:15:50Z", "2027-01-01"),
        ("02-29", "2026-11-21T21:15:50Z", "2027-02-28"),
        ("02-29", "2027-12-01T00:00:00Z", "2028-02-29"),
        ("02-30", "2026-11-21T21:15:50Z", None),
        ("2026-02-29", "2026-11-21T21:15:50Z", None),
        ("0000-02-01", "2026-11-21T21:15:50Z", "2027-02-01"),
        ("3-1", "2026-11-21T21:15:50Z", None),
        ("tomorrow", "2026-11-21T21:15:50Z", None),
    ],
)
def test_the_next_day_of_an_occasion(shop: Door, day: str, since: str, found: str | None) -> None:
    said = {"occasion": "other", "date": day, "remind": True, "at": since}
    changed = datetime.fromisoformat(since)
    body = {**times(date_modified=changed), "meta_data": meta({"_agala_occasion": said})}
    shop.hear([order(70, "processing", 1, **body)])
    assert shop.contact("zoe@example.test").fields.get("occasion_date") == found


def test_what_a_customers_account_says_about_being_written_to(shop: Door) -> None:
    """As the plugin adds it to what WooCommerce tells of a customer."""
    choice = {"status": "subscribed", "text": "כן, כתבו לי", "at": "2026-11-21T21:15:58Z", "source": "register"}
    entry = {"id": 0, "key": "_agala_consent", "value": json.dumps({"sms": choice}, ensure_ascii=False)}
    shop.hear([customer(8, 5, "gil@example.test", meta_data=[entry])])
    given = shop.contact("gil@example.test").consent_for(Channel.SMS)
    assert (given.status, given.source, given.text, given.at) == ("subscribed", "register", "כן, כתבו לי", at(2))


def everything() -> dict[str, list[Told]]:
    """Each shape of this file as a story in the order in which it happened."""
    out, there = {"stock_status": "outofstock"}, {"stock_status": "instock"}
    container, part = BUNDLES["Product Bundles"]
    occasion = {"occasion": "birthday", "date": "03-31", "remind": True, "at": "2026-11-21T21:15:56Z"}
    wedding = {**occasion, "occasion": "wedding", "at": "2026-11-21T21:16:30Z"}
    choice = {"status": "subscribed", "text": "Yes", "at": "2026-11-21T21:15:56Z", "source": "checkout"}
    by_phone = {**guest("", "+33 6 39 98 00 01"), "created_via": "admin"}
    return {
        "statuses": [
            *(order(70, word, number) for number, word in enumerate(woocommerce.STATUSES, 1)),
            order(70, "wc-odd", 99),
        ],
        "refunds": [
            order(70, "processing", 1, "order.created"),
            order(70, "processing", 60, refunds=[refund(90, "20.00")]),
            order(70, "refunded", 120, refunds=[refund(90, "20.00"), refund(91, "30.00")]),
        ],
        "deletion": [
            order(70, "processing", 1, "order.created"),
            order(70, "trash", 5),
            deleted("order", 70, 6),
            order(70, "processing", 9, "order.restored"),
            order(71, "processing", 9),
            deleted("order", 71, 10),
        ],
        "people": [
            order(70, "processing", 1, **guest("gil@example.test")),
            customer(8, 9, "gil@example.test", "customer.created", meta_data=meta({"_agala_consent": {"sms": choice}})),
            order(71, "pending", 10, customer_id=8),
            customer(8, 30, "gil@work.test", first_name="Gilad"),
            order(72, "processing", 35, **{**guest("gil@work.test"), "customer_id": 8}),
            deleted("customer", 8, 40),
        ],
        "administrator": [
            order(70, "auto-draft", 0, "order.created", **by_phone),
            order(70, "pending", 2, **by_phone),
            order(70, "processing", 9, **by_phone),
            order(71, "pending", 1, **guest("")),
            order(71, "processing", 60, **guest("late@example.test")),
        ],
        "stock": [
            product(80, 1, "product.created", **there),
            product(80, 10, **out),
            product(80, 20, **there),
            product(80, 30, price="9.00", **there),
            product(80, 40, **out),
            product(80, 41, stock_quantity=0, **out),
            product(80, 50, **there),
            variation(82, 81, 3, **out),
            variation(82, 81, 4, **there),
            variation(82, 81, 5, price="3", **there),
            product(83, 7, **out),
            product(83, 7, price="1.00", **there),  # in one second
            product(84, 2),
            deleted("product", 84, 3),
            product(84, 9, "product.restored", **out),
        ],
        "bundles": [
            order(70, "pending", 1, line_items=[line(50, "100.00", **container), line(51, "0.00", **part)]),
            order(70, "processing", 2, line_items=[line(50, "100.00", **container), line(51, "0.00", **part)]),
            product(51, 3, categories=[{"id": 7, "name": "Cups", "slug": "cups"}]),
        ],
        "plugin": [
            order(70, "pending", 1, meta_data=meta({"_agala_occasion": occasion, "_agala_consent": {"email": choice}})),
            order(71, "processing", 40, meta_data=meta({"_agala_occasion": json.dumps(wedding)})),
            order(70, "completed", 90, meta_data=meta({"_agala_occasion": occasion})),
        ],
        "money": [
            order(70, "processing", 1, currency="JPY", total="5000", line_items=[line(12, "5000")]),
            order(71, "processing", 1, currency="KWD", total="5.125", line_items=[line(12, "5.125")]),
            order(72, "processing", 1, total="12.00", line_items=[line(12, "10.00", tax="2.00")]),
        ],
    }


@pytest.mark.parametrize("story", everything())
def test_any_order_and_any_repeats_end_in_the_same_records(tables: MemoryTables, story: str) -> None:
    def records(deliveries: list[Told]) -> str:
        with listening(tables, HandClock(NOW), FRENCH) as listener:
            listener.hear(deliveries)
            return listener.records()

    happened = everything()[story]
    expected = records(happened)
    if story == "stock":
        assert expected.count('"id": "product_back_in_stock:') == 3, "of 80 twice, of 82 once"
    assert records(happened[::-1]) == expected
    for seed in range(6):
        chance = random.Random(seed)
        some = [one for one in happened for _ in range(chance.choice((1, 1, 2)))]
        chance.shuffle(some)
        assert records(some) == expected, f"seed {seed}"
