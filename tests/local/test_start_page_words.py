"""The start page speaks both languages alike, and has words for what happens to carts."""

from __future__ import annotations

import re
from pathlib import Path

from chalicelib.journeys.exits import _CART_OVER, ON_CARTS, ON_ORDERS

WORDS = Path("local/start_page/words.js").read_text()


def _keys(language: str) -> set[str]:
    inside = WORDS.split(f"  {language}: {{\n", 1)[1].split("\n  },", 1)[0]
    return set(re.findall(r'(?:^|[ ,])([a-z_]+): "', inside))


def test_both_languages_have_the_same_words() -> None:
    assert _keys("en") == _keys("he")


def test_what_happens_to_carts_and_why_journeys_end_has_words() -> None:
    happened = {"cart_updated", "cart_recovered", *ON_CARTS, *ON_ORDERS}
    ended = {*_CART_OVER.values(), "cart_of_another", "order_deleted", "order_cancelled", "order_refunded"}
    assert (happened | ended) - _keys("he") == set()
