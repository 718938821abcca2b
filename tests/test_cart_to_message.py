"""A cart becomes a message, or does not: calls of the plugin and deliveries in, emails out, the rest is real."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from chalicelib.commerce.cart import CartState
from chalicelib.journeys.enrolment import Enrolment
from local.demo.carts import Cart
from local.demo.shop import CUP, GREEN, HONEY, SHOPPERS, Shopper
from local.demo.woocommerce import Purchase, delivery
from tests.any_order import Listening, Told, listening
from tests.conftest import HandClock
from tests.journeys.world import journey, mail, pause
from tests.memory_client import MemoryTables
from tests.recorded import SECRET
from tests.test_any_order import HEBREW

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
NOA, DAN = SHOPPERS[0], SHOPPERS[1]
OPEN = {"cart": {"is": "abandoned"}}
LEFT = journey(
    mail("first"),
    pause("wait", days=1),
    mail("second"),
    trigger={"type": "cart_abandoned"},
    reentry={"mode": "per_cart"},
    goal={"purchased": {"since": "entry"}},
)
CHECKOUT = journey(
    pause("short", minutes=30),
    mail("checkout-mail"),
    trigger={"type": "checkout_started"},
    reentry={"mode": "per_cart"},
)


class Carts:
    """The tea shop with its plugin. Times are minutes after `START`."""

    def __init__(self, shop: Listening) -> None:
        self.shop, self.clock, self.channel = shop, shop.clock, shop.channel

    def at(self, minute: float, *told: Told) -> None:
        left = START + timedelta(minutes=minute) - self.clock.now()
        self.shop.workflows.live(seconds=left.total_seconds())
        self.shop.hear(told)

    def sent(self) -> list[tuple[str, str | None]]:
        return [(email.to, email.step) for email in self.channel.taken]

    def enrolments(self, shopper: Shopper = NOA) -> list[Enrolment]:
        contact = self.shop.parts.contacts.find("shop", "email", shopper.email)
        return self.shop.parts.enrolments.of_contact("shop", contact.id) if contact else []

    def ends(self, shopper: Shopper = NOA) -> list[tuple[str, str, str | None]]:
        return [(one.journey, one.status.value, one.reason) for one in self.enrolments(shopper)]

    def cart(self, token: str) -> Any:
        return self.shop.parts.carts.get("shop", token)


@pytest.fixture
def carts(tables: MemoryTables) -> Iterator[Carts]:
    with listening(tables, HandClock(START), HEBREW) as listener:
        yield Carts(listener)


def basket(token: str = "a" * 32, shopper: Shopper = NOA, *wares: Any, **more: Any) -> Cart:
    chosen = wares or ((GREEN, 2), (HONEY, 1))
    return Cart(token, shopper, chosen, "https://tea.example/pictures", more.pop("email", shopper.email), **more)


def told(cart: Cart, event: str, minute: float, **more: Any) -> Told:
    call = cart.call(event, START + timedelta(minutes=minute), **more)
    return call.headers(SECRET), call.body


def ordered(cart: Cart, minute: float, status: str = "processing", number: int = 900, **more: Any) -> Told:
    at = START + timedelta(minutes=minute)
    bought = Purchase(number, more.pop("shopper", cart.shopper), cart.wares, at, cart_token=cart.token, **more)
    sent = delivery(SECRET, "order.created", bought.told(status, at, paid=at if status == "processing" else None), at)
    return sent.headers, sent.body


def test_a_left_cart_becomes_messages_with_what_is_in_it(carts: Carts) -> None:
    carts.shop.activate({"left": LEFT})
    cart = basket()
    carts.at(0, told(cart, "updated", 0, known=False))
    carts.at(5, told(cart, "checkout", 5))
    carts.at(64)
    assert carts.sent() == []
    carts.at(66)
    assert carts.sent() == [(NOA.email, "first")]
    (enrolment,) = carts.enrolments()
    assert (enrolment.entry_key, enrolment.event["type"]) == (cart.token, "cart_abandoned")
    carts.at(3 * 1440)
    assert carts.sent() == [(NOA.email, "first"), (NOA.email, "second")]
    assert carts.ends() == [("left", "completed", "completed")]


def test_a_cart_that_is_bought_in_time_is_not_written_about(carts: Carts) -> None:
    carts.shop.activate({"left": LEFT, "checkout": CHECKOUT})
    cart = basket()
    carts.at(0, told(cart, "checkout", 0))
    carts.at(20, ordered(cart, 20))
    carts.at(5000)
    assert carts.sent() == []
    assert carts.ends() == [("checkout", "exited", "cart_bought")]


def test_a_guest_who_buys_under_another_address_hears_nothing_more(carts: Carts) -> None:
    carts.shop.activate({"left": LEFT})
    cart = basket()
    carts.at(0, told(cart, "checkout", 0))
    carts.at(120, ordered(cart, 120, shopper=DAN, guest=True))
    carts.at(5000)
    assert carts.sent() == [(NOA.email, "first")]
    assert carts.ends() == [("left", "exited", "cart_bought")]
    assert carts.cart(cart.token).state is CartState.BOUGHT


def test_a_corrected_address_leaves_the_wrong_one_in_peace(carts: Carts) -> None:
    carts.shop.activate({"checkout": CHECKOUT})
    carts.at(0, told(basket(email=DAN.email), "checkout", 0))
    assert carts.ends(DAN) == [("checkout", "running", None)]
    carts.at(1, told(basket(), "checkout", 1))
    assert carts.ends(DAN) == [("checkout", "exited", "cart_of_another")]
    carts.at(500)
    assert carts.sent() == [(NOA.email, "checkout-mail")]


def test_two_contacts_that_become_one_keep_their_cart(carts: Carts) -> None:
    carts.shop.activate({"checkout": CHECKOUT})
    cart = basket(email="noa@guest.example")
    carts.at(0, told(cart, "checkout", 0), ordered(basket("b" * 32), 0, number=901))
    carts.at(1, ordered(basket("c" * 32, email="noa@guest.example"), 1, number=902, email="noa@guest.example"))
    assert carts.shop.parts.contacts.find("shop", "email", "noa@guest.example").emails[1:]
    carts.at(500)
    assert [step for _, step in carts.sent()] == ["checkout-mail"]


def test_the_plugins_own_word_of_an_order_is_enough(carts: Carts) -> None:
    carts.shop.activate({"left": LEFT})
    cart = basket()
    carts.at(0, told(cart, "checkout", 0))
    carts.at(120, told(cart, "converted", 120, order_id=900))
    carts.at(5000)
    assert carts.sent() == [(NOA.email, "first")]
    assert carts.ends() == [("left", "exited", "cart_bought")]


def test_whoever_buys_what_they_were_reminded_of_met_the_goal(carts: Carts) -> None:
    carts.shop.activate({"left": LEFT})
    cart = basket()
    carts.at(0, told(cart, "checkout", 0))
    carts.at(120, ordered(cart, 120))
    carts.at(5000)
    assert carts.ends() == [("left", "goal_met", "goal_met")]
    contact = carts.shop.parts.contacts.find("shop", "email", NOA.email)
    types = [event.type for event in carts.shop.parts.timeline.of_contact("shop", contact.id)]
    assert "cart_recovered" in types


def test_that_the_cart_is_bought_may_be_the_goal_whoever_bought_it(carts: Carts) -> None:
    carts.shop.activate({"left": {**LEFT, "goal": {"cart": {"is": "bought"}}}})
    cart, other = basket(), basket("b" * 32, DAN)
    carts.at(0, told(cart, "checkout", 0), told(other, "checkout", 0))
    carts.at(120, told(cart, "converted", 120, order_id=900), ordered(other, 120, shopper=SHOPPERS[2], guest=True))
    assert (carts.ends(NOA), carts.ends(DAN)) == (
        [("left", "goal_met", "goal_met")],
        [("left", "goal_met", "goal_met")],
    )


def test_a_payment_that_is_still_to_come_ends_the_reminders_too(carts: Carts) -> None:
    carts.shop.activate({"left": LEFT})
    cart = basket()
    carts.at(0, told(cart, "checkout", 0))
    carts.at(30, ordered(cart, 30, "on-hold"))
    carts.at(5000)
    assert carts.sent() == []


@pytest.mark.parametrize("status", ["on-hold", "pending", "processing", "failed"])
def test_an_order_from_another_device_ends_the_reminders_paid_or_not(carts: Carts, status: str) -> None:
    carts.shop.activate({"left": {**LEFT, "goal": {"ordered": {"since": "entry"}}}})
    carts.at(0, told(basket(), "checkout", 0))
    carts.at(120, ordered(basket("b" * 32), 120, status))
    assert carts.ends() == [("left", "goal_met", "goal_met")]
    carts.at(5000)
    assert carts.sent() == [(NOA.email, "first")]


def test_an_order_of_before_is_no_order_since(carts: Carts) -> None:
    carts.shop.activate({"left": {**LEFT, "goal": {"ordered": {"since": "entry"}}}})
    carts.at(0, ordered(basket("b" * 32), -600, "on-hold"), told(basket(), "checkout", 0))
    carts.at(5000)
    assert [step for _, step in carts.sent()] == ["first", "second"]


def test_an_emptied_cart_ends_what_began_with_it(carts: Carts) -> None:
    carts.shop.activate({"left": LEFT})
    cart = basket()
    carts.at(0, told(cart, "checkout", 0))
    carts.at(120, told(cart, "emptied", 120))
    assert carts.ends() == [("left", "exited", "cart_emptied")]
    carts.at(5000)
    assert len(carts.sent()) == 1


def test_a_cart_that_ended_unheard_is_found_out_before_the_next_message(carts: Carts) -> None:
    """Whoever told of the order could not reach the journeys: the step looks for itself."""
    carts.shop.activate({"left": LEFT})
    cart = basket()
    carts.at(0, told(cart, "checkout", 0))
    carts.at(120)
    record = carts.cart(cart.token)
    carts.shop.parts.carts.write(record.model_copy(update={"bought_at": carts.clock.now()}))
    assert carts.ends() == [("left", "running", None)]
    carts.at(5000)
    assert len(carts.sent()) == 1
    assert carts.ends() == [("left", "exited", "cart_bought")]


def test_one_cart_is_not_written_about_twice(carts: Carts) -> None:
    carts.shop.activate({"left": LEFT, "checkout": CHECKOUT})
    cart = basket()
    carts.at(0, told(cart, "checkout", 0))
    carts.at(5000)
    assert carts.cart(cart.token).state is CartState.ABANDONED
    assert carts.sent() == [(NOA.email, "checkout-mail")]
    assert [one.journey for one in carts.enrolments()] == ["checkout"]


def test_a_journey_that_ended_without_a_word_leaves_the_cart_to_the_next(carts: Carts) -> None:
    carts.shop.activate({"left": LEFT, "checkout": CHECKOUT})
    cart = basket()
    carts.at(0, told(cart, "checkout", 0))
    carts.at(10, told(cart, "emptied", 10))
    carts.at(20, told(cart, "updated", 20))
    carts.at(200)
    assert carts.sent() == [(NOA.email, "first")]
    assert {one.journey for one in carts.enrolments()} == {"checkout", "left"}


def test_each_cart_enters_once_however_often_it_is_left(carts: Carts) -> None:
    carts.shop.activate({"left": LEFT})
    first, second = basket(), basket("b" * 32, NOA, (CUP, 1))
    carts.at(0, told(first, "updated", 0))
    carts.at(100, told(first, "updated", 100))
    carts.at(300, told(second, "updated", 300))
    carts.at(400)
    assert [one.entry_key for one in carts.enrolments()] == [first.token, second.token]


def test_a_branch_asks_for_the_events_own_cart_as_it_is_now(carts: Carts) -> None:
    asks = {
        "id": "still",
        "type": "branch",
        "if": {"all": [{"cart": {"is": "open"}}, {"cart": {"product": "112"}}, {"cart": {"at_least_total": 6900}}]},
        "then": [mail("came-back")],
        "else": [mail("still-away")],
    }
    carts.shop.activate({"asks": journey(pause(hours=3), asks, trigger={"type": "cart_abandoned"})})
    away, back = basket("c" * 32, DAN), basket()
    carts.at(0, told(away, "updated", 0), told(back, "updated", 0))
    carts.at(238, told(basket(back.token, NOA, (CUP, 1)), "updated", 238))
    carts.at(300)
    assert sorted(carts.sent()) == sorted([(NOA.email, "came-back"), (DAN.email, "still-away")])


def test_an_order_asks_for_the_contacts_newest_cart(carts: Carts) -> None:
    where = {"type": "order_paid", "where": {"cart": {"is": "open", "category": "22"}}}
    carts.shop.activate({"also": journey(mail("also"), trigger=where)})
    older, newer = basket("b" * 32, NOA, (CUP, 1)), basket("c" * 32, DAN, (CUP, 1))
    carts.at(0, told(older, "updated", 0))
    carts.at(1, told(basket("d" * 32, NOA, (GREEN, 1)), "updated", 1), told(newer, "updated", 1))
    carts.at(5, ordered(basket("e" * 32, NOA), 5, number=901), ordered(basket("f" * 32, DAN), 5, number=902))
    carts.at(6)
    assert carts.sent() == [(DAN.email, "also")]


# Any order


def story() -> list[Told]:
    """Within the last minutes, so that nothing is due before all is heard."""
    bought, elsewhere, left, emptied = (basket(letter * 32) for letter in "abcd")
    dans = basket("e" * 32, DAN)
    return [
        told(bought, "updated", -9, known=False),
        told(bought, "checkout", -8),
        ordered(bought, -6, number=901),
        told(bought, "converted", -6, order_id=901),
        told(elsewhere, "checkout", -50),
        ordered(elsewhere, -40, number=902, shopper=SHOPPERS[2], guest=True),
        told(emptied, "checkout", -20),
        told(emptied, "emptied", -15),
        told(left, "updated", -4),
        told(dans, "updated", -12, known=False),
        told(dans, "checkout", -11),
        told(dans, "updated", -10),
    ]


def outcome(server: MemoryTables, tellings: list[Told]) -> list[Any]:
    with listening(server, HandClock(START), HEBREW) as listener:
        carts = Carts(listener)
        listener.activate({"left": LEFT, "checkout": CHECKOUT})
        listener.hear(tellings)
        states = [carts.cart(letter * 32).state.value for letter in "abcde"]
        carts.at(5000)
        ends = [sorted(carts.ends(shopper)) for shopper in (NOA, DAN, SHOPPERS[2])]
        return [states, ends, sorted(carts.sent())]


@pytest.fixture(scope="module")
def in_order(tables: MemoryTables) -> list[Any]:
    return outcome(tables, story())


def test_the_story_is_about_something(in_order: list[Any]) -> None:
    states, ends, sent = in_order
    assert states == ["bought", "bought", "open", "emptied", "open"]
    assert ("checkout", "exited", "cart_bought") in ends[0] and ("checkout", "exited", "cart_emptied") in ends[0]
    assert sent == [(NOA.email, "first"), (NOA.email, "second"), (DAN.email, "checkout-mail")]


@settings(max_examples=6, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False))
def test_any_order_of_calls_and_deliveries_ends_the_same(
    tables: MemoryTables, in_order: list[Any], chance: random.Random
) -> None:
    tellings = [one for one in story() for _ in range(chance.choice((1, 1, 2)))]
    chance.shuffle(tellings)
    assert outcome(tables, tellings) == in_order
