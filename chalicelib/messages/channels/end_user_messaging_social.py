"""AWS End User Messaging Social (`socialmessaging`): WhatsApp, one attempt each (see `one_attempt`)."""

from __future__ import annotations

import json
from typing import Any, Protocol

from chalicelib.messages.channels.one_attempt import one_attempt
from chalicelib.messages.ports import WhatsApp

META_API = "v20.0"
# API reference of End User Messaging Social, SendWhatsAppMessage, "Errors": what means "not now, ask again".
_BUSY_CODES = frozenset(("ThrottledRequestException", "ThrottlingException", "ServiceUnavailableException"))


class SocialMessages(Protocol):
    """The one call that is needed of botocore's client."""

    def send_whatsapp_message(self, **request: Any) -> dict[str, Any]: ...


class EndUserMessagingSocialChannel:
    """A `WhatsAppChannel`. What becomes of a message is told to the topic that the WhatsApp Business Account names."""

    def __init__(self, client: SocialMessages) -> None:
        self._client = client

    def send(self, message: WhatsApp) -> str:
        request = {
            "originationPhoneNumberId": message.sender,
            "metaApiVersion": META_API,
            "message": json.dumps(_body(message), ensure_ascii=False).encode(),
        }
        return str(one_attempt(lambda: self._client.send_whatsapp_message(**request), _BUSY_CODES)["messageId"])

    def was_taken(self, message_id: str) -> None:
        """The service cannot look a message up by a name of ours."""


def _body(message: WhatsApp) -> dict[str, Any]:
    """Meta's own message object (Cloud API reference, "Messages"). Its status reports give the callback data back."""
    body: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": message.to,
        "biz_opaque_callback_data": f"{message.store_id}:{message.contact_id}:{message.message_id}",
    }
    if message.template is None:
        return {**body, "type": "text", "text": {"body": message.text, "preview_url": True}}
    template = {
        "name": message.template,
        "language": {"code": message.language},
        "components": [{"type": "body", "parameters": [{"type": "text", "text": one} for one in message.variables]}],
    }
    return {**body, "type": "template", "template": template}
