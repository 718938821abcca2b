"""What owners, shoppers and shops should not write, and do: refused with a reason, or made safe."""

from __future__ import annotations

import time
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.messages.content import Rendered, RenderingError, check_content, render
from chalicelib.messages.safe_text import clean, plain_name
from tests.messages.shop import contact, content, data, event, product, store

LONG = "x" * 1_000
WORK = {
    "a loop without end": "{% for i in (1..99999999) %}a{% endfor %}",
    "many small loops": "{% for i in (1..900) %}{{ i }}{% endfor %}" * 300,
    "loops in loops": "{% for a in (1..900) %}{% for b in (1..900) %}x{% endfor %}{% endfor %}",
    "a range as text": "{{ (1..99999999) | join: 'x' }}",
    "letters of letters": f"{{% assign x = '{LONG}' %}}{{{{ x | replace: 'x', x }}}}",
    "a text that grows": "{% assign x = 'a' %}{% for i in (1..99) %}{% assign x = x | append: x %}{% endfor %}",
    "a number that grows": "{% assign x = 99 %}{% for i in (1..99) %}{% assign x = x | times: x %}{% endfor %}{{ x }}",
    "much work in vain": f"{{% for i in (1..999) %}}{{% assign x = '{LONG * 15}' | upcase %}}{{% endfor %}}",
    "openings without end": "{{" * 9_900,
    "tags without end": "{%" * 9_900,
    "brackets in brackets": "{% if " + "(" * 9_000 + " %}x{% endif %}",
    "an endless condition": "{% if a " + "and a " * 3_000 + " %}x{% endif %}",
    "depth": "{% if true %}" * 700 + "x" + "{% endif %}" * 700,
    "nothing divided": "{{ 1 | divided_by: 0 }}",
    "raw words": "{% raw %}{{ <b> }}{% endraw %}",
    "a tag of ours": "{% words x %}a{% endwords %}",
    "a filter of ours": "{{ contact.first_name | attr }}",
    "a stray end": "{% if a %}x{% endif %}{% endif %}",
    "a file": "{% include 'secrets' %}",
}  # fmt: skip
HARMLESS = {
    "stars": "**a " * 4_900,
    "stars apart": "**a" + " *" * 9_000,
    "open brackets": "[" * 9_000 + "](",
    "half links": "[a](" * 4_900,
    "empty lines": "\n \n" * 5_000 + "x",
}


@pytest.mark.parametrize("words", WORK.values(), ids=WORK)
def test_liquid_that_would_not_end_is_refused_when_it_is_saved_and_when_it_is_sent(words: str) -> None:
    told, start = content({"type": "text", "text": words}, subject="x"), time.process_time()
    [mistake] = check_content(told)
    assert mistake.field == "blocks[0].text" and len(mistake.message) < 300
    with pytest.raises(RenderingError, match=r"blocks\[0\]: ") as wrong:
        render(told, data())
    assert "דנה" not in str(wrong.value)
    assert time.process_time() - start < 2


@pytest.mark.parametrize("words", HARMLESS.values(), ids=HARMLESS)
def test_words_that_look_like_markup_are_read_quickly(words: str) -> None:
    told, start = content({"type": "text", "text": words}, subject="x"), time.process_time()
    assert check_content(told) == []
    assert render(told, data()).text
    assert time.process_time() - start < 1


def test_many_texts_that_are_right_alone_are_bounded_together() -> None:
    block = {"type": "text", "text": "{% for i in (1..900) %}{{ i }} {% endfor %}"}
    with pytest.raises(RenderingError, match="blocks: loop iteration limit reached"):
        render(content(*[block] * 40, subject="x"), data())


@pytest.mark.parametrize("value", [None, "", "x", 3, 2.5, True, [], ["a"], {"a": {"b": 1}}, "9" * 5_000])
def test_a_value_of_any_kind_is_shown_or_named_and_nothing_else_happens(value: Any) -> None:
    words = (
        "{{ event.v | plus: 1 }} {{ event.v | slice: 1, 2 }} {% for x in event.v %}{{ x }}{% endfor %}{{ event.v.a }}"
    )
    told = content({"type": "text", "text": words + " סוף {{ event.v }}"}, subject="x {{ event.v | times: 2 }}")
    try:
        assert "סוף" in render(told, data(event=event(v=value))).text
    except RenderingError as wrong:
        assert str(wrong).startswith(("subject", "blocks[0]"))


def everywhere(evil: str) -> Rendered:
    """An email in which one text stands for everybody and everything that has a name."""
    item = {
        "product_id": "12",
        "name": evil,
        "quantity": 2,
        "price": {"amount": 5900, "currency": "ILS"},
        "image": evil,
    }
    told = event(cart_token="t", items=[item], coupons=[evil], restore_url=evil, number=evil, link=evil, currency=evil)
    blocks = (
        {"type": "heading", "text": "שלום {{ contact.first_name }}"},
        {
            "type": "text",
            "text": "א {{ event.link }} **{{ order.number }}** [{{ contact.last_name }}]({{ event.link }})",
        },
        {"type": "text", "text": "{% for i in cart.items %}{{ i.name }}\n{{ i.url }}{% endfor %}"},
        {"type": "button", "text": "ל־{{ contact.first_name }}", "url": "https://a.example/{{ event.link }}"},
        {"type": "button", "text": "כן", "url": "{{ event.link }}"},
        {"type": "image", "src": "https://a.example/{{ event.link }}", "alt": "של {{ contact.first_name }}"},
        {"type": "order_items"},
        {"type": "cart_items"},
        {"type": "product"},
    )
    facts = data(
        contact=contact(first_name=evil, last_name=evil),
        event=told,
        products={"12": product(name=evil, image=evil, url=evil)},
        store=store(name=evil, settings={"sender": {"address": evil or None}, "brand": {"footer": {"he": evil}}}),
    )
    return render(content(*blocks, subject="x {{ contact.first_name }}", preheader="y {{ product.name }}"), facts)


class _Reader(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.links: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("br", "bdi"):
            self.tags.append((tag, tuple(name for name, _ in attrs)))
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]


ATTACKS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='x",
    "</td></table><h1>x",
    "{{ store.name }}{% for i in (1..9) %}x{% endfor %}",
    "{% endif %}{% endfor %}{{ ",
    "\ue010{{ 1 }}\ue011\ue020",
    "agala00000000x1x",
    "[win](https://evil.example) **b**",
    "--><!--[if mso]>",
    "]]> &lt;script&gt; &amp; \\u{41}",
    "agala:smart?to=https%3A%2F%2Fevil.example&at=blocks%5B0%5D",
]


@pytest.mark.parametrize("evil", ATTACKS)
def test_what_somebody_or_something_is_called_is_words_and_nothing_else(evil: str) -> None:
    calm, shown = _Reader(everywhere("abc").html), _Reader(everywhere(evil).html)
    assert shown.tags == calm.tags
    assert all(link.startswith("https://") for link in shown.links)
    assert not any(link.startswith(("https://evil", "agala:")) for link in shown.links)


@settings(max_examples=15, deadline=None)
@given(st.text(min_size=1, max_size=40).map(lambda text: f"a{text}z"))
def test_no_name_whatever_changes_the_tags(evil: str) -> None:
    assert _Reader(everywhere(evil).html).tags == _Reader(everywhere("abc").html).tags


def test_a_name_is_no_link_in_a_text_either() -> None:
    evil = "זכית! https://evil.example/x או www.evil.example או a@evil.example"
    named = plain_name(evil) or ""
    assert not any(link in named for link in ("://", "evil.example", "www.e", "a@e"))
    assert named.replace("\u200c", "") == evil, "what is read stays the same"
    shown = everywhere(evil)
    assert named in shown.subject and named in shown.preheader and f"שלום {named}" in shown.text
    assert f"- \u2068{named}\u2069 × 2" in shown.text
    assert [plain_name(name) for name in ("J. R. Cohen", "2.5 ק״ג", "דנה")] == ["J. R. Cohen", "2.5 ק״ג", "דנה"]


def test_a_value_brings_in_no_address_of_our_own_kind() -> None:
    words = "[א]({{ event.l }}) [ב](agala:answer?survey=s) [ג](agala:x?y={{ event.l }})"
    html = render(content({"type": "text", "text": words}), data(event=event(l="agala:smart?to=x"))).html
    assert html.count('href="agala:') == 2 and 'href="agala:smart' not in html


def test_an_owners_own_words_are_words_too() -> None:
    words = "<b>א</b> {{ '<i>' }} {{ contact.first_name | append: '<u>' }} {{ 'a' | upcase }}"
    html = render(content({"type": "text", "text": words}), data()).html
    assert "&lt;b&gt;א&lt;/b&gt; <bdi>&lt;i&gt;</bdi> <bdi>דנה&lt;u&gt;</bdi> <bdi>A</bdi>" in html


def test_no_value_breaks_a_header() -> None:
    evil = "x\r\nBcc: a@b.example\x0b\x85\u2028\u2029y\x00"
    subject = everywhere(evil).subject
    assert len(subject.splitlines()) == 1 and "Bcc" in subject


def test_what_turns_the_direction_of_the_page_is_taken_out_and_emoji_stay_whole() -> None:
    turning = "\u202e\u202b\u202a\u202d\u202c\u2066\u2067\u2068\u2069"
    emoji = "👩‍👩‍👧 👍🏽 🏴󠁧󠁢󠁥󠁮󠁧󠁿 ❤️ 🫨 1️⃣ 🇮🇱"
    shown = everywhere(f"{turning}דנה {emoji}{turning}")
    assert shown.subject == f"x דנה {emoji}"
    assert not set("\u202e\u202b\u202a\u202d\u202c\u2066\u2067") & set(shown.html + shown.text)
    assert emoji in shown.html and emoji in shown.text
    assert shown.text.count("\u2068") == shown.text.count("\u2069") > 0, "our own isolates stay, in pairs"
    assert clean("a\ud83d\U0010fffe\ufdd0\U000f0000b") == "ab"
