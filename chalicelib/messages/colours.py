"""Colours that can be read on one another, counted as WCAG 2.2 counts contrast ("relative luminance",
"contrast ratio"; success criterion 1.4.3 asks for 4.5, and for 3 of large or bold words)."""

from __future__ import annotations

from functools import lru_cache

INK, WHITE = "#1d2433", "#ffffff"
READABLE, LARGE = 4.5, 3.0


def contrast(one: str, other: str) -> float:
    """From 1 (the same) to 21 (black on white). Colours are `#rrggbb`."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def words_on(field: str) -> str:
    """The colour of words on a coloured field: white where that is readable, else the better of white and ink."""
    on_white = contrast(WHITE, field)
    return WHITE if on_white >= READABLE or on_white >= contrast(INK, field) else INK


@lru_cache(maxsize=512)
def readable(colour: str, on: str, least: float = READABLE) -> str:
    """The colour itself where it stands out on another; else the nearest shade of it, towards black or white, that
    does."""
    if contrast(colour, on) >= least:
        return colour
    towards = WHITE if contrast(WHITE, on) > contrast("#000000", on) else "#000000"
    for step in range(1, 20):
        shade = mixed(colour, towards, step / 20)
        if contrast(shade, on) >= least:
            return shade
    return towards


def mixed(one: str, other: str, part: float) -> str:
    """`part` of the other, from 0 to 1."""
    pairs = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in pairs)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    parts = [part / 255 for part in _channels(colour)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
