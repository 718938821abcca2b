"""A journey as a picture: an SVG tree read from top to bottom, mirrored for right-to-left languages.

Own layout: each step is a card; a branch parts into columns, which come together again below it. Steps that can
never have an effect are drawn pale. All lengths are SVG user units (pixels).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from chalicelib.journeys.actions import Branch, Split, Step
from chalicelib.journeys.definition import Definition, always_ends, inner_steps
from chalicelib.journeys.plan import Way, plan
from chalicelib.journeys.wording import localised, word
from chalicelib.journeys.wording_conditions import condition_in_words
from chalicelib.journeys.wording_steps import detail_of, title_of
from chalicelib.journeys.wording_triggers import trigger_detail, trigger_in_words

RIGHT_TO_LEFT = frozenset({"he", "ar", "fa", "yi", "ur"})

_CARD_WIDTH, _CARD_HEIGHT = 296, 76
_DOWN, _PART, _JOIN = 34, 58, 30  # from card to card, into a branch's columns, out of them
_BETWEEN, _MARGIN, _RADIUS = 36, 28, 12
_LINE_LETTERS, _DETAIL_LETTERS, _ROWS = 24, 31, 3

_COLOURS = {
    "trigger": "#4f46e5",
    "goal": "#15803d",
    "exits": "#475569",
    "create_coupon": "#be185d",
    "alert_manager": "#b91c1c",
    "send_email": "#2563eb",
    "send_sms": "#2563eb",
    "send_whatsapp": "#2563eb",
    "wait": "#b45309",
    "branch": "#7c3aed",
    "split": "#7c3aed",
    "end": "#475569",
}
_OTHER_COLOUR = "#0f766e"

# Strokes in a box of 24 by 24.
_ICONS = {
    "trigger": "M13 3 6 13h5l-1 8 8-11h-6z",
    "goal": "M6 21V4M6 5h11l-2.5 3.5L17 12H6",
    "send_email": "M4 6.5h16v11H4zM4 7l8 6 8-6",
    "send_sms": "M5 5h14v10h-8l-4 4v-4H5z",
    "send_whatsapp": "M5 5h14v10h-8l-4 4v-4H5z",
    "wait": "M12 4a8 8 0 1 0 0 16 8 8 0 1 0 0-16M12 8v4.5l3 2",
    "branch": "M12 4v5M12 9l-6 6v5M12 9l6 6v5",
    "split": "M12 4v5M12 9l-6 6v5M12 9l6 6v5",
    "end": "M12 4a8 8 0 1 0 0 16 8 8 0 1 0 0-16M9.5 9.5h5v5h-5z",
    "add_to_list": "M4 7h10M4 12h10M4 17h6M17 13v7M13.5 16.5h7",
    "remove_from_list": "M4 7h14M4 12h10M4 17h6M13.5 17h7",
    "add_tag": "M4 5h8l8 8-7 7-9-8zM8 9h.1",
    "remove_tag": "M4 5h8l8 8-7 7-9-8zM8 9h.1",
    "exits": "M13 5H6v14h7M10 12h10M16.5 8.5 20 12l-3.5 3.5",
    "create_coupon": "M4 8h16v3a1.5 1.5 0 0 0 0 3v3H4v-3a1.5 1.5 0 0 0 0-3zM14 8v9",
    "alert_manager": "M6 17h12l-1.5-2.5V11a4.5 4.5 0 0 0-9 0v3.5zM10.5 19.5h3",
    "call_webhook": "M9 15l6-6M10 7l2-2a3.5 3.5 0 0 1 5 5l-2 2M14 17l-2 2a3.5 3.5 0 0 1-5-5l2-2",
    "subscribe": "M4 7h10M4 12h10M4 17h6M13 16l3 3 5-6",
    "unsubscribe": "M4 7h14M4 12h10M4 17h6M13.5 17h7",
    "start_journey": "M8 5l10 7-10 7z",
    "stop_journey": "M7 7h10v10H7z",
}
_OTHER_ICON = "M5 19l1-4L16 5l3 3L9 18zM14 7l3 3"

_STYLE = (
    "text{font-family:Assistant,Heebo,system-ui,'Segoe UI','Noto Sans Hebrew','DejaVu Sans',Arial,sans-serif}"
    ".t{font-size:14px;font-weight:600;fill:#0f172a}.d{font-size:12px;fill:#64748b}"
    ".k{font-size:12px;font-weight:600;fill:#475569}.n{font-size:12px;font-weight:700;fill:#fff}"
    ".h{font-size:18px;font-weight:700;fill:#0f172a}"
    ".w{fill:none;stroke:#94a3b8;stroke-width:2}.c{fill:#fff;stroke:#e2e8f0}"
    ".i{fill:none;stroke:#fff;stroke-width:1.8;stroke-linecap:round;stroke-linejoin:round}"
)


def drawing_svg(definition: Definition, counts: Mapping[str, int] | None = None, locale: str = "he") -> str:
    """The whole picture as an SVG document. `counts`: how many contacts stand at each step, shown where not zero.

    `locale` is a language code; a region after it (`he_IL`) is ignored.
    """
    return _Drawing(definition, counts or {}, re.split("[-_]", locale)[0].lower()).document()


def drawing_text(definition: Definition, locale: str = "en") -> str:
    """The same as a Mermaid flowchart, for a terminal or a README."""
    laid = plan(definition)
    number = {step_id: f"s{index}" for index, step_id in enumerate(laid.steps)}
    lines = ["flowchart TD", f'    start(["{_mermaid(trigger_in_words(definition.trigger, locale))}"])']
    arrows = [f"    start --> {number[laid.first]}"] if laid.first else []
    for step_id, step in laid.steps.items():
        opening, closing = ("{", "}") if isinstance(step, Branch | Split) else ("[", "]")
        lines.append(f'    {number[step_id]}{opening}"{_mermaid(title_of(step, locale))}"{closing}')
        for way, label in _ways(step, locale):
            following = laid.next_of(step_id, way)
            said = f'|"{_mermaid(label)}"|' if isinstance(step, Split) else f"|{label}|" if label else ""
            if following:
                arrows.append(f"    {number[step_id]} -->{said} {number[following]}")
    return "\n".join([*lines, *arrows]) + "\n"


def _ways(step: Step, locale: str) -> list[tuple[Way | None, str]]:
    """The ways on from a step, each with the word on its arrow."""
    if isinstance(step, Branch):
        return [("then", word("yes", locale)), ("else", word("no", locale))]
    if isinstance(step, Split):
        return [(way.name, way.name) for way in step.ways]
    return [(None, "")]


def _mermaid(text: str) -> str:
    return escape(_printable(text), quote=True)


@dataclass(frozen=True)
class _Size:
    width: float
    height: float


class _Drawing:
    """Coordinates are worked out left to right; `_x` mirrors them at the last moment."""

    def __init__(self, definition: Definition, counts: Mapping[str, int], locale: str) -> None:
        self.definition = definition
        self.counts = counts
        self.locale = locale
        self.mirrored = locale in RIGHT_TO_LEFT
        self.reached = plan(definition).steps
        self.titles = {place.step.id: title_of(place.step, locale) for place in definition.located()}
        self.width = 0.0
        self.wires: list[str] = []
        self.cards: list[str] = []

    def document(self) -> str:
        body = self._measure(self.definition.steps)
        self.width = max(body.width, _CARD_WIDTH) + 2 * _MARGIN
        middle, y = self.width / 2, float(_MARGIN)
        name = localised(self.definition.name, self.locale)
        y = self._heading(name, y)
        y = self._trigger_card(middle, y)
        if self.definition.goal is not None:
            said = condition_in_words(self.definition.goal, self.locale, self.titles)
            y = self._aside("goal", said, middle, y)
        if self.definition.exits:
            leaving = [trigger_in_words(one, self.locale) for one in self.definition.exits]
            y = self._aside("exits", ", ".join(leaving), middle, y)
        if self.definition.steps:
            self._wire(middle, y, middle, y + _DOWN)
            y = self._steps(self.definition.steps, middle, y + _DOWN, leads_on=False)
        height = y + _MARGIN
        direction = "rtl" if self.mirrored else "ltr"
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(self.width)} {_n(height)}" '
            f'width="{_n(self.width)}" height="{_n(height)}" role="img" direction="{direction}" '
            f'lang="{_safe(self.locale)}"><title>{_safe(name)}</title><style>{_STYLE}</style>'
            f'<rect width="100%" height="100%" rx="16" fill="#f8fafc"/>'
            f"{''.join(self.wires)}{''.join(self.cards)}</svg>"
        )

    # Sizes

    def _measure(self, steps: tuple[Step, ...]) -> _Size:
        width, height = float(_CARD_WIDTH), 0.0
        for index, step in enumerate(steps):
            ways = inner_steps(step)
            height += _CARD_HEIGHT + (_DOWN if index < len(steps) - 1 else 0)
            if ways:
                sizes = [self._measure(inner) for _, inner in ways]
                width = max(width, sum(size.width for size in sizes) + _BETWEEN * (len(sizes) - 1))
                height += max(size.height for size in sizes) + _PART + _JOIN
        return _Size(width, height)

    # Steps

    def _steps(self, steps: tuple[Step, ...], middle: float, y: float, leads_on: bool) -> float:
        """Draw these below one another from `y` on; `leads_on`: something follows them. Returns where they end."""
        for index, step in enumerate(steps):
            last = index == len(steps) - 1
            self._step_card(step, middle, y)
            y += _CARD_HEIGHT
            ways = inner_steps(step)
            if ways:
                y = self._columns(step, ways, middle, y, not always_ends(step) and (leads_on or not last))
            if not last:
                if not always_ends(step):
                    self._wire(middle, y, middle, y + _DOWN)
                y += _DOWN
        return y

    def _columns(
        self, step: Step, ways: list[tuple[str, tuple[Step, ...]]], middle: float, top: float, leads_on: bool
    ) -> float:
        sizes = [self._measure(inner) for _, inner in ways]
        bottom = top + _PART + max(size.height for size in sizes) + _JOIN
        x = middle - (sum(size.width for size in sizes) + _BETWEEN * (len(sizes) - 1)) / 2
        for index, ((_, inner), size) in enumerate(zip(ways, sizes, strict=True)):
            column = x + size.width / 2
            self._bend(middle, top, column, top + _PART)
            self._label(self._way_name(step, index), column, top + _PART - 20)
            end = self._steps(inner, column, top + _PART, leads_on)
            if not inner and not leads_on:
                self._full_stop(column, end)
            if leads_on and not any(always_ends(last) for last in inner):
                self._bend_back(column, end, middle, bottom)
            x += size.width + _BETWEEN
        return bottom if leads_on else bottom - _JOIN

    def _way_name(self, step: Step, index: int) -> str:
        if isinstance(step, Split):
            return step.ways[index].name
        return word("no" if index else "yes", self.locale)

    # Pieces

    def _heading(self, name: str, y: float) -> float:
        letters = int((self.width - 2 * _MARGIN) / 10)
        self._text("h", _shortened(name, letters), _MARGIN, y + 18)
        return y + 40

    def _trigger_card(self, middle: float, y: float) -> float:
        trigger = self.definition.trigger
        where = trigger.where
        only = f"{word('only if', self.locale)} {condition_in_words(where, self.locale)}" if where else ""
        detail = ", ".join(part for part in (trigger_detail(trigger, self.locale), only) if part)
        self._card(middle, y, "trigger", trigger_in_words(trigger, self.locale), detail, 0, False)
        return y + _CARD_HEIGHT

    def _aside(self, kind: str, said: str, middle: float, y: float) -> float:
        """The goal, or what makes a contact leave."""
        self._wire(middle, y, middle, y + _DOWN / 2)
        self._card(middle, y + _DOWN / 2, kind, word(kind, self.locale), said, 0, False)
        return y + _DOWN / 2 + _CARD_HEIGHT

    def _step_card(self, step: Step, middle: float, y: float) -> None:
        idle = step.id not in self.reached
        title, detail = self.titles[step.id], detail_of(step, self.locale, self.titles)
        self._card(middle, y, step.type, title, detail, self.counts.get(step.id, 0), idle, step.id)

    def _card(
        self,
        middle: float,
        y: float,
        kind: str,
        title: str,
        detail: str,
        count: int,
        idle: bool,
        step_id: str | None = None,
    ) -> None:
        left = middle - _CARD_WIDTH / 2
        colour = _COLOURS.get(kind, _OTHER_COLOUR)
        lines = _wrapped(title, _LINE_LETTERS)
        tip = ": ".join(part for part in (title, detail) if part)
        tip += f" ({word('idle', self.locale)})" if idle else ""
        marks = (f' data-step="{_safe(step_id)}"' if step_id else "") + (' opacity="0.45"' if idle else "")
        self.cards.append(f"<g{marks}><title>{_safe(tip)}</title>")
        x = self._x(left, _CARD_WIDTH)
        self.cards.append(
            f'<rect class="c" x="{_n(x)}" y="{_n(y)}" width="{_CARD_WIDTH}" height="{_CARD_HEIGHT}" rx="{_RADIUS}"/>'
        )
        self._icon(kind, colour, left + 16, y + (_CARD_HEIGHT - 40) / 2)
        details = _wrapped(detail, _DETAIL_LETTERS, _ROWS - len(lines)) if detail else []
        baseline = y + _CARD_HEIGHT / 2 + 5 - (len(lines) + len(details) - 1) * 9
        for line in lines:
            self._text("t", line, left + 68, baseline)
            baseline += 18
        for line in details:
            self._text("d", line, left + 68, baseline)
            baseline += 18
        if count > 0:
            self._badge(count, left + _CARD_WIDTH, y)
        self.cards.append("</g>")

    def _icon(self, kind: str, colour: str, left: float, y: float) -> None:
        x = self._x(left, 40)
        self.cards.append(
            f'<rect x="{_n(x)}" y="{_n(y)}" width="40" height="40" rx="10" fill="{colour}"/>'
            f'<path class="i" transform="translate({_n(x + 8)} {_n(y + 8)})" d="{_ICONS.get(kind, _OTHER_ICON)}"/>'
        )

    def _badge(self, count: int, right: float, y: float) -> None:
        said = f"{count:,}"
        width = max(26, 12 + 8 * len(said))
        x = self._x(right - width + 10, width)
        self.cards.append(
            f"<g><title>{said} {_safe(word('here now', self.locale))}</title>"
            f'<rect x="{_n(x)}" y="{_n(y - 12)}" width="{width}" height="24" rx="12" fill="#0f172a" stroke="#fff" '
            f'stroke-width="2"/><text class="n" x="{_n(x + width / 2)}" y="{_n(y + 4.5)}" text-anchor="middle" '
            f'direction="ltr">{said}</text></g>'
        )

    def _label(self, text: str, middle: float, y: float) -> None:
        width = 22 + 8 * len(text)
        x = self._x(middle - width / 2, width)
        self.cards.append(
            f'<rect x="{_n(x)}" y="{_n(y - 13)}" width="{width}" height="22" rx="11" fill="#f1f5f9" stroke="#cbd5e1"/>'
            f'<text class="k" x="{_n(x + width / 2)}" y="{_n(y + 2.5)}" text-anchor="middle">{_safe(text)}</text>'
        )

    def _text(self, style: str, text: str, left: float, y: float) -> None:
        """`text-anchor: start` is the right edge where the direction is right to left."""
        self.cards.append(f'<text class="{style}" x="{_n(self._x(left, 0))}" y="{_n(y)}">{_safe(text)}</text>')

    # Lines

    def _wire(self, x1: float, y1: float, x2: float, y2: float) -> None:
        self.wires.append(f'<path class="w" d="M{_n(self._x(x1, 0))} {_n(y1)}L{_n(self._x(x2, 0))} {_n(y2)}"/>')

    def _full_stop(self, x: float, y: float) -> None:
        """Where a way ends without a step."""
        self.wires.append(f'<circle cx="{_n(self._x(x, 0))}" cy="{_n(y + 3)}" r="5" fill="#94a3b8"/>')

    def _bend(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """Down a little, across, and down."""
        self._elbow(x1, y1, x2, y2, y1 + 16)

    def _bend_back(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """Down to just above where the columns meet, across, and down."""
        self._elbow(x1, y1, x2, y2, y2 - 14)

    def _elbow(self, x1: float, y1: float, x2: float, y2: float, across: float) -> None:
        if x1 == x2:
            self._wire(x1, y1, x2, y2)
            return
        a, b = self._x(x1, 0), self._x(x2, 0)
        turn = 10 if b > a else -10
        self.wires.append(
            f'<path class="w" d="M{_n(a)} {_n(y1)}V{_n(across - 10)}Q{_n(a)} {_n(across)} {_n(a + turn)} {_n(across)}'
            f'H{_n(b - turn)}Q{_n(b)} {_n(across)} {_n(b)} {_n(across + 10)}V{_n(y2)}"/>'
        )

    def _x(self, left: float, width: float) -> float:
        return self.width - left - width if self.mirrored else left


# Text

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2


def _printable(text: str) -> str:
    return " ".join(_FORBIDDEN.sub("", text).split())


def _safe(text: str) -> str:
    return escape(_printable(text), quote=True)


def _shortened(text: str, letters: int) -> str:
    text = _printable(text)
    return text if len(text) <= letters else text[: letters - 1].rstrip() + "…"


def _wrapped(text: str, letters: int, rows: int = 2) -> list[str]:
    """At most so many lines, broken at spaces where there are some; an ellipsis for what did not fit."""
    text = _printable(text)
    if len(text) <= letters or rows == 1:
        return [_shortened(text, letters)]
    cut = text.rfind(" ", 0, letters + 1)
    cut = cut if cut > 0 else letters
    return [text[:cut], *_wrapped(text[cut:].strip(), letters, rows - 1)]


def _n(number: float) -> str:
    return f"{number:.1f}".rstrip("0").rstrip(".")
