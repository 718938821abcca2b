"""One story told by every platform: the same records, enrolments and messages come of it.

Taken out before comparing is only what must differ, listed in `plain` with the reason; what else the platforms do not
tell alike is in docs/adding-a-store-platform.md.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from chalicelib.journeys.gallery import gallery
from chalicelib.messages.ports import Email
from local.demo.shop import TEAS
from tests.any_order import Listening, Told, listening
from tests.conftest import HandClock
from tests.contract import store_story as script
from tests.contract.store_story import OrderGone, OrderTold
from tests.contract.tellers import TELLERS, Teller
from tests.journeys.world import journey, mail
from tests.memory_client import MemoryTables
from tests.messages.readers import as_written

_CHOSEN = ("thank-you-new", "replenishment", "repeat-purchase", "cart-abandonment", "payment-failed")
JOURNEYS: dict[str, dict[str, Any]] = {
    **{template.id: template.definition for template in gallery() if template.id in _CHOSEN},
    "refunds": journey(mail(), trigger={"type": "order_refunded"}),
    "cancellations": journey(mail(), trigger={"type": "order_cancelled"}, reentry={"mode": "per_order"}),
    "new": journey(mail(), trigger={"type": "contact_created"}, reentry={"mode": "once"}),
    "white-cups": journey(mail(), trigger={"type": "order_paid", "where": {"purchased": {"product": "1122"}}}),
}
JOURNEYS |= {
    name: journey(mail(), trigger={"type": type_, "watchers": ["bought"], **more}, reentry={"mode": "every_time"})
    for name, type_, more in (
        ("returned", "product_back_in_stock", {}),
        ("cheaper", "price_dropped", {"at_least_percent": 5}),
        ("arrived", "product_published", {}),
    )
}
NEWS = ("returned", "cheaper", "arrived")
AFTERWARDS = timedelta(days=40)
_VERSION = re.compile(r"(\d{4}-\d\d-\d\dT[\d:.]+Z#\d\d#)[0-9a-f]{16}")
_LINK = re.compile(r"https?://[^\s<>\"\\]+")


@dataclass(frozen=True)
class Ends:
    """Lines of JSON, sorted: what stands at the story's end, and what was sent forty days later, word for word."""

    records: list[str]
    enrolments: list[str]
    messages: list[str]

    def whatever_the_order(self) -> Ends:
        """Without what an event said of a cart or a product when it was first heard: each enrolment keeps that, and
        the timeline of a checkout's beginning. An order that was cancelled or sent back begins nothing if that is heard
        first, else what it begins ends at once."""
        records = [_without(line, "properties") if "#checkout_started:" in line else line for line in self.records]
        begun = [line for line in self.enrolments if not re.search('"reason": "order_(cancelled|refunded)"', line)]
        return Ends(sorted(records), sorted(_without(line, "event") for line in begun), self.messages)


def lived(server: MemoryTables, teller: Teller) -> Ends:
    """Everything is heard when it is told, and the clock goes on between."""
    with _shop(server, teller, script.BEGIN) as shop:
        shop.activate(_of_tea(teller, "in-cart", "cart"))
        for happening in script.write():
            shop.workflows.live(seconds=(happening.told_at - shop.clock.now()).total_seconds())
            shop.hear(teller.tell(happening))
        shop.workflows.live(seconds=(script.BEGIN + script.END - shop.clock.now()).total_seconds())
        return _ends(shop, teller)


def heard_at_once(server: MemoryTables, teller: Teller, told: list[Told], batch: int = 1) -> Ends:
    """All of it at the story's end, in the order given."""
    with _shop(server, teller, script.BEGIN + script.END) as shop:
        shop.hear(told, batch)
        return _ends(shop, teller)


def tellings(teller: Teller) -> list[Told]:
    """But for the order that is deleted in the end: told after its deletion, it begins nothing."""
    story = script.write()
    gone = [one.sale for one in story if isinstance(one, OrderGone)]
    kept = [one for one in story if not (isinstance(one, OrderGone | OrderTold) and one.sale in gone)]
    return [one for happening in kept for one in teller.tell(happening)]


@contextmanager
def _shop(server: MemoryTables, teller: Teller, now: datetime) -> Iterator[Listening]:
    with listening(server, HandClock(now), {**script.SHOP, "platform": teller.platform}) as shop:
        shop.activate({**JOURNEYS, **_of_tea(teller, "bought", "purchased")})
        yield shop


def _of_tea(teller: Teller, name: str, asked: str) -> dict[str, dict[str, Any]]:
    """A journey that asks for a category, by the platform's own id of it: of a purchase, or of the newest cart, which
    an order that is heard of before its cart does not know."""
    tea = next((own for own, ours in teller.renamed.items() if ours == TEAS[0]), TEAS[0])
    return {f"tea-{name}": journey(mail(), trigger={"type": "order_paid", "where": {asked: {"category": tea}}})}


def _ends(shop: Listening, teller: Teller) -> Ends:
    records, enrolments = shop.records(), shop.enrolments()
    shop.workflows.live(seconds=AFTERWARDS.total_seconds())
    emails = [one for one in shop.channel.taken if isinstance(one, Email)]
    pages = [{"to": e.to, "step": e.step, "page": as_written(shop.parts.table, e.html)} for e in emails]
    messages = "\n".join([shop.messages(), *(json.dumps(page, ensure_ascii=False) for page in pages)])
    return Ends(*(_lines(text, teller) for text in (records, enrolments, messages)))


def _lines(text: str, teller: Teller) -> list[str]:
    """One line for each thing, without what must differ between platforms."""
    told = [json.loads(line) for line in text.splitlines()]
    kept = [plain(one, teller) for one in told if not _of_deliveries(one)]
    return sorted(json.dumps(one, sort_keys=True, ensure_ascii=False) for one in kept)


def _of_deliveries(item: dict[str, Any]) -> bool:
    """Platforms make different deliveries, and different numbers of them, of one happening."""
    return str(item.get("pk", "")).startswith(("delivery", "REPEAT#"))


def _without(line: str, name: str) -> str:
    told = json.loads(line)
    del told[name]
    return json.dumps(told, sort_keys=True, ensure_ascii=False)


def plain(value: Any, teller: Teller) -> Any:
    """Without hashes of bodies, ids of calls, addresses of pages and pictures, and texts that a platform makes."""
    if isinstance(value, list):
        return [plain(one, teller) for one in value]
    if isinstance(value, dict) and value.keys() == {"always", "count"}:
        return value["always"] or value["count"] > 0  # of stock: Shopify counts, WooCommerce says whether there is any
    if isinstance(value, dict):
        return {_text(name, teller): plain(one, teller) for name, one in _own_words(value).items()}
    return _text(value, teller) if isinstance(value, str) else value


def _own_words(told: dict[str, Any]) -> dict[str, Any]:
    """The fields that say the same on every platform."""
    gone = {"body_hash", "image", "url", "restore_url", "payment_url"}
    if "status" in told and "source" in told:
        gone |= {"source", "text"}  # of a consent: the plugin says what was shown, Shopify does not
    if "channel" in told:
        gone.add("words")  # of a message: a digest, with the addresses of the shop's pages in it
    if "token" in told and "step" in told:
        gone.add("id")  # of a cart's activity: the plugin's own, or made of a checkout's telling
    if "external_id" in told and "amount" in told:
        gone.add("at")  # of a refund: WooCommerce does not say when, its event has the telling's time
    if "external_id" in told and "total" in told:
        gone.add("cancelled_at")  # of an order: the same, and its event has the telling's time
    if told.get("parent_id"):
        gone |= {"categories", "lifetime_days"}  # of a choice: Shopify tells its product's; events take those else
    if "in_stock" in told and not told.get("sku"):
        gone.add("regular_price")  # of a product with choices: WooCommerce tells none
    if "stock_told" in told or "in_stock" in told:  # of what Shopify's inventory levels are about, and add to
        gone |= {"levels_of", "in_stock_now", "stock_now", "inventory_item", "variants"}
    if "price" in told and "quantity" in told:
        gone.add("categories")  # of a cart's line: the plugin tells them, Shopify's catalogue has them
    return {name: one for name, one in told.items() if name not in gone}


def _text(text: str, teller: Teller) -> str:
    for own, ours in teller.renamed.items():
        text = text.replace(own, ours)
    text = _LINK.sub("<link>", _VERSION.sub(r"\1", text))
    text = re.sub(r"(cart_updated:shop):[^\s\"]*", r"\1", text)
    return re.sub(r"(Z)#(?:[0-9a-f]{32}|shopify)[^\s\"]*", r"\1", text)


@pytest.fixture(scope="module")
def ends(tables: MemoryTables) -> dict[str, Ends]:
    """The story as it was lived, by platform."""
    return {teller.platform.value: lived(tables, teller) for teller in TELLERS}


@pytest.fixture(scope="module")
def at_once(tables: MemoryTables) -> dict[str, Ends]:
    """All of it heard at its end, in the order in which it happened."""
    return {teller.platform.value: heard_at_once(tables, teller, tellings(teller)) for teller in TELLERS}


FIRST, *OTHERS = (teller.platform.value for teller in TELLERS)
others = pytest.mark.parametrize("other", OTHERS)


def test_the_story_is_about_something(ends: dict[str, Ends]) -> None:
    """What is compared is not empty: each journey of interest has somebody, each end is there."""
    first = ends[FIRST]
    for journey_id in (
        "thank-you-new",
        "replenishment",
        "cart-abandonment",
        "refunds",
        "tea-bought",
        "tea-in-cart",
        *NEWS,
    ):
        assert any(f'"journey": "{journey_id}"' in line for line in first.enrolments), journey_id
        assert any(f'"journey": "{journey_id}"' in line for line in first.messages), journey_id
    for word in ("goal_met", "order_cancelled", "order_refunded"):
        assert any(f'"{word}"' in line for line in first.enrolments), word
    for word in ("no_consent", "unsubscribed", "no_phone", "sent"):
        assert any(f'"{word}"' in line for line in first.messages), word
    for word in ("cart_recovered:", "product_back_in_stock:", '"deleted": {'):
        assert any(word in line for line in first.records), word


@others
@pytest.mark.parametrize("what", ["records", "enrolments", "messages"])
def test_the_story_lived_comes_to_the_same_on_every_platform(ends: dict[str, Ends], other: str, what: str) -> None:
    assert getattr(ends[other], what) == getattr(ends[FIRST], what)


@others
@pytest.mark.parametrize("what", ["records", "enrolments", "messages"])
def test_the_story_heard_at_its_end_comes_to_the_same(at_once: dict[str, Ends], other: str, what: str) -> None:
    assert getattr(at_once[other], what) == getattr(at_once[FIRST], what)


@pytest.mark.parametrize("teller", TELLERS, ids=lambda teller: teller.platform.value)
def test_in_any_order_with_any_repeats_it_ends_the_same(
    tables: MemoryTables, at_once: dict[str, Ends], teller: Teller
) -> None:
    @settings(
        max_examples=2, deadline=None, phases=[Phase.generate], database=None, suppress_health_check=list(HealthCheck)
    )
    @given(st.randoms(use_true_random=False), st.sampled_from((1, 3, 10)))
    def ends_the_same(chance: random.Random, batch: int) -> None:
        told = [one for one in tellings(teller) for _ in range(chance.choice((1, 1, 1, 2)))]
        chance.shuffle(told)
        found = heard_at_once(tables, teller, told, batch)
        assert found.whatever_the_order() == at_once[teller.platform.value].whatever_the_order()

    ends_the_same()
