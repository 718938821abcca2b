"""What an email step shows: focused content by the facts of the moment, products by what the shop puts forward."""

from __future__ import annotations

from typing import Any

from chalicelib.commerce.ports import ProductRecord
from chalicelib.commerce.product import Product
from chalicelib.commerce.shelves import SHOP, Ranked, Shelf
from chalicelib.commerce.snapshot import Version
from chalicelib.storage.shelves import Shelves
from chalicelib.storage.table import Table
from tests.conftest import HandClock
from tests.journeys.world import World, journey, mail, minutes, pause


def words(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def told(*blocks: dict[str, Any], step: str = "mail") -> dict[str, Any]:
    return {**mail(step), "content": {"en": {"subject": "Hello", "blocks": list(blocks)}}}


def focus(condition: dict[str, Any], yes: str, no: str) -> dict[str, Any]:
    return {"type": "focus", "if": condition, "blocks": [words(yes)], "else": [words(no)]}


def sent(world: World) -> list[Any]:
    return world.channel.taken


def test_focused_content_is_decided_by_the_facts_of_the_moment(table: Table, clock: HandClock) -> None:
    world = World(table, clock)
    bought = {"purchased": {"product": "11", "at_least_orders": 2}}
    asked = {"viewed": {"product": "77", "within_days": 2}}
    done = {"message": {"step": "first", "is": "sent"}}
    second = told(
        focus(bought, "bought twice", "bought once"),
        focus(asked, "looked", "did not look"),
        focus(done, "was written to", "was not"),
        step="second",
    )
    world.activate(journey(mail("first"), pause(days=1), second))
    world.buy("1")
    enrolment = world.only()
    world.run(enrolment, ["first"], "pause")
    clock.advance(days=1)
    world.note("product_viewed", product_id="77")
    world.order("2", ago=minutes(5))
    world.run(world.only(), ["second"])
    text = sent(world)[-1].text
    assert all(one in text for one in ("bought twice", "looked", "was written to")), text
    assert "did not look" not in text and "bought once" not in text


def test_the_other_side_is_shown_to_the_others(table: Table, clock: HandClock) -> None:
    world = World(table, clock)
    world.activate(journey(told(focus({"viewed": {"product": "77", "within_days": 2}}, "looked", "did not look"))))
    world.buy("1")
    world.run(world.only(), ["mail"])
    assert "did not look" in sent(world)[-1].text


def test_a_step_shows_what_the_shop_puts_forward(table: Table, clock: HandClock) -> None:
    world = World(table, clock)
    for name in ("11", "tea", "cup"):
        product = Product(external_id=name, version=Version(modified_at=clock.now()), name=f"Fine {name}", stock=3)
        world.products.save(ProductRecord(store_id=world.store.id, external_id=name, product=product))
    sellers = tuple(Ranked(id=name, orders=5 - place) for place, name in enumerate(("11", "tea", "cup")))
    shelves = Shelves(table, None)  # type: ignore[arg-type]
    shelves.save(Shelf(store_id=world.store.id, of=SHOP, run="2026-11-21", best_sellers=sellers))
    world.activate(journey(told({"type": "recommended"}, {"type": "stock_left", "product": "tea"})))
    world.buy("1")
    world.run(world.only(), ["mail"])
    email = sent(world)[-1]
    assert "Fine tea" in email.text and "Fine cup" in email.text and "Best sellers of the shop" in email.text
    assert "Fine 11" not in email.text, "it was bought"
    assert 'src="https://agala.example/i/s/s1.' in email.html
