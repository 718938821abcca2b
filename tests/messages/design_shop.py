"""A made-up shop, in Hebrew and in English, with a brand and pictures of its own, for photographs of the emails."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from chalicelib.commerce.money import Money
from chalicelib.commerce.product import Product
from chalicelib.commerce.store import Store
from chalicelib.contacts.contact import Benefit
from chalicelib.messages.block_forms import (
    CountdownBlock,
    NewArrivalsBlock,
    RecommendedBlock,
    StockLeftBlock,
    ViewedProductsBlock,
)
from chalicelib.messages.fields import RenderData
from chalicelib.messages.gallery import MessageTemplate
from chalicelib.messages.message import MessageKind
from chalicelib.messages.money_text import moment_text
from chalicelib.messages.true_pictures import countdown, stock_left
from tests.messages.shop import NOW, contact, data, event, product, store

SITE = "https://almond.example"
ABOUT_AN_ORDER = {"payment-failed", "thank-you"}
"""Templates that are no advertisement."""
_OF_A_CART = {"cart-reminder", "cart-help", "what-stopped-you", "coupon-gift"}
_BRANDS = {
    "he": {"colour": "#a8452a", "accent": "#e8b04a", "background": "#f7f1ea", "font": "rounded"},
    "en": {"colour": "#2c6650", "accent": "#f0b59a", "background": "#eef3ee", "font": "sans"},
}
_INKS = {"he": ("#a8452a", "שקד ובית"), "en": ("#2c6650", "Almond & Home")}
_NAMES = {
    "mug": ("ספל קרמיקה בעבודת יד", "Hand-thrown mug", 8900, 3900),
    "candle": ("נר סויה, תאנה וארז", "Soy candle, fig and cedar", 12900, 4200),
    "bag": ("תיק בד קנבס", "Canvas tote bag", 14900, 4800),
    "soap": ("סבון זית וחלב עזים", "Olive and goat milk soap", 3400, 1200),
    "vase": ("אגרטל חרס קטן", "Little clay vase", 11900, 4400),
    "book": ("מחברת כריכת פשתן", "Linen notebook", 6900, 2600),
}
_SHAPES = {
    "mug": (
        "#f3d9c4",
        "#e6b995",
        '<path d="M272 190q70-6 66 56t-84 66" fill="none" stroke="#8d4b33" stroke-width="24"/>'
        '<path d="M104 150h176v100q0 92-88 92t-88-92z" fill="#b5603f"/>'
        '<ellipse cx="192" cy="150" rx="88" ry="22" fill="#5b3426"/>'
        '<path d="M104 226q88 34 176 0v26q-88 34-176 0z" fill="#f3e3d3"/>'
        '<path d="M168 104q-16-22 0-42m50 42q-16-22 0-42" stroke="#fff" stroke-width="9" fill="none"'
        ' stroke-linecap="round" opacity=".8"/>',
    ),
    "candle": (
        "#e9e4f2",
        "#c9bfdc",
        '<rect x="120" y="160" width="160" height="180" rx="22" fill="#6a5a86"/>'
        '<rect x="120" y="214" width="160" height="76" fill="#f6efe2"/>'
        '<rect x="148" y="236" width="104" height="8" rx="4" fill="#6a5a86"/>'
        '<rect x="164" y="256" width="72" height="8" rx="4" fill="#a597bd"/>'
        '<ellipse cx="200" cy="162" rx="80" ry="18" fill="#f3e7cf"/>'
        '<rect x="197" y="128" width="6" height="34" fill="#4a4053"/>'
        '<path d="M200 66q34 40 0 68q-34-28 0-68z" fill="#f4b740"/>'
        '<path d="M200 94q14 20 0 36q-14-16 0-36z" fill="#fff3cf"/>',
    ),
    "bag": (
        "#dcebe4",
        "#aecfbe",
        '<path d="M140 170v-26q0-60 60-60t60 60v26" fill="none" stroke="#cdb892" stroke-width="18"/>'
        '<path d="M96 164h208l18 174q0 14-14 14H92q-14 0-14-14z" fill="#ecdfc6"/>'
        '<path d="M96 164h208l4 36H92z" fill="#dccba8"/>'
        '<path d="M200 300q-46-46 0-88q46 42 0 88zm0-66v84" fill="#7fa38d" stroke="#4d7a61" stroke-width="6"/>',
    ),
    "soap": (
        "#f4ecd2",
        "#dccb8f",
        '<rect x="84" y="176" width="232" height="132" rx="34" fill="#8d9a53"/>'
        '<rect x="84" y="164" width="232" height="128" rx="34" fill="#aebb74"/>'
        '<rect x="120" y="200" width="160" height="56" rx="26" fill="none" stroke="#fdf8e4" stroke-width="6"/>'
        '<circle cx="124" cy="128" r="20" fill="#fff" opacity=".8"/><circle cx="166" cy="98" r="12" fill="#fff"'
        ' opacity=".7"/><circle cx="96" cy="94" r="9" fill="#fff" opacity=".7"/>',
    ),
    "vase": (
        "#dfe9f1",
        "#b4cbdc",
        '<path d="M196 170q-10-70-58-104m62 104q2-70 0-124m6 124q10-64 56-92" stroke="#6f8a5c" stroke-width="7"'
        ' fill="none"/><circle cx="136" cy="66" r="22" fill="#e9a98c"/><circle cx="200" cy="46" r="22"'
        ' fill="#f2c8a8"/><circle cx="264" cy="76" r="22" fill="#d98a76"/>'
        '<path d="M166 162h70q-8 46 30 82q40 62-26 106h-78q-66-44-26-106q38-36 30-82z" fill="#4f7892"/>'
        '<path d="M128 262q72 30 146 0" stroke="#dfe9f1" stroke-width="8" fill="none"/>',
    ),
    "book": (
        "#f6dcd6",
        "#e5aea3",
        '<rect x="106" y="84" width="196" height="246" rx="10" fill="#fdf7ec"/>'
        '<rect x="96" y="76" width="196" height="246" rx="10" fill="#a84f4c"/>'
        '<rect x="96" y="76" width="34" height="246" rx="10" fill="#86383a"/>'
        '<rect x="158" y="128" width="104" height="60" rx="6" fill="#fdf1e6"/>'
        '<rect x="174" y="148" width="72" height="7" rx="3" fill="#a84f4c"/><rect x="186" y="164" width="48"'
        ' height="7" rx="3" fill="#d39a92"/><path d="M238 76v92l-14-14-14 14V76z" fill="#e9b04a"/>',
    ),
}


def picture(name: str) -> str:
    """A drawing of a product, the shop's sign (`logo-he`), or what is drawn when an email is opened (`countdown-he`,
    `left-he`), as an address that holds the picture itself."""
    kind, _, language = name.partition("-")
    if kind in ("countdown", "left"):
        colour = _BRANDS[language]["colour"]
        drawn = (
            countdown(NOW + timedelta(days=6, hours=9, minutes=41), NOW, language, colour)
            if kind == "countdown"
            else stock_left(wares(language)["mug"], 10, language, colour)
        )
        return "data:image/png;base64," + base64.b64encode(drawn).decode()
    svg = _logo(language) if kind == "logo" else _drawn(name)
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _drawn(name: str) -> str:
    light, deep, shape = _SHAPES[name]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" width="400" height="400"><defs>'
        f'<linearGradient id="g" x2=".6" y2="1"><stop stop-color="{light}"/><stop offset="1" stop-color="{deep}"/>'
        f'</linearGradient></defs><rect width="400" height="400" fill="url(#g)"/>'
        f'<ellipse cx="200" cy="348" rx="120" ry="14" opacity=".13"/>{shape}</svg>'
    )


def _logo(language: str) -> str:
    """An almond and the shop's name, on a plate of its own, so that it is seen on light and on dark."""
    ink, name = _INKS[language]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 360 96" width="360" height="96">'
        f'<rect width="360" height="96" rx="22" fill="{ink}"/>'
        '<path d="M34 50q22-46 56-22q8 40-26 44q-24 2-30-22z" fill="#f6e3c8"/>'
        f'<path d="M46 50q20-18 38-16" stroke="{ink}" stroke-width="3" fill="none"/>'
        '<text x="226" y="62" text-anchor="middle" font-family="Open Sans,Arial,sans-serif" font-weight="700" '
        f'font-size="{38 if language == "he" else 31}" fill="#fff">{name.replace("&", "&amp;")}</text></svg>'
    )


def pictures_in(html: str) -> str:
    """The same email, with the shop's pictures inside."""
    for name in (*_SHAPES, *(f"{kind}-{language}" for kind in ("logo", "countdown", "left") for language in _BRANDS)):
        if (address := f"{SITE}/pictures/{name}.png") in html:
            html = html.replace(address, picture(name))
    return html


def the_shop(language: str) -> Store:
    hebrew = language == "he"
    settings = {
        "sender": {
            "email": "hello@almond.example",
            "address": "רחוב הדוגמה 8, יפו" if hebrew else "8 Example Lane, Bath",
        },
        "talk_to_us_url": "https://wa.me/972505550100",
        "brand": {
            **_BRANDS[language],
            "logo": f"{SITE}/pictures/logo-{language}.png",
            "logo_width": 180,
            "footer": {"he": "דברים יפים לבית, נעשים לאט.", "en": "Fine things for the home, made slowly."},
            "socials": {"instagram": "https://instagram.example/almond", "facebook": "https://facebook.example/almond"},
        },
    }
    name, currency = _INKS[language][1], "ILS" if hebrew else "USD"
    return store(name=name, url=SITE, locale=language, currency=currency, settings=settings)


def wares(language: str) -> dict[str, Product]:
    """By id, which is the picture's name. The candle costs less than it did."""
    hebrew = language == "he"
    currency = "ILS" if hebrew else "USD"
    found = {}
    for name, (he, en, shekels, dollars) in _NAMES.items():
        price = shekels if hebrew else dollars
        found[name] = product(
            name,
            name=he if hebrew else en,
            price=Money(amount=price, currency=currency),
            regular_price=Money(amount=price * 5 // 4, currency=currency) if name == "candle" else None,
            image=f"{SITE}/pictures/{name}.png",
            url=f"{SITE}/{name}",
            stock=3,
        )
    return found


def facts(template: MessageTemplate, language: str) -> RenderData:
    """What this email is made from for Dana, who has a coupon where the email is about one."""
    sold = wares(language)
    gift = template.id in ("coupon-gift", "birthday")
    coupon = Benefit(
        kind="percent",
        code="ALMOND-7K3Q",
        at=NOW,
        journey="j",
        step="c",
        expires_at=NOW + timedelta(days=6, hours=9, minutes=41),
    )
    return data(
        store=the_shop(language),
        contact=contact(first_name="דנה" if language == "he" else "Dana", locale=language),
        language=language,
        kind=MessageKind.TRANSACTIONAL if template.id in ABOUT_AN_ORDER else MessageKind.MARKETING,
        event=_event(template.id, sold),
        products=sold,
        coupon=coupon if gift else None,
        **_chosen(template, language, list(sold.values())),
    )


def _chosen(template: MessageTemplate, language: str, sold: Sequence[Product]) -> Mapping[str, Any]:
    """What the sender places for the blocks: others than the first product, which the event is about."""
    found: dict[str, dict[str, Any]] = {"viewed": {}, "recommended": {}, "arrivals": {}, "placed": {}}
    for place, block in template.content[language].located():
        if isinstance(block, ViewedProductsBlock):
            found["viewed"][place] = sold[1 : block.count + 1]
        elif isinstance(block, RecommendedBlock):
            found["recommended"][place] = sold[1 : block.count + 1]
            found["placed"][place] = {"together": sold[0].name}
        elif isinstance(block, NewArrivalsBlock):
            found["arrivals"][place] = sold[: block.count]
        elif isinstance(block, CountdownBlock):
            ends = moment_text(NOW + timedelta(days=6, hours=9, minutes=41), language)
            found["placed"][place] = {"picture": f"{SITE}/pictures/countdown-{language}.png", "ends": ends}
        elif isinstance(block, StockLeftBlock):
            found["placed"][place] = {"picture": f"{SITE}/pictures/left-{language}.png"}
    return found


def _event(template_id: str, sold: Mapping[str, Product]) -> dict[str, Any]:
    if template_id in _OF_A_CART:
        items = [_line(sold["candle"], 1), _line(sold["bag"], 2), _line(sold["soap"], 3)]
        total = {"amount": sum(i["price"]["amount"] * i["quantity"] for i in items), "currency": _currency(sold)}
        return event(
            items=items, total=total, cart_token="t1", restore_url=f"{SITE}/?agala_cart=k1", order_id="", number=""
        )
    items = [_line(sold["mug"], 2), _line(sold["vase"], 1)]
    total = {"amount": sum(i["total"]["amount"] for i in items), "currency": _currency(sold)}
    consumable = {"product_id": "soap", "name": sold["soap"].name, "lifetime_days": 30}
    more = {"consumable": consumable} if template_id == "restock" else {}
    return event(items=items, total=total, payment_url=f"{SITE}/pay/1019", **more)


def _line(ware: Product, quantity: int) -> dict[str, Any]:
    assert ware.price
    total = {"amount": ware.price.amount * quantity, "currency": ware.price.currency}
    price = {"amount": ware.price.amount, "currency": ware.price.currency}
    return {
        "product_id": ware.external_id,
        "name": ware.name,
        "quantity": quantity,
        "price": price,
        "total": total,
        "image": ware.image,
        "url": ware.url,
    }


def _currency(sold: Mapping[str, Product]) -> str:
    price = sold["mug"].price
    assert price
    return price.currency
