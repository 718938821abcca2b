"""What Shopify tells of a person's checkouts is gone once Shopify asks for it, and was never in a log or a payload."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.commerce.store import Platform
from local.demo.shop import GREEN, Shopper
from tests.any_order import Listening, Told, listening
from tests.conftest import HandClock
from tests.journeys.world import journey, mail, pause
from tests.memory_client import MemoryTables
from tests.store_adapters import shopify_story as shopify
from tests.test_any_order import HEBREW, NOW
from tests.test_erasure import EMAIL, PHONE, PLANTED, WORDS, traces

TOKEN, BASKET = "plant" * 6, ((GREEN, 1),)
CUSTOMER = {"id": PLANTED.customer_id, "email": EMAIL, "first_name": PLANTED.first_name, "phone": PHONE}


@pytest.fixture
def shop(tables: MemoryTables) -> Iterator[Listening]:
    with listening(tables, HandClock(NOW), {**HEBREW, "platform": Platform.SHOPIFY}) as heard:
        yield heard


def checkout(minutes_ago: float, token: str = TOKEN, shopper: Shopper | None = PLANTED, **more: Any) -> Told:
    body = shopify.checkout(token, BASKET, NOW - timedelta(minutes=minutes_ago), shopper, **more)
    return shopify.told("checkouts/update", {**body, "email": EMAIL if shopper else None, **more})


def plant(shop: Listening) -> list[Told]:
    """A person's way through the shop: typed bit by bit, with an account, at the till, bought, sent, delivered."""
    shop.activate(
        {
            "left": journey(mail("come-back"), pause(days=3), mail("more"), trigger={"type": "cart_abandoned"}),
            "asks": journey(pause(days=2), mail("how-was-it"), trigger={"type": "order_delivered"}),
        }
    )
    names = {"first_name": PLANTED.first_name, "last_name": PLANTED.last_name, "phone": "05"}
    bought = NOW - timedelta(hours=2)
    order = shopify.order(901, BASKET, bought, PLANTED, email=EMAIL, customer=CUSTOMER, checkout_token="bought" * 5)
    told = [
        checkout(200, "bought" * 5, restored_by=EMAIL),
        shopify.told("orders/create", order),
        shopify.told("fulfillments/update", shopify.parcel(901, NOW - timedelta(hours=1), PLANTED)),
        shopify.told("fulfillments/update", shopify.parcel(999, NOW - timedelta(hours=1), PLANTED)),  # of no order yet
        checkout(100, shopper=None, shipping_address=names),
        checkout(99, customer=CUSTOMER, abandoned_checkout_url=f"https://tea.myshopify.com/recover?of={EMAIL}"),
        checkout(98, "till" * 7, source_name="pos"),
        checkout(97, "draft" * 6, source_name="shopify_draft_order", customer=CUSTOMER),
        shopify.told("checkouts/delete", {"id": 5, "sms_marketing_phone": PHONE, "cart_token": "c1-x"}),
        checkout(90, token="", note="no token: parked"),
    ]
    shop.hear(told)
    shop.workflows.live(hours=1)
    return told


def redacted(shop: Listening) -> None:
    body = {"shop_id": 1, "shop_domain": "tea.myshopify.com", "customer": CUSTOMER, "orders_to_redact": [901]}
    shop.hear([shopify.told("customers/redact", body)])


def test_nothing_of_a_redacted_shopper_is_left(shop: Listening) -> None:
    plant(shop)
    assert set(traces(shop)) >= {"quillfeather", "zubrowka", "plant.example"}
    assert [email.step for email in shop.channel.taken] == ["come-back"]
    assert shop.parts.carts.get("shop", TOKEN).latest.restore_url
    redacted(shop)
    assert traces(shop) == []
    cart = shop.parts.carts.get("shop", TOKEN)
    assert (cart.contact_id, cart.latest.restore_url) == (None, None)
    shop.workflows.live(days=10)
    assert len(shop.channel.taken) == 1


def test_what_is_told_of_them_again_leaves_nothing(shop: Listening) -> None:
    told = plant(shop)
    redacted(shop)
    shop.hear([*told, checkout(80), checkout(79, "later" * 6)])
    assert traces(shop) == []


def test_neither_logs_nor_executions_name_anybody(shop: Listening, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):  # production logs at this level
        plant(shop)
        redacted(shop)
    payloads = repr(shop.workflows.executions).lower()
    assert TOKEN in payloads
    written = f"{caplog.text} {[vars(record) for record in caplog.records]} {payloads}".lower()
    assert [word for word in WORDS if word in written] == []
