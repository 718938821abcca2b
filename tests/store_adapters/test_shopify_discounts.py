from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.commerce.coupon import Coupon, CouponTerms, Removal, coupon_code
from chalicelib.commerce.money import Money
from chalicelib.commerce.store import Store
from chalicelib.commerce.trouble import ShopTrouble, TroubleCode
from chalicelib.errors import BadInput
from chalicelib.settings import Settings
from chalicelib.store_adapters.shopify_admin import ShopifyAdmin
from chalicelib.store_adapters.shopify_discounts import make_coupon
from chalicelib.store_adapters.woocommerce_rest import WooCommerceRest
from chalicelib.wiring import Wiring
from tests.conftest import HandClock
from tests.store_adapters.deliveries import store

if TYPE_CHECKING:
    from tests.shopify.fake import FakeShopify

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
CAUSE = "01kah3m7q8b4h0v6t9p2e5c1xd-abc:coupon"
TEN = CouponTerms(percent=Decimal(10))
ASKED = {
    "discount_make_basic": "discountCodeBasicCreate",
    "discount_make_bxgy": "discountCodeBxgyCreate",
    "discount_make_free_shipping": "discountCodeFreeShippingCreate",
}


class _Pasted:
    def __init__(self, token: str) -> None:
        self._token = token

    def access_token(self, renew: bool = False) -> str:
        return self._token


class _Wired(Wiring):
    """One Shopify shop, and one WooCommerce shop that nobody may ask."""

    def __init__(self, fake: FakeShopify, clock: HandClock) -> None:
        super().__init__(Settings.from_environment({}))
        self.fake, self.clock = fake, clock

    def shopify_admin(self, store: Store) -> ShopifyAdmin:
        address, token = self.fake.address("tea.myshopify.com"), self.fake.shop("tea.myshopify.com").token
        return ShopifyAdmin(address, _Pasted(token), private_addresses=True)

    def shop_rest(self, store: Store) -> WooCommerceRest:
        raise ShopTrouble(TroubleCode.NO_KEY)


class Codes:
    """A shop's discount codes: each once, whatever its letters' size. `before` may raise, or make one meanwhile."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Any]] = {}
        self.against: list[dict[str, Any]] = []
        self.before: Callable[[str], None] = lambda document: None
        self.after: Callable[[str], None] = lambda document: None

    def ask(self, document: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        given = dict(variables or {})
        self.before(document)
        if document == "discount_by_code":
            found = self.kept.get(given["code"].lower())
            return {"codeDiscountNodeByCode": {"id": found["id"]} if found else None}
        answer = {ASKED[document]: self.make(given["discount"])}
        self.after(document)
        return answer

    def make(self, discount: dict[str, Any]) -> dict[str, Any]:
        code = discount["code"].lower()
        if code in self.kept:
            return {"codeDiscountNode": None, "userErrors": [{"code": "TAKEN"}]}
        if self.against:
            return {"codeDiscountNode": None, "userErrors": self.against}
        number = 9_007_199_254_740_993 + len(self.kept)
        self.kept[code] = {"id": f"gid://shopify/DiscountCodeNode/{number}", **discount}
        return {"codeDiscountNode": {"id": self.kept[code]["id"]}, "userErrors": []}


@pytest.fixture
def codes() -> Codes:
    return Codes()


def made(codes: Codes, terms: CouponTerms, currency: str = "EUR", customer: str | None = None) -> dict[str, Any]:
    coupon = make_coupon(codes, CAUSE, terms, currency, NOW, customer)
    kept = codes.kept[coupon.code.lower()]
    assert kept["id"].endswith(f"/{coupon.external_id}")
    return kept


@pytest.mark.parametrize(
    ("percent", "fraction"), [("10", 0.1), ("7", 0.07), ("12.50", 0.125), ("100", 1), ("0.1", 0.001)]
)
def test_a_percentage_is_an_exact_fraction(codes: Codes, percent: str, fraction: float) -> None:
    kept = made(codes, CouponTerms(percent=Decimal(percent)))
    assert kept["customerGets"] == {"value": {"percentage": fraction}, "items": {"all": True}}
    assert (kept["usageLimit"], kept["appliesOncePerCustomer"]) == (1, True)
    assert (kept["code"], kept["startsAt"]) == (coupon_code(CAUSE), "2026-11-22T10:00:00Z")
    assert not {"endsAt", "minimumRequirement", "customerSelection"} & kept.keys()


@pytest.mark.parametrize(
    ("amount", "currency", "text"), [(2050, "ILS", "20.50"), (500, "JPY", "500"), (12345, "KWD", "12.345")]
)
def test_an_amount_in_the_currencys_own_digits(codes: Codes, amount: int, currency: str, text: str) -> None:
    minimum = Money(amount=amount * 2, currency=currency)
    kept = made(codes, CouponTerms(amount=Money(amount=amount, currency=currency), minimum=minimum), currency)
    assert kept["customerGets"]["value"] == {"discountAmount": {"amount": text, "appliesOnEachItem": False}}
    assert Decimal(kept["minimumRequirement"]["subtotal"]["greaterThanOrEqualToSubtotal"]) == 2 * Decimal(text)


def test_free_shipping_is_a_discount_of_its_own(codes: Codes) -> None:
    kept = made(codes, CouponTerms(free_shipping=True))
    assert kept["destination"] == {"all": True}
    assert "customerGets" not in kept


def test_one_unit_of_a_gift_comes_with_what_is_bought(codes: Codes) -> None:
    kept = made(codes, CouponTerms(percent=Decimal(100), gift="9", products=("12",), minimum_units=2))
    assert kept["customerBuys"] == {
        "items": {"products": {"productsToAdd": ["gid://shopify/Product/12"]}},
        "value": {"quantity": "2"},
    }
    assert kept["customerGets"] == {
        "items": {"products": {"productsToAdd": ["gid://shopify/Product/9"]}},
        "value": {"discountOnQuantity": {"quantity": "1", "effect": {"percentage": 1.0}}},
    }
    assert (kept["usesPerOrderLimit"], "minimumRequirement" in kept) == (1, False)


def test_a_number_of_units_may_be_asked_for(codes: Codes) -> None:
    kept = made(codes, CouponTerms(percent=Decimal(10), minimum_units=3))
    assert kept["minimumRequirement"] == {"quantity": {"greaterThanOrEqualToQuantity": "3"}}


def test_for_one_customer_until_a_moment_for_some_goods(codes: Codes) -> None:
    ends = datetime(2026, 12, 1, 23, 59, 59, tzinfo=timezone(timedelta(hours=2)))
    terms = CouponTerms(percent=Decimal(10), expires_at=ends, email="dana@shopper.example", products=("12", "13"))
    kept = made(codes, terms, customer="9007199254740995")
    assert kept["endsAt"] == "2026-12-01T21:59:59Z"
    assert kept["context"] == {"customers": {"add": ["gid://shopify/Customer/9007199254740995"]}}
    products = {"productsToAdd": ["gid://shopify/Product/12", "gid://shopify/Product/13"]}
    assert kept["customerGets"]["items"] == {"products": products}
    assert "dana" not in str(codes.kept)


def test_of_a_customer_shopify_does_not_know_the_code_is_good_for_whoever_has_it(codes: Codes) -> None:
    kept = made(codes, CouponTerms(percent=Decimal(10), email="dana@shopper.example", categories=("7",)))
    assert kept["context"] == {"all": "ALL"}
    assert kept["customerGets"]["items"] == {"collections": {"add": ["gid://shopify/Collection/7"]}}


def test_asked_again_it_is_the_same_coupon(codes: Codes) -> None:
    first = make_coupon(codes, CAUSE, TEN, "EUR", NOW, None)
    later = CouponTerms(percent=Decimal(50), expires_at=NOW)
    assert make_coupon(codes, CAUSE, later, "EUR", NOW + timedelta(days=1), None) == first
    assert [kept["customerGets"]["value"] for kept in codes.kept.values()] == [{"percentage": 0.1}]


def test_a_time_out_after_it_was_made_finds_it_the_next_time(codes: Codes) -> None:
    def lost(document: str) -> None:
        raise ShopTrouble(TroubleCode.NO_ANSWER)

    codes.after = lost
    with pytest.raises(ShopTrouble):
        make_coupon(codes, CAUSE, TEN, "EUR", NOW, None)
    codes.after = lambda document: None
    assert make_coupon(codes, CAUSE, TEN, "EUR", NOW, None).code == coupon_code(CAUSE)
    assert len(codes.kept) == 1


def test_two_at_once_make_one(codes: Codes) -> None:
    others: list[Coupon] = []

    def quicker(document: str) -> None:
        codes.before = lambda document: None
        others.append(make_coupon(codes, CAUSE, TEN, "EUR", NOW, None))

    codes.before = lambda document: quicker(document) if document == "discount_make_basic" else None
    assert [make_coupon(codes, CAUSE, TEN, "EUR", NOW, None)] == others
    assert len(codes.kept) == 1


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"code": "VALUE_OUTSIDE_RANGE"}, "VALUE_OUTSIDE_RANGE"),
        ({"code": None}, "UNKNOWN"),
        ({"code": "noa@shopper.example is blocked"}, "UNKNOWN"),
        ({"code": "TAKEN"}, "TAKEN"),
    ],
)
def test_what_shopify_has_against_it_is_told_by_its_code(codes: Codes, told: dict[str, Any], reason: str) -> None:
    codes.against = [told]
    with pytest.raises(ShopTrouble) as caught:
        make_coupon(codes, CAUSE, TEN, "EUR", NOW, None)
    assert (caught.value.code, caught.value.reason) == (TroubleCode.REFUSED, reason)


@pytest.mark.parametrize(
    ("terms", "fields"),
    [
        (CouponTerms(percent=Decimal(10), free_shipping=True), ["free_shipping"]),
        (CouponTerms(amount=Money(amount=5, currency="EUR"), free_shipping=True), ["free_shipping"]),
        (CouponTerms(free_shipping=True, products=("1",)), ["products"]),
        (CouponTerms(percent=Decimal(10), products=("1",), categories=("2",)), ["categories"]),
        (CouponTerms(percent=Decimal(100), gift="9"), ["gift"]),
        (CouponTerms(free_shipping=True, gift="9", products=("1",)), ["gift"]),
        (
            CouponTerms(percent=Decimal(10), minimum=Money(amount=5, currency="EUR"), minimum_units=2),
            ["minimum_units"],
        ),
        (CouponTerms(percent=Decimal(101)), ["percent"]),
        (CouponTerms(amount=Money(amount=5, currency="ILS")), ["amount"]),
    ],
)
def test_what_no_code_of_shopify_can_be_is_named(codes: Codes, terms: CouponTerms, fields: list[str]) -> None:
    with pytest.raises(BadInput) as caught:
        make_coupon(codes, CAUSE, terms, "EUR", NOW, None)
    assert [mistake.field for mistake in caught.value.mistakes] == fields
    assert codes.kept == {}


@pytest.mark.parametrize("answer", [{}, {"discountCodeBasicCreate": None}, {"discountCodeBasicCreate": {}}])
def test_an_answer_that_is_none_is_trouble(answer: dict[str, Any]) -> None:
    class Broken:
        def ask(self, document: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
            return answer

    with pytest.raises(ShopTrouble) as caught:
        make_coupon(Broken(), CAUSE, TEN, "EUR", NOW, None)
    assert caught.value.code is TroubleCode.BROKEN_ANSWER


@settings(max_examples=50)
@given(st.decimals(min_value="0.01", max_value=100, places=2))
def test_every_percentage_arrives_as_it_was_meant(percent: Decimal) -> None:
    kept = made(Codes(), CouponTerms(percent=percent))
    assert Decimal(repr(kept["customerGets"]["value"]["percentage"])) * 100 == percent


FULL = CouponTerms(
    amount=Money(amount=2050, currency="EUR"),
    minimum=Money(amount=10000, currency="EUR"),
    expires_at=NOW + timedelta(days=7),
    products=("12",),
)


@pytest.mark.parametrize(
    "terms",
    [
        TEN,
        FULL,
        CouponTerms(percent=Decimal("12.5"), categories=("7",)),
        CouponTerms(percent=Decimal(10), minimum_units=3),
        CouponTerms(percent=Decimal(100), gift="9", products=("12", "13"), minimum_units=2),
        CouponTerms(percent=Decimal(50), gift="9", categories=("7",), minimum=Money(amount=10000, currency="EUR")),
        CouponTerms(
            free_shipping=True, minimum=Money(amount=10000, currency="EUR"), expires_at=NOW + timedelta(days=7)
        ),
    ],
)
def test_shopifys_schema_takes_what_is_asked(shopify: FakeShopify, clock: HandClock, terms: CouponTerms) -> None:
    """Through the real client, by a shop that validates queries and their variables."""
    wired = _Wired(shopify, clock)
    coupons = {wired.coupon(store("shopify"), CAUSE, terms, "9007199254740995") for _ in range(2)}
    (kept,) = shopify.shop("tea.myshopify.com").discounts
    assert coupons == {Coupon(coupon_code(CAUSE), kept["id"].rpartition("/")[2])}
    assert kept["codeDiscount"]["codes"][0]["code"] == coupon_code(CAUSE)


def test_what_shopify_refuses_is_told_by_its_code(shopify: FakeShopify, clock: HandClock) -> None:
    past = CouponTerms(percent=Decimal(10), expires_at=clock.now() + timedelta(milliseconds=1))
    with pytest.raises(ShopTrouble) as caught:
        _Wired(shopify, clock).coupon(store("shopify"), CAUSE, past, None)
    assert (caught.value.code, caught.value.reason) == (TroubleCode.REFUSED, "INVALID")


def test_each_platform_makes_its_own(shopify: FakeShopify, clock: HandClock) -> None:
    with pytest.raises(ShopTrouble) as caught:
        _Wired(shopify, clock).coupon(store("woocommerce"), CAUSE, TEN, None)
    assert caught.value.code is TroubleCode.NO_KEY


def test_an_ended_code_goes_for_good_unless_an_order_used_it(shopify: FakeShopify, clock: HandClock) -> None:
    wired, here = _Wired(shopify, clock), store("shopify")
    used, unused = (wired.coupon(here, cause, TEN, None) for cause in ("used", "unused"))
    shop = shopify.shop("tea.myshopify.com")
    shop.discounts[0]["codeDiscount"]["asyncUsageCount"] = 1
    cleared = [wired.remove_coupon(here, one.code) for one in (used, unused, unused)]
    assert cleared == [Removal.USED, Removal.REMOVED, Removal.GONE]
    assert [one["codeDiscount"]["codes"][0]["code"] for one in shop.discounts] == [used.code]
