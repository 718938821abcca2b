"""The lines of an order or a cart as a table: picture, name, quantity, sum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from chalicelib.messages.page_parts import INK, LINE, QUIET_INK, Part, Setting, column, isolated
from chalicelib.messages.phrase import web_address

_EDGE = f"border-bottom:1px solid {LINE};padding:12px 0"


def items_table(
    lines: Sequence[Mapping[str, Any]], total: str, setting: Setting, more: int = 0, coupons: Sequence[str] = ()
) -> Part:
    """`lines`: cleaned {name, quantity, total (text), image, price? (text), url?}; `total` text, empty to leave it
    out; `more` counts the lines that are not shown; `coupons` are codes, cleaned: they say why `total` is less."""
    rows = "".join(_row(line, setting) for line in lines)
    texts = [_text(line) for line in lines]
    if more > 0:
        words = setting.words.one_more if more == 1 else setting.words.many_more.format(count=more)
        rows += _note(escape(words), setting)
        texts.append(words)
    for code in coupons:
        rows += _note(f"{setting.words.coupon}: <bdi>{escape(code)}</bdi>", setting)
        texts.append(f"{setting.words.coupon}: {isolated(code)}")
    if total:
        label = setting.words.total
        rows += (
            f'<tr><td colspan="2" style="padding:14px 0 4px;text-align:{setting.align}"><strong>{label}'
            f'</strong></td><td style="padding:14px 0 4px;text-align:{setting.far};white-space:nowrap">'
            f"<strong><bdi>{escape(total)}</bdi></strong></td></tr>"
        )
        texts.append(f"{label}: {total}")
    mjml = (
        f'<mj-text align="{setting.align}" font-size="16px" line-height="1.4" color="{INK}" padding="0">'
        f'<table dir="{setting.direction}" role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" '
        f'style="width:100%;font-size:16px;line-height:1.4">{rows}</table></mj-text>'
    )
    return Part(column(mjml, setting), "\n".join(texts))


def _note(html: str, setting: Setting) -> str:
    return (
        f'<tr><td colspan="3" class="agala-line agala-quiet" style="{_EDGE};text-align:{setting.align};'
        f'color:{QUIET_INK}">{html}</td></tr>'
    )


def _row(line: Mapping[str, Any], setting: Setting) -> str:
    """Without a picture the name takes its place, so that nothing gapes."""
    image, address = web_address(str(line["image"] or "")), web_address(str(line.get("url") or ""))
    name = f"<bdi>{escape(str(line['name']))}</bdi>"
    if address:
        name = f'<a href="{escape(address)}" style="color:inherit;text-decoration:none">{name}</a>'
    quantity = f"{setting.words.quantity}: {escape(str(line['quantity']))}"
    if line.get("price") and line["quantity"] != 1:
        quantity += f" × <bdi>{escape(str(line['price']))}</bdi>"
    picture = (
        f'<td class="agala-line" width="80" style="{_EDGE};width:80px;vertical-align:middle">'
        f'<img src="{escape(image)}" alt="" width="64" height="64" '
        f'style="width:64px;height:64px;object-fit:cover;border-radius:8px;display:block" /></td>'
        if image
        else ""
    )
    return (
        f'<tr>{picture}<td class="agala-line"{"" if image else " colspan=" + chr(34) + "2" + chr(34)} '
        f'style="{_EDGE};text-align:{setting.align};vertical-align:middle">'
        f"<strong>{name}</strong><br />"
        f'<span class="agala-quiet" style="color:{QUIET_INK};font-size:14px">{quantity}</span></td>'
        f'<td class="agala-line" style="{_EDGE};text-align:{setting.far};vertical-align:middle;white-space:nowrap">'
        f"<bdi>{escape(str(line['total']))}</bdi></td></tr>"
    )


def _text(line: Mapping[str, Any]) -> str:
    price = f" × {line['price']}" if line.get("price") and line["quantity"] != 1 else ""
    total = f" – {line['total']}" if line["total"] else ""
    return f"- {isolated(line['name'])} × {line['quantity']}{price}{total}"
