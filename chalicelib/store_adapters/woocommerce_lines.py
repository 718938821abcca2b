"""The lines of a WooCommerce order, also those that a bundle is made of.

Sources: REST API v3 "Order - Line items properties"; what bundle plugins add to a line: Product Bundles and Composite
Products (`bundled_by`, `composite_parent`, and the containers' lists), and in the meta data those and WPC Product
Bundles (`_woosb_…`), YITH Product Bundles (`_bundled_by`) and Chained Products (`_chained_product_of`).
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from chalicelib.commerce.money import Money
from chalicelib.commerce.order import LineItem
from chalicelib.store_adapters.plugin_meta import entries_of
from chalicelib.store_adapters.reading import Fields

_PART = ("bundled_by", "composite_parent")
_PART_META = ("_bundled_by", "_composite_parent", "_woosb_parent_id", "_chained_product_of")
_CONTAINER = ("bundled_items", "composite_children")
_CONTAINER_META = ("_bundled_items", "_composite_children", "_woosb_ids")


@dataclass(frozen=True)
class _Line:
    item: LineItem
    priced: bool
    is_part: bool
    is_container: bool


def lines_of(order: Fields, currency: str) -> tuple[LineItem, ...]:
    """Every line. A bundle is told as a container and its parts, of which either the one or the others have a price:
    those without are `included` in the rest. Raises `Unintelligible`.
    """
    lines = [_line(line, currency) for line in order.items("line_items")]
    parts_have_prices = any(line.is_part and line.priced for line in lines)
    return tuple(_marked(lines, parts_have_prices))


def _marked(lines: Iterable[_Line], parts_have_prices: bool) -> Iterator[LineItem]:
    for line in lines:
        elsewhere = line.is_part or (line.is_container and parts_have_prices)
        yield line.item.model_copy(update={"included": True}) if elsewhere and not line.priced else line.item


def _line(line: Fields, currency: str) -> _Line:
    """`total` is what the shopper paid for the line: WooCommerce tells it without tax, and the tax beside it."""
    total = line.money("total", currency)
    tax = line.optional_money("total_tax", currency)
    subtotal = line.optional_money("subtotal", currency) or total  # what it was before coupons
    meta = {key for key, value in entries_of(line) if _says(value)}
    item = LineItem(
        product_id=line.optional_identifier("product_id") or "",
        variation_id=line.optional_identifier("variation_id"),
        name=name_of(line),
        quantity=line.whole("quantity") or 0,
        total=Money(amount=total.amount + (tax.amount if tax else 0), currency=currency),
        sku=line.text("sku", 100),
        image=line.picture("image"),
    )
    return _Line(
        item=item,
        priced=bool(total.amount or subtotal.amount),
        is_part=any(_says(line.any(key)) for key in _PART) or not meta.isdisjoint(_PART_META),
        is_container=any(_says(line.any(key)) for key in _CONTAINER) or not meta.isdisjoint(_CONTAINER_META),
    )


def _says(value: object) -> bool:
    return value not in (None, "", 0, "0", False) and value != [] and value != {}


def name_of(record: Fields, limit: int = 500) -> str:
    """A title as people write it: WordPress keeps and tells `&` as `&amp;`."""
    return html.unescape(record.text("name", limit) or "")
