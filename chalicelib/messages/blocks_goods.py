"""The blocks that show products: one beside its picture, or several as cards, two in a row on any screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from chalicelib.messages.block_forms import (
    Block,
    CountdownBlock,
    NewArrivalsBlock,
    ProductBlock,
    ProductsBlock,
    RecommendedBlock,
    StockLeftBlock,
    ViewedProductsBlock,
)
from chalicelib.messages.block_parts import joined, link_button
from chalicelib.messages.page_parts import (
    INK,
    LINE,
    QUIET_INK,
    SHOWN,
    Page,
    Part,
    Slot,
    aside,
    column,
    goods,
    picture,
    section,
)
from chalicelib.messages.true_pictures import COUNTDOWN_WIDTH, STOCK_WIDTH


def _product(block: ProductBlock, page: Page) -> Part | None:
    if not block.product:
        return None
    card = goods(block.product)
    button = None
    if block.button:
        button = link_button(page.line(block.button, "button"), _url_of(card), page)
    parts = [part for part in (_beside(card, page), button) if part is not None]
    return page.when(joined(parts), tests=(card,))


def _url_of(card: str) -> Slot:
    return Slot(text=f"{{{{ {card}.url }}}}", attribute=f"{{{{ {card}.url | attr }}}}", test=f"{card}.url")


def _beside(card: str, page: Page) -> Part:
    """The picture, and beside it (below it, on a phone, where it is as wide as the words) name and price."""
    words = (
        f'<mj-text align="{page.align}" font-size="19px" line-height="1.35" font-weight="700" color="{INK}" '
        f'padding-bottom="4px"><div dir="{page.direction}">{aside(_name(card))}</div></mj-text>'
        f"<mj-raw>{{% if {card}.price %}}</mj-raw>"
        f'<mj-text align="{page.align}" font-size="18px" color="{page.brand_ink}" css-class="agala-price" '
        f'font-weight="700" padding-top="0"><div dir="{page.direction}">{aside(_price(card))}</div></mj-text>'
        f"<mj-raw>{{% endif %}}{{% unless {card}.in_stock %}}</mj-raw>"
        f'<mj-text align="{page.align}" padding-top="0"><div dir="{page.direction}">{_sold_out(page)}</div></mj-text>'
        "<mj-raw>{% endunless %}</mj-raw>"
    )
    beside = f'<mj-column width="62%" vertical-align="middle">{words}</mj-column>'
    image, name = (Slot(attribute=f"{{{{ {card}.{part} | attr }}}}") for part in ("image", "name"))
    shown = picture(image, name, _url_of(card), 190).replace("<mj-text ", '<mj-text css-class="agala-wide" ', 1)
    before = f'<mj-column width="38%" vertical-align="middle">{shown}</mj-column>'
    mjml = (
        f"<mj-raw>{{% if {card}.image %}}</mj-raw>{section(before + beside, page, '8px 24px')}"
        f"<mj-raw>{{% else %}}</mj-raw>{section(beside, page, '8px 24px')}<mj-raw>{{% endif %}}</mj-raw>"
    )
    return Part(mjml, _text_of(card, page))


def _name(card: str) -> str:
    link = f'<a href="{{{{ {card}.url | attr }}}}" class="agala-link" style="color:inherit;text-decoration:none">'
    return f"{{% if {card}.url %}}{link}{{% endif %}}{{{{ {card}.name }}}}{{% if {card}.url %}}</a>{{% endif %}}"


def _price(card: str) -> str:
    was = f'<s class="agala-quiet" style="color:{QUIET_INK};font-weight:400;font-size:15px">{{{{ {card}.was }}}}</s>'
    return f"{{{{ {card}.price }}}}{{% if {card}.was %}} {was}{{% endif %}}"


def _text_of(card: str, page: Page) -> str:
    was = page.wording.instead_of.replace("{price}", f"{{{{ {card}.was }}}}")
    return (
        f"{{{{ {card}.name | isolated }}}}{{% if {card}.price %}} – {{{{ {card}.price }}}}{{% endif %}}"
        f"{{% if {card}.was %}} ({was}){{% endif %}}"
        f"{{% unless {card}.in_stock %}} – {page.wording.sold_out}{{% endunless %}}"
        f"{{% if {card}.url %}}\n{{{{ {card}.url }}}}{{% endif %}}"
    )


# Several


def _products(block: ProductsBlock, page: Page) -> Part | None:
    cards = [goods(product) for product in dict.fromkeys(block.products) if product]
    if not cards:
        return None
    count = f"{page.key}_all"
    counted = "".join(f"{{% if {card} %}}{{% assign {count} = {count} | plus: 1 %}}{{% endif %}}" for card in cards)
    before = f"{{% assign {count} = 0 %}}{counted}"
    own = f"{page.key}_card"
    each = [(f"{{% assign {own} = {card} %}}{{% if {own} %}}", "{% endif %}") for card in cards]
    shelf = _shelf(each, own, count, block.title, None, page)
    if shelf is None:
        return None
    shown = page.when(shelf, tests=(f"{count} > 0",))
    return Part(f"<mj-raw>{before}</mj-raw>{shown.mjml}", before + shown.text) if shown else None


def _chosen(block: ViewedProductsBlock | NewArrivalsBlock | RecommendedBlock, page: Page) -> Part | None:
    path, own = f"{page.at}.products", f"{page.key}_card"
    each = [(f"{{% for {own} in {path} %}}", "{% endfor %}")]
    why = _why(page) if isinstance(block, RecommendedBlock) and block.why else None
    shelf = _shelf(each, own, f"{path}.size", block.title, why, page)
    return page.when(shelf, tests=(f"{path}[0]",))


def _why(page: Page) -> str:
    """One line: what the shown products are there for. Plain Liquid; names are isolated by whoever puts it out."""
    words, at = page.wording, page.at
    told = [
        (f"{at}.together", words.bought_together.replace("{name}", f"{{{{ {at}.together | isolated }}}}")),
        (f"{at}.category", words.of_category.replace("{name}", f"{{{{ {at}.category | isolated }}}}")),
        (f"{at}.best_sellers", words.best_sellers),
    ]
    more = f"{page.key}_more"
    seam = f"{{% if {more} %}} · {{% endif %}}"
    parts = [f"{{% if {test} %}}{seam}{said}{{% assign {more} = true %}}{{% endif %}}" for test, said in told]
    return f"{{% assign {more} = false %}}{''.join(parts)}"


def _shelf(
    each: Sequence[tuple[str, str]], card: str, count: str, title: str | None, why: str | None, page: Page
) -> Part | None:
    """Cards, with words above. `each`: Liquid around one card, which has the name `card`; `count`: how many there are,
    for one alone stands beside its picture."""
    words = page.words(title, "title")
    head = _head(words, why, page)
    alone = "".join(f"<mj-raw>{start}</mj-raw>{_beside(card, page).mjml}<mj-raw>{end}</mj-raw>" for start, end in each)
    grid = _grid(each, card, page)
    mjml = (
        f"{head}<mj-raw>{{% if {count} == 1 %}}</mj-raw>{alone}<mj-raw>{{% else %}}</mj-raw>"
        f"{grid}<mj-raw>{{% endif %}}</mj-raw>"
    )
    listed = "".join(f"{start}- {_text_of(card, page)}\n{end}" for start, end in each)
    above = f"{{% if {words.test} %}}{words.text}\n{{% endif %}}" if words.test else f"{words.text}\n"
    text = f"{above if words.present else ''}{f'{why}{chr(10)}' if why else ''}{listed}"
    return page.after(Part(mjml, text), *([words] if words.present else []))


def _head(words: Slot, why: str | None, page: Page) -> str:
    inner = ""
    if words.present:
        shown = (
            f'<mj-text css-class="agala-strong" align="{page.align}" font-size="20px" font-weight="700" color="{INK}" '
            f'padding="10px 0 2px"><div dir="{page.direction}">{words.html}</div></mj-text>'
        )
        inner += (
            f"<mj-raw>{{% if {words.test} %}}</mj-raw>{shown}<mj-raw>{{% endif %}}</mj-raw>" if words.test else shown
        )
    if why:
        inner += (
            f'<mj-text css-class="agala-quiet" align="{page.align}" font-size="14px" color="{QUIET_INK}" '
            f'padding="0 0 6px"><div dir="{page.direction}" class="agala-quiet">{aside(why)}</div></mj-text>'
        )
    return column(inner, page, "8px 24px 0") if inner else ""


def _grid(each: Sequence[tuple[str, str]], card: str, page: Page) -> str:
    """A table of two columns: the cells of a row are of one height in every mail program, and it turns by itself where
    people read from right to left."""
    second = f"{page.key}_second"
    gap = '<td width="4%" style="width:4%;font-size:0;line-height:0">&nbsp;</td>'
    between = '<tr><td colspan="3" height="14" style="height:14px;font-size:0;line-height:0">&nbsp;</td></tr>'
    cell = (
        f"{{% if {second} %}}{gap}{{% else %}}<tr>{{% endif %}}{_cell(card, page)}"
        f"{{% if {second} %}}</tr>{between}{{% assign {second} = false %}}"
        f"{{% else %}}{{% assign {second} = true %}}{{% endif %}}"
    )
    cells = "".join(f"{start}{cell}{end}" for start, end in each)
    rest = f'{{% if {second} %}}{gap}<td width="48%" style="width:48%">&nbsp;</td></tr>{{% endif %}}'
    table = (
        f'<table dir="{page.direction}" role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" '
        'style="width:100%;table-layout:fixed;border-collapse:separate">'
        f"{{% assign {second} = false %}}{cells}{rest}</table>"
    )
    mjml = f'<mj-text align="{page.align}" font-size="16px" line-height="1.4" color="{INK}" padding="0">'
    return column(f"{mjml}{aside(table)}</mj-text>", page, "8px 24px")


def _cell(card: str, page: Page) -> str:
    link = f'<a href="{{{{ {card}.url | attr }}}}" target="_blank" style="color:inherit;text-decoration:none">'
    opened, closed = f"{{% if {card}.url %}}{link}{{% endif %}}", f"{{% if {card}.url %}}</a>{{% endif %}}"
    image = (
        f'<img src="{{{{ {card}.image | attr }}}}" alt="{{{{ {card}.name | attr }}}}" width="248" style="display:block;'
        'width:100%;max-width:100%;height:auto;aspect-ratio:1/1;object-fit:cover;border:0;border-radius:9px 9px 0 0" />'
    )
    return (
        f'<td class="agala-line" width="48%" style="width:48%;vertical-align:top;border:1px solid {LINE};'
        f'border-radius:10px;text-align:{page.align}">{{% if {card}.image %}}{opened}{image}{closed}{{% endif %}}'
        f'<div style="padding:10px 12px 14px"><div style="font-weight:700;font-size:15px;line-height:1.35;'
        f'word-break:break-word">{opened}{{{{ {card}.name }}}}{closed}</div>'
        f'{{% if {card}.price %}}<div class="agala-price" style="padding-top:4px"><div style="color:{page.brand_ink};'
        f'font-weight:700">{_price(card)}</div></div>{{% endif %}}'
        f"{{% unless {card}.in_stock %}}{_sold_out(page)}{{% endunless %}}</div></td>"
    )


def _sold_out(page: Page) -> str:
    return f'<div class="agala-quiet" style="color:{QUIET_INK};font-size:14px">{escape(page.wording.sold_out)}</div>'


# Pictures that are drawn when they are opened


def _countdown(block: CountdownBlock, page: Page) -> Part | None:
    """The words below the picture stay true; the picture counts, and is nothing when it is over."""
    at = page.at
    words = page.words(block.text, "text")
    ends = page.wording.ends.replace("{when}", f"{{{{ {at}.ends | attr }}}}")
    drawn = _drawn(f"{at}.picture", ends, COUNTDOWN_WIDTH, "center")
    inner = ""
    if words.present:
        above = (
            f'<mj-text align="center" color="{INK}" font-weight="700"><div dir="{page.direction}">{words.html}</div>'
            "</mj-text>"
        )
        inner = (
            f"<mj-raw>{{% if {words.test} %}}</mj-raw>{above}<mj-raw>{{% endif %}}</mj-raw>" if words.test else above
        )
    inner += f"<mj-raw>{{% if {at}.picture %}}</mj-raw>{drawn}<mj-raw>{{% endif %}}</mj-raw>"
    inner += (
        f'<mj-text align="center" font-size="14px" color="{QUIET_INK}" padding="0"><div dir="{page.direction}" '
        f'class="agala-quiet">{aside(ends)}</div></mj-text>'
    )
    said = page.wording.ends.replace("{when}", f"{{{{ {at}.ends }}}}")
    above_text = f"{{% if {words.test} %}}{words.text}\n{{% endif %}}" if words.test else f"{words.text}\n"
    part = Part(column(inner, page, "10px 24px"), f"{above_text if words.present else ''}{said}")
    shown = page.when(part, tests=(f"{at}.ends",))
    return page.after(shown, *([words] if words.present else [])) if shown else None


def _stock_left(_block: StockLeftBlock, page: Page) -> Part | None:
    """Without words: how many are left is known only when it is opened."""
    source = f"{page.at}.picture"
    part = Part(column(_drawn(source, "", STOCK_WIDTH, page.align), page, "2px 24px"), SHOWN)
    return page.when(part, tests=(source,))


def _drawn(source: str, alt: str, width: int, align: str) -> str:
    margin = {"center": "0 auto", "right": "0 0 0 auto", "left": "0 auto 0 0"}[align]
    image = (
        f'<img src="{{{{ {source} | attr }}}}" alt="{alt}" width="{width}" style="display:block;width:{width}px;'
        f'max-width:100%;height:auto;border:0;margin:{margin}" />'
    )
    return f'<mj-text align="{align}" padding="4px 0" line-height="0">{aside(image)}</mj-text>'


RENDERERS: dict[type[Block], Callable[[Any, Page], Part | None]] = {
    ProductBlock: _product,
    ProductsBlock: _products,
    ViewedProductsBlock: _chosen,
    RecommendedBlock: _chosen,
    NewArrivalsBlock: _chosen,
    CountdownBlock: _countdown,
    StockLeftBlock: _stock_left,
}
