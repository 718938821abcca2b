"""Each kind of block, turned into MJML and into plain text side by side, so that the two say the same."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

from chalicelib.messages.block_forms import (
    Block,
    ButtonBlock,
    CartItemsBlock,
    CouponBlock,
    DividerBlock,
    HeadingBlock,
    ImageBlock,
    OrderItemsBlock,
    ProductBlock,
    TalkToUsBlock,
    TextBlock,
)
from chalicelib.messages.fields import cart_of, coupon_end, order_lines
from chalicelib.messages.items_table import items_table
from chalicelib.messages.money_text import money_text
from chalicelib.messages.page_parts import BRAND, INK, LINE, Part, Setting, column, isolated, section
from chalicelib.messages.phrase import bare_phrase, clean, phrase, web_address

# Of a cart that is longer the rest is only counted.
MOST_CART_LINES = 10


def render_block(block: Block, setting: Setting) -> Part | None:
    """None where the block has nothing to show (a product that is gone, no items). Raises PhraseError."""
    renderer = _RENDERERS.get(type(block))
    return renderer(block, setting) if renderer else None


def _heading(block: HeadingBlock, setting: Setting) -> Part | None:
    filled = phrase(block.text).fill(setting.fields)
    if filled.empty:
        return None
    inner = (
        f'<mj-text css-class="agala-strong" align="{setting.align}" font-size="26px" line-height="1.3" '
        f'font-weight="700" color="{INK}"><h1 dir="{setting.direction}" '
        f'style="margin:0;font-size:26px;line-height:1.3">{filled.html()}</h1></mj-text>'
    )
    line = filled.line()
    return Part(column(inner, setting, "14px 24px 4px"), f"{line}\n{'=' * min(len(line), 60)}")


def _text(block: TextBlock, setting: Setting) -> Part | None:
    paragraphs = list(phrase(block.text).fill(setting.fields).paragraphs())
    if not paragraphs:
        return None
    inner = "".join(
        f'<p dir="{setting.direction}" style="margin:0 0 12px">{paragraph.html().replace(chr(10), "<br />")}</p>'
        for paragraph in paragraphs
    )
    mjml = f'<mj-text align="{setting.align}" color="{INK}" padding-bottom="0">{inner}</mj-text>'
    return Part(column(mjml, setting, "4px 24px"), "\n\n".join(paragraph.plain() for paragraph in paragraphs))


def _button(block: ButtonBlock, setting: Setting) -> Part | None:
    filled, address = phrase(block.text).fill(setting.fields), setting.address(block.url)
    if filled.empty or address is None:
        return None  # a button that leads nowhere helps nobody
    return _link_button(filled.line(), address, setting)


def _link_button(words: str, address: str, setting: Setting) -> Part:
    mjml = (
        f'<mj-button css-class="agala-button" href="{escape(address)}" background-color="{BRAND}" color="#ffffff" '
        f'border-radius="8px" font-size="17px" font-weight="700" inner-padding="14px 30px" align="center">'
        f"{escape(words)}</mj-button>"
    )
    return Part(column(mjml, setting, "10px 24px 14px"), f"{words}:\n{address}")


def _image(block: ImageBlock, setting: Setting) -> Part | None:
    source, address = setting.address(block.src), setting.address(block.url)
    if source is None:
        return None
    alt = phrase(block.alt).fill(setting.fields).line() if block.alt else ""
    link = f' href="{escape(address)}"' if address else ""
    mjml = f'<mj-image src="{escape(source)}" alt="{escape(alt)}"{link} border-radius="8px" fluid-on-mobile="true" />'
    return Part(column(mjml, setting), "\n".join(part for part in (alt, address) if part))


def _divider(_block: DividerBlock, setting: Setting) -> Part | None:
    mjml = f'<mj-divider border-width="1px" border-color="{LINE}" css-class="agala-line" />'
    return Part(column(mjml, setting), "-" * 40)


def _order_items(_block: OrderItemsBlock, setting: Setting) -> Part | None:
    lines = order_lines(setting.data)
    if not lines:
        return None
    total = clean(money_text(setting.data.properties.get("total"), setting.data.language))
    return items_table(lines, total, setting)


def _cart_items(block: CartItemsBlock, setting: Setting) -> Part | None:
    cart = cart_of(setting.data)
    if cart is None or not cart.items:
        return None
    shown = cart.items[:MOST_CART_LINES]
    table = items_table(shown, cart.total, setting, cart.lines - len(shown), cart.coupons)
    address = cart.restore_url or web_address(setting.data.store.url)
    if address is None:
        return table
    words = bare_phrase(block.button).fill(setting.fields).line() if block.button else ""
    button = _link_button(words or setting.words.return_to_cart, address, setting)
    return Part(table.mjml + button.mjml, f"{table.text}\n\n{button.text}")


def _talk_to_us(block: TalkToUsBlock, setting: Setting) -> Part | None:
    address = web_address(setting.data.store.settings.talk_to_us_url or "")
    if address is None:
        return None
    words = bare_phrase(block.text).fill(setting.fields).line() if block.text else ""
    words = words or setting.words.talk_to_us
    link = f'<a href="{escape(address)}" class="agala-link" style="color:{BRAND};font-weight:700">{escape(words)}</a>'
    mjml = (
        f'<mj-text align="{setting.align}" color="{INK}" padding="8px 0"><div dir="{setting.direction}">{link}</div>'
        "</mj-text>"
    )
    return Part(column(mjml, setting), f"{words}:\n{address}")


def _coupon(block: CouponBlock, setting: Setting) -> Part | None:
    if setting.data.coupon is None:
        return None
    code, end = clean(setting.data.coupon.code), coupon_end(setting.data)
    above = phrase(block.text).fill(setting.fields).line() if block.text else ""
    below = setting.words.coupon_end.format(date=end) if end else ""
    told = [above or setting.words.coupon, code, below]
    lines = [
        f'<div dir="{setting.direction}">{escape(told[0])}</div>',
        f'<div dir="ltr" style="font-size:24px;font-weight:700;letter-spacing:2px;margin:8px 0;padding:10px;'
        f'border:2px dashed {BRAND}">{escape(code)}</div>',
        f'<div dir="{setting.direction}">{escape(below)}</div>' if below else "",
    ]
    table = column(f'<mj-text align="center" color="{INK}">{"".join(lines)}</mj-text>', setting, "10px 24px")
    text = "\n".join(line for line in told if line)
    address = setting.address(block.url)
    if address is None:
        return Part(table, text)
    words = bare_phrase(block.button).fill(setting.fields).line() if block.button else ""
    button = _link_button(words or setting.words.coupon_use, address, setting)
    return Part(table + button.mjml, f"{text}\n\n{button.text}")


def _product(block: ProductBlock, setting: Setting) -> Part | None:
    product = setting.data.product(block.product)
    if product is None:
        return None
    name, price = clean(product.name), money_text(product.price, setting.data.language)
    address, image = web_address(product.url or ""), web_address(product.image or "")
    title = f"<bdi>{escape(name)}</bdi>"
    if address:
        title = f'<a href="{escape(address)}" class="agala-link" style="color:inherit;text-decoration:none">{title}</a>'
    words = (
        f'<mj-text align="{setting.align}" font-size="19px" line-height="1.35" font-weight="700" color="{INK}" '
        f'padding-bottom="4px"><div dir="{setting.direction}">{title}</div></mj-text>'
    )
    if price:
        words += (
            f'<mj-text align="{setting.align}" font-size="18px" color="{BRAND}" css-class="agala-price" '
            f'font-weight="700" padding-top="0"><div dir="{setting.direction}"><bdi>{escape(price)}</bdi></div>'
            "</mj-text>"
        )
    columns = f'<mj-column width="62%" vertical-align="middle">{words}</mj-column>'
    if image:
        link = f' href="{escape(address)}"' if address else ""
        columns = (
            f'<mj-column width="38%" vertical-align="middle"><mj-image src="{escape(image)}" '
            f'alt="{escape(name)}"{link} border-radius="10px" width="190px" /></mj-column>' + columns
        )
    text = "\n".join(part for part in (isolated(name) + (f" – {price}" if price else ""), address) if part)
    return Part(section(columns, setting, "8px 24px"), text)


_RENDERERS: dict[type[Block], Callable[[Any, Setting], Part | None]] = {
    HeadingBlock: _heading,
    TextBlock: _text,
    ButtonBlock: _button,
    ImageBlock: _image,
    DividerBlock: _divider,
    OrderItemsBlock: _order_items,
    CartItemsBlock: _cart_items,
    TalkToUsBlock: _talk_to_us,
    CouponBlock: _coupon,
    ProductBlock: _product,
}
