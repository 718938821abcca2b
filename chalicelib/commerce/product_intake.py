"""Applies what a store tells of its catalogue: products, how many are where, and what collections are called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.commerce.change import CollectionDeleted, CollectionTold, ProductDeleted, ProductRestored, StockTold
from chalicelib.commerce.event import Event
from chalicelib.commerce.order_intake import latest
from chalicelib.commerce.ports import CollectionRecord, ProductRecord, Products, StockItem
from chalicelib.commerce.product import Product
from chalicelib.commerce.product_news import news_between, news_since, with_price, with_publication
from chalicelib.commerce.stock import Level, kept_levels, level_key, with_levels, with_stock, with_variants
from chalicelib.contacts.retry import persist

_Change = Callable[[ProductRecord], ProductRecord]


@dataclass(frozen=True)
class ProductOutcome:
    """`to_hear`: products of which journeys may see something else now. `reason`: why there was nothing more to do.

    `news`: what those who watch these products want to hear, also of a telling that was kept before.
    """

    to_hear: tuple[str, ...] = ()
    reason: str | None = None
    news: tuple[Event, ...] = ()


class ProductIntake:
    def __init__(self, products: Products) -> None:
        self._products = products

    def told(self, store_id: str, product: Product) -> ProductOutcome:
        """A product with variants is told after them, so that what its levels changed is folded once, at the end."""
        item = product.inventory_item
        brought: dict[str, Level] = {}

        def change(record: ProductRecord) -> ProductRecord:
            record = with_product(record, product)
            if item and record.levels_of != item:
                brought.update(self._claimed(store_id, item, product.external_id))
                record = with_levels(record.model_copy(update={"levels_of": item}), brought)
            return self._with_variants(record) if record.by_variants else record

        moment = product.version.modified_at
        outcome = self._save(store_id, product.external_id, change, moment)
        if brought and product.parent_id:
            outcome = replace(outcome, news=(*outcome.news, *self._parent(store_id, product.parent_id, moment)))
        return outcome

    def marked(self, store_id: str, change: ProductDeleted | ProductRestored) -> ProductOutcome:
        mark = "deleted" if isinstance(change, ProductDeleted) else "restored"

        def action(record: ProductRecord) -> ProductRecord:
            return record.model_copy(update={mark: latest(getattr(record, mark), change.version)})

        return self._save(store_id, change.external_id, action, None)

    def stock(self, store_id: str, told: StockTold) -> ProductOutcome:
        """Noted with the item first, where a product that is told at the same time finds it; then with its products."""
        levels = {level_key(told.version, told.level.place): told.level}
        owners = persist(lambda: self._noted(store_id, told.item, levels))
        parents: set[str] = set()

        def change(record: ProductRecord) -> ProductRecord:
            if record.product and record.product.parent_id:
                parents.add(record.product.parent_id)
            return with_levels(record, levels)

        moment = told.version.modified_at
        news = [event for owner in owners for event in self._save(store_id, owner, change, moment).news]
        news += [event for parent in parents for event in self._parent(store_id, parent, moment)]
        return ProductOutcome(reason=None if owners else "kept until its product is told", news=tuple(news))

    def collection(self, store_id: str, change: CollectionTold | CollectionDeleted) -> ProductOutcome:
        """Kept beside the products, which name their collections by id."""

        def action() -> None:
            identifier = change.external_id
            blank = CollectionRecord(store_id=store_id, external_id=identifier)
            known = self._products.collections(store_id, [identifier]).get(identifier, blank)
            if isinstance(change, CollectionDeleted):
                changed = known.model_copy(update={"deleted": True})
            elif change.version.key() >= known.named_by:
                changed = known.model_copy(update={"name": change.name, "named_by": change.version.key()})
            else:
                changed = known
            if changed != known:
                self._products.save_collection(changed)

        persist(action)
        return ProductOutcome()

    def _save(self, store_id: str, external_id: str, change: _Change, moment: datetime | None) -> ProductOutcome:
        """`moment`: of the telling; None where it makes no news."""

        def action() -> ProductOutcome:
            known = self._products.get(store_id, external_id)
            changed = change(known or ProductRecord(store_id=store_id, external_id=external_id))
            if changed == known:  # perhaps whoever saved it did not come to tell
                return ProductOutcome((external_id,), news=news_since(changed, moment) if moment else ())
            news = news_between(known, changed)
            self._products.save(changed, news.kept, news.gone)
            heard = known is None or shown(changed) != shown(known)
            return ProductOutcome((external_id,) if heard else (), news=news.fresh)

        return persist(action)

    def _parent(self, store_id: str, external_id: str, moment: datetime) -> tuple[Event, ...]:
        """Read anew with all its variants, so that of two who change one each the later sees both. Returns its news."""
        return self._save(store_id, external_id, self._with_variants, moment).news

    def _with_variants(self, record: ProductRecord) -> ProductRecord:
        wanted = list(record.product.variants) if record.product else []
        found = self._products.get_many(record.store_id, wanted) if wanted else {}
        return with_variants(record, [found[one] for one in wanted if one in found])

    def _noted(self, store_id: str, item_id: str, levels: dict[str, Level]) -> tuple[str, ...]:
        known = self._products.stock_item(store_id, item_id)
        item = known or StockItem(store_id=store_id, external_id=item_id)
        changed = item.model_copy(update={"levels": kept_levels({**item.levels, **levels})})
        if changed != known:
            self._products.save_stock_item(changed)
        return changed.owners

    def _claimed(self, store_id: str, item_id: str, product_id: str) -> dict[str, Level]:
        """The levels told so far; those told from now on find the product."""

        def action() -> dict[str, Level]:
            known = self._products.stock_item(store_id, item_id)
            item = known or StockItem(store_id=store_id, external_id=item_id)
            if product_id not in item.owners:
                owners = tuple(sorted({*item.owners, product_id}))
                self._products.save_stock_item(item.model_copy(update={"owners": owners}))
            return item.levels

        return persist(action)


def shown(record: ProductRecord) -> object:
    """What journeys see of a product in an order's event (`commerce.events.enriched`)."""
    product = record.current
    if product is None or record.is_deleted:
        return None
    return product.categories, product.lifetime_days, product.image, product.url


def with_product(record: ProductRecord, told: Product) -> ProductRecord:
    """The newest telling wins; its collections, and when it sold out and came back, are kept beside it.

    A product does not change by what collection it is put into: of two tellings of one time the collections that come
    later hold. Only the shop's own answers tell any, and it is asked again only after it answered.
    """
    changed: dict[str, object] = {}
    key = told.version.key()
    time = told.version.model_copy(update={"body_hash": ""}).key()
    if record.product is None or key >= record.product.version.key():
        changed["product"] = told.model_copy(update={"collections": None})
    if told.collections is not None and time >= record.collections_by:
        changed |= {"collections": told.collections, "collections_by": time}
    record = with_publication(with_price(record.model_copy(update=changed), told), told)
    return with_stock(record, told)
