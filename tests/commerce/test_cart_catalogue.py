"""What the catalogue adds to carts, and what it leaves alone."""

from __future__ import annotations

from typing import Any

from chalicelib.commerce.cart import CartRecord
from chalicelib.commerce.cart_catalogue import completed, completed_event, lacking, lacking_in
from chalicelib.commerce.cart_events import updated_event
from chalicelib.commerce.cart_fold import with_activity
from chalicelib.commerce.ports import ProductRecord
from tests.commerce.carts import CHECKOUT, NOBODY, TOKEN, activity, item
from tests.commerce.shop import product, version

WHOLE = {"image": "https://own.example/1.jpg", "url": "https://own.example/1", "categories": ("9",)}


def record(**more: Any) -> CartRecord:
    return with_activity(
        CartRecord(store_id="shop", token=TOKEN), activity(0, CHECKOUT, NOBODY, item("1", **more)), None
    )


def known(number: str, **more: Any) -> dict[str, ProductRecord]:
    told = product(number, 0, "green").model_copy(update=more)
    return {number: ProductRecord(store_id="shop", external_id=number, product=told)}


def test_a_cart_that_was_told_whole_asks_for_nothing() -> None:
    whole = record(**WHOLE)
    assert lacking(whole) == set() == lacking(None) == lacking(CartRecord(store_id="shop", token=TOKEN))
    assert whole.latest is not None and lacking_in(updated_event(whole, whole.latest)) == set()
    assert completed(whole, known("1", image="https://other.example/1.jpg")) == whole


def test_the_variation_comes_before_its_product_and_both_after_the_carts_own_words() -> None:
    bare = record(variation_id="11", url="https://own.example/1")
    assert lacking(bare) == {"1", "11"}
    products = known("1", image="https://cdn.example/1.jpg", url="https://cdn.example/1") | known(
        "11", image="https://cdn.example/11.jpg", categories=()
    )
    found = completed(bare, products).latest
    assert found is not None and bare.latest is not None
    (shown,) = found.items
    assert (shown.image, shown.url) == ("https://cdn.example/11.jpg", "https://own.example/1")
    assert shown.categories == ("green",)
    event = completed_event(updated_event(bare, bare.latest), products)
    assert event.properties["items"][0]["image"] == "https://cdn.example/11.jpg"
    assert event.properties["items"][0]["categories"] == ["green"]


def test_what_is_unknown_or_deleted_adds_nothing() -> None:
    bare = record()
    gone = {"1": known("1", image="https://cdn.example/1.jpg")["1"].model_copy(update={"deleted": version(1, 99)})}
    assert completed(bare, gone) == completed(bare, {}) == bare
