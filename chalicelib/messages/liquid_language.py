"""The Liquid that messages are written in: few tags, few filters, bounded work, and nothing that it puts out is markup.

There are two dialects. `HTML` escapes whatever is put out, isolates texts by `<bdi>` and makes `<br />` of their line
breaks; `PLAIN` puts out text. Only a `Safe` text is put out as it stands, and what a filter makes of one is not `Safe`
any more. Owners write `OWNERS_TAGS` and `OWNERS_FILTERS`; the others are for what `messages.blocks` writes:

- `{% words name %}…{% endwords %}` fills in and keeps it under that name, or nil where nothing is left to read;
- `{% paragraphs name rtl %}…{% endparagraphs %}` as well, each part between empty lines as a `<p>` of that direction;
- `{% address name %}…{% endaddress %}` as well, nil unless it is http(s); `{% own_address … %}`: or `agala:`;
- `x | attr`: for an attribute, or where a text stands without `<bdi>`, in one line; `x | link`: an address (it is
  empty where it is none); `x | isolated`: for names in plain text; `x | headline`: underlined, in plain text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html import escape
from typing import Any, TextIO

from liquid import Environment
from liquid.ast import BlockNode, Node
from liquid.builtin.expressions import Identifier, parse_identifier
from liquid.builtin.output import Output, OutputNode
from liquid.context import RenderContext
from liquid.exceptions import LiquidError, OutputStreamLimitError
from liquid.expression import Expression
from liquid.parser import get_parser
from liquid.stream import TokenStream
from liquid.stringify import to_liquid_string
from liquid.tag import Tag
from liquid.token import TOKEN_EOF, TOKEN_TAG, Token

from chalicelib.errors import AgalaError
from chalicelib.messages.liquid_limits import (
    OWNERS_FILTERS,
    OWNERS_TAGS,
    BoundedLanguage,
    Context,
    PageLanguage,
    bounded_filter,
    bounded_join,
    bounded_replace,
)
from chalicelib.messages.safe_text import LazyFields, isolated, one_line, own_address, web_address

# What fields of any kind can raise inside a filter or a comparison.
_MISFITS = (LiquidError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
_TAG = re.compile(r"<[^>]*>")
_EMPTY_LINE = re.compile(r"\n[ \t]*\n")
_BREAK = re.compile(r"\s*\n\s*")
_SPECIAL = re.compile("[&<>\"']")
_PRIVATE = re.compile("[\ue000-\uf8ff]")


class PhraseError(AgalaError):
    """The Liquid is wrong or does too much. The text says what, never with a contact's data."""


class Safe(str):
    """HTML of our own making."""

    __slots__ = ()


class _HtmlOutputNode(OutputNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        value = self.expression.evaluate(context)
        if isinstance(value, Safe):
            return buffer.write(value)
        text = _text_of(value, context)
        if context.plain or not text or text.isspace():  # type: ignore[attr-defined]
            return buffer.write(text)
        shown = escape(text) if _SPECIAL.search(text) else text
        if "\n" in shown:
            shown = shown.replace("\n", "<br />")
        return buffer.write(f"<bdi>{shown}</bdi>" if isinstance(value, str) else shown)


class _HtmlOutput(Output):
    node_class = _HtmlOutputNode


class _PlainOutputNode(OutputNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return buffer.write(_text_of(self.expression.evaluate(context), context))


class _PlainOutput(Output):
    node_class = _PlainOutputNode


def _text_of(value: object, context: RenderContext) -> str:
    text = value if isinstance(value, str) else to_liquid_string(value, autoescape=False)
    context.room -= len(text)  # type: ignore[attr-defined]
    if context.room < 0:  # type: ignore[attr-defined]
        raise OutputStreamLimitError("output limit reached", token=None)
    return text


class _KeptNode(Node):
    """A block that is filled in and kept under a name; `made` says what becomes of its text."""

    __slots__ = ("block", "made", "name", "plain")

    def __init__(
        self, token: Token, name: Identifier, block: BlockNode, made: Callable[[str], object], plain: bool
    ) -> None:
        super().__init__(token)
        self.plain = plain
        self.name = name
        self.block = block
        self.made = made

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        assert isinstance(context, Context)
        inner = context.get_buffer()
        context.plain = self.plain
        self.block.render(context, inner)
        context.plain = False
        context.assign(self.name, self.made(inner.getvalue()))
        return 0

    def children(self, static_context: RenderContext, *, include_partials: bool = True) -> list[Node]:
        return [self.block]

    def expressions(self) -> list[Expression]:
        return []

    def template_scope(self) -> list[Identifier]:
        return [self.name]


class _KeptTag(Tag):
    """`{% <name> kept_as [more] %}`"""

    block = True

    def __init__(self, env: Environment, name: str, made: Callable[[str, str], object]) -> None:
        super().__init__(env)
        self.name = name
        self.end = f"end{name}"
        self._made = made

    def parse(self, stream: TokenStream) -> Node:
        token = stream.eat(TOKEN_TAG)
        tokens = stream.into_inner(tag=token)
        name = parse_identifier(self.env, tokens)
        more = "" if tokens.current.kind == TOKEN_EOF else str(parse_identifier(self.env, tokens))
        tokens.expect_eos()
        block = get_parser(self.env).parse_block(stream, frozenset((self.end, TOKEN_EOF)))
        stream.expect(TOKEN_TAG, value=self.end)
        made = self._made
        return _KeptNode(token, name, block, lambda text: made(text, more), self.name.endswith("address"))


def _html_words(text: str, _more: str) -> Safe | None:
    return Safe(text.strip().replace("\n", "<br />")) if _TAG.sub("", text).strip() else None


def _html_paragraphs(text: str, direction: str) -> Safe | None:
    parts = (part.strip() for part in _EMPTY_LINE.split(text))
    return Safe("".join(paragraph(part, direction) for part in parts if _TAG.sub("", part).strip())) or None


def paragraph(html: str, direction: str) -> str:
    """`html`: words, or Liquid that gives them; its line breaks become `<br />`."""
    shown = html.replace("\n", "<br />")
    return f'<p dir="{direction}" style="margin:0 0 12px">{shown}</p>'


def _plain_words(text: str, _more: str) -> str | None:
    return text.strip() or None


def _address(text: str, _more: str) -> str | None:
    return web_address(one_line(text))


def _own_address(text: str, _more: str) -> str | None:
    return own_address(one_line(text))


def _shown(value: object) -> str:
    return value if isinstance(value, str) else to_liquid_string(value, autoescape=False)


def _language(
    environment: Environment,
    output: type[Output],
    tags: Mapping[str, Callable[[str, str], object]],
    filters: Mapping[str, Callable[..., Any]],
) -> Environment:
    environment.add_tag(output)
    kept = OWNERS_TAGS | {"content", "output", "illegal"}  # the last three are Liquid's own, without a name to write
    environment.tags = {name: tag for name, tag in environment.tags.items() if name in kept}
    environment.tags |= {name: _KeptTag(environment, name, made) for name, made in tags.items()}
    known = {name: body for name, body in environment.filters.items() if name in OWNERS_FILTERS}
    known |= {"replace": bounded_replace(known["replace"]), "join": bounded_join(known["join"])}
    environment.filters = {name: bounded_filter(body) for name, body in known.items()} | dict(filters)
    return environment


OWNERS = _language(BoundedLanguage(), _PlainOutput, {}, {})
"""What owners may write, with nothing of ours."""

HTML = _language(
    PageLanguage(),
    _HtmlOutput,
    {"words": _html_words, "paragraphs": _html_paragraphs, "address": _address, "own_address": _own_address},
    {
        "attr": lambda value: _html_attribute(value),
        "link": lambda value: Safe(escape(web_address(_shown(value)) or "")),
        "isolated": lambda value: value,
    },
)
PLAIN = _language(
    PageLanguage(),
    _PlainOutput,
    {"words": _plain_words, "paragraphs": _plain_words, "address": _address, "own_address": _own_address},
    {
        "attr": lambda value: one_line(_shown(value)),
        "link": lambda value: web_address(_shown(value)) or "",
        "isolated": lambda value: isolated(_shown(value)),
        "headline": lambda value: _underlined(one_line(_shown(value))),
    },
)


def _html_attribute(value: object) -> Safe:
    if isinstance(value, Safe):
        return value
    text = _shown(value)
    if "\n" in text:
        text = _BREAK.sub(" ", text)
    return Safe(escape(text) if _SPECIAL.search(text) else text)


def _underlined(line: str) -> str:
    return f"{line}\n{'=' * min(len(line), 60)}"


class Template:
    """Liquid of one dialect, parsed once, filled for every contact. Raises PhraseError for a mistake in it."""

    def __init__(self, source: str, dialect: Environment) -> None:
        self.source = source
        try:
            self._bound = dialect.from_string(source)
        except LiquidError as wrong:
            raise PhraseError(reason(wrong)) from None

    def fill(self, fields: LazyFields | Mapping[str, Any]) -> str:
        """`fields` as `clean` leaves them. Raises PhraseError when a limit is reached, or a value fits nowhere."""
        context = self._bound.context_class(self._bound, globals=fields)
        buffer = context.get_buffer()
        try:
            self._bound.render_with_context(context, buffer)
        except _MISFITS as wrong:
            raise PhraseError(reason(wrong)) from None
        return buffer.getvalue()

    def paths(self) -> set[tuple[str, ...]]:
        """The fields it reads, as paths: ("contact", "first_name"). An index stays out."""
        analysis = self._bound.analyze(include_partials=False)
        reads = [variable for group in analysis.globals.values() for variable in group]
        return {tuple(part for part in variable.segments if isinstance(part, str)) for variable in reads}

    def filters(self) -> set[str]:
        return set(self._bound.analyze(include_partials=False).filters)


def reason(wrong: Exception) -> str:
    """Liquid's own message without the excerpt of the source that follows it; of anything else nothing, for it may tell
    a value."""
    told = str(wrong.message or "") if isinstance(wrong, LiquidError) else "a value does not fit where it stands"
    return (_PRIVATE.sub("", told).splitlines() or [type(wrong).__name__])[0][:200]
