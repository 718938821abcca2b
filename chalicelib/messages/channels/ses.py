"""Amazon SES, API v2.

The client must be made with `Config(retries={"total_max_attempts": 1})`: SES takes no idempotency key, so a blind
retry inside boto3 after a lost answer would send twice. Retrying is the state machine's affair, and only where SES
surely did not take the message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ParamValidationError,
    ProxyConnectionError,
    SSLError,
)

from chalicelib.journeys.ports import ProviderBusy
from chalicelib.messages.mime import ascii_address, to_mime
from chalicelib.messages.ports import Email, SendRejected, SendUncertain

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

# SES API v2 reference, SendEmail, "Errors", and "Common errors": what means "not now, ask again".
_BUSY_CODES = frozenset(
    (
        "LimitExceededException",
        "RequestThrottled",
        "SendingPausedException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    )
)
_BUSY_STATUSES = frozenset((429, 503))
# The connection never came to be, so the request never went out.
_NEVER_LEFT = (ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError, SSLError)


class SesEmailChannel:
    """An `EmailChannel`. `configuration_set` is the one whose event destination reports deliveries."""

    def __init__(self, client: SESV2Client, configuration_set: str | None) -> None:
        self._client = client
        self._configuration_set = configuration_set

    def send(self, email: Email) -> str:
        request: dict[str, Any] = {
            "FromEmailAddress": ascii_address(email.sender),
            "Destination": {"ToAddresses": [ascii_address(email.to)]},
            "Content": {"Raw": {"Data": to_mime(email)}},
            "EmailTags": [{"Name": name, "Value": value} for name, value in _tags(email).items()],
        }
        if self._configuration_set:
            request["ConfigurationSetName"] = self._configuration_set
        try:
            return str(self._client.send_email(**request)["MessageId"])
        except ClientError as refused:
            raise _meaning(refused) from None
        except ParamValidationError:
            raise SendRejected("ParamValidation") from None
        except _NEVER_LEFT as failed:
            raise ProviderBusy(type(failed).__name__) from None
        except HTTPClientError as lost:  # read time-outs, connections closed: the request may have arrived
            raise SendUncertain(type(lost).__name__) from None
        except BotoCoreError as failed:  # no credentials, no region: nothing went out
            raise ProviderBusy(type(failed).__name__) from None

    def was_taken(self, message_id: str) -> None:
        """SES cannot look a message up by a name of ours."""


def _meaning(refused: ClientError) -> Exception:
    """SES's answer in our words; only its code is kept, its text may hold an address."""
    code = str(refused.response.get("Error", {}).get("Code", "Unknown"))
    status = refused.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _BUSY_CODES or status in _BUSY_STATUSES:
        return ProviderBusy(code)
    if status >= 500:  # it broke while it worked on it: nobody knows whether it was taken
        return SendUncertain(code)
    return SendRejected(code)


def _tags(email: Email) -> dict[str, str]:
    """What SES's event notifications give back to us: letters, digits, `-` and `_` only."""
    return {"store": email.store_id, "contact": email.contact_id, "message": email.message_id, "kind": email.kind}
