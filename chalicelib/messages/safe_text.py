"""What nobody outside may bring into a message: control characters, markup of our own, names that are links."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlsplit

_DEEPEST = 10
# Control characters besides the line break, halves of surrogate pairs, private use, noncharacters (Unicode §23.7), and
# what turns the direction of the text around it: embeddings, overrides and isolates (Unicode Annex 9, §2). Joiners and
# what makes one emoji of several stay, and so do emoji that are newer than Python's tables.
_UNWANTED = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\ue000-\uf8ff\ufdd0-\ufdef\ufff9-\uffff\u202a-\u202e\u2066-\u2069"
    + "".join(f"{chr((plane << 16) + 0xFFFE)}{chr((plane << 16) + 0xFFFF)}" for plane in range(1, 17))
    + "\U000f0000-\U0010fffd]"
)
_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# What mail programs and phones turn into a link by themselves.
_LIKE_A_LINK = re.compile(r"(?<=\w)\.(?=[^\W\d_]{2,})|(?<=:)//|(?<=\w)@(?=\w)")
_IN_LINKS = re.compile("[./@]")
_NON_JOINER = "\u200c"
_ISOLATE, _ISOLATE_END = "\u2068", "\u2069"  # Unicode's own <bdi>, for the text twin


class LazyFields(dict[str, Any]):
    """Fields that are made, and cleaned, when a template first reads them: nothing is formatted for nobody.

    What is made stands in the dictionary itself, so that reading it again costs no call.
    """

    __slots__ = ("_makers", "_of")

    def __init__(self, makers: Mapping[str, Callable[[Any], Any]], of: Any) -> None:
        """`makers` say how each is made `of` the one thing that all are made of."""
        super().__init__()
        self._makers = makers
        self._of = of

    def __missing__(self, key: str) -> Any:
        made = self[key] = clean(self._makers[key](self._of))
        return made

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)

    def __bool__(self) -> bool:
        return True

    def items(self) -> Any:
        return [(name, self[name]) for name in self._makers]

    def __str__(self) -> str:
        """Nothing: who writes `{{ contact }}` has named no field."""
        return ""


_CLEAN = (bool, int, float, LazyFields)


def clean(value: Any, depth: int = 0) -> Any:
    """A field's value without what `_UNWANTED` names, all the way down; other objects become text.

    What is nested deeper than any template could read is left out, so that no event can exhaust the stack.
    """
    if isinstance(value, str):
        return value if value.isprintable() else _UNWANTED.sub("", value)  # nothing unwanted is printable
    if value is None or isinstance(value, _CLEAN):
        return value
    if depth > _DEEPEST:
        return None
    if isinstance(value, Mapping):
        return {str(key): clean(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [clean(inner, depth + 1) for inner in value]
    return clean(str(value))


def plain_name(name: Any) -> str | None:
    """What somebody or something is called, such that no mail program makes a link of it: anybody may type a name at
    a checkout, with somebody else's address. An invisible non-joiner stands where an address would hold together."""
    if name is None:
        return None
    if isinstance(name, str) and not _IN_LINKS.search(name):
        return name
    return _LIKE_A_LINK.sub(lambda found: f"{found.group()[:1]}{_NON_JOINER}{found.group()[1:]}", str(name))


def one_line(text: str) -> str:
    """Without line breaks and control characters, spaces joined: what may stand in a mail header."""
    return " ".join(_BREAKS.sub(" ", text).split())


@lru_cache(maxsize=4096)
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


def own_address(text: str) -> str | None:
    """As `web_address`, and also our own kind, `agala:`, which the tracker turns into a link of ours."""
    address = text.strip()
    if not address.startswith("agala:"):
        return web_address(address)
    return quote(address, safe=":/?#[]@!$&'()*+,;=%~-._")


def isolated(name: Any) -> str:
    """For plain text: a name with a direction of its own."""
    return f"{_ISOLATE}{name}{_ISOLATE_END}"
