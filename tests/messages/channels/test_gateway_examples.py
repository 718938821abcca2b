"""The worked examples of docs/adding-a-channel.md, as they stand there, through the API and the doors."""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest

from chalicelib import wiring
from chalicelib.contacts.consent import Channel, Consent, ConsentStatus
from chalicelib.ids import digest
from chalicelib.messages.message import Message, MessageKind, MessageStatus
from tests.api.client import Caller
from tests.api.conftest import ADMIN, SHOP, ApiWiring
from tests.api.conftest import wired as wired
from tests.messages.channels.gateway_server import GatewayServer

PAGE = (Path(__file__).parents[3] / "docs" / "adding-a-channel.md").read_text()
TEXT = 'שלום! "הכול" מוכן'


def example(name: str) -> str:
    found = re.search(rf"^```\w+ {name}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert found, name
    return found[1].strip()


class Shop:
    """A store with a contact and an SMS to them, and the provider's server."""

    def __init__(self, wired: ApiWiring, server: GatewayServer) -> None:
        self.wired, self.server, self.call = wired, server, Caller(ADMIN)
        wired.__dict__["gateway_http"] = server.http
        wired.settings = replace(wired.settings, public_url="https://agala.example")
        self.store_id = self.call("POST", "/v1/stores", SHOP).json["id"]
        self.path = f"/v1/stores/{self.store_id}/gateways/sms"
        consent = {"sms": {"status": "subscribed", "source": "checkout", "at": "2026-11-01T00:00:00Z"}}
        person = {"phone": "+972505550101", "consent": consent}
        self.contact_id = self.call("POST", f"/v1/stores/{self.store_id}/contacts", person).json["id"]

    def message(self, channel: Channel = Channel.SMS) -> str:
        """One that went out."""
        identifier, now = f"{self.contact_id}-{digest('x', channel)}", self.wired.clock.now()
        sent = Message(
            id=identifier,
            store_id=self.store_id,
            contact_id=self.contact_id,
            channel=channel,
            kind=MessageKind.MARKETING,
            status=MessageStatus.SENT,
            created_at=now,
            at=now,
        )
        self.wired.messages.claim(sent)
        return identifier

    def tell(self, url: str, body: bytes = b"", **headers: str) -> int:
        """What the provider posts to an address of ours."""
        named = {name.replace("_", "-").lower(): value for name, value in headers.items()}
        return self.call("POST", url.removeprefix("https://agala.example"), body=body, headers=named).status

    def status(self, message_id: str) -> tuple[str, list[str]]:
        found = self.wired.messages.get(self.store_id, message_id)
        assert found is not None
        return found.status, [entry.status for entry in found.history]

    def consent(self) -> Consent:
        found = self.wired.contacts.get(self.store_id, self.contact_id)
        assert found is not None
        return found.consent_for(Channel.SMS)


@pytest.fixture
def shop(wired: ApiWiring) -> Iterator[Shop]:
    with GatewayServer() as server:
        yield Shop(wired, server)


def tried(shop: Shop) -> Any:
    return shop.call("POST", f"{shop.path}/test", {"to": "050-555-0101", "text": TEXT}).json


def test_the_json_provider_with_signed_reports(shop: Shop) -> None:
    made = shop.call("PUT", shop.path, json.loads(example("pelican")))
    assert made.status == 200 and "made-up" not in made.text
    assert made.json["secret_names"] == ["report_key", "token"]
    shop.server.answer = (202, b'{"messages": [{"id": "pel-1"}]}')
    sent = tried(shop)
    assert (sent["outcome"], sent["provider_id"]) == ("sent", "pel-1")
    (asked,) = shop.server.asked
    url = made.json["report_url"]
    expected = example("pelican-request").replace("MESSAGE", sent["message_id"]).replace("REPORT_URL", url)
    assert json.loads(asked.body) == json.loads(expected)
    assert (asked.path, asked.headers["host"]) == ("/v2/messages", "api.pelican.example")
    assert asked.headers["authorization"] == "Bearer made-up-token"

    message_id = shop.message()
    body = example("pelican-report").replace("MESSAGE", message_id).encode()
    signature = base64.b64encode(hmac.digest(b"made-up-report-key", body, "sha256")).decode()
    assert shop.tell(url, body, Content_Type="application/json") == 401
    assert shop.tell(url, body + b" ", Content_Type="application/json", X_Pelican_Signature=signature) == 401
    assert shop.status(message_id) == ("sent", []) and shop.consent().status is ConsentStatus.SUBSCRIBED
    for _ in range(2):
        assert shop.tell(url, body, Content_Type="application/json", X_Pelican_Signature=signature) == 200
    assert shop.status(message_id) == ("bounced", ["bounced"])
    consent = shop.consent()
    assert (consent.status, consent.source, consent.text) == (ConsentStatus.UNSUBSCRIBED, "reply", "הסר")


def test_the_form_provider_with_reports_in_the_address(shop: Shop) -> None:
    made = shop.call("PUT", shop.path, json.loads(example("kestrel")))
    url = made.json["report_url"]
    shop.server.answer = (200, b'{"status": 0, "id": 7001}')
    sent = tried(shop)
    assert (sent["outcome"], sent["provider_id"]) == ("sent", "7001")
    expected = example("kestrel-request").replace("MESSAGE", sent["message_id"])
    assert shop.server.asked[0].body.decode() == expected.replace("ENCODED_REPORT_URL", quote_plus(url))
    shop.server.answer = (200, b'{"status": "low_credit"}')
    assert (tried(shop)["outcome"], tried(shop)["detail"]) == ("rejected", "low_credit")

    message_id = shop.message()
    told = example("kestrel-report").replace("REPORT_URL", url).replace("MESSAGE", message_id)
    assert shop.tell(told.replace("dlr=1", "dlr=8")) == 200
    assert shop.status(message_id) == ("sent", ["delayed"])
    assert shop.tell(told) == 200
    assert shop.status(message_id) == ("delivered", ["delayed", "delivered"])


def test_the_store_then_sends_through_it_and_others_do_not(shop: Shop) -> None:
    shop.call("PUT", shop.path, json.loads(example("kestrel")))
    stores = shop.wired.stores
    mine, other = stores.get(shop.store_id), stores.get(shop.call("POST", "/v1/stores", SHOP).json["id"])
    assert mine is not None and other is not None
    shop.wired.__dict__["sms_channel"] = aws = object()
    assert shop.wired.medium(Channel.SMS, mine).channel is not aws
    assert shop.wired.medium(Channel.SMS, other).channel is aws
    assert shop.call("DELETE", shop.path).status == 204
    assert shop.wired.medium(Channel.SMS, mine).channel is aws
    assert shop.call("GET", shop.path).status == 404 and shop.wired.secrets.gateway_secrets(mine.id, "sms") == {}
    assert wiring.get() is shop.wired
