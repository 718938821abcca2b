from collections.abc import Iterator
from dataclasses import replace

import pytest

from chalicelib.journeys.actions import SendEmail
from chalicelib.journeys.definition import Definition, check, inner_steps
from chalicelib.journeys.gallery import Template, gallery
from chalicelib.messages.content import check_content, render
from chalicelib.messages.message import MessageKind
from tests.messages.shop import contact, data, event

TEMPLATES = {template.id: template for template in gallery()}


def emails(template: Template) -> list[SendEmail]:
    located = Definition.parse(template.definition).located()
    return [place.step for place in located if isinstance(place.step, SendEmail)]


def languages(template: Template) -> Iterator[tuple[SendEmail, str]]:
    return ((email, language) for email in emails(template) for language in email.content)


def most_emails(steps: tuple[object, ...]) -> int:
    """The most that one pass through these steps can send."""
    total = 0
    for step in steps:
        ways = inner_steps(step)  # type: ignore[arg-type]
        total += isinstance(step, SendEmail) + max((most_emails(way) for _, way in ways), default=0)
    return total


def test_the_gallery_has_the_first_three() -> None:
    assert {"thank-you-new", "replenishment", "repeat-purchase"} <= set(TEMPLATES)


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=list(TEMPLATES))
class TestEveryTemplate:
    def test_can_be_activated_as_it_is(self, template: Template) -> None:
        definition = Definition.parse(template.definition)
        assert check(definition).not_yet == []

    def test_speaks_hebrew_and_english_everywhere(self, template: Template) -> None:
        assert set(template.name) == set(template.description) == {"he", "en"}
        assert all(set(email.content) == {"he", "en"} for email in emails(template))

    def test_touches_are_the_most_messages_of_one_pass(self, template: Template) -> None:
        assert most_emails(Definition.parse(template.definition).steps) == template.touches

    def test_its_texts_have_no_mistakes(self, template: Template) -> None:
        assert [check_content(email.content[language]) for email, language in languages(template)] == [[]] * (
            2 * len(emails(template))
        )

    @pytest.mark.parametrize("known", [True, False], ids=["known", "nameless, product gone"])
    def test_its_emails_read_well_for_whoever_gets_them(self, template: Template, known: bool) -> None:
        for email, language in languages(template):
            facts = data(language=language, kind=email.kind)
            if not known:
                facts = replace(facts, contact=contact(first_name=None), products={}, event=event(items=[]))
            rendered = render(email.content[language], facts)
            for part in (rendered.subject, rendered.preheader, rendered.text):
                assert "{" not in part and "None" not in part
                assert " ," not in part and " !" not in part and " ?" not in part and "  " not in part


def test_what_is_not_chosen_yet_is_a_warning() -> None:
    warnings = check(Definition.parse(TEMPLATES["repeat-purchase"].definition)).warnings
    assert [warning.field for warning in warnings] == [
        "steps[0].if.purchased.category",
        "steps[0].else[0].if.purchased.category",
    ]


def test_only_the_order_itself_is_written_about_without_consent() -> None:
    kinds = {(name, email.id): email.kind for name, template in TEMPLATES.items() for email in emails(template)}
    transactional = [place for place, kind in kinds.items() if kind is MessageKind.TRANSACTIONAL]
    assert transactional == [("thank-you-new", "thank-you")]
