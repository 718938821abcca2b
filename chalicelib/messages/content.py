"""From an owner's content and one contact's facts to a finished email: subject, HTML and its text twin.

Liquid is parsed once per text and kept in memory; the MJML is compiled for each email, by a Rust library that needs
well under a millisecond. That is less than reading a compiled copy from anywhere, and it lets a block
leave itself out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from chalicelib.errors import AgalaError, FieldMistake
from chalicelib.messages.block_forms import (
    ButtonBlock,
    CartItemsBlock,
    CouponBlock,
    HeadingBlock,
    ImageBlock,
    TalkToUsBlock,
    TextBlock,
)
from chalicelib.messages.blocks import render_block
from chalicelib.messages.content_model import EmailContent
from chalicelib.messages.fields import KNOWN, RenderData, fields_of
from chalicelib.messages.layout import page, text_page
from chalicelib.messages.message import MessageKind
from chalicelib.messages.page_parts import Part, Setting
from chalicelib.messages.phrase import Phrase, PhraseError, bare_phrase, phrase, unknown_filters, web_address
from chalicelib.messages.wording import choose_language

__all__ = ["RenderData", "Rendered", "RenderingError", "check_content", "choose_language", "render"]


@dataclass(frozen=True)
class Rendered:
    subject: str
    preheader: str
    html: str
    text: str


class RenderingError(AgalaError):
    """This content cannot become a message. The text names the field (`blocks[2].text`), never a person's data."""


def render(content: EmailContent, data: RenderData) -> Rendered:
    """One language's content for one contact. Raises RenderingError, naming the field."""
    if data.kind is MessageKind.MARKETING and not data.unsubscribe_url:
        raise RenderingError("unsubscribe_url: a marketing email needs one")
    setting = Setting(data, fields_of(data))
    subject = _line("subject", content.subject, setting)
    if not subject:
        raise RenderingError("subject: empty once its fields are filled in")
    preheader = _line("preheader", content.preheader, setting)
    parts: list[Part] = []
    for index, block in enumerate(content.blocks):
        try:
            part = render_block(block, setting)
        except PhraseError as wrong:
            raise RenderingError(f"blocks[{index}]: {wrong}") from None
        if part is not None:
            parts.append(part)
    if not parts:
        raise RenderingError("blocks: nothing to show once the fields are filled in")
    try:
        html = page(subject, preheader, parts, setting)
    except ValueError:
        raise RenderingError("blocks: the layout could not be made") from None
    return Rendered(subject=subject, preheader=preheader, html=html, text=text_page(parts, setting))


def check_words(source: str) -> list[str]:
    """What is wrong with an owner's words: Liquid that cannot be read, fields that do not exist."""
    try:
        parsed = bare_phrase(source)
        messages = [*_unknown(parsed)]
        if not messages:
            parsed.fill({})
    except PhraseError as wrong:
        return [str(wrong)]
    return messages


def check_content(content: EmailContent) -> list[FieldMistake]:
    """Mistakes in one language's Liquid and addresses; each `field` is a path inside the content."""
    mistakes: list[FieldMistake] = []
    for path, source, is_address in _sources(content):
        try:
            parsed = bare_phrase(source) if is_address else phrase(source)
            messages = [*_unknown(parsed)]
            if not messages:
                parsed.fill({})
        except PhraseError as wrong:
            messages = [str(wrong)]
        if is_address and "{" not in source and web_address(source) is None:
            messages.append("expected an address that starts with https:// or http://")
        mistakes.extend(FieldMistake(field=path, message=message) for message in messages)
    return mistakes


def _sources(content: EmailContent) -> Iterator[tuple[str, str, bool]]:
    """Every owner's text as (path, source, whether it is an address)."""
    yield "subject", content.subject, False
    if content.preheader:
        yield "preheader", content.preheader, False
    for index, block in enumerate(content.blocks):
        path = f"blocks[{index}]"
        if (
            isinstance(block, HeadingBlock | TextBlock | ButtonBlock | TalkToUsBlock | CouponBlock)
            and block.text is not None
        ):
            yield f"{path}.text", block.text, False
        if isinstance(block, CartItemsBlock | CouponBlock) and block.button is not None:
            yield f"{path}.button", block.button, False
        if isinstance(block, ImageBlock):
            yield f"{path}.src", block.src, True
            yield f"{path}.alt", block.alt, False
        if isinstance(block, ButtonBlock | ImageBlock | CouponBlock) and block.url is not None:
            yield f"{path}.url", block.url, True


def _unknown(parsed: Phrase) -> Iterator[str]:
    for name in unknown_filters(parsed):
        yield f"unknown filter {name}"
    for path in sorted(parsed.paths()):
        below = KNOWN.get(path[0], frozenset())
        if path[0] not in KNOWN or (below is not None and len(path) > 1 and path[1] not in below):
            yield f"unknown field {'.'.join(path)}"


def _line(field: str, source: str | None, setting: Setting) -> str:
    if not source:
        return ""
    try:
        return bare_phrase(source).fill(setting.fields).line()
    except PhraseError as wrong:
        raise RenderingError(f"{field}: {wrong}") from None
