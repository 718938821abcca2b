"""A shop connects, hands over its keys, asks how it is doing, and lets go."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.clock import parse_rfc3339
from chalicelib.errors import TryLater
from chalicelib.sync.progress import SyncStatus
from tests.api.client import Answered, Caller
from tests.api.conftest import SHOP, ApiWiring
from tests.conftest import HandClock

WOO = {
    "platform": "woocommerce",
    "name": "חנות התה",
    "url": "https://tea.example",
    "rest_url": "https://tea.example/wp-json/",
    "country": "IL",
    "currency": "ILS",
    "timezone": "+02:00",
    "locale": "he_IL",
    "abandon_after_minutes": 45,
    "versions": {"plugin": "0.1.0", "woocommerce": "10.0.2", "wordpress": "7.1.1", "php": "8.2.29"},
}
KEYS = {
    "key_id": 7,
    "user_id": "1",
    "consumer_key": "ck_" + "a1" * 20,
    "consumer_secret": "cs_" + "b2" * 20,
    "key_permissions": "read_write",
}
NOW = 1_795_000_000.0  # Unix seconds: real time, which has nothing to do with the store's clock


@pytest.fixture(autouse=True)
def real_time(wired: ApiWiring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wired, "unix_time", lambda: NOW)


def inside(code: str) -> dict[str, str]:
    """What the plugin reads in a code."""
    kind, _, text = code.partition("_")
    assert kind == "agala"
    told: dict[str, str] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return told


def key_of(call: Caller, **body: Any) -> str:
    made = call("POST", "/v1/connection-codes", body)
    assert made.status == 201, made.text
    return inside(made.json["code"])["key"]


def connected(call: Caller, code_for: str | None = None, **more: Any) -> dict[str, Any]:
    key = key_of(call, **({"store_id": code_for} if code_for else {}))
    made = Caller(key)("POST", "/v1/connections", WOO | more)
    assert made.status == 201, made.text
    answer: dict[str, Any] = made.json
    return answer


def path_of(url: str) -> str:
    return url.removeprefix("https://agala.example")


def signed(
    made: dict[str, Any], what: str, body: Any = None, *, at: float = NOW, secret: str | None = None, **headers: str
) -> Answered:
    raw = json.dumps(body or {}).encode()
    stamp = str(int(at))
    mark = hmac.new((secret or made["secret"]).encode(), stamp.encode() + b"." + raw, hashlib.sha256).hexdigest()
    sent = {"X-Agala-Timestamp": stamp, "X-Agala-Signature": mark, **headers}
    return Caller(None)("POST", f"{path_of(made['plugin_url'])}/{what}", body=raw, headers=sent)


def hand_over(made: dict[str, Any], **more: Any) -> Answered:
    return Caller(None)(
        "POST",
        path_of(made["keys_url"]),
        KEYS | more,
        headers={"content-type": "application/json;charset=UTF-8"},  # as WooCommerce sends it
    )


# Codes


def test_a_code_carries_our_address_and_a_key_that_is_kept_as_a_hash(call: Caller, wired: ApiWiring) -> None:
    made = call("POST", "/v1/connection-codes", {})
    assert made.status == 201
    told = inside(made.json["code"])
    assert told["address"] == "https://agala.example"
    assert len(told["key"]) >= 32
    assert parse_rfc3339(made.json["expires_at"]) == datetime(2026, 11, 22, 22, 0, tzinfo=UTC)
    assert told["key"] not in everything(wired)


def test_a_code_for_a_store_needs_a_token_of_that_store(call: Caller, store: dict[str, Any]) -> None:
    scoped = Caller(call("POST", "/v1/tokens", {"name": "agency", "stores": [store["id"]]}).json["secret"])
    assert scoped("POST", "/v1/connection-codes", {"store_id": store["id"]}).status == 201
    assert scoped("POST", "/v1/connection-codes", {}).status == 403
    other = call("POST", "/v1/stores", SHOP).json["id"]
    assert scoped("POST", "/v1/connection-codes", {"store_id": other}).status == 403
    assert call("POST", "/v1/connection-codes", {"store_id": "0" * 26}).fields == ["store_id"]
    assert call("POST", "/v1/connection-codes", {"store_id": "../x"}).fields == ["store_id"]
    assert Caller(None)("POST", "/v1/connection-codes", {}).status == 401


# Connecting


def test_a_shop_that_connects_becomes_a_store(call: Caller, wired: ApiWiring) -> None:
    made = connected(call)
    shown = call("GET", f"/v1/stores/{made['store_id']}").json
    assert (shown["name"], shown["url"], shown["currency"]) == (WOO["name"], WOO["url"], "ILS")
    assert (shown["timezone"], shown["locale"], shown["country"]) == ("Asia/Jerusalem", "he-IL", "IL")
    assert shown["abandon_after_minutes"] == 45
    assert shown["connection"] == {
        "status": "connected",
        "since": "2026-11-21T22:00:00.000Z",
        "rest_url": WOO["rest_url"],
        "shop": None,
        "keys_at": None,
        "versions": WOO["versions"],
    }
    assert made["webhook_url"] == shown["webhook_url"]
    assert made["carts_url"] == f"https://agala.example/v1/stores/{made['store_id']}/carts"
    assert (made["deliver_host"], made["deliver_port"]) == ("agala.example", 443)
    assert wired.secrets.kept == {made["store_id"]: made["secret"]}


def test_a_store_made_over_the_api_has_no_connection(store: dict[str, Any]) -> None:
    assert store["connection"] is None


def test_a_code_is_good_once(call: Caller) -> None:
    key = key_of(call)
    assert Caller(key)("POST", "/v1/connections", WOO).status == 201
    again = Caller(key)("POST", "/v1/connections", WOO)
    assert again.status == 401
    assert "already" in again.json["detail"]


def test_of_many_who_use_one_code_at_once_one_connects(call: Caller) -> None:
    key = key_of(call)
    with ThreadPoolExecutor(4) as hands:
        answers = list(hands.map(lambda n: Caller(key)("POST", "/v1/connections", WOO | {"name": f"{n}"}), range(4)))
    assert sorted(answer.status for answer in answers) == [201, 401, 401, 401]
    assert len(call("GET", "/v1/stores").json["items"]) == 1


def test_a_code_ends_after_a_day(call: Caller, clock: HandClock) -> None:
    key = key_of(call)
    clock.advance(hours=24)
    late = Caller(key)("POST", "/v1/connections", WOO)
    assert late.status == 401
    assert "expired" in late.json["detail"]


@pytest.mark.parametrize("key", ["", "nonsense", "agala_" + "x" * 40, "ק", "x" * 600, None])
def test_a_key_that_we_did_not_make_opens_nothing(call: Caller, key: str | None) -> None:
    assert Caller(key)("POST", "/v1/connections", WOO).status == 401
    assert call("POST", "/v1/connections", WOO).status == 401  # an API token is no code


def test_a_code_is_no_token(call: Caller) -> None:
    assert Caller(key_of(call))("GET", "/v1/stores").status == 401


def test_a_bad_body_does_not_use_the_code_up(call: Caller) -> None:
    key = key_of(call)
    assert Caller(key)("POST", "/v1/connections", WOO | {"currency": "BTC"}).fields == ["currency"]
    assert Caller(key)("POST", "/v1/connections", WOO | {"timezone": "Mars/Base"}).fields == ["timezone"]
    assert Caller(key)("POST", "/v1/connections", WOO).status == 201


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("platform", "shopify"),
        ("platform", "magento"),
        ("name", ""),
        ("name", "x" * 201),
        ("url", "https://owner:password@tea.example"),
        ("url", "ftp://tea.example"),
        ("url", "https://tea.example/\n"),
        ("rest_url", "https://owner@tea.example/wp-json/"),
        ("rest_url", "javascript:alert(1)"),
        ("country", "Israel"),
        ("country", "QQ"),
        ("currency", "IRT"),
        ("currency", "₪"),
        ("timezone", "-11:30"),
        ("timezone", "../../etc/passwd"),
        ("timezone", ""),
        ("locale", "hebrew!"),
        ("abandon_after_minutes", 0),
        ("abandon_after_minutes", "60"),
        ("versions", {"php": "8\n"}),
        ("versions", {"php": "8" * 100}),
    ],
)
def test_a_bad_field_is_named(call: Caller, field: str, value: Any) -> None:
    refused = Caller(key_of(call))("POST", "/v1/connections", WOO | {field: value})
    assert refused.status == 422
    assert [name.partition(".")[0] for name in refused.fields] == [field]
    assert "password" not in refused.text
    assert call("GET", "/v1/stores").json["items"] == []


@pytest.mark.parametrize(
    ("told", "country", "zone"),
    [
        ("Asia/Jerusalem", "IL", "Asia/Jerusalem"),
        ("+02:00", "IL", "Asia/Jerusalem"),
        ("+03:00", "IL", "Asia/Jerusalem"),  # told in summer
        ("+00:00", "IL", "Asia/Jerusalem"),  # what WordPress has before anybody chooses
        ("UTC", "IL", "UTC"),
        ("+05:00", "IL", "Etc/GMT-5"),
        ("-05:00", "US", "Etc/GMT+5"),  # New York in winter or Chicago in summer
        ("+00:00", "US", "UTC"),
        ("+01:00", "DE", "Europe/Berlin"),
        ("+05:30", "IN", "Asia/Kolkata"),
        ("+05:45", "IL", "Asia/Kathmandu"),
        ("+00:00", "GB", "Europe/London"),
    ],
)
def test_an_offset_becomes_a_zone(call: Caller, told: str, country: str, zone: str) -> None:
    made = connected(call, timezone=told, country=country)
    assert call("GET", f"/v1/stores/{made['store_id']}").json["timezone"] == zone


@pytest.mark.parametrize(
    ("told", "kept"),
    [("he_IL", "he-IL"), ("he", "he"), ("en_US", "en-US"), ("de_DE_formal", "de-DE"), ("zh_Hant_TW", "zh-Hant-TW")],
)
def test_wordpress_names_of_languages_become_ours(call: Caller, told: str, kept: str) -> None:
    assert call("GET", f"/v1/stores/{connected(call, locale=told)['store_id']}").json["locale"] == kept


def test_what_a_newer_plugin_tells_besides_is_no_mistake(call: Caller) -> None:
    made = connected(call, country="US:CA", currency="USD", theme="storefront")
    assert call("GET", f"/v1/stores/{made['store_id']}").json["country"] == "US"


# Claiming


def test_the_same_shop_comes_back_to_its_store_with_a_new_secret(call: Caller, wired: ApiWiring) -> None:
    first = connected(call)
    again = connected(call, url="http://TEA.example:80/", name="בית התה")
    assert again["store_id"] == first["store_id"]
    assert again["secret"] != first["secret"]
    assert again["keys_url"] != first["keys_url"]
    assert signed(first, "status").status == 401
    assert signed(again, "status").json["store"]["name"] == "בית התה"


def test_keys_of_the_connection_before_are_forgotten(call: Caller, wired: ApiWiring) -> None:
    made = connected(call)
    hand_over(made)
    connected(call)
    assert wired.secrets.rest == {}
    assert call("GET", f"/v1/stores/{made['store_id']}").json["connection"]["keys_at"] is None


def test_another_shop_is_another_store(call: Caller) -> None:
    first = connected(call)
    for url in ("https://tea.example/second", "https://tea.example:8443", "https://www.tea.example"):
        assert connected(call, url=url)["store_id"] != first["store_id"]


def test_a_yes_to_one_shop_takes_no_store_of_another(call: Caller) -> None:
    victim = connected(call)
    key = key_of(call, shop="https://stranger.example")
    refused = Caller(key)("POST", "/v1/connections", WOO | {"rest_url": "https://stranger.example/wp-json/"})
    assert refused.status == 409
    assert signed(victim, "status").status == 200
    own = Caller(key)("POST", "/v1/connections", WOO | {"url": "https://stranger.example"})
    assert own.json["store_id"] != victim["store_id"]
    again = Caller(key_of(call, shop="http://www.tea.example"))("POST", "/v1/connections", WOO)
    assert again.json["store_id"] == victim["store_id"]


def test_an_address_for_keys_ends_with_its_connection(call: Caller, wired: ApiWiring, clock: HandClock) -> None:
    first = connected(call)
    clock.advance(minutes=1)
    second = connected(call)
    assert hand_over(first).status == 404
    assert wired.secrets.rest == {}
    assert hand_over(second).status == 200


def test_a_code_of_a_store_claims_that_store_and_leaves_its_settings(call: Caller, store: dict[str, Any]) -> None:
    call("PATCH", f"/v1/stores/{store['id']}", {"settings": {"sending": "stopped"}})
    made = connected(call, code_for=store["id"])
    assert made["store_id"] == store["id"]
    shown = call("GET", f"/v1/stores/{store['id']}").json
    assert (shown["url"], shown["settings"]["sending"]) == (WOO["url"], "stopped")


def test_a_code_of_a_store_that_is_not_this_shop_is_refused_and_stays_good(call: Caller) -> None:
    shopify = call("POST", "/v1/stores", SHOP | {"platform": "shopify"}).json["id"]
    refused = Caller(key_of(call, store_id=shopify))("POST", "/v1/connections", WOO)
    assert refused.status == 409
    euros = call("POST", "/v1/stores", SHOP | {"currency": "EUR"}).json["id"]
    key = key_of(call, store_id=euros)
    assert Caller(key)("POST", "/v1/connections", WOO).fields == ["currency"]
    assert Caller(key)("POST", "/v1/connections", WOO | {"currency": "EUR"}).status == 201
    gone = call("POST", "/v1/stores", SHOP).json["id"]
    key = key_of(call, store_id=gone)
    call("DELETE", f"/v1/stores/{gone}")
    assert Caller(key)("POST", "/v1/connections", WOO).status == 409


# Keys


def test_keys_go_to_the_parameter_store_and_the_sync_starts(
    call: Caller, wired: ApiWiring, caplog: pytest.LogCaptureFixture
) -> None:
    made = connected(call)
    with caplog.at_level(logging.DEBUG):
        assert hand_over(made).json == {"store_id": made["store_id"], "status": "taken"}
    assert wired.secrets.rest == {made["store_id"]: (KEYS["consumer_key"], KEYS["consumer_secret"])}
    assert call("GET", f"/v1/stores/{made['store_id']}").json["connection"]["keys_at"] == "2026-11-21T22:00:00.000Z"
    assert [payload["store_id"] for payload in wired.workflows.started.values()] == [made["store_id"]]
    kept = everything(wired) + caplog.text + json.dumps(wired.workflows.started)
    for secret in (KEYS["consumer_key"], KEYS["consumer_secret"], made["secret"], made["keys_url"].rpartition("/")[2]):
        assert secret not in kept


def test_an_address_for_keys_takes_one_set_of_keys(call: Caller, wired: ApiWiring) -> None:
    made = connected(call)
    assert hand_over(made).status == 200
    assert hand_over(made).status == 200  # WooCommerce did not hear our answer
    assert len(wired.workflows.started) == 1
    assert hand_over(made, consumer_key="ck_" + "9" * 40).status == 409
    assert wired.secrets.rest[made["store_id"]][0] == KEYS["consumer_key"]


def test_keys_that_came_while_the_sync_could_not_start_may_be_replaced(
    call: Caller, wired: ApiWiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = connected(call)

    def busy(machine: str, execution: str, payload: dict[str, Any]) -> None:
        raise TryLater("busy")

    with monkeypatch.context() as out:
        out.setattr(wired.workflows, "start", busy)
        assert hand_over(made).status == 503
    again = "ck_" + "9" * 40  # the plugin took the first ones back
    assert hand_over(made, consumer_key=again).status == 200
    assert wired.secrets.rest[made["store_id"]][0] == again


def test_a_shop_that_comes_back_gets_its_webhooks_signed_anew(call: Caller, wired: ApiWiring) -> None:
    """Whatever the sync was at: they are signed with the secret of before."""
    made = connected(call)
    hand_over(made)
    begun = wired.sync_records.get(made["store_id"])
    assert begun
    on_its_way = tuple(part.model_copy(update={"over": part.kind != "orders"}) for part in begun.parts)
    wired.sync_records.save(begun.model_copy(update={"parts": on_its_way, "cursor": {"page": 7}}))
    hand_over(connected(call))
    again = wired.sync_records.get(made["store_id"])
    assert again and again.part
    assert (again.part.kind, again.run, again.execution) == ("webhooks", begun.run, begun.execution + 1)
    assert again.cursor == {"page": 7}  # and then it goes on where it was
    over = {"status": SyncStatus.DONE, "history_done_at": begun.started_at}
    wired.sync_records.save(again.model_copy(update=over))
    hand_over(connected(call))
    look = wired.sync_records.get(made["store_id"])
    assert look and look.part
    assert (look.mode, look.status, look.part.kind) == ("reconcile", "running", "webhooks")
    assert len(wired.workflows.started) == 3


def test_an_address_for_keys_is_of_one_store_and_ends(call: Caller, wired: ApiWiring, clock: HandClock) -> None:
    made = connected(call)
    other = connected(call, url="https://other.example")
    mixed = f"/v1/connections/{other['store_id']}/keys/{made['keys_url'].rpartition('/')[2]}"
    assert Caller(None)("POST", mixed, KEYS).status == 404
    assert Caller(None)("POST", f"/v1/connections/{made['store_id']}/keys/{'x' * 43}", KEYS).status == 404
    clock.advance(hours=24)
    assert hand_over(made).status == 404
    assert wired.secrets.rest == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("consumer_key", "cs_" + "a" * 40),
        ("consumer_key", None),
        ("consumer_secret", "cs_\n" + "a" * 40),
        ("consumer_secret", "cs_" + "a" * 500),
        ("key_permissions", "read"),
    ],
)
def test_bad_keys_are_named_and_not_repeated(call: Caller, wired: ApiWiring, field: str, value: Any) -> None:
    made = connected(call)
    refused = hand_over(made, **{field: value})
    assert refused.status == 422
    assert refused.fields == [field]
    assert KEYS["consumer_secret"] not in refused.text
    assert wired.secrets.rest == {}
    assert hand_over(made).status == 200


# What the plugin asks and tells


def test_the_status_is_told_to_who_signs(call: Caller) -> None:
    made = connected(call)
    told = signed(made, "status")
    assert told.status == 200
    assert told.json["store"] == {"id": made["store_id"], "name": WOO["name"], "abandon_after_minutes": 45}
    assert parse_rfc3339(told.json["now"]).timestamp() == NOW
    assert told.json["connection"]["status"] == "connected"
    assert "REST keys" in told.json["connection"]["trouble"]["words"]
    assert told.json["sync"]["status"] == "never"
    hand_over(made)
    told = signed(made, "status")
    assert told.json["connection"]["trouble"] is None
    assert told.json["sync"] == call("GET", f"/v1/stores/{made['store_id']}/sync").json
    assert told.json["sync"]["status"] == "running"


@pytest.mark.parametrize("what", ["status", "settings", "disconnect"])
def test_what_is_not_signed_now_and_with_this_secret_does_nothing(call: Caller, wired: ApiWiring, what: str) -> None:
    made = connected(call)
    other = connected(call, url="https://other.example")
    assert signed(made, what, secret="another").status == 401
    assert signed(made, what, secret=other["secret"]).status == 401
    assert signed(made, what, at=NOW - 301).status == 401
    assert signed(made, what, at=NOW + 301).status == 401
    assert signed(made, what, **{"X-Agala-Signature": "0" * 64}).status == 401
    assert call("POST", f"{path_of(made['plugin_url'])}/{what}", {}).status == 401
    assert signed({**made, "plugin_url": made["plugin_url"].replace(made["store_id"], "0" * 26)}, what).status == 404
    assert made["store_id"] in wired.secrets.kept


def test_settings_follow_the_shop(call: Caller) -> None:
    made = connected(call)
    told = {"abandon_after_minutes": 10, "timezone": "Europe/Paris", "locale": "fr_FR", "versions": {"plugin": "0.2.0"}}
    assert signed(made, "settings", told | {"pixel": True}).json["abandon_after_minutes"] == 10
    shown = call("GET", f"/v1/stores/{made['store_id']}").json
    assert (shown["abandon_after_minutes"], shown["timezone"], shown["locale"]) == (10, "Europe/Paris", "fr-FR")
    assert shown["connection"]["versions"] == {"plugin": "0.2.0"}
    assert shown["name"] == WOO["name"]
    assert signed(made, "settings", {"abandon_after_minutes": -1}).fields == ["abandon_after_minutes"]
    assert signed(made, "settings", {"timezone": "nowhere"}).fields == ["timezone"]
    assert signed(made, "settings", {}).status == 200


def test_keys_do_not_follow_to_another_host(call: Caller, wired: ApiWiring) -> None:
    made = connected(call)
    hand_over(made)
    for elsewhere in ("https://copy.example/wp-json/", "https://tea.example:8443/wp-json/"):
        assert signed(made, "settings", {"rest_url": elsewhere, "name": "x"}).fields == ["rest_url"]
    shown = call("GET", f"/v1/stores/{made['store_id']}").json
    assert (shown["connection"]["rest_url"], shown["name"]) == (WOO["rest_url"], WOO["name"])
    assert signed(made, "settings", {"rest_url": "https://tea.example/?rest_route=/"}).status == 200


def test_a_body_too_large_is_refused_before_it_is_read(call: Caller) -> None:
    assert signed(connected(call), "settings", {"name": "x" * 1_100_000}).status == 413


def test_disconnecting_forgets_keys_and_secret_and_says_so(call: Caller, wired: ApiWiring, clock: HandClock) -> None:
    made = connected(call)
    hand_over(made)
    clock.advance(hours=1)
    told = signed(made, "disconnect")
    assert told.status == 200
    assert told.json["connection"] == {
        "status": "disconnected",
        "since": "2026-11-21T23:00:00.000Z",
        "trouble": None,
    }
    assert (wired.secrets.kept, wired.secrets.rest) == ({}, {})
    assert signed(made, "disconnect").status == 404
    assert hand_over(made).status == 404  # an address for keys ends with its connection
    assert call("GET", f"/v1/stores/{made['store_id']}").json["connection"]["status"] == "disconnected"


def test_a_disconnect_that_was_cut_short_can_be_repeated(
    call: Caller, wired: ApiWiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = connected(call)
    hand_over(made)

    def out(store_id: str) -> None:
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(wired.secrets, "delete_rest_keys", out)
        assert signed(made, "disconnect").status == 500
    assert signed(made, "disconnect").status == 200
    assert wired.secrets.rest == {}


def test_keys_that_come_while_the_shop_lets_go_are_not_kept(
    call: Caller, wired: ApiWiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = connected(call)
    put = wired.secrets.put_rest_keys

    def late(store_id: str, key: str, secret: str) -> None:
        assert signed(made, "disconnect").status == 200
        put(store_id, key, secret)

    monkeypatch.setattr(wired.secrets, "put_rest_keys", late)
    assert hand_over(made).status == 404
    assert wired.secrets.rest == {}
    assert wired.workflows.started == {}


def test_who_was_disconnected_connects_again(call: Caller) -> None:
    made = connected(call)
    signed(made, "disconnect")
    again = connected(call)
    assert again["store_id"] == made["store_id"]
    assert call("GET", f"/v1/stores/{made['store_id']}").json["connection"]["status"] == "connected"
    assert hand_over(again).status == 200


def test_a_store_of_the_api_has_nothing_to_disconnect(call: Caller, store: dict[str, Any]) -> None:
    plain = {"secret": store["secret"], "plugin_url": f"https://agala.example/v1/stores/{store['id']}/plugin"}
    assert signed(plain, "status").json["connection"] is None
    assert signed(plain, "disconnect").status == 409
    assert signed(plain, "status").status == 200


# The store


def test_the_secret_of_a_connected_shop_is_not_changed_behind_its_back(call: Caller) -> None:
    made = connected(call)
    path = f"/v1/stores/{made['store_id']}"
    assert call("PATCH", path, {"secret": "another-secret"}).status == 409
    assert signed(made, "status").status == 200
    signed(made, "disconnect")
    assert call("PATCH", path, {"secret": "another-secret"}).status == 200


def test_a_store_that_went_takes_its_keys_along(call: Caller, wired: ApiWiring) -> None:
    made = connected(call)
    hand_over(made)
    assert call("DELETE", f"/v1/stores/{made['store_id']}").status == 204
    assert (wired.secrets.kept, wired.secrets.rest) == ({}, {})


def everything(wired: ApiWiring) -> str:
    """All that the table holds, as text."""
    client: Any = wired.table._client
    found = client.scan(TableName=wired.table.name)["Items"]
    assert found
    return json.dumps(found, default=str)
