"""`…/what-if` over HTTP: over the store's own past, over given events, in parts, and what it refuses."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.clock import rfc3339
from chalicelib.handlers.api import what_if
from chalicelib.handlers.request import cursor
from tests.api.client import Caller
from tests.api.conftest import ApiWiring

CONTENT = {"subject": "שלום", "blocks": [{"type": "text", "text": "תודה"}]}
WELCOME = {
    "name": {"he": "ברוכים"},
    "trigger": {"type": "list_joined", "list": "news"},
    "steps": [
        {"id": "hello", "type": "send_email", "content": {"he": CONTENT}},
        {"id": "pause", "type": "wait", "for": {"days": 2}},
        {
            "id": "bought",
            "type": "branch",
            "if": {"purchased": {}},
            "else": [{"id": "offer", "type": "send_email", "content": {"he": CONTENT}}],
        },
    ],
}


@pytest.fixture
def path(store: dict[str, Any]) -> str:
    return f"/v1/stores/{store['id']}/journeys/welcome"


def joins(call: Caller, store: dict[str, Any], number: int) -> str:
    consent = {"email": {"status": "subscribed"}}
    body = {"email": f"shopper{number}@shopper.example", "consent": consent, "lists": ["news"]}
    made: str = call("POST", f"/v1/stores/{store['id']}/contacts", body).json["id"]
    return made


def counts(answer: Any) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in answer["messages"]:
        name = f"{one['step']} {one['reason'] or one['outcome']}"
        found[name] = found.get(name, 0) + one["count"]
    return found


def test_it_runs_over_the_stores_past_and_leaves_no_trace(
    call: Caller, path: str, wired: ApiWiring, store: dict[str, Any]
) -> None:
    people = [joins(call, store, number) for number in range(3)]
    wired.clock.time += timedelta(days=5)  # type: ignore[attr-defined]
    call("PUT", path, WELCOME)
    answer = call("POST", f"{path}/what-if", {})
    assert answer.status == 200
    told = answer.json
    assert (told["contacts"], told["entered"], told["statuses"]) == (3, 3, {"completed": 3})
    assert counts(told) == {"hello sent": 3, "offer sent": 3}
    assert {one["contact_id"] for one in told["passes"]} == set(people)
    assert (told["next"], told["cost"]["emails"]) == (None, 600)
    assert "shopper" not in answer.text
    assert call("GET", f"{path}/enrolments").json["items"] == []
    assert call("GET", f"/v1/stores/{store['id']}/messages").json["items"] == []
    assert wired.workflows.published == {}  # type: ignore[attr-defined]


def test_parts_are_answered_when_time_is_up_and_add_up(
    call: Caller, path: str, wired: ApiWiring, store: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        joins(call, store, number)
        wired.clock.time += timedelta(seconds=1)  # type: ignore[attr-defined]
    monkeypatch.setattr(what_if, "SECONDS", -1.0)
    body: dict[str, Any] = {"definition": WELCOME, "days": 30}
    parts = [call("POST", f"{path}/what-if", body).json]
    while following := parts[-1]["next"]:
        wired.clock.time += timedelta(hours=1)  # type: ignore[attr-defined]
        parts.append(call("POST", f"{path}/what-if", {**body, "cursor": following}).json)
    assert sum(part["contacts"] for part in parts) == sum(part["entered"] for part in parts) == 3
    assert len({(part["start"], part["end"]) for part in parts}) == 1
    wrong = call("POST", f"{path}/what-if", {"definition": WELCOME, "days": 31, "cursor": parts[0]["next"]})
    assert (wrong.status, wrong.fields) == (422, ["cursor"])


def test_given_events_take_the_place_of_the_stores_past(
    call: Caller, path: str, wired: ApiWiring, store: dict[str, Any]
) -> None:
    known = joins(call, store, 1)
    at = wired.clock.now() - timedelta(days=700)

    def event(name: str, days: float, type_: str, contact: dict[str, str], **properties: Any) -> dict[str, Any]:
        moment = rfc3339(at + timedelta(days=days))
        return {"id": name, "type": type_, "contact": contact, "occurred_at": moment, "properties": properties}

    new, total = {"email": "new@shopper.example"}, {"amount": 900, "currency": "ILS"}
    item = {"product_id": "11", "name": "Tea", "quantity": 1, "total": total}
    events = [
        event("1", 0, "list_joined", {"id": known}, list="news"),
        event("2", 1, "subscribed", new, channel="email"),
        event("3", 1, "list_joined", new, list="news"),
        event("4", 2, "order_paid", new, order_id="7", total=total, items=[item]),
        event("5", 3, "list_joined", {"email": "SHOPPER1@shopper.example"}, list="news"),
    ]
    told = call("POST", f"{path}/what-if", {"definition": WELCOME, "events": events}).json
    assert (told["contacts"], told["entered"]) == (2, 2)
    assert counts(told) == {"hello sent": 1, "hello no_consent": 1, "offer no_consent": 1}  # who consented only later
    assert told["steps"][2]["ways"] == {"then": 1, "else": 1}
    assert told["start"] == rfc3339(at)


def test_what_is_live_is_asked_where_it_is_named(call: Caller, path: str, store: dict[str, Any]) -> None:
    joins(call, store, 1)
    call("PUT", path, WELCOME)
    assert call("POST", f"{path}/what-if", {"version": "live"}).status == 404
    call("POST", f"{path}/activate")
    other = copy.deepcopy(WELCOME)
    other["trigger"]["list"] = "vip"  # type: ignore[index]
    call("PUT", path, other)
    assert call("POST", f"{path}/what-if", {}).json["entered"] == 0
    assert call("POST", f"{path}/what-if", {"version": "live"}).json["entered"] == 1


def test_a_journey_that_was_never_saved_is_not_found(call: Caller, path: str) -> None:
    assert call("POST", f"{path}/what-if", {}).status == 404
    assert call("POST", f"{path}/what-if", {"definition": WELCOME}).status == 200


def test_bad_input_is_named_by_field(call: Caller, path: str) -> None:
    def fields(**body: Any) -> list[str]:
        answer = call("POST", f"{path}/what-if", {"definition": WELCOME, **body})
        assert answer.status == 422
        return answer.fields

    assert fields(days=0) == ["days"]
    assert fields(days=366) == ["days"]
    assert fields(assume={"opened": 2}) == ["assume.opened"]
    assert fields(cursor="abc") == ["cursor"]
    assert fields(events=[]) == ["events"]
    ghost = {"id": "1", "type": "ping", "contact": {"id": "0" * 26}, "occurred_at": "2026-01-01T00:00:00Z"}
    assert fields(events=[ghost, {**ghost, "contact": {}}]) == ["events[0].contact.id", "events[1].contact"]
    broken = {**WELCOME, "steps": [{"id": "x", "type": "dance"}]}
    assert fields(definition=broken)[0].startswith("definition.steps[0]")
    listing = f"what-if:{path.split('/')[3]}:welcome:90"
    for place in ("yesterday x", "2026-01-01T00:00:00 x", "0001-01-01T00:00:00Z x"):
        assert fields(cursor=cursor(listing, place)) == ["cursor"]


def test_given_events_that_take_too_long_or_name_no_order_are_no_error_of_ours(
    call: Caller, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid = {**WELCOME, "trigger": {"type": "order_paid"}}
    bought = {
        "id": "1",
        "type": "order_paid",
        "contact": {"email": "a@b.example"},
        "occurred_at": "2026-01-01T00:00:00Z",
    }
    events = [{**bought, "id": str(n), "properties": {"order_id": ["x"]}} for n in range(5)]
    assert call("POST", f"{path}/what-if", {"definition": paid, "events": events}).json["entered"] == 1
    monkeypatch.setattr(what_if, "SECONDS", -1.0)
    slow = call("POST", f"{path}/what-if", {"definition": paid, "events": events})
    assert (slow.status, slow.fields) == (422, ["events"])


@pytest.mark.parametrize("total", [{"amount": 500, "currency": 5}, {"amount": "5", "currency": "shekels"}, 5, None])
@pytest.mark.parametrize("kind", ["order_paid", "cart_abandoned"])
def test_money_that_says_nothing_sensible_is_no_error_of_ours(
    call: Caller, wired: ApiWiring, path: str, kind: str, total: Any
) -> None:
    item = {"product_id": "1", "total": total, "price": total}
    told = {"order_id": "1", "cart_token": "0123456789abcdef", "total": total, "items": [item]}
    at = rfc3339(wired.clock.now() - timedelta(days=3))
    events = [
        {"id": "e", "occurred_at": at, "type": kind, "contact": {"email": "a@shopper.example"}, "properties": told}
    ]
    asked = {**WELCOME, "trigger": {"type": kind}, "goal": {"cart": {"is": "bought"}}}
    assert call("POST", f"{path}/what-if", {"definition": asked, "events": events}).status == 200
