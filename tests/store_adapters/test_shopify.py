from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from graphql import GraphQLEnumType

from chalicelib.commerce.customer import Customer
from chalicelib.commerce.money import Money
from chalicelib.commerce.order import Order, OrderStatus
from chalicelib.commerce.product import Product
from chalicelib.contacts.consent import Channel, Consent, ConsentStatus
from chalicelib.contacts.profile import merge_consent
from chalicelib.store_adapters.base import (
    Change,
    ConsentTold,
    CustomerDeleted,
    ErasureAsked,
    Nothing,
    OrderDeleted,
    ProductDeleted,
    Unintelligible,
)
from chalicelib.store_adapters.shopify import _READERS, _UNUSED, CONSENT_STATES, FINANCIAL_STATUSES, REMOVED
from chalicelib.store_adapters.shopify_inventory import TOPICS as INVENTORY_TOPICS
from chalicelib.store_adapters.shopify_products import INVENTORY_POLICIES, PRODUCT_STATUSES
from tests.shopify.schema import schema
from tests.store_adapters.deliveries import told

PLACED = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
UPDATED = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
# The shape of the webhook documentation's order: the shopper saw dollars, the shop keeps euros.
ORDER: dict[str, Any] = {
    "id": 9007199254740993123,
    "admin_graphql_api_id": "gid://shopify/Order/9007199254740993123",
    "name": "#1001",
    "order_number": 1001,
    "test": False,
    "email": "noa@example.test",
    "phone": None,
    "currency": "EUR",
    "presentment_currency": "USD",
    "created_at": "2026-11-20T11:00:00+02:00",
    "processed_at": "2026-11-20T11:00:00+02:00",
    "updated_at": "2026-11-20T12:00:00+02:00",
    "cancelled_at": None,
    "financial_status": "paid",
    "fulfillment_status": None,
    "fulfillments": [],
    "total_price": "50.00",
    "current_total_price": "50.00",
    "total_price_set": {
        "shop_money": {"amount": "50.00", "currency_code": "EUR"},
        "presentment_money": {"amount": "55.00", "currency_code": "USD"},
    },
    "taxes_included": True,
    "buyer_accepts_marketing": True,
    "cart_token": "c-1",
    "customer_locale": "he-IL",
    "discount_codes": [{"code": "HELLO", "amount": "5.00", "type": "fixed_amount"}],
    "billing_address": {"first_name": "Noa", "last_name": "Levi", "country_code": "IL", "phone": "+972 50 555 0101"},
    "customer": {"id": 7, "email": "noa@example.test", "first_name": "Noa", "last_name": "Levi"},
    "line_items": [
        {
            "id": 1,
            "product_id": 12,
            "variant_id": 34,
            "name": "Tea - 100 g",
            "variant_title": "100 g",
            "quantity": 2,
            "price": "27.50",
            "price_set": {
                "shop_money": {"amount": "27.50", "currency_code": "EUR"},
                "presentment_money": {"amount": "30.25", "currency_code": "USD"},
            },
            "discount_allocations": [{"amount": "5.00"}],
            "tax_lines": [{"price": "7.00"}],
            "sku": "TEA-100",
        }
    ],
    "refunds": [],
}
CUSTOMER: dict[str, Any] = {
    "id": 7,
    "email": "noa@example.test",
    "phone": "+972505550101",
    "first_name": "Noa",
    "last_name": "Levi",
    "created_at": "2026-11-01T00:00:00Z",
    "updated_at": "2026-11-20T00:00:00Z",
    "default_address": {"country_code": "IL"},
    "email_marketing_consent": {
        "state": "subscribed",
        "opt_in_level": "single_opt_in",
        "consent_updated_at": "2026-11-10T00:00:00Z",
    },
    "sms_marketing_consent": {"state": "not_subscribed", "consent_updated_at": None},
}
PRODUCT: dict[str, Any] = {
    "id": 12,
    "title": "Tea",
    "handle": "tea",
    "status": "active",
    "published_at": "2026-11-01T00:00:00Z",
    "created_at": "2026-11-01T00:00:00Z",
    "updated_at": "2026-11-20T00:00:00Z",
    "product_type": "Teas",
    "category": {"admin_graphql_api_id": "gid://shopify/TaxonomyCategory/fb-1-2", "name": "Tea & infusions"},
    "image": {"src": "https://cdn.example/tea.jpg"},
    "images": [{"id": 5, "src": "https://cdn.example/tea.jpg"}, {"id": 6, "src": "https://cdn.example/200.jpg"}],
    "metafields": [{"namespace": "agala", "key": "lifetime_days", "value": "30"}],
    "variants": [
        {
            "id": 34,
            "title": "100 g",
            "price": "27.50",
            "compare_at_price": None,
            "sku": "TEA-100",
            "inventory_management": "shopify",
            "inventory_quantity": 0,
            "inventory_policy": "deny",
        },
        {
            "id": 35,
            "title": "200 g",
            "price": "50.00",
            "compare_at_price": "55.00",
            "image_id": 6,
            "inventory_management": "shopify",
            "inventory_quantity": 4,
        },
    ],
}


def of(body: dict[str, Any], topic: str, **changed: Any) -> Change:
    return told({**body, **changed}, topic, "shopify")[0]


def order(topic: str = "orders/updated", **changed: Any) -> Order:
    change = of(ORDER, topic, **changed)
    assert isinstance(change, Order)
    return change


def test_a_payment_in_our_words() -> None:
    paid = order()
    assert (paid.external_id, paid.number, paid.status) == ("9007199254740993123", "#1001", OrderStatus.PAID)
    assert paid.total == Money(amount=5000, currency="EUR")
    assert (paid.placed_at, paid.paid_at, paid.version.modified_at) == (PLACED, PLACED, UPDATED)
    assert (paid.person.customer_id, paid.person.country, paid.person.locale) == ("7", "IL", "he-IL")
    assert paid.person.phone == "+972 50 555 0101"
    assert (paid.cart_token, paid.coupons) == ("c-1", ("HELLO",))
    (line,) = paid.items
    assert (line.product_id, line.variation_id, line.quantity, line.total.amount) == ("12", "34", 2, 5000)
    assert paid.consent[0].consent.source == "checkout"


def test_a_global_id_is_its_number() -> None:
    assert order(id=ORDER["admin_graphql_api_id"]).external_id == "9007199254740993123"


@pytest.mark.parametrize("unnamed", [None, ""])
def test_the_variant_of_a_product_without_a_choice_is_the_product_itself(unnamed: str | None) -> None:
    line = {**ORDER["line_items"][0], "variant_title": unnamed}
    assert order(line_items=[line]).items[0].variation_id is None


def test_tax_is_added_to_a_line_where_prices_come_without_it() -> None:
    assert order(taxes_included=False).items[0].total.amount == 5700


@pytest.mark.parametrize(("word", "status"), FINANCIAL_STATUSES.items())
def test_each_financial_status_has_its_word(word: str, status: OrderStatus) -> None:
    assert order(financial_status=word).status is status
    assert order(financial_status=word.upper()).status is status


def test_cancelled_comes_before_the_money_and_keeps_its_time() -> None:
    cancelled = order(cancelled_at="2026-11-20T10:00:00Z", financial_status="refunded")
    assert (cancelled.status, cancelled.cancelled_at) == (OrderStatus.CANCELLED, UPDATED)
    assert not cancelled.counts


def test_sent_and_paid_is_completed_at_the_last_parcel() -> None:
    parcels = [{"created_at": "2026-11-21T00:00:00Z"}, {"created_at": "2026-11-22T00:00:00Z"}]
    sent = order(fulfillment_status="fulfilled", fulfillments=parcels)
    assert (sent.status, sent.completed_at) == (OrderStatus.COMPLETED, datetime(2026, 11, 22, tzinfo=UTC))


def test_a_test_order_is_nothing() -> None:
    assert isinstance(of(ORDER, "orders/create", test=True), Nothing)


def refund_of(amount: str, currency: str, status: str = "success", number: int = 1) -> dict[str, Any]:
    return {
        "id": number,
        "created_at": "2026-11-20T10:00:00Z",
        "transactions": [{"kind": "refund", "status": status, "amount": amount, "currency": currency}],
    }


def test_several_refunds_count_by_their_successful_transactions_in_the_shops_money() -> None:
    refunds = [refund_of("10.00", "EUR"), refund_of("11.00", "USD", number=2), refund_of("9", "EUR", "failure", 3)]
    part = order(financial_status="partially_refunded", current_total_price="30.00", refunds=refunds)
    assert [refund.amount.amount for refund in part.refunds] == [1000, 1000, 0]
    assert (part.total.amount, part.refunded.amount, part.net.amount) == (5000, 2000, 3000)
    assert part.refunds[0].at == UPDATED


def test_what_an_edit_took_out_was_never_charged() -> None:
    assert order(current_total_price="30.00").total.amount == 3000
    assert order(current_total_price="70.00").total.amount == 7000


def test_consent_with_its_time_and_no_consent_where_nobody_was_asked() -> None:
    change = of(CUSTOMER, "customers/update")
    assert isinstance(change, Customer)
    (email,) = change.consent
    assert (email.channel, email.consent.status) == (Channel.EMAIL, ConsentStatus.SUBSCRIBED)
    assert email.consent.at == datetime(2026, 11, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "state", ["SUBSCRIBED", "unsubscribed", "REDACTED", "invalid", "pending", "not_subscribed", "never_subscribed"]
)
def test_every_consent_state_is_understood(state: str) -> None:
    change = of(CUSTOMER, "customers/update", email_marketing_consent={"state": state})
    assert isinstance(change, Customer)
    expected = CONSENT_STATES[state.lower()]
    assert [each.consent.status for each in change.consent] == ([expected] if expected else [])


@pytest.mark.parametrize(("state", "joined_from"), [("enabled", "account"), ("disabled", "store"), (None, "store")])
def test_not_every_customer_has_an_account(state: str | None, joined_from: str) -> None:
    change = of(CUSTOMER, "customers/create", state=state)
    assert isinstance(change, Customer)
    assert change.joined_from == joined_from


UNTIMED = {"state": "subscribed", "consent_updated_at": None}


@pytest.mark.parametrize("begun", ["2026-11-01T00:00:00Z", None])
def test_a_yes_without_a_time_does_not_take_back_whoever_unsubscribed_since(begun: str | None) -> None:
    """Shopify is not told of our unsubscribe links, so each telling of an order or a customer repeats the yes."""
    left = Consent(status=ConsentStatus.UNSUBSCRIBED, source="unsubscribe_link", at=UPDATED - timedelta(minutes=1))
    buyer = {"id": 7, "email": "noa@example.test", "created_at": begun, "email_marketing_consent": UNTIMED}
    by_order = of(ORDER, "orders/updated", customer=buyer)
    by_customer = of(CUSTOMER, "customers/update", updated_at="2026-11-20T12:00:00Z", email_marketing_consent=UNTIMED)
    for change in (by_order, by_customer):
        assert isinstance(change, Order | Customer)
        assert [each.consent.status for each in change.consent] == [ConsentStatus.SUBSCRIBED]
        assert merge_consent({Channel.EMAIL: left}, change.consent) == {Channel.EMAIL: left}
    no = of(CUSTOMER, "customers/update", email_marketing_consent={"state": "unsubscribed"})
    assert isinstance(no, Customer) and no.consent[0].consent.at == no.version.modified_at


def test_consent_told_alone_names_its_person() -> None:
    body = {"customer_id": 7, "email_address": "noa@example.test"}
    choice = {"state": "unsubscribed", "consent_updated_at": "2026-11-20T10:00:00Z"}
    change = of(body, "customers_email_marketing_consent/update", email_marketing_consent=choice)
    assert isinstance(change, ConsentTold)
    assert (change.person.customer_id, change.consent[0].consent.at) == ("7", UPDATED)
    with pytest.raises(Unintelligible, match="consent_updated_at"):
        of(body, "customers_email_marketing_consent/update", email_marketing_consent={"state": "subscribed"})


def test_deletions_and_erasures() -> None:
    assert isinstance(of({}, "orders/delete", id=1), OrderDeleted)
    assert isinstance(of({}, "customers/delete", id=1), CustomerDeleted)
    assert isinstance(of({}, "products/delete", id=1), ProductDeleted)
    asked = of({}, "customers/redact", shop_id=1, customer={"id": 7, "email": "noa@example.test", "phone": None})
    assert asked == ErasureAsked("7", "noa@example.test")
    assert of({}, "shop/redact", shop_id=1) == ErasureAsked(None, None, whole_shop=True)


@pytest.mark.parametrize("customer", [None, {}, {"id": None}, {"id": 0, "email": " "}])
def test_an_erasure_without_an_identity_never_empties_the_shop(customer: Any) -> None:
    with pytest.raises(Unintelligible):
        of({}, "customers/redact", shop_id=1, customer=customer)


def test_a_product_comes_with_its_variants() -> None:
    small, large, tea = (
        change for change in told(PRODUCT, "products/update", "shopify") if isinstance(change, Product)
    )
    assert (tea.external_id, tea.parent_id, tea.price, tea.stock) == ("12", None, Money(amount=2750, currency="EUR"), 4)
    assert (tea.in_stock, tea.url, tea.lifetime_days) == (True, "https://shop.example/products/tea", 30)
    assert [category.name for category in tea.categories] == ["Tea & infusions", "Teas"]
    assert (small.parent_id, small.in_stock, small.name) == ("12", False, "Tea - 100 g")
    assert (large.image, large.regular_price) == ("https://cdn.example/200.jpg", Money(amount=5500, currency="EUR"))


def test_a_product_with_more_variants_than_its_webhook_tells_is_not_sold_out() -> None:
    small = PRODUCT["variants"][0]
    assert small["inventory_quantity"] == 0
    every = [{"admin_graphql_api_id": f"gid://shopify/ProductVariant/{number}"} for number in (34, 35, 36)]
    body = {**PRODUCT, "variants": [small], "variant_gids": every}
    first, tea = (change for change in told(body, "products/update", "shopify") if isinstance(change, Product))
    assert (first.external_id, first.in_stock) == ("34", False)
    assert (tea.variants, tea.stock_known, tea.stock) == (("34", "35", "36"), False, None)
    there = told({**body, "variants": [{**small, "inventory_quantity": 2}]}, "products/update", "shopify")[-1]
    assert isinstance(there, Product) and (there.stock_known, there.in_stock, there.stock) == (True, True, None)
    whole = told({**body, "variant_gids": every[:1]}, "products/update", "shopify")[-1]
    assert isinstance(whole, Product)
    assert (whole.variants, whole.stock_known, whole.in_stock, whole.stock) == (("34",), True, False, 0)


@pytest.mark.parametrize(
    ("status", "published_at", "since"),
    [
        ("active", "2026-11-01T02:00:00+02:00", datetime(2026, 11, 1, tzinfo=UTC)),
        ("active", None, None),
        ("draft", "2026-11-01T00:00:00Z", None),
        ("unlisted", "2026-11-01T00:00:00Z", None),  # who has its address may buy it
    ],
)
def test_since_when_shoppers_see_a_product(status: str, published_at: str | None, since: datetime | None) -> None:
    changes = told({**PRODUCT, "status": status, "published_at": published_at}, "products/update", "shopify")
    assert {one.published_at for one in changes if isinstance(one, Product)} == {since}


def test_a_product_without_a_choice_is_one_record() -> None:
    only = {**PRODUCT["variants"][0], "title": "Default Title"}
    assert len(told({**PRODUCT, "variants": [only]}, "products/update", "shopify")) == 1


@pytest.mark.parametrize("topic", ["refunds/create", "checkouts/delete", "nonsense"])
def test_topics_without_use_do_nothing_and_say_why(topic: str) -> None:
    change = of({}, topic, id=1)
    assert isinstance(change, Nothing)
    assert change.reason


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", None),
        ("financial_status", "bartered"),
        ("line_items", None),
        ("total_price", []),
        ("updated_at", "x"),
        ("test", 1),
    ],
)
def test_a_surprise_is_named_by_its_field(field: str, value: Any) -> None:
    with pytest.raises(Unintelligible) as parked:
        order(**{field: value})
    assert str(parked.value).startswith(field)


def test_our_tables_cover_the_schemas_words() -> None:
    told_in = schema()

    def words(enum: str) -> set[str]:
        kind = told_in.type_map[enum]
        assert isinstance(kind, GraphQLEnumType)
        return {word.lower() for word in kind.values}

    assert words("OrderDisplayFinancialStatus") == FINANCIAL_STATUSES.keys()
    for enum in (
        "CustomerEmailMarketingState",
        "CustomerSmsMarketingState",
        "CustomerEmailAddressMarketingState",
        "CustomerMarketingConsentState",
    ):
        assert words(enum) <= CONSENT_STATES.keys(), enum
    assert words("ProductStatus") == PRODUCT_STATUSES.keys()
    assert words("ProductVariantInventoryPolicy") == INVENTORY_POLICIES.keys()
    assert "refund" in words("OrderTransactionKind")
    assert "success" in words("OrderTransactionStatus")
    compliance = {"customers/redact", "shop/redact", "customers/data_request"}  # registered outside the schema
    read = _READERS.keys() | _UNUSED.keys() | set(INVENTORY_TOPICS) | {REMOVED}
    topics = {topic.replace("/", "_") for topic in read - compliance}
    assert topics <= words("WebhookSubscriptionTopic")
