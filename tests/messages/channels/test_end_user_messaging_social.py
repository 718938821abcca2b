from __future__ import annotations

import json
from typing import Any

import pytest
from botocore import exceptions
from botocore.config import Config
from botocore.session import get_session
from botocore.stub import ANY, Stubber

from chalicelib.contacts.consent import Channel
from chalicelib.errors import StepCannot
from chalicelib.journeys.ports import ProviderBusy
from chalicelib.messages.channels.end_user_messaging_social import EndUserMessagingSocialChannel
from chalicelib.messages.ports import SendRejected, SendUncertain, WhatsApp
from chalicelib.settings import Settings
from chalicelib.wiring import Wiring
from tests.memory_client import memory_table
from tests.messages.shop import store


def message(**changes: Any) -> WhatsApp:
    known: dict[str, Any] = {
        "message_id": "c1-digest",
        "store_id": "s1",
        "contact_id": "c1",
        "kind": "marketing",
        "sender": "phone-number-id-0123456789",
        "sender_name": "בית קפה הדר",
        "to": "+972505550101",
        "language": "he",
        "text": "העגלה מחכה",
    }
    return WhatsApp.model_validate(known | changes)


def make_client() -> Any:
    once = Config(retries={"total_max_attempts": 1})
    return get_session().create_client(
        "socialmessaging", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x", config=once
    )


class Recorder:
    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}

    def send_whatsapp_message(self, **request: Any) -> dict[str, Any]:
        self.asked = request
        return {"messageId": "eums-1"}


@pytest.mark.parametrize(
    ("template", "content"),
    [
        (None, {"type": "text", "text": {"body": "העגלה מחכה", "preview_url": True}}),
        (
            "cart_waits",
            {
                "type": "template",
                "template": {
                    "name": "cart_waits",
                    "language": {"code": "he"},
                    "components": [{"type": "body", "parameters": [{"type": "text", "text": "העגלה מחכה"}]}],
                },
            },
        ),
    ],
)
def test_the_request_is_metas_message_and_bears_what_reports_come_back_with(
    template: str | None, content: dict[str, Any]
) -> None:
    recorder = Recorder()
    assert (
        EndUserMessagingSocialChannel(recorder).send(message(template=template, variables=("העגלה מחכה",))) == "eums-1"
    )
    assert json.loads(recorder.asked["message"]) == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+972505550101",
        "biz_opaque_callback_data": "s1:c1:c1-digest",
        **content,
    }


def test_the_service_takes_the_request_as_it_is() -> None:
    client = make_client()
    expected = {
        "originationPhoneNumberId": "phone-number-id-0123456789",
        "metaApiVersion": "v20.0",
        "message": ANY,
    }
    with Stubber(client) as stub:
        stub.add_response("send_whatsapp_message", {"messageId": "eums-1"}, expected)
        assert EndUserMessagingSocialChannel(client).send(message()) == "eums-1"


@pytest.mark.parametrize(
    ("code", "status", "meaning"),
    [
        ("ThrottledRequestException", 429, ProviderBusy),
        ("InternalServiceException", 500, SendUncertain),
        ("DependencyException", 502, SendUncertain),
        ("InvalidParametersException", 400, SendRejected),
        ("ResourceNotFoundException", 404, SendRejected),
    ],
)
def test_what_the_service_answers_is_told_in_our_words(code: str, status: int, meaning: type[Exception]) -> None:
    client = make_client()
    with Stubber(client) as stub:
        stub.add_client_error("send_whatsapp_message", code, "+972505550101 is bad", http_status_code=status)
        with pytest.raises(meaning) as caught:
            EndUserMessagingSocialChannel(client).send(message())
    assert str(caught.value) == code, "codes alone: its text may name the person"


def test_a_lost_answer_is_not_repeated() -> None:
    class Lost:
        def send_whatsapp_message(self, **_: Any) -> dict[str, Any]:
            raise exceptions.ReadTimeoutError(endpoint_url="x")

    with pytest.raises(SendUncertain):
        EndUserMessagingSocialChannel(Lost()).send(message())


def test_production_sends_once_and_only_with_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    without, wiring = (
        Wiring(Settings.from_environment(known)) for known in ({}, {"AGALA_WHATSAPP_PHONE_NUMBER_ID": "n"})
    )
    without.table = wiring.table = memory_table()
    with pytest.raises(StepCannot, match="no_whatsapp_number"):
        without.medium(Channel.WHATSAPP, store())
    medium: Any = wiring.medium(Channel.WHATSAPP, store())
    assert medium.channel._client.meta.config.retries["total_max_attempts"] == 1
    assert medium.channel.was_taken("c1-digest") is None
