"""A cart as a message shows it: as it is now, or, without its live record, as the journey's event told it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.commerce.cart import CartRecord
from chalicelib.commerce.money import Money
from chalicelib.messages.money_text import money_of, money_text
from chalicelib.messages.safe_text import LazyFields, clean, plain_name, web_address


@dataclass(frozen=True)
class CartShown:
    """`items`: {name, quantity, price (text, of one unit), total (text), image, url}; addresses are http(s) or nil.
    `lines` counts also those that are not in `items`. `restore_url` opens the cart again, on any device."""

    items: Sequence[LazyFields]
    lines: int
    total: str
    coupons: Sequence[str]
    restore_url: str | None


def cart_shown(record: CartRecord | None, properties: Mapping[str, Any], language: str) -> CartShown | None:
    """None where the event is about no cart. An emptied cart has no items."""
    if not properties.get("cart_token"):
        return None
    restore_url = properties.get("restore_url")
    if record is None or record.latest is None:
        told, lines, total, coupons = (properties.get(name) for name in ("items", "lines", "total", "coupons"))
    else:
        latest = record.latest
        told, lines, total = [item.model_dump() for item in latest.items], latest.lines, latest.total
        coupons, restore_url = latest.coupons, latest.restore_url or restore_url
    rows = [item for item in told if isinstance(item, Mapping)] if isinstance(told, list | tuple) else []
    items = [_item(row, language) for row in rows]
    codes = [clean(str(code)) for code in coupons] if isinstance(coupons, list | tuple) else []
    return CartShown(
        items=items,
        lines=max(lines, len(items)) if isinstance(lines, int) else len(items),
        total=clean(money_text(total, language)),
        coupons=codes,
        restore_url=web_address(restore_url) if isinstance(restore_url, str) else None,
    )


def _item(item: Mapping[str, Any], language: str) -> LazyFields:
    told = item.get("quantity")
    quantity = told if isinstance(told, int) and told > 0 else 1
    return LazyFields(_LINE, _Line(item, quantity, language))


@dataclass(frozen=True, slots=True)
class _Line:
    told: Mapping[str, Any]
    quantity: int
    language: str

    def price(self, times: int) -> str | None:
        price = money_of(self.told.get("price"))
        if price is None:
            return None
        return money_text(Money(amount=price.amount * times, currency=price.currency), self.language)


_LINE: dict[str, Callable[[_Line], Any]] = {
    "name": lambda line: plain_name(line.told.get("name") or ""),
    "quantity": lambda line: line.quantity,
    "price": lambda line: line.price(1),
    "total": lambda line: line.price(line.quantity),
    "image": lambda line: web_address(str(line.told.get("image") or "")),
    "url": lambda line: web_address(str(line.told.get("url") or "")),
}
