from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest

from chalicelib.ids import enrolment_id
from chalicelib.journeys.enrolment import Enrolment
from tests.api.client import Caller
from tests.api.conftest import ApiWiring

CONTENT = {"subject": "שלום", "blocks": [{"type": "text", "text": "תודה {{ contact.first_name }}"}]}
THANKS = {
    "name": {"he": "תודה"},
    "trigger": {"type": "order_paid"},
    "reentry": {"mode": "per_order"},
    "steps": [
        {"id": "mail-1", "type": "send_email", "kind": "transactional", "content": {"he": CONTENT}},
        {"id": "pause", "type": "wait", "for": {"days": 3}},
        {"id": "mail-2", "type": "send_email", "kind": "marketing", "content": {"he": CONTENT}},
    ],
}
CONTACT = "01m7z00000000000000000dana"


@pytest.fixture
def path(store: dict[str, Any]) -> str:
    return f"/v1/stores/{store['id']}/journeys/thanks"


def _broken(**changes: Any) -> dict[str, Any]:
    definition = copy.deepcopy(THANKS)
    definition["steps"][0] |= changes  # type: ignore[index]
    return definition


def test_a_draft_is_saved_and_activated_as_a_version(call: Caller, path: str, store: dict[str, Any]) -> None:
    saved = call("PUT", path, THANKS)
    assert saved.status == 200
    assert (saved.json["status"], saved.json["version"], saved.json["definition"]) == ("draft", None, None)
    assert saved.json["draft"]["steps"] == THANKS["steps"]
    activated = call("POST", f"{path}/activate")
    assert activated.status == 200
    assert (activated.json["status"], activated.json["version"]) == ("active", 1)
    assert activated.json["definition"]["steps"] == THANKS["steps"]
    renamed = {**THANKS, "name": {"he": "תודה רבה"}}
    assert call("PUT", path, renamed).json["version"] == 1
    assert call("POST", f"{path}/activate").json["version"] == 2
    listed = call("GET", f"/v1/stores/{store['id']}/journeys").json["items"]
    assert [(journey["id"], journey["version"]) for journey in listed] == [("thanks", 2)]
    assert call("GET", path).json["name"] == {"he": "תודה רבה"}


def test_pause_resume_stop_and_archive(call: Caller, path: str) -> None:
    call("PUT", path, THANKS)
    assert call("POST", f"{path}/pause").status == 409
    call("POST", f"{path}/activate")
    for change, status in (("pause", "paused"), ("resume", "active"), ("stop", "stopped"), ("archive", "archived")):
        changed = call("POST", f"{path}/{change}")
        assert changed.status == 200
        assert changed.json["status"] == status
        assert call("GET", path).json["status"] == status
    assert call("POST", f"{path}/activate").status == 409
    assert call("PUT", path, THANKS).status == 409


@pytest.mark.parametrize(
    ("definition", "field", "step"),
    [
        (_broken(type="send_pigeon"), "steps[0].type", "mail-1"),
        (_broken(id="pause"), "steps[1].id", "pause"),
        (
            _broken(content={"he": {"subject": "x", "blocks": [{"type": "text"}]}}),
            "steps[0].content.he.blocks[0].text",
            "mail-1",
        ),
        (_broken(colour="blue"), "steps[0].colour", "mail-1"),
    ],
)
def test_a_mistake_is_named_by_step_and_field_and_nothing_is_saved(
    call: Caller, path: str, definition: dict[str, Any], field: str, step: str
) -> None:
    refused = call("PUT", path, definition)
    assert refused.status == 422
    assert field in refused.fields
    assert step in str(refused.json["errors"])
    assert call("GET", path).status == 404


@pytest.mark.parametrize("body", [{}, {"steps": []}, {"name": 1}, THANKS | {"more": 1}])
def test_what_is_no_journey_is_refused(call: Caller, path: str, body: Any) -> None:
    refused = call("PUT", path, body)
    assert refused.status == 422
    assert refused.fields


def test_an_address_that_can_be_no_journey_is_named(call: Caller, path: str) -> None:
    for bad in ("Thanks", "a" * 41, "%D7%AA", "-x"):
        refused = call("PUT", path.replace("thanks", bad), THANKS)
        assert refused.status == 422
        assert refused.fields == ["journey_id"]
        assert call("GET", path.replace("thanks", bad)).status == 404


def test_a_store_setting_that_cannot_be_obeyed_is_told_at_activation(
    call: Caller, path: str, store: dict[str, Any]
) -> None:
    nowhere = {"country": "IN", "timezone": "Asia/Kolkata", "settings": {"rest_days": True}}
    call("PATCH", f"/v1/stores/{store['id']}", nowhere)
    call("PUT", path, THANKS)
    warnings = call("POST", f"{path}/activate").json["warnings"]
    assert [warning["field"] for warning in warnings] == ["settings.rest_days"]


def test_every_ready_journey_can_be_saved_and_activated_just_as_it_is(call: Caller, store: dict[str, Any]) -> None:
    templates = call("GET", "/v1/journey-templates").json["items"]
    for template in templates:
        path = f"/v1/stores/{store['id']}/journeys/{template['id']}"
        assert call("PUT", path, template["definition"]).status == 200
        assert call("POST", f"{path}/activate").json["status"] == "active"


def test_the_state_machine_carries_the_steps_ids(call: Caller, path: str) -> None:
    call("PUT", path, THANKS)
    draft = call("GET", f"{path}/state-machine").json
    assert {"mail-1", "pause", "mail-2"} <= set(draft["States"])
    call("POST", f"{path}/activate")
    assert call("GET", f"{path}/state-machine").json == draft


def test_the_drawing_shows_how_many_are_where(call: Caller, path: str, wired: ApiWiring, store: dict[str, Any]) -> None:
    call("PUT", path, THANKS)
    now = wired.clock.now()
    for number in range(7):
        enrolment = Enrolment(
            id=enrolment_id(CONTACT, store["id"], "thanks", str(number)),
            store_id=store["id"],
            journey="thanks",
            contact_id=CONTACT,
            version=1,
            entry_key=str(number),
            at_step="pause",
            entered_at=now + timedelta(seconds=number),
        )
        wired.enrolments.create(enrolment)
    picture = call("GET", f"{path}/drawing.svg")
    assert picture.status == 200
    assert picture.headers["content-type"] == "image/svg+xml"
    root = ElementTree.fromstring(picture.text)
    assert root.tag.endswith("svg")
    assert "7" in " ".join(root.itertext())


@pytest.fixture
def one(call: Caller, path: str, wired: ApiWiring, store: dict[str, Any]) -> Enrolment:
    """Somebody who waits in a live journey."""
    call("PUT", path, THANKS)
    call("POST", f"{path}/activate")
    body = {"email": "dana@shopper.example", "first_name": "<Dana>"}
    contact = call("POST", f"/v1/stores/{store['id']}/contacts", body).json
    enrolment = Enrolment(
        id=enrolment_id(contact["id"], store["id"], "thanks", "1"),
        store_id=store["id"],
        journey="thanks",
        contact_id=contact["id"],
        version=1,
        entry_key="1",
        event={"id": "order_paid:1", "type": "order_paid", "properties": {}},
        at_step="pause",
        due_at=wired.clock.now() + timedelta(days=3),
        entered_at=wired.clock.now(),
        started=True,
        rev=1,
    )
    wired.enrolments.create(enrolment)
    return enrolment


def test_one_pass_is_shown_skipped_on_and_stopped(call: Caller, one: Enrolment) -> None:
    path = f"/v1/stores/{one.store_id}/enrolments/{one.id}"
    shown = call("GET", path).json
    assert (shown["status"], shown["at_step"], shown["event"]["id"], shown["messages"]) == (
        "running", "pause", "order_paid:1", [],
    )  # fmt: skip
    skipped = call("POST", f"{path}/skip-wait")
    assert (skipped.status, skipped.json["history"][-1]["what"]) == (200, "skipped")
    assert call("POST", f"{path}/redrive").status == 409
    stopped = call("POST", f"{path}/stop").json
    assert (stopped["status"], stopped["reason"]) == ("stopped", "stopped_by_hand")
    assert call("POST", f"{path}/stop").status == 409
    assert call("POST", f"{path}/skip-wait").status == 409
    page = call("GET", f"{path}/page")
    assert page.headers["content-type"].startswith("text/html")
    assert 'dir="rtl"' in page.text and "ההמתנה דולגה" in page.text and "נעצר ביד" in page.text
    other = path[:-20] + "a" * 20
    assert [call("GET", other).status, call("POST", f"{other}/stop").status] == [404, 404]


def test_a_draft_without_a_step_says_how_many_stand_on_it(call: Caller, path: str, one: Enrolment) -> None:
    shorter = {**THANKS, "steps": [THANKS["steps"][0]]}  # type: ignore[index]
    warnings = call("PUT", path, shorter).json["warnings"]
    said = [warning["message"] for warning in warnings if warning["field"] == "steps"]
    assert len(said) == 2
    assert said[0].startswith("step 'pause' is gone: 1 contact stands on it")
    assert said[1] == "step 'mail-2' is gone: nobody stands on it"


def test_everybody_is_moved_with_a_report_of_who_could_not_be(call: Caller, path: str, one: Enrolment) -> None:
    steps = list(THANKS["steps"])  # type: ignore[call-overload]
    call("PUT", path, {**THANKS, "steps": [steps[0], steps[2]]})
    call("POST", f"{path}/activate")
    moved = call("POST", f"{path}/move", {})
    assert (moved.status, moved.json["report"], moved.json["ended_at"] is None) == (
        202,
        {"no_such_step:pause": 1},
        False,
    )
    call("PUT", path, THANKS)
    call("POST", f"{path}/activate")
    assert call("POST", f"{path}/move", {"version": 3}).json["report"] == {"moved": 1}
    assert call("POST", f"{path}/move", {"version": 9}).status == 404
    assert call("POST", f"{path}/move", {"version": 0}).status == 422
    assert call("POST", f"{path}/redrive").json["report"] == {}
    assert call("POST", f"{path}/sweep").status == 202
    kinds = [errand["kind"] for errand in call("GET", f"{path}/errands").json["items"]]
    assert sorted(kinds) == ["let_go", "let_go", "let_go", "move", "move", "redrive", "sweep"]


def test_the_drawing_is_also_text(call: Caller, path: str) -> None:
    call("PUT", path, THANKS)
    text = call("GET", f"{path}/drawing.mmd")
    assert text.headers["content-type"].startswith("text/vnd.mermaid")
    assert text.text.startswith("flowchart TD")


def test_what_is_not_there_is_not_found(call: Caller, path: str) -> None:
    for method, rest in (
        ("GET", ""),
        ("GET", "/state-machine"),
        ("GET", "/drawing.svg"),
        ("GET", "/enrolments"),
        *(("POST", f"/{change}") for change in ("activate", "pause", "resume", "stop", "archive")),
    ):
        assert call(method, path + rest).status == 404


def test_a_store_that_goes_stops_its_journeys(call: Caller, path: str, wired: ApiWiring, store: dict[str, Any]) -> None:
    call("PUT", path, THANKS)
    call("POST", f"{path}/activate")
    assert call("DELETE", f"/v1/stores/{store['id']}").status == 204
    journey = wired.journeys.get(store["id"], "thanks")
    assert journey is None or journey.status == "stopped"


def test_the_schema_of_a_journey_is_published(wired: ApiWiring) -> None:
    from jsonschema import Draft202012Validator

    schema = Caller(None)("GET", "/v1/schemas/journey").json
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(THANKS)
    assert not Draft202012Validator(schema).is_valid({**THANKS, "steps": []})
