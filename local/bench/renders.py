"""Finished emails per second of one core, against bare python-liquid filling in the same templates with ready data.

The email is what a cart abandoned in a Hebrew shop sends: a preheader, a heading, words with a link, the cart's three
items with its button, a product, a way to talk. *Bare*: an `Environment` of the library as it comes, with autoescape
and no limits; the very sources of our compiled templates, in which its own `capture` stands for our tags and our
filters are taken away; and for each contact a plain dictionary of what they read, made before. *Ours*: from records
to subject, HTML and text twin; the content is compiled already. Both go through the same carts, in alternating
batches; CPU time of the process, the median batch,
and the median of the ratios of neighbouring batches.
"""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from operator import truediv
from typing import Any

from liquid import Environment

from chalicelib.commerce.money import Money
from chalicelib.commerce.product import Product
from chalicelib.commerce.snapshot import Version
from chalicelib.commerce.store import Store, StoreSettings
from chalicelib.contacts.contact import Contact
from chalicelib.messages.compiled import compile_email
from chalicelib.messages.content import render
from chalicelib.messages.content_model import EmailContent
from chalicelib.messages.fields import RenderData, fields_of
from chalicelib.messages.message import MessageKind
from chalicelib.messages.page_parts import Page
from chalicelib.messages.safe_text import LazyFields

ROUNDS, CARTS = 25, 40
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
CONTENT = EmailContent.model_validate(
    {
        "subject": "{{ contact.first_name | default: 'היי' }}, העגלה מחכה",
        "preheader": "{{ cart.items[0].name }} ועוד, שמורים עד מחר",
        "blocks": [
            {"type": "heading", "text": "{{ contact.first_name | default: 'היי' }}, שמרנו את העגלה"},
            {
                "type": "text",
                "text": "מה שנשאר בעגלה עדיין אצלנו. **המשלוח חינם** מעל 200 ₪.\n\n"
                "שאלות על המשלוח? הכול [כתוב כאן]({{ store.url }}/shipping).",
            },
            {"type": "cart_items"},
            {"type": "divider"},
            {"type": "product", "button": "לפרטים"},
            {"type": "talk_to_us"},
        ],
    }
)
_NAMES = ("דנה", "יעל", "אורי", "Noa", "סיגל", "משה", "Adam", "רות")
_GOODS = ("קפה טחון 250 גרם", "תה ירוק עם נענע", "כוס קרמיקה כחולה", "מסנן נירוסטה", "עוגיות שקדים")


def a_store() -> Store:
    sender = {"email": "shop@hadar.example", "address": "רחוב הדקל 5, חיפה"}
    brand = {
        "colour": "#7a3e1d",
        "footer": {"he": "בית קפה קטן בחיפה"},
        "socials": {"instagram": "https://i.example/h"},
    }
    return Store(
        id="bench",
        platform="woocommerce",
        name="בית קפה הדר",
        url="https://hadar.example",
        country="IL",
        currency="ILS",
        timezone="Asia/Jerusalem",
        locale="he",
        created_at=NOW,
        settings=StoreSettings.model_validate(
            {"sender": sender, "brand": brand, "talk_to_us_url": "https://wa.me/972505550100"}
        ),
    )


def a_cart(store: Store, number: int) -> RenderData:
    """What one contact's email is made of; prices, names and quantities differ from cart to cart."""
    items = [
        {
            "product_id": str(line),
            "name": _GOODS[(number + line) % len(_GOODS)],
            "quantity": (number + line) % 3 + 1,
            "price": {"amount": 1990 + 700 * ((number * 3 + line) % 25), "currency": "ILS"},
            "image": f"https://hadar.example/i/{(number + line) % 5}.jpg",
            "url": f"https://hadar.example/p/{(number + line) % 5}",
        }
        for line in range(3)
    ]
    properties = {
        "cart_token": f"t{number}",
        "product_id": "0",
        "items": items,
        "lines": 3,
        "total": {"amount": 9900 + 100 * number, "currency": "ILS"},
        "restore_url": f"https://hadar.example/?cart={number:032x}",
    }
    goods = Product(
        external_id="0",
        version=Version(modified_at=NOW),
        name=_GOODS[number % 5],
        price=Money(amount=5900, currency="ILS"),
        regular_price=Money(amount=7900, currency="ILS"),
        image="https://hadar.example/i/0.jpg",
        url="https://hadar.example/p/0",
    )
    contact = Contact(
        id=f"c{number}",
        store_id=store.id,
        email=f"c{number}@shopper.test",
        first_name=_NAMES[number % len(_NAMES)],
        locale="he",
        total_spent=Money(amount=0, currency="ILS"),
        created_at=NOW,
    )
    return RenderData(
        store=store,
        contact=contact,
        language="he",
        kind=MessageKind.MARKETING,
        event={"type": "cart_abandoned", "properties": properties},
        products={"0": goods},
        unsubscribe_url=f"https://agala.example/u/{number:040x}",
    )


class Bare:
    """The same templates in the library as it comes."""

    def __init__(self, store: Store) -> None:
        made = compile_email(CONTENT, Page(store, "he", MessageKind.MARKETING))
        marked, plain = Environment(autoescape=True), Environment()
        lines = [made.subject, made.text, made.footer] + ([made.preheader] if made.preheader else [])
        self._templates = [marked.from_string(_as_it_comes(made.html.source))]
        self._templates += [plain.from_string(_as_it_comes(template.source)) for template in lines]
        self._reads = [path for template in (made.html, *lines) for path in template.paths()]

    def ready(self, data: RenderData) -> dict[str, Any]:
        """Plain values of everything that the templates read."""
        fields = fields_of(data)
        for path in self._reads:
            _read(fields, path)
        return {str(name): _plain(value) for name, value in dict.items(fields)} | {"subject": "x", "preheader": "y"}

    def fill(self, ready: dict[str, Any]) -> str:
        return "".join(template.render(**ready) for template in self._templates)


def _read(fields: Any, path: tuple[str, ...]) -> None:
    try:
        for key in path:
            fields = fields[key]
    except (LookupError, TypeError):
        return  # it is not there, or a filter's or a list's own: nothing to make ready


def _as_it_comes(source: str) -> str:
    opened = re.sub(r"\{% (?:words|paragraphs|address|own_address) (\w+)[^%]*%\}", r"{% capture \1 %}", source)
    closed = re.sub(r"\{% end(?:words|paragraphs|address|own_address) %\}", "{% endcapture %}", opened)
    return re.sub(r"\| ?(?:attr|link|isolated|headline) ?", "", closed)


def _plain(value: Any) -> Any:
    if isinstance(value, LazyFields):
        known = dict.items(value) if not len(value) else value.items()
        return {name: _plain(inner) for name, inner in known}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def measure(rounds: int = ROUNDS) -> dict[str, Any]:
    store = a_store()
    start = time.process_time()
    made = compile_email(CONTENT, Page(store, "he", MessageKind.MARKETING))
    first = time.process_time() - start
    carts = [a_cart(store, number) for number in range(CARTS)]
    bare = Bare(store)
    ready = [bare.ready(cart) for cart in carts]
    batches: dict[str, list[float]] = {"ours": [], "bare": []}
    for number in range(rounds + 1):  # the first warms both up
        for name, seconds in (
            ("ours", _batch(lambda cart: render(CONTENT, cart), carts)),
            ("bare", _batch(bare.fill, ready)),
        ):
            if number:
                batches[name].append(seconds / CARTS)
    ours, floor = (statistics.median(batches[name]) for name in ("ours", "bare"))
    again = statistics.median(
        _batch(lambda _: compile_email(CONTENT, Page(store, "he", MessageKind.MARKETING)), [None] * 5) / 5
        for _ in range(5)
    )
    shown = render(CONTENT, carts[0])
    return {
        "renders_per_second": round(1 / ours),
        "us_per_email": round(ours * 1e6, 1),
        "us_of_bare_liquid": round(floor * 1e6, 1),
        "ratio": round(statistics.median(map(truediv, batches["ours"], batches["bare"])), 3),
        "compile_ms": round(again * 1e3, 2),
        "first_compile_ms": round(first * 1e3, 2),
        "html_bytes": len(shown.html.encode()),
        "source_bytes": len(made.html.source.encode()),
    }


def _batch(work: Callable[[Any], Any], given: list[Any]) -> float:
    start = time.process_time()
    for one in given:
        work(one)
    return time.process_time() - start
