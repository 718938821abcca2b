"""What a shop owner writes in a message, as data. Texts are Liquid; rendering is `messages.content`'s affair."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from chalicelib.journeys.condition_forms import Condition
from chalicelib.messages.block_forms import Block, ContentBlock, FocusBlock, Line, Text

Language = Annotated[str, Field(pattern=r"^[a-z]{2}$")]


class EmailContent(BaseModel):
    """One email in one language. The header (the store's logo or name) and the footer (sender, reason, unsubscribe) are
    added to every email by themselves, from the store's `brand` and `sender`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject: Line
    preheader: Annotated[str, Field(max_length=500)] | None = None
    blocks: Annotated[tuple[ContentBlock, ...], Field(min_length=1, max_length=50)]

    def located(self) -> Iterator[tuple[str, Block]]:
        """Every block with its place (`blocks[2].else[0]`), those inside focused ones too, from top to bottom."""
        yield from _located(self.blocks, "blocks")

    def conditions(self) -> Iterator[tuple[str, Condition]]:
        """What its focused blocks ask, each by its block's place."""
        for place, block in self.located():
            if isinstance(block, FocusBlock):
                yield place, block.condition


def shown(content: EmailContent, focused: Mapping[str, bool]) -> Iterator[tuple[str, Block]]:
    """The blocks that are there when these focused ones apply, each with its place; not the focused ones themselves."""
    yield from _shown(content.blocks, "blocks", focused)


def _shown(blocks: tuple[Block, ...], within: str, focused: Mapping[str, bool]) -> Iterator[tuple[str, Block]]:
    for index, block in enumerate(blocks):
        place = f"{within}[{index}]"
        if not isinstance(block, FocusBlock):
            yield place, block
        elif focused.get(place):
            yield from _shown(block.blocks, f"{place}.blocks", focused)
        else:
            yield from _shown(block.otherwise, f"{place}.else", focused)


def _located(blocks: tuple[Block, ...], within: str) -> Iterator[tuple[str, Block]]:
    for index, block in enumerate(blocks):
        place = f"{within}[{index}]"
        yield place, block
        if isinstance(block, FocusBlock):
            yield from _located(block.blocks, f"{place}.blocks")
            yield from _located(block.otherwise, f"{place}.else")


class WhatsAppContent(BaseModel):
    """One WhatsApp message in one language. With `template`, Meta's approved template of that name in that language:
    `variables` (Liquid) fill its body's places in their order, and where there are none `text` is its one variable;
    else `text` itself, which reaches only who wrote to the shop in the last 24 hours.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: Text
    template: Annotated[str, Field(min_length=1, max_length=512)] | None = None
    variables: Annotated[tuple[Line, ...], Field(max_length=20)] = ()
