import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.contacts.contact import Benefit
from chalicelib.messages.content import RenderingError, check_content, choose_language, render
from chalicelib.messages.content_model import EmailContent
from chalicelib.messages.message import MessageKind
from chalicelib.messages.phrase import web_address
from chalicelib.messages.showing import needs_of
from tests.messages.shop import NOW, contact, content, data, event, product, store


def test_hebrew_reads_right_to_left_and_english_left_to_right() -> None:
    hebrew = render(content(), data())
    english = render(content(), data(language="en"))
    assert '<html lang="he" dir="rtl"' in hebrew.html
    assert "text-align:right" in hebrew.html
    assert re.search(r'<p dir="rtl"[^>]*>תודה', hebrew.html)
    assert '<html lang="en" dir="ltr"' in english.html


def test_personal_fields_are_filled_in_and_isolated() -> None:
    rendered = render(content(), data())
    assert rendered.subject == "שלום דנה"
    assert "תודה, <bdi>דנה</bdi>" in rendered.html
    assert "תודה, דנה" in rendered.text


def test_a_missing_field_is_empty_and_a_default_steps_in() -> None:
    rendered = render(content(), data(contact=contact(first_name=None)))
    assert rendered.subject == "שלום"
    assert "תודה, לך" in rendered.text


def test_a_name_brings_in_no_markup_no_link_and_no_header() -> None:
    evil = 'x\r\nBcc: all@example.test <img src=x onerror="1"> **b** [win](https://evil.example) \ue002z'
    rendered = render(content(subject="היי {{ contact.first_name }}"), data(contact=contact(first_name=evil)))
    assert "<img src=x" not in rendered.html
    assert 'href="https://evil.example' not in rendered.html
    assert "<strong>b" not in rendered.html
    assert "\n" not in rendered.subject and "\r" not in rendered.subject
    assert "<img src=x" in rendered.subject, "a subject is text, not HTML"


def test_bold_and_links_are_the_owners_alone() -> None:
    block = {"type": "text", "text": "**חדש:** [לחנות]({{ store.url }}/sale?q={{ contact.first_name }}) & עוד"}
    rendered = render(content(block), data(contact=contact(first_name='"><b>')))
    assert "<strong>חדש:</strong>" in rendered.html
    assert 'href="https://hadar.example/sale?q=%22%3E%3Cb%3E"' in rendered.html
    assert "&amp; עוד" in rendered.html
    assert "לחנות (https://hadar.example/sale?q=%22%3E%3Cb%3E)" in rendered.text


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "http:///x", "ftp://a.example"]
)
def test_only_web_addresses_become_links(address: str) -> None:
    blocks = ({"type": "button", "text": "כאן", "url": address}, {"type": "text", "text": f"[שם]({address})"})
    rendered = render(content(*blocks), data())
    assert f'href="{address}' not in rendered.html
    assert "כאן" not in rendered.text, "a button that leads nowhere is left out"


def test_order_items_show_picture_name_quantity_and_money_as_people_write_it() -> None:
    rendered = render(content({"type": "order_items"}), data(language="en"))
    assert 'src="https://img.example/coffee.png"' in rendered.html
    assert "<bdi>קפה טחון</bdi>" in rendered.html
    assert "Quantity: 2" in rendered.html
    assert "₪118.00" in rendered.html
    assert "קפה טחון" in rendered.text and "× 2" in rendered.text and "₪118.00" in rendered.text


def test_a_product_comes_from_the_catalogue_with_its_present_price() -> None:
    changed = product(price={"amount": 4900, "currency": "ILS"})
    rendered = render(content({"type": "product", "product": "trigger"}), data(language="en", products={"12": changed}))
    assert "₪49.00" in rendered.html and "₪49.00" in rendered.text
    assert 'href="https://hadar.example/p/12?a=1&amp;b=2"' in rendered.html


@pytest.mark.parametrize("products", [{}, {"12": product(published=False)}])
def test_a_product_that_is_gone_is_left_out_and_the_rest_stays(products: dict[str, Any]) -> None:
    blocks = (
        {"type": "text", "text": "עוד {{ product.name }}?"},
        {"type": "product", "product": "trigger"},
        {"type": "button", "text": "להזמנה", "url": "{{ product.url | default: store.url }}"},
    )
    rendered = render(content(*blocks), data(products=products))
    assert "עוד קפה טחון?" in rendered.text, "the name it was bought under still reads well"
    assert "59.00" not in rendered.html
    assert 'href="https://hadar.example"' in rendered.html


def products_needed(shown: EmailContent, told: dict[str, Any]) -> set[str]:
    return set(needs_of(shown, told, lambda condition: False).products)


def test_a_product_not_chosen_yet_shows_nothing() -> None:
    chosen = content({"type": "text", "text": "שלום"}, {"type": "product", "product": ""})
    assert products_needed(chosen, event()) == {"12"}
    assert "59.00" not in render(chosen, data()).html


def test_the_consumable_is_the_product_of_its_event() -> None:
    told = event(consumable={"product_id": "77", "name": "מסנן", "lifetime_days": 30})
    assert products_needed(content({"type": "product", "product": "trigger"}), told) == {"77"}
    assert products_needed(content({"type": "product", "product": "consumable"}), told) == {"77"}


def test_a_block_for_the_consumable_shows_nothing_where_there_is_none() -> None:
    block = content({"type": "text", "text": "שלום"}, {"type": "product", "product": "consumable"})
    assert products_needed(block, event()) == {"12"}  # for the fields; the block itself has none
    assert "59.00" not in render(block, data()).html
    properties = {**event()["properties"], "consumable": {"product_id": "12"}}
    assert "59.00" in render(block, data(event={**event(), "properties": properties})).html


def test_every_marketing_email_says_who_why_and_how_to_leave() -> None:
    rendered = render(content(), data())
    for part in (rendered.html, rendered.text):
        assert "רחוב הדקל 5, חיפה" in part
        assert "רשימת הדיוור" in part
        assert "https://agala.example/u/token" in part


def test_an_address_that_begins_with_a_number_keeps_its_order_in_a_hebrew_email() -> None:
    rendered = render(content(), data(store=store(settings={"sender": {"name": "הדר", "address": "1 Palm St"}})))
    assert "<bdi>1 Palm St</bdi>" in rendered.html
    assert "\u20681 Palm St\u2069" in rendered.text


def test_a_transactional_email_carries_no_unsubscribe_link() -> None:
    rendered = render(content(), data(kind=MessageKind.TRANSACTIONAL))
    assert "agala.example/u/" not in rendered.html + rendered.text
    assert "רחוב הדקל 5, חיפה" in rendered.text


def test_marketing_without_a_way_out_is_refused() -> None:
    with pytest.raises(RenderingError, match="unsubscribe_url"):
        render(content(), data(unsubscribe_url=None))


def test_dark_mode_and_the_preheader_are_there() -> None:
    rendered = render(content(preheader="הצצה ל-{{ store.name }}"), data())
    assert "prefers-color-scheme: dark" in rendered.html
    assert 'name="color-scheme"' in rendered.html
    assert rendered.preheader == "הצצה ל-בית קפה הדר"
    assert rendered.preheader in rendered.html


def test_a_loop_without_end_fails_by_its_fields_name_and_tells_nothing_personal() -> None:
    endless = content({"type": "text", "text": "{% for i in (1..99999) %}{{ contact.first_name }}{% endfor %}"})
    with pytest.raises(RenderingError, match=r"blocks\[0\]: loop iteration limit") as caught:
        render(endless, data())
    assert "דנה" not in str(caught.value)


def test_content_that_comes_out_empty_is_no_email() -> None:
    with pytest.raises(RenderingError, match="subject"):
        render(content(subject="{{ contact.last_name }}"), data())
    with pytest.raises(RenderingError, match="nothing to show"):
        render(content({"type": "product", "product": ""}), data())


@pytest.mark.parametrize(
    ("block", "field", "says"),
    [
        ({"type": "text", "text": "{{ contact.first_name"}, "blocks[0].text", "expected"),
        ({"type": "text", "text": "{% if a %}"}, "blocks[0].text", "endif"),
        ({"type": "heading", "text": "{{ contact.shoe_size }}"}, "blocks[0].text", "unknown field contact.shoe_size"),
        ({"type": "heading", "text": "{{ friend.name }}"}, "blocks[0].text", "unknown field friend.name"),
        ({"type": "text", "text": "{{ contact.email | safe }}"}, "blocks[0].text", "unknown filter safe"),
        ({"type": "text", "text": "{% include 'secrets' %}"}, "blocks[0].text", "include"),
        ({"type": "text", "text": "{% for i in (1..9999) %}x{% endfor %}"}, "blocks[0].text", "limit"),
        ({"type": "button", "text": "x", "url": "hadar.example"}, "blocks[0].url", "https://"),
        ({"type": "image", "src": "{{ product.pic }}", "alt": ""}, "blocks[0].src", "unknown field product.pic"),
    ],
)
def test_mistakes_are_named_by_their_field(block: dict[str, Any], field: str, says: str) -> None:
    [mistake] = check_content(content(block))
    assert mistake.field == field
    assert says in mistake.message


def test_good_liquid_is_no_mistake() -> None:
    loop = "{% for item in order.items %}{{ item.name }}{{ forloop.index }}{% endfor %}{{ contact.fields.size }}"
    good = content({"type": "text", "text": loop}, {"type": "button", "text": "x", "url": "{{ event.link }}"})
    assert check_content(good) == []


def test_an_owner_can_loop_over_the_orders_items() -> None:
    loop = "{% for item in order.items %}{{ forloop.index }}. {{ item.name }} {{ item.total }}{% endfor %}"
    assert "1. קפה טחון ₪118.00" in render(content({"type": "text", "text": loop}), data(language="en")).text


def test_an_event_nested_without_end_does_no_harm() -> None:
    deep: dict[str, Any] = {}
    for _ in range(5_000):
        deep = {"x": deep}
    assert render(content({"type": "text", "text": "א{{ event.x.x }}"}), data(event=event(**deep))).text


def test_a_mistake_in_the_subject_is_found() -> None:
    [mistake] = check_content(content(subject="{{ nobody.name }}"))
    assert mistake.field == "subject"


@pytest.mark.parametrize(
    ("available", "contact_locale", "store_locale", "chosen"),
    [
        (["he", "en"], "en-GB", "he", "en"),
        (["he", "en"], "iw_IL", "en", "he"),
        (["he", "en"], "fr", "he", "he"),
        (["he", "en"], None, "en-US", "en"),
        (["he", "en"], "fr", "de", "he"),
    ],
)
def test_the_language_is_the_contacts_then_the_stores_then_the_first(
    available: list[str], contact_locale: str | None, store_locale: str, chosen: str
) -> None:
    assert choose_language(available, contact_locale, store_locale) == chosen


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_no_value_whatever_changes_the_tags_of_the_html(first: str, name: str) -> None:
    def tags(who: str, what: str) -> list[str]:
        told = event(items=[{"product_id": "9", "name": what, "quantity": 1, "image": what}])
        shown = content({"type": "text", "text": "א {{ contact.first_name }}"}, {"type": "order_items"}, subject="x")
        reader = _Reader()
        seller = store(settings={"sender": {"name": "הדר", "address": who or None}})
        html = render(shown, data(contact=contact(first_name=f"a{who}"), event=told, store=seller)).html
        reader.feed(html)
        return [tag for tag in reader.tags if tag not in ("br", "bdi")]

    assert tags(first, name) == tags("b", "c")


def test_an_address_is_made_safe_for_a_link() -> None:
    assert web_address(' https://a.example/x y?q="<') == "https://a.example/x%20y?q=%22%3C"
    assert web_address("https://[half") is None


def test_a_coupon_is_shown_with_its_last_day_and_leaves_no_hole_without_one() -> None:
    told = content(
        {"type": "text", "text": "{{ coupon.code | default: 'none' }} · {{ coupon.expires_at }}"},
        {"type": "coupon", "text": "מתנה", "button": "לקנייה", "url": "https://hadar.example/shop"},
    )
    assert check_content(told) == []
    given = Benefit(
        kind="percent",
        code="A7KQ-2MXJ-4PDQ",
        at=NOW,
        journey="j",
        step="s",
        expires_at=datetime(2026, 12, 5, 22, 0, tzinfo=UTC),  # midnight in Jerusalem
    )
    shown = render(told, data(coupon=given))
    assert "A7KQ-2MXJ-4PDQ · 5 בדצמבר 2026" in shown.text.replace("\u2068", "").replace("\u2069", "")
    assert "מתנה\nA7KQ-2MXJ-4PDQ\nבתוקף עד 5 בדצמבר 2026\n\nלקנייה:\nhttps://hadar.example/shop" in shown.text
    assert 'dir="ltr"' in shown.html and "A7KQ-2MXJ-4PDQ</div>" in shown.html
    without = render(told, data())
    assert "none" in without.text
    assert not {"מתנה", "לקנייה", "https://hadar.example/shop"} & set(without.text.split())


@pytest.mark.parametrize("words", ["{{ coupon.worth }}", "{{ alert.subject }}"])
def test_what_no_owner_may_write_of_a_coupon_or_an_alert_is_named(words: str) -> None:
    [mistake] = check_content(content({"type": "coupon", "text": words}))
    assert mistake.field == "blocks[0].text"
