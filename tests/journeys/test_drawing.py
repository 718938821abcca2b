"""The picture: every step and count is in it, the text is safe, and Hebrew reads from the right."""

from __future__ import annotations

from itertools import combinations
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings

from chalicelib.journeys import actions, condition_forms, triggers, wording_steps, wording_triggers
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


EVERY_CONDITION: list[tuple[dict[str, Any], str, str]] = [
    (
        {"viewed": {"category": "trigger", "at_least_products": 4, "within_days": 14}},
        "צפו באותה קטגוריה ב־14 יום האחרונים, לפחות 4 מוצרים",
        "viewed the same category in the last 14 days, 4 products or more",
    ),
    ({"viewed": {"product": "7", "out_of_stock": True}}, "צפו במוצר 7, שאזל", "viewed product 7, out of stock"),
    ({"wish_list": {"product": "trigger"}}, "ברשימת המשאלות: אותו מוצר", "on the wish list: the same product"),
    ({"segment": {"id": "loyal"}}, "בפלח loyal", "in the segment loyal"),
    ({"topic": {"name": "tea", "at_least": 60}}, "עניין (tea): 60 ומעלה", "interest in tea: 60 or more"),
    ({"benefit": {"none_within_days": 30}}, "לא קיבלו הטבה ב־30 יום האחרונים", "had no benefit in the last 30 days"),
    ({"benefit": {"used": False}}, "ההטבה האחרונה לא מומשה", "the last benefit was not used"),
    (
        {"survey": {"survey": "review", "question": "service", "is": "at_most", "value": 2}},
        "review/service לכל היותר 2",
        "review/service at most 2",
    ),
    (
        {"linked": {"kind": "pet", "field": "species", "is": "equals", "value": "cat"}},
        "pet: species הוא cat",
        "pet: species is cat",
    ),
    (
        {"clock": {"weekdays": ["friday", "saturday"], "from": "09:00", "to": "12:00", "zone": "contact"}},
        "שישי או שבת, בין 09:00 ל־12:00, לפי השעון של איש הקשר",
        "Friday or Saturday, from 09:00 to 12:00, on the contact's clock",
    ),
    ({"clock": {"holiday": True}}, "חג או יום מנוחה", "a holiday or day of rest"),
    ({"random": {"percent": 10}}, "10% באקראי", "10% at random"),
    ({"order": {"is": "paid"}}, "ההזמנה שולמה", "the order is paid"),
    ({"ordered": {"since": "entry"}}, "הזמינו מאז הכניסה למסע", "placed an order since entering"),
    (
        {"field": "consent.sms", "is": "equals", "value": "subscribed"},
        "רשומים ל־SMS",
        "subscribed to SMS",
    ),
    ({"message": {"step": "m", "is": "opened"}}, "ההודעה ״תודה״ נפתחה", "message “Thanks” was opened"),
    ({"step": {"step": "m", "is": "failed"}}, "״תודה״: נכשל", "“Thanks”: failed"),
    (
        {"all": [{"not": {"random": {"percent": 5}}}, {"any": [{"cart": {"is": "open"}}, {"order": {"is": "paid"}}]}]},
        "לא: 5% באקראי וגם (העגלה פתוחה או ההזמנה שולמה)",
        "not: 5% at random and (the cart is open or the order is paid)",
    ),
]


def test_there_are_words_for_every_condition() -> None:
    told: set[str] = set()
    for asked, hebrew, english in EVERY_CONDITION:
        step = Definition.parse(
            journey(mail("m", title={"he": "תודה", "en": "Thanks"}), branch("b", [], [end("e")], asked), mail("n"))
        ).step("b")
        titles = {"he": {"m": "תודה"}, "en": {"m": "Thanks"}}
        said = [wording_steps.detail_of(step, locale, titles[locale]) for locale in ("he", "en")]
        assert said == [hebrew, english]
        assert isinstance(step, actions.Branch)
        told |= {condition_forms.key_of(inner) for _, inner in condition_forms.located(step.condition, "")}
    assert told | {"purchased"} == set(condition_forms.FORMS)


EVERY_STEP: list[tuple[dict[str, Any], str, str]] = [
    (
        {"type": "wait", "until_date": {"field": "birthday", "plus_days": -3, "yearly": True}},
        "עד 3 ימים לפני birthday, בכל שנה, בשעה 09:00",
        "until 3 days before birthday, every year, at 09:00",
    ),
    (
        {"type": "wait", "until_time": {"weekdays": ["sunday", "monday"], "at": "10:00", "zone": "contact"}},
        "עד יום ראשון או שני בשעה 10:00 (שעון איש הקשר)",
        "until Sunday or Monday at 10:00 (the contact's clock)",
    ),
    (
        {"type": "wait", "until_event": {"event": {"type": "list_joined", "list": "vip"}, "at_most": {"days": 7}}},
        "עד: הצטרפות לרשימה: vip, לכל היותר 7 ימים",
        "until: Joins a list: vip, at most 7 days",
    ),
    (
        {
            "type": "set_field",
            "field": "punches",
            "change": "add",
            "units_of": {"category": "7"},
            "undo_on_refund": True,
        },
        "punches + יחידות שנקנו: מקטגוריה 7, מתבטל בהחזר",
        "punches + units bought: from category 7, undone by a refund",
    ),
    (
        {"type": "set_field", "field": "total", "change": "sum", "fields": ["a", "b"]},
        "total = הסכום של a, b",
        "total = the sum of a, b",
    ),
    ({"type": "set_field", "field": "day", "change": "today"}, "day = התאריך של היום", "day = today's date"),
    (
        {"type": "set_field", "field": "kind", "value": "new", "only_if_empty": True, "on_failure": "end"},
        "kind = new, אם ריק (אם נכשל, המסע נגמר)",
        "kind = new, if empty (if it fails, the journey ends)",
    ),
    (
        {"type": "create_coupon", "benefit": "percent", "value": 10, "expiry": {"days": 14}, "not_within_days": 60},
        "כבוי, 10% הנחה, בתוקף 14 יום, לא למי שקיבלו הטבה לפני פחות מ־60 יום",
        "switched off, 10% off, good for 14 days, nobody who had one within 60 days",
    ),
    (
        {
            "type": "create_coupon",
            "enabled": True,
            "benefit": "amount",
            "value": 2550,
            "expiry": {"end_of_month": True},
        },
        "25.50 הנחה, בתוקף עד סוף החודש",
        "25.50 off, good until the end of the month",
    ),
    ({"type": "unsubscribe", "channel": "email", "reason": "inactive"}, "מייל (inactive)", "email (inactive)"),
    ({"type": "add_to_audience", "audience": "lookalike"}, "lookalike", "lookalike"),
    ({"type": "call_webhook", "url": "https://crm.example/in?key=secret"}, "crm.example", "crm.example"),
    ({"type": "start_journey", "journey": "welcome"}, "welcome", "welcome"),
    ({"type": "alert_manager", "text": {"en": "Call {{ contact.first_name }}"}}, "Call …", "Call …"),
    (
        {"type": "split", "ways": [{"name": "a", "weight": 1}, {"name": "control", "weight": 3, "steps": [end("e")]}]},
        "a 25% / control 75%",
        "a 25% / control 75%",
    ),
]


@pytest.mark.parametrize(("step", "hebrew", "english"), EVERY_STEP)
def test_a_step_says_exactly_what_it_does(step: dict[str, Any], hebrew: str, english: str) -> None:
    found = Definition.parse(journey({"id": "s", **step}, mail("m"))).step("s")
    assert (wording_steps.detail_of(found, "he"), wording_steps.detail_of(found, "en")) == (hebrew, english)


@pytest.mark.parametrize(
    ("trigger", "english"),
    [
        ({"type": "product_viewed", "quiet_hours": 2}, "A product is viewed; after 2 hours of quiet"),
        (
            {"type": "price_dropped", "watchers": ["viewed", "wished"], "at_least_percent": 10, "collect_hours": 24},
            "A price drops; whoever viewed it or whoever wished for it, by 10% or more, gathered for 24 hours",
        ),
        (
            {"type": "date_field", "field": "birthday", "days": 3, "yearly": True},
            "A date of the contact: 3 days before birthday; every year, at 09:00",
        ),
        (
            {"type": "date_field", "field": "created_at", "days": 1, "when": "after"},
            "A date of the contact: 1 day after the day of joining; at 09:00",
        ),
        (
            {"type": "holiday", "holiday": "black_friday", "days_before": 2},
            "A holiday: 2 days before black friday; at 09:00",
        ),
        (
            {"type": "inactivity", "of": ["open", "click"], "days": 180},
            "Nothing happens for a while: no open or click in the last 180 days; ",
        ),
        (
            {"type": "inactivity", "of": ["order"], "days": 90, "lifetime": True},
            "Nothing happens for a while: no order in the last 90 days; or as long as the last bought product lasts",
        ),
        (
            {"type": "threshold_reached", "of": "total_spent", "value": 100_000},
            "A threshold is reached: 1,000.00 spent; ",
        ),
        ({"type": "field_changed", "field": "size", "from": "S", "to": "M"}, "A field changes: size S → M; "),
        ({"type": "subscribed", "channel": "sms"}, "Subscribes: SMS; "),
        ({"type": "survey_answered", "form": "review"}, "A survey is answered: review; "),
        (
            {"type": "message_clicked", "step": "m", "link": "https://x.example/"},
            "A message is clicked: m https://x.example/; ",
        ),
        ({"type": "tag_added", "tag": "vip"}, "A tag is added: vip; "),
        ({"type": "coupon_redeemed", "coupon": "ambassador"}, "A coupon is redeemed: ambassador; "),
    ],
)
def test_a_trigger_says_exactly_when(trigger: dict[str, Any], english: str) -> None:
    found = Definition.parse(journey(mail("m"), trigger=trigger)).trigger
    assert (
        "; ".join([wording_triggers.trigger_in_words(found, "en"), wording_triggers.trigger_detail(found, "en")])
        == english
    )
    assert wording_triggers.trigger_in_words(found, "he") != wording_triggers.trigger_in_words(found, "en")


def test_who_leaves_and_every_way_of_a_split_are_drawn() -> None:
    ways = [{"name": "short", "weight": 1, "steps": [mail("one")]}, {"name": "control", "weight": 1}]
    definition = Definition.parse(
        journey(
            {"id": "ab", "type": "split", "ways": ways}, mail("after"), exits=[{"type": "list_left", "list": "news"}]
        )
    )
    picture = drawing_svg(definition, {}, "en")
    assert "Leaves the journey" in picture and "Leaves a list: news" in picture
    assert all(name in picture for name in ("short", "control"))
    text = drawing_text(definition)
    assert '    s0 -->|"short"| s1' in text and '    s0 -->|"control"| s2' in text
