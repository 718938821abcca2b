from __future__ import annotations

from typing import Any

from infra.check_state_machines import STEP_FUNCTION, mistakes


def machine(**more: Any) -> dict[str, Any]:
    return {
        "StartAt": "pause",
        "States": {
            "pause": {"Type": "Wait", "Seconds": 60, "Next": "mail"},
            "mail": {"Type": "Task", "Resource": STEP_FUNCTION, "End": True},
        },
        **more,
    }


def test_a_good_machine_has_no_mistakes() -> None:
    assert mistakes({"thanks": machine()}) == []


def test_a_start_that_is_not_there_is_found_by_both_readers_under_the_machines_name() -> None:
    found = mistakes({"thanks": machine(), "broken": machine(StartAt="nowhere")})
    assert len(found) >= 2
    assert all(mistake.startswith("broken: ") for mistake in found)
    assert any("E3601" in mistake for mistake in found)


def test_a_state_nobody_reaches_is_found() -> None:
    lost = machine()
    lost["States"]["lost"] = {"Type": "Succeed"}
    assert mistakes({"lost": lost})
