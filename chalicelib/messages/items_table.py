"""The lines of an order or a cart as a table: picture, name, quantity, sum. All of it is Liquid over their fields."""

from __future__ import annotations

from html import escape

from chalicelib.messages.page_parts import INK, LINE, QUIET_INK, Page, Part, aside, column

_EDGE = f"border-bottom:1px solid {LINE};padding:12px 0"
_MORE_THAN_ONE = "item.price and item.quantity != 1"


def items_table(path: str, page: Page, most: int | None = None) -> Part:
    """`path`: fields with `items` {name, quantity, total (text), image, price? (text), url?}, `total` (text, nil to
    leave it out), `coupons` (codes: they say why the total is less) and `more` (how many lines are not shown)."""
    loop = f"{{% for item in {path}.items{f' limit: {most}' if most else ''} %}}"
    rows = f"{loop}{_row(page)}{{% endfor %}}{_notes(path, page)}{_total(path, page)}"
    mjml = (
        f'<mj-text align="{page.align}" font-size="16px" line-height="1.4" color="{INK}" padding="0">'
        + aside(
            f'<table dir="{page.direction}" role="presentation" width="100%" cellpadding="0" cellspacing="0" '
            f'border="0" style="width:100%;font-size:16px;line-height:1.4">{rows}</table>'
        )
        + "</mj-text>"
    )
    words = page.wording
    text = (
        f"{loop}- {{{{ item.name | isolated }}}} × {{{{ item.quantity }}}}"
        f"{{% if {_MORE_THAN_ONE} %}} × {{{{ item.price }}}}{{% endif %}}"
        f"{{% if item.total %}} – {{{{ item.total }}}}{{% endif %}}\n{{% endfor %}}"
        f"{{% if {path}.more == 1 %}}{words.one_more}\n"
        f"{{% elsif {path}.more > 1 %}}{_many_more(path, page)}\n{{% endif %}}"
        f"{{% for code in {path}.coupons %}}{words.coupon}: {{{{ code | isolated }}}}\n{{% endfor %}}"
        f"{{% if {path}.total %}}{words.total}: {{{{ {path}.total }}}}{{% endif %}}"
    )
    return Part(column(mjml, page), text)


def _many_more(path: str, page: Page) -> str:
    return page.wording.many_more.replace("{count}", f"{{{{ {path}.more }}}}")


def _notes(path: str, page: Page) -> str:
    words = page.wording
    return (
        f"{{% if {path}.more == 1 %}}{_note(escape(words.one_more), page)}"
        f"{{% elsif {path}.more > 1 %}}{_note(_many_more(path, page), page)}{{% endif %}}"
        f"{{% for code in {path}.coupons %}}{_note(f'{escape(words.coupon)}: {{{{ code }}}}', page)}{{% endfor %}}"
    )


def _total(path: str, page: Page) -> str:
    return (
        f'{{% if {path}.total %}}<tr><td colspan="2" style="padding:14px 0 4px;text-align:{page.align}">'
        f"<strong>{escape(page.wording.total)}</strong></td>"
        f'<td style="padding:14px 0 4px;text-align:{page.far};white-space:nowrap">'
        f"<strong>{{{{ {path}.total }}}}</strong></td></tr>{{% endif %}}"
    )


def _note(html: str, page: Page) -> str:
    return (
        f'<tr><td colspan="3" class="agala-line agala-quiet" style="{_EDGE};text-align:{page.align};'
        f'color:{QUIET_INK}">{html}</td></tr>'
    )


def _row(page: Page) -> str:
    """Without a picture the name takes its place, so that nothing gapes."""
    return (
        '<tr>{% if item.image %}<td class="agala-line" width="80" '
        f'style="{_EDGE};width:80px;vertical-align:middle"><img src="{{{{ item.image | attr }}}}" alt="" width="64" '
        'height="64" style="width:64px;height:64px;object-fit:cover;border-radius:8px;display:block" /></td>{% endif %}'
        '<td class="agala-line"{% unless item.image %} colspan="2"{% endunless %} '
        f'style="{_EDGE};text-align:{page.align};vertical-align:middle"><strong>'
        '{% if item.url %}<a href="{{ item.url | attr }}" style="color:inherit;text-decoration:none">'
        "{{ item.name }}</a>{% else %}{{ item.name }}{% endif %}</strong><br />"
        f'<span class="agala-quiet" style="color:{QUIET_INK};font-size:14px">{escape(page.wording.quantity)}: '
        f"{{{{ item.quantity }}}}{{% if {_MORE_THAN_ONE} %}} × {{{{ item.price }}}}{{% endif %}}</span></td>"
        f'<td class="agala-line" style="{_EDGE};text-align:{page.far};vertical-align:middle;white-space:nowrap">'
        "{{ item.total }}</td></tr>"
    )
