"""The cart in a message: as it is now, else as the event told it."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.commerce.cart import CartActivity, CartItem, CartRecord, CartStep
from chalicelib.commerce.money import Money
from chalicelib.contacts.person import Person
from chalicelib.messages.content import render
from chalicelib.messages.fields import fields_of
from tests.messages.shop import NOW, content, data, store

LINK = "https://hadar.example/?cart=token&x=1"
ATTACK = "<script>alert(1)</script> & \"tea\" '🍵'"


def item(**changes: Any) -> dict[str, Any]:
    known = {
        "product_id": "12",
        "name": "קפה טחון",
        "quantity": 2,
        "price": {"amount": 5900, "currency": "ILS"},
        "image": "https://img.example/coffee.png",
        "url": "https://hadar.example/p/12",
    }
    return known | changes


def cart_event(*items: dict[str, Any], **properties: Any) -> dict[str, Any]:
    told = {
        "cart_token": "t1",
        "items": list(items) or [item()],
        "lines": len(items) or 1,
        "total": {"amount": 11800, "currency": "ILS"},
        "restore_url": LINK,
    }
    return {"id": "cart_abandoned:s1:t1:1", "type": "cart_abandoned", "properties": told | properties}


def record(*items: CartItem, **changes: Any) -> CartRecord:
    known: dict[str, Any] = {
        "id": "a2",
        "token": "t1",
        "step": CartStep.UPDATED,
        "person": Person(),
        "items": items,
        "lines": len(items),
        "total": Money(amount=2500, currency="ILS"),
        "restore_url": "https://hadar.example/?cart=now",
        "occurred_at": NOW + timedelta(minutes=5),
    }
    return CartRecord(store_id="s1", token="t1", latest=CartActivity.model_validate(known | changes))


def shown(*blocks: dict[str, Any], **changes: Any) -> Any:
    facts = data(**({"event": cart_event(), "language": "en"} | changes))
    return render(content({"type": "heading", "text": "Your cart"}, *blocks, subject="Cart"), facts)


CART = {"type": "cart_items"}


def test_a_cart_shows_pictures_names_quantities_prices_total_and_the_way_back() -> None:
    email = shown(CART | {"button": "Back"})
    for part in ("coffee.png", "קפה טחון", "Quantity: 2", "₪59.00", "₪118.00", "Back"):
        assert part in email.html
    assert 'href="https://hadar.example/?cart=token&amp;x=1"' in email.html
    assert "× 2 × ₪59.00 – ₪118.00" in email.text
    assert f"Back:\n{LINK}" in email.text


def test_the_button_has_words_of_its_own_in_each_language() -> None:
    assert "Return to your cart" in shown(CART).html
    assert "חזרה לעגלה" in shown(CART, language="he").html


def test_a_coupon_says_why_the_total_is_less() -> None:
    event = cart_event(coupons=["TEN", ATTACK], total={"amount": 10620, "currency": "ILS"})
    email = shown(CART, event=event, language="he")
    assert "קופון: <bdi>TEN</bdi>" in email.html
    assert email.text.index("קופון: ") < email.text.index("סך הכול: ")
    assert "<script" not in email.html
    assert "קופון" not in shown(CART, language="he").html


def test_names_are_text_wherever_they_stand() -> None:
    email = shown(CART, {"type": "text", "text": "{{ cart.items[0].name }}"}, event=cart_event(item(name=ATTACK)))
    assert "<script" not in email.html
    assert email.html.count("&lt;script&gt;") == 2
    assert ATTACK in email.text


def test_a_missing_picture_leaves_no_hole() -> None:
    email = shown(CART, event=cart_event(item(image=None), item()))
    first, second = email.html.split("קפה טחון")[:2]
    assert 'colspan="2"' in first.rpartition("<tr>")[2] and "<img" not in first.rpartition("<tr>")[2]
    assert "<img" in second.rpartition("<tr>")[2]


@pytest.mark.parametrize(
    ("lines", "words"), [(10, None), (11, "and 1 more item"), (100, "and 90 more items"), (500, "and 490 more items")]
)
def test_a_long_cart_shows_ten_lines_and_counts_the_rest(lines: int, words: str | None) -> None:
    items = [item(name=f"Tea number {index}") for index in range(min(lines, 100))]
    email = shown(CART, event=cart_event(*items, lines=lines))
    for said in (email.html, email.text):
        assert said.count("Tea number") == 10
        assert ("more item" in said) == (words is not None)
        assert words is None or words in said


def test_the_live_cart_is_shown_and_not_the_one_of_the_event() -> None:
    tea = CartItem(product_id="13", name="Tea", quantity=1, price=Money(amount=2500, currency="ILS"))
    email = shown(CART, cart=record(tea))
    assert "Tea" in email.html and "קפה טחון" not in email.html
    assert "₪25.00" in email.html and "?cart=now" in email.html


def test_a_live_cart_without_a_link_keeps_the_events() -> None:
    tea = CartItem(product_id="13", name="Tea", quantity=1, price=Money(amount=2500, currency="ILS"))
    assert "cart=token" in shown(CART, cart=record(tea, restore_url=None)).html


def test_a_cart_that_is_empty_now_shows_nothing() -> None:
    assert "קפה טחון" not in shown(CART, cart=record()).html


def test_without_a_link_the_button_leads_to_the_shop() -> None:
    email = shown(CART, event=cart_event(restore_url=None))
    assert "Return to your cart:\nhttps://hadar.example" in email.text


@pytest.mark.parametrize("url", ["javascript:alert(1)", 'https://x.example/" onclick="', 5, None])
def test_what_is_no_address_becomes_no_link(url: Any) -> None:
    email = shown(CART, event=cart_event(item(url=url, image=url), restore_url=url))
    assert "javascript:" not in email.html and '" onclick="' not in email.html


def test_an_event_about_no_cart_shows_none() -> None:
    facts = data(event={"type": "order_paid", "properties": {"items": [item()], "total": None}})
    assert fields_of(facts)["cart"] is None


@pytest.mark.parametrize(
    "told",
    [
        {"items": "x"},
        {"items": [3, None]},
        {"items": [{}]},
        {"items": [{"quantity": -3, "price": {"amount": "a"}}]},
        {"total": 5, "lines": "many", "coupons": "x"},
    ],
)
def test_whatever_an_event_says_makes_no_email_fail(told: dict[str, Any]) -> None:
    assert shown(CART, event=cart_event(**told)).html


def test_liquid_reads_the_cart() -> None:
    words = "{{ cart.total }} {{ cart.lines }} {{ cart.restore_url }} {% for i in cart.items %}{{ i.name }}{% endfor %}"
    assert f"₪118.00 1 {LINK} קפה טחון" in shown({"type": "text", "text": words}).text


TALK = {"type": "talk_to_us", "text": "Ask us"}


def test_the_way_to_talk_leads_where_the_store_says() -> None:
    email = shown(TALK, store=store(settings={"talk_to_us_url": "https://wa.me/972505550100?a=1&b=2"}))
    assert 'href="https://wa.me/972505550100?a=1&amp;b=2"' in email.html
    assert "Ask us:\nhttps://wa.me/972505550100?a=1&b=2" in email.text


def test_the_way_to_talk_is_left_out_where_the_store_says_nothing() -> None:
    email = shown(TALK)
    assert "Ask us" not in email.html + email.text
