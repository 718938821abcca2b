"""What several kinds of blocks are made of: a button, a link that does more than lead on, parts joined or left out."""

from __future__ import annotations

from urllib.parse import quote

from chalicelib.messages.block_forms import SmartLink
from chalicelib.messages.page_parts import Page, Part, Slot, aside, column


def joined(parts: list[Part]) -> Part:
    """In the text twin an empty line is between two; too many of them are taken out when it is filled in."""
    return Part("".join(part.mjml for part in parts), "\n\n".join(part.text for part in parts))


def link_button(words: Slot, address: Slot, page: Page) -> Part | None:
    """A button in the brand's colour, gone where it has no words or leads nowhere."""
    mjml = button(words, address, page.brand.colour, page.on_brand)
    part = Part(column(mjml, page, "10px 24px 14px"), f"{words.text}:\n{address.text}")
    return page.when(part, words, address)


def button(words: Slot, address: Slot, colour: str, ink: str, css: str = "agala-button") -> str:
    """For a column."""
    return (
        f'<mj-button css-class="{css}" href="{address.attribute}" background-color="{colour}" '
        f'color="{ink}" border-radius="8px" font-size="17px" font-weight="700" inner-padding="14px 30px" '
        f'align="center">{words.attribute}</mj-button>'
    )


def icon(sign: str | None) -> str:
    """A sign as it stands: it is never read as Liquid."""
    return (sign or "").replace("{", "").strip()


def shown_if(slot: Slot, html: str) -> str:
    """Words or HTML that is there only where the slot shows something. What it needs before it is not included."""
    if not slot.present:
        return ""
    return f"{{% if {slot.test} %}}{html}{{% endif %}}" if slot.test else html


def mjml_if(slot: Slot, mjml: str) -> str:
    """As `shown_if`, for whole elements of MJML."""
    if not slot.present:
        return ""
    return f"<mj-raw>{{% if {slot.test} %}}</mj-raw>{mjml}<mj-raw>{{% endif %}}</mj-raw>" if slot.test else mjml


def smart(address: Slot, link: SmartLink | None, page: Page) -> Slot:
    """The address, as one of ours that does what `link` says; where the block stands says which that is."""
    return address if link is None else ours("smart", {"at": page.place}, address, page, "smart")


def ours(kind: str, told: dict[str, str], to: Slot, page: Page, name: str) -> Slot:
    """An address of our own kind, `agala:{kind}?…`, which the tracker turns into a link of ours. `to`: where the click
    leads besides; what it needs before it comes along."""
    said = "&".join(f"{key}={quote(value, safe='')}" for key, value in told.items() if value)
    whole = f"agala:{kind}?{said}"
    if not to.present:
        return _literal(whole)
    if to.test is None:
        return _literal(f"{whole}&to={quote(to.text, safe='')}")
    kept = f"{page.key}_{name}"
    before = f"{{% own_address {kept} %}}{whole}&to={encoded(to.test)}{{% endown_address %}}"
    return Slot(
        html=f"{{{{ {kept} | attr }}}}",
        text=f"{{{{ {kept} }}}}",
        attribute=f"{{{{ {kept} | attr }}}}",
        html_before=to.html_before + aside(before),
        text_before=to.text_before + before,
        test=to.test,
    )


def held(html: str) -> str:
    """HTML with slots in it, all of it out of the MJML compiler's sight."""
    return aside(html.replace(aside("")[0], "").replace(aside("")[1], ""))


def encoded(value: str) -> str:
    """A Liquid value as part of an address; `+` is no blank there."""
    return f"{{{{ {value} | url_encode | replace: '+', '%20' }}}}"


def _literal(address: str) -> Slot:
    html = aside(address.replace("&", "&amp;"))
    return Slot(html=html, text=address, attribute=html)
