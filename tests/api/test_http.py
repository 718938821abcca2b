"""The page that all doors share: who asks, and what cannot be read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.client import Caller
from tests.api.conftest import ADMIN, SHOP, ApiWiring


def test_the_service_is_up_for_everybody(wired: ApiWiring) -> None:
    answer = Caller(None)("GET", "/health")
    assert answer.status == 200
    assert answer.json["status"] == "ok"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Basic " + ADMIN,
        "Bearer " + ADMIN + "x",
        "Bearer é",
        "Bearer " + "a" * 5000,
    ],
)
def test_without_a_good_token_nothing_is_told(wired: ApiWiring, header: str | None) -> None:
    answers = [
        Caller(None)("GET", path, headers={"authorization": header} if header is not None else {})
        for path in ("/v1/stores", "/v1/tokens", f"/v1/stores/{'0' * 26}", "/v1/stores/nonsense")
    ]
    assert {answer.status for answer in answers} == {401}
    assert {answer.text for answer in answers} == {answers[0].text}
    assert answers[0].headers["content-type"] == "application/problem+json"
    assert answers[0].headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b'{"name": NaN}',
        b'{"name": Infinity}',
        b'{"name": "a", "name": "b"}',
        b'\xef\xbb\xbf{"name": "a"}',
        b'{"name": "\xff"}',
        json.dumps(SHOP).encode("utf-16"),
        b'{"name":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"name":' + b"[" * 40 + b"]" * 40 + b"}",
        b'{"abandon_after_minutes": ' + b"9" * 5000 + b"}",
        "\ud800",
    ],
)
def test_what_is_no_plain_json_is_refused(call: Caller, body: bytes | str) -> None:
    refused = call("POST", "/v1/stores", body=body)
    assert refused.status == 400
    assert refused.headers["content-type"] == "application/problem+json"
    assert {"title", "detail"} <= set(refused.json)


def test_what_json_can_say_and_no_table_can_keep_is_named(call: Caller) -> None:
    for value in ('"\\ud800"', '"\\u0000"', "1e300", "1e-300", "9" * 40):
        refused = call("POST", "/v1/stores", body=f'{{"settings": {{"sender": {{"name": {value}}}}}}}'.encode())
        assert refused.status == 422
        assert refused.fields == ["settings.sender.name"]


@pytest.mark.parametrize("body", ["null", "[]", '"text"', "1", "true"])
def test_json_that_is_no_object_is_refused(call: Caller, body: str) -> None:
    assert call("POST", "/v1/stores", body=body).status == 422


def test_media_type_and_charset_are_checked(call: Caller) -> None:
    body = json.dumps(SHOP).encode()
    for kind, status in (
        ("text/plain", 415),
        ("application/xml", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/json; charset=iso-8859-8", 400),
        ("application/json; charset=UTF-8", 201),
        ("APPLICATION/JSON", 201),
    ):
        answer = call("POST", "/v1/stores", body=body, headers={"content-type": kind})
        assert answer.status == status, kind


def test_a_body_over_one_mebibyte_is_refused(call: Caller) -> None:
    assert call("POST", "/v1/stores", body=b" " * (1024 * 1024 + 1)).status == 413
    assert call("POST", "/v1/stores", body=b" " * (1024 * 1024)).status == 400


def test_chalices_own_refusals_are_problems_too(call: Caller) -> None:
    refused = call("DELETE", "/health")
    assert refused.status == 405
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["allow"] == "GET"
    assert refused.json["title"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=ten", "limit"),
        ("limit=", "limit"),
        ("limit=1.5", "limit"),
        ("limit=%D9%A3", "limit"),
        ("limit=5&limit=6", "limit"),
        ("cursor=", "cursor"),
        ("cursor=garbage", "cursor"),
        ("cursor=%00", "cursor"),
        ("cursor=%F0%9F%98%80", "cursor"),
        ("emial=a@b.example", "emial"),
    ],
)
def test_a_bad_query_is_named(call: Caller, query: str, field: str) -> None:
    refused = call("GET", f"/v1/stores?{query}")
    assert refused.status == 422
    assert refused.fields == [field]


def test_a_cursor_of_another_list_is_refused(call: Caller) -> None:
    for _ in range(2):
        call("POST", "/v1/stores", SHOP)
    following = call("GET", "/v1/stores?limit=1").json["next"]
    assert call("GET", f"/v1/tokens?cursor={following}").fields == ["cursor"]
    assert call("GET", f"/v1/stores?cursor={following[:-1]}").status == 422


@pytest.mark.parametrize("identifier", ["x", "%00", "%ED%A0%80", "%F0%9F%98%80", "..", "%2e%2e%2f", "a" * 5000])
def test_an_id_that_cannot_be_is_not_found(call: Caller, identifier: str) -> None:
    assert call("GET", f"/v1/stores/{identifier}").status == 404


def test_an_unforeseen_mistake_is_a_500_that_tells_nothing(
    call: Caller, wired: ApiWiring, store: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def get(self, store_id: str) -> None:
            raise RuntimeError("dana@shopper.example")

    wired.__dict__["stores"] = Broken()
    answer = call("GET", f"/v1/stores/{store['id']}")
    assert answer.status == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "dana" not in answer.text
    assert "dana" not in caplog.text
