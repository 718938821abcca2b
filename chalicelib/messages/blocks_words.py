"""The blocks that an email speaks with: the opening, advantages or steps, what somebody said, a word to friends."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from typing import Any
from urllib.parse import quote

from chalicelib.messages.block_forms import Block, Feature, FeaturesBlock, HeroBlock, QuoteBlock, WhatsAppShareBlock
from chalicelib.messages.block_parts import button, encoded, icon, link_button, mjml_if, shown_if
from chalicelib.messages.colours import INK, WHITE, mixed, words_on
from chalicelib.messages.page_parts import QUIET_INK, Page, Part, Slot, aside, column, picture, section
from chalicelib.messages.phrase import tidied

_LIQUID = re.compile(r"(\{\{.*?\}\}|\{%.*?%\})", re.DOTALL)
_OUTPUT = re.compile(r"\{\{-?(.*?)-?\}\}", re.DOTALL)
_DARK = "#1d2433"


def _hero(block: HeroBlock, page: Page) -> Part | None:
    field = {
        "brand": page.brand.colour,
        "soft": mixed(page.brand.colour, WHITE, 0.88),
        "dark": _DARK,
        "festive": page.brand.accent,
    }[block.tone]
    ink = words_on(field)
    title, eyebrow = page.words(block.title, "title"), page.words(block.eyebrow, "eyebrow")
    text, image = page.paragraphs(block.text, "text"), page.address(block.image, "image")
    words, address = page.line(block.button, "button"), page.address(block.url, "url")
    alt = page.line(block.alt, "alt")

    def line(html: str, style: str, padding: str) -> str:
        return (
            f'<mj-text align="center" color="{ink}" padding="{padding}" {style}>'
            f'<div dir="{page.direction}">{html}</div></mj-text>'
        )

    sign = icon(block.icon)
    inner = line(aside(escape(sign)), 'font-size="40px" line-height="1.2"', "0 0 8px") if sign else ""
    inner += mjml_if(eyebrow, line(eyebrow.html, 'font-size="14px" font-weight="700" letter-spacing="1px"', "0 0 6px"))
    heading = f'<h1 style="margin:0;font-size:32px;line-height:1.25;font-weight:700">{title.html}</h1>'
    inner += line(heading, 'font-size="32px" line-height="1.25" font-weight="700"', "0")
    inner += mjml_if(text, line(text.html, 'font-size="17px"', "12px 0 0"))
    if words.present and address.present:
        ground, on_it = (page.brand.colour, page.on_brand) if block.tone == "soft" else (ink, field)
        shown = f'<mj-spacer height="10px" />{button(words, address, ground, on_it, "agala-hero-button")}'
        inner += mjml_if(words, mjml_if(address, shown))
    css = f"agala-hero agala-hero-{block.tone}"
    start = f'<mj-section css-class="{css}" background-color="{field}" direction="{page.direction}" '
    above = (
        f'{start}padding="0"><mj-column>{_full(picture(image, alt, Slot(present=False), 600))}</mj-column></mj-section>'
    )
    mjml = f'{mjml_if(image, above)}{start}padding="36px 32px 38px"><mj-column>{inner}</mj-column></mj-section>'
    after = section('<mj-column><mj-spacer height="8px" /></mj-column>', page, "0")
    headline = f"{sign} {title.text}".strip()
    lines = [shown_if(eyebrow, f"{eyebrow.text}\n"), headline, shown_if(text, f"\n\n{text.text}")]
    if words.present and address.present:
        lines.append(shown_if(words, shown_if(address, f"\n\n{words.text}:\n{address.text}")))
    part = page.after(
        Part(mjml + after, "".join(lines)), *(s for s in (eyebrow, text, image, words, address, alt) if s.present)
    )
    return page.when(part, title)


def _full(image: str) -> str:
    """A picture from edge to edge."""
    return image.replace('padding="6px 0"', 'padding="0"').replace("border-radius:10px", "border-radius:0")


def _features(block: FeaturesBlock, page: Page) -> Part | None:
    """Up to three beside one another; four are two and two."""
    items = list(block.items)
    rows = [items[:2], items[2:]] if len(items) == 4 else [items]
    parts, index = [], 0
    for row in rows:
        columns, texts = "", []
        slots: list[Slot] = []
        for item in row:
            column_of, text, used = _feature(item, index, page)
            columns, index = columns + column_of, index + 1
            texts.append(text)
            slots += used
        parts.append(page.after(Part(section(columns, page, "10px 16px"), "\n".join(texts)), *slots))
    return Part("".join(part.mjml for part in parts), "\n".join(part.text for part in parts))


def _feature(item: Feature, index: int, page: Page) -> tuple[str, str, list[Slot]]:
    title, text = page.words(item.title, f"title{index}"), page.words(item.text, f"text{index}")
    start = f'<mj-text align="center" color="{INK}" '

    def line(html: str, style: str) -> str:
        return f'{start}{style}><div dir="{page.direction}">{html}</div></mj-text>'

    sign = icon(item.icon)
    inner = line(aside(escape(sign)), 'font-size="30px" line-height="1.2" padding="6px 8px 2px"') if sign else ""
    inner += mjml_if(title, line(title.html, 'font-weight="700" padding="4px 8px 2px"'))
    quiet = f'<span class="agala-quiet" style="color:{QUIET_INK}">{text.html}</span>'
    inner += mjml_if(text, line(quiet, 'font-size="15px" line-height="1.5" padding="0 8px 8px"'))
    said = shown_if(title, f"{sign or '-'} {title.text}") + shown_if(text, f"\n  {text.text}")
    return f'<mj-column vertical-align="top">{inner}</mj-column>', said, [s for s in (title, text) if s.present]


def _quote(block: QuoteBlock, page: Page) -> Part | None:
    words, by = page.paragraphs(block.text, "text"), page.words(block.by, "by")
    side = "right" if page.align == "right" else "left"
    told = shown_if(by, f'<div class="agala-quiet" style="color:{QUIET_INK};font-size:15px">— {by.html}</div>')
    html = (
        f'<div dir="{page.direction}" style="border-{side}:4px solid {page.brand.colour};padding-{side}:16px">'
        f"{words.html}{told}</div>"
    )
    start = f'<mj-text align="{page.align}" color="{INK}" font-size="19px" line-height="1.5" padding="6px 0">'
    mjml = f"{start}{html}</mj-text>"
    part = Part(column(mjml, page, "8px 28px"), f"“{words.text}”{shown_if(by, f'{chr(10)}— {by.text}')}")
    return page.when(page.after(part, *([by] if by.present else [])), words)


def _whatsapp_share(block: WhatsAppShareBlock, page: Page) -> Part | None:
    """It opens WhatsApp with the message and the link written, to be sent to whom one likes (WhatsApp's help, "Click to
    chat": `https://wa.me/?text=` and percent-encoded words). The friends' link is the owner's own: what is
    inside of another address is not made one of ours, so nothing in it says who shared it."""
    words = page.or_else(page.line(block.button, "button"), page.wording.share)
    to, message = page.address(block.url, "url"), page.line(block.message, "message")
    if not to.present or not message.present:
        return None
    kept = f"{page.key}_share"
    url = encoded(to.test) if to.test else quote(to.text, safe="")
    before = f"{{% address {kept} %}}https://wa.me/?text={_percent(block.message)}%20{url}{{% endaddress %}}"
    address = Slot(
        html=f"{{{{ {kept} | attr }}}}",
        text=f"{{{{ {kept} }}}}",
        attribute=f"{{{{ {kept} | attr }}}}",
        html_before=to.html_before + aside(before),
        text_before=to.text_before + before,
        test=f"{to.test} and {kept}" if to.test else kept,
    )
    return link_button(words, address, page)


def _percent(source: str) -> str:
    """Owner's words as part of an address: letters percent-encoded, and what Liquid puts out as well."""
    made = []
    for index, piece in enumerate(_LIQUID.split(tidied(source).strip())):
        found = _OUTPUT.fullmatch(piece) if index % 2 else None
        made.append(encoded(found.group(1).strip()) if found else piece if index % 2 else quote(piece, safe=""))
    return "".join(made)


RENDERERS: dict[type[Block], Callable[[Any, Page], Part | None]] = {
    HeroBlock: _hero,
    FeaturesBlock: _features,
    QuoteBlock: _quote,
    WhatsAppShareBlock: _whatsapp_share,
}
