"""Owner's words with personal fields: Liquid is filled once, and only then turned into HTML or plain text.

Nothing that Liquid puts out is ever markup. Bold, links and the isolation of personal fields are marks of our own
(private-use characters, taken out of every value before), and the HTML is made by escaping the whole filled text
and only then turning the marks into tags. So neither a contact's name nor a product's can smuggle a tag or a link in.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlsplit

from liquid import Environment
from liquid.exceptions import LiquidError
from liquid.template import BoundTemplate

from chalicelib.errors import AgalaError

# Private-use characters: bold, an isolated personal field, a link's address and label.
_BOLD, _BOLD_END, _FIELD, _FIELD_END, _LINK, _LABEL, _LINK_END = (chr(0xE000 + n) for n in range(7))
# Liquid markup that is held aside while the words around it are read for bold and links.
_ASIDE, _ASIDE_END = chr(0xE010), chr(0xE011)
_PRIVATE = re.compile("[\ue000-\uf8ff]")

_LIQUID = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_LINK_FORM = re.compile(r"\[([^\[\]\n]+)\]\(([^()\s]+)\)")
_BOLD_FORM = re.compile(r"\*\*(\S(?:.*?\S)?)\*\*", re.DOTALL)
_ASIDE_FORM = re.compile(f"{_ASIDE}(\\d+){_ASIDE_END}")
_LINK_MARKS = re.compile(f"{_LINK}([^{_LABEL}]*){_LABEL}([^{_LINK_END}]*){_LINK_END}", re.DOTALL)
_EMPTY_FIELD = re.compile(f"{_FIELD}\\s*{_FIELD_END}")

_UNWANTED = frozenset(("Cc", "Co", "Cs", "Cn"))  # control, private use, half a character, not assigned
_DEEPEST = 10

_TAGS = frozenset(("if", "unless", "case", "for", "assign", "break", "continue"))
_FILTERS = frozenset(
    (
        "append",
        "at_least",
        "at_most",
        "capitalize",
        "ceil",
        "default",
        "divided_by",
        "downcase",
        "first",
        "floor",
        "join",
        "last",
        "minus",
        "plus",
        "prepend",
        "remove",
        "replace",
        "round",
        "size",
        "slice",
        "strip",
        "times",
        "truncate",
        "truncatewords",
        "upcase",
        "url_encode",
    )
)


class _Language(Environment):
    """Liquid without files, raw output and unbounded work; what is undefined is empty."""

    block_nesting_limit = 8
    context_depth_limit = 8
    loop_iteration_limit = 500
    local_namespace_limit = 20_000
    output_stream_limit = 100_000


def _language() -> Environment:
    environment = _Language(strict_filters=True)
    kept = _TAGS | {"content", "output", "illegal"}  # the last three are Liquid's own, without a name to write
    environment.tags = {name: tag for name, tag in environment.tags.items() if name in kept}
    environment.filters = {name: body for name, body in environment.filters.items() if name in _FILTERS}
    return environment


_LANGUAGE = _language()


class PhraseError(AgalaError):
    """The Liquid is wrong or does too much. The text says what, never with a contact's data."""


@dataclass(frozen=True)
class Filled:
    """A phrase with its fields filled in, marks and all."""

    marked: str

    @property
    def empty(self) -> bool:
        return not self.plain().strip()

    def plain(self) -> str:
        """As plain text: a link is its label and its address, a link that leads nowhere only its label."""
        text = _LINK_MARKS.sub(_plain_link, self.marked)
        return _PRIVATE.sub("", text)

    def line(self) -> str:
        """As one line without control characters: for a subject or any other header."""
        return one_line(self.plain())

    def html(self) -> str:
        """Escaped, with bold, links and isolated fields as tags. Line breaks stay line breaks."""
        text = _LINK_MARKS.sub(_html_link, html.escape(_EMPTY_FIELD.sub("", self.marked)))
        text = text.replace(_BOLD, "<strong>").replace(_BOLD_END, "</strong>")
        text = text.replace(_FIELD, "<bdi>").replace(_FIELD_END, "</bdi>")
        return _PRIVATE.sub("", text)

    def paragraphs(self) -> Iterator[Filled]:
        """The parts between empty lines."""
        for part in re.split(r"\n[ \t]*\n", self.marked.strip()):
            if _PRIVATE.sub("", part).strip():
                yield Filled(part.strip())


@dataclass(frozen=True)
class Phrase:
    """Parsed once, filled for every contact."""

    template: BoundTemplate

    def fill(self, fields: Mapping[str, Any]) -> Filled:
        """`fields` as `clean` leaves them. Raises PhraseError when a limit is reached."""
        try:
            return Filled(self.template.render(**fields))
        except LiquidError as wrong:
            raise PhraseError(_reason(wrong)) from None

    def paths(self) -> set[tuple[str, ...]]:
        """The fields it reads, as paths: ("contact", "first_name"). An index stays out."""
        analysis = self.template.analyze(include_partials=False)
        reads = [variable for group in analysis.globals.values() for variable in group]
        return {tuple(part for part in variable.segments if isinstance(part, str)) for variable in reads}


@lru_cache(maxsize=2048)
def phrase(source: str) -> Phrase:
    """Parse owner's words: Liquid, **bold**, [label](address). Raises PhraseError for a mistake in the Liquid."""
    aside: list[str] = []

    def put_aside(found: re.Match[str]) -> str:
        aside.append(found.group())
        return f"{_ASIDE}{len(aside) - 1}{_ASIDE_END}"

    def put_back(found: re.Match[str]) -> str:
        liquid = aside[int(found.group(1))]
        return f"{_FIELD}{liquid}{_FIELD_END}" if liquid.startswith("{{") else liquid

    def link(found: re.Match[str]) -> str:
        address = _ASIDE_FORM.sub(lambda held: aside[int(held.group(1))], found.group(2))
        return f"{_LINK}{address}{_LABEL}{found.group(1)}{_LINK_END}"

    text = _LIQUID.sub(put_aside, _PRIVATE.sub("", source.replace("\r\n", "\n")))
    text = _LINK_FORM.sub(link, text)
    text = _BOLD_FORM.sub(f"{_BOLD}\\1{_BOLD_END}", text)
    return Phrase(_parse(_ASIDE_FORM.sub(put_back, text)))


@lru_cache(maxsize=2048)
def bare_phrase(source: str) -> Phrase:
    """Parse words that are not read for bold and links: an address, a subject."""
    return Phrase(_parse(_PRIVATE.sub("", source)))


def _parse(source: str) -> BoundTemplate:
    try:
        return _LANGUAGE.from_string(source)
    except LiquidError as wrong:
        raise PhraseError(_reason(wrong)) from None


def unknown_filters(parsed: Phrase) -> list[str]:
    return sorted(set(parsed.template.analyze(include_partials=False).filters) - _FILTERS)


def _reason(wrong: LiquidError) -> str:
    """Liquid's own message without the excerpt of the source that follows it."""
    return _PRIVATE.sub("", str(wrong.message or type(wrong).__name__)).splitlines()[0]


def clean(value: Any, depth: int = 0) -> Any:
    """A field's value without private-use and control characters, all the way down; other objects become text.

    What is nested deeper than any template could read is left out, so that no event can exhaust the stack.
    """
    if isinstance(value, str):
        return "".join(c for c in value if c == "\n" or unicodedata.category(c) not in _UNWANTED)
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth > _DEEPEST:
        return None
    if isinstance(value, Mapping):
        return {str(key): clean(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [clean(inner, depth + 1) for inner in value]
    return clean(str(value))


def one_line(text: str) -> str:
    """Without line breaks and control characters, spaces joined: what may stand in a mail header."""
    return " ".join("".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text).split())


def web_address(text: str) -> str | None:
    """The address if it is http or https with a host, every unsafe character percent-encoded; else None."""
    address = text.strip()
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme.lower() not in ("http", "https") or not host or any(c.isspace() for c in parts.netloc):
        return None
    return quote(address, safe=":/?#[]@!$&'()*+,;=%~-._")


def _plain_link(found: re.Match[str]) -> str:
    address, label = web_address(_PRIVATE.sub("", found.group(1))), found.group(2)
    return f"{label} ({address})" if address else label


def _html_link(found: re.Match[str]) -> str:
    address, label = web_address(html.unescape(_PRIVATE.sub("", found.group(1)))), found.group(2)
    if not address:
        return label
    return f'<a href="{html.escape(address)}" class="agala-link" style="color:inherit">{label}</a>'
