from __future__ import annotations

from typing import Any

from chalicelib.clock import rfc3339
from tests.api.client import Caller
from tests.api.conftest import SHOP, ApiWiring
from tests.conftest import HandClock


def _token(call: Caller, *stores: str, **more: Any) -> dict[str, Any]:
    made = call("POST", "/v1/tokens", {"name": "agency", "stores": list(stores), **more})
    assert made.status == 201
    answer: dict[str, Any] = made.json
    return answer


def test_a_token_opens_its_own_store_only(call: Caller, store: dict[str, Any]) -> None:
    other = call("POST", "/v1/stores", SHOP).json
    scoped = Caller(_token(call, store["id"])["secret"])
    assert scoped("GET", f"/v1/stores/{store['id']}").status == 200
    assert scoped("GET", f"/v1/stores/{other['id']}").status == 403
    assert [seen["id"] for seen in scoped("GET", "/v1/stores").json["items"]] == [store["id"]]
    for method, path, body in (
        ("POST", "/v1/stores", SHOP),
        ("DELETE", f"/v1/stores/{store['id']}", None),
        ("GET", "/v1/tokens", None),
        ("POST", "/v1/tokens", {"name": "mine", "stores": ["*"]}),
    ):
        assert scoped(method, path, body).status == 403


def test_a_secret_is_shown_once_and_kept_as_a_hash(call: Caller, wired: ApiWiring, store: dict[str, Any]) -> None:
    made = _token(call, store["id"])
    listed = call("GET", "/v1/tokens")
    assert made["id"] in [token["id"] for token in listed.json["items"]]
    assert made["secret"] not in listed.text
    assert all("secret" not in token and "hash" not in token for token in listed.json["items"])
    kept = wired.tokens.get(made["id"])
    assert kept is not None
    assert made["secret"] not in kept.model_dump_json()


def test_a_rotated_token_works_with_its_new_secret_only(call: Caller, store: dict[str, Any]) -> None:
    made = _token(call, store["id"])
    rotated = call("POST", f"/v1/tokens/{made['id']}/rotate")
    assert rotated.status == 200
    assert rotated.json["id"] == made["id"]
    path = f"/v1/stores/{store['id']}"
    assert Caller(made["secret"])("GET", path).status == 401
    assert Caller(rotated.json["secret"])("GET", path).status == 200


def test_a_revoked_token_opens_nothing(call: Caller, store: dict[str, Any]) -> None:
    made = _token(call, store["id"])
    assert call("DELETE", f"/v1/tokens/{made['id']}").status == 204
    assert Caller(made["secret"])("GET", f"/v1/stores/{store['id']}").status == 401
    assert call("DELETE", f"/v1/tokens/{made['id']}").status == 404
    assert call("POST", f"/v1/tokens/{made['id']}/rotate").status == 404


def test_a_token_ends_at_its_time(call: Caller, store: dict[str, Any], clock: HandClock) -> None:
    soon = clock.now().replace(minute=30)
    made = _token(call, store["id"], expires_at=rfc3339(soon))
    path = f"/v1/stores/{store['id']}"
    assert Caller(made["secret"])("GET", path).status == 200
    clock.advance(minutes=30)
    assert Caller(made["secret"])("GET", path).status == 401


def test_a_token_for_no_store_is_refused(call: Caller) -> None:
    refused = call("POST", "/v1/tokens", {"name": "x", "stores": ["*", "0" * 26]})
    assert refused.status == 422
    assert refused.fields == ["stores[1]"]
    assert call("POST", "/v1/tokens", {"name": "x", "stores": []}).fields == ["stores"]
    assert call("POST", "/v1/tokens", {"name": "x", "stores": ["*"], "expires_at": "2020-01-01T00:00:00Z"}).fields == [
        "expires_at"
    ]
