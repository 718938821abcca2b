"""A definition is read whole or refused with every mistake named by step and field."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.errors import BadInput
from chalicelib.journeys import actions, triggers
from chalicelib.journeys.condition_forms import FORMS
from chalicelib.journeys.definition import Definition, from_yaml, json_schema, warnings_of
from chalicelib.journeys.gallery import gallery
from tests.journeys.sample_journeys import CONTENT, SAMPLES, branch, end, journey, journeys, mail, pause, tag


def mistakes(data: Any) -> dict[str, str]:
    with pytest.raises(BadInput) as raised:
        Definition.parse(data)
    return {mistake.field: mistake.message for mistake in raised.value.mistakes}


@pytest.mark.parametrize("name", SAMPLES)
def test_what_was_read_is_written_back_as_it_was(name: str) -> None:
    definition = Definition.parse(SAMPLES[name])
    assert definition.dump() == SAMPLES[name]
    assert Definition.parse(json.loads(json.dumps(definition.dump()))) == definition


@settings(max_examples=30, deadline=None)
@given(definition=journeys())
def test_any_journey_survives_its_own_dump(definition: Definition) -> None:
    assert Definition.parse(definition.dump()) == definition


def test_a_mistake_deep_inside_names_the_field_and_the_step() -> None:
    bad = {"he": {"subject": 5, "blocks": [{"type": "text", "text": "x"}]}}
    found = mistakes(journey(mail("first"), branch("again", [mail("second", content=bad)], [])))
    assert found == {"steps[1].then[0].content.he.subject": "step 'second': expected a text"}


def test_too_few_of_something_are_named_and_so_is_what_speaks_no_language() -> None:
    alone = {"id": "parted", "type": "split", "ways": [{"name": "a", "weight": 1}]}
    assert mistakes(journey(alone)) == {"steps[0].ways": "step 'parted': expected at least 2 of them"}
    said = mistakes(journey({"id": "hello", "type": "send_sms", "text": "Hello"}))
    assert said == {"steps[0].text": "step 'hello': expected an object by language, such as {\"en\": …}"}


def test_all_mistakes_are_told_at_once() -> None:
    found = mistakes(journey(mail("first", kind="loud"), {"id": "x", "type": "wait"}, {"id": "y", "type": "dance"}))
    assert set(found) == {"steps[0].kind", "steps[1]", "steps[2].type"}
    assert found["steps[2].type"].startswith("step 'y': expected a step with a type of wait, send_email")


def focused(condition: Any) -> dict[str, Any]:
    words = [{"type": "text", "text": "x"}]
    inner = {"type": "focus", "if": condition, "blocks": words, "else": words}
    return {
        "en": {
            "subject": "s",
            "blocks": [*words, {"type": "focus", "if": {"ordered": {"since": "entry"}}, "blocks": [inner]}],
        }
    }


def test_a_condition_inside_an_emails_content_is_checked_by_step_and_place() -> None:
    at = "steps[1].content.en.blocks[1].blocks[0]"
    wrong = journey(mail("first"), mail("second", content=focused({"field": "emial", "is": "is_set"})))
    assert list(mistakes(wrong)) == [f"{at}.if.field"]
    about_itself = journey(
        mail("first"), mail("second", content=focused({"message": {"step": "second", "is": "opened"}}))
    )
    [(place, told)] = mistakes(about_itself).items()
    assert place == f"{at}.if.message.step" and told.startswith("step 'second': 'second' does not come before")
    unknown = journey(mail("first"), mail("second", content=focused({"step": {"step": "none", "is": "done"}})))
    assert mistakes(unknown) == {f"{at}.if.step.step": "step 'second': 'none': there is no such step in this journey"}
    unchosen = Definition.parse(
        journey(mail("first", content=focused({"purchased": {"product": "", "since": "entry"}})))
    )
    assert [warning.field for warning in warnings_of(unchosen)][:1] == [
        "steps[0].content.en.blocks[1].blocks[0].if.purchased.product"
    ]


def test_a_condition_with_a_mistake_is_found_inside_all_any_and_not() -> None:
    condition = {"all": [{"not": {"any": [{"field": "emial", "is": "is_set"}]}}]}
    found = mistakes(journey(branch("again", [], [], condition)))
    assert list(found) == ["steps[0].if.all[0].not.any[0].field"]
    assert "expected one of email, phone" in found["steps[0].if.all[0].not.any[0].field"]


@pytest.mark.parametrize(
    ("condition", "field"),
    [
        ({}, "if"),
        ({"field": "email", "is": "is_set", "purchased": {}}, "if"),
        ({"field": "email", "is": "is_set", "value": "x"}, "if"),
        ({"field": "email", "is": "one_of", "value": "x"}, "if"),
        ({"field": "email", "is": "equals", "value": ["x"]}, "if"),
        ({"field": "orders_count", "is": "greater", "value": "3"}, "if"),
        ({"field": "created_at", "is": "before", "value": "yesterday"}, "if"),
        ({"field": "email", "is": "equals", "value": {"a": 1}}, "if.value"),
        ({"purchased": {"product": "1", "category": "2"}}, "if.purchased"),
        ({"purchased": {"since": "entry", "within_days": 3}}, "if.purchased"),
        ({"all": []}, "if.all"),
    ],
)
def test_conditions_that_make_no_sense_are_refused(condition: Any, field: str) -> None:
    assert list(mistakes(journey(branch("again", [], [], condition)))) == [f"steps[0].{field}"]


def test_a_step_id_is_used_once() -> None:
    found = mistakes(journey(mail("first"), branch("again", [tag("first")], [])))
    assert found == {"steps[1].then[0].id": "step 'first': steps[0] has the same id already"}


@pytest.mark.parametrize("step_id", ["", "First", "a b", "-a", "a" * 41, "שלום", "a\n"])
def test_step_ids_are_short_and_plain(step_id: str) -> None:
    assert list(mistakes(journey(mail(step_id)))) == ["steps[0].id"]


def test_a_message_condition_needs_a_step_that_sends() -> None:
    asked = {"message": {"step": "label", "is": "opened"}}
    assert mistakes(journey(tag("label"), branch("again", [], [], asked))) == {
        "steps[1].if.message.step": "step 'again': 'label': that step sends no message in this journey"
    }
    nobody = {"message": {"step": "nobody", "is": "opened"}}
    assert list(mistakes(journey(mail("first"), goal={"not": nobody}))) == ["goal.not.message.step"]


@pytest.mark.parametrize(
    "length", [{}, {"days": 0}, {"days": 366}, {"days": 365, "seconds": 1}, {"days": -1, "hours": 48}]
)
def test_a_wait_lasts_from_a_second_to_a_year(length: dict[str, int]) -> None:
    found = mistakes(journey({"id": "pause", "type": "wait", "for": length}))
    assert all(field.startswith("steps[0].for") for field in found)


def test_size_and_depth_have_limits() -> None:
    assert list(mistakes(journey(*(tag(f"t{n}") for n in range(101))))) == ["steps"]
    deep: list[Any] = [mail("m")]
    for level in range(10):
        deep = [branch(f"b{level}", deep, [])]
    assert "nested at most 10 deep" in next(iter(mistakes(journey(*deep)).values()))
    bottomless: Any = {}
    for _ in range(5000):
        bottomless = {"not": bottomless}
    with pytest.raises(BadInput, match="levels deep"):
        Definition.parse(journey(branch("again", [], [], bottomless)))
    with pytest.raises(BadInput, match="256 KiB"):
        Definition.parse(journey(mail("m"), description={"en": "x" * 300_000}))


@pytest.mark.parametrize("data", [None, [], "x", 5, {}, {"steps": 5}, {"steps": [5]}, {"name": {"en": "\ud800"}}])
def test_what_is_no_journey_is_bad_input_and_nothing_worse(data: Any) -> None:
    with pytest.raises(BadInput):
        Definition.parse(data)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["wait", "branch"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "trigger", "steps", "type", "id", "if", "then", "not", "all", "he", "goal"]), inner
        )
    ),
    max_leaves=12,
)


@settings(max_examples=50, deadline=None)
@given(data=_json, place=st.sampled_from(["trigger", "goal", "steps", "reentry", "name"]))
def test_no_json_makes_reading_fail_otherwise(data: Any, place: str) -> None:
    try:
        Definition.parse({**journey(mail("m")), place: data})
    except BadInput as refused:
        assert refused.detail


# Checks


def test_a_draft_tells_what_is_not_chosen_missing_or_idle() -> None:
    unchosen = {"any": [{"purchased": {"product": None}}, {"field": "lists", "is": "contains", "value": ""}]}
    warnings = warnings_of(
        Definition.parse(
            journey(
                mail("first"),
                branch("again", [end("stop")], [], unchosen),
                branch("nothing", [], []),
                pause("idle"),
                name={"he": "מסע", "en": "Journey"},
            )
        )
    )
    assert [warning.field for warning in warnings] == [
        "steps[1].if.any[0].purchased.product",
        "steps[1].if.any[1].value",
        "steps[0].content.en",
        "steps[2]",
        "steps[3]",
    ]


HAPPENED = {"step": {"step": "answer", "is": "happened"}}
ANSWER = {
    "id": "answer",
    "type": "wait",
    "until_event": {"event": {"type": "survey_answered"}, "at_most": {"days": 3}},
}


@pytest.mark.parametrize(
    ("steps", "field", "said"),
    [
        ([end("stop"), tag("never")], "steps[1]", "step 'never': is never reached"),
        ([branch("b", [end("s"), tag("never")], [])], "steps[0].then[1]", "step 'never': is never reached"),
        ([branch("b", [], [], {"message": {"step": "later", "is": "opened"}}), mail("later")],
         "steps[0].if.message.step", "step 'b': 'later' does not come before"),
        ([branch("b", [mail("one")], [branch("c", [], [], {"message": {"step": "one", "is": "sent"}})])],
         "steps[0].else[0].if.message.step", "step 'c': 'one' does not come before"),
        ([branch("b", [], [], {"step": {"step": "b", "is": "done"}})], "steps[0].if.step.step", "does not come before"),
        ([mail("m"), branch("b", [], [], {"step": {"step": "m", "is": "happened"}})],
         "steps[1].if.step.step", "step 'b': 'm': that step does not wait for an event"),
        ([{**ANSWER, "until_event": {"event": {"type": "holiday", "holiday": "purim"}, "at_most": {"days": 3}}}],
         "steps[0].until_event.event.type", "step 'answer': holiday comes by the calendar"),
    ],
)  # fmt: skip
def test_what_can_never_be_is_refused_with_its_step(steps: list[Any], field: str, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        Definition.parse(journey(*steps))
    (mistake,) = refused.value.mistakes
    assert mistake.field == field
    assert said in mistake.message


def test_a_condition_may_ask_about_whatever_can_have_run_before_it() -> None:
    Definition.parse(
        journey(
            ANSWER,
            branch("b", [mail("one")], [mail("two")], HAPPENED),
            branch(
                "c",
                [branch("d", [], [], {"step": {"step": "c", "is": "done"}})],
                [],
                {"any": [{"message": {"step": "one", "is": "opened"}}, {"message": {"step": "two", "is": "opened"}}]},
            ),
            goal={"message": {"step": "two", "is": "clicked"}},
        )
    )


def test_the_vocabulary_holds_every_building_block() -> None:
    """One example of each trigger and step is read."""
    rest: dict[str, dict[str, Any]] = {
        "send_email": {"content": CONTENT},
        "wait": {"until_event": {"event": {"type": "order_paid"}, "at_most": {"days": 7}}},
        "branch": {"if": {"random": {"percent": 50}}},
        "set_field": {"field": "f", "change": "today"},
        "send_sms": {"text": {"he": "x"}},
        "send_whatsapp": {"text": {"he": "x"}, "template": "t"},
        "alert_manager": {"text": {"he": "x"}, "channels": ["email", "sms"]},
        "create_coupon": {"benefit": "percent", "value": 10, "expiry": {"end_of_month": True}},
        "call_webhook": {"url": "https://erp.example/hook"},
        "split": {"ways": [{"name": "a", "weight": 50}, {"name": "control", "weight": 50}]},
    }
    for kind in actions.STEPS:
        keys = {"list": "l", "tag": "t", "channel": "sms", "reason": "r", "audience": "a", "journey": "j"}
        known = actions.STEPS[kind].model_fields
        body = rest.get(kind) or {key: value for key, value in keys.items() if key in known}
        Definition.parse(journey({"id": "x", "type": kind, **body}))
    for kind, form in triggers.TRIGGERS.items():
        if kind == "journey_entered":
            Definition.parse(journey(mail("m"), exits=[{"type": kind, "journey": "j"}]))
            continue
        keys = {
            "list": "l", "segment": "s", "field": "f", "holiday": "purim", "name": "n", "days": 3, "value": 9,
            "of": ["order"] if kind == "inactivity" else "total_spent", "tag": "t",
        }  # fmt: skip
        required = {name for name, field in form.model_fields.items() if field.is_required()}
        body = {key: value for key, value in keys.items() if key in required}
        Definition.parse(journey(mail("m"), trigger={"type": kind, **body}))


def test_the_published_schema_is_closed_and_knows_every_form() -> None:
    schema = json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    objects = [part for part in schema["$defs"].values() if part.get("type") == "object"]
    assert all(part["additionalProperties"] is False for part in objects)
    assert {form.__name__ for form in FORMS.values()} <= set(schema["$defs"])


def test_the_published_schema_takes_what_is_read_and_refuses_what_is_not() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    validator = jsonschema.Draft202012Validator(json_schema())
    for data in [*SAMPLES.values(), *(template.definition for template in gallery())]:
        assert list(validator.iter_errors(json.loads(json.dumps(data)))) == []
    assert not validator.is_valid(journey(mail("first", kind="loud")))
    assert not validator.is_valid(journey(branch("b", [], [], {"purchased": {}, "any": []})))


# YAML


def test_yaml_and_json_say_the_same() -> None:
    text = json.dumps(SAMPLES["restock"], ensure_ascii=False)  # JSON is YAML too
    assert from_yaml(text) == Definition.parse(SAMPLES["restock"])


@pytest.mark.parametrize(
    "text",
    ["a: [", "a: &x [1]\nb: *x", "- 1", "", "!!python/object/apply:os.getcwd []", "x: 2026-13-45", "\x00", "{" * 3000],
)
def test_bad_yaml_is_bad_input(text: str) -> None:
    with pytest.raises(BadInput):
        from_yaml(text)
