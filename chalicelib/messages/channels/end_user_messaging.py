"""AWS End User Messaging SMS (`pinpoint-sms-voice-v2`): one attempt each (see `one_attempt`)."""

from __future__ import annotations

from typing import Any, Protocol

from chalicelib.messages.channels.one_attempt import one_attempt
from chalicelib.messages.ports import Sms

# API reference of SMS and Voice v2, SendTextMessage, "Errors": what means "not now, ask again". A spending limit that
# is used up (ServiceQuotaExceededException) lasts until the month ends: that is a refusal.
_BUSY_CODES = frozenset(
    (
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    )
)
_MESSAGE_TYPES = {"marketing": "PROMOTIONAL", "transactional": "TRANSACTIONAL"}


class TextMessages(Protocol):
    """The one call that is needed of botocore's client."""

    def send_text_message(self, **request: Any) -> dict[str, Any]: ...


class EndUserMessagingChannel:
    """An `SmsChannel`. `configuration_set` is the one whose event destination reports deliveries."""

    def __init__(self, client: TextMessages, configuration_set: str | None) -> None:
        self._client = client
        self._configuration_set = configuration_set

    def send(self, sms: Sms) -> str:
        request: dict[str, Any] = {
            "DestinationPhoneNumber": sms.to,
            "MessageBody": sms.text,
            "MessageType": _MESSAGE_TYPES[sms.kind],
            # What the events give back to us.
            "Context": {"store": sms.store_id, "contact": sms.contact_id, "message": sms.message_id},
        }
        if sms.sender:  # without one the service picks among the account's own
            request["OriginationIdentity"] = sms.sender
        if self._configuration_set:
            request["ConfigurationSetName"] = self._configuration_set
        return str(one_attempt(lambda: self._client.send_text_message(**request), _BUSY_CODES)["MessageId"])

    def was_taken(self, message_id: str) -> None:
        """The service cannot look a message up by a name of ours."""
