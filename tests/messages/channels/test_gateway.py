from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from chalicelib.errors import TryLater
from chalicelib.journeys.ports import ProviderBusy
from chalicelib.messages.channels.gateway import LARGEST, GatewayChannel, GatewayHttp
from chalicelib.messages.channels.gateway_request import Request
from chalicelib.messages.gateway import Gateway
from chalicelib.messages.ports import SendRejected, SendUncertain, Sms, WhatsApp
from tests.messages.channels.gateway_server import GatewayServer
from tests.messages.channels.test_end_user_messaging import sms
from tests.messages.channels.test_end_user_messaging_social import message as whatsapp

URL = "https://api.pelican.example/send"


def gateway(**changes: Any) -> Gateway:
    known: dict[str, Any] = {
        "url": URL,
        "body": {"json": {"to": "{{ to }}", "text": "{{ text }}"}},
        "answer": {"id": "id", "error": "error.code"},
    }
    return Gateway.model_validate(known | changes)


@pytest.fixture
def server() -> Iterator[GatewayServer]:
    with GatewayServer() as listening:
        yield listening


def send(server: GatewayServer, form: Gateway, message: Sms | WhatsApp | None = None) -> str:
    channel = GatewayChannel(form, lambda: {"token": "s3cret"}, "https://agala.example/reports/x", server.http)
    return channel.send(message or sms())


@pytest.mark.parametrize(
    ("answer", "meaning", "told"),
    [
        ((200, b'{"id": 5}'), None, "5"),
        ((200, b'{"id": "x1", "error": {"code": 0}}'), None, "x1"),
        ((201, b"OK"), None, "c1-digest"),
        ((202, b"[" * 100_000), None, "c1-digest"),
        ((200, b'{"id": "' + b"x" * LARGEST + b'"}'), None, "c1-digest"),
        ((200, b'{"error": {"code": "no_credit"}}'), SendRejected, "no_credit"),
        ((200, b'{"error": {"code": "+972505550101 is bad"}}'), SendRejected, "refused"),
        ((400, b'{"error": {"code": "E12"}}'), SendRejected, "400/E12"),
        ((403, b"<html>+972505550101"), SendRejected, "403"),
        ((302, b""), SendRejected, "302"),
        ((429, b""), ProviderBusy, "429"),
        ((503, b""), ProviderBusy, "503"),
        ((500, b""), SendUncertain, "500"),
        ((504, b""), SendUncertain, "504"),
        (None, SendUncertain, "ConnectionError"),
    ],
)
def test_what_the_gateway_answers_is_told_in_our_words(
    server: GatewayServer, answer: Any, meaning: type[Exception] | None, told: str
) -> None:
    server.answer, server.location = answer, "https://elsewhere.example/"
    if meaning is None:
        assert send(server, gateway()) == told
    else:
        with pytest.raises(meaning) as caught:
            send(server, gateway())
        assert str(caught.value) == told, "codes alone: its own words may name the person"
    assert len(server.asked) == 1, "one attempt, and no redirect"


def test_a_connection_that_never_was_means_not_taken() -> None:
    with GatewayServer() as gone:
        pass
    with pytest.raises(ProviderBusy):
        send(gone, gateway())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254.nip.invalid"])
def test_no_private_network_is_called(host: str) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        request = Request("POST", f"https://{host}:{port}/", {}, b"secret")
        with pytest.raises((SendRejected, ProviderBusy)) as caught:
            GatewayHttp().call(request)
    assert str(caught.value) in ("private_address", "ConnectionError")


def test_values_stay_in_their_places(server: GatewayServer) -> None:
    text = '"}], "to": "+1555"\r\nX: y&a=b שלום'
    form = gateway(
        url=f"{URL}/{{{{ to }}}}?q={{{{ text }}}}&r={{{{ name | url_encode }}}}",
        headers={"X-Reference": "{{ message_id }} {{ from }}", "Authorization": "Bearer {{ secret.token }}"},
        body={"json": {"list": ["{{ text }}", 5, True, None], "name": "{{ name }}"}},
    )
    send(server, form, sms(text=text, sender="Hadar"))
    (asked,) = server.asked
    assert json.loads(asked.body) == {"list": [text.replace("\r\n", "\n"), 5, True, None], "name": sms().sender_name}
    assert "&a=b" not in asked.path and "%26a%3Db" in asked.path and asked.path.startswith("/send/%2B972505550101?")
    assert asked.headers["x-reference"] == "c1-digest Hadar"
    assert asked.headers["authorization"] == "Bearer s3cret"
    assert asked.headers["content-type"] == "application/json"
    send(server, gateway(body={"form": {"a": "{{ text }}"}}, method="PUT"), sms(text="1&b=2"))
    assert (server.asked[1].body, server.asked[1].method) == (b"a=1%26b%3D2", "PUT")
    send(server, gateway(body={"text": "<m>{{ to }}</m>"}, headers={"Content-Type": "application/xml"}))
    assert server.asked[2].body == b"<m>+972505550101</m>"
    assert server.asked[2].headers["content-type"] == "application/xml"
    with pytest.raises(SendRejected, match="header"):
        send(server, gateway(headers={"X-Name": "{{ name }}"}))


def test_a_whatsapp_template_is_told_with_its_variables(server: GatewayServer) -> None:
    form = gateway(
        body={"json": {"t": "{{ template }}", "l": "{{ language }}", "v": "{{ variables }}", "n": "{{ variables[0] }}"}}
    )
    send(server, form, whatsapp(template="cart_waits", variables=("דנה", "5")))
    assert json.loads(server.asked[0].body) == {"t": "cart_waits", "l": "he", "v": ["דנה", "5"], "n": "דנה"}


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("url", {"url": "http://api.pelican.example/"}),
        ("url", {"url": "https://{{ to }}.example/"}),
        ("url", {"url": "https://api.pelican.example{{ to }}/"}),
        ("url", {"url": "https://user:pass@api.pelican.example/"}),
        ("url", {"url": "https://api.pelican.example/ x"}),
        ("url", {"url": "https://api.pelican.example:99999/"}),
        ("headers", {"headers": {"Host": "x"}}),
        ("headers", {"headers": {"X\r\nY": "x"}}),
        ("headers", {"headers": {"X": "{{ contact.email }}"}}),
        ("body", {"body": {"json": {"a": "{{ to "}}}),
        ("body", {"body": {"json": {"a": "{{ to | nothing }}"}}}),
        ("body", {"body": {"json": {"a": "{{ secret }}"}}}),
        ("body", {"body": {"json": {"a": 1}, "text": "x"}}),
        ("body", {"body": {}}),
        ("body", {"body": {"json": [[[[[[[[[["x"]]]]]]]]]]}}),
        ("answer", {"answer": {"id": "a["}}),
        ("answer", {"answer": {"id": "(" * 299}}),
        ("answer", {"answer": {"id": "[@,@][]" + "|[@,@][]" * 30}}),
        ("answer", {"answer": {"id": "a.{b: c}"}}),
        ("answer", {"answer": {"error": "a[?to_string(b) == 'x']"}}),
        ("report", {"report": {"message": "body.id", "status": "body.s", "statuses": {"1": "clicked"}}}),
        ("signature", {"signature": {"header": "X-S", "algorithm": "md5", "secret": "key"}}),
    ],
)
def test_a_gateway_that_cannot_work_is_refused_by_its_field(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        gateway(**changes)
    assert {error["loc"][0] for error in caught.value.errors()} == {field}


def test_it_knows_which_secrets_it_needs() -> None:
    form = gateway(
        headers={"A": "{{ secret.one }}"},
        body={"json": {"deep": ["{{ secret.two | upcase }}"]}},
        signature={"header": "X-S", "secret": "three"},
    )
    assert form.secret_names == {"one", "two", "three"}


def test_liquid_that_trims_spaces_and_text_that_is_no_unicode_are_sent(server: GatewayServer) -> None:
    send(server, gateway(url=f"{URL}?to={{{{- to -}}}}&n={{{{- name | url_encode -}}}}"), sms(text="a\ud800\x00b"))
    (asked,) = server.asked
    assert asked.path.startswith("/send?to=%2B972505550101&n=%")
    assert json.loads(asked.body)["text"] == "ab"


def test_secrets_out_of_reach_mean_not_taken(server: GatewayServer) -> None:
    """Else a message that surely never left would be shown as unknown, and never go."""

    def out() -> dict[str, str]:
        raise TryLater("the parameter store is out of reach")

    form = gateway(headers={"Authorization": "Bearer {{ secret.token }}"})
    with pytest.raises(ProviderBusy, match="secrets"):
        GatewayChannel(form, out, "https://agala.example/reports/x", server.http).send(sms())
    assert server.asked == []


@pytest.mark.parametrize("status", [401, 403])
def test_a_secret_that_was_changed_a_moment_ago_loses_no_message(server: GatewayServer, status: int) -> None:
    """Workers know secrets for some minutes; what is refused with an old one goes again with the new one."""
    form = gateway(headers={"Authorization": "Bearer {{ secret.token }}"})
    server.answer = (status, b"")
    known = [{"token": "old"}, {"token": "new"}]
    channel = GatewayChannel(form, lambda: known[0], "https://agala.example/reports/x", server.http, lambda: known[-1])
    with pytest.raises(ProviderBusy, match=str(status)):
        channel.send(sms())
    known.pop(0)
    with pytest.raises(SendRejected, match=str(status)):
        channel.send(sms())
