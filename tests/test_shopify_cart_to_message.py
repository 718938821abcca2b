"""A Shopify checkout becomes a message, or does not: signed deliveries in, emails out, the rest is real."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from chalicelib.commerce.cart import CartState
from chalicelib.commerce.store import Platform
from chalicelib.contacts.consent import Channel, ConsentStatus
from local.demo.shop import CUP, GREEN, HONEY, SHOPPERS, Shopper
from tests.any_order import Listening, Told, listening
from tests.conftest import HandClock
from tests.journeys.world import journey, mail, pause
from tests.memory_client import MemoryTables
from tests.messages.readers import as_written
from tests.store_adapters import shopify_story as shopify
from tests.test_any_order import HEBREW

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SHOPIFY = {**HEBREW, "platform": Platform.SHOPIFY}
NOA, DAN = SHOPPERS[0], SHOPPERS[1]
TOKEN, OTHER = "a" * 32, "b" * 32
BASKET = ((GREEN, 2), (HONEY, 1))
SHOWS_CART = {
    "id": "first",
    "type": "send_email",
    "kind": "transactional",
    "content": {"en": {"subject": "Your cart", "blocks": [{"type": "cart_items"}]}},
}
LEFT = journey(
    SHOWS_CART,
    pause("wait", days=1),
    mail("second"),
    trigger={"type": "cart_abandoned"},
    reentry={"mode": "per_cart"},
    goal={"purchased": {"since": "entry"}},
)
STARTED = journey(
    pause("short", minutes=30),
    mail("checkout-mail"),
    trigger={"type": "checkout_started"},
    reentry={"mode": "per_cart"},
)


class Shop:
    """Times are minutes after `START`."""

    def __init__(self, heard: Listening) -> None:
        self.heard, self.parts, self.channel = heard, heard.parts, heard.channel

    def at(self, minute: float, *told: Told) -> None:
        left = START + timedelta(minutes=minute) - self.heard.clock.now()
        self.heard.workflows.live(seconds=left.total_seconds())
        self.heard.hear(told)

    def sent(self) -> list[tuple[str, str | None]]:
        return [(email.to, email.step) for email in self.channel.taken]

    def ends(self, shopper: Shopper = NOA) -> list[tuple[str, str, str | None]]:
        contact = self.parts.contacts.find("shop", "email", shopper.email)
        found = self.parts.enrolments.of_contact("shop", contact.id) if contact else []
        return [(one.journey, one.status.value, one.reason) for one in found]

    def cart(self, token: str = TOKEN) -> Any:
        return self.parts.carts.get("shop", token)

    def events(self, shopper: Shopper = NOA) -> list[str]:
        contact = self.parts.contacts.find("shop", "email", shopper.email)
        return [event.type for event in reversed(self.parts.timeline.of_contact("shop", contact.id))]


@pytest.fixture
def shop(tables: MemoryTables) -> Iterator[Shop]:
    with listening(tables, HandClock(START), SHOPIFY) as heard:
        yield Shop(heard)


def after(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def created(minute: float, token: str = TOKEN, **more: Any) -> Told:
    return shopify.told("checkouts/create", shopify.checkout(token, BASKET, after(minute), **more))


def updated(minute: float, shopper: Shopper = NOA, token: str = TOKEN, **more: Any) -> Told:
    body = shopify.checkout(token, more.pop("wares", BASKET), after(minute), shopper, **more)
    return shopify.told("checkouts/update", body)


def ordered(minute: float, number: int = 900, shopper: Shopper = NOA, **more: Any) -> Told:
    return shopify.told("orders/create", shopify.order(number, BASKET, after(minute), shopper, **more))


def test_a_checkout_without_an_address_gets_one_and_is_left_and_written_about(shop: Shop) -> None:
    shop.heard.activate({"left": LEFT})
    shop.at(0, created(0))
    assert shop.cart().contact_id is None
    shop.at(5, updated(5))
    shop.at(64)
    assert shop.sent() == []
    shop.at(66)
    assert shop.sent() == [(NOA.email, "first")]
    assert [one for one in shop.events() if one.startswith("c")] == [
        "cart_updated",
        "checkout_started",
        "contact_created",
        "cart_abandoned",
        "checkout_abandoned",
    ]
    shop.at(3 * 1440)
    assert shop.sent() == [(NOA.email, "first"), (NOA.email, "second")]
    assert shop.ends() == [("left", "completed", "completed")]


def test_the_email_shows_pictures_and_pages_that_only_the_catalogue_knows(shop: Shop) -> None:
    shop.heard.activate({"left": LEFT})
    shop.at(0, updated(0))
    shop.at(1, *(shopify.told("products/create", shopify.product(ware, after(0))) for ware in (GREEN, HONEY)))
    shop.at(70)
    (email,) = shop.channel.taken
    table = shop.heard.parts.table
    for ware in (GREEN, HONEY):
        assert f"https://cdn.shop.example/{ware.picture}.jpg" in email.html
        assert f"https://shop.example/products/{ware.picture}" in as_written(table, email.html)
    assert "/recover?key=0a1b2c" in as_written(table, email.text)
    assert all(item.image is None for item in shop.cart().latest.items), "kept is what the shop told"


def test_a_trigger_may_ask_for_a_category_that_only_the_catalogue_knows(shop: Shop) -> None:
    def of(category: str) -> dict[str, Any]:
        return {**LEFT, "trigger": {"type": "cart_abandoned", "where": {"cart": {"category": category}}}}

    shop.heard.activate({"teas": of(f"type:{GREEN.category[1]}"), "ware": of(f"type:{CUP.category[1]}")})
    shop.at(0, updated(0), shopify.told("products/create", shopify.product(GREEN, after(0))))
    shop.at(70)
    assert [name for name, _, _ in shop.ends()] == ["teas"]


def test_what_was_seen_in_another_currency_is_not_set_against_the_stores_own(shop: Shop) -> None:
    where = {"cart": {"at_least_total": 10000}}
    shop.heard.activate({"dear": {**LEFT, "trigger": {"type": "cart_abandoned", "where": where}}})
    shop.at(0, updated(0), updated(0, DAN, OTHER, presentment_currency="USD"))
    shop.at(70)
    assert shop.cart(OTHER).latest.total.currency == "USD"
    assert (len(shop.ends(NOA)), len(shop.ends(DAN))) == (1, 0)


@pytest.mark.parametrize("named", [{"checkout_token": TOKEN, "cart_token": "c1-x"}, {"cart_token": TOKEN}])
def test_the_order_with_its_token_ends_it_in_whatever_name(shop: Shop, named: dict[str, str]) -> None:
    shop.heard.activate({"left": LEFT, "started": STARTED})
    shop.at(0, updated(0))
    shop.at(20, ordered(20, shopper=DAN, **named))
    shop.at(5000)
    assert shop.sent() == []
    assert shop.ends() == [("started", "exited", "cart_bought")]
    assert shop.cart().state is CartState.BOUGHT


def test_whoever_comes_back_is_recovered_and_met_the_goal(shop: Shop) -> None:
    shop.heard.activate({"left": LEFT})
    shop.at(0, updated(0))
    shop.at(120, ordered(120, checkout_token=TOKEN))
    shop.at(5000)
    assert shop.sent() == [(NOA.email, "first")]
    assert shop.ends() == [("left", "goal_met", "goal_met")]
    assert "cart_recovered" in shop.events()


def test_that_it_was_completed_is_enough(shop: Shop) -> None:
    shop.heard.activate({"left": LEFT})
    shop.at(0, updated(0))
    shop.at(120, updated(121, completed_at=after(120).isoformat()))
    shop.at(5000)
    assert shop.sent() == [(NOA.email, "first")]
    assert shop.ends() == [("left", "exited", "cart_bought")]


def test_an_order_of_the_same_person_with_no_token_at_all_keeps_us_silent(shop: Shop) -> None:
    shop.heard.activate({"left": LEFT})
    shop.at(0, updated(0))
    shop.at(20, ordered(20))
    shop.at(5000)
    assert shop.sent() == []


def test_an_emptied_checkout_ends_what_began_with_it(shop: Shop) -> None:
    shop.heard.activate({"started": STARTED})
    shop.at(0, updated(0))
    shop.at(10, updated(10, line_items=[]))
    shop.at(500)
    assert shop.ends() == [("started", "exited", "cart_emptied")]
    assert shop.sent() == []


def test_a_deletion_long_after_changes_nothing(shop: Shop) -> None:
    shop.heard.activate({"left": LEFT})
    shop.at(0, updated(0))
    shop.at(120, shopify.told("checkouts/delete", {"id": 1, "cart_token": f"c1-{TOKEN}", "total_price": "1.00"}))
    assert shop.cart().state is CartState.ABANDONED
    assert shop.ends() == [("left", "running", None)]


@pytest.mark.parametrize(
    "told",
    [{"source_name": "pos"}, {"source_name": "shopify_draft_order"}, {"source_name": "subscription_contract"}],
)
def test_tills_drafts_and_renewals_are_never_carts_nor_recoveries(shop: Shop, told: dict[str, str]) -> None:
    shop.heard.activate({"left": LEFT})
    shop.at(0, updated(0, **told))
    assert shop.cart() is None
    shop.at(1, updated(1, token=OTHER))
    shop.at(120, ordered(120, checkout_token=OTHER, **told))
    assert shop.cart(OTHER).state is CartState.ABANDONED
    assert "cart_recovered" not in shop.events()


def test_a_box_ticked_at_the_checkout_is_consent(shop: Shop) -> None:
    shop.at(0, updated(0, buyer_accepts_marketing=True))
    contact = shop.parts.contacts.find("shop", "email", NOA.email)
    assert contact.joined_from == "checkout"
    assert contact.consent_for(Channel.EMAIL).status is ConsentStatus.SUBSCRIBED
    assert contact.consent_for(Channel.EMAIL).at == START
    shop.at(5, updated(5, DAN, OTHER))
    other = shop.parts.contacts.find("shop", "email", DAN.email)
    assert other.consent_for(Channel.EMAIL).status is ConsentStatus.NEVER_ASKED


def test_a_parcel_that_came_begins_a_journey_once(shop: Shop) -> None:
    asks = journey(mail("how-was-it"), trigger={"type": "order_delivered"})
    shop.heard.activate({"asks": asks})
    came = shopify.told("fulfillments/update", shopify.parcel(900, after(60), NOA))
    on_its_way = shopify.told("fulfillments/create", shopify.parcel(900, after(30), NOA, "in_transit"))
    with_it = [shopify.parcel(900, after(60), NOA)]
    shop.at(0, ordered(0))
    shop.at(60, on_its_way, came, came, ordered(61, fulfillment_status="fulfilled", fulfillments=with_it))
    shop.at(5000)
    assert shop.sent() == [(NOA.email, "how-was-it")]
    assert shop.parts.orders.get("shop", "900").delivered_at == after(60)


# Any order


def story() -> list[Told]:
    """Within the last minutes, so that nothing is due before all is heard."""
    bought, left, emptied, dans = "a" * 32, "b" * 32, "c" * 32, "d" * 32
    return [
        created(-9, bought),
        updated(-8, NOA, bought),
        updated(-8, NOA, bought, buyer_accepts_marketing=True),  # in the same second
        ordered(-6, 901, checkout_token=bought),
        updated(-5, NOA, bought, completed_at=after(-6).isoformat()),
        shopify.told("fulfillments/update", shopify.parcel(901, after(-2), NOA)),
        shopify.told("fulfillments/update", shopify.parcel(901, after(-1), NOA)),
        updated(-20, NOA, emptied),
        updated(-15, NOA, emptied, line_items=[]),
        created(-5, left),
        updated(-4, NOA, left, wares=((CUP, 1),)),
        created(-12, dans),
        updated(-11, DAN, dans),
        updated(-10, DAN, dans, source_name="pos"),
        shopify.told("products/create", shopify.product(CUP, after(-30))),
        shopify.told("products/update", shopify.product(GREEN, after(-3))),
    ]


# A journey is told what was in the cart when it heard of it first.
_STARTED_WITH = re.compile(r'(?<="id": "checkout_started:).*"properties": {.*}(?=, "sk")')


def outcome(server: MemoryTables, tellings: list[Told]) -> list[Any]:
    with listening(server, HandClock(START), SHOPIFY) as heard:
        shop = Shop(heard)
        delivered = journey(mail("how-was-it"), trigger={"type": "order_delivered"})
        heard.activate({"left": LEFT, "started": STARTED, "asks": delivered})
        heard.hear(tellings)
        records = [_STARTED_WITH.sub("", line) for line in heard.records().splitlines()]
        states = [shop.cart(letter * 32).state.value for letter in "abcd"]
        shop.at(5000)
        ends = [sorted(shop.ends(shopper)) for shopper in (NOA, DAN)]
        return [states, ends, sorted(shop.sent()), records]


@pytest.fixture(scope="module")
def in_order(tables: MemoryTables) -> list[Any]:
    return outcome(tables, story())


def test_the_story_is_about_something(in_order: list[Any]) -> None:
    states, ends, sent, _ = in_order
    assert states == ["bought", "open", "emptied", "open"]
    assert ("started", "exited", "cart_bought") in ends[0] and ("started", "exited", "cart_emptied") in ends[0]
    assert (DAN.email, "checkout-mail") in sent and (NOA.email, "how-was-it") in sent


@settings(max_examples=12, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False))
def test_any_order_and_any_number_of_tellings_ends_the_same(
    tables: MemoryTables, in_order: list[Any], chance: random.Random
) -> None:
    tellings = [one for one in story() for _ in range(chance.choice((1, 1, 2)))]
    chance.shuffle(tellings)
    assert outcome(tables, tellings) == in_order
