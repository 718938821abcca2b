"""A look over a journey's messages before it is switched on: what a careful colleague would point at.

Mistakes keep a message from being made; warnings are what its owner would rather know before the shoppers do. What
cannot be read at all (Liquid, fields that do not exist) is refused when the journey is saved already.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from chalicelib.commerce.store import Store
from chalicelib.contacts.consent import Channel
from chalicelib.journeys.actions import AlertManager, SendEmail, SendText, Step
from chalicelib.journeys.definition import Definition, Located
from chalicelib.messages.block_forms import (
    Block,
    CouponBlock,
    HeadingBlock,
    HeroBlock,
    ImageBlock,
    SurveyBlock,
    TextBlock,
)
from chalicelib.messages.content import RenderingError
from chalicelib.messages.content_model import EmailContent
from chalicelib.messages.message import MessageKind
from chalicelib.messages.safe_text import web_address
from chalicelib.messages.sms_parts import parts
from chalicelib.messages.wording import primary

Level = Literal["mistake", "warning"]
LONGEST_SUBJECT = 60  # letters: what phones show of it at most
MOST_PARTS = 3
LARGEST_EMAIL = 100_000  # bytes: Gmail cuts an email off at 102 KB, and with it the unsubscribe link
_CAPITALS = re.compile(r"[A-Z]{4,}(?:\W+[A-Z]{4,})+")
_SHOUTED = re.compile(r"!{2,}|\?{2,}|[$₪€]{2,}")
_PRETENDED = re.compile(r"^\s*(?:re|fwd?|השב|תשובה|הועבר)\s*:", re.IGNORECASE)
_BAIT = (
    "100% free",
    "act now",
    "buy now",
    "click here",
    "earn money",
    "free money",
    "guaranteed winner",
    "risk free",
    "urgent",
    "you have won",
    "winner",
    "בחינם לגמרי",
    "לחצו כאן",
    "זכית",
    "כסף קל",
    "ללא סיכון",
    "דחוף",
)
_PLACEHOLDERS = re.compile(r"(^|\.)(example\.(com|org|net)|yourshop\.\w+|your-?store\.\w+|localhost)$", re.IGNORECASE)
_LIQUID = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_NAME = re.compile(r"\{\{-?\s*contact\.(first_name|last_name)\s*-?\}\}")
_ASKED = re.compile(r"\{%-?\s*(?:if|unless|case)\s[^%]*contact\.(first_name|last_name)")
_INLINE_LINK = re.compile(r"\]\((https?://[^()\s]+)\)")


@dataclass(frozen=True)
class Finding:
    """`field` is the path inside the definition, `step` the id of the step."""

    level: Level
    step: str
    field: str
    message: str


@dataclass(frozen=True)
class Shown:
    """A message made with a sample: `size` in bytes of its HTML, `text` of an SMS or of a WhatsApp message."""

    text: str
    size: int = 0


Make = Callable[[Channel, Step, str], Shown]
"""One step's message in one language, made with a sample. Raises RenderingError."""


def check(definition: Definition, store: Store, make: Make) -> list[Finding]:
    """In the order of the steps."""
    found: list[Finding] = []
    for place in definition.located():
        step = place.step
        if isinstance(step, SendEmail):
            found += _email(place, step, store, make)
        elif isinstance(step, SendText):
            found += _text(place, step, store, make)
        elif isinstance(step, AlertManager) and not (store.settings.manager or store.settings.sender.email):
            found.append(_warn(place, "", "nobody is told: settings.manager names nobody"))
    return found


def links_in(definition: Definition) -> dict[str, list[tuple[str, str]]]:
    """Every whole address in its messages, with each (step, field) where it stands; Liquid makes no whole ones."""
    found: dict[str, list[tuple[str, str]]] = {}
    for place in definition.located():
        if isinstance(place.step, SendEmail):
            for language, content in place.step.content.items():
                for path, address in _addresses(content):
                    if not _LIQUID.search(address):
                        where = (place.step.id, f"{place.path}.content.{language}.{path}")
                        found.setdefault(address, []).append(where)
    return found


def _email(place: Located, step: SendEmail, store: Store, make: Make) -> Iterator[Finding]:
    yield from _languages(place, "content", step.content, store)
    for language, content in step.content.items():
        path = f"content.{language}"
        yield from _subject(place, f"{path}.subject", content.subject)
        if not content.preheader:
            yield _warn(place, f"{path}.preheader", "without it, inboxes show the first words of the email instead")
        yield from _blocks(place, path, step, content)
        try:
            shown = make(Channel.EMAIL, step, language)
        except RenderingError as wrong:
            yield Finding("mistake", step.id, f"{place.path}.{path}", str(wrong))
            continue
        if shown.size > LARGEST_EMAIL:
            told = f"{shown.size // 1000} KB: Gmail cuts an email off at 102 KB, with its unsubscribe link"
            yield _warn(place, path, told)
    if step.kind is MessageKind.MARKETING and not store.settings.sender.address:
        yield _warn(place, "", "advertising says where it comes from: settings.sender.address is empty")


def _text(place: Located, step: SendText, store: Store, make: Make) -> Iterator[Finding]:
    channel = Channel.SMS if step.type == "send_sms" else Channel.WHATSAPP
    yield from _languages(place, "text", step.text, store)
    for language in step.text:
        path = f"text.{language}"
        yield from _bare_names(place, path, step.text[language])
        try:
            count = parts(make(channel, step, language).text)
        except RenderingError as wrong:
            yield Finding("mistake", step.id, f"{place.path}.{path}", str(wrong))
            continue
        if channel is Channel.SMS and count > MOST_PARTS:
            yield _warn(place, path, f"it goes out as {count} SMS, and each is paid for")
    if channel is Channel.WHATSAPP and step.template is None:
        told = "without an approved template it reaches only who wrote to the shop in the last 24 hours"
        yield _warn(place, "template", told)


def _languages(place: Located, name: str, told: Mapping[str, Any], store: Store) -> Iterator[Finding]:
    wanted = primary(store.locale)
    if wanted not in {primary(language) for language in told}:
        others = ", ".join(told)
        yield _warn(place, name, f"not in the store's language ({wanted}); everybody gets it in another ({others})")


def _subject(place: Located, path: str, subject: str) -> Iterator[Finding]:
    words = _LIQUID.sub("", subject)
    if len(words) > LONGEST_SUBJECT:
        yield _warn(place, path, f"{len(words)} letters: phones show some {LONGEST_SUBJECT - 20} to {LONGEST_SUBJECT}")
    reasons = [
        (_CAPITALS.search(words), "in capitals"),
        (_SHOUTED.search(words), "with rows of signs"),
        (_PRETENDED.search(words), "as if it were an answer"),
        (any(bait in words.lower() for bait in _BAIT), "with words that spam filters wait for"),
    ]
    told = [reason for found, reason in reasons if found]
    if told:
        yield _warn(place, path, f"written {' and '.join(told)}: it may end among the spam")
    yield from _bare_names(place, path, subject)


def _bare_names(place: Located, path: str, source: str) -> Iterator[Finding]:
    for name in sorted(set(_NAME.findall(source)) - set(_ASKED.findall(source))):
        told = f"of many people no {name} is known: write {{{{ contact.{name} | default: '…' }}}} or ask with if"
        yield _warn(place, path, told)


def _blocks(place: Located, path: str, step: SendEmail, content: EmailContent) -> Iterator[Finding]:
    blocks = list(content.located())
    for where, block in blocks:
        if isinstance(block, ImageBlock) and not block.alt.strip():
            yield _warn(place, f"{path}.{where}.alt", "a picture without words says nothing where pictures are off")
        if isinstance(block, HeroBlock) and block.image and not block.alt.strip():
            yield _warn(place, f"{path}.{where}.alt", "a picture without words says nothing where pictures are off")
        if isinstance(block, TextBlock | HeadingBlock):
            yield from _bare_names(place, f"{path}.{where}.text", block.text)
    kinds: set[type[Block]] = {type(block) for _, block in blocks}
    if kinds <= {ImageBlock}:
        yield _warn(place, path, "it is nothing but pictures: many see none of it, and filters take it for spam")
    if step.kind is MessageKind.TRANSACTIONAL and CouponBlock in kinds:
        told = "it is marked transactional, so nobody can unsubscribe from it; a coupon makes it advertising"
        yield _warn(place, "kind", told)
    for where, address in _addresses(content):
        if not _LIQUID.search(address):
            yield from _address(place, f"{path}.{where}", address)


def _address(place: Located, path: str, address: str) -> Iterator[Finding]:
    if web_address(address) is None:
        yield _warn(place, path, "this is no address")
        return
    parts_of = urlsplit(address)
    if _PLACEHOLDERS.search(parts_of.hostname or ""):
        yield _warn(place, path, "this address is a placeholder; put the real one here")
    elif parts_of.scheme == "http":
        yield _warn(place, path, "http:// warns people away; use https://")


def _addresses(content: EmailContent) -> Iterator[tuple[str, str]]:
    """Every address an owner wrote, with its place."""
    for where, block in content.located():
        for name in ("url", "src", "image"):
            address = getattr(block, name, None)
            if isinstance(address, str):
                yield f"{where}.{name}", address
        if isinstance(block, SurveyBlock):
            for index, choice in enumerate(block.choices):
                if choice.url:
                    yield f"{where}.choices[{index}].url", choice.url
        text = getattr(block, "text", None)
        if isinstance(block, TextBlock | HeroBlock) and isinstance(text, str):
            for found in _INLINE_LINK.findall(text):
                yield f"{where}.text", found


def _warn(place: Located, path: str, message: str) -> Finding:
    field = f"{place.path}.{path}" if path else place.path
    return Finding("warning", place.step.id, field, message)
