from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.contacts.consent import Channel, ConsentStatus
from chalicelib.errors import TryLater
from chalicelib.handlers import gateway_reports
from chalicelib.messages.gateway import SignatureForm
from chalicelib.messages.gateway_reports import is_signed, report_token, report_url
from tests.api.client import Caller
from tests.api.conftest import ADMIN, SHOP, ApiWiring
from tests.messages.channels.gateway_server import GatewayServer
from tests.messages.channels.test_gateway_examples import Shop

GATEWAY: dict[str, Any] = {
    "url": "https://api.pelican.example/send",
    "headers": {"Authorization": "Bearer {{ secret.token }}"},
    "body": {"json": {"to": "{{ to }}", "text": "{{ text }}"}},
    "report": {
        "each": "body.reports",
        "message": "ref",
        "status": "state",
        "statuses": {
            "OK": "delivered",
            "gone": "bounced",
            "1": "failed",
            "true": "opened",
            "spam": "complained",
            "stop": "opted_out",
        },
        "at": "at",
        "detail": "code",
    },
    "inbound": {"from": "body.msisdn", "text": "body.words", "at": "body.at", "id": "body.id"},
}
NEW = {"gateway": GATEWAY, "secrets": {"token": "made-up-token"}}


@pytest.fixture
def shop(wired: ApiWiring) -> Iterator[Shop]:
    with GatewayServer() as server:
        yield Shop(wired, server)


def test_a_gateway_is_kept_and_its_secrets_are_never_shown(shop: Shop, call: Caller) -> None:
    path = shop.path
    assert call("GET", path).status == 404
    missing = call("PUT", path, {"gateway": GATEWAY})
    assert (missing.status, missing.fields) == (422, ["secrets.token"])
    made = call("PUT", path, NEW)
    assert made.json["gateway"]["url"] == GATEWAY["url"] and "made-up-token" not in made.text
    assert call("PUT", path, {"gateway": GATEWAY}).status == 200, "a secret that is kept need not be told again"
    assert call("GET", path).json == made.json
    call("PUT", path, {**NEW, "secrets": {"other": "x", "token": "new"}})
    kept = shop.wired.secrets.gateway_secrets(shop.store_id, "sms")
    assert kept == {"token": "new"}, "what it does not name is not kept"
    assert "made-up-token" not in json.dumps(shop.wired.table.get(f"STORE#{shop.store_id}", "GATEWAY#sms"))
    assert call("DELETE", path).status == call("DELETE", path).status == 204
    assert call("GET", path).status == 404 and shop.wired.secrets.gateway_secrets(shop.store_id, "sms") == {}


def test_kept_secrets_are_of_their_host_and_go_to_no_other(shop: Shop, call: Caller) -> None:
    """Else whoever may change the address could have them sent to themselves."""
    call("PUT", shop.path, NEW)
    moved = {**GATEWAY, "url": "https://pelican.attacker.example/send"}
    refused = call("PUT", shop.path, {"gateway": moved})
    assert (refused.status, refused.fields) == (422, ["secrets.token"])
    assert (
        call("PUT", shop.path, {"gateway": {**GATEWAY, "url": "https://API.pelican.example/v2?a={{ to }}"}}).status
        == 200
    )
    assert call("PUT", shop.path, {"gateway": moved, "secrets": {"token": "theirs"}}).status == 200
    assert shop.wired.secrets.gateway_secrets(shop.store_id, "sms") == {"token": "theirs"}


def test_only_the_stores_own_channels_have_one(shop: Shop, call: Caller) -> None:
    assert call("PUT", shop.path.replace("sms", "email"), NEW).status == 422
    assert call("GET", shop.path.replace("sms", "email")).status == 404
    bad = {**NEW, "gateway": {**GATEWAY, "url": "http://api.pelican.example/", "answer": {"id": "["}}}
    assert sorted(call("PUT", shop.path, bad).fields) == ["gateway.answer.id", "gateway.url"]
    long = {"gateway": {**GATEWAY, "signature": {"header": "X", "secret": "b"}}}
    long["secrets"] = {"token": "x" * 2000, "b": "y" * 2000}
    assert call("PUT", shop.path, long).fields == ["secrets"]


@pytest.mark.parametrize(
    ("settings", "to", "status"),
    [
        ({"sending": "stopped"}, "+972505550101", 409),
        ({"sending": "sandbox"}, "+972505550101", 409),
        ({"sending": "sandbox", "sandbox_addresses": ["+972505550101"]}, "050-555-0101", 200),
        ({}, "nobody", 422),
        ({}, "+972505550101, +972505550102", 422),
    ],
)
def test_a_test_message_keeps_to_the_owners_switch(
    shop: Shop, call: Caller, settings: dict[str, Any], to: str, status: int
) -> None:
    call("PUT", shop.path, NEW)
    call("PATCH", f"/v1/stores/{shop.store_id}", {"settings": settings})
    assert call("POST", f"{shop.path}/test", {"to": to, "text": "x"}).status == status
    assert len(shop.server.asked) == (status == 200)


def test_a_stores_end_is_its_gateways_end(shop: Shop, call: Caller) -> None:
    call("PUT", shop.path, NEW)
    call("DELETE", f"/v1/stores/{shop.store_id}")
    assert shop.wired.gateways.get(shop.store_id, Channel.SMS) is None
    assert shop.wired.secrets.gateway_secrets(shop.store_id, "sms") == {}


# The door


def tell(shop: Shop, url: str, told: Any, **headers: str) -> int:
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    return shop.tell(url, body, **({"Content_Type": "application/json"} | headers))


def test_only_the_secret_address_is_listened_to(shop: Shop, call: Caller) -> None:
    url = call("PUT", shop.path, NEW).json["report_url"]
    message_id = shop.message()
    good = {"reports": [{"ref": message_id, "state": "OK"}]}
    other = call("POST", "/v1/stores", SHOP).json["id"]
    key = shop.wired.secrets.signing_key()
    wrong = [
        url[:-1],
        url.replace("/sms/", "/whatsapp/"),
        url.replace("/sms/", "/email/"),
        url.replace(shop.store_id, other),
        url.replace(shop.store_id, "x"),
        url + "%C3%A9",
        report_url("https://agala.example", key, other, Channel.SMS),
    ]
    assert [tell(shop, one, good) for one in wrong] == [404] * len(wrong)
    assert tell(shop, url, b" " * (gateway_reports.LARGEST_BODY + 1)) == 413
    assert shop.status(message_id) == ("sent", [])
    assert tell(shop, url, good) == 200
    assert shop.status(message_id) == ("delivered", ["delivered"])
    assert len({report_token(key, s, c) for s in (shop.store_id, other) for c in Channel}) == 6


def test_each_of_several_reports_counts_and_what_is_no_report_is_passed_over(shop: Shop, call: Caller) -> None:
    url = call("PUT", shop.path, NEW).json["report_url"]
    message_id, mail = shop.message(), shop.message(Channel.EMAIL)
    now = shop.wired.clock.now()
    reports = [
        {"ref": message_id, "state": "ok", "at": int(now.timestamp()) - 60, "code": "E1"},
        {"ref": message_id, "state": True, "at": (now.timestamp() - 30) * 1000, "code": "a person's words: דנה"},
        {"ref": message_id, "state": "sent"},
        {"ref": mail, "state": "gone"},
        {"ref": f"{shop.contact_id}-{'x' * 20}", "state": "gone"},
        {"ref": "../x", "state": "gone"},
        {"ref": ["x"], "state": "OK"},
        {"ref": message_id, "state": {"a": 1}},
        3,
        None,
    ]
    assert tell(shop, url, {"reports": reports}) == 200
    found = shop.wired.messages.get(shop.store_id, message_id)
    assert found is not None
    assert [(e.status, e.detail, (now - e.at).total_seconds()) for e in found.history] == [
        ("delivered", "E1", 60),
        ("opened", None, 30),
    ]
    assert shop.status(mail) == ("sent", []), "an SMS gateway says nothing of an email"
    for nonsense in (b"", b"{", b"[" * 100_000, b"\xff", {"reports": 5}, [], {"msisdn": 5, "words": 5}):
        assert tell(shop, url, nonsense) == 200
    assert tell(shop, url, b"reports=1&" * 1000, Content_Type="application/x-www-form-urlencoded") == 200


@pytest.mark.parametrize("at", ["2999-01-01T00:00:00Z", "1999-01-01T00:00:00Z", 10**30, "soon", {"a": 1}, None])
def test_a_clock_that_is_wrong_makes_no_choice_stand_for_ever(shop: Shop, call: Caller, at: Any) -> None:
    url = call("PUT", shop.path, NEW).json["report_url"]
    assert tell(shop, url, {"msisdn": "0505550101", "words": "STOP", "at": at, "id": "7"}) == 200
    consent = shop.consent()
    assert (consent.status, consent.at) == (ConsentStatus.UNSUBSCRIBED, shop.wired.clock.now())


def test_a_complaint_takes_consent_back_and_a_table_that_is_out_is_told_again(
    shop: Shop, call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = call("PUT", shop.path, NEW).json["report_url"]
    message_id = shop.message()
    told = {"reports": [{"ref": message_id, "state": "spam"}]}

    def out(*_: Any, **__: Any) -> None:
        raise TryLater("the table is busy")

    with monkeypatch.context() as patched:
        patched.setattr(shop.wired.messages, "save", out)
        assert tell(shop, url, told) == 503
    assert tell(shop, url, told) == 200
    assert shop.status(message_id) == ("complained", ["complained"])
    assert shop.consent().status is ConsentStatus.UNSUBSCRIBED


def test_who_told_the_provider_to_stop_has_told_the_store(shop: Shop, call: Caller) -> None:
    url = call("PUT", shop.path, NEW).json["report_url"]
    message_id = shop.message()
    assert tell(shop, url, {"reports": [{"ref": message_id, "state": "STOP"}]}) == 200
    assert shop.status(message_id) == ("failed", ["failed"])
    assert (shop.consent().status, shop.consent().source) == (ConsentStatus.UNSUBSCRIBED, "reply")
    found = shop.wired.contacts.get(shop.store_id, shop.contact_id)
    assert found is not None and found.suppressed == {}


def test_a_signature_is_of_the_body_as_it_came_and_a_new_secret_counts_at_once(shop: Shop, call: Caller) -> None:
    signed = {**GATEWAY, "signature": {"header": "X-Sig", "algorithm": "sha1", "prefix": "sha1=", "secret": "key"}}
    url = call("PUT", shop.path, {"gateway": signed, "secrets": {"token": "t", "key": "old"}}).json["report_url"]
    message_id = shop.message()
    body = json.dumps({"reports": [{"ref": message_id, "state": "OK"}]}).encode()

    def by(key: bytes, form: str = "sha1={}") -> int:
        return tell(shop, url, body, X_Sig=form.format(hmac.digest(key, body, "sha1").hex()))

    assert [by(b"new"), by(b"old", "{}"), by(b"old", "sha1={}x"), by(b"")] == [401] * 4
    assert shop.status(message_id) == ("sent", [])
    call("PUT", shop.path, {"gateway": signed, "secrets": {"key": "new"}})
    assert [by(b"old"), by(b"new")] == [401, 200]


@pytest.mark.parametrize("told", ["", "x", "é", "ABC", "sha256=", "\udcff"])
def test_no_header_breaks_the_check(told: str) -> None:
    form = SignatureForm(header="X-Sig", secret="k", prefix="sha256=")
    assert not is_signed(form, "secret", {"x-sig": told}, b"body")
    good = "sha256=" + hmac.digest(b"secret", b"body", "sha256").hex().upper()
    assert is_signed(form, "secret", {"x-sig": good}, b"body")


def test_a_public_address_may_change(shop: Shop, call: Caller) -> None:
    call("PUT", shop.path, NEW)
    shop.wired.settings = replace(shop.wired.settings, public_url="https://new.example")
    assert call("GET", shop.path).json["report_url"].startswith("https://new.example/reports/sms/")


@pytest.fixture
def call() -> Caller:
    return Caller(ADMIN)
