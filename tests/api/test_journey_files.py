"""Journeys as files: written out, compared, applied; nothing changes before it was shown."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from chalicelib.journeys.gallery import gallery
from tests.api.client import Caller
from tests.api.test_journeys import THANKS


@pytest.fixture
def path(store: dict[str, Any]) -> str:
    return f"/v1/stores/{store['id']}/journey-files"


@pytest.fixture
def live(call: Caller, store: dict[str, Any]) -> str:
    journey = f"/v1/stores/{store['id']}/journeys/thanks"
    call("PUT", journey, THANKS)
    call("POST", f"{journey}/activate")
    return journey


def test_what_is_written_out_compares_as_the_same(call: Caller, path: str, live: str) -> None:
    files = call("GET", path).json["files"]
    assert list(files) == ["thanks.yaml"]
    assert "תודה" in files["thanks.yaml"]  # as a person reads it, not escaped
    (same,) = call("POST", f"{path}/diff", {"files": files}).json["items"]
    assert (same["state"], same["diff"]) == ("same", "")


def test_a_change_is_shown_before_it_is_applied(call: Caller, path: str, live: str) -> None:
    files = call("GET", path).json["files"]
    files["thanks.yaml"] = files["thanks.yaml"].replace("days: 3", "days: 4")
    files["more.yml"] = files["thanks.yaml"]
    more, thanks = call("POST", f"{path}/diff", {"files": files}).json["items"]
    assert (more["id"], more["state"], thanks["state"]) == ("more", "new", "changed")
    assert "-    days: 3" in thanks["diff"] and "+    days: 4" in thanks["diff"]
    assert call("GET", live).json["draft"]["steps"][1]["for"] == {"days": 3}
    call("POST", f"{path}/apply", {"files": files, "activate": True})
    shown = call("GET", live).json
    assert (shown["version"], shown["definition"]["steps"][1]["for"]) == (2, {"days": 4})
    assert call("GET", live.replace("thanks", "more")).json["status"] == "active"
    assert {one["state"] for one in call("POST", f"{path}/diff", {"files": files}).json["items"]} == {"same"}


def test_a_mistake_in_one_file_changes_nothing(call: Caller, path: str, live: str) -> None:
    good = call("GET", path).json["files"]["thanks.yaml"].replace("days: 3", "days: 4")
    files = {"thanks.yaml": good, "bad.yaml": good.replace("send_email", "send_pigeon"), "worse.yaml": "a: [1"}
    states = {one["id"]: one for one in call("POST", f"{path}/diff", {"files": files}).json["items"]}
    assert [states[name]["state"] for name in ("thanks", "bad", "worse")] == ["changed", "mistaken", "mistaken"]
    assert "steps[0].type" in [mistake["field"] for mistake in states["bad"]["mistakes"]]
    refused = call("POST", f"{path}/apply", {"files": files, "activate": True})
    assert refused.status == 422
    assert any(field.startswith("bad.yaml: steps[0]") for field in refused.fields)
    assert call("GET", live).json["version"] == 1


@pytest.mark.parametrize("name", ["Thanks.yaml", "../thanks.yaml", "thanks.json", "a/b.yaml", "-.yaml"])
def test_a_name_that_can_be_no_journey_is_refused(call: Caller, path: str, name: str) -> None:
    assert call("POST", f"{path}/diff", {"files": {name: "x: 1"}}).status == 422


@pytest.mark.parametrize(
    "text", ["!!bool x", "!!timestamp x", "", "- [", "&a [*a]", "!!python/object:os.system x", "0"]
)
def test_what_is_no_journey_is_a_mistake_of_its_file(call: Caller, path: str, text: str) -> None:
    (found,) = call("POST", f"{path}/diff", {"files": {"bad.yaml": text}}).json["items"]
    assert (found["state"], bool(found["mistakes"])) == ("mistaken", True)
    assert call("POST", f"{path}/apply", {"files": {"bad.yaml": text}}).status == 422


def test_a_journey_without_a_file_stays_and_an_archived_one_is_not_woken(call: Caller, path: str, live: str) -> None:
    files = call("GET", path).json["files"]
    assert [one["state"] for one in call("POST", f"{path}/diff", {"files": {}}).json["items"]] == ["only_live"]
    call("POST", f"{path}/apply", {"files": {}})
    assert call("GET", live).json["status"] == "active"
    call("POST", f"{live}/archive")
    assert [one["state"] for one in call("POST", f"{path}/diff", {"files": files}).json["items"]] == ["archived"]
    assert call("POST", f"{path}/apply", {"files": files}).status == 422


def test_a_ready_journey_is_a_file_as_it_is(call: Caller, path: str) -> None:
    template = gallery()[0]
    text = yaml.safe_dump(template.model_dump(mode="json"), allow_unicode=True)
    assert call("POST", f"{path}/apply", {"files": {f"{template.id}.yaml": text}}).json["items"][0]["state"] == "new"


def test_templates_lie_beside_the_journeys_that_name_them(call: Caller, path: str, store: dict[str, Any]) -> None:
    words = {"en": {"subject": "Hello", "blocks": [{"type": "text", "text": "Good day"}]}}
    step = {"id": "hi", "type": "send_email", "template": "greeting"}
    journey = {**THANKS, "name": {"en": "Hello"}, "steps": [step]}
    files = {
        "hello.yaml": yaml.safe_dump(journey, allow_unicode=True),
        "templates/greeting.yaml": yaml.safe_dump({"name": {"en": "Greeting"}, "content": words}),
    }
    template, hello = call("POST", f"{path}/diff", {"files": files}).json["items"]
    assert [(one["id"], one["state"], one["mistakes"]) for one in (template, hello)] == [
        ("templates/greeting", "new", []),
        ("hello", "new", []),
    ]
    assert call("POST", f"{path}/apply", {"files": files, "activate": True}).status == 200
    live = call("GET", f"/v1/stores/{store['id']}/journeys/hello").json["definition"]
    assert live["steps"][0]["content"] == words
    assert {one["state"] for one in call("POST", f"{path}/diff", {"files": files}).json["items"]} == {"same"}
    written = call("GET", path).json["files"]
    assert sorted(written) == ["hello.yaml", "templates/greeting.yaml"]
    assert {one["state"] for one in call("POST", f"{path}/diff", {"files": written}).json["items"]} == {"same"}
    wrong = {"templates/greeting.yaml": "name: {en: G}\ncontent: {en: {subject: x, blocks: []}}"}
    (bad,) = [one for one in call("POST", f"{path}/diff", {"files": wrong}).json["items"] if one["mistakes"]]
    assert (bad["state"], bad["mistakes"][0]["field"]) == ("mistaken", "content.en.blocks")
