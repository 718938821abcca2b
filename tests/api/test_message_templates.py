from __future__ import annotations

from typing import Any

import pytest

from tests.api.client import Caller
from tests.journeys.world import journey

WORDS = {"en": {"subject": "Hello", "blocks": [{"type": "text", "text": "Good day {{ contact.first_name }}"}]}}


@pytest.fixture
def path(store: dict[str, Any]) -> str:
    return f"/v1/stores/{store['id']}/message-templates"


def test_what_changes_is_a_version_and_what_does_not_is_none(call: Caller, path: str) -> None:
    body = {"name": {"en": "Greeting"}, "content": WORDS}
    assert [call("PUT", f"{path}/greeting", body).json["version"] for _ in range(2)] == [1, 1]
    other = {**body, "content": {"en": {**WORDS["en"], "subject": "Shalom"}}}
    assert call("PUT", f"{path}/greeting", other).json["version"] == 2
    assert call("GET", f"{path}/greeting?version=1").json["content"]["en"]["subject"] == "Hello"
    assert [one["version"] for one in call("GET", f"{path}/greeting/versions").json["items"]] == [1, 2]
    assert [(one["id"], one["version"]) for one in call("GET", path).json["items"]] == [("greeting", 2)]
    assert call("DELETE", f"{path}/greeting").status == 204
    assert call("GET", f"{path}/greeting").status == 404
    assert call("PUT", f"{path}/greeting", body).json["version"] == 3  # a number never means two things


def test_mistakes_are_named_by_language_and_place(call: Caller, path: str) -> None:
    wrong = {
        "en": {"subject": "Hello {{ contact.nose }}", "blocks": [{"type": "text", "text": "{% if %}"}]},
        "he": {"subject": "x", "blocks": [{"type": "poem"}]},
    }
    answer = call("PUT", f"{path}/greeting", {"name": {"en": "G"}, "content": wrong})
    assert (answer.status, answer.fields) == (422, ["content.he.blocks[0].type"])
    answer = call("PUT", f"{path}/greeting", {"name": {"en": "G"}, "content": {"en": wrong["en"]}})
    assert (answer.status, answer.fields) == (422, ["content.en.subject", "content.en.blocks[0].text"])


def test_five_megabytes_of_template_are_refused(call: Caller, path: str) -> None:
    long = {"en": {"subject": "x", "blocks": [{"type": "text", "text": "x" * 5_000_000}]}}
    assert call("PUT", f"{path}/greeting", {"name": {"en": "G"}, "content": long}).status == 413


def test_a_journey_takes_the_words_over_when_it_is_saved(call: Caller, path: str, store: dict[str, Any]) -> None:
    step = {"id": "hi", "type": "send_email", "template": "greeting"}
    draft = f"/v1/stores/{store['id']}/journeys/hello"
    answer = call("PUT", draft, journey(step))
    assert (answer.status, answer.fields) == (422, ["steps[0].template"])
    call("PUT", f"{path}/greeting", {"name": {"en": "G"}, "content": WORDS})
    saved = call("PUT", draft, journey(step)).json["draft"]
    assert saved["steps"][0]["content"] == WORDS
    assert call("POST", f"{draft}/activate").json["definition"]["steps"][0]["template"] == "greeting"
    call("PUT", f"{path}/greeting", {"name": {"en": "G"}, "content": {"en": {**WORDS["en"], "subject": "New"}}})
    live = call("GET", draft).json["definition"]["steps"][0]["content"]["en"]["subject"]
    assert live == "Hello"
    again = call("PUT", draft, journey(step)).json["draft"]["steps"][0]["content"]["en"]["subject"]
    assert again == "New"
