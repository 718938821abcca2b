"""The doors of pictures that are true when they are opened."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, cast

import pytest
from chalice import Chalice  # type: ignore[attr-defined]
from chalice.test import Client

from chalicelib import wiring
from chalicelib.commerce.ports import ProductRecord
from chalicelib.errors import TryLater
from chalicelib.handlers.pictures import pictures
from chalicelib.messages.links import SignedLinks
from chalicelib.messages.true_pictures import countdown, stock_left
from chalicelib.wiring import Wiring
from tests.conftest import HandClock
from tests.messages.shop import NOW, product

LINKS = SignedLinks("https://agala.example", [b"key"])
BLUE = "#2f5bea"


class Parts:
    def __init__(self) -> None:
        self.links, self.clock = LINKS, HandClock(NOW)
        self.products, self.trouble, self.asked = self, False, 0
        self.record = ProductRecord(store_id="s1", external_id="12", product=product(stock=3))

    def get(self, store_id: str, external_id: str) -> ProductRecord | None:
        self.asked += 1
        if self.trouble:
            raise TryLater("the table is busy")
        return self.record if (store_id, external_id) == ("s1", "12") else None


@pytest.fixture
def parts() -> Iterator[Parts]:
    parts = Parts()
    wiring.use(cast(Wiring, parts))
    yield parts
    wiring.use(None)


@pytest.fixture(scope="module")
def http() -> Iterator[Any]:
    app = Chalice(app_name="test")
    app.api.binary_types = []
    app.register_blueprint(pictures)
    with Client(app) as client:
        yield client.http


def path(url: str) -> str:
    return url.removeprefix("https://agala.example")


@pytest.mark.parametrize("accept", [None, "image/webp,*/*", "text/html"])
def test_a_countdown_is_drawn_as_of_now_whatever_the_client_accepts(parts: Parts, http: Any, accept: str) -> None:
    end = NOW + timedelta(hours=5)
    address = path(LINKS.pictures.countdown_url(end, "he", BLUE))
    for now in (NOW, NOW + timedelta(hours=2), end, end + timedelta(days=1)):
        parts.clock.time = now
        answer = http.get(address, headers={"Accept": accept} if accept else {})
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png")
        assert "no-store" in answer.headers["Cache-Control"]
        assert answer.body == countdown(end, now, "he", BLUE)
    assert parts.asked == 0, "no table is needed"


def test_what_is_left_is_drawn_as_of_now(parts: Parts, http: Any) -> None:
    address = path(LINKS.pictures.stock_url("s1", "12", 5, "en", BLUE))
    assert http.get(address).body == stock_left(product(stock=3), 5, "en", BLUE)
    parts.record = parts.record.model_copy(update={"product": product(stock=6)})
    assert http.get(address).body == stock_left(None, 5, "en", BLUE)
    gone = path(LINKS.pictures.stock_url("s1", "99", 5, "en", BLUE))
    assert http.get(gone).body == stock_left(None, 5, "en", BLUE)


def test_a_forged_or_edited_address_is_not_found(parts: Parts, http: Any) -> None:
    good = path(LINKS.pictures.stock_url("s1", "12", 5, "en", BLUE))
    forged = SignedLinks("https://agala.example", [b"guess"]).pictures.stock_url("s1", "12", 5, "en", BLUE)
    for wrong in (good.replace(".5.", ".9."), path(forged), good.removesuffix(".png"), "/i/s/x.png", "/i/c/%00.png"):
        assert http.get(wrong).status_code == 404
    assert http.get(good.replace("/i/s/", "/i/c/")).status_code == 404
    assert parts.asked == 0


def test_while_the_table_is_out_nothing_is_drawn_rather_than_a_broken_picture(parts: Parts, http: Any) -> None:
    parts.trouble = True
    answer = http.get(path(LINKS.pictures.stock_url("s1", "12", 5, "en", BLUE)))
    assert answer.status_code == 200 and answer.body.startswith(b"\x89PNG") and len(answer.body) < 800
