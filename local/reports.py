"""Plays the provider: what SES, or End User Messaging for an SMS or a WhatsApp message, would tell about a message in
the outbox, through the handler that they would reach."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from chalicelib.clock import Clock, rfc3339
from chalicelib.errors import BadInput, NotFound
from chalicelib.messages.sms import is_number
from local.lambdas import Lambdas
from local.outbox import Outbox
from local.sns import Sns

# Amazon SES, "Contents of event data that Amazon SES publishes to Amazon SNS": event type, key, and its details.
_EVENTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "delivered": ("Delivery", "delivery", {}),
    "failed": ("Reject", "reject", {"reason": "Bad content"}),
    "bounced": ("Bounce", "bounce", {"bounceType": "Permanent", "bounceSubType": "General"}),
    "complained": ("Complaint", "complaint", {"complaintFeedbackType": "abuse"}),
    "opened": ("Open", "open", {}),
    "clicked": ("Click", "click", {"link": "https://shop.example/"}),
    "delayed": ("DeliveryDelay", "deliveryDelay", {"delayType": "MailboxFull"}),
}
STATUSES = tuple(_EVENTS)
# AWS End User Messaging SMS, "Event types for SMS". Nobody hears whether an SMS was read or clicked.
_SMS_EVENTS = {
    "delivered": ("TEXT_DELIVERED", "DELIVERED"),
    "failed": ("TEXT_CARRIER_UNREACHABLE", "CARRIER_UNREACHABLE"),
    "bounced": ("TEXT_INVALID", "INVALID"),
    "delayed": ("TEXT_PENDING", "PENDING"),
}
# WhatsApp's message statuses: an opened one was read.
_WHATSAPP_STATUSES = {"delivered": "delivered", "opened": "read", "failed": "failed"}


class Reports:
    """`handler` is the name of the function that is subscribed to the topic of delivery reports, `sns` its topic."""

    def __init__(self, lambdas: Lambdas, handler: str, outbox: Outbox, clock: Clock, sns: Sns) -> None:
        self._lambdas, self._handler, self._outbox, self._clock = lambdas, handler, outbox, clock
        self._sns = sns

    def play(self, message_id: str, status: str, link: str | None = None) -> None:
        """`status` is one of STATUSES; `link` is what was clicked.

        Raises NotFound for a message never sent, BadInput for what nobody reports of
        its channel, and what the handler raises."""
        message = self._outbox.message(message_id)
        if message is None:
            raise NotFound("no such message in the outbox")
        if message["channel"] == "sms" and status not in _SMS_EVENTS:
            raise BadInput(f"of an SMS a provider reports {', '.join(_SMS_EVENTS)}")
        if message["channel"] == "whatsapp" and status not in _WHATSAPP_STATUSES:
            raise BadInput(f"of a WhatsApp message a provider reports {', '.join(_WHATSAPP_STATUSES)}")
        told = _NOTIFICATIONS[message["channel"]](message, status, self._clock.now(), link)
        self._publish(told)

    def play_reply(self, message_id: str, text: str) -> None:
        """Who got this message writes back.

        Raises NotFound for a message never sent, BadInput where nobody can reply, and what the handler raises."""
        message = self._outbox.message(message_id)
        if message is None:
            raise NotFound("no such message in the outbox")
        if message["channel"] == "email":
            raise BadInput("answers to emails go to the store's own mailbox")
        if message["channel"] == "sms" and not is_number(message["from"]):
            raise BadInput("nobody can reply to a name: give the store a number (settings.sender.sms)")
        self._publish(_REPLIES[message["channel"]](message, text, self._clock.now()))

    def _publish(self, told: dict[str, Any]) -> None:
        record = self._sns.record(json.dumps(told), self._clock.now())
        self._lambdas.call(self._handler, {"Records": [record]})


def _notification(message: dict[str, Any], status: str, at: datetime, link: str | None) -> dict[str, Any]:
    more = {"link": link} if link and status == "clicked" else {}
    event, key, details = _EVENTS[status]
    tags = {"store": [message["store_id"]], "message": [message["id"]], "contact": [message["contact_id"]]}
    mail = {"timestamp": message["at"], "messageId": f"outbox-{message['id']}", "tags": tags}
    return {"eventType": event, "mail": mail, key: {"timestamp": rfc3339(at), **details, **more}}


def _sms_notification(message: dict[str, Any], status: str, at: datetime, link: str | None) -> dict[str, Any]:
    event, provider_status = _SMS_EVENTS[status]
    return {
        "eventType": event,
        "eventVersion": "1.0",
        "eventTimestamp": int(at.timestamp() * 1000),
        "isFinal": True,
        "messageId": f"outbox-{message['id']}",
        "messageStatus": provider_status,
        "context": {"store": message["store_id"], "message": message["id"], "contact": message["contact_id"]},
    }


def _whatsapp_notification(message: dict[str, Any], status: str, at: datetime, link: str | None) -> dict[str, Any]:
    """AWS End User Messaging Social, "Message and event format": Meta's entry is a text inside the event."""
    told = {
        "id": f"wamid.{message['id']}",
        "status": _WHATSAPP_STATUSES[status],
        "timestamp": str(int(at.timestamp())),
        "recipient_id": message["to"].removeprefix("+"),
        "biz_opaque_callback_data": f"{message['store_id']}:{message['contact_id']}:{message['id']}",
    }
    if status == "failed":
        told["errors"] = [{"code": 131026, "title": "Message undeliverable"}]
    entry = {"id": "1", "changes": [{"field": "messages", "value": {"statuses": [told]}}]}
    return {"whatsAppWebhookEntry": json.dumps(entry), "messageId": f"outbox-{message['id']}"}


def _sms_reply(message: dict[str, Any], text: str, at: datetime) -> dict[str, Any]:
    """AWS End User Messaging SMS, "Two-way SMS messaging"."""
    return {
        "originationNumber": message["to"],
        "destinationNumber": message["from"],
        "messageKeyword": "KEYWORD_LOCAL",
        "messageBody": text,
        "previousPublishedMessageId": f"outbox-{message['id']}",
        "inboundMessageId": str(uuid.uuid4()),
    }


def _whatsapp_reply(message: dict[str, Any], text: str, at: datetime) -> dict[str, Any]:
    told = {
        "from": message["to"].removeprefix("+"),
        "id": f"wamid.{uuid.uuid4()}",
        "timestamp": str(int(at.timestamp())),
        "type": "text",
        "text": {"body": text},
    }
    entry = {"id": "1", "changes": [{"field": "messages", "value": {"messages": [told]}}]}
    number = {"metaPhoneNumberId": "1", "arn": "arn:aws:social-messaging:eu-west-1:000000000000:phone-number-id/outbox"}
    return {"context": {"MetaPhoneNumberIds": [number]}, "whatsAppWebhookEntry": json.dumps(entry)}


_REPLIES = {"sms": _sms_reply, "whatsapp": _whatsapp_reply}
_Notify = Callable[[dict[str, Any], str, datetime, str | None], dict[str, Any]]
_NOTIFICATIONS: dict[str, _Notify] = {
    "email": _notification,
    "sms": _sms_notification,
    "whatsapp": _whatsapp_notification,
}
