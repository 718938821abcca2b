"""How much Liquid may do: limits, counted over a whole template, and filters that keep them.

The library counts each loop by itself, and bounds what is written, not what is made on the way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from liquid import Environment
from liquid.context import RenderContext
from liquid.exceptions import LocalNamespaceLimitError, LoopIterationLimitError
from liquid.filter import with_context
from liquid.template import BoundTemplate
from liquid.token import Token
from liquid.undefined import UNDEFINED

OWNERS_TAGS = frozenset(("if", "unless", "case", "for", "assign", "break", "continue"))
OWNERS_FILTERS = frozenset(
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
MOST_ROUNDS = 1_000  # of all loops of one text together
MOST_ROUNDS_IN_ALL = 10_000  # of all texts and blocks of one email
LARGEST_NUMBER = 10**30
MOST_PUT_OUT = 500_000  # letters of all values together
LONGEST_VALUE = 20_000  # letters that a filter may make
MOST_MADE = 1_000_000  # letters that all filters may make together


class Context(RenderContext):
    """Counts what all loops and all values of one template do together: many small loops are as long as a large one."""

    __slots__ = ("made", "plain", "room", "rounds")

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.rounds: int = self.env.most_rounds  # type: ignore[attr-defined]
        self.room = MOST_PUT_OUT
        self.made = MOST_MADE
        self.plain = False  # inside an address, which is escaped as a whole

    def raise_for_loop_limit(self, length: int = 1) -> None:
        self.rounds -= length
        if length > MOST_ROUNDS or self.rounds < 0:
            raise LoopIterationLimitError("loop iteration limit reached", token=None)

    def get(self, path: list[object], *, token: Token | None, default: object = UNDEFINED) -> object:
        """As the library's, shorter where all that a path goes through are dictionaries: nearly always."""
        try:
            found: object = self.scope[path[0]]  # type: ignore[index]
            for segment in path[1:]:
                found = found[segment] if isinstance(found, dict) else self.get_item(found, segment)
        except (LookupError, TypeError):
            return super().get(path, token=token, default=default)
        return found

    def makes(self, letters: int) -> None:
        self.made -= letters
        if letters > LONGEST_VALUE or self.made < 0:
            raise LocalNamespaceLimitError("filters make too long a text", token=None)


class _Bound(BoundTemplate):
    context_class = Context


class BoundedLanguage(Environment):
    """Liquid without files, raw output and unbounded work; what is undefined is empty."""

    template_class = _Bound
    block_nesting_limit = 8
    context_depth_limit = 8
    local_namespace_limit = 20_000
    most_rounds = MOST_ROUNDS


class PageLanguage(BoundedLanguage):
    """For all texts of an email together, with blocks of ours around them: whatever is right alone is right there."""

    block_nesting_limit = 16
    context_depth_limit = 12
    local_namespace_limit = 400_000
    most_rounds = MOST_ROUNDS_IN_ALL


def bounded_filter(filtered: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that makes no text without end, and with the others no work without end."""
    asks = getattr(filtered, "with_context", False)

    def bounded(value: Any, *given: Any, context: Context, **more: Any) -> Any:
        if isinstance(value, range) and len(value) > MOST_ROUNDS:
            raise LoopIterationLimitError("loop iteration limit reached", token=None)
        made = filtered(value, *given, context=context, **more) if asks else filtered(value, *given, **more)
        if isinstance(made, str):
            context.makes(len(made))
        elif isinstance(made, int) and abs(made) > LARGEST_NUMBER:
            raise LocalNamespaceLimitError("filters make too large a number", token=None)
        return made

    bounded.__dict__.update(vars(filtered))
    return with_context(bounded)


def bounded_replace(filtered: Callable[..., Any]) -> Callable[..., Any]:
    """Counted before, since a text in place of each letter of another is made at once."""

    def replace(value: Any, old: Any, new: Any = "", **more: Any) -> Any:
        text, length = str(value), len(str(new))
        if length > 1 and (text.count(str(old)) if str(old) else len(text) + 1) * length > LONGEST_VALUE:
            raise LocalNamespaceLimitError("filters make too long a text", token=None)
        return filtered(value, old, new, **more)

    replace.__dict__.update(vars(filtered))
    return replace


def bounded_join(filtered: Callable[..., Any]) -> Callable[..., Any]:
    def join(value: Any, separator: Any = " ", **more: Any) -> Any:
        if isinstance(value, list | tuple | range) and len(value) * len(str(separator)) > LONGEST_VALUE:
            raise LocalNamespaceLimitError("filters make too long a text", token=None)
        return filtered(value, separator, **more)

    join.__dict__.update(vars(filtered))
    return join
