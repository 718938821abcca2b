"""What is in stock, and when it came back: folded out of all tellings of it, whatever order they come in.

A store tells of a product's stock in two ways: with the product (there or not, or how many are left in all), and apart
from it, place by place (Shopify's inventory levels). At any time the newest telling with the product holds, as changed
by the levels that are newer. Levels are read as the whole only as long as nothing says that there are other places:
nothing is called sold out because one of several shelves is empty.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from chalicelib.clock import parse_rfc3339, rfc3339
from chalicelib.commerce.event import Event
from chalicelib.commerce.snapshot import Version

if TYPE_CHECKING:
    from chalicelib.commerce.ports import ProductRecord
    from chalicelib.commerce.product import Product

TELLINGS_KEPT = 12  # a telling that comes later than so many newer ones finds its place no more
_ONE_CHANGE = timedelta(minutes=1)  # a level and its product, told with times so near, are of one and the same change


class Count(BaseModel):
    """A product's telling of how many are left, in all places together (fewer than none: sold already).

    `always`: it is sold although none is left. `places`: at how many places it is kept, where that is told.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int
    always: bool = False
    places: int | None = None


class Level(BaseModel):
    """How many are left at one place; None where that is not told. `gone`: it is not kept there any more."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    place: str
    count: int | None = None
    gone: bool = False


StockTelling = bool | Count | Level
"""A product's telling is a bool where it is not counted, or where the store itself says whether it is there."""


@dataclass(frozen=True)
class Standing:
    """Whether it is to be had from one telling on until the next, and how many are left, as far as that is known."""

    there: bool
    left: int | None = None


def level_key(version: Version, place: str) -> str:
    """Where a level stands among the tellings: of one instant, a product's own telling is the later one."""
    return f"{rfc3339(version.modified_at)}#-{version.body_hash}@{place}"


def told_at(key: str) -> datetime | None:
    """The time of a telling, by its key; of none, none."""
    return parse_rfc3339(key.partition("#")[0]) if key else None


def kept(tellings: Mapping[str, StockTelling]) -> tuple[dict[str, StockTelling], dict[str, StockTelling]]:
    """The newest tellings, and of those before them the last word of each place and of the product.

    What is kept depends on what was told alone, not on its order: nothing that is left out here could be in it later.
    """
    ordered = sorted(tellings)
    newest, older = ordered[-TELLINGS_KEPT:], ordered[:-TELLINGS_KEPT]
    last: dict[str, str] = {}
    for key in older:
        last |= dict.fromkeys(_speakers(tellings[key]), key)
    if newest and not isinstance(tellings[newest[0]], Level):
        last.pop("product", None)
    return {key: tellings[key] for key in newest}, {key: tellings[key] for key in sorted(set(last.values()))}


def kept_levels(levels: Mapping[str, Level]) -> dict[str, Level]:
    """Of what was told of places, all that a product which comes later may need."""
    newest, before = kept(levels)
    return {key: level for key, level in {**before, **newest}.items() if isinstance(level, Level)}


def with_stock(record: ProductRecord, told: Product) -> ProductRecord:
    """The record with what this telling of the product says about its stock."""
    if not told.stock_known:
        return record
    counted = told.inventory_item is not None and told.stock is not None
    telling: StockTelling = told.in_stock
    if counted and told.stock is not None:
        telling = Count(count=told.stock, always=told.keeps_selling, places=told.locations)
    return _with(record, {told.version.key(): telling})


def with_levels(record: ProductRecord, levels: Mapping[str, Level]) -> ProductRecord:
    """The record with what is told of places, by `level_key`."""
    return _with(record, levels)


def with_variants(record: ProductRecord, variants: Sequence[ProductRecord]) -> ProductRecord:
    """A product that has variants is there while one of them is: the record with what levels changed of that."""
    own = course({**record.stock_before, **record.stock_told})
    courses = [course({**one.stock_before, **one.stock_told}) for one in variants]
    moments = sorted({key for one in variants for key in _levels({**one.stock_before, **one.stock_told})})
    turns: dict[str, bool] = {}
    there: bool | None = None
    for key in sorted({*own, *moments}):
        if key in own:
            there = own[key].there
            continue
        standings = [standing for one in courses if (standing := _at(one, key))]
        now = any(standing.there for standing in standings)
        if standings and now is not there:
            turns[key] = there = now
    left = [one.current.stock if one.current else None for one in variants]
    known = [count for count in left if count is not None]
    changed = {
        "stock_turns": {key: turns[key] for key in sorted(turns)[-TELLINGS_KEPT:]},
        "by_variants": True,
        "stock_now": sum(known) if known and len(known) == len(left) else None,
    }
    return _settled(record.model_copy(update=changed), {})


def course(tellings: Mapping[str, StockTelling]) -> dict[str, Standing]:
    """From each telling on, what is so by all that was told until then; none before the first one of the product."""
    ordered = sorted(tellings)
    elsewhere = _elsewhere(tellings, ordered)
    levels: dict[str, tuple[str, Level]] = {}
    base: bool | Count | None = None
    base_key, places = "", None
    found: dict[str, Standing] = {}
    for key in ordered:
        telling = tellings[key]
        if isinstance(telling, Level):
            levels[telling.place] = (key, telling)
        else:
            base, base_key = telling, key
            if isinstance(telling, Count) and telling.places is not None:
                places = telling.places
        if isinstance(base, bool):
            found[key] = Standing(base)
        elif base is not None:
            found[key] = _counted(base, base_key, levels, elsewhere[key], places)
    return found


def returns(before: ProductRecord | None, after: ProductRecord) -> tuple[list[Event], list[Event]]:
    """Events `product_back_in_stock` that are new, and those that turned out to have been at another time."""
    known = _returns(before) if before else set()
    told = _returns(after)
    oldest = min(_window(after), default="")
    fresh = [_event(after, key) for key in sorted(told - known)]
    gone = [_event(after, key) for key in sorted(known - told) if key > oldest]
    kept_ids = {event.id for event in fresh} | {_event(after, key).id for key in told}
    return fresh, [event for event in gone if event.id not in kept_ids]


def _with(record: ProductRecord, added: Mapping[str, StockTelling]) -> ProductRecord:
    newest, before = kept({**record.stock_before, **record.stock_told, **added})
    return _settled(record.model_copy(update={"stock_told": newest, "stock_before": before}), added)


def _settled(record: ProductRecord, added: Mapping[str, StockTelling]) -> ProductRecord:
    """When it sold out, since when it is back and, where levels or variants decide, how it stands now.

    It is back by the first telling that says so after the newest one that said it was sold out; of those before
    the tellings kept, the record remembers. A product's own telling counts for this however late it comes.
    """
    whole = course({**record.stock_before, **record.stock_told, **added, **record.stock_turns})
    oldest = min(_window(record), default="")
    late = {key for key, telling in added.items() if not isinstance(telling, Level)}
    there = {key: standing.there for key, standing in whole.items() if key >= oldest or key in late}
    remembered = [key for key in (record.sold_out_by,) if key < oldest]
    sold_out = max((*(key for key, yes in there.items() if not yes), *remembered), default="")
    since = [key for key, yes in there.items() if yes and key > sold_out]
    if sold_out < record.back_by < oldest:
        since.append(record.back_by)
    changed: dict[str, object] = {"sold_out_by": sold_out, "back_by": min(since, default="") if sold_out else ""}
    if record.by_variants or any(not isinstance(one, bool) for one in record.stock_told.values()):
        newest = whole[max(whole)] if whole else None
        changed["in_stock_now"] = newest.there if newest else None
        if not record.by_variants:
            changed["stock_now"] = newest.left if newest else None
    return record.model_copy(update=changed)


def _counted(
    base: Count, base_key: str, levels: Mapping[str, tuple[str, Level]], elsewhere: bool, places: int | None
) -> Standing:
    newer = [level for key, level in levels.values() if key > base_key]
    if not newer:
        return Standing(base.always or base.count > 0, max(0, base.count))
    held = [level for _, level in levels.values() if not level.gone]
    unknown = any(level.count is None for level in held) or not held  # a shop keeps it somewhere
    if places != 1:
        unknown = unknown or elsewhere or (places or 0) > len(levels)
    lately = sum(level.count or 0 for level in newer if not level.gone)
    if unknown:
        there = base.count > 0 or any((level.count or 0) > 0 for level in newer if not level.gone)
        return Standing(base.always or there)
    # Where all of them together were none since, a level from before that was missed a change.
    before = [level for key, level in levels.values() if key <= base_key and not level.gone] if base.count > 0 else []
    total = lately + sum(level.count or 0 for level in before)
    return Standing(base.always or total > 0, max(0, total))


def _elsewhere(tellings: Mapping[str, StockTelling], ordered: Sequence[str]) -> dict[str, bool]:
    """By each telling, whether the product's count says that there are places which nobody told of.

    It does where it is more than all places known then had. The count before a level speaks of it, and the count of
    the very change that the level tells, which may come a moment later.
    """
    more: dict[str, bool] = {}
    levels: dict[str, int] = {}
    last = ""
    for key in ordered:
        telling = tellings[key]
        if isinstance(telling, Level):
            levels[telling.place] = 0 if telling.gone else telling.count or 0
            if more.get(last) and _time(key) - _time(last) <= _ONE_CHANGE:
                base = tellings[last]
                more[last] = isinstance(base, Count) and base.count > sum(levels.values())
        else:
            last = key
            more[key] = isinstance(telling, Count) and bool(levels) and telling.count > sum(levels.values())
    found: dict[str, bool] = {}
    before = ""
    for key in ordered:
        before = key if key in more else before
        found[key] = more.get(before, False)
    after = ""
    for key in reversed(ordered):
        after = key if key in more else after
        if more.get(after) and _time(after) - _time(key) <= _ONE_CHANGE:
            found[key] = True
    return found


def _speakers(telling: StockTelling) -> tuple[str, ...]:
    if isinstance(telling, Level):
        return (f"at {telling.place}",)
    return ("product", "places") if isinstance(telling, Count) and telling.places is not None else ("product",)


def _levels(tellings: Mapping[str, StockTelling]) -> list[str]:
    return [key for key, telling in tellings.items() if isinstance(telling, Level)]


def _at(standings: Mapping[str, Standing], key: str) -> Standing | None:
    keys = list(standings)  # in their order
    place = bisect_right(keys, key)
    return standings[keys[place - 1]] if place else None


def _time(key: str) -> datetime:
    return parse_rfc3339(key.partition("#")[0])


def _window(record: ProductRecord) -> Mapping[str, StockTelling]:
    return record.stock_told or record.stock_turns


def _returns(record: ProductRecord) -> set[str]:
    oldest = min(_window(record), default="")
    whole = course({**record.stock_before, **record.stock_told, **record.stock_turns})
    keys = sorted(key for key in whole if key >= oldest)
    return {key for last, key in pairwise(keys) if whole[key].there and not whole[last].there}


def _event(record: ProductRecord, key: str) -> Event:
    """Ids alone: what the product is like, the catalogue says when somebody is told."""
    time = key.partition("#")[0]
    parent = record.product.parent_id if record.product else None
    return Event(
        id=f"product_back_in_stock:{record.store_id}:{record.external_id}:{time}",
        type="product_back_in_stock",
        occurred_at=parse_rfc3339(time),
        properties={
            "product_id": parent or record.external_id,
            "variation_id": record.external_id if parent else None,
        },
    )
