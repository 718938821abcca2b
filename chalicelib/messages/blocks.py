"""Each kind of block, compiled into MJML and into plain text side by side, so that the two say the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from html import escape
from typing import Any

from chalicelib.messages import blocks_answers, blocks_goods, blocks_words
from chalicelib.messages.block_forms import (
    Block,
    ButtonBlock,
    CartItemsBlock,
    CouponBlock,
    DividerBlock,
    FocusBlock,
    HeadingBlock,
    ImageBlock,
    OrderItemsBlock,
    TalkToUsBlock,
    TextBlock,
)
from chalicelib.messages.block_parts import joined, link_button, smart
from chalicelib.messages.fields import MOST_CART_LINES
from chalicelib.messages.items_table import items_table
from chalicelib.messages.page_parts import INK, LINE, SHOWN, Page, Part, Slot, aside, column, picture
from chalicelib.messages.phrase import PhraseError


class BlockError(PhraseError):
    """A mistake in one block; `place` is where it stands."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(message)
        self.place = place


def compile_block(block: Block, page: Page) -> Part | None:
    """None where the block has nothing to show, whatever the fields are. Raises BlockError."""
    renderer = RENDERERS.get(type(block))
    try:
        return renderer(block, page) if renderer else None
    except BlockError:
        raise
    except PhraseError as wrong:
        raise BlockError(page.place, str(wrong)) from None


def compile_blocks(blocks: tuple[Block, ...], within: str, page: Page) -> list[Part]:
    """`within`: the path of the list that they stand in (`blocks`, `blocks[2].else`). Raises BlockError."""
    made = (compile_block(block, replace(page, place=f"{within}[{index}]")) for index, block in enumerate(blocks))
    return [part for part in made if part is not None]


def _heading(block: HeadingBlock, page: Page) -> Part | None:
    words = page.words(block.text, "text")
    inner = (
        f'<mj-text css-class="agala-strong" align="{page.align}" font-size="26px" line-height="1.3" '
        f'font-weight="700" color="{INK}"><h1 dir="{page.direction}" '
        f'style="margin:0;font-size:26px;line-height:1.3">{words.html}</h1></mj-text>'
    )
    name = f"{page.key}_line"
    text = f"{{% words {name} %}}{words.text}{{% endwords %}}{{{{ {name} | headline }}}}"
    return page.when(Part(column(inner, page, "14px 24px 4px"), text), words)


def _text(block: TextBlock, page: Page) -> Part | None:
    words = page.paragraphs(block.text, "text")
    mjml = f'<mj-text align="{page.align}" color="{INK}" padding-bottom="0">{words.html}</mj-text>'
    return page.when(Part(column(mjml, page, "4px 24px"), words.text), words)


def _button(block: ButtonBlock, page: Page) -> Part | None:
    address = smart(page.address(block.url, "url"), block.smart, page)
    return link_button(page.line(block.text, "text"), address, page)


def _image(block: ImageBlock, page: Page) -> Part | None:
    source, address = page.address(block.src, "src"), smart(page.address(block.url, "url"), block.smart, page)
    alt = page.line(block.alt, "alt")
    mjml = column(picture(source, alt, address, 552), page)
    lines = (SHOWN, alt.text, _optional(address))
    return page.when(page.after(Part(mjml, "\n".join(text for text in lines if text)), alt, address), source)


def _optional(slot: Slot) -> str:
    return f"{{% if {slot.test} %}}{slot.text}{{% endif %}}" if slot.test else slot.text


def _divider(_block: DividerBlock, page: Page) -> Part | None:
    mjml = f'<mj-divider border-width="1px" border-color="{LINE}" css-class="agala-line" />'
    return Part(column(mjml, page), "-" * 40)


def _order_items(_block: OrderItemsBlock, page: Page) -> Part | None:
    return page.when(items_table("order", page), tests=("order.items[0]",))


def _cart_items(block: CartItemsBlock, page: Page) -> Part | None:
    table = items_table("cart", page, MOST_CART_LINES)
    shop, words = (
        page.link(page.store.url),
        page.or_else(page.line(block.button, "button"), page.wording.return_to_cart),
    )
    back = Slot(text="{{ cart.restore_url }}", attribute="{{ cart.restore_url | attr }}", test="cart.restore_url")
    address = page.choice(back, shop)
    button = link_button(words, address, page)
    parts = [part for part in (table, button) if part is not None]
    return page.when(joined(parts), tests=("cart.items[0]",))


def _talk_to_us(block: TalkToUsBlock, page: Page) -> Part | None:
    address = page.link(page.store.settings.talk_to_us_url)
    words = page.or_else(page.line(block.text, "text"), page.wording.talk_to_us)
    link = (
        f'<a href="{address.attribute}" class="agala-link agala-brand-link" '
        f'style="color:{page.brand_ink};font-weight:700">{words.html}</a>'
    )
    row = f'<div dir="{page.direction}">{link}</div>'
    mjml = f'<mj-text align="{page.align}" color="{INK}" padding="8px 0">{row}</mj-text>'
    return page.when(Part(column(mjml, page), f"{words.text}:\n{address.text}"), words, address)


def _coupon(block: CouponBlock, page: Page) -> Part | None:
    above = page.or_else(page.line(block.text, "text"), page.wording.coupon)
    end = page.wording.coupon_end.replace("{date}", "{{ coupon.expires_at }}")
    lines = [
        f'<div dir="{page.direction}">{above.html}</div>',
        f'<div dir="ltr" style="font-size:24px;font-weight:700;letter-spacing:2px;margin:8px 0;padding:10px;'
        f'border:2px dashed {page.brand.colour}">{{{{ coupon.code | attr }}}}</div>',
        f'{{% if coupon.expires_at %}}<div dir="{page.direction}">{aside(escape(end, quote=False))}</div>{{% endif %}}',
    ]
    table = column(f'<mj-text align="center" color="{INK}">{"".join(lines)}</mj-text>', page, "10px 24px")
    told = f"{above.text}\n{{{{ coupon.code }}}}{{% if coupon.expires_at %}}\n{end}{{% endif %}}"
    words = page.or_else(page.line(block.button, "button"), page.wording.coupon_use)
    button = link_button(words, page.address(block.url, "url"), page)
    parts = [part for part in (page.when(Part(table, told), above), button) if part is not None]
    return page.when(joined(parts), tests=("coupon",))


def _focus(block: FocusBlock, page: Page) -> Part | None:
    inside = joined(compile_blocks(block.blocks, f"{page.place}.blocks", page))
    others = joined(compile_blocks(block.otherwise, f"{page.place}.else", page))
    test = f"{{% if {page.at}.focused %}}"
    return Part(
        f"<mj-raw>{test}</mj-raw>{inside.mjml}<mj-raw>{{% else %}}</mj-raw>{others.mjml}<mj-raw>{{% endif %}}</mj-raw>",
        f"{test}{inside.text}{{% else %}}{others.text}{{% endif %}}",
    )


RENDERERS: dict[type[Block], Callable[[Any, Page], Part | None]] = {
    HeadingBlock: _heading,
    TextBlock: _text,
    ButtonBlock: _button,
    ImageBlock: _image,
    DividerBlock: _divider,
    OrderItemsBlock: _order_items,
    CartItemsBlock: _cart_items,
    TalkToUsBlock: _talk_to_us,
    CouponBlock: _coupon,
    FocusBlock: _focus,
    **blocks_goods.RENDERERS,
    **blocks_words.RENDERERS,
    **blocks_answers.RENDERERS,
}
"""How each kind of block is compiled: `(block, page) -> Part | None`, see `messages.page_parts`."""
