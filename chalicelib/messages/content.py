"""From an owner's content and one contact's facts to a finished email: subject, HTML and its text twin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from chalicelib.errors import AgalaError, FieldMistake
from chalicelib.messages.block_forms import FocusBlock
from chalicelib.messages.blocks import BlockError, compile_blocks
from chalicelib.messages.compiled import COMPILED, any_page
from chalicelib.messages.content_model import EmailContent
from chalicelib.messages.fields import KNOWN, RenderData, fields_of
from chalicelib.messages.message import MessageKind
from chalicelib.messages.page_parts import SHOWN
from chalicelib.messages.phrase import Phrase, PhraseError, bare_phrase, phrase, unknown_filters
from chalicelib.messages.safe_text import LazyFields, one_line, own_address
from chalicelib.messages.sources import sources
from chalicelib.messages.wording import choose_language

__all__ = ["RenderData", "Rendered", "RenderingError", "check_content", "choose_language", "render"]

DEEPEST_FOCUS = 4
"""So many focused blocks inside one another, at most: Liquid has an end to how deep it goes."""
_LINE_ENDS = re.compile(r"[ \t]+\n")
_EMPTY_LINES = re.compile(r"\n{3,}")


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
    fields = fields_of(data)
    try:
        compiled = COMPILED.of(content, data.store, data.language, data.kind, data.alert is not None)
        subject = one_line(compiled.subject.fill(fields))
        preheader = one_line(compiled.preheader.fill(fields)) if compiled.preheader else ""
        text = _tidy(compiled.text.fill(fields))
        fields |= {"subject": subject, "preheader": preheader or None}
        html = compiled.html.fill(fields)
        footer = compiled.footer.fill(fields)
    except BlockError as wrong:
        raise RenderingError(f"{wrong.place}: {wrong}") from None
    except PhraseError as wrong:
        raise RenderingError(_named(content, fields, wrong)) from None
    if not subject:
        raise RenderingError("subject: empty once its fields are filled in")
    if not text:
        raise RenderingError("blocks: nothing to show once the fields are filled in")
    if SHOWN in text:
        text = _tidy(text.replace(SHOWN, ""))
    return Rendered(subject=subject, preheader=preheader, html=html, text=f"{text}\n\n{footer}\n".lstrip())


def _tidy(text: str) -> str:
    """Without spaces at the ends of lines, and without the lines of what left itself out."""
    if " \n" in text or "\t\n" in text:
        text = _LINE_ENDS.sub("\n", text)
    return (_EMPTY_LINES.sub("\n\n", text) if "\n\n\n" in text else text).strip()


def _named(content: EmailContent, fields: LazyFields, wrong: PhraseError) -> str:
    """What went wrong, with the field or the block that it went wrong in: found by filling each in alone."""
    for path, source, _ in sources(content):
        try:
            bare_phrase(source).fill(fields)
        except PhraseError as alone:
            return f"{path.rpartition('.')[0] or path}: {alone}"
    return f"blocks: {wrong}"


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
    for path, source, is_address in sources(content):
        try:
            parsed = bare_phrase(source) if is_address else phrase(source)
            messages = [*_unknown(parsed)]
            if not messages:
                parsed.fill({})
        except PhraseError as wrong:
            messages = [str(wrong)]
        if is_address and "{" not in source and own_address(source) is None:
            messages.append("expected an address that starts with https:// or http://")
        mistakes.extend(FieldMistake(field=path, message=message) for message in messages)
    mistakes += _too_deep(content)
    return mistakes or _compiling(content)


def _too_deep(content: EmailContent) -> Iterator[FieldMistake]:
    for place, block in content.located():
        if isinstance(block, FocusBlock) and place.count(".") == DEEPEST_FOCUS:
            yield FieldMistake(place, f"focused blocks are nested at most {DEEPEST_FOCUS} deep")


def _compiling(content: EmailContent) -> list[FieldMistake]:
    """What only shows when its blocks are compiled."""
    try:
        compile_blocks(content.blocks, "blocks", any_page())
    except BlockError as wrong:
        return [FieldMistake(field=wrong.place, message=str(wrong))]
    return []


def _unknown(parsed: Phrase) -> Iterator[str]:
    for name in unknown_filters(parsed):
        yield f"unknown filter {name}"
    for path in sorted(parsed.paths()):
        below = KNOWN.get(path[0], frozenset())
        if path[0] not in KNOWN or (below is not None and len(path) > 1 and path[1] not in below):
            yield f"unknown field {'.'.join(path)[:100]}"
