"""The page around the blocks: the store's brand on top, the legal footer below, light and dark. Compiled once."""

from __future__ import annotations

import re
from hashlib import sha256
from html import escape

import mjml

from chalicelib.messages.colours import LARGE, WHITE, mixed, readable, words_on
from chalicelib.messages.message import MessageKind
from chalicelib.messages.page_parts import QUIET_INK, Page, Part, Slot, aside, isolated, picture, section
from chalicelib.messages.safe_text import clean, one_line, web_address
from chalicelib.messages.wording import primary

_DARK_PAGE, _DARK_CARD = "#14171d", "#1f242d"
# What no font draws and no mail program shows: it fills the preview after the preheader, so that no body text does.
_FILLING = "\u034f\u200c\u00a0" * 90
_ASIDE_FORM = re.compile("\ue010.*?\ue011|\\{\\{.*?\\}\\}|\\{%.*?%\\}", re.DOTALL)
_ASIDE_MARKS = re.compile("[\ue010\ue011]")
_OUTLOOK_SEAM = re.compile(r"<!\[endif\]-->\s*<!--\[if mso \| IE\]>")
_NETWORKS = {
    "facebook": "Facebook",
    "instagram": "Instagram",
    "tiktok": "TikTok",
    "youtube": "YouTube",
    "whatsapp": "WhatsApp",
    "x": "X",
    "linkedin": "LinkedIn",
}


def html_page(body: Part, page: Page) -> str:
    """The whole HTML document, as Liquid over the fields with `subject` and `preheader`. Raises ValueError only if a
    block made MJML that is none."""
    brand = page.brand
    document = (
        f'<mjml lang="{escape(page.language)}" dir="{page.direction}"><mj-head>'
        "<mj-title>{{ subject | attr }}</mj-title>"
        f'<mj-attributes><mj-all font-family="{page.fonts}" /><mj-column direction="{page.direction}" />'
        f'<mj-text align="{page.align}" font-size="17px" line-height="1.6" '
        'padding="6px 0" /><mj-image padding="6px 0" /><mj-table padding="0" /><mj-button padding="0" />'
        f'<mj-divider padding="10px 0" /></mj-attributes><mj-style>{_dark(page)}</mj-style>'
        '<mj-raw><meta name="color-scheme" content="light dark" />'
        '<meta name="supported-color-schemes" content="light dark" /></mj-raw></mj-head>'
        f'<mj-body background-color="{brand.background}" css-class="agala-page" width="600px">'
        f"{_preview()}{_header(page)}{body.mjml}{_end(page)}{_footer(page)}"
        "</mj-body></mjml>"
    )
    return _OUTLOOK_SEAM.sub("", _compiled(document))


def text_footer(page: Page) -> str:
    """What stands below the text twin, as Liquid."""
    lines = ["-- ", _why(page), " · ".join(isolated(part) for part in _who(page)), _own_words(page)]
    lines += [f"{label}: {address}" for label, address in _links(page)]
    if page.kind is MessageKind.MARKETING:
        lines.append(f"{page.wording.unsubscribe}: {{{{ mail.unsubscribe_url }}}}")
        choose = f"{page.wording.preferences}: {{{{ mail.preferences_url }}}}"
        lines[-1] += f"{{% if mail.preferences_url %}}\n{choose}{{% endif %}}"
    return "\n".join(line for line in lines if line)


def _compiled(document: str) -> str:
    """HTML of MJML, with all Liquid, and what stands aside, put through untouched: the compiler sees only names."""
    held: list[str] = []
    mark = f"agala{sha256(document.encode()).hexdigest()[:8]}x"

    def hold(found: re.Match[str]) -> str:
        held.append(_ASIDE_MARKS.sub("", found.group()))
        return f"{mark}{len(held) - 1}x"

    html = str(mjml.mjml2html(_ASIDE_FORM.sub(hold, document)))
    return re.sub(f"{mark}(\\d+)x", lambda found: held[int(found.group(1))], html)


def _dark(page: Page) -> str:
    """A brand's colour that is as dark as the night is lightened until it can be read."""
    ink = readable(page.brand.colour, _DARK_CARD)
    button = readable(page.brand.colour, _DARK_CARD, LARGE)
    line, soft = mixed(_DARK_CARD, WHITE, 0.15), mixed(_DARK_CARD, page.brand.colour, 0.2)
    return f"""
:root {{ color-scheme: light dark; supported-color-schemes: light dark; }}
.agala-link {{ text-decoration: underline; }}
@media (max-width: 480px) {{ .agala-wide img {{ max-width: 100% !important; }} }}
@media (prefers-color-scheme: dark) {{
  body, .agala-page, .agala-page > div {{ background: {_DARK_PAGE} !important; }}
  .agala-card, .agala-card > table {{ background: {_DARK_CARD} !important; }}
  .agala-card div, .agala-card td, .agala-card p, .agala-card h1, .agala-card strong {{ color: #eef1f6 !important; }}
  .agala-brand div, .agala-brand a, .agala-price div, .agala-card .agala-brand-link {{ color: {ink} !important; }}
  .agala-card .agala-quiet, .agala-foot div, .agala-foot a {{ color: #a5adbb !important; }}
  .agala-line, .agala-line p {{ border-color: {line} !important; }}
  .agala-hero-soft, .agala-hero-soft > table {{ background: {soft} !important; }}
  .agala-hero-soft div, .agala-hero-soft h1, .agala-hero-soft p {{ color: #eef1f6 !important; }}
  .agala-card .agala-button td, .agala-card .agala-button a {{ background: {button} !important;
    color: {words_on(button)} !important; }}
}}
"""


def _preview() -> str:
    """What inboxes show after the subject, where the owner wrote it."""
    hidden = "display:none;font-size:1px;line-height:1px;max-height:0;max-width:0;opacity:0;overflow:hidden"
    shown = f'<div style="{hidden}">{{{{ preheader | attr }}}}{_FILLING}</div>'
    return f"<mj-raw>{aside(f'{{% if preheader %}}{shown}{{% endif %}}')}</mj-raw>"


def _header(page: Page) -> str:
    name, address = escape(sender_name(page)), web_address(page.store.url)
    logo = page.link(page.brand.logo)
    if logo.present:
        inner = _logo(logo, page)
    else:
        shown = f"<bdi>{name}</bdi>"
        if address:
            shown = f'<a href="{escape(address)}" style="color:{page.brand_ink};text-decoration:none">{shown}</a>'
        inner = (
            f'<mj-text align="{page.align}" font-size="18px" font-weight="700" color="{page.brand_ink}">'
            f'<div dir="{page.direction}">{aside(shown)}</div></mj-text>'
        )
    return (
        '<mj-section padding="10px 0 0"><mj-column><mj-spacer height="6px" /></mj-column></mj-section>'
        '<mj-section css-class="agala-card agala-brand" background-color="#ffffff" padding="22px 24px 6px" '
        f'border-radius="14px 14px 0 0" direction="{page.direction}"><mj-column>{inner}</mj-column></mj-section>'
    )


def _logo(logo: Slot, page: Page) -> str:
    return picture(logo, page.literal(sender_name(page)), page.link(page.store.url), page.brand.logo_width)


def _end(page: Page) -> str:
    spacer = '<mj-column><mj-spacer height="14px" /></mj-column>'
    return section(spacer, page, "0").replace("<mj-section ", '<mj-section border-radius="0 0 14px 14px" ', 1)


def _footer(page: Page) -> str:
    colour = readable(QUIET_INK, page.brand.background)
    link = f'style="color:{colour};text-decoration:underline"'
    lines = [escape(_why(page)), " · ".join(f"<bdi>{escape(part)}</bdi>" for part in _who(page))]
    own = _own_words(page)
    if own:
        lines.append(f"<bdi>{escape(own)}</bdi>".replace("\n", "<br />"))
    links = [f'<a href="{escape(url)}" {link}><bdi>{escape(label)}</bdi></a>' for label, url in _links(page)]
    if links:
        lines.append(" · ".join(links))
    if page.kind is MessageKind.MARKETING:
        words = escape(page.wording.unsubscribe)
        choose = escape(page.wording.preferences)
        lines.append(
            f'<a href="{{{{ mail.unsubscribe_url | attr }}}}" {link}>{words}</a>{{% if mail.preferences_url %}} · '
            f'<a href="{{{{ mail.preferences_url | attr }}}}" {link}>{choose}</a>{{% endif %}}'
        )
    return (
        f'<mj-section css-class="agala-foot" padding="14px 24px 30px" direction="{page.direction}"><mj-column>'
        f'<mj-text align="center" font-size="13px" line-height="1.7" color="{colour}">'
        f'<div dir="{page.direction}">{aside("<br />".join(lines))}</div></mj-text>'
        "</mj-column></mj-section>"
    )


def _why(page: Page) -> str:
    """Why it came. With who sent it, what the law asks: Israel's Communications Law §30A(e), CAN-SPAM §7704(a)(5)."""
    words = page.wording
    why = words.why_marketing if page.kind is MessageKind.MARKETING else words.why_transactional
    if page.to_manager:
        why = words.why_alert
    return why.format(store=sender_name(page))


def _who(page: Page) -> list[str]:
    """Who sent it, from where; each is written in a direction of its own, as an address may begin with a number."""
    sender = page.store.settings.sender
    return [_literal(part) for part in (sender_name(page), sender.address, sender.email) if part]


def _own_words(page: Page) -> str:
    """The store's own words below its emails, in this language, else its own, else the first there are."""
    footer = {primary(language): words for language, words in page.brand.footer.items()}
    words = _in_language(footer, page)
    return "\n".join(_literal(line) for line in words.splitlines())


def _links(page: Page) -> list[tuple[str, str]]:
    brand = page.brand
    links = [
        (_in_language({primary(language): label for language, label in link.label.items()}, page), link.url)
        for link in brand.links
    ]
    links += [(_NETWORKS[network], url) for network, url in brand.socials.items()]
    kept = [(_literal(label), web_address(url)) for label, url in links]
    return [(label, url) for label, url in kept if label and url]


def _in_language(words: dict[str, str], page: Page) -> str:
    for language in (primary(page.language), primary(page.store.locale)):
        if language in words:
            return words[language]
    return next(iter(words.values()), "")


def sender_name(page: Page) -> str:
    return _literal(page.store.settings.sender.name or page.store.name)


def _literal(words: str) -> str:
    """A setting's words, which are never read as Liquid."""
    return one_line(clean(words)).replace("{{", "{\u200c{").replace("{%", "{\u200c%")
