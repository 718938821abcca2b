"""Compiled emails: content, language and what a store puts on every email become Liquid once; sending only fills in.

They are kept in the worker's memory, by a digest of all that they are made of, so that nothing in them is ever old.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import blake2b
from threading import Lock

from chalicelib.commerce.store import Platform, Store
from chalicelib.messages.block_parts import joined
from chalicelib.messages.blocks import BlockError, compile_blocks
from chalicelib.messages.content_model import EmailContent
from chalicelib.messages.layout import html_page, text_footer
from chalicelib.messages.liquid_language import HTML, OWNERS, PLAIN, Template
from chalicelib.messages.message import MessageKind
from chalicelib.messages.page_parts import Page
from chalicelib.messages.phrase import PhraseError, tidied

MOST_KEPT = 64


@dataclass(frozen=True)
class CompiledEmail:
    """`subject` and `preheader` are plain; `html` reads them as fields of these names. `text` is the blocks alone,
    `footer` what the text twin ends with."""

    subject: Template
    preheader: Template | None
    html: Template
    text: Template
    footer: Template


class CompiledEmails:
    """The last `most` that were asked for. Safe to share between threads: two may compile the same, none waits."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._kept: OrderedDict[bytes, CompiledEmail] = OrderedDict()
        self._lock = Lock()

    def of(
        self, content: EmailContent, store: Store, language: str, kind: MessageKind, to_manager: bool
    ) -> CompiledEmail:
        """Raises BlockError or PhraseError for a mistake in the content."""
        key = _digest(content, store, language, kind, to_manager)
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        made = compile_email(content, Page(store, language, kind, to_manager))
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return made

    def __len__(self) -> int:
        return len(self._kept)


COMPILED = CompiledEmails()
"""This process's own."""


def compile_email(content: EmailContent, page: Page) -> CompiledEmail:
    """Raises BlockError for a mistake in a block, PhraseError for one in the subject or preheader."""
    body = joined(compile_blocks(content.blocks, "blocks", page))
    try:
        html = html_page(body, page)
    except ValueError:
        raise BlockError("blocks", "the layout could not be made") from None
    return CompiledEmail(
        subject=Template(tidied(content.subject), OWNERS),
        preheader=Template(tidied(content.preheader), OWNERS) if content.preheader else None,
        html=Template(html, HTML),
        text=Template(body.text, PLAIN),
        footer=Template(text_footer(page), PLAIN),
    )


@cache
def any_page() -> Page:
    """Of no store in particular, for content that is only checked."""
    store = Store(
        id="any",
        platform=Platform.WOOCOMMERCE,
        name="any",
        url="https://store.example",
        country="US",
        currency="USD",
        timezone="UTC",
        locale="en",
        created_at=datetime.fromtimestamp(0, UTC),
    )
    return Page(store, "en", MessageKind.MARKETING)


def _digest(content: EmailContent, store: Store, language: str, kind: MessageKind, to_manager: bool) -> bytes:
    """Of all that `Page` lets a block read of the store."""
    digest = blake2b(digest_size=16)
    for part in _parts(content, store, language, kind, to_manager):
        digest.update(part.encode("utf-8", "surrogatepass"))
        digest.update(b"\0")
    return digest.digest()


def _parts(content: EmailContent, store: Store, language: str, kind: MessageKind, to_manager: bool) -> Iterator[str]:
    yield content.model_dump_json()
    yield store.settings.model_dump_json(include={"brand", "sender", "talk_to_us_url"})
    yield from (store.id, store.name, store.url, store.locale, language, kind.value, str(to_manager))


__all__ = ["COMPILED", "BlockError", "CompiledEmail", "CompiledEmails", "PhraseError", "compile_email"]
