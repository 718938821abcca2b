"""The demo's Shopify shop speaks as Shopify does: its door lets it in, and the adapter understands all it says."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.commerce.customer import Customer
from chalicelib.commerce.order import Order, OrderStatus
from chalicelib.commerce.product import Product
from chalicelib.commerce.store import Platform
from chalicelib.journeys.gallery import gallery
from chalicelib.store_adapters import signatures
from chalicelib.store_adapters.base import Change, ConsentTold, ErasureAsked
from local.demo import kettle, play, shopify, shopify_story
from local.demo.acts import END, ERASED, Outcome, Story
from local.demo.shop import CUP, GREEN, SHOPPERS
from local.demo.shopify import CustomerAccount, Shop, again
from local.demo.shopify_catalogue import product_told
from local.demo.shopify_orders import GivenBack, Purchase
from tests.any_order import Listening, listening
from tests.conftest import HandClock
from tests.memory_client import MemoryTables
from tests.store_adapters.deliveries import told

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SHOP = Shop(
    9_007_199_254_741_001, "tea.myshopify.com", "https://tea.example", "secret", "ILS", "IL", "he-IL", "Haifa", 2
)
NOA = replace(SHOPPERS[0], first_customer_id=9_007_199_254_740_993_000)
ORDER = Purchase(SHOP, 9_007_199_254_740_993_123, "#1001", NOA, ((GREEN, 2), (CUP, 1)), AT, checkout="c-1")


def of(topic: str, body: Any) -> list[Change]:
    return told(json.loads(json.dumps(body)), topic, "shopify", currency="ILS")


def test_a_delivery_is_signed_and_is_itself_under_another_webhook() -> None:
    sent = SHOP.delivery("orders/create", ORDER.told("paid", AT), AT)
    repeat = again(SHOP, sent)
    lower, other = ({k.lower(): v for k, v in one.headers.items()} for one in (sent, repeat))
    assert signatures.verify("shopify", "secret", lower, sent.body)
    assert not signatures.verify("shopify", "another", lower, sent.body)
    assert lower["x-shopify-webhook-id"] != other["x-shopify-webhook-id"]
    assert signatures.repeat_key("shopify", lower, sent.body) == signatures.repeat_key("shopify", other, repeat.body)


@pytest.mark.parametrize(
    ("financial", "more", "status", "refunded"),
    [
        ("pending", {}, OrderStatus.PENDING, 0),
        ("paid", {}, OrderStatus.PAID, 0),
        ("paid", {"sent": AT}, OrderStatus.COMPLETED, 0),
        ("partially_refunded", {"refunds": (GivenBack(1, 1000, AT),)}, OrderStatus.PAID, 1000),
        ("refunded", {"refunds": (GivenBack(1, ORDER.total, AT),)}, OrderStatus.REFUNDED, ORDER.total),
        ("paid", {"cancelled": AT}, OrderStatus.CANCELLED, 0),
    ],
)
def test_an_order_at_each_moment_of_its_life(
    financial: str, more: dict[str, Any], status: OrderStatus, refunded: int
) -> None:
    (order,) = of("orders/updated", ORDER.told(financial, AT + timedelta(hours=1), **more))
    assert isinstance(order, Order)
    assert (order.external_id, order.status) == ("9007199254740993123", status)
    assert (order.total.amount, order.refunded.amount) == (ORDER.total, refunded)
    assert (order.placed_at, order.version.modified_at) == (AT, AT + timedelta(hours=1))
    assert order.person.customer_id == str(NOA.customer_id)


def test_the_catalogue_the_people_and_the_law() -> None:
    (tea,) = of("products/update", product_told(SHOP, (GREEN,), AT))
    assert isinstance(tea, Product) and tea.lifetime_days == GREEN.lifetime_days
    choices = tuple(replace(CUP, variation_id=n, choice=choice) for n, choice in ((1121, "כחול"), (1122, "לבן")))
    assert len(of("products/update", product_told(SHOP, choices, AT, stock={1121: 0}))) == 3
    account = CustomerAccount(SHOP, NOA, AT, email_consent=("subscribed", AT), sms_consent=("unsubscribed", AT))
    (customer,) = of("customers/update", account.told(AT))
    assert isinstance(customer, Customer) and len(customer.consent) == 2
    for topic, body in (
        ("customers_email_marketing_consent/update", shopify.email_consent_told(SHOP, NOA, "unsubscribed", AT)),
        ("customers_marketing_consent/update", shopify.sms_consent_told(SHOP, NOA, "subscribed", AT)),
    ):
        assert isinstance(of(topic, body)[0], ConsentTold)
    redact = of("customers/redact", shopify.redaction_told(SHOP, NOA, (ORDER.id,)))
    assert redact == [ErasureAsked(str(NOA.customer_id), NOA.email, NOA.phone, orders=(str(ORDER.id),))]


class _AppSecret:
    def address_key(self) -> str:
        return "key of addresses"

    def webhook_secret(self, store_id: str, newer_than: float = 0) -> str:
        return kettle.SECRET


def sent(shop: Listening) -> Counter[Outcome]:
    found: Counter[Outcome] = Counter()
    for contact in shop.parts.contacts.list("shop", None, 1000):
        for one in shop.parts.messages.of_contact("shop", contact.id):
            result = one.reason if one.status.value == "not_sent" else "sent"
            found[Outcome(contact.email, one.journey, one.step, result)] += 1
    return found


def live(shop: Listening, story: Story) -> None:
    for act in story.acts:
        shop.workflows.live(seconds=(story.start + act.at - shop.clock.now()).total_seconds())
        shop.hear([(one.headers, one.body) for one in act.deliveries])
    shop.workflows.live(seconds=(story.start + END - shop.clock.now()).total_seconds())


def test_the_demos_story_comes_true_on_a_clock_that_never_lags(tables: MemoryTables) -> None:
    """What `make demo` lives through in minutes, in seconds: a story that is wrong is found out here."""
    definitions = {one.id: one.definition for one in gallery() if one.id in play.JOURNEYS}
    steps = {journey: list(play.sending_steps(one["steps"])) for journey, one in definitions.items()}
    del definitions["repeat-purchase"]
    story = shopify_story.write(play.START, "https://agala.example/pictures", steps)
    store = {name: value for name, value in play.KETTLE_SHOP.items() if name != "secret"}
    left_after = int(play.LEFT_AFTER.total_seconds() // 60)
    about = {**store, "platform": Platform.SHOPIFY, "abandon_after_minutes": left_after}
    with listening(tables, HandClock(play.START), about) as shop:
        shop.parts.secrets = _AppSecret()
        shop.activate(definitions)
        live(shop, story)
        assert sent(shop) == story.expected - Counter(
            [Outcome(ERASED, "thank-you-new", steps["thank-you-new"][0], "sent")]
        )
        carts = {token: shop.parts.carts.get("shop", token) for token in story.carts}
        became = {token: (cart.state.value, bool(cart.abandoned_at)) for token, cart in carts.items()}
        assert became == {token: (cart.state, cart.abandoned) for token, cart in story.carts.items()}
        assert [shop.parts.carts.get("shop", token) for token in story.no_carts] == [None]
        assert len(shop.parts.deliveries.list("shop", "repeated", None, 100)) == story.repeats
        assert shop.parts.deliveries.list("shop", "parked", None, 100) == []
        (erased,) = story.erased
        text = json.dumps(shop.items(), default=str, ensure_ascii=False).casefold()
        assert not [word for word in (erased.email, erased.phone, erased.last_name.casefold()) if word in text]
