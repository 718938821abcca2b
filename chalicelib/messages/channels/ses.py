"""Amazon SES, API v2: one attempt each (see `one_attempt`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalicelib.messages.channels.one_attempt import one_attempt
from chalicelib.messages.mime import ascii_address, to_mime
from chalicelib.messages.ports import Email

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
        return str(one_attempt(lambda: self._client.send_email(**request), _BUSY_CODES)["MessageId"])

    def was_taken(self, message_id: str) -> None:
        """SES cannot look a message up by a name of ours."""


def _tags(email: Email) -> dict[str, str]:
    """What SES's event notifications give back to us: letters, digits, `-` and `_` only."""
    return {"store": email.store_id, "contact": email.contact_id, "message": email.message_id, "kind": email.kind}
