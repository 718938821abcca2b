"""Every text and address that an owner writes in an email, with the path of its field."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from chalicelib.messages.block_forms import FocusBlock
from chalicelib.messages.content_model import EmailContent

# By the names of their fields. A test holds these lists against the forms of all blocks.
WORDS = frozenset(("alt", "button", "by", "eyebrow", "high", "label", "low", "message", "text", "title"))
ADDRESSES = frozenset(("image", "src", "url"))


def sources(content: EmailContent) -> Iterator[tuple[str, str, bool]]:
    """As (path, source, whether it is an address), from top to bottom; empty ones are left out."""
    yield "subject", content.subject, False
    if content.preheader:
        yield "preheader", content.preheader, False
    for place, block in content.located():
        yield from _of(block, place)


def _of(form: BaseModel, path: str) -> Iterator[tuple[str, str, bool]]:
    for name in type(form).model_fields:
        value = getattr(form, name)
        if isinstance(value, str) and value and (name in WORDS or name in ADDRESSES):
            yield f"{path}.{name}", value, name in ADDRESSES
        elif isinstance(value, tuple) and not isinstance(form, FocusBlock):
            for index, inner in enumerate(value):
                if isinstance(inner, BaseModel):
                    yield from _of(inner, f"{path}.{name}[{index}]")
