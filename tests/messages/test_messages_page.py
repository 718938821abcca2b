"""`docs/messages.md` says what is: its examples can be saved, its tables have every block, status and reason."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from chalicelib.commerce.store import StoreSettings
from chalicelib.handlers.api.previews import MessageAsked
from chalicelib.journeys.actions import SendText
from chalicelib.journeys.gallery import gallery
from chalicelib.messages.block_forms import BLOCKS, ContentBlock
from chalicelib.messages.message import MessageStatus
from chalicelib.messages.sms_parts import parts
from chalicelib.messages.template import read_words

PAGE = (Path(__file__).parents[2] / "docs" / "messages.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```json (\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def as_content(data: Any) -> None:
    read_words({"en": data})


def as_block(data: Any) -> None:
    TypeAdapter(ContentBlock).validate_python(data)
    read_words({"en": {"subject": "One", "blocks": [data]}})


def as_preview(data: Any) -> None:
    asked = MessageAsked.model_validate_json(json.dumps(data), strict=True)
    definition = next(one.definition for one in gallery() if one.id == asked.journey)
    assert f"'id': '{asked.step}'" in str(definition)


READ: dict[str, Callable[[Any], object]] = {
    "content": as_content,
    "block": as_block,
    "preview": as_preview,
    "settings": lambda data: StoreSettings.model_validate_json(json.dumps(data), strict=True),
    "step": lambda data: SendText.model_validate_json(json.dumps(data), strict=True),
}


@pytest.mark.parametrize(("kind", "text"), EXAMPLES, ids=lambda one: one[:24])
def test_each_example_is_taken_as_it_stands(kind: str, text: str) -> None:
    READ[kind](json.loads(text))


def rows(heading: str) -> set[str]:
    """The names in the first cells of the table below this heading."""
    below = PAGE.split(f"### {heading}\n", 1)[1].split("\n###", 1)[0]
    return {name for row in re.findall(r"^\| (`.*?) \|", below, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}


def test_the_tables_have_every_block_and_every_status() -> None:
    assert rows("The blocks") == set(BLOCKS)
    assert rows("Why it did, or did not") == {status.value for status in MessageStatus}


def test_sms_are_counted_as_the_page_says() -> None:
    told = re.search(r"^\| Hebrew \| ([\d; ]+) \| ([\d; ]+) \|", PAGE, re.MULTILINE)
    assert told
    lengths, counts = ([int(one) for one in cell.split(";")] for cell in told.groups())
    assert [parts("א" * length) for length in lengths] == counts
    assert (parts("a" * 160), parts("a" * 161)) == (1, 2)
