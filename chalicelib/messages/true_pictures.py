"""The pictures that are true when they are opened: how long until something ends, and how many are left.

Drawn at twice the size at which an email shows them, for sharp screens; on a ground of their own, so that they can be
read by day and by night.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.commerce.product import Product
from chalicelib.messages.drawing import Canvas, Sign, nothing, sign
from chalicelib.messages.wording import direction, primary

COUNTDOWN_WIDTH, STOCK_WIDTH = 280, 130
"""As an email shows them, in pixels."""
_MOST_DAYS = 999
_BOX, _GAP, _HEIGHT, _RADIUS = 172, 22, 136, 20
_PILL_HEIGHT, _PILL_EDGE, _BETWEEN = 68, 22, 12


def countdown(until: datetime, now: datetime, language: str, colour: str) -> bytes:
    """A PNG: days, hours and minutes, the begun minute included. Once it is over, nothing."""
    if now >= until:
        return nothing(2 * COUNTDOWN_WIDTH)
    minutes = -((now - until) // timedelta(minutes=1))
    days = min(minutes // 1440, _MOST_DAYS)
    told = [("days", str(days)), ("hours", f"{minutes // 60 % 24:02d}"), ("minutes", f"{minutes % 60:02d}")]
    if direction(language) == "rtl":
        told.reverse()
    canvas = Canvas(2 * COUNTDOWN_WIDTH, _HEIGHT)
    for place, (unit, number) in enumerate(told):
        left = place * (_BOX + _GAP)
        canvas.ground(left, _BOX, _RADIUS)
        _centred(canvas, [sign("numbers", digit) for digit in number], left, 14)
        _centred(canvas, [sign("labels", f"{_spoken(language)}.{unit}")], left, 88)
    return canvas.png(colour)


def stock_left(product: Product | None, below: int, language: str, colour: str) -> bytes:
    """A PNG: "Only 3 left"; nothing where that would not be true, or there are more than `below`."""
    left = product.stock if product is not None and product.published and product.in_stock else None
    if left is None or not 0 < left <= min(below, 99):
        return nothing(2 * STOCK_WIDTH)
    digits = [sign("words", digit) for digit in str(left)]
    if _spoken(language) == "he":  # from left to right, as it is drawn
        pieces = [[sign("words", "he.one")]] if left == 1 else [digits, [sign("words", "he.many")]]
    else:
        pieces = [[sign("words", "en.before")], digits, [sign("words", "en.after")]]
    width = sum(_width(piece) for piece in pieces) + _BETWEEN * (len(pieces) - 1) + 2 * _PILL_EDGE
    canvas = Canvas(2 * STOCK_WIDTH, _PILL_HEIGHT)
    at = 2 * STOCK_WIDTH - width if direction(language) == "rtl" else 0
    canvas.ground(at, width, _PILL_HEIGHT // 2)
    at += _PILL_EDGE
    for piece in pieces:
        _write(canvas, piece, at, 8)
        at += _width(piece) + _BETWEEN
    return canvas.png(colour)


def _spoken(language: str) -> str:
    return "he" if primary(language) == "he" else "en"


def _width(signs: list[Sign]) -> int:
    return sum(one.width for one in signs) + 2 * (len(signs) - 1)


def _centred(canvas: Canvas, signs: list[Sign], left: int, y: int) -> None:
    _write(canvas, signs, left + (_BOX - _width(signs)) // 2, y)


def _write(canvas: Canvas, signs: list[Sign], x: int, y: int) -> None:
    for one in signs:
        canvas.write(one, x, y)
        x += one.width + 2
