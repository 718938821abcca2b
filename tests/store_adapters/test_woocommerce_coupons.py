from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.commerce.coupon import Coupon, CouponTerms, Removal, coupon_code
from chalicelib.commerce.money import Money
from chalicelib.commerce.trouble import ShopTrouble, TroubleCode
from chalicelib.errors import BadInput
from chalicelib.store_adapters.woocommerce_coupons import make_coupon, remove_coupon
from chalicelib.store_adapters.woocommerce_rest import WooCommerceRest
from tests.store_adapters.scripted_shop import Reply
from tests.store_adapters.small_shop import SmallShop, small_shop

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
CAUSE = "01kah3m7q8b4h0v6t9p2e5c1xd-abc:coupon"
TEN = CouponTerms(percent=Decimal(10))
Both = tuple[SmallShop, WooCommerceRest]


@pytest.fixture
def both() -> Iterator[Both]:
    with small_shop() as found:
        yield found


def made(both: Both, terms: CouponTerms, currency: str = "ILS") -> dict[str, Any]:
    """What the shop has after it was asked once."""
    shop, client = both
    coupon = make_coupon(client, CAUSE, terms, currency, NOW)
    kept = shop.kept["coupons"][int(coupon.external_id)]
    assert kept["code"] == coupon.code.lower()
    return kept


def test_a_percentage(both: Both) -> None:
    kept = made(both, CouponTerms(percent=Decimal("12.50")))
    assert (kept["discount_type"], kept["amount"]) == ("percent", "12.5")
    assert (kept["usage_limit"], kept["usage_limit_per_user"]) == (1, 1)
    assert "email_restrictions" not in kept
    assert "date_expires" not in kept


@pytest.mark.parametrize(
    ("amount", "currency", "text"), [(2050, "ILS", "20.50"), (500, "JPY", "500"), (12345, "KWD", "12.345")]
)
def test_an_amount_in_the_currencys_own_digits(both: Both, amount: int, currency: str, text: str) -> None:
    minimum = Money(amount=amount * 2, currency=currency)
    kept = made(both, CouponTerms(amount=Money(amount=amount, currency=currency), minimum=minimum), currency)
    assert (kept["discount_type"], kept["amount"]) == ("fixed_cart", text)
    assert Decimal(kept["minimum_amount"]) == 2 * Decimal(text)


def test_a_gift_is_one_unit_of_it_free(both: Both) -> None:
    terms = CouponTerms(percent=Decimal(100), gift="9", minimum=Money(amount=10000, currency="ILS"))
    kept = made(both, terms)
    assert (kept["discount_type"], kept["amount"], kept["product_ids"]) == ("percent", "100", [9])
    assert (kept["limit_usage_to_x_items"], kept["minimum_amount"]) == (1, "100.00")


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (CouponTerms(percent=Decimal(100), gift="9", products=("1",)), "products"),
        (CouponTerms(percent=Decimal(100), gift="9", categories=("1",)), "categories"),
        (CouponTerms(percent=Decimal(10), minimum_units=2), "minimum_units"),
        (CouponTerms(percent=Decimal(100), gift="tea"), "gift"),
    ],
)
def test_what_no_coupon_of_woocommerce_can_be_is_named(both: Both, terms: CouponTerms, field: str) -> None:
    shop, client = both
    with pytest.raises(BadInput) as caught:
        make_coupon(client, CAUSE, terms, "ILS", NOW)
    assert [mistake.field for mistake in caught.value.mistakes] == [field]
    assert not shop.kept["coupons"]


def test_free_shipping(both: Both) -> None:
    kept = made(both, CouponTerms(free_shipping=True))
    assert (kept["free_shipping"], kept["amount"]) == (True, "0")


def test_for_one_person_until_a_moment_for_some_goods(both: Both) -> None:
    ends = datetime(2026, 12, 1, 23, 59, 59, tzinfo=timezone(timedelta(hours=2)))
    terms = CouponTerms(
        percent=Decimal(10), expires_at=ends, email="dana@shopper.example", products=("12",), categories=("7", "8")
    )
    kept = made(both, terms)
    assert kept["date_expires"] == "2026-12-01T21:59:59Z"
    assert kept["email_restrictions"] == ["dana@shopper.example"]
    assert (kept["product_ids"], kept["product_categories"]) == ([12], [7, 8])


def test_asked_again_it_is_the_same_coupon(both: Both) -> None:
    shop, client = both
    first = make_coupon(client, CAUSE, TEN, "ILS", NOW)
    later = CouponTerms(percent=Decimal(50), expires_at=NOW)
    assert make_coupon(client, CAUSE, later, "ILS", NOW + timedelta(days=1)) == first
    assert [c["amount"] for c in shop.kept["coupons"].values()] == ["10"]
    assert make_coupon(client, "another", TEN, "ILS", NOW) != first


def test_a_coupon_that_was_made_before_the_shop_failed_is_found(both: Both) -> None:
    shop, client = both
    shop.fail_once("POST", Reply(502, b"<html>bad gateway</html>"), after=True)
    with pytest.raises(ShopTrouble) as trouble:
        make_coupon(client, CAUSE, TEN, "ILS", NOW)
    assert not trouble.value.lasting
    assert make_coupon(client, CAUSE, TEN, "ILS", NOW) == Coupon(coupon_code(CAUSE), "42")
    assert len(shop.kept["coupons"]) == 1


def test_two_attempts_at_once_come_to_one_coupon(both: Both) -> None:
    shop, client = both
    shop.add("coupons", code=coupon_code(CAUSE).lower(), amount="10")
    shop.fail_once("GET", Reply.json([]))  # looked a moment before the other attempt made it
    assert make_coupon(client, CAUSE, TEN, "ILS", NOW) == Coupon(coupon_code(CAUSE), "42")
    assert len(shop.kept["coupons"]) == 1


def test_another_coupon_is_not_taken_for_ours(both: Both) -> None:
    shop, client = both
    shop.add("coupons", code="summer", amount="5")
    shop.fail_once("GET", Reply.json([{"id": 42, "code": "summer"}]))  # a shop that ignores the filter
    assert make_coupon(client, CAUSE, TEN, "ILS", NOW).external_id == "43"


def test_a_shop_that_refuses_says_why_in_words(both: Both) -> None:
    shop, client = both
    shop.fail_once(
        "POST", Reply.json({"code": "woocommerce_rest_cannot_create", "message": "dana@shopper.example"}, 403)
    )
    with pytest.raises(ShopTrouble) as trouble:
        make_coupon(client, CAUSE, CouponTerms(percent=Decimal(10), email="dana@shopper.example"), "ILS", NOW)
    assert trouble.value.code is TroubleCode.NOT_ALLOWED
    assert "dana" not in str(trouble.value)


def test_an_answer_that_is_no_coupon_is_trouble(both: Both) -> None:
    shop, client = both
    shop.fail_once("POST", Reply.json({"fine": True}, 201))
    with pytest.raises(ShopTrouble) as trouble:
        make_coupon(client, CAUSE, TEN, "ILS", NOW)
    assert trouble.value.code is TroubleCode.BROKEN_ANSWER


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (CouponTerms(), "amount"),
        (CouponTerms(amount=Money(amount=100, currency="EUR")), "amount"),
        (CouponTerms(amount=Money(amount=0, currency="ILS")), "amount"),
        (CouponTerms(amount=Money(amount=100, currency="ILS"), percent=Decimal(5)), "percent"),
        (CouponTerms(percent=Decimal(0)), "percent"),
        (CouponTerms(percent=Decimal(101)), "percent"),
        (CouponTerms(percent=Decimal("NaN")), "percent"),
        (CouponTerms(percent=Decimal(5), minimum=Money(amount=-1, currency="ILS")), "minimum"),
        (CouponTerms(percent=Decimal(5), expires_at=NOW), "expires_at"),
        (CouponTerms(percent=Decimal(5), products=("12; drop",)), "products"),
        (CouponTerms(percent=Decimal(5), usage_limit=0), "usage_limit"),
    ],
)
def test_terms_that_cannot_be_are_named_and_nothing_is_made(both: Both, terms: CouponTerms, field: str) -> None:
    shop, client = both
    with pytest.raises(BadInput) as refused:
        make_coupon(client, CAUSE, terms, "ILS", NOW)
    assert [mistake.field for mistake in refused.value.mistakes] == [field]
    assert shop.kept["coupons"] == {}


@settings(max_examples=50)
@given(one=st.text(max_size=60), other=st.text(max_size=60))
def test_a_code_is_its_causes_own(one: str, other: str) -> None:
    assert (coupon_code(one) == coupon_code(other)) == (one == other)
    assert len(coupon_code(one)) == 14


def test_an_ended_coupon_goes_for_good_unless_an_order_used_it(both: Both) -> None:
    shop, client = both
    used, unused = (make_coupon(client, cause, TEN, "ILS", NOW) for cause in ("used", "unused"))
    for told in shop.kept["coupons"].values():
        told["usage_count"] = int(told["code"] == used.code.lower())
    assert [remove_coupon(client, one.code) for one in (used, unused, unused)] == [
        Removal.USED,
        Removal.REMOVED,
        Removal.GONE,
    ]
    assert [told["code"] for told in shop.kept["coupons"].values()] == [used.code.lower()]
