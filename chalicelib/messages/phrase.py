"""Owner's words with personal fields, turned at compile time into the Liquid of an HTML page or of a plain text.

The owner's literal words are escaped here, `**bold**` and `[words](address)` become tags here; what Liquid puts out
is escaped when it is filled in (`messages.liquid_language`). So neither a contact's name nor a product's can smuggle
a tag, a link or Liquid in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any

from chalicelib.messages.liquid_language import OWNERS, PhraseError, Template, paragraph
from chalicelib.messages.liquid_limits import OWNERS_FILTERS, OWNERS_TAGS
from chalicelib.messages.safe_text import clean, isolated, one_line, own_address, web_address

__all__ = ["PhraseError", "bare_phrase", "clean", "isolated", "one_line", "phrase", "unknown_filters", "web_address"]

_PRIVATE = re.compile("[\ue000-\uf8ff]")
# Liquid markup that is held aside while the words around it are read.
_ASIDE, _ASIDE_END = chr(0xE010), chr(0xE011)
_ASIDE_FORM = re.compile(f"{_ASIDE}(\\d+){_ASIDE_END}")
_LIQUID = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_OUTPUT = re.compile(r"(\{\{-?)(.*?)(-?\}\})", re.DOTALL)
_OPENING = re.compile(r"\{[{%]")
_TAG_NAME = re.compile(r"\{%-?\s*(\w+)")
_LINK_FORM = re.compile(r"\[([^\[\]\n]{1,500})\]\(([^()\s]+)\)")
_BOLD_FORM = re.compile(r"\*\*(?=\S)((?:(?!\*\*).){1,2000}?)(?<=\S)\*\*", re.DOTALL)
LONGEST_MARKUP = 2_000  # letters in one {{ … }}: the library's reader goes over them again and again
_BREAKS = re.compile(r"\s*\n\s*")
_EMPTY_LINE = re.compile(r"\n[ \t]*\n")
_BLOCK_TAGS = frozenset(("if", "unless", "case", "for"))
_KNOWN_TAGS = OWNERS_TAGS | {f"end{tag}" for tag in _BLOCK_TAGS} | {"else", "elsif", "when"}
LINK_STYLE = 'class="agala-link" style="color:inherit"'


@dataclass(frozen=True)
class Filled:
    """A plain text with its fields filled in."""

    text: str

    def plain(self) -> str:
        return self.text

    def line(self) -> str:
        """As one line without control characters: for a subject or any other header."""
        return one_line(self.text)


@dataclass(frozen=True)
class Phrase:
    """Owner's Liquid as they wrote it, parsed once; filled as plain text."""

    template: Template

    def fill(self, fields: Mapping[str, Any]) -> Filled:
        """`fields` as `clean` leaves them. Raises PhraseError when a limit is reached."""
        return Filled(self.template.fill(fields))

    def paths(self) -> set[tuple[str, ...]]:
        return self.template.paths()


@lru_cache(maxsize=2048)
def bare_phrase(source: str) -> Phrase:
    """Owner's words that are not read for bold and links: an address, a subject, an SMS. Raises PhraseError for a
    mistake in the Liquid."""
    return Phrase(Template(tidied(source), OWNERS))


def phrase(source: str) -> Phrase:
    """As `bare_phrase`, for words in an email: what bold and links are made of them is read too."""
    html_words(source)
    return bare_phrase(source)


def unknown_filters(parsed: Phrase) -> list[str]:
    return sorted(parsed.template.filters() - OWNERS_FILTERS)


def tidied(source: str) -> str:
    """Without what stands for something else here. Raises PhraseError for Liquid that does not end, which the
    library's reader would look for again and again, and for tags that no owner writes: some of those are read before
    any tag is, and put out what they hold as it stands."""
    text = _PRIVATE.sub("", source.replace("\r\n", "\n"))
    at = 0
    while (found := _OPENING.search(text, at)) is not None:
        closing = "}}" if found.group() == "{{" else "%}"
        end = text.find(closing, found.end())
        if end < 0:
            raise PhraseError(f"expected '{closing}', found end of text")
        if end - found.end() > LONGEST_MARKUP:
            raise PhraseError(f"longer than {LONGEST_MARKUP} letters from {found.group()} to {closing}")
        named = _TAG_NAME.match(text, found.start())
        if closing == "%}" and (named is None or named.group(1) not in _KNOWN_TAGS):
            raise PhraseError(f"unexpected tag '{named.group(1)[:20] if named else ''}'")
        at = end + 2
    return text


def has_liquid(source: str) -> bool:
    return "{{" in source or "{%" in source


def surely_shows(source: str) -> bool:
    """Whether something is left of these words whatever the fields are: a letter outside of every `{% if %}`."""
    depth = 0
    for liquid, literal in _pieces(tidied(source)):
        depth += _deeper(liquid)
        if depth == 0 and literal.strip(" \t\n*"):
            return True
    return False


def html_words(source: str) -> str:
    """HTML Liquid: bold, links, and line breaks as they are. Raises PhraseError."""
    return _woven(source, lambda text: escape(text), ("<strong>", "</strong>"), _html_link)


def plain_words(source: str) -> str:
    """Plain Liquid: a link is its label and its address, or only its label where it leads nowhere. Raises
    PhraseError."""
    return _woven(source, lambda text: text, ("", ""), _plain_link)


def attribute_words(source: str) -> str:
    """HTML Liquid for an attribute, or for one line of words without tags. Raises PhraseError."""
    woven = _woven(source, lambda text: escape(_BREAKS.sub(" ", text)), ("", ""), _plain_link)
    return _OUTPUT.sub(r"\1\2| attr \3", woven)


def line_words(source: str) -> str:
    """Plain Liquid as `plain_words`, in one line as far as the owner's own words go. Raises PhraseError."""
    return _woven(source, lambda text: _BREAKS.sub(" ", text), ("", ""), _plain_link)


def html_paragraphs(source: str, direction: str) -> str | None:
    """HTML Liquid of `<p>`s where the parts between empty lines are known already: each surely shows something, none is
    torn apart by a `{% if %}`. None where that is known only when the fields are."""
    parts = [part.strip() for part in _EMPTY_LINE.split(tidied(source)) if part.strip()]
    if not all(surely_shows(part) and _whole(part) for part in parts):
        return None
    return "".join(paragraph(html_words(part), direction) for part in parts)


def _woven(
    source: str, literal: Callable[[str], str], bold: tuple[str, str], link: Callable[[str, int], tuple[str, str]]
) -> str:
    """The words with their Liquid held aside while bold and links are made of what is around it."""
    aside: list[str] = []

    def hold(markup: str) -> str:
        aside.append(markup)
        return f"{_ASIDE}{len(aside) - 1}{_ASIDE_END}"

    def put_back(text: str) -> str:
        return _ASIDE_FORM.sub(lambda found: aside[int(found.group(1))], text)

    def linked(found: re.Match[str]) -> str:
        label, address = found.group(1), put_back(found.group(2))
        if not (_whole(address) and _whole(put_back(label))):
            return found.group()
        before, after = link(address, found.start())
        return f"{hold(before)}{label}{hold(after)}"

    def emboldened(found: re.Match[str]) -> str:
        inner = found.group(1)
        return f"{hold(bold[0])}{inner}{hold(bold[1])}" if _whole(put_back(inner)) else found.group()

    text = _LIQUID.sub(lambda found: hold(found.group()), _checked(source))
    text = _BOLD_FORM.sub(emboldened, _LINK_FORM.sub(linked, text))
    return put_back(literal(text))


def _html_link(address: str, number: int) -> tuple[str, str]:
    """What stands before the label, and after it."""
    if not has_liquid(address):
        kept = own_address(address)
        return (f'<a href="{escape(kept)}" {LINK_STYLE}>', "</a>") if kept else ("", "")
    name = f"link_{number}"
    opened = f'<a href="{{{{ {name} | attr }}}}" {LINK_STYLE}>'
    return f"{kept_address(name, address)}{{% if {name} %}}{opened}{{% endif %}}", f"{{% if {name} %}}</a>{{% endif %}}"


def _plain_link(address: str, number: int) -> tuple[str, str]:
    if not has_liquid(address):
        kept = own_address(address)
        return "", f" ({kept})" if kept else ""
    name = f"link_{number}"
    return kept_address(name, address), f"{{% if {name} %}} ({{{{ {name} }}}}){{% endif %}}"


def kept_address(name: str, source: str) -> str:
    """Liquid that keeps an owner's address under a name, nil where it leads nowhere. Only who wrote `agala:` means our
    own kind: a field's value cannot bring one in."""
    tag = "own_address" if source.lstrip().startswith("agala:") else "address"
    return f"{{% {tag} {name} %}}{source}{{% end{tag} %}}"


@lru_cache(maxsize=2048)
def _checked(source: str) -> str:
    """The source, if it is Liquid that an owner may write: whole, without what is ours. Raises PhraseError."""
    text = tidied(source)
    if has_liquid(text):
        wrong = unknown_filters(bare_phrase(source))
        if wrong:
            raise PhraseError(f"unknown filter {wrong[0]}")
    return text


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """(Liquid, the literal words after it), the first Liquid empty."""
    end, liquid = 0, ""
    for found in _LIQUID.finditer(text):
        yield liquid, text[end : found.start()]
        end, liquid = found.end(), found.group()
    yield liquid, text[end:]


def _deeper(liquid: str) -> int:
    """1 for Liquid that opens a block, -1 for one that closes it."""
    named = _TAG_NAME.match(liquid)
    name = named.group(1) if named else ""
    return 1 if name in _BLOCK_TAGS else -1 if name.startswith("end") else 0


def _whole(text: str) -> bool:
    """Whether every block of Liquid that begins in it ends in it, and no other does."""
    depth = 0
    for liquid, _ in _pieces(text):
        depth += _deeper(liquid)
        between = _TAG_NAME.match(liquid)
        if depth < 0 or (depth == 0 and between and between.group(1) in ("else", "elsif", "when")):
            return False
    return depth == 0
