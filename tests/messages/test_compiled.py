import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from chalicelib.messages import block_forms
from chalicelib.messages.block_forms import BLOCKS
from chalicelib.messages.colours import LARGE, READABLE, contrast, readable, words_on
from chalicelib.messages.compiled import CompiledEmails
from chalicelib.messages.content import RenderingError, check_content, render
from chalicelib.messages.fields import fields_of
from chalicelib.messages.message import MessageKind
from chalicelib.messages.places import goods, place_key
from chalicelib.messages.sources import ADDRESSES, WORDS, sources
from tests.messages.shop import content, data, event, product, store

SPECIAL = {"type": "text", "text": "קבוע"}


def branded(**brand: Any) -> Any:
    return store(settings={"brand": brand})


def cards(html: str) -> int:
    """How many rows the page has."""
    return html.count('<div class="agala-card')


@pytest.mark.parametrize(
    "block",
    [
        {"type": "heading", "text": "{{ contact.last_name }}"},
        {"type": "text", "text": "{{ contact.last_name }}\n\n{% if coupon %}א{% endif %}\n\n**{{ coupon.code }}**"},
        {"type": "button", "text": "לקנייה", "url": "{{ cart.restore_url }}"},
        {"type": "button", "text": "{{ coupon.code }}", "url": "https://hadar.example"},
        {"type": "button", "text": "לקנייה", "url": "ftp://hadar.example"},
        {"type": "image", "src": "{{ order.payment_url }}", "alt": "תמונה"},
        {"type": "product", "product": "77"},
        {"type": "product", "product": "", "button": "לפרטים"},
        {"type": "cart_items", "button": "חזרה"},
        {"type": "coupon", "text": "מתנה", "url": "https://hadar.example"},
        {"type": "talk_to_us"},
    ],
)  # fmt: skip
def test_a_block_with_nothing_to_show_leaves_no_hole(block: dict[str, Any]) -> None:
    with_it, without = render(content(SPECIAL, block, SPECIAL), data()), render(content(SPECIAL, SPECIAL), data())
    assert cards(with_it.html) == cards(without.html)
    assert with_it.text == without.text
    with pytest.raises(RenderingError, match="nothing to show"):
        render(content(block), data())


def test_what_shows_for_one_contact_and_not_for_another_comes_of_one_template() -> None:
    block = {"type": "button", "text": "לקנייה", "url": "{{ order.payment_url }}"}
    shown = render(content(SPECIAL, block), data(event=event(payment_url="https://hadar.example/pay?a=1&b=2")))
    assert 'href="https://hadar.example/pay?a=1&amp;b=2"' in shown.html
    assert "לקנייה:\nhttps://hadar.example/pay?a=1&b=2" in shown.text
    assert "לקנייה" not in render(content(SPECIAL, block), data()).html


def test_a_picture_is_a_link_only_where_it_leads_somewhere() -> None:
    block = {
        "type": "image",
        "src": "https://img.example/a.png",
        "alt": 'כוס "גדולה"',
        "url": "{{ order.payment_url }}",
    }
    alone = render(content(block), data())
    assert (
        'alt="כוס &quot;גדולה&quot;"' in alone.html and "<a href" not in alone.html.split("<img")[0].split("</a>")[-1]
    )
    linked = render(content(block), data(event=event(payment_url="https://hadar.example/pay")))
    assert (
        '<a href="https://hadar.example/pay" target="_blank" style="color:inherit;text-decoration:none"><img src="https://img.example/a.png"'
        in linked.html
    )
    wordless = content({"type": "image", "src": "https://img.example/a.png", "alt": ""})
    assert render(wordless, data()).text.startswith("-- "), "a picture is something to show, without words for it"


def test_focused_blocks_show_one_side() -> None:
    block = {
        "type": "focus",
        "if": {"field": "orders_count", "is": "equals", "value": 1},
        "blocks": [{"type": "text", "text": "רק לחדשים {{ contact.first_name }}"}],
        "else": [{"type": "product"}, {"type": "text", "text": "לכל השאר"}],
    }
    told = content(SPECIAL, block)
    facts = data(focused={"blocks[1]": True})
    assert "רק לחדשים דנה" in render(told, facts).text and "לכל השאר" not in render(told, facts).html
    others = render(told, replace(facts, focused={"blocks[1]": False}))
    assert "לכל השאר" in others.text and "רק לחדשים" not in others.html and "59.00" in others.html


def test_words_keep_their_lines_and_paragraphs_and_empty_ones_vanish() -> None:
    words = "ראשונה\r\nשנייה\n \n{{ contact.last_name }}\n\n"
    words += "{% if contact.first_name %}\nלך\n\n**{{ contact.first_name }}**\n{% endif %}"
    shown = render(content({"type": "text", "text": words}), data())
    assert re.findall(r'<p dir="rtl"[^>]*>(.*?)</p>', shown.html) == [
        "ראשונה<br />שנייה",
        "לך",
        "<strong><bdi>דנה</bdi></strong>",
    ]
    assert shown.text.startswith("ראשונה\nשנייה\n\nלך\n\nדנה\n\n-- ")


def test_line_breaks_of_a_value_stay() -> None:
    told = render(content({"type": "text", "text": "כתובת: {{ event.to }}"}), data(event=event(to="הדקל 5\nחיפה")))
    assert "<bdi>הדקל 5<br />חיפה</bdi>" in told.html


def test_bold_and_links_never_tear_a_condition_apart() -> None:
    words = "**א {% if contact.first_name %} ב** ג{% endif %} [ד {% if coupon %}](https://x.example)ה{% endif %}"
    html = render(content({"type": "text", "text": words}), data()).html
    assert "<strong>" not in html and 'href="https://x.example' not in html


def test_the_preheader_is_followed_by_nothing_of_the_body() -> None:
    html = render(content(preheader="הצצה ל-{{ store.name }}"), data()).html
    before, _, after = html.partition("הצצה ל-בית קפה הדר")
    assert "display:none" in before.rpartition("<div")[2]
    filling = after.partition("</div>")[0]
    assert len(filling) >= 200 and not filling.strip("\u034f\u200c\u00a0")
    assert "display:none" not in render(content(), data()).html


def test_the_brand_is_on_top_and_below() -> None:
    brand = {
        "logo": "https://img.example/logo.png",
        "logo_width": 120,
        "colour": "#ffe14d",
        "background": "#101418",
        "font": "serif",
        "footer": {"he": "קפה טוב <מחיפה>\nמאז 1998 {{ contact.email }}", "en": "Good coffee"},
        "links": [{"label": {"he": "משלוחים", "en": "Shipping"}, "url": "https://hadar.example/shipping?a=1&b=2"}],
        "socials": {"instagram": "https://instagram.example/hadar"},
    }
    shown = render(
        content({"type": "button", "text": "לקנייה", "url": "https://hadar.example"}), data(store=branded(**brand))
    )
    html, text = shown.html, shown.text
    assert '<img src="https://img.example/logo.png" alt="בית קפה הדר" width="120"' in html
    assert "Georgia" in html and "Segoe UI" not in html
    assert "background:#ffe14d" in html and "color:#1d2433" in html, "dark words on a bright button"
    assert "קפה טוב &lt;מחיפה&gt;<br />מאז 1998" in html and "dana@example.test" not in html + text
    assert (
        'href="https://hadar.example/shipping?a=1&amp;b=2"' in html
        and "משלוחים: https://hadar.example/shipping" in text
    )
    assert "Instagram: https://instagram.example/hadar" in text
    foot = re.search(r"line-height:1\.7;text-align:center;color:(#\w+)", html)
    assert foot and contrast(foot.group(1), "#101418") >= READABLE
    english = render(content({"type": "divider"}, subject="x"), data(language="en", store=branded(**brand)))
    assert "Good coffee" in english.text and "Shipping: " in english.text


@pytest.mark.parametrize("colour", ["#000000", "#2f5bea", "#ffe14d", "#ffffff", "#7a3e1d", "#808080"])
def test_every_brand_colour_can_be_read_in_light_and_in_darkness(colour: str) -> None:
    assert contrast(words_on(colour), colour) >= 3.9
    html = render(content({"type": "product"}), data(store=branded(colour=colour))).html
    price = re.search(
        r"font-weight:700;line-height:1\.6;text-align:right;color:(#\w+)[^>]*><div dir=\"rtl\"><bdi>\u200f?59", html
    )
    assert price and contrast(price.group(1), "#ffffff") >= READABLE
    [dark] = re.findall(r"\.agala-price div[^{]*\{ color: (#\w+)", html)
    assert contrast(dark, "#1f242d") >= READABLE
    [(button, words)] = re.findall(r"\.agala-button a \{ background: (#\w+) !important;\s+color: (#\w+)", html)
    assert contrast(button, "#1f242d") >= LARGE and contrast(words, button) >= 3.9


def test_contrast_is_counted_as_wcag_counts_it() -> None:
    assert contrast("#000000", "#ffffff") == 21
    assert round(contrast("#767676", "#ffffff"), 2) == 4.54
    assert readable("#767676", "#ffffff") == "#767676" and readable("#777777", "#ffffff") != "#777777"


def test_right_to_left_fills_rows_from_the_right() -> None:
    html = render(content({"type": "product"}), data()).html
    row = html[html.rindex('<td style="', 0, html.index("coffee.png")) - 3000 : html.index("coffee.png")]
    assert "direction:rtl" in row
    english = render(content({"type": "product"}, subject="x"), data(language="en")).html
    assert "direction:rtl" not in english and 'dir="rtl"' not in english


def test_an_email_is_compiled_once_until_something_in_it_changes() -> None:
    kept = CompiledEmails(most=3)
    told, marketing = content(), MessageKind.MARKETING
    first = kept.of(told, store(), "he", marketing, False)
    assert kept.of(content(), store(rev=7, settings={"rest_days": True}), "he", marketing, False) is first
    changes = [
        (content(subject="אחר"), store(), "he", marketing, False),
        (told, branded(colour="#000000"), "he", marketing, False),
        (told, store(name="אחר"), "he", marketing, False),
        (told, store(), "en", marketing, False),
        (told, store(), "he", MessageKind.TRANSACTIONAL, False),
        (told, store(), "he", marketing, True),
    ]
    assert len({id(kept.of(*change)) for change in changes} | {id(first)}) == 7
    assert len(kept) == 3, "the oldest go"
    assert kept.of(told, store(), "he", marketing, False) is not first


def test_threads_share_what_is_compiled() -> None:
    kept = CompiledEmails(most=2)
    told = [content(subject=f"נושא {number}") for number in range(4)]

    def fill(number: int) -> str:
        compiled = kept.of(told[number % 4], store(), "he", MessageKind.MARKETING, False)
        return compiled.subject.fill(fields_of(data()))

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(fill, range(60))) == [f"נושא {number % 4}" for number in range(60)]
    assert len(kept) == 2


def test_only_what_a_template_reads_is_made() -> None:
    fields = fields_of(data())
    compiled = CompiledEmails().of(
        content({"type": "text", "text": "{{ contact.first_name }} א"}), store(), "he", MessageKind.MARKETING, False
    )
    compiled.html.fill(fields)
    assert set(dict.keys(fields)) == {"contact", "mail"}
    assert set(dict.keys(fields["contact"])) == {"first_name"}


def test_every_text_of_every_form_is_checked_or_known_to_be_none() -> None:
    """A new field of a block must be named here, or owners' mistakes in it are found by nobody."""
    plain = {
        "type",
        "tone",
        "icon",
        "of",
        "product",
        "survey",
        "question",
        "field",
        "value",
        "name",
        "start_journey",
        "category",
    }
    forms: set[type[BaseModel]] = set(BLOCKS.values()) | {
        block_forms.Feature,
        block_forms.Choice,
        block_forms.SmartLink,
    }
    texts = {
        name
        for form in forms
        for name, field in form.model_fields.items()
        if str in (field.annotation, *get_args(field.annotation)) or "str" in str(field.annotation)
        if not name.startswith(("add_", "remove_", "set_")) and name not in ("products", "by")
    }
    assert texts - WORDS - ADDRESSES - plain == set()


def test_mistakes_are_found_wherever_an_owner_may_write() -> None:
    smart = {"name": "likes tea"}
    choices = [{"value": "1", "label": "{{", "url": "x"}, {"value": "2", "label": "b"}]
    blocks = (
        {"type": "hero", "title": "{{ a.b }}", "text": "{% if %}", "url": "hadar.example", "button": "{{ x | safe }}"},
        {"type": "features", "items": [{"title": "א", "text": "{{ c.d }}"}]},
        {"type": "survey", "survey": "s", "question": "q", "text": "t", "choices": choices},
        {"type": "button", "text": "{{ e.f }}", "url": "https://hadar.example", "smart": smart},
        {"type": "quote", "text": "ציטוט", "by": "{{ g.h }}"},
    )  # fmt: skip
    found = {mistake.field for mistake in check_content(content(*blocks, preheader="{{ i.j }}"))}
    assert found == {
        "preheader",
        "blocks[0].title",
        "blocks[0].text",
        "blocks[0].url",
        "blocks[0].button",
        "blocks[1].items[0].text",
        "blocks[2].choices[0].label",
        "blocks[2].choices[0].url",
        "blocks[3].text",
        "blocks[4].by",
    }


def test_places_and_products_have_names_that_liquid_reads() -> None:
    assert place_key("blocks[2].else[0].blocks[11]") == "b2_e0_b11"
    odd = "a\"b'c }} 7"
    fields = fields_of(data(products={odd: product(odd)}))
    assert fields["goods"][goods(odd).removeprefix("goods.")]["id"] == odd
    shown = render(content({"type": "product", "product": odd}), data(products={odd: product(odd, name="Odd")}))
    assert "Odd" in shown.html


def test_cards_found_for_a_place_stand_under_it() -> None:
    dear = product("5", regular_price={"amount": 7900, "currency": "ILS"}, url="javascript:alert(1)")
    focused, placed = {"blocks[1].else[0]": True}, {"blocks[3]": {"why": "\ue000x"}}
    facts = data(viewed={"blocks[3]": [dear]}, focused=focused, placed=placed, language="en")
    found = fields_of(facts)["at"]
    [card] = found["b3"]["products"]
    assert (card["id"], card["was"], card["price"], card["url"]) == ("5", "₪79.00", "₪59.00", None)
    assert found["b1_e0"]["focused"] is True and found["b3"]["why"] == "x"


def test_all_sources_are_told_with_their_paths() -> None:
    told = content({"type": "button", "text": "א", "url": "https://a.example"}, subject="ב")
    assert list(sources(told)) == [
        ("subject", "ב", False),
        ("blocks[0].text", "א", False),
        ("blocks[0].url", "https://a.example", True),
    ]
