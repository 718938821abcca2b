from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chalicelib.handlers.delivery_reports import replies_from, report_from_ses, reports_from
from local.clock import FastClock
from local.doors import LocalDoors
from local.gateway import HttpAnswer, HttpRequest
from local.lambdas import Lambdas
from local.outbox import Outbox
from local.reports import STATUSES, Reports
from local.sns import Sns
from tests.local.test_outbox import email, sms, whatsapp

Ask = Callable[..., HttpAnswer | None]
TOKEN = "a-token-for-tests"
ADMIN = (("Authorization", f"Bearer {TOKEN}"),)


@pytest.fixture
def reports() -> list[dict[str, Any]]:
    """What the handler of delivery reports was told, as SES tells it."""
    return []


@pytest.fixture
def ask(tmp_path: Path, reports: list[dict[str, Any]]) -> Ask:
    clock = FastClock(tmp_path, 60, datetime(2026, 11, 1, tzinfo=UTC), lambda: 1_800_000_000.0)
    outbox = Outbox(tmp_path / "outbox.db", clock)
    outbox.send(email())
    outbox.send(sms())
    outbox.send(whatsapp())

    lambdas = Lambdas()
    lambdas.register(
        "reports", lambda event, context: reports.extend(json.loads(r["Sns"]["Message"]) for r in event["Records"])
    )
    doors = LocalDoors(TOKEN, clock, outbox, Reports(lambdas, "reports", outbox, clock, Sns()))

    def ask(method: str, target: str, body: Any = None, headers: Any = ADMIN) -> HttpAnswer | None:
        return doors.answer(HttpRequest(method, target, headers, body if isinstance(body, bytes) else b""))

    return ask


def content(answer: HttpAnswer | None) -> Any:
    assert answer
    return json.loads(answer.body)


def test_the_clock_and_the_outbox_answer_the_admin(ask: Ask) -> None:
    assert content(ask("GET", "/local/clock")) == {"now": "2026-11-01T00:00:00.000Z", "speed": 60}
    outbox = content(ask("GET", "/local/outbox"))
    assert [message["id"] for message in outbox["items"]] == ["c1-m1", "c1-s1", "c1-w1"]
    assert outbox["next"] is None


@pytest.mark.parametrize(
    "headers", [(), (("Authorization", "Bearer wrong"),), (("Authorization", TOKEN),), (("authorization", "Bearer é"),)]
)
@pytest.mark.parametrize("path", ["/local/outbox", "/local/clock", "/local/deliveries/m", "/local/nothing"])
def test_a_stranger_is_refused(ask: Ask, path: str, headers: Any) -> None:
    answer = ask("POST" if "deliveries" in path else "GET", path, b"{}", headers)
    assert answer
    assert answer.status == 401
    assert b"c1-m1" not in answer.body


def test_a_report_is_played_through_the_handler(ask: Ask, reports: list[dict[str, Any]]) -> None:
    answer = ask("POST", "/local/deliveries/c1-m1", b'{"status": "bounced"}')
    assert answer
    assert answer.status == 202
    (told,) = reports
    assert told["eventType"] == "Bounce"
    assert told["mail"]["tags"] == {"store": ["s1"], "message": ["c1-m1"], "contact": ["c1"]}
    assert told["bounce"]["timestamp"] == "2026-11-01T00:00:00.000Z"
    unknown = ask("POST", "/local/deliveries/nobody", b'{"status": "opened"}')
    assert unknown
    assert unknown.status == 404


@pytest.mark.parametrize("status", STATUSES)
def test_every_report_is_one_that_the_handler_knows(ask: Ask, reports: list[dict[str, Any]], status: str) -> None:
    ask("POST", "/local/deliveries/c1-m1", json.dumps({"status": status}).encode())
    known = report_from_ses(json.dumps(reports[0]))
    assert known
    assert (known.status, known.message_id, known.store_id) == (status, "c1-m1", "s1")


def test_a_click_may_name_its_link(ask: Ask, reports: list[dict[str, Any]]) -> None:
    ask("POST", "/local/deliveries/c1-m1", b'{"status": "clicked", "link": "https://tea.example/sale"}')
    known = report_from_ses(json.dumps(reports[0]))
    assert known
    assert known.detail == "https://tea.example/sale"


@pytest.mark.parametrize("status", ["delivered", "failed", "bounced"])
def test_a_report_on_an_sms_is_the_one_of_its_provider(ask: Ask, reports: list[dict[str, Any]], status: str) -> None:
    answer = ask("POST", "/local/deliveries/c1-s1", json.dumps({"status": status}).encode())
    assert answer and answer.status == 202
    assert reports[0]["eventType"].startswith("TEXT_")
    (known,) = reports_from(json.dumps(reports[0]))
    assert known
    assert (known.status, known.message_id, known.store_id, known.contact_id) == (status, "c1-s1", "s1", "c1")
    assert known.at == datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "answered"), [("delivered", 202), ("opened", 202), ("failed", 202), ("bounced", 422)]
)
def test_a_report_on_a_whatsapp_message_is_the_one_of_its_provider(
    ask: Ask, reports: list[dict[str, Any]], status: str, answered: int
) -> None:
    answer = ask("POST", "/local/deliveries/c1-w1", json.dumps({"status": status}).encode())
    assert answer and answer.status == answered
    found = [one for told in reports for one in reports_from(json.dumps(told))]
    assert [(one.status, one.message_id, one.contact_id) for one in found] == (
        [(status, "c1-w1", "c1")] if answered == 202 else []
    )


@pytest.mark.parametrize("status", ["opened", "clicked", "complained"])
def test_what_nobody_reports_of_an_sms_is_refused(ask: Ask, reports: list[dict[str, Any]], status: str) -> None:
    answer = ask("POST", "/local/deliveries/c1-s1", json.dumps({"status": status}).encode())
    assert answer
    assert (answer.status, reports) == (422, [])


@pytest.mark.parametrize("body", [b"", b"[]", b'{"status": "lost"}', b'{"status": 5}', b"\xff", b"[" * 5000])
def test_a_report_that_is_none_is_refused(ask: Ask, reports: list[dict[str, Any]], body: bytes) -> None:
    answer = ask("POST", "/local/deliveries/c1-m1", body)
    assert answer
    assert (answer.status, reports) == (422, [])


def test_wrong_methods_are_405_and_the_rest_is_the_apps(ask: Ask) -> None:
    for method, path in (("POST", "/local/outbox"), ("GET", "/local/deliveries/x"), ("DELETE", "/")):
        answer = ask(method, path)
        assert answer
        assert answer.status == 405
    assert ask("GET", "/v1/stores") is None
    assert ask("GET", "/health") is None


def test_the_start_page_is_served_without_a_token_and_nothing_beside_it(ask: Ask) -> None:
    page = ask("GET", "/", headers=())
    assert page
    assert (page.status, page.content_type) == (200, "text/html; charset=utf-8")
    assert dict(page.headers)["Content-Security-Policy"].startswith("default-src 'self'")
    for path in ("/start/app.js", "/start/style.css", "/local/pictures/teapot.svg"):
        found = ask("GET", path, headers=())
        assert found
        assert found.status == 200
    for path in ("/start/../doors.py", "/start/..%2fdoors.py", "/start/.hidden", "/start/", "/start/x%00.js"):
        missing = ask("GET", path, headers=())
        assert missing
        assert missing.status == 404


def test_a_reply_is_played_through_the_handler(ask: Ask, reports: list[dict[str, Any]]) -> None:
    def told(message_id: str, body: bytes = b'{"text": "STOP"}') -> int:
        answer = ask("POST", f"/local/replies/{message_id}", body)
        assert answer
        return answer.status

    assert told("c1-w1") == 202
    (event,) = reports
    (reply,) = replies_from(json.dumps(event), None)
    assert (reply.sender, reply.text, "outbox" in reply.numbers) == (whatsapp().to.removeprefix("+"), "STOP", True)
    assert [told("c1-m1"), told("nobody"), told("c1-w1", b"{}"), told("c1-w1", b"x")] == [422, 404, 422, 422]
    assert told("c1-s1") == (202 if str(sms().sender).removeprefix("+").isdecimal() else 422)
