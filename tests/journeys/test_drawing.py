"""The picture: every step and count is in it, the text is safe, and Hebrew reads from the right."""

from __future__ import annotations

from itertools import combinations
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings

from chalicelib.journeys import actions, triggers, wording_steps, wording_triggers
from chalicelib.journeys.definition import Definition
from chalicelib.journeys.drawing import drawing_svg, drawing_text
from chalicelib.journeys.gallery import gallery
from tests.journeys.sample_journeys import SAMPLES, branch, end, journey, journeys, mail, pause

SVG = "{http://www.w3.org/2000/svg}"


def drawn(definition: Definition, locale: str = "en", **counts: int) -> ElementTree.Element:
    return ElementTree.fromstring(drawing_svg(definition, counts, locale))


def cards(picture: ElementTree.Element) -> dict[str, ElementTree.Element]:
    return {group.get("data-step", ""): group for group in picture.iter(f"{SVG}g") if group.get("data-step")}


def box(card: ElementTree.Element) -> tuple[float, float, float, float]:
    rect = next(card.iter(f"{SVG}rect"))
    x, y, width, height = (float(rect.get(name, "")) for name in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


def in_a_row(name: str) -> list[dict[str, Any]]:
    return [branch(f"{name}-{n}", [mail(f"{name}-{n}-yes")], [mail(f"{name}-{n}-no")]) for n in range(5)]


@settings(max_examples=40, deadline=None)
@given(definition=journeys())
@example(definition=Definition.parse(journey(branch("b", in_a_row("yes"), in_a_row("no")), mail("after"))))
def test_every_step_has_a_card_and_no_two_overlap_or_stick_out(definition: Definition) -> None:
    for locale in ("he", "en"):
        picture = drawn(definition, locale)
        found = cards(picture)
        assert list(found) == [place.step.id for place in definition.located()]
        width, height = float(picture.get("width", "")), float(picture.get("height", ""))
        boxes = [box(card) for card in found.values()]
        assert all(left >= 0 and top >= 0 and right <= width and bottom <= height for left, top, right, bottom in boxes)
        for one, other in combinations(boxes, 2):
            assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def test_hebrew_is_the_mirror_image() -> None:
    definition = Definition.parse(SAMPLES["restock"])
    left, right = drawn(definition, "en"), drawn(definition, "he")
    assert (left.get("direction"), right.get("direction")) == ("ltr", "rtl")
    width = float(left.get("width", ""))
    for step, card in cards(left).items():
        mirrored = box(cards(right)[step])
        assert (width - mirrored[2], mirrored[1]) == pytest.approx(box(card)[:2])
    assert (
        box(cards(left)["stocked-up"])[0] < box(cards(left)["restock"])[0]
    )  # yes comes first, where one begins to read


def test_how_many_are_where_is_shown() -> None:
    found = cards(drawn(Definition.parse(SAMPLES["thank-you"]), thanks=0, **{"three-days": 12_345, "gone": 3}))
    texts = {step: ["".join(text.itertext()) for text in card.iter(f"{SVG}text")] for step, card in found.items()}
    assert "12,345" in texts["three-days"]
    assert not any("0" in text for text in texts["thanks"])
    tips = [title.text for title in found["three-days"].iter(f"{SVG}title")]
    assert "12,345 here now" in tips


def test_titles_and_details_are_in_the_readers_language() -> None:
    template = next(template for template in gallery() if template.id == "replenishment")
    definition = Definition.parse(template.definition)
    hebrew, english = drawing_svg(definition, {}, "he_IL"), drawing_svg(definition, {}, "en")
    assert "הגיע הזמן לחדש את המלאי" in hebrew and "הזמנה שולמה" in hebrew
    assert "Time to restock" in english and "An order is paid" in english
    assert "{{" not in hebrew + english and "{%" not in hebrew + english  # no Liquid


def test_nothing_that_is_written_can_break_out() -> None:
    nasty = '<script>alert("1")</script> & \x00\x08]]> \u202e' + "ארוך מאוד " * 30
    definition = Definition.parse(
        journey(mail("m", title={"en": nasty}), branch("b", [], [end("e")]), name={"en": nasty}, goal=_contains(nasty))
    )
    picture = drawing_svg(definition, {}, "en")
    ElementTree.fromstring(picture)
    assert "<script" not in picture and "\x00" not in picture
    assert "<script" not in drawing_text(definition)


def _contains(value: str) -> dict[str, str]:
    return {"field": "fields.note", "is": "contains", "value": value}


def test_what_never_happens_is_pale() -> None:
    found = cards(drawn(Definition.kept(journey(mail("m"), end("e"), mail("never"), pause("idle")))))
    assert [step for step, card in found.items() if card.get("opacity")] == ["never", "idle"]


def test_the_text_form_names_every_step_that_can_be_reached() -> None:
    text = drawing_text(Definition.parse(SAMPLES["restock"]), "en")
    assert text.splitlines() == [
        "flowchart TD",
        '    start(["An order is paid"])',
        '    s0["Add to a list"]',
        '    s1["Wait"]',
        '    s2{"Check"}',
        '    s3["End of the journey"]',
        '    s4["Send an email"]',
        '    s5["Wait"]',
        '    s6["Send an email"]',
        "    start --> s0",
        "    s0 --> s1",
        "    s1 --> s2",
        "    s2 -->|Yes| s3",
        "    s2 -->|No| s4",
        "    s4 --> s5",
        "    s5 --> s6",
    ]


def test_there_are_words_for_the_whole_vocabulary() -> None:
    assert set(wording_triggers.TRIGGERS) == set(triggers.TRIGGERS)
    assert set(wording_steps.STEPS) == set(actions.STEPS)


@pytest.mark.parametrize(
    ("length", "hebrew", "english"),
    [
        ({"days": 1}, "יום", "1 day"),
        ({"days": 2}, "יומיים", "2 days"),
        ({"days": 3, "hours": 1}, "3 ימים ושעה", "3 days and 1 hour"),
        ({"days": 14}, "14 יום", "14 days"),
        ({"minutes": 90}, "90 דקות", "90 minutes"),
    ],
)
def test_lengths_in_words(length: dict[str, int], hebrew: str, english: str) -> None:
    step = Definition.parse(journey(pause("p", **length), mail("m"))).step("p")
    assert (wording_steps.detail_of(step, "he"), wording_steps.detail_of(step, "en")) == (hebrew, english)
