"""Signed addresses of pictures that are drawn when they are opened. They carry ids, a time, a language and a colour:
nothing of the person, and nothing that is not the same for everybody who gets this message of the shop.

`/i/c/c1.{end, Unix seconds}.{language}.{colour}.{signature}.png` counts down to a moment;
`/i/s/s1.{store}.{product}.{below}.{language}.{colour}.{signature}.png` says how many are left.
Signed over everything before the signature, with HMAC-SHA256: nobody can make us draw what no message of ours shows.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

_COUNTDOWN = re.compile(r"c1\.(\d{1,12})\.([a-z]{2})\.([0-9a-f]{6})\.([A-Za-z0-9_-]{16})")
_STOCK = re.compile(
    r"s1\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{1,600})\.(\d{1,2})\.([a-z]{2})\.([0-9a-f]{6})\.([A-Za-z0-9_-]{16})"
)
_LAST = 253_402_214_400  # the year 9999, the last that a datetime can hold


@dataclass(frozen=True)
class CountdownPicture:
    """`colour` is `#rrggbb`."""

    until: datetime
    language: str
    colour: str


@dataclass(frozen=True)
class StockPicture:
    store_id: str
    product_id: str
    below: int
    language: str
    colour: str


class PictureLinks:
    """`keys`: the first signs, all are accepted."""

    def __init__(self, base: str, keys: Sequence[bytes]) -> None:
        self._base, self._keys = base, tuple(keys)

    def countdown_url(self, until: datetime, language: str, colour: str) -> str:
        return self._signed("c", f"c1.{int(until.timestamp())}.{language}.{_hex(colour)}")

    def stock_url(self, store_id: str, product_id: str, below: int, language: str, colour: str) -> str:
        product = urlsafe_b64encode(product_id.encode()).decode().rstrip("=")
        return self._signed("s", f"s1.{store_id}.{product}.{below}.{language}.{_hex(colour)}")

    def read_countdown(self, token: str) -> CountdownPicture | None:
        """None for one that we did not make; `token` without `.png`."""
        found = self._read(_COUNTDOWN, token)
        if found is None or int(found[1]) >= _LAST:
            return None
        return CountdownPicture(datetime.fromtimestamp(int(found[1]), UTC), found[2], f"#{found[3]}")

    def read_stock(self, token: str) -> StockPicture | None:
        """None for one that we did not make; `token` without `.png`."""
        found = self._read(_STOCK, token)
        if found is None:
            return None
        product = urlsafe_b64decode(found[2] + "=" * (-len(found[2]) % 4)).decode()
        return StockPicture(found[1], product, int(found[3]), found[4], f"#{found[5]}")

    def _signed(self, kind: str, said: str) -> str:
        return f"{self._base}/i/{kind}/{said}.{_signature(self._keys[0], said)}.png"

    def _read(self, form: re.Pattern[str], token: str) -> re.Match[str] | None:
        found = form.fullmatch(token)
        if found is None:
            return None
        said, _, signature = token.rpartition(".")
        good = any(hmac.compare_digest(_signature(key, said), signature) for key in self._keys)
        return found if good else None


def _hex(colour: str) -> str:
    return colour.removeprefix("#").lower()


def _signature(key: bytes, said: str) -> str:
    return urlsafe_b64encode(hmac.new(key, said.encode(), hashlib.sha256).digest())[:16].decode()
