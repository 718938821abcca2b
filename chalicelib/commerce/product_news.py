"""What those who watch a product want to hear: it is back, its price dropped, it is new.

Folded out of all that was told, as stock is (commerce.stock): any order of arrival and any repeats give the same
events. Of a product with choices only the product itself has news: its own price is that of the cheapest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from chalicelib.clock import parse_rfc3339, rfc3339
from chalicelib.commerce.event import Event
from chalicelib.commerce.money import Money
from chalicelib.commerce.stock import returns, told_at
from chalicelib.ids import digest

if TYPE_CHECKING:
    from chalicelib.commerce.ports import ProductRecord
    from chalicelib.commerce.product import Product

PRICES_KEPT = 12  # as of stock: a telling that comes later than so many newer ones finds its place no more
_MOST_CHOICES = 100  # Shopify's webhooks tell no more of a product's variants: which is the cheapest is then not known
_CLOCKS_DIFFER = timedelta(minutes=10)  # between a shop's time of publishing and of its telling

BACK, DROPPED, PUBLISHED = "product_back_in_stock", "price_dropped", "product_published"
PRODUCT_EVENTS = frozenset({BACK, DROPPED, PUBLISHED})


class PriceTold(BaseModel):
    """`choices` says which there were to choose from: with another choice the cheapest is not the same thing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    price: Money
    choices: str = ""


@dataclass(frozen=True)
class News:
    """What a change of the record made: `fresh` is to be told, `kept` stands with the product, `gone` no more."""

    fresh: tuple[Event, ...] = ()
    kept: tuple[Event, ...] = ()
    gone: tuple[Event, ...] = ()


def with_price(record: ProductRecord, told: Product) -> ProductRecord:
    """The record with the price that this telling has, the newest twelve of them."""
    if told.price is None or told.parent_id or len(told.variants) > _MOST_CHOICES:
        return record
    telling = PriceTold(price=told.price, choices=digest(*sorted(told.variants))[:12] if told.variants else "")
    prices = {**record.prices_told, told.version.key(): telling}
    return record.model_copy(update={"prices_told": {key: prices[key] for key in sorted(prices)[-PRICES_KEPT:]}})


def with_publication(record: ProductRecord, told: Product) -> ProductRecord:
    """The record with whether this telling shows the product to shoppers: the first that did and the first that did
    not are remembered, whatever came between.
    """
    if told.parent_id:
        return record
    key = told.version.key()
    since = told.published_at
    if since is None or since > told.version.modified_at + _CLOCKS_DIFFER:
        first = min(one for one in (record.first_hidden, key) if one)
        return record.model_copy(update={"first_hidden": first})
    if record.first_shown and record.first_shown <= key:
        return record
    return record.model_copy(update={"first_shown": key, "shown_since": since})


def news_since(record: ProductRecord, moment: datetime) -> tuple[Event, ...]:
    """What follows from the tellings of this moment on: for whoever kept a telling, and did not come to tell of it."""
    published = _published(record)
    if published and (told_at(record.first_shown) or moment) < moment:
        published = None
    others = [event for event in (*_returns(record), *_drops(record).values()) if event.occurred_at >= moment]
    return (*others, *([published] if published else ()))


def news_between(before: ProductRecord | None, after: ProductRecord) -> News:
    """What is new in `after`, and what turned out to be otherwise. A variant's own return is kept, and told nobody."""
    back, not_back = returns(before, after)
    known, now = _drops(before) if before else {}, _drops(after)
    oldest = min(after.prices_told, default="").partition("#")[0]
    undone = [event for event in known.values() if event.id not in now and rfc3339(event.occurred_at) > oldest]
    changed = [event for event in now.values() if event != known.get(event.id)]
    published = _published(after)
    fresh = [*(back if _is_whole(after) else ()), *(event for event in changed if event.id not in known)]
    if published and (before is None or _published(before) is None):
        fresh.append(published)
    return News(tuple(fresh), (*back, *changed), (*not_back, *undone))


def standing(record: ProductRecord | None, event: Event) -> Event | None:
    """The event as the product's record has it by now. None: it is not so any more, nobody is to hear it.

    A product that is gone or hidden has no news; one that sold out again is not back; of several drops of the price
    only the last one is one to tell of.
    """
    product = record.current if record and not record.is_deleted else None
    if record is None or product is None or not product.published:
        return None
    if event.type == PUBLISHED:
        return _published(record)
    if event.type == BACK:
        if not product.in_stock:
            return None
        known: Mapping[str, Event] = {one.id: one for one in _returns(record)}
        oldest = min(record.stock_told or record.stock_turns, default="")
    else:
        price = product.price.model_dump() if product.price else None
        if price != event.properties.get("price"):
            return None
        known, oldest = _drops(record), min(record.prices_told, default="")
    fell_out = rfc3339(event.occurred_at) <= oldest.partition("#")[0]  # of the tellings that are kept
    return known.get(event.id) or (event if fell_out else None)


def in_words(event: Event, record: ProductRecord) -> Event:
    """The event with what the catalogue says today, as contacts are told it: name, page, picture, categories, price,
    and how many are left (`stock`, None where that is not counted).
    """
    product = record.current
    if product is None:
        return event
    about: dict[str, Any] = {
        "product_id": record.external_id,
        "name": product.name,
        "categories": [category.id for category in product.categories],
        "price": product.price.model_dump() if product.price else None,
        "url": product.url,
        "image": product.image,
        "stock": product.stock,
    }
    own = {name: value for name, value in event.properties.items() if value is not None}
    return event.model_copy(update={"properties": {**about, **own}})


def _returns(record: ProductRecord) -> list[Event]:
    return returns(None, record)[0] if _is_whole(record) else []


def _is_whole(record: ProductRecord) -> bool:
    return record.product is not None and record.product.parent_id is None


def _drops(record: ProductRecord) -> Mapping[str, Event]:
    """By id: of two tellings of one time the later holds, for a delivery and an answer spell one change differently."""
    prices: dict[str, PriceTold] = {}
    for key in sorted(record.prices_told):
        prices[key.partition("#")[0]] = record.prices_told[key]
    found = [_drop(record, prices[last], prices[time], time) for last, time in pairwise(prices)]
    return {event.id: event for event in found if event}


def _drop(record: ProductRecord, was: PriceTold, now: PriceTold, time: str) -> Event | None:
    if was.choices != now.choices or was.price.currency != now.price.currency or now.price.amount >= was.price.amount:
        return None
    return Event(
        id=f"{DROPPED}:{record.store_id}:{record.external_id}:{time}",
        type=DROPPED,
        occurred_at=parse_rfc3339(time),
        properties={
            "product_id": record.external_id,
            "was": was.price.model_dump(),
            "price": now.price.model_dump(),
            "percent": (was.price.amount - now.price.amount) * 100 // was.price.amount,
        },
    )


def published_since(record: ProductRecord) -> datetime | None:
    """When it was first shown: by the store's own word, unless it was told as hidden after that."""
    told, hidden = told_at(record.first_shown), told_at(record.first_hidden)
    since = record.shown_since
    if told is None or since is None or not _is_whole(record):
        return None
    return since if hidden is None or since > hidden or record.first_hidden > record.first_shown else told


def _published(record: ProductRecord) -> Event | None:
    at = published_since(record)
    if at is None:
        return None
    return Event(
        id=f"{PUBLISHED}:{record.store_id}:{record.external_id}",
        type=PUBLISHED,
        occurred_at=at,
        properties={"product_id": record.external_id},
    )
