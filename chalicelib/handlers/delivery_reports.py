"""What providers tell over SNS, and SNS signed, becomes reports on our messages and replies of people.

SES's event notifications (Amazon SES, "Event publishing"), the events of AWS End User Messaging SMS ("Event types for
SMS, MMS, and voice"; "Two-way SMS messaging"), and WhatsApp's statuses and messages in the events of AWS End User
Messaging Social ("Message and event format").
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, Protocol, cast

from aws_lambda_powertools import Logger
from chalice import Blueprint  # type: ignore[attr-defined]

from chalicelib import wiring
from chalicelib.clock import parse_rfc3339
from chalicelib.messages.channels.replies_from_aws import sms_reply, whatsapp_replies
from chalicelib.messages.channels.sns_messages import Unsigned
from chalicelib.messages.message import Message, MessageStatus
from chalicelib.messages.replies import Reply
from chalicelib.messages.reports import DELAYED, Report

__all__ = ["Report", "delivery_reports", "receive_report", "report_from_ses", "reports_from"]

TOPIC = os.environ.get("AGALA_DELIVERY_TOPIC", "agala-delivery-reports")
_LONGEST_LINK, _LONGEST_CODE = 2000, 100
log = Logger(service="delivery_reports")
delivery_reports = Blueprint(__name__)

# SES's event types: the key that holds the details, and what it means. Send changes nothing.
_MEANINGS: dict[str, tuple[str, MessageStatus | Literal["delayed"]]] = {
    "Delivery": ("delivery", MessageStatus.DELIVERED),
    "DeliveryDelay": ("deliveryDelay", DELAYED),
    "Bounce": ("bounce", MessageStatus.BOUNCED),
    "Complaint": ("complaint", MessageStatus.COMPLAINED),
    "Open": ("open", MessageStatus.OPENED),
    "Click": ("click", MessageStatus.CLICKED),
    "Reject": ("reject", MessageStatus.FAILED),
    "Rendering Failure": ("failure", MessageStatus.FAILED),
}

# End User Messaging's event types, for SMS. Sent and, after three days, unknown change nothing.
SMS_MEANINGS = {
    "TEXT_DELIVERED": MessageStatus.DELIVERED,
    # The carrier took it: in some countries that is all that is ever told ("may be used interchangeably").
    "TEXT_SUCCESSFUL": MessageStatus.DELIVERED,
    "TEXT_INVALID": MessageStatus.BOUNCED,  # there is no such number
    "TEXT_INVALID_MESSAGE": MessageStatus.FAILED,
    "TEXT_UNREACHABLE": MessageStatus.FAILED,
    "TEXT_CARRIER_UNREACHABLE": MessageStatus.FAILED,
    "TEXT_BLOCKED": MessageStatus.FAILED,
    "TEXT_CARRIER_BLOCKED": MessageStatus.FAILED,
    "TEXT_PROTECT_BLOCKED": MessageStatus.FAILED,
    "TEXT_SPAM": MessageStatus.FAILED,
    "TEXT_TTL_EXPIRED": MessageStatus.FAILED,
}

# Every SMS is queued and pending for a moment, so the deployment does not ask to be told; who does is understood.
_SMS_DELAYS = frozenset(("TEXT_QUEUED", "TEXT_PENDING"))

# WhatsApp's message statuses. Sent, and what is about other people's messages to the shop, change nothing.
WHATSAPP_MEANINGS = {
    "delivered": MessageStatus.DELIVERED,
    "read": MessageStatus.OPENED,
    "failed": MessageStatus.FAILED,
}


class _Reports(Protocol):
    def take(self, report: Report) -> Message | None: ...


class _Replies(Protocol):
    def take(self, reply: Reply) -> int: ...


class _SnsMessages(Protocol):
    def check(self, told: Mapping[str, Any]) -> None: ...


class _Parts(Protocol):
    @property
    def sns_messages(self) -> _SnsMessages: ...

    @property
    def reports(self) -> _Reports: ...

    @property
    def replies(self) -> _Replies: ...


@delivery_reports.on_sns_message(topic=TOPIC, name="delivery_reports")
def receive_report(event: Any) -> None:
    """One notification. What SNS did not sign, and what is not about a message of ours, is passed over; a fault is
    raised, so SNS repeats."""
    parts, told = cast(_Parts, wiring.get()), event.to_dict()["Records"][0]["Sns"]
    try:
        parts.sns_messages.check(told)
    except Unsigned as refused:
        log.warning("a notification was refused", extra={"reason": str(refused)})
        return
    reports, replies = reports_from(event.message), replies_from(event.message, _time(told.get("Timestamp")))
    if not reports and not replies:
        log.info("a notification that is not about a message of ours")
    for reply in replies:
        if parts.replies.take(reply) == 0:
            log.info("a reply of somebody who is not known here", extra={"channel": reply.channel.value})
    for report in reports:
        if parts.reports.take(report) is None:
            log.warning("a report on a message that is not here", extra={"message_id": report.message_id})


def reports_from(text: str) -> list[Report]:
    """Whoever tells it. Nothing for what is not about a message of ours, or means nothing to us."""
    report = report_from_ses(text) or report_from_end_user_messaging(text)
    return [report] if report else list(_reports_from_whatsapp(text))


def replies_from(text: str, told_at: datetime | None) -> list[Reply]:
    """What people wrote to a number of ours; `told_at` is when SNS was told."""
    event = _object(text)
    reply = sms_reply(event, told_at) if told_at is not None else None
    if reply is not None:
        return [reply]
    numbers = tuple(_whatsapp_numbers(event))
    entry = _object(str(event.get("whatsAppWebhookEntry")))
    values = (change.get("value") for change in _objects(entry.get("changes")))
    return [one for value in values if isinstance(value, Mapping) for one in whatsapp_replies(value, numbers)]


def _whatsapp_numbers(event: Mapping[str, Any]) -> Iterator[str]:
    """AWS's id of the number and Meta's, as the event's context has them."""
    context = event.get("context")
    for number in _objects(context.get("MetaPhoneNumberIds") if isinstance(context, Mapping) else None):
        for told in (number.get("arn"), number.get("metaPhoneNumberId")):
            if isinstance(told, str) and told:
                identifier = told.rpartition("/")[2]
                yield identifier
                yield f"phone-number-id-{identifier}"


def _reports_from_whatsapp(text: str) -> Iterator[Report]:
    """Meta's webhook entry, a text inside the event; our ids come back in `biz_opaque_callback_data`."""
    entry = _object(str(_object(text).get("whatsAppWebhookEntry")))
    for change in _objects(entry.get("changes")):
        value = change.get("value")
        for told in _objects(value.get("statuses") if isinstance(value, Mapping) else None):
            status = WHATSAPP_MEANINGS.get(str(told.get("status")))
            at, ours = _unix_time(told.get("timestamp")), str(told.get("biz_opaque_callback_data")).split(":")
            if status is None or at is None or len(ours) != 3 or not all(ours):
                continue
            store_id, contact_id, message_id = ours
            codes = [str(error["code"]) for error in _objects(told.get("errors")) if isinstance(error.get("code"), int)]
            detail = codes[0] if codes and status is MessageStatus.FAILED else None
            yield Report(store_id, message_id, status, at, contact_id=contact_id, detail=detail)


def report_from_end_user_messaging(text: str) -> Report | None:
    """None for what carries none of our context, means nothing to us, or is no event of an SMS."""
    event = _object(text)
    kind = str(event.get("eventType"))
    status = DELAYED if kind in _SMS_DELAYS else SMS_MEANINGS.get(kind)
    context, told_at = event.get("context"), event.get("eventTimestamp")
    if status is None or not isinstance(context, Mapping) or not isinstance(told_at, int | float):
        return None
    store_id, message_id, contact_id = (_named(context, name) for name in ("store", "message", "contact"))
    at = _unix_time(told_at / 1000)
    if not (store_id and message_id and at):
        return None
    detail = kind if status is not MessageStatus.DELIVERED else None
    return Report(store_id=store_id, message_id=message_id, contact_id=contact_id, status=status, at=at, detail=detail)


def report_from_ses(text: str) -> Report | None:
    """None for what carries none of our tags, means nothing to us, or is no event of SES."""
    event = _object(text)
    meaning = _MEANINGS.get(str(event.get("eventType") or event.get("notificationType")))
    mail = event.get("mail")
    if meaning is None or not isinstance(mail, Mapping):
        return None
    key, status = meaning
    if status is MessageStatus.BOUNCED and _details(event, key).get("bounceType") != "Permanent":
        status = DELAYED  # a full mailbox; somebody who is out of the office, who has it
    store_id, message_id, contact_id = (_tag(mail, name) for name in ("store", "message", "contact"))
    details = _details(event, key)
    at = _time(details.get("timestamp")) or _time(mail.get("timestamp"))
    if not (store_id and message_id and at):
        return None
    return Report(
        store_id=store_id,
        message_id=message_id,
        contact_id=contact_id,
        status=status,
        at=at,
        detail=_detail(key, details),
    )


def _details(event: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    held = event.get(key)
    return held if isinstance(held, Mapping) else {}


def _object(text: str) -> Mapping[str, Any]:
    """Empty for what is none."""
    try:
        told = json.loads(text)
    except ValueError:
        return {}
    return told if isinstance(told, Mapping) else {}


def _objects(told: Any) -> list[Mapping[str, Any]]:
    """Those in a list; empty for what is none."""
    return [one for one in told if isinstance(one, Mapping)] if isinstance(told, list) else []


def _unix_time(told: Any) -> datetime | None:
    """Seconds since 1970, as a number or as text."""
    try:
        return datetime.fromtimestamp(float(told), UTC)
    except (TypeError, OverflowError, ValueError, OSError):
        return None


def _named(context: Mapping[str, Any], name: str) -> str | None:
    value = context.get(name)
    return value if isinstance(value, str) and value else None


def _tag(mail: Mapping[str, Any], name: str) -> str | None:
    tags = mail.get("tags")
    values = tags.get(name) if isinstance(tags, Mapping) else None
    return str(values[0]) if isinstance(values, list) and values else None


def _time(text: Any) -> datetime | None:
    try:
        return parse_rfc3339(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _detail(key: str, details: Mapping[str, Any]) -> str | None:
    """SES's own codes, and the link that was clicked; its free texts may hold an address and stay out."""
    if key == "click":
        link = details.get("link")
        return link[:_LONGEST_LINK] if isinstance(link, str) and link else None
    if key == "bounce":
        return f"{details.get('bounceType', 'Undetermined')}/{details.get('bounceSubType', 'Undetermined')}"
    told = {"complaint": "complaintFeedbackType", "deliveryDelay": "delayType"}.get(key)
    code = details.get(told) if told else None
    return code[:_LONGEST_CODE] if isinstance(code, str) and code else None
