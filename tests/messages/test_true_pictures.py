"""Pictures that are true when they are opened: before, at and after the end; few, many, none; edited addresses."""

from __future__ import annotations

import struct
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.contacts.contact import Benefit
from chalicelib.messages.drawing import GROUND, sign
from chalicelib.messages.picture_links import CountdownPicture, PictureLinks, StockPicture
from chalicelib.messages.pictured import placed_pictures
from chalicelib.messages.showing import Showing, needs_of
from chalicelib.messages.true_pictures import COUNTDOWN_WIDTH, STOCK_WIDTH, countdown, stock_left
from tests.messages.shop import NOW, content, event, product, store

BLUE = "#2f5bea"
END = datetime(2026, 11, 26, 18, 0, tzinfo=UTC)
LINKS = PictureLinks("https://agala.example", [b"key"])


def rows(png: bytes) -> list[bytes]:
    """The palette numbers of a picture."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    at, data = 8, b""
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + body)
        data += body if kind == b"IDAT" else b""
        at += 12 + length
    raw = zlib.decompress(data)
    assert len(raw) == height * (width + 1)
    return [raw[y * (width + 1) + 1 : (y + 1) * (width + 1)] for y in range(height)]


def is_nothing(png: bytes) -> bool:
    found = rows(png)
    return len(found) == 1 and not any(found[0])


def shows(png: bytes, strip: str, name: str) -> int:
    """How many times this sign stands in it."""
    first, found = sign(strip, name), rows(png)
    places = 0
    for y in range(len(found) - first.height + 1):
        if found[y + first.height // 2].find(first.rows[first.height // 2]) < 0:
            continue
        for x in range(len(found[0]) - first.width + 1):
            if all(found[y + row][x : x + first.width] == first.rows[row] for row in range(first.height)):
                places += 1
    return places


@pytest.mark.parametrize("language", ["he", "en"])
def test_a_countdown_counts_to_the_begun_minute_and_is_nothing_at_the_end(language: str) -> None:
    picture = countdown(END, END - timedelta(days=3, hours=14, minutes=5, seconds=1), language, BLUE)
    assert len(rows(picture)[0]) == 2 * COUNTDOWN_WIDTH
    digits = {one: shows(picture, "numbers", one) for one in "0123456789"}
    assert {one: count for one, count in digits.items() if count} == {"0": 1, "1": 1, "3": 1, "4": 1, "6": 1}
    assert shows(picture, "labels", f"{language}.days") == 1
    last = countdown(END, END - timedelta(seconds=1), language, BLUE)
    assert shows(last, "numbers", "1") == 1, "the last minute"
    assert is_nothing(countdown(END, END, language, BLUE))
    assert is_nothing(countdown(END, END + timedelta(days=900), language, BLUE))


def test_days_stand_where_reading_begins() -> None:
    def ink(language: str) -> list[int]:
        picture = rows(countdown(END, END - timedelta(days=300), language, BLUE))
        return [sum(pixel > GROUND for row in picture for pixel in row[x : x + 172]) for x in (0, 388)]

    english, hebrew = ink("en"), ink("he")
    assert english[0] > english[1] and hebrew[0] < hebrew[1], "three digits of days, two of minutes"


@pytest.mark.parametrize("language", ["he", "en"])
def test_only_few_that_are_really_there_are_told(language: str) -> None:
    def told(below: int = 10, **changes: Any) -> bytes:
        return stock_left(product(**changes), below, language, BLUE)

    twelve = told(below=20, stock=12)
    assert (shows(twelve, "words", "1"), shows(twelve, "words", "2")) == (1, 1)
    assert len(rows(twelve)[0]) == 2 * STOCK_WIDTH
    one = told(stock=1)
    assert not is_nothing(one) and shows(one, "words", "1") == (1 if language == "en" else 0)
    assert not is_nothing(told(stock=10))
    for silent in (
        told(stock=11),
        told(stock=0),
        told(stock=-2),
        told(stock=None),
        told(stock=3, in_stock=False),
        told(stock=3, published=False),
        stock_left(None, 10, language, BLUE),
    ):
        assert is_nothing(silent)


def test_letters_can_be_read_on_any_brand() -> None:
    def colours(colour: str) -> tuple[bytes, bytes]:
        png = countdown(END, NOW, "en", colour)
        palette = png[png.index(b"PLTE") + 4 :][: 3 * (2 * GROUND + 1)]
        return palette[3 * GROUND : 3 * GROUND + 3], palette[-3:]

    assert colours("#2f5bea") == (bytes.fromhex("2f5bea"), b"\xff\xff\xff")
    assert colours("#f5d90a") == (bytes.fromhex("f5d90a"), bytes.fromhex("1d2433"))


def test_addresses_are_read_back_and_edited_ones_are_not_ours() -> None:
    counts = LINKS.countdown_url(END, "he", "#2F5BEA")
    left = LINKS.stock_url("s1", "gid://shopify/Product/7", 10, "en", BLUE)
    assert counts.startswith("https://agala.example/i/c/") and left.startswith("https://agala.example/i/s/")
    token, other = (url.rpartition("/")[2].removesuffix(".png") for url in (counts, left))
    assert LINKS.read_countdown(token) == CountdownPicture(END, "he", BLUE)
    assert LINKS.read_stock(other) == StockPicture("s1", "gid://shopify/Product/7", 10, "en", BLUE)
    assert LINKS.read_stock(token) is None and LINKS.read_countdown(other) is None
    for place in range(len(token)):
        edited = token[:place] + ("0" if token[place] != "0" else "1") + token[place + 1 :]
        assert LINKS.read_countdown(edited) is None
    assert LINKS.read_stock(other.replace(".10.", ".99.")) is None
    assert PictureLinks("", [b"other"]).read_countdown(token) is None
    assert PictureLinks("", [b"new", b"key"]).read_countdown(token) is not None, "a key may be changed"


COUPON = {"type": "countdown", "of": "coupon"}


def placed(*blocks: dict[str, Any], coupon: Benefit | None = None, **goods: Any) -> dict[str, dict[str, Any]]:
    needs = needs_of(content(*blocks), event(), lambda condition: False)
    showing = Showing(products={"12": product(**goods)})
    return placed_pictures(needs, showing, store(), event(), coupon, "he", LINKS, NOW)


def test_a_block_has_its_picture_while_there_is_something_to_count() -> None:
    until = {"type": "countdown", "until": END.isoformat()}
    good = Benefit(
        code="A", kind="percent", journey="j", step="s", at=NOW, expires_at=datetime(2026, 11, 24, 22, 0, tzinfo=UTC)
    )
    found = placed(until, COUPON, {"type": "stock_left"}, coupon=good, stock=30)
    assert found["blocks[0]"]["ends"] == "יום חמישי, 26 בנובמבר בשעה 20:00", "on the shop's clock"
    assert found["blocks[1]"]["ends"] == "יום שלישי, 24 בנובמבר בשעה 23:59", "midnight belongs to the day before"
    token = found["blocks[0]"]["picture"].rpartition("/")[2].removesuffix(".png")
    assert LINKS.read_countdown(token) == CountdownPicture(END, "he", BLUE)
    assert "/i/s/" in found["blocks[2]"]["picture"], "there may be few when it is opened"
    over = {"type": "countdown", "until": NOW.isoformat()}
    assert placed(over, COUPON, {"type": "stock_left"}, stock=None) == {}
    assert placed({"type": "stock_left"}, stock=0) == {} == placed({"type": "stock_left"}, stock=3, in_stock=False)
    assert placed({"type": "stock_left", "product": "gone"}, stock=3) == {}
