"""Mistakes in a journey's texts: Liquid that cannot be read, fields that do not exist, addresses that are none."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.errors import FieldMistake
from chalicelib.journeys.actions import AlertManager, CallWebhook, SendEmail, SendText
from chalicelib.journeys.definition import Definition
from chalicelib.messages.content import check_content, check_words
from chalicelib.messages.phrase import web_address


def text_mistakes(definition: Definition) -> Iterator[FieldMistake]:
    """`field` is the place (`steps[1].then[0].content.he.subject`), `message` names the step by its id."""
    for place in definition.located():
        if isinstance(place.step, CallWebhook) and web_address(place.step.url) is None:
            message = "expected an address that starts with https:// or http://"
            yield FieldMistake(f"{place.path}.url", f"step {place.step.id!r}: {message}")
        if isinstance(place.step, SendText | AlertManager):
            for language, text in place.step.text.items():
                for message in check_words(text):
                    yield FieldMistake(f"{place.path}.text.{language}", f"step {place.step.id!r}: {message}")
        if not isinstance(place.step, SendEmail):
            continue
        for language, content in place.step.content.items():
            for mistake in check_content(content):
                yield FieldMistake(
                    f"{place.path}.content.{language}.{mistake.field}", f"step {place.step.id!r}: {mistake.message}"
                )
