import inspect
from email import message_from_bytes
from email.policy import default
from typing import Any

import boto3
import pytest
from botocore import exceptions
from botocore.config import Config
from botocore.stub import ANY, Stubber
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from chalicelib.journeys.ports import ProviderBusy
from chalicelib.messages.channels.ses import SesEmailChannel
from chalicelib.messages.ports import SendRejected, SendUncertain
from chalicelib.wiring import Wiring
from tests.messages.test_mime import email


def make_client() -> Any:
    once = Config(retries={"total_max_attempts": 1})
    return boto3.client("sesv2", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x", config=once)


def test_the_email_reaches_ses_whole() -> None:
    with mock_aws():
        client = make_client()
        client.create_email_identity(EmailIdentity="hadar.example")
        provider_id = SesEmailChannel(client, None).send(email())
        [sent] = ses_backends[DEFAULT_ACCOUNT_ID]["eu-west-1"].sent_messages
    assert sent.id == provider_id
    assert "dana@example.test" in sent.destinations
    read = message_from_bytes(
        sent.raw_data.encode() if isinstance(sent.raw_data, str) else sent.raw_data, policy=default
    )
    assert read["Subject"] == email().subject


def test_the_request_carries_the_tags_that_reports_come_back_with() -> None:
    client = make_client()
    request = {
        "FromEmailAddress": "shop@hadar.example",
        "Destination": {"ToAddresses": ["dana@example.test"]},
        "Content": {"Raw": {"Data": ANY}},
        "ConfigurationSetName": "agala",
        "EmailTags": [
            {"Name": "store", "Value": "s1"},
            {"Name": "contact", "Value": "c1"},
            {"Name": "message", "Value": "c1-digest"},
            {"Name": "kind", "Value": "marketing"},
        ],
    }
    with Stubber(client) as stub:
        stub.add_response("send_email", {"MessageId": "ses-1"}, request)
        assert SesEmailChannel(client, "agala").send(email()) == "ses-1"


@pytest.mark.parametrize(
    ("code", "status", "meaning"),
    [
        ("TooManyRequestsException", 429, ProviderBusy),
        ("ThrottlingException", 400, ProviderBusy),
        ("LimitExceededException", 400, ProviderBusy),
        ("SendingPausedException", 400, ProviderBusy),
        ("ServiceUnavailable", 503, ProviderBusy),
        ("InternalFailure", 500, SendUncertain),
        ("GatewayTimeout", 504, SendUncertain),
        ("MessageRejected", 400, SendRejected),
        ("MailFromDomainNotVerifiedException", 400, SendRejected),
        ("AccountSuspendedException", 400, SendRejected),
        ("AccessDeniedException", 403, SendRejected),
    ],
)
def test_what_ses_answers_is_told_in_our_words(code: str, status: int, meaning: type[Exception]) -> None:
    client = make_client()
    with Stubber(client) as stub:
        stub.add_client_error("send_email", code, "Email address dana@example.test is bad", http_status_code=status)
        with pytest.raises(meaning) as caught:
            SesEmailChannel(client, None).send(email())
    assert str(caught.value) == code, "the code alone: SES's text may name the person"


class BrokenClient:
    def __init__(self, trouble: Exception) -> None:
        self.trouble = trouble

    def send_email(self, **_: Any) -> None:
        raise self.trouble


@pytest.mark.parametrize(
    ("trouble", "meaning"),
    [
        (exceptions.EndpointConnectionError(endpoint_url="x"), ProviderBusy),
        (exceptions.ConnectTimeoutError(endpoint_url="x"), ProviderBusy),
        (exceptions.NoCredentialsError(), ProviderBusy),
        (exceptions.ReadTimeoutError(endpoint_url="x"), SendUncertain),
        (exceptions.ConnectionClosedError(endpoint_url="x"), SendUncertain),
        (exceptions.HTTPClientError(error="x"), SendUncertain),
        (exceptions.ParamValidationError(report="x"), SendRejected),
    ],
)
def test_a_lost_connection_is_busy_only_if_nothing_went_out(trouble: Exception, meaning: type[Exception]) -> None:
    client: Any = BrokenClient(trouble)
    with pytest.raises(meaning):
        SesEmailChannel(client, None).send(email())


def test_production_lets_boto3_retry_no_send(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    channel: Any = Wiring().email_channel
    assert channel._client.meta.config.retries["total_max_attempts"] == 1


def test_ses_cannot_say_whether_it_took_a_message() -> None:
    assert inspect.signature(SesEmailChannel.was_taken).return_annotation == "None"
    answer: Any = SesEmailChannel(make_client(), None).was_taken  # type: ignore[func-returns-value]
    assert answer("c1-digest") is None
