"""The fifteen ready emails: whole in both languages, used by the ready journeys, none like the other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.journeys.actions import SendEmail
from chalicelib.journeys.definition import Definition
from chalicelib.journeys.gallery import gallery
from chalicelib.messages.block_forms import Block, HeroBlock
from chalicelib.messages.content import check_content
from chalicelib.messages.content_model import EmailContent
from chalicelib.messages.gallery import MessageTemplate, message_templates, written
from chalicelib.messages.message import MessageKind

TEMPLATES = {template.id: template for template in message_templates()}
ADVERTISES = {"recommended", "new_arrivals", "viewed_products", "products", "coupon", "countdown", "whatsapp_share"}


def outline(content: EmailContent) -> tuple[str, ...]:
    """What kinds of blocks it is built of, in which tone."""
    return tuple(_kind(block) for _, block in content.located())


def _kind(block: Block) -> str:
    kind: str = block.type  # type: ignore[attr-defined]
    return f"{kind}:{block.tone}" if isinstance(block, HeroBlock) else kind


def emails() -> Iterator[tuple[str, SendEmail]]:
    """Of every ready journey."""
    for journey in gallery():
        for place in Definition.parse(journey.definition).located():
            if isinstance(place.step, SendEmail):
                yield journey.id, place.step


def test_there_are_fifteen_and_the_journeys_use_every_one() -> None:
    assert len(TEMPLATES) == 15
    named = [step.template for _, step in emails() if step.template]
    assert set(named) == set(TEMPLATES)


def test_a_step_that_names_one_has_its_words() -> None:
    """Served definitions are whole; whoever changes one does not change the next."""
    steps = [step for _, step in emails() if step.template]
    assert all(step.content == TEMPLATES[step.template or ""].content for step in steps)
    held: list[dict[str, Any]] = [one["content"] for journey in gallery() for one in _steps(journey.definition)]
    assert not {id(content) for content in held} & {id(one["content"]) for one in written().values()}
    assert len({id(content) for content in held}) == len(held)


def _steps(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict) and node.get("type") == "send_email":
        yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _steps(inner)


def test_no_two_are_built_alike() -> None:
    outlines = {template.id: outline(template.content["he"]) for template in TEMPLATES.values()}
    assert len(set(outlines.values())) == 15


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=list(TEMPLATES))
class TestEveryTemplate:
    def test_says_the_same_in_hebrew_and_in_english(self, template: MessageTemplate) -> None:
        for told in (template.name, template.description, template.use, template.content):
            assert list(told) == ["he", "en"]
        assert outline(template.content["he"]) == outline(template.content["en"])

    def test_has_no_mistakes(self, template: MessageTemplate) -> None:
        assert [check_content(content) for content in template.content.values()] == [[], []]

    def test_a_subject_fits_a_phone_and_the_preheader_adds_to_it(self, template: MessageTemplate) -> None:
        for content in template.content.values():
            assert len(re.sub(r"{%.*?%}|{{.*?}}", "", content.subject)) <= 50
            assert content.preheader and content.preheader != content.subject
            assert len(content.preheader) <= 90

    def test_what_is_about_an_order_advertises_nothing(self, template: MessageTemplate) -> None:
        kinds = {step.kind for _, step in emails() if step.template == template.id}
        assert len(kinds) == 1
        if kinds == {MessageKind.TRANSACTIONAL}:
            assert not ADVERTISES & set(outline(template.content["he"]))


def test_hebrew_addresses_nobody_by_gender() -> None:
    """No slashes between forms, and none of the words that are only said to a man or only to a woman."""
    only_one = r"\b(אתה|הינך|לחצי|הקלק|הקליקי|קני|שלחי|בוא|בואי|תוכל|תוכלי|יקר|יקרה|מוזמן|מוזמנת|תקבל|תקבלי)\b"
    for journey, step in emails():
        said = step.content["he"].model_dump_json()
        assert not re.search(only_one, said), (journey, step.id)
        assert not re.search(r"[א-ת]/[א-ת]", said), (journey, step.id)
