import inspect
from typing import Any

import pytest
from botocore import exceptions
from botocore.config import Config
from botocore.session import get_session
from botocore.stub import Stubber

from chalicelib.journeys.ports import ProviderBusy
from chalicelib.messages.channels.end_user_messaging import EndUserMessagingChannel
from chalicelib.messages.ports import SendRejected, SendUncertain, Sms
from chalicelib.wiring import Wiring


def sms(**changes: Any) -> Sms:
    known: dict[str, Any] = {
        "message_id": "c1-digest",
        "store_id": "s1",
        "contact_id": "c1",
        "kind": "marketing",
        "sender": "Hadar",
        "sender_name": "בית קפה הדר",
        "to": "+972505550101",
        "text": "פרסומת: בית קפה הדר\nהעגלה מחכה: https://hadar.example/c/1",
    }
    return Sms.model_validate(known | changes)


def make_client() -> Any:
    once = Config(retries={"total_max_attempts": 1})
    return get_session().create_client(
        "pinpoint-sms-voice-v2",
        region_name="eu-west-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=once,
    )


REQUEST = {
    "DestinationPhoneNumber": "+972505550101",
    "MessageBody": sms().text,
    "MessageType": "PROMOTIONAL",
    "Context": {"store": "s1", "contact": "c1", "message": "c1-digest"},
    "OriginationIdentity": "Hadar",
    "ConfigurationSetName": "agala",
}


@pytest.mark.parametrize(
    ("changes", "configuration_set", "request_differs"),
    [
        ({}, "agala", {}),
        ({"kind": "transactional"}, "agala", {"MessageType": "TRANSACTIONAL"}),
        ({"sender": None}, "agala", {"OriginationIdentity": None}),
        ({}, None, {"ConfigurationSetName": None}),
    ],
)
def test_the_request_says_everything_and_what_reports_come_back_with(
    changes: dict[str, Any], configuration_set: str | None, request_differs: dict[str, Any]
) -> None:
    expected = {name: value for name, value in (REQUEST | request_differs).items() if value is not None}
    client = make_client()
    with Stubber(client) as stub:
        stub.add_response("send_text_message", {"MessageId": "eum-1"}, expected)
        assert EndUserMessagingChannel(client, configuration_set).send(sms(**changes)) == "eum-1"
        stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("code", "status", "reason", "meaning"),
    [
        ("ThrottlingException", 400, None, ProviderBusy),
        ("TooManyRequestsException", 429, None, ProviderBusy),
        ("ServiceUnavailableException", 503, None, ProviderBusy),
        ("InternalServerException", 500, None, SendUncertain),
        ("GatewayTimeout", 504, None, SendUncertain),
        ("ConflictException", 400, "DESTINATION_PHONE_NUMBER_OPTED_OUT", SendRejected),
        ("ValidationException", 400, "COUNTRY_NOT_ENABLED", SendRejected),
        ("ServiceQuotaExceededException", 402, "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT", SendRejected),
        ("ResourceNotFoundException", 404, None, SendRejected),
        ("AccessDeniedException", 403, None, SendRejected),
    ],
)
def test_what_the_service_answers_is_told_in_our_words(
    code: str, status: int, reason: str | None, meaning: type[Exception]
) -> None:
    client = make_client()
    with Stubber(client) as stub:
        stub.add_client_error(
            "send_text_message",
            code,
            "The number +972505550101 is bad",
            http_status_code=status,
            modeled_fields={"Reason": reason} if reason else None,
        )
        with pytest.raises(meaning) as caught:
            EndUserMessagingChannel(client, None).send(sms())
    assert str(caught.value) == (f"{code}/{reason}" if reason else code), "codes alone: its text may name the person"


class BrokenClient:
    def __init__(self, trouble: Exception) -> None:
        self.trouble = trouble

    def send_text_message(self, **_: Any) -> dict[str, Any]:
        raise self.trouble


@pytest.mark.parametrize(
    ("trouble", "meaning"),
    [
        (exceptions.EndpointConnectionError(endpoint_url="x"), ProviderBusy),
        (exceptions.NoCredentialsError(), ProviderBusy),
        (exceptions.ReadTimeoutError(endpoint_url="x"), SendUncertain),
        (exceptions.ConnectionClosedError(endpoint_url="x"), SendUncertain),
        (exceptions.ParamValidationError(report="x"), SendRejected),
    ],
)
def test_a_lost_connection_is_busy_only_if_nothing_went_out(trouble: Exception, meaning: type[Exception]) -> None:
    with pytest.raises(meaning):
        EndUserMessagingChannel(BrokenClient(trouble), None).send(sms())


def test_production_lets_botocore_retry_no_send(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    channel: Any = Wiring().sms_channel
    assert channel._client.meta.config.retries["total_max_attempts"] == 1


def test_the_service_cannot_say_whether_it_took_a_message() -> None:
    assert inspect.signature(EndUserMessagingChannel.was_taken).return_annotation == "None"
    answer: Any = EndUserMessagingChannel(make_client(), None).was_taken  # type: ignore[func-returns-value]
    assert answer("c1-digest") is None
