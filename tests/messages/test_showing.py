"""What blocks choose for a contact, and that it is read at once, and only where there is something to choose."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from chalicelib.commerce.product import Category, Product
from chalicelib.commerce.shelves import SHOP, NewProduct, Ranked, Shelf, of_category, of_product
from chalicelib.contacts.engagement import Engagement, View
from chalicelib.contacts.purchases import Bought, Line, Purchases
from chalicelib.messages.showing import Showing, Shown, Wanted, gather, needs_of
from tests.messages.shop import NOW, content, product

DAY = timedelta(days=1)


class Front:
    """A shop of twelve products; `a` to `d` are of the category `cups`."""

    def __init__(self) -> None:
        self.reads: list[Wanted] = []
        self.run = "2026-11-22"
        cups = (Category(id="cups", name="Cups"),)
        self.products: dict[str, Product] = {
            one: product(one, name=f"Product {one}", categories=cups if one in "abcd" else ()) for one in "abcdefghijkl"
        }
        self.shelves: dict[str, Shelf] = {}
        self.engagement, self.purchases = Engagement(), Purchases()
        self.put(SHOP, best_sellers=ranked("jkla", 9), newest=tuple(new(one, DAY) for one in "gh"))
        self.put(of_category("cups"), best_sellers=ranked("bcd", 5), newest=(new("d", 2 * DAY),))
        self.put(of_product("a"), together=ranked("ef", 3))

    def put(self, of: str, run: str | None = None, **lists: Any) -> None:
        self.shelves[of] = Shelf(store_id="s1", of=of, run=run or self.run, **lists)

    def change(self, *names: str, **changes: Any) -> None:
        self.products |= {one: self.products[one].model_copy(update=changes) for one in names}

    def bought(self, *names: str, at: datetime = NOW) -> None:
        lines = tuple(Line(product=one, units=1, total=1) for one in names)
        self.purchases = Purchases(orders={"1": Bought(at=at, lines=lines)})

    def viewed(self, *names: str) -> None:
        views = [View(at=NOW + index * DAY, event_id=f"v{index}", product=one) for index, one in enumerate(names)]
        self.engagement = Engagement(views=tuple(views))

    def read(self, store_id: str, contact_id: str, wanted: Wanted) -> Shown:
        self.reads.append(wanted)
        return Shown(
            products={one: self.products[one] for one in wanted.products if one in self.products},
            shelves={of: self.shelves[of] for of in wanted.shelves if of in self.shelves},
            engagement=self.engagement if wanted.engagement else Engagement(),
            purchases=self.purchases if wanted.purchases else Purchases(),
        )

    def show(self, *blocks: dict[str, Any], told: Mapping[str, Any] | None = None, holds: bool = True) -> Showing:
        self.reads.clear()
        event = told if told is not None else {"type": "order_paid", "properties": {"product_id": "a"}}
        needs = needs_of(content(*blocks), event, lambda condition: holds)
        return gather(self, needs, "s1", "someone", event, NOW + 30 * DAY)

    def picked(self, *blocks: dict[str, Any], **more: Any) -> list[str]:
        found = self.show(*blocks, **more).picks
        return ["".join(pick.product.external_id for pick in picks) for picks in found.values()]


def ranked(names: str, most: int) -> tuple[Ranked, ...]:
    return tuple(Ranked(id=one, orders=most - index) for index, one in enumerate(names))


def new(name: str, ago: timedelta) -> NewProduct:
    return NewProduct(id=name, since=NOW + 30 * DAY - ago)


RECOMMENDED = {"type": "recommended"}


def test_too_few_of_one_way_are_filled_up_by_the_next() -> None:
    front = Front()
    assert front.picked({**RECOMMENDED, "count": 6}) == ["efbcdj"]
    assert front.picked({**RECOMMENDED, "by": ["best_sellers"]}) == ["jkl"], "never the very product"
    assert front.picked({**RECOMMENDED, "by": ["bought_together"], "of": "zzz"}) == [], "nothing is known of it"


def test_a_pick_says_why() -> None:
    front = Front()
    shown = front.show({**RECOMMENDED, "count": 6})
    [picks] = shown.picks.values()
    said = [(pick.product.external_id, pick.by, pick.of, pick.orders) for pick in picks]
    assert said[0] == ("e", "bought_together", "product:a", 3)
    assert said[2] == ("b", "same_category", "category:cups", 5)
    assert said[5] == ("j", "best_sellers", "shop", 9)
    assert (shown.names["product:a"], shown.names["category:cups"]) == ("Product a", "Cups")


def test_what_was_bought_is_gone_or_is_shown_elsewhere_is_not_recommended() -> None:
    front = Front()
    front.bought("e", "b")
    front.change("c", in_stock=False)
    front.change("d", published=False)
    del front.products["j"]
    shown = {"type": "products", "products": ["k"]}
    assert front.picked(shown, {**RECOMMENDED, "count": 2}, {**RECOMMENDED, "count": 6}) == ["fl"]


def test_recommended_by_what_was_viewed() -> None:
    front = Front()
    front.viewed("b", "a")
    assert front.picked({**RECOMMENDED, "of": "viewed", "by": ["bought_together"]}, told={}) == ["ef"]


def test_viewed_products_are_newest_first_and_not_bought_since() -> None:
    front = Front()
    front.viewed("a", "b", "c", "a", "d", "nothing")
    assert front.picked({"type": "viewed_products"}, told={}) == ["dacb"]
    assert front.picked({"type": "viewed_products", "count": 1}, told={}) == ["d"]
    front.bought("b", "a", at=NOW + 2 * DAY)
    assert front.picked({"type": "viewed_products"}, told={}) == ["dac"], "a was looked at again after it was bought"


def test_new_arrivals_are_the_events_own_or_the_shops() -> None:
    front = Front()
    arrivals = {"type": "new_arrivals"}
    news = {"type": "product_published", "properties": {"items": [{"product_id": "l"}, {"product_id": "c"}]}}
    assert front.picked(arrivals, told=news) == ["lc"]
    assert front.picked(arrivals, told={"type": "product_published", "properties": {"product_id": "c"}}) == ["c"]
    assert front.picked(arrivals, told={}) == ["gh"]
    assert front.picked({**arrivals, "category": "cups"}) == ["d"]
    assert front.picked({**arrivals, "category": "cups", "days": 1}) == []


def test_a_shelf_that_an_older_count_left_is_not_believed() -> None:
    front = Front()
    front.put(of_product("a"), run="2026-11-21", together=ranked("ef", 3))
    assert front.picked({**RECOMMENDED, "by": ["bought_together"]}) == []


def test_only_what_the_shown_blocks_need_is_read() -> None:
    front = Front()
    asks = {"ordered": {"since": "entry"}}
    focus = {"type": "focus", "if": asks, "blocks": [RECOMMENDED], "else": [{"type": "product", "product": "f"}]}
    assert front.picked(focus) == ["efbc"]
    assert front.picked(focus, holds=False) == []
    assert [read.products for read in front.reads] == [{"a", "f"}], "one read, and no shelf"
    front.show({"type": "text", "text": "x"}, told={})
    assert front.reads == [], "nothing is needed, nothing is read"


def test_choosing_needs_few_reads() -> None:
    front = Front()
    front.viewed("a")
    front.show(RECOMMENDED, {"type": "viewed_products"}, {"type": "new_arrivals"})
    assert len(front.reads) <= 3
