"""Each kind of block, turned into MJML and into plain text side by side, so that the two say the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from chalicelib.messages.content_model import (
    Block,
    ButtonBlock,
    DividerBlock,
    HeadingBlock,
    ImageBlock,
    OrderItemsBlock,
    ProductBlock,
    TextBlock,
)
from chalicelib.messages.fields import RenderData, money_text, order_lines
from chalicelib.messages.phrase import bare_phrase, clean, phrase, web_address
from chalicelib.messages.wording import direction, wording

BRAND = "#2f5bea"  # buttons and the store's name, until a store chooses its own
INK, QUIET_INK, LINE = "#1d2433", "#667085", "#e4e7ec"

_LTR_ISOLATE, _ISOLATE_END = "\u2068", "\u2069"  # Unicode's own <bdi>, for the text twin


@dataclass(frozen=True)
class Part:
    """One block done: MJML of whole sections (every text in it escaped), and its plain-text twin."""

    mjml: str
    text: str


@dataclass(frozen=True)
class Setting:
    """What every block of one email shares."""

    data: RenderData
    fields: Mapping[str, Any]

    @property
    def align(self) -> str:
        return "right" if self.direction == "rtl" else "left"

    @property
    def direction(self) -> str:
        return direction(self.data.language)

    def address(self, source: str | None) -> str | None:
        """An owner's address with its fields filled in; None unless it is http or https."""
        return web_address(bare_phrase(source).fill(self.fields).line()) if source else None


def render_block(block: Block, setting: Setting) -> Part | None:
    """None where the block has nothing to show (a product that is gone, no items). Raises PhraseError."""
    return _RENDERERS[type(block)](block, setting)


def section(inner: str, setting: Setting, padding: str = "6px 24px") -> str:
    """A row of the card."""
    return (
        f'<mj-section css-class="agala-card" background-color="#ffffff" padding="{padding}" '
        f'direction="{setting.direction}">{inner}</mj-section>'
    )


def _column(inner: str, setting: Setting, padding: str = "6px 24px") -> str:
    return section(f"<mj-column>{inner}</mj-column>", setting, padding)


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
    return Part(_column(inner, setting, "14px 24px 4px"), f"{line}\n{'=' * min(len(line), 60)}")


def _text(block: TextBlock, setting: Setting) -> Part | None:
    paragraphs = list(phrase(block.text).fill(setting.fields).paragraphs())
    if not paragraphs:
        return None
    inner = "".join(
        f'<p dir="{setting.direction}" style="margin:0 0 12px">{paragraph.html().replace(chr(10), "<br />")}</p>'
        for paragraph in paragraphs
    )
    mjml = f'<mj-text align="{setting.align}" color="{INK}" padding-bottom="0">{inner}</mj-text>'
    return Part(_column(mjml, setting, "4px 24px"), "\n\n".join(paragraph.plain() for paragraph in paragraphs))


def _button(block: ButtonBlock, setting: Setting) -> Part | None:
    filled, address = phrase(block.text).fill(setting.fields), setting.address(block.url)
    if filled.empty or address is None:
        return None  # a button that leads nowhere helps nobody
    mjml = (
        f'<mj-button css-class="agala-button" href="{escape(address)}" background-color="{BRAND}" color="#ffffff" '
        f'border-radius="8px" font-size="17px" font-weight="700" inner-padding="14px 30px" align="center">'
        f"{escape(filled.line())}</mj-button>"
    )
    return Part(_column(mjml, setting, "10px 24px 14px"), f"{filled.line()}:\n{address}")


def _image(block: ImageBlock, setting: Setting) -> Part | None:
    source, address = setting.address(block.src), setting.address(block.url)
    if source is None:
        return None
    alt = phrase(block.alt).fill(setting.fields).line() if block.alt else ""
    link = f' href="{escape(address)}"' if address else ""
    mjml = f'<mj-image src="{escape(source)}" alt="{escape(alt)}"{link} border-radius="8px" fluid-on-mobile="true" />'
    return Part(_column(mjml, setting), "\n".join(part for part in (alt, address) if part))


def _divider(_block: DividerBlock, setting: Setting) -> Part | None:
    mjml = f'<mj-divider border-width="1px" border-color="{LINE}" css-class="agala-line" />'
    return Part(_column(mjml, setting), "-" * 40)


def _order_items(_block: OrderItemsBlock, setting: Setting) -> Part | None:
    lines = order_lines(setting.data)
    if not lines:
        return None
    words = wording(setting.data.language)
    rows = "".join(_item_row(line, setting) for line in lines)
    total = clean(money_text(setting.data.properties.get("total"), setting.data.language))
    texts = [
        f"- {_isolated(line['name'])} × {line['quantity']}" + (f" – {line['total']}" if line["total"] else "")
        for line in lines
    ]
    if total:
        rows += (
            f'<tr><td colspan="2" style="padding:14px 0 4px;text-align:{setting.align}"><strong>{words.order_total}'
            f'</strong></td><td style="padding:14px 0 4px;text-align:{_far(setting)};white-space:nowrap">'
            f"<strong><bdi>{escape(total)}</bdi></strong></td></tr>"
        )
        texts.append(f"{words.order_total}: {total}")
    mjml = (
        f'<mj-text align="{setting.align}" font-size="16px" line-height="1.4" color="{INK}" padding="0">'
        f'<table dir="{setting.direction}" role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" '
        f'style="width:100%;font-size:16px;line-height:1.4">{rows}</table></mj-text>'
    )
    return Part(_column(mjml, setting), "\n".join(texts))


def _item_row(line: Mapping[str, Any], setting: Setting) -> str:
    image = web_address(str(line["image"] or ""))
    picture = (
        f'<img src="{escape(image)}" alt="" width="64" height="64" '
        f'style="width:64px;height:64px;object-fit:cover;border-radius:8px;display:block" />'
        if image
        else ""
    )
    edge = f"border-bottom:1px solid {LINE};padding:12px 0"
    quantity = f"{wording(setting.data.language).quantity}: {escape(str(line['quantity']))}"
    return (
        f'<tr><td class="agala-line" width="{80 if image else 1}" style="{edge};width:{80 if image else 1}px;'
        f'vertical-align:middle">{picture}</td>'
        f'<td class="agala-line" style="{edge};text-align:{setting.align};vertical-align:middle">'
        f"<strong><bdi>{escape(str(line['name']))}</bdi></strong><br />"
        f'<span class="agala-quiet" style="color:{QUIET_INK};font-size:14px">{quantity}</span></td>'
        f'<td class="agala-line" style="{edge};text-align:{_far(setting)};vertical-align:middle;white-space:nowrap">'
        f"<bdi>{escape(str(line['total']))}</bdi></td></tr>"
    )


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
    text = "\n".join(part for part in (_isolated(name) + (f" – {price}" if price else ""), address) if part)
    return Part(section(columns, setting, "8px 24px"), text)


def _far(setting: Setting) -> str:
    return "left" if setting.align == "right" else "right"


def _isolated(name: Any) -> str:
    return f"{_LTR_ISOLATE}{name}{_ISOLATE_END}"


_RENDERERS: dict[type[Block], Callable[[Any, Setting], Part | None]] = {
    HeadingBlock: _heading,
    TextBlock: _text,
    ButtonBlock: _button,
    ImageBlock: _image,
    DividerBlock: _divider,
    OrderItemsBlock: _order_items,
    ProductBlock: _product,
}
