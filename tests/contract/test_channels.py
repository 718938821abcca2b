"""What every provider of a channel keeps: one attempt, and an outcome that says no more than is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from chalicelib.journeys.ports import ProviderBusy
from chalicelib.messages.channels.end_user_messaging import EndUserMessagingChannel
from chalicelib.messages.channels.end_user_messaging_social import EndUserMessagingSocialChannel
from chalicelib.messages.channels.gateway import GatewayChannel, GatewayHttp
from chalicelib.messages.channels.ses import SesEmailChannel
from chalicelib.messages.gateway import Gateway
from chalicelib.messages.ports import SendRejected, SendUncertain
from local.outbox import Outbox
from tests.conftest import HandClock
from tests.messages.channels.test_end_user_messaging import sms
from tests.messages.channels.test_end_user_messaging_social import message as whatsapp
from tests.messages.test_mime import email

ADDRESS = "dana@example.test +972505550101"  # what a provider's own words may quote


class Provider:
    """One provider: `trouble` happens to its next call, `calls` counts them."""

    def __init__(self) -> None:
        self.trouble: str | None = None
        self.calls = 0
        self.channel: Any = None
        self.message: Any = None


def aws(make: Callable[[Any], Any], message: Any, busy: str, answer: dict[str, str]) -> Provider:
    provider = Provider()

    def call(**_: Any) -> dict[str, str]:
        provider.calls += 1
        codes = {"busy": (busy, 429), "refused": ("ValidationException", 400), "broken": ("InternalServerError", 500)}
        if provider.trouble in codes:
            code, status = codes[provider.trouble]
            said = {"Error": {"Code": code, "Message": ADDRESS}, "ResponseMetadata": {"HTTPStatusCode": status}}
            raise ClientError(said, "Send")  # type: ignore[arg-type]
        if provider.trouble == "lost":
            raise ReadTimeoutError(endpoint_url=ADDRESS)
        if provider.trouble == "no_connection":
            raise EndpointConnectionError(endpoint_url=ADDRESS)
        return answer

    class Client:
        send_email = send_text_message = send_whatsapp_message = staticmethod(call)

    provider.channel, provider.message = make(Client()), message
    return provider


def gateway(message: Any) -> Provider:
    import requests
    from urllib3.exceptions import NewConnectionError, ProtocolError

    provider = Provider()

    class Http(GatewayHttp):
        def session(self) -> requests.Session:
            session = super().session()
            session.request = call  # type: ignore[assignment, method-assign]
            return session

    def call(*_: Any, **__: Any) -> requests.Response:
        provider.calls += 1
        if provider.trouble == "lost":
            raise requests.ConnectionError(ProtocolError(ADDRESS))
        if provider.trouble == "no_connection":
            raise requests.ConnectionError(NewConnectionError(None, ADDRESS))  # type: ignore[arg-type]
        answer = requests.Response()
        answer.status_code = {"busy": 503, "refused": 400, "broken": 500}.get(provider.trouble or "", 200)
        answer.raw = BytesIO(b'{"id": "g1"}' if provider.trouble is None else ADDRESS.encode())
        return answer

    form = Gateway.model_validate({"url": "https://g.example/", "answer": {"id": "id"}})
    provider.channel, provider.message = GatewayChannel(form, dict, "https://agala.example/r", Http()), message
    return provider


def outbox(path: Path, message: Any) -> Provider:
    provider = Provider()
    raised = {
        "busy": ProviderBusy("421"),
        "no_connection": ProviderBusy("ConnectionRefusedError"),
        "refused": SendRejected("550"),
        "broken": SendUncertain("SMTPServerDisconnected"),
        "lost": SendUncertain("SMTPServerDisconnected"),
    }

    def deliver(_: Any) -> None:
        provider.calls += 1
        if provider.trouble:
            raise raised[provider.trouble]

    provider.channel, provider.message = Outbox(path, HandClock(), deliver), message
    return provider


@pytest.fixture(params=["ses", "end_user_messaging", "social", "gateway_sms", "gateway_whatsapp", "outbox_with_smtp"])
def provider(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Provider]:
    id_ = {"MessageId": "p1", "messageId": "p1"}
    made: dict[str, Callable[[], Provider]] = {
        "ses": lambda: aws(lambda client: SesEmailChannel(client, None), email(), "TooManyRequestsException", id_),
        "end_user_messaging": lambda: aws(
            lambda client: EndUserMessagingChannel(client, None), sms(), "ThrottlingException", id_
        ),
        "social": lambda: aws(EndUserMessagingSocialChannel, whatsapp(), "ThrottledRequestException", id_),
        "gateway_sms": lambda: gateway(sms()),
        "gateway_whatsapp": lambda: gateway(whatsapp()),
        "outbox_with_smtp": lambda: outbox(tmp_path / "outbox.db", email()),
    }
    yield made[request.param]()


def test_what_is_taken_has_an_id_and_is_never_denied(provider: Provider) -> None:
    identifier = provider.channel.send(provider.message)
    assert isinstance(identifier, str) and identifier and provider.calls == 1
    assert provider.channel.was_taken(provider.message.message_id) in (identifier, None)


@pytest.mark.parametrize(
    ("trouble", "meaning"),
    [
        ("busy", ProviderBusy),
        ("no_connection", ProviderBusy),
        ("refused", SendRejected),
        ("broken", SendUncertain),
        ("lost", SendUncertain),
    ],
)
def test_trouble_means_the_same_everywhere_and_is_told_without_the_persons_address(
    provider: Provider, trouble: str, meaning: type[Exception]
) -> None:
    provider.trouble = trouble
    with pytest.raises(meaning) as caught:
        provider.channel.send(provider.message)
    assert provider.calls == 1, "one attempt: repeating is the state machine's affair"
    assert str(caught.value) and not set(ADDRESS.split()) & set(str(caught.value).split())
    known = provider.channel.was_taken(provider.message.message_id)
    assert known is None or (known is False) == (meaning is not SendUncertain)


def test_what_it_surely_did_not_take_it_takes_when_asked_again(provider: Provider) -> None:
    provider.trouble = "busy"
    with pytest.raises(ProviderBusy):
        provider.channel.send(provider.message)
    provider.trouble = None
    assert provider.channel.send(provider.message)


def test_nobody_is_sure_of_a_message_that_was_never_sent(provider: Provider) -> None:
    assert provider.channel.was_taken("c1-never") in (False, None)
