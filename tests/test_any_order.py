"""Deliveries in any order, any number of times: the same records, and (before the first step is due) the same way."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from chalicelib.journeys.gallery import gallery
from local.demo.shop import CUP, GREEN, HONEY, SHOPPERS
from local.demo.woocommerce import CustomerAccount, Purchase, delivery, product_told
from tests.any_order import Listening, Told, listening
from tests.conftest import HandClock
from tests.journeys.world import journey, mail
from tests.memory_client import MemoryTables
from tests.recorded import NAMES, SECRET, load

NOW = datetime(2026, 11, 21, 21, 16, 57, tzinfo=UTC)  # a minute after the recorded order was paid
FRENCH = {"country": "FR", "currency": "EUR", "timezone": "Europe/Paris", "locale": "en"}
HEBREW = {"country": "IL", "currency": "ILS", "timezone": "Asia/Jerusalem", "locale": "he"}
LASTING = {"field": "event.lifetime_days", "is": "is_set"}
TEMPLATES = {
    "thank-you-new",
    "thank-you-returning",
    "replenishment",
    "repeat-purchase",
    "payment-failed",
    "cart-abandonment",
    "cart-abandonment-email-first",
    "checkout-abandonment",
}
JOURNEYS = {
    **{template.id: template.definition for template in gallery() if template.id in TEMPLATES},
    "uncategorized": journey(mail(), trigger={"type": "order_paid", "where": {"purchased": {"category": "15"}}}),
    "lasting": journey(mail(), trigger={"type": "order_completed", "where": LASTING}),
    "not-lasting": journey(mail(), trigger={"type": "order_placed", "where": {"not": LASTING}}),
    "refunds": journey(mail(), trigger={"type": "order_refunded"}),
}


@dataclass(frozen=True)
class Ends:
    records: str
    enrolments: str
    messages: str


def ends(listener: Listening, told: list[Told], batch: int = 1) -> Ends:
    """What stands once all is heard while the clock stands still, and then forty days later."""
    listener.activate(JOURNEYS)
    listener.hear(told, batch)
    records, enrolments = listener.records(), listener.enrolments()
    listener.workflows.live(days=40)
    return Ends(records, enrolments, listener.messages())


def shuffled(told: list[Told], chance: random.Random) -> list[Told]:
    some = [one for one in told for _ in range(chance.choice((1, 1, 1, 2)))]
    chance.shuffle(some)
    return some


def recorded() -> list[Told]:
    return [load(name) for name in NAMES]


def tea_shop() -> list[Told]:
    """In the order in which it happened, all of it in the last two days: orders paid in another order than placed,
    a guest who makes an account, a refund, a cancellation, a payment that failed first, products told in between."""
    noa, dan, maya, yoni = SHOPPERS[:4]
    found: list[tuple[datetime, str, dict[str, Any]]] = []

    def at(hours: float) -> datetime:
        return NOW - timedelta(hours=hours)

    def order(purchase: Purchase, status: str, hours: float, **told: Any) -> None:
        topic = "order.created" if status == "pending" else "order.updated"
        found.append((at(hours), topic, purchase.told(status, at(hours), **told)))

    for ware in (GREEN, CUP, HONEY):
        found.append((at(12), "product.updated", product_told(ware, at(12), "https://tea.example/pictures")))
    first = Purchase(1001, noa, ((GREEN, 2),), at(20), "subscribed", guest=True)
    late = Purchase(1002, noa, ((GREEN, 1), (HONEY, 1)), at(18), guest=True)
    again = Purchase(1003, noa, ((CUP, 1),), at(10))
    order(first, "pending", 20)
    order(first, "processing", 19, paid=at(19))
    order(first, "completed", 4, paid=at(19), completed=at(4))
    order(late, "pending", 18)
    order(late, "processing", 2, paid=at(2))
    order(again, "processing", 10, paid=at(10))
    found.append((at(11), "customer.created", CustomerAccount(noa, at(11)).told(at(11))))
    refunded = Purchase(1004, dan, ((GREEN, 1), (CUP, 1)), at(9), "subscribed")
    order(refunded, "processing", 9, paid=at(9))
    order(refunded, "processing", 3, paid=at(9), refunds=(1000,))
    cancelled = Purchase(1005, yoni, ((GREEN, 1),), at(15))
    order(cancelled, "processing", 14, paid=at(14))
    order(cancelled, "cancelled", 1, paid=at(14))
    failed = Purchase(1006, maya, ((HONEY, 3),), at(8), "subscribed")
    order(failed, "failed", 8)
    order(failed, "processing", 7, paid=at(7))
    calls = [delivery(SECRET, topic, body, moment) for moment, topic, body in sorted(found, key=lambda one: one[0])]
    return [(call.headers, call.body) for call in calls]


STORIES = {"recorded": (recorded, FRENCH), "tea": (tea_shop, HEBREW)}


def run(server: MemoryTables, store: Mapping[str, Any], told: list[Told], batch: int = 1) -> Ends:
    with listening(server, HandClock(NOW), store) as listener:
        return ends(listener, told, batch)


@pytest.fixture(scope="module")
def in_order(tables: MemoryTables) -> dict[str, Ends]:
    return {name: run(tables, store, story()) for name, (story, store) in STORIES.items()}


def test_the_stories_are_about_something(in_order: dict[str, Ends]) -> None:
    """What the property compares is not empty: each journey of interest has somebody, each end is there."""
    for journey_id in ("thank-you-new", "repeat-purchase", "uncategorized"):
        assert f'"journey": "{journey_id}"' in in_order["recorded"].enrolments
    tea = in_order["tea"].enrolments
    for journey_id in ("thank-you-new", "replenishment", "repeat-purchase", "lasting", "not-lasting", "refunds"):
        assert f'"journey": "{journey_id}"' in tea
    assert '"reason": "order_cancelled"' in tea
    assert '"status": "sent"' in in_order["tea"].messages
    assert '"status": "sent"' in in_order["recorded"].messages


@pytest.mark.parametrize(("name", "examples"), [("recorded", 5), ("tea", 3)])
def test_any_order_with_any_repeats_ends_the_same(
    tables: MemoryTables, in_order: dict[str, Ends], name: str, examples: int
) -> None:
    story, store = STORIES[name]

    @settings(
        max_examples=examples,
        deadline=None,
        phases=[Phase.generate],
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.randoms(use_true_random=False), st.sampled_from((1, 3, 10)))
    def ends_the_same(chance: random.Random, batch: int) -> None:
        found = run(tables, store, shuffled(story(), chance), batch)
        assert found.records == in_order[name].records
        assert found.enrolments == in_order[name].enrolments
        assert found.messages == in_order[name].messages

    ends_the_same()


def test_backwards_ends_the_same(tables: MemoryTables, in_order: dict[str, Ends]) -> None:
    for name, (story, store) in STORIES.items():
        assert run(tables, store, story()[::-1]) == in_order[name]
