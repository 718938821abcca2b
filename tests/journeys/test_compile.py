"""What journeys compile to. The golden files show it to a reader; after a wanted change write them anew with
`AGALA_WRITE_GOLDEN=1 pytest tests/journeys/test_compile.py` and read the difference.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from chalicelib.journeys.actions import Wait
from chalicelib.journeys.compile import compile_journey, compile_resume, tasks
from chalicelib.journeys.definition import Definition
from chalicelib.journeys.gallery import gallery
from chalicelib.journeys.plan import first_step, plan
from tests.journeys.sample_journeys import ARN, SAMPLES, branch, end, journey, journeys, lifetime, mail, pause, tag

GOLDEN = Path(__file__).parent / "golden"
_SHOWN = (
    "thank-you-new",
    "replenishment",
    "repeat-purchase",
    "payment-failed",
    "cart-abandonment",
    "cart-abandonment-email-first",
    "checkout-abandonment",
    "welcome",
    "cart-why-reply",
    "upsell",
)
"""The others are compiled and checked by `infra.check_state_machines`; these are worth reading."""
DEFINITIONS = {**SAMPLES, **{f"template-{one.id}": one.definition for one in gallery() if one.id in _SHOWN}}


def compiled(*steps: dict[str, Any]) -> dict[str, Any]:
    states: dict[str, Any] = compile_journey(Definition.parse(journey(*steps)), ARN)["States"]
    return states


@pytest.mark.parametrize("name", DEFINITIONS)
def test_the_state_machine_is_the_golden_one(name: str) -> None:
    path = GOLDEN / f"{name}.asl.json"
    machine = compile_journey(Definition.parse(DEFINITIONS[name]), ARN)
    text = json.dumps(machine, ensure_ascii=False, indent=2) + "\n"
    if os.environ.get("AGALA_WRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, "see this file's docstring"


def test_no_golden_file_is_left_over() -> None:
    assert {path.name.removesuffix(".asl.json") for path in GOLDEN.glob("*.asl.json")} == set(DEFINITIONS)


def machines() -> dict[str, dict[str, Any]]:
    made = {}
    for name, data in DEFINITIONS.items():
        definition = Definition.parse(data)
        made[f"{name}-journey"] = compile_journey(definition, ARN)
        made[f"{name}-resume"] = compile_resume(definition, ARN)
    return made


def test_statelint_finds_nothing(tmp_path: Path) -> None:
    for name, machine in machines().items():
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(machine), encoding="utf-8")
        statelint = Path(sys.executable).with_name("statelint")
        said = subprocess.run([statelint, path], capture_output=True, text=True, timeout=60, check=False)
        assert (said.returncode, said.stdout) == (0, ""), name


def test_cfn_lint_finds_nothing(tmp_path: Path) -> None:
    role = "arn:aws:iam::123456789012:role/states"
    resources = {
        f"Machine{number}": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {"RoleArn": role, "Definition": machine},
        }
        for number, machine in enumerate(machines().values())
    }
    path = tmp_path / "template.json"
    path.write_text(json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}), encoding="utf-8")
    cfn_lint = Path(sys.executable).with_name("cfn-lint")
    said = subprocess.run([cfn_lint, path], capture_output=True, text=True, timeout=120, check=False)
    assert (said.returncode, said.stdout) == (0, "")


def test_wait_and_send_are_two_states_on_the_way() -> None:
    states = compiled(pause("three-days", days=3), mail("hello"))
    assert states["three-days"] == {"Type": "Wait", "Seconds": 259_200, "Next": "hello"}
    assert states["hello"]["End"] is True
    assert states["hello"]["Parameters"] == {
        "store_id.$": "$.store_id",
        "enrolment_id.$": "$.enrolment_id",
        "generation.$": "$.generation",
        "steps": ["hello"],
        "next": None,
    }


def test_neighbours_share_a_task_up_to_a_branch_or_wait() -> None:
    definition = Definition.parse(
        journey(mail("a"), tag("b"), pause("c"), tag("d"), branch("e", [mail("f")], [pause("g")]), mail("h"))
    )
    assert tasks(definition) == {"a": ["a", "b"], "d": ["d", "e"], "f": ["f", "h"], "h": ["h"]}
    states = compile_journey(definition, ARN)["States"]
    assert states["a"]["Parameters"]["next"] == "c"
    assert states["d"]["Parameters"]["next"] == {"then": "f", "else": "g"}
    assert states["e?"] == {
        "Type": "Choice",
        "Choices": [{"Variable": "$.last.go", "StringEquals": "then", "Next": "f"}],
        "Default": "g",
    }


def test_what_can_have_no_effect_is_left_out() -> None:
    states = compiled(mail("a"), branch("b", [pause("c")], []), pause("d"))
    assert not {"c", "d", "b?"} & set(states)
    assert states["a"]["Parameters"]["next"] == {"then": None, "else": None}
    stopped = Definition.kept(journey(mail("a"), branch("b", [end("c")], [end("d"), tag("e")]), mail("f")))
    assert not {"e", "f"} & set(compile_journey(stopped, ARN)["States"])
    assert list(plan(stopped).steps) == ["a", "b", "c", "d"]
    assert "w" in compiled(mail("a"), pause("w"), end("stop"))  # the owner said when it ends


def test_a_journey_that_does_nothing_still_completes() -> None:
    states = compiled(pause("idle"))
    assert states["Done"]["Parameters"]["steps"] == []
    assert states["Done"]["End"] is True


def test_computed_waits_take_their_end_from_the_task_before_them() -> None:
    after_task = compiled(mail("a"), lifetime("w"), mail("b"))
    assert after_task["a"]["Parameters"]["next"] == "w"
    assert after_task["w"]["TimestampPath"] == "$.last.until"
    after_wait = compiled(mail("a"), pause("p"), lifetime("w"), mail("b"))
    assert after_wait["p"]["Next"] == "w when"
    assert after_wait["w when"]["Parameters"]["steps"] == []
    assert after_wait["w when"]["Next"] == "w"
    at_first = compiled(lifetime("w"), mail("b"))
    assert at_first["w"]["TimestampPath"] == "$.until"


def test_only_messages_wait_for_their_time_and_nothing_retries_everything() -> None:
    states = compiled(tag("a"), pause("p"), mail("b"))
    assert "a not now" not in states
    assert states["b"]["Catch"][0] == {"ErrorEquals": ["NotNow"], "ResultPath": "$.not_now", "Next": "b not now"}
    assert states["b later"] == {"Type": "Wait", "TimestampPath": "$.not_now.cause.errorMessage", "Next": "b"}
    retried = {name for retrier in states["b"]["Retry"] for name in retrier["ErrorEquals"]}
    assert not retried & {"States.ALL", "States.TaskFailed", "NotNow", "Held", "Ended"}


def test_whatever_is_retried_leads_to_a_rest_and_back_when_retries_are_used_up() -> None:
    for machine in machines().values():
        states = machine["States"]
        for name, state in states.items():
            if state["Type"] != "Task":
                continue
            retried = {error for retrier in state["Retry"] for error in retrier["ErrorEquals"]}
            (tired,) = [catcher for catcher in state["Catch"] if catcher["Next"] == f"{name} again"]
            assert set(tired["ErrorEquals"]) == retried
            assert {"ProviderBusy", "TryLater", "Lambda.Unknown"} <= retried
            assert ("States.Timeout" in retried) != ("TimeoutSecondsPath" in state)  # there it is an ordinary end
            assert states[f"{name} again"] == {"Type": "Wait", "Seconds": 3600, "Next": name}


def test_the_resume_machine_can_enter_at_every_step_that_is_reached() -> None:
    definition = Definition.parse(SAMPLES["winding"])
    machine = compile_resume(definition, ARN)
    entries = {rule["StringEquals"]: rule["Next"] for rule in machine["States"]["Enter"]["Choices"]}
    assert list(entries) == list(plan(definition).steps)
    assert entries["again"] == "again resumed"
    assert machine["States"]["again resumed"]["TimestampPath"] == "$.until"
    assert entries["twice"] == "twice"
    assert machine["States"]["twice"]["Parameters"]["steps"] == ["twice"]


@pytest.mark.parametrize(
    ("step", "may_wait"),
    [
        ({"type": "create_coupon", "benefit": "percent", "value": 10, "expiry": {"days": 7}}, True),
        ({"type": "alert_manager", "text": {"he": "x"}}, True),
        ({"type": "call_webhook", "url": "https://erp.example/hook"}, True),
        ({"type": "subscribe", "channel": "sms", "reason": "r"}, False),
    ],
)
def test_only_what_may_have_to_wait_pays_for_it(step: dict[str, Any], may_wait: bool) -> None:
    machine = compile_journey(Definition.parse(journey({"id": "act", **step})), ARN)
    assert ("act not now" in machine["States"]) is may_wait


@settings(max_examples=50, deadline=None)
@given(definition=journeys())
def test_every_state_leads_somewhere_and_every_state_is_led_to(definition: Definition) -> None:
    for machine in (compile_journey(definition, ARN), compile_resume(definition, ARN)):
        states = machine["States"]
        led_to = {machine["StartAt"]}
        for state in states.values():
            ways = [state.get("Next"), state.get("Default")]
            ways += [rule["Next"] for rule in [*state.get("Choices", ()), *state.get("Catch", ())]]
            led_to |= {way for way in ways if way}
            assert any(ways) or state.get("End") or state["Type"] in ("Succeed", "Fail")
        assert led_to == set(states)
    assert compile_journey(definition, ARN) == compile_journey(Definition.parse(definition.dump()), ARN)


def test_the_order_of_steps_is_told() -> None:
    definition = Definition.parse(SAMPLES["winding"])
    first = first_step(definition)
    assert isinstance(first, Wait) and first.id == "at-first" and first.computed
    laid = plan(definition)
    assert laid.next_of("opened", "else") == "quiet"
    assert laid.next_of("twice", "then") == "both-ways"  # the ways meet again
    assert laid.next_of("both-ways", None) is None  # the wait after it is idle
    assert laid.next_of("enough", None) is None
