"""What every block of one email shares, and the row of the page that it stands in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.messages.fields import RenderData
from chalicelib.messages.phrase import bare_phrase, web_address
from chalicelib.messages.wording import Wording, direction, wording

BRAND = "#2f5bea"  # buttons and the store's name, until a store chooses its own
INK, QUIET_INK, LINE = "#1d2433", "#667085", "#e4e7ec"

_LTR_ISOLATE, _ISOLATE_END = "\u2068", "\u2069"  # Unicode's own <bdi>, for the text twin


@dataclass(frozen=True)
class Part:
    """One block done: MJML of whole sections (every text in it escaped), and its plain-text twin."""

    mjml: str
    text: str


@dataclass(frozen=True)
class Setting:
    """What every block of one email shares."""

    data: RenderData
    fields: Mapping[str, Any]

    @property
    def align(self) -> str:
        return "right" if self.direction == "rtl" else "left"

    @property
    def far(self) -> str:
        return "left" if self.align == "right" else "right"

    @property
    def words(self) -> Wording:
        return wording(self.data.language)

    @property
    def direction(self) -> str:
        return direction(self.data.language)

    def address(self, source: str | None) -> str | None:
        """An owner's address with its fields filled in; None unless it is http or https."""
        return web_address(bare_phrase(source).fill(self.fields).line()) if source else None


def section(inner: str, setting: Setting, padding: str = "6px 24px") -> str:
    """A row of the card."""
    return (
        f'<mj-section css-class="agala-card" background-color="#ffffff" padding="{padding}" '
        f'direction="{setting.direction}">{inner}</mj-section>'
    )


def column(inner: str, setting: Setting, padding: str = "6px 24px") -> str:
    return section(f"<mj-column>{inner}</mj-column>", setting, padding)


def isolated(name: Any) -> str:
    """For the text twin: a name with a direction of its own."""
    return f"{_LTR_ISOLATE}{name}{_ISOLATE_END}"
