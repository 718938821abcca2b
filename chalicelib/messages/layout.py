"""The page around the blocks: the store's name on top, the legal footer below, light and dark."""

from __future__ import annotations

from html import escape

import mjml

from chalicelib.messages.message import MessageKind
from chalicelib.messages.page_parts import BRAND, QUIET_INK, Part, Setting, isolated, section
from chalicelib.messages.phrase import clean, one_line, web_address
from chalicelib.messages.wording import wording

_FONTS = "'Segoe UI', 'Helvetica Neue', Helvetica, 'Noto Sans Hebrew', Arial, sans-serif"
_DARK = """
:root { color-scheme: light dark; supported-color-schemes: light dark; }
.agala-link { text-decoration: underline; }
@media (prefers-color-scheme: dark) {
  body, .agala-page, .agala-page > div { background: #14171d !important; background-color: #14171d !important; }
  .agala-card, .agala-card > table { background: #1f242d !important; background-color: #1f242d !important; }
  .agala-card div, .agala-card td, .agala-card p, .agala-card h1, .agala-card strong { color: #eef1f6 !important; }
  .agala-brand div, .agala-brand a, .agala-price div { color: #9db4ff !important; }
  .agala-quiet, .agala-foot div, .agala-foot a { color: #a5adbb !important; }
  .agala-line, .agala-line p { border-color: #3a414d !important; }
  .agala-button td, .agala-button a { color: #ffffff !important; }
}
"""


def page(subject: str, preheader: str, parts: list[Part], setting: Setting) -> str:
    """The whole HTML document. Raises ValueError only if a block made MJML that is none."""
    data = setting.data
    document = (
        f'<mjml lang="{escape(data.language)}" dir="{setting.direction}"><mj-head>'
        f"<mj-title>{escape(subject)}</mj-title><mj-preview>{escape(preheader)}</mj-preview>"
        f'<mj-attributes><mj-all font-family="{_FONTS}" /><mj-column direction="{setting.direction}" />'
        '<mj-text font-size="17px" line-height="1.6" '
        f'padding="6px 0" /><mj-image padding="6px 0" /><mj-table padding="0" /><mj-button padding="0" />'
        f'<mj-divider padding="10px 0" /></mj-attributes><mj-style>{_DARK}</mj-style>'
        '<mj-raw><meta name="color-scheme" content="light dark" />'
        '<meta name="supported-color-schemes" content="light dark" /></mj-raw></mj-head>'
        '<mj-body background-color="#f2f4f7" css-class="agala-page" width="600px">'
        f"{_header(setting)}{''.join(part.mjml for part in parts)}{_end(setting)}{_footer(setting)}"
        "</mj-body></mjml>"
    )
    return str(mjml.mjml2html(document))


def text_page(parts: list[Part], setting: Setting) -> str:
    """The text twin: the same blocks, the same footer."""
    blocks = [part.text.strip() for part in parts if part.text.strip()]
    return "\n\n".join([*blocks, "\n".join(("-- ", *_footer_lines(setting)))]) + "\n"


def _header(setting: Setting) -> str:
    name, address = escape(_sender_name(setting)), web_address(setting.data.store.url)
    inner = f"<bdi>{name}</bdi>"
    if address:
        inner = f'<a href="{escape(address)}" style="color:{BRAND};text-decoration:none">{inner}</a>'
    return (
        '<mj-section padding="10px 0 0"><mj-column><mj-spacer height="6px" /></mj-column></mj-section>'
        '<mj-section css-class="agala-card agala-brand" background-color="#ffffff" padding="22px 24px 6px" '
        f'border-radius="14px 14px 0 0" direction="{setting.direction}"><mj-column><mj-text align="{setting.align}" '
        f'font-size="18px" font-weight="700" color="{BRAND}"><div dir="{setting.direction}">{inner}</div></mj-text>'
        "</mj-column></mj-section>"
    )


def _end(setting: Setting) -> str:
    spacer = '<mj-column><mj-spacer height="14px" /></mj-column>'
    return section(spacer, setting, "0").replace("<mj-section ", '<mj-section border-radius="0 0 14px 14px" ', 1)


def _footer(setting: Setting) -> str:
    lines = "<br />".join((escape(_why(setting)), " · ".join(f"<bdi>{escape(part)}</bdi>" for part in _who(setting))))
    url = setting.data.unsubscribe_url
    if setting.data.kind is MessageKind.MARKETING and url:
        words = wording(setting.data.language).unsubscribe
        lines += f'<br /><a href="{escape(url)}" style="color:{QUIET_INK};text-decoration:underline">{words}</a>'
    return (
        f'<mj-section css-class="agala-foot" padding="14px 24px 30px" direction="{setting.direction}"><mj-column>'
        f'<mj-text align="center" font-size="13px" line-height="1.7" color="{QUIET_INK}">'
        f'<div dir="{setting.direction}">{lines}</div></mj-text>'
        "</mj-column></mj-section>"
    )


def _footer_lines(setting: Setting) -> list[str]:
    lines = [_why(setting), " · ".join(isolated(part) for part in _who(setting))]
    if setting.data.kind is MessageKind.MARKETING and setting.data.unsubscribe_url:
        lines.append(f"{wording(setting.data.language).unsubscribe}: {setting.data.unsubscribe_url}")
    return lines


def _why(setting: Setting) -> str:
    """Why it came. With who sent it, what the law asks: Israel's Communications Law §30A(e), CAN-SPAM §7704(a)(5)."""
    words = wording(setting.data.language)
    why = words.why_marketing if setting.data.kind is MessageKind.MARKETING else words.why_transactional
    if setting.data.alert is not None:
        why = words.why_alert
    return why.format(store=_sender_name(setting))


def _who(setting: Setting) -> list[str]:
    """Who sent it, from where; each is written in a direction of its own, as an address may begin with a number."""
    sender = setting.data.store.settings.sender
    told = (_sender_name(setting), sender.address, sender.email)
    return [one_line(clean(part)) for part in told if part]


def _sender_name(setting: Setting) -> str:
    store = setting.data.store
    return one_line(clean(store.settings.sender.name or store.name))
