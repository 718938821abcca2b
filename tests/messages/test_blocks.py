"""Every block that shows goods, speaks or asks: in both languages, with what it shows and without, and no hole."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from chalicelib.commerce.money import Money
from chalicelib.messages.block_forms import BLOCKS
from chalicelib.messages.blocks import RENDERERS
from chalicelib.messages.content import Rendered, check_content, render
from tests.messages.shop import contact, content, data, product

HE_EN = pytest.mark.parametrize("language", ["he", "en"])
GOODS = {one: product(one, name=f"Thing {one}", url=f"https://hadar.example/p/{one}") for one in "abcde"}
HELLO = {"type": "text", "text": "Hello"}


def shown(*blocks: dict[str, Any], language: str = "en", **changes: Any) -> Rendered:
    goods = {**GOODS, "12": product()}
    return render(content(*blocks), data(language=language, **{"products": goods, **changes}))


def links(html: str) -> list[str]:
    return [unescape(found) for found in re.findall(r'href="([^"]+)"', html)]


def sections(html: str) -> int:
    """Rows of the card: what is left out leaves none behind."""
    return html.count('class="agala-card')


def bare(language: str) -> Rendered:
    return shown(HELLO, language=language)


def test_every_block_has_a_renderer() -> None:
    assert set(RENDERERS) == set(BLOCKS.values())


@HE_EN
@pytest.mark.parametrize(
    "block",
    [
        {"type": "product", "product": "gone", "button": "Buy"},
        {"type": "products", "products": ["gone", "too"], "title": "Chosen"},
        {"type": "viewed_products", "title": "Seen"},
        {"type": "recommended", "title": "For you"},
        {"type": "new_arrivals", "title": "New"},
        {"type": "countdown", "of": "coupon", "text": "Hurry"},
        {"type": "stock_left"},
        {"type": "hero", "title": "{{ contact.fields.none }}", "text": "below"},
        {"type": "quote", "text": "{{ contact.fields.none }}", "by": "Somebody"},
        {"type": "rating", "survey": "s", "question": "q", "text": "{{ contact.fields.none }}"},
        {"type": "whatsapp_share", "message": "Look", "url": "{{ contact.fields.none }}"},
        {"type": "button", "text": "Go", "url": "{{ contact.fields.none }}", "smart": {"name": "x"}},
    ],
    ids=lambda block: block["type"],
)
def test_a_block_with_nothing_to_show_leaves_no_hole(language: str, block: dict[str, Any]) -> None:
    found = shown(HELLO, block, language=language)
    assert sections(found.html) == sections(bare(language).html)
    assert found.text == bare(language).text


@HE_EN
def test_cards_stand_two_in_a_row(language: str) -> None:
    block = {"type": "products", "products": ["a", "gone", "b", "c", "a"], "title": "Chosen"}
    found = shown(block, language=language)
    table = re.search(r'<table dir="(\w+)"[^>]*table-layout:fixed.*?</table>', found.html, re.DOTALL)
    assert table is not None and table.group(1) == ("rtl" if language == "he" else "ltr")
    rows = [row.count('width="48%"') for row in re.findall(r"<tr>.*?</tr>", table.group(), re.DOTALL)]
    assert [cells for cells in rows if cells] == [2, 2], "the last one beside an empty cell"
    assert [name for name in "abc" if f"Thing {name}" in table.group()] == ["a", "b", "c"]
    assert found.text.count("Thing a") == 1 and "Chosen\n- " in found.text


def test_one_product_alone_stands_beside_its_picture() -> None:
    found = shown({"type": "products", "products": ["a", "gone"]})
    assert "table-layout:fixed" not in found.html and "Thing a" in found.html


def test_a_card_says_the_price_before_and_that_it_is_sold_out() -> None:
    dear = product("a", name="Cup", regular_price=Money(amount=9900, currency="ILS"))
    gone = product("b", name="Pot", in_stock=False)
    english = shown({"type": "products", "products": ["a", "b"]}, products={"a": dear, "b": gone})
    assert re.search(r"<s [^>]*>.*99\.00.*</s>", english.html) and "(instead of ₪99.00)" in english.text
    assert english.html.count("Sold out") == 1 and "Pot⁩ – ₪59.00 – Sold out" in english.text
    hebrew = shown({"type": "products", "products": ["a", "b"]}, products={"a": dear, "b": gone}, language="he")
    assert "אזל מהמלאי" in hebrew.html and "במקום" in hebrew.text
    alone = [shown({"type": "product", "product": name}, products={"a": dear, "b": gone}).html for name in "ab"]
    assert ["Sold out" in html for html in alone] == [False, True]


@HE_EN
@pytest.mark.parametrize(
    ("kind", "holder"), [("viewed_products", "viewed"), ("recommended", "recommended"), ("new_arrivals", "arrivals")]
)
def test_what_was_chosen_for_a_place_is_shown_there(language: str, kind: str, holder: str) -> None:
    chosen = {"blocks[1]": [GOODS["a"], GOODS["b"]]}
    found = shown(HELLO, {"type": kind, "title": "Here"}, language=language, **{holder: chosen})
    assert all(f"Thing {one}" in found.html and f"https://hadar.example/p/{one}" in found.text for one in "ab")
    assert sections(found.html) > sections(bare(language).html)


def test_recommended_products_say_why_in_words_that_nobody_can_put_markup_into() -> None:
    chosen = {"blocks[0]": [GOODS["a"], GOODS["b"]]}
    why = {"blocks[0]": {"together": "Tea <b>", "category": "Cups", "best_sellers": True}}
    block = {"type": "recommended"}
    english = shown(block, recommended=chosen, placed=why)
    assert "Often bought together with ⁨Tea <b>⁩ · Popular in ⁨Cups⁩ · Best sellers of the shop" in english.text
    assert "Often bought together with <bdi>Tea &lt;b&gt;</bdi>" in english.html
    assert "נקנו לא פעם יחד עם" in shown(block, recommended=chosen, placed=why, language="he").html
    assert "Often bought" not in shown({**block, "why": False}, recommended=chosen, placed=why).text


@HE_EN
def test_a_countdown_says_in_words_what_stays_true(language: str) -> None:
    picture = "https://agala.example/i/c/x.png"
    placed = {"blocks[0]": {"picture": picture, "ends": "Thursday 26 November at 20:00"}}
    block = {"type": "countdown", "until": "2026-11-26T18:00:00Z", "text": "Hurry"}
    found = shown(block, language=language, placed=placed)
    words = "מסתיים בThursday" if language == "he" else "Ends on Thursday"
    assert f'src="{picture}" alt="{words} 26 November at 20:00"' in found.html
    assert f"Hurry\n{words}" in found.text
    without = shown(block, language=language, placed={"blocks[0]": {"ends": "Thursday"}})
    assert "<img" not in without.html and words in without.text


def test_what_is_left_is_told_by_the_picture_alone() -> None:
    picture = "https://agala.example/i/s/x.png"
    found = shown(HELLO, {"type": "stock_left"}, placed={"blocks[1]": {"picture": picture}})
    assert f'src="{picture}" alt=""' in found.html
    assert found.text == bare("en").text


@HE_EN
@pytest.mark.parametrize("tone", ["brand", "soft", "dark", "festive"])
def test_a_hero_says_all_that_it_was_given_and_no_more(language: str, tone: str) -> None:
    small = shown({"type": "hero", "tone": tone, "title": "Big"}, language=language)
    assert re.search(r"<h1[^>]*>Big</h1>", small.html) and f"agala-hero-{tone}" in small.html
    block = {"type": "hero", "title": "Big", "icon": "☕", "eyebrow": "{{ contact.fields.none }}", "text": "Below"}
    whole = shown({**block, "image": "https://img.example/x.png", "button": "Go", "url": "https://a.example"})
    assert "☕ Big\n\nBelow\n\nGo:\nhttps://a.example" in whole.text
    assert 'src="https://img.example/x.png"' in whole.html and "https://a.example" in links(whole.html)


@HE_EN
def test_features_and_a_quote_read_the_same_in_both_twins(language: str) -> None:
    features = {"type": "features", "items": [{"icon": "🚚", "title": f"Title {n}", "text": "More"} for n in range(4)]}
    found = shown(features, {"type": "quote", "text": "Good **tea**", "by": "Michal"}, language=language)
    assert all(f"Title {n}" in found.html and f"🚚 Title {n}\n  More" in found.text for n in range(4))
    assert "<strong>tea</strong>" in found.html and "“Good tea”\n— Michal" in found.text


@HE_EN
def test_a_rating_has_a_link_for_each_number(language: str) -> None:
    block = {"type": "rating", "survey": "after buying", "question": "q", "text": "How?", "best": 10, "field": "joy"}
    found = shown({**block, "low": "Bad", "high": "Good"}, language=language)
    answers = [link for link in links(found.html) if link.startswith("agala:")]
    told = [parse_qs(urlsplit(link).query) for link in answers]
    assert [one["value"] for one in told] == [[str(n)] for n in range(1, 11)]
    assert told[0] == {"survey": ["after buying"], "question": ["q"], "value": ["1"], "field": ["joy"]}
    assert f"1 (Bad): {answers[0]}" in found.text and f"10 (Good): {answers[9]}" in found.text


def test_an_answer_may_lead_on_also_where_the_address_is_personal() -> None:
    choices = [
        {"value": "tea & milk", "label": "Tea", "url": "https://hadar.example/?a=1&b=2"},
        {"value": "cup", "label": "Cup", "url": "{{ product.url }}"},
        {"value": "no", "label": "No", "url": "{{ contact.fields.none }}"},
        {"value": "last", "label": "Last"},
    ]
    block = {"type": "survey", "survey": "s", "question": "q", "text": "What?", "choices": choices}
    found = shown(block)
    told = [parse_qs(urlsplit(link).query) for link in links(found.html) if link.startswith("agala:answer")]
    assert [one["value"][0] for one in told] == ["tea & milk", "cup", "no", "last"]
    assert [one.get("to", [""])[0] for one in told] == ["https://hadar.example/?a=1&b=2", product().url, "", ""]
    assert [line for line in found.text.splitlines() if line.startswith("Cup: agala:answer?")]


def test_a_smart_link_says_which_it_is() -> None:
    smart = {"name": "likes tea", "add_tags": ["tea"]}
    button = {"type": "button", "text": "Tea", "url": "https://hadar.example/tea?x=1&y=2", "smart": smart}
    image = {"type": "image", "src": "https://img.example/x.png", "alt": "", "url": "{{ product.url }}", "smart": smart}
    found = shown(button, image)
    told = [parse_qs(urlsplit(link).query) for link in links(found.html) if link.startswith("agala:smart")]
    assert told == [
        {"at": ["blocks[0]"], "to": ["https://hadar.example/tea?x=1&y=2"]},
        {"at": ["blocks[1]"], "to": [product().url]},
    ]


@HE_EN
def test_a_share_carries_message_and_link_whole_and_nothing_of_the_sender(language: str) -> None:
    url = "https://hadar.example/p/12?a=1&b=2#top"
    block = {"type": "whatsapp_share", "message": "50% off & more: {{ product.name }} + tea?\nLook", "url": url}
    found = shown(block, language=language, products={"12": product(name="A&B + C")})
    [share] = [link for link in links(found.html) if link.startswith("https://wa.me/")]
    query = share.partition("?text=")[2]
    assert "+" not in query and "&" not in query
    assert unquote(query) == f"50% off & more: A&B + C + tea?\nLook {url}"
    assert share in found.text
    assert not any(private in share for private in (contact().id, "dana", "agala.example"))
    assert ("לשתף בוואטסאפ" if language == "he" else "Share on WhatsApp") in found.html


@HE_EN
def test_focused_content_shows_one_side_or_the_other(language: str) -> None:
    asks = {"ordered": {"since": "entry"}}
    focus = {
        "type": "focus",
        "if": asks,
        "blocks": [{"type": "heading", "text": "For you"}, {"type": "viewed_products"}],
        "else": [{"type": "text", "text": "For others"}],
    }
    viewed = {"blocks[0].blocks[1]": [GOODS["a"]]}
    yes = shown(focus, language=language, focused={"blocks[0]": True}, viewed=viewed)
    no = shown(focus, language=language, focused={"blocks[0]": False}, viewed=viewed)
    assert "For you" in yes.text and "Thing a" in yes.html and "For others" not in yes.html
    assert "For others" in no.text and "For you" not in no.html and "Thing a" not in no.html


def test_focused_blocks_go_only_so_deep() -> None:
    def nested(levels: int) -> dict[str, Any]:
        asks, inner = {"ordered": {"since": "entry"}}, nested(levels - 1) if levels else {"type": "order_items"}
        return {"type": "focus", "if": asks, "blocks": [inner]} if levels else inner

    deep = content(nested(4), HELLO)
    assert check_content(deep) == []
    focused = {place: True for place, _ in deep.conditions()}
    assert "קפה טחון" in render(deep, data(focused=focused)).html
    [mistake] = check_content(content(nested(5)))
    assert mistake.field == "blocks[0].blocks[0].blocks[0].blocks[0].blocks[0]"


@pytest.mark.parametrize("icon", ["{% if", "{{ x }}", "<b>", "{{"])
def test_an_icon_is_never_read_as_liquid_or_markup(icon: str) -> None:
    hero, features = (
        {"type": "hero", "title": "Big", "icon": icon},
        {"type": "features", "items": [{"title": "One", "icon": icon}]},
    )
    found = shown(hero, features)
    assert "Big" in found.html and "One" in found.html and "<b>" not in found.html


def test_mistakes_inside_blocks_are_named_by_place() -> None:
    features = {"type": "features", "items": [{"title": "ok"}, {"title": "{{ nobody.name }}"}]}
    focus = {"type": "focus", "if": {"ordered": {"since": "entry"}}, "blocks": [features]}
    hero = {"type": "hero", "title": "{% if %}", "url": "javascript:alert(1)"}
    found = {mistake.field for mistake in check_content(content(focus, hero))}
    assert found == {"blocks[0].blocks[0].items[1].title", "blocks[1].title", "blocks[1].url"}
