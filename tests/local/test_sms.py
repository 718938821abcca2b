"""An SMS through the whole product: from an event over the API to the outbox, and back with the provider's report."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.local.test_runtime import STORE, Process
from tests.messages.test_robots import CHROME

TEXT = {"he": "היי {{ contact.first_name }}, חיכינו לך: {{ event.link }}"}
JOURNEY = {
    "name": {"he": "שלום"},
    "trigger": {"type": "api_event", "name": "came_back"},
    "steps": [
        {"id": "hello", "type": "send_sms", "text": TEXT},
        {"id": "wait", "type": "wait", "for": {"minutes": 1}},
        {
            "id": "arrived",
            "type": "branch",
            "if": {"message": {"step": "hello", "is": "delivered"}},
            "then": [{"id": "heard", "type": "add_tag", "tag": "heard"}],
            "else": [{"id": "unheard", "type": "add_tag", "tag": "unheard"}],
        },
    ],
}
AGREED = {"sms": {"status": "subscribed", "source": "checkout", "at": "2026-11-01T08:00:00Z"}}


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    # Noon in Israel; a minute of the store's is 0.2 s here. No mail server answers there: SMS must not go to it.
    settings = {
        "AGALA_CLOCK_START": "2026-11-01T10:00:00Z",
        "AGALA_CLOCK_SPEED": "300",
        "AGALA_SMTP_URL": "smtp://127.0.0.1:9",
    }
    process = Process(tmp_path_factory.mktemp("agala"), **settings).ready()
    yield process
    process.popen.kill()
    process.popen.communicate()


@pytest.fixture(scope="module")
def path(runtime: Process) -> str:
    status, store = runtime.ask("/v1/stores", "POST", STORE | {"settings": {"sender": {"sms": "TeaHouse"}}})
    assert status == 201
    path = f"/v1/stores/{store['id']}"
    assert runtime.ask(f"{path}/journeys/hello", "PUT", JOURNEY)[0] == 200
    assert runtime.ask(f"{path}/journeys/hello/activate", "POST")[0] == 200
    return path


def until(found: Any, seconds: float = 30) -> Any:
    ends = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < ends
        time.sleep(0.05)
    return value


def came_back(runtime: Process, path: str, email: str, **person: Any) -> Any:
    """The one message that came of it."""
    assert runtime.ask(f"{path}/contacts", "POST", {"email": email, **person})[0] in (200, 201)
    now = runtime.ask("/local/clock")[1]["now"]
    event = {"id": email, "type": "came_back", "contact": {"email": email}, "occurred_at": now}
    event["properties"] = {"link": "https://tea.example/c/1"}
    assert runtime.ask(f"{path}/events", "POST", event)[0] == 202
    contact = runtime.ask(f"{path}/contacts?email={email}")[1]["items"][0]["id"]
    settled = ("sent", "not_sent", "failed")
    return until(
        lambda: next(
            (m for m in runtime.ask(f"{path}/messages?contact_id={contact}")[1]["items"] if m["status"] in settled),
            None,
        )
    )


def test_an_sms_goes_to_the_outbox_and_its_delivery_is_heard(runtime: Process, path: str) -> None:
    sent = came_back(runtime, path, "dana@shopper.example", first_name="דנה", phone="+972505550123", consent=AGREED)
    assert (sent["channel"], sent["status"], sent["to"], sent["subject"]) == ("sms", "sent", "+972505550123", None)
    (kept,) = [one for one in runtime.ask("/local/outbox")[1]["items"] if one["id"] == sent["id"]]
    assert (kept["channel"], kept["from"], kept["subject"], kept["html"], kept["headers"], kept["delivery"]) == (
        "sms",
        "TeaHouse",
        None,
        None,
        {},
        "kept",
    )
    link = f"{runtime.url}/l/"
    assert kept["text"].startswith(f"פרסומת: בית התה\nהיי דנה, חיכינו לך: {link}")
    way_out = kept["text"].partition(f"\nלהסרה: {runtime.url}")[2].split()[0]
    assert len(way_out) == 21, "every letter of it is paid for"
    status, page = follow(runtime, way_out)
    assert status == 302 and page is not None and page.startswith(f"{runtime.url}/u/")
    assert runtime.ask(f"/local/deliveries/{sent['id']}", "POST", {"status": "delivered"})[0] == 202
    message = next(m for m in runtime.ask(f"{path}/messages")[1]["items"] if m["id"] == sent["id"])
    assert message["status"] == "delivered"
    path_of_link = kept["text"].split(runtime.url)[1].split()[0]
    status, shop = follow(runtime, path_of_link)
    utm = "utm_source=agala&utm_medium=sms&utm_campaign=hello&utm_content=hello"
    assert (status, shop) == (302, f"https://tea.example/c/1?{utm}")
    assert follow(runtime, path_of_link[:-1])[0] == 404
    messages = lambda: {m["id"]: m["status"] for m in runtime.ask(f"{path}/messages")[1]["items"]}  # noqa: E731
    until(lambda: messages()[sent["id"]] == "clicked")
    assert follow(runtime, page.removeprefix(runtime.url), "POST")[0] == 200
    message = next(m for m in runtime.ask(f"{path}/messages")[1]["items"] if m["id"] == sent["id"])
    assert [one["status"] for one in message["history"]][-2:] == ["clicked", "unsubscribed"], "the way out is no click"
    contact = runtime.ask(f"{path}/contacts/{sent['contact_id']}")[1]
    assert contact["consent"]["sms"]["status"] == "unsubscribed"


def follow(runtime: Process, path: str, method: str = "GET") -> tuple[int, str | None]:
    """As a browser would, as far as our door."""
    connection = http.client.HTTPConnection(runtime.url.removeprefix("http://"), timeout=20)
    form = {"Content-Type": "application/x-www-form-urlencoded"} if method == "POST" else {}
    connection.request(method, path, headers={"User-Agent": CHROME, **form})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.getheader("Location")


def test_an_sms_that_cannot_be_sent_says_why(runtime: Process, path: str) -> None:
    without = came_back(runtime, path, "roni@shopper.example", consent=AGREED)
    assert (without["channel"], without["status"], without["reason"]) == ("sms", "not_sent", "no_phone")
    asked_nobody = came_back(runtime, path, "noa@shopper.example", phone="+972505550124")
    assert (asked_nobody["channel"], asked_nobody["reason"]) == ("sms", "no_consent")
    tags = lambda: runtime.ask(f"{path}/contacts?email=noa@shopper.example")[1]["items"][0]["tags"]  # noqa: E731
    assert until(tags) == ["unheard"]


def test_what_is_written_back_is_heard(runtime: Process, path: str) -> None:
    assert runtime.ask(path, "PATCH", {"settings": {"sender": {"sms": "+972505550199"}}})[0] == 200
    sent = came_back(runtime, path, "maya@shopper.example", phone="+972505550125", consent=AGREED)
    assert sent["parts"] >= 1
    assert runtime.ask(f"/local/replies/{sent['id']}", "POST", {"text": "הסר"})[0] == 202
    contact = runtime.ask(f"{path}/contacts?email=maya@shopper.example")[1]["items"][0]
    assert (contact["consent"]["sms"]["status"], contact["consent"]["sms"]["source"]) == ("unsubscribed", "reply")
