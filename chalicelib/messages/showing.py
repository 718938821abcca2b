"""What an email shows of the shop: its products, and those that some blocks choose for the contact.

What is needed is read in as few requests as possible. Choosing is a pure function of what is known; whatever it asks
for in vain is read, all of it at once, and it chooses again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from chalicelib.commerce.product import Product
from chalicelib.commerce.shelves import SHOP, Ranked, Shelf, of_category, of_product
from chalicelib.contacts.engagement import Engagement
from chalicelib.contacts.purchases import Purchases
from chalicelib.journeys.condition_forms import Condition
from chalicelib.messages.block_forms import (
    Block,
    CartItemsBlock,
    CountdownBlock,
    NewArrivalsBlock,
    OrderItemsBlock,
    ProductBlock,
    ProductsBlock,
    RecommendedBlock,
    StockLeftBlock,
    ViewedProductsBlock,
)
from chalicelib.messages.content_model import EmailContent, shown
from chalicelib.messages.fields import product_meant, trigger_product
from chalicelib.messages.safe_text import plain_name

_SPARE = 4  # candidates read beside those that are needed: some will be sold out or gone
_ROUNDS = 6
_MOST_SEEDS, _SEEDS_VIEWED, _MOST_CATEGORIES = 10, 3, 4

Choosing = ViewedProductsBlock | RecommendedBlock | NewArrivalsBlock
Holds = Callable[[Condition], bool]
"""Whether a condition of focused content applies to the contact now."""


@dataclass(frozen=True)
class Needs:
    """`products` are to be looked up; `choosing` are the blocks that choose, by their places, from top to bottom;
    `named` are the products that other blocks show; `focused` says of each focused block whether its condition holds;
    `pictured` are the blocks with a picture that is drawn when the email is opened.
    """

    products: frozenset[str] = frozenset()
    choosing: Mapping[str, Choosing] = field(default_factory=dict)
    named: frozenset[str] = frozenset()
    focused: Mapping[str, bool] = field(default_factory=dict)
    pictured: Mapping[str, CountdownBlock | StockLeftBlock] = field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    """What to read together: products by id, shelves by what they are of, and of the contact what it did and bought."""

    products: frozenset[str] = frozenset()
    shelves: frozenset[str] = frozenset()
    engagement: bool = False
    purchases: bool = False


@dataclass(frozen=True)
class Shown:
    """What there is of it. A product that was deleted is not there."""

    products: Mapping[str, Product] = field(default_factory=dict)
    shelves: Mapping[str, Shelf] = field(default_factory=dict)
    engagement: Engagement = field(default_factory=Engagement)
    purchases: Purchases = field(default_factory=Purchases)


class Storefront(Protocol):
    """`storage.shelves.Storefront`."""

    def read(self, store_id: str, contact_id: str, wanted: Wanted) -> Shown: ...


@dataclass(frozen=True)
class Pick:
    """A product that was chosen, and why: `by` way of the block, in so many `orders` (together with the product `of`;
    of the category `of`)."""

    product: Product
    by: str = ""
    of: str = ""
    orders: int = 0


@dataclass(frozen=True)
class Showing:
    """`picks` by the place of the block that chose them, `kinds` are those blocks' types; `names` of products and
    categories that a pick tells `of`."""

    products: Mapping[str, Product] = field(default_factory=dict)
    picks: Mapping[str, Sequence[Pick]] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    def chosen_by(self, kind: str) -> dict[str, Sequence[Product]]:
        """The products that blocks of this type chose, by place."""
        return {
            place: [pick.product for pick in picks] for place, picks in self.picks.items() if self.kinds[place] == kind
        }

    def why(self) -> dict[str, dict[str, Any]]:
        """By place, what the line above recommended products says: `together` with which product they were bought, of
        which `category` they are, whether they are `best_sellers`; each only where one is there for that reason."""
        found: dict[str, dict[str, Any]] = {}
        for place, picks in self.picks.items():
            ways = {pick.by: pick for pick in reversed(picks)}  # of each way the first
            told: dict[str, Any] = {}
            for way, name in (("bought_together", "together"), ("same_category", "category")):
                if way in ways and (called := self.names.get(ways[way].of)):
                    told[name] = plain_name(called)
            if "best_sellers" in ways:
                told["best_sellers"] = True
            if told:
                found[place] = told
        return found


def needs_of(content: EmailContent, event: Mapping[str, Any], holds: Holds) -> Needs:
    """Of those blocks alone that this contact is shown."""
    properties = _properties(event)
    focused = {place: holds(condition) for place, condition in content.conditions()}
    blocks = dict(shown(content, focused))
    named = {one for block in blocks.values() for one in _named(block, properties)}
    counted = {block.product for block in blocks.values() if isinstance(block, StockLeftBlock)}
    products = named | {one for which in counted if (one := product_meant(which, properties))}
    trigger = trigger_product(properties)
    return Needs(
        products=frozenset(products | ({trigger} if trigger else set())),
        choosing={place: block for place, block in blocks.items() if isinstance(block, Choosing)},
        named=frozenset(named | {one for block in blocks.values() for one in _listed(block, properties)}),
        focused=focused,
        pictured={
            place: block for place, block in blocks.items() if isinstance(block, CountdownBlock | StockLeftBlock)
        },
    )


def needs_of_words(event: Mapping[str, Any]) -> Needs:
    """Of words alone: the product that the event is about."""
    trigger = trigger_product(_properties(event))
    return Needs(products=frozenset({trigger} if trigger else ()))


def _properties(event: Mapping[str, Any]) -> Mapping[str, Any]:
    told = event.get("properties")
    return told if isinstance(told, Mapping) else {}


def _named(block: Block, properties: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(block, ProductBlock):
        if meant := product_meant(block.product, properties):
            yield meant
    elif isinstance(block, ProductsBlock):
        yield from (product for product in block.products if product)


def _listed(block: Block, properties: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(block, OrderItemsBlock | CartItemsBlock):
        yield from items_in(properties)


def items_in(properties: Mapping[str, Any]) -> list[str]:
    """Ids of the products that an event lists, in its order."""
    items = properties.get("items")
    told = [item.get("product_id") for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []
    return list(dict.fromkeys(str(one) for one in told if one))


def gather(
    storefront: Storefront, needs: Needs, store_id: str, contact_id: str, event: Mapping[str, Any], now: datetime
) -> Showing:
    """Everything that `needs` says. Nothing is read where nothing is needed."""
    known = _Known()
    known.ask_products(needs.products)
    properties, is_news = _properties(event), event.get("type") == "product_published"
    picks: dict[str, list[Pick]] = {}
    for _ in range(_ROUNDS):
        out = set(needs.named)
        for place, block in needs.choosing.items():
            picks[place] = _picked(block, known, properties, is_news, out, now)
            out |= {pick.product.external_id for pick in picks[place]}
        wanted = known.missing()
        if wanted == Wanted():
            break
        known.learn(wanted, storefront.read(store_id, contact_id, wanted))
    return Showing(
        products={one: product for one in needs.products if (product := known.products.get(one))},
        picks={place: found for place, found in picks.items() if found},
        kinds={place: block.type for place, block in needs.choosing.items()},
        names=known.names(),
    )


class _Known:
    """What was read so far, and what was asked for in vain."""

    def __init__(self) -> None:
        self.products: dict[str, Product | None] = {}
        self._shelves: dict[str, Shelf | None] = {}
        self._engagement: Engagement | None = None
        self._purchases: Purchases | None = None
        self._products_asked: set[str] = set()
        self._shelves_asked: set[str] = set()
        self._engagement_asked = self._purchases_asked = False

    def ask_products(self, products: Iterable[str]) -> None:
        self._products_asked |= set(products)

    def has(self, product: str) -> bool:
        self._products_asked.add(product)
        return product in self.products

    def shelf(self, of: str) -> Shelf | None:
        """Of the newest count that is whole (`Tally.shelves`); None for none, or not known yet."""
        self._shelves_asked |= {of, SHOP}
        shelf, shop = self._shelves.get(of), self._shelves.get(SHOP)
        return shelf if shelf and shop and shelf.run >= shop.run else None

    @property
    def engagement(self) -> Engagement | None:
        self._engagement_asked = True
        return self._engagement

    @property
    def purchases(self) -> Purchases | None:
        self._purchases_asked = True
        return self._purchases

    def missing(self) -> Wanted:
        return Wanted(
            products=frozenset(self._products_asked - self.products.keys()),
            shelves=frozenset(self._shelves_asked - self._shelves.keys()),
            engagement=self._engagement_asked and self._engagement is None,
            purchases=self._purchases_asked and self._purchases is None,
        )

    def learn(self, wanted: Wanted, found: Shown) -> None:
        self.products |= {one: found.products.get(one) for one in wanted.products}
        self._shelves |= {of: found.shelves.get(of) for of in wanted.shelves}
        self._engagement = found.engagement if wanted.engagement else self._engagement
        self._purchases = found.purchases if wanted.purchases else self._purchases

    def names(self) -> dict[str, str]:
        known = [product for product in self.products.values() if product]
        names = {of_category(one.id): one.name for product in known for one in product.categories}
        return names | {of_product(product.external_id): product.name for product in known}


@dataclass(frozen=True)
class _Candidate:
    id: str
    by: str = ""
    of: str = ""
    orders: int = 0


def _picked(
    block: Choosing, known: _Known, properties: Mapping[str, Any], is_news: bool, out: set[str], now: datetime
) -> list[Pick]:
    if isinstance(block, ViewedProductsBlock):
        return _first(_viewed(known), block.count, known, out)
    if isinstance(block, NewArrivalsBlock):
        return _first(_arrivals(block, known, properties, is_news, now), block.count, known, out)
    seeds = _seeds(block.of, known, properties)
    bought = known.purchases
    candidates = [one for way in block.by for one in _recommended(way, seeds or (), known)]
    if seeds is None or bought is None:
        return []  # read these first: most candidates may fall away
    return _first(candidates, block.count, known, out | set(seeds) | bought.products())


def _first(candidates: Iterable[_Candidate], count: int, known: _Known, out: set[str]) -> list[Pick]:
    """The first of them that can be bought now. Of those not known yet a few more than are needed are asked for."""
    picks: list[Pick] = []
    seen, unknown = set(out), 0
    for one in candidates:
        if one.id in seen:
            continue
        seen.add(one.id)
        if not known.has(one.id):
            unknown += 1
        elif (product := known.products[one.id]) and product.published and product.in_stock:
            picks.append(Pick(product, one.by, one.of, one.orders))
        if len(picks) >= count or len(picks) + unknown >= count + _SPARE:
            break
    return picks


def _viewed(known: _Known) -> list[_Candidate]:
    """Newest first; nothing that was bought since it was looked at."""
    engagement, purchases = known.engagement, known.purchases
    if engagement is None or purchases is None:
        return []
    last: dict[str, datetime] = {}
    for view in engagement.views:
        if view.product:
            last[view.product] = max(view.at, last.get(view.product, view.at))
    bought = _last_bought(purchases)
    newest_first = sorted(last.items(), key=lambda one: (one[1], one[0]), reverse=True)
    return [_Candidate(one) for one, at in newest_first if one not in bought or bought[one] < at]


def _last_bought(purchases: Purchases) -> dict[str, datetime]:
    found = {product: sums.last_at for product, sums in purchases.earlier.items()}
    for bought in purchases.orders.values():
        for name in {name for line in bought.lines for name in (line.product, line.variation) if name}:
            found[name] = max(bought.at, found.get(name, bought.at))
    return found


def _arrivals(
    block: NewArrivalsBlock, known: _Known, properties: Mapping[str, Any], is_news: bool, now: datetime
) -> list[_Candidate]:
    if is_news and (told := items_in(properties) or _one(properties)):
        return [_Candidate(one) for one in told]
    shelf = known.shelf(of_category(block.category) if block.category else SHOP)
    since = now - timedelta(days=block.days)
    return [_Candidate(one.id) for one in shelf.newest if one.since >= since] if shelf else []


def _one(properties: Mapping[str, Any]) -> list[str]:
    found = trigger_product(properties)
    return [found] if found else []


def _seeds(of: str, known: _Known, properties: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The products that others shall go with. None: not known yet."""
    if of == "trigger":
        return tuple(dict.fromkeys((*_one(properties), *items_in(properties))))[:_MOST_SEEDS]
    if of != "viewed":
        return (of,)
    engagement = known.engagement
    if engagement is None:
        return None
    viewed = [view.product for view in reversed(engagement.views) if view.product]
    return tuple(dict.fromkeys(viewed))[:_SEEDS_VIEWED]


def _recommended(way: str, seeds: Sequence[str], known: _Known) -> list[_Candidate]:
    """In the order of how often they were bought."""
    if way == "bought_together":
        told = [(of_product(seed), shelf) for seed in seeds if (shelf := known.shelf(of_product(seed)))]
        return _ranked(way, [(of, shelf.together) for of, shelf in told])
    if way == "best_sellers":
        shop = known.shelf(SHOP)
        return _ranked(way, [(SHOP, shop.best_sellers)]) if shop else []
    products = [product for seed in seeds if known.has(seed) and (product := known.products[seed])]
    categories = dict.fromkeys(of_category(one.id) for product in products for one in product.categories)
    some = list(categories)[:_MOST_CATEGORIES]
    return _ranked(way, [(of, shelf.best_sellers) for of in some if (shelf := known.shelf(of))])


def _ranked(way: str, lists: Iterable[tuple[str, Sequence[Ranked]]]) -> list[_Candidate]:
    """Of one that is in several lists, the list where it counts most is told."""
    orders: Counter[str] = Counter()
    best: dict[str, tuple[int, str]] = {}
    for of, ranked in lists:
        for one in ranked:
            orders[one.id] += one.orders
            best[one.id] = max(best.get(one.id, (0, "")), (one.orders, of))
    ordered = sorted(orders.items(), key=lambda one: (-one[1], one[0]))
    return [_Candidate(name, way, best[name][1], best[name][0]) for name, _ in ordered]
