"""Reading what a platform sent: each field by its expected kind, each surprise named by its path and never quoted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from chalicelib.commerce.money import Money
from chalicelib.store_adapters.base import Unintelligible

NAME_LENGTH = 500  # characters kept of a name or a title
LINK_LENGTH = 2000  # a longer link is left out: cut, it would lead elsewhere
_ITEMS = 5000  # of one list; no store sends an order or a product this long
_IDENTIFIER = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_GID = re.compile(r"gid://shopify/[A-Za-z]+/(\d+)(?:\?.*)?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_LINK = re.compile(r"https?://[^\s<>\"'\\]+", re.IGNORECASE)
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROLS = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127))


def load(body: bytes) -> Any:
    """The body's JSON. Raises `Unintelligible`, also for NaN, Infinity and nesting beyond what Python reads."""
    try:
        return json.loads(body, parse_constant=_not_a_number)
    except (ValueError, RecursionError):
        raise Unintelligible("body: expected JSON") from None


def _not_a_number(_: str) -> NoReturn:
    raise ValueError


def clean(text: str) -> str:
    """Without control characters (NUL) and blanks at the ends, lone surrogates replaced; marks of direction stay."""
    if _SURROGATE.search(text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.translate(_CONTROLS).strip()


class Fields:
    """One JSON object, read field by field. A missing field, null and "" are all "not told".

    Every method raises `Unintelligible("path: expected …")` for a value of another kind.
    """

    def __init__(self, value: Any, path: str = "") -> None:
        if not isinstance(value, dict):
            raise Unintelligible(f"{path or 'body'}: expected an object")
        self._value: dict[str, Any] = value
        self._path = path

    def __contains__(self, name: str) -> bool:
        return self._told(name) is not None

    def path(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name

    def wrong(self, name: str, expected: str) -> NoReturn:
        raise Unintelligible(f"{self.path(name)}: expected {expected}")

    def any(self, name: str) -> Any:
        """As it is, whatever it is."""
        return self._value.get(name)

    def text(self, name: str, limit: int = NAME_LENGTH) -> str | None:
        """Cleaned, cut to `limit` characters; a number is taken by its text."""
        value = self._told(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            self.wrong(name, "a text")
        return clean(_shortly(value))[:limit].strip() or None

    def identifier(self, name: str) -> str:
        return self.optional_identifier(name) or self.wrong(name, "an id")

    def optional_identifier(self, name: str) -> str | None:
        """An external id as text, of a number of any size, a text or a `gid://shopify/…`; 0 is none."""
        value = self._told(name)
        if value is None:
            return None
        if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, str | int):
            self.wrong(name, "an id")
        text = _shortly(value).strip()
        if gid := _GID.fullmatch(text):
            text = gid.group(1)
        if text == "0":
            return None
        return text if _IDENTIFIER.fullmatch(text) else self.wrong(name, "an id")

    def currency(self, name: str, default: str) -> str:
        """An ISO 4217 code."""
        text = (self.text(name, 10) or default).upper()
        return text if _CURRENCY.fullmatch(text) else self.wrong(name, "a currency of three letters")

    def money(self, name: str, currency: str) -> Money:
        return self.optional_money(name, currency) or self.wrong(name, "an amount")

    def optional_money(self, name: str, currency: str) -> Money | None:
        value = self._told(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            self.wrong(name, "an amount")
        try:
            return Money.parse(_shortly(value), currency)
        except (ValueError, ArithmeticError):
            self.wrong(name, "an amount")

    def whole(self, name: str) -> int | None:
        """A whole number; a part of one (a half kilogram) is rounded up."""
        value = self._told(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            self.wrong(name, "a number")
        try:
            number = Decimal(_shortly(value).strip())
        except InvalidOperation:
            self.wrong(name, "a number")
        if not number.is_finite() or not -(10**12) < number < 10**12:
            self.wrong(name, "a number of sensible size")
        return int(number) + (number > int(number))

    def yes(self, name: str, default: bool = False) -> bool:
        value = self._told(name)
        if value is None:
            return default
        return value if isinstance(value, bool) else self.wrong(name, "true or false")

    def moment(self, name: str, zone: ZoneInfo | None = None) -> datetime | None:
        """RFC 3339, or a time without a zone in `zone` (UTC if None). WordPress's year 0000 is "not told"."""
        value = self._told(name)
        if value is None:
            return None
        if not isinstance(value, str) or len(value) > 40:
            self.wrong(name, "a time")
        if value.startswith("0000-"):
            return None
        try:
            moment = datetime.fromisoformat(value.strip())
            moment = (moment if moment.tzinfo else moment.replace(tzinfo=zone or UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            self.wrong(name, "a time")
        return moment if 1970 <= moment.year < 9999 else self.wrong(name, "a time")

    def link(self, name: str) -> str | None:
        """An http or https address; any other is left out, for it will stand in a message."""
        value = self._told(name)
        if not isinstance(value, str) or len(value) > LINK_LENGTH:
            return None
        text = clean(value)
        return text if _LINK.fullmatch(text) else None

    def picture(self, name: str) -> str | None:
        """The `src` of a picture; where there is none, shops tell nothing, `false` or an empty one."""
        value = self._value.get(name)
        return Fields(value, self.path(name)).link("src") if isinstance(value, dict) else None

    def child(self, name: str) -> Fields:
        """An object; an empty one where it is not told (PHP writes an empty object as a list)."""
        value = self._told(name)
        return Fields({} if value is None or value == [] else value, self.path(name))

    def items(self, name: str) -> Iterator[Fields]:
        """The objects of a list; none where it is not told, nor of a place in it that is null."""
        value = self._told(name)
        if value is None or value == {}:
            return
        if not isinstance(value, list) or len(value) > _ITEMS:
            self.wrong(name, "a list")
        for number, item in enumerate(value):
            if item is not None:
                yield Fields(item, f"{self.path(name)}[{number}]")

    def _told(self, name: str) -> Any:
        value = self._value.get(name)
        return None if isinstance(value, str) and not value.strip() else value


def _shortly(value: str | int | float) -> str:
    """A number's text. One longer than any that means something is cut, so that it is refused as text would be."""
    if isinstance(value, int) and value.bit_length() > 1000:
        return "too long a number"
    return str(value)
