"""What the platform asked for people's sake, as the store's owner sees it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.handlers.ingest import ingest
from tests.api.client import Caller
from tests.api.conftest import SHOP, ApiWiring
from tests.conftest import HandClock
from tests.recorded import signature

DANA = {"email": "dana@shopper.example", "phone": "+972505550101", "first_name": "Dana"}


@pytest.fixture
def shop(call: Caller) -> dict[str, Any]:
    made: dict[str, Any] = call("POST", "/v1/stores", {**SHOP, "platform": "shopify"}).json
    return made


@pytest.fixture
def path(shop: dict[str, Any]) -> str:
    return f"/v1/stores/{shop['id']}/privacy-requests"


@pytest.fixture
def dana(call: Caller, shop: dict[str, Any]) -> str:
    made: str = call("POST", f"/v1/stores/{shop['id']}/contacts", DANA).json["id"]
    return made


@pytest.fixture
def ask(call: Caller, shop: dict[str, Any], wired: ApiWiring, clock: HandClock) -> Any:
    """Through the webhook door and the queue's reader."""

    def send(topic: str, number: int = 1, **body: Any) -> None:
        clock.advance(seconds=1)
        raw = json.dumps({"shop_id": 1, "shop_domain": "tea.myshopify.com", **body}).encode()
        headers = {
            "x-shopify-topic": topic,
            "x-shopify-hmac-sha256": signature(raw, shop["secret"]),
            "x-shopify-event-id": f"{topic}-{number}",
        }
        assert call("POST", f"/webhooks/shopify/{shop['id']}", body=raw, headers=headers).status == 200
        message = wired.queue.sent.pop()  # type: ignore[attr-defined]
        answer = ingest({"Records": [{"messageId": "m", "body": json.dumps(message), "eventSource": "aws:sqs"}]}, None)
        assert answer == {"batchItemFailures": []}

    return send


def test_requests_are_listed_oldest_first_and_name_nobody(call: Caller, path: str, dana: str, ask: Any) -> None:
    assert call("GET", path).json == {"items": [], "next": None}
    ask("customers/data_request", customer={"email": DANA["email"]}, data_request={"id": 9007199254740993})
    ask("customers/data_request", customer={"email": "who@shopper.example"}, data_request={"id": 2}, number=2)
    ask("customers/redact", customer={"email": DANA["email"]}, orders_to_redact=[])
    listed = call("GET", path)
    asked, stranger, erased = listed.json["items"]
    assert (asked["kind"], asked["status"], asked["platform_request"]) == ("export", "done", "9007199254740993")
    assert (asked["contact_ids"], asked["available"]) == ([dana], False), "erased meanwhile"
    assert (stranger["status"], stranger["expires_at"], stranger["available"]) == ("nothing_kept", None, False)
    assert (erased["kind"], erased["status"], erased["contact_ids"]) == ("erasure", "done", [dana])
    assert (erased["platform_request"], erased["whole_shop"], erased["expires_at"]) == (None, False, None)
    assert "shopper.example" not in listed.text
    first = call("GET", f"{path}?limit=2").json
    assert [one["id"] for one in first["items"]] == [asked["id"], stranger["id"]]
    rest = call("GET", f"{path}?limit=2&cursor={first['next']}").json
    assert ([one["id"] for one in rest["items"]], rest["next"]) == ([erased["id"]], None)


def test_an_export_is_there_for_thirty_days(
    call: Caller, path: str, dana: str, ask: Any, shop: dict[str, Any], clock: HandClock
) -> None:
    ask("customers/data_request", customer={"id": None, "email": DANA["email"]}, data_request={"id": 1})
    (asked,) = call("GET", path).json["items"]
    assert asked["available"]
    held = call("GET", f"{path}/{asked['id']}/export")
    assert held.status == 200
    assert held.json["request"] == {"id": asked["id"], "platform_request": "1", "asked_at": asked["asked_at"]}
    assert held.json["contacts"] == [call("GET", f"/v1/stores/{shop['id']}/contacts/{dana}/export").json]
    clock.advance(days=29, hours=23)
    assert call("GET", f"{path}/{asked['id']}/export").status == 200
    clock.advance(hours=2)
    assert call("GET", f"{path}/{asked['id']}/export").status == 404
    assert not call("GET", path).json["items"][0]["available"]


def test_an_export_is_its_own_stores_and_goes_with_the_person(
    call: Caller, path: str, dana: str, ask: Any, shop: dict[str, Any], store: dict[str, Any]
) -> None:
    ask("customers/data_request", customer={"email": DANA["email"]}, data_request={"id": 1})
    asked = call("GET", path).json["items"][0]["id"]
    made = call("POST", "/v1/tokens", {"name": "other", "stores": [store["id"]]}).json
    other = Caller(made["secret"])
    assert other("GET", f"{path}/{asked}/export").status == 403
    assert other("GET", f"/v1/stores/{store['id']}/privacy-requests/{asked}/export").status == 404
    assert other("GET", path).status == 403
    assert other("GET", f"/v1/stores/{store['id']}/privacy-requests").json["items"] == []
    assert call("DELETE", f"/v1/stores/{shop['id']}/contacts/{dana}").status == 204
    assert call("GET", f"{path}/{asked}/export").status == 404


@pytest.mark.parametrize("request_id", ["x", "a" * 20, "%00", "9" * 500])
def test_no_request_is_no_export(call: Caller, path: str, request_id: str) -> None:
    assert call("GET", f"{path}/{request_id}/export").status == 404
