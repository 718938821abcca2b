import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib import wiring
from chalicelib.contacts.consent import Channel
from chalicelib.handlers.delivery_reports import report_from_ses, reports_from
from chalicelib.messages.message import Message, MessageKind, MessageStatus
from tests.messages.shop import CONTACT_ID, NOW, ContactBookDouble, MessagesDouble

ID = f"{CONTACT_ID}-digest"


def notification(kind: str, key: str, **details: Any) -> str:
    """As SES publishes it (event publishing, JSON)."""
    tags = {"message": [ID], "store": ["s1"], "contact": [CONTACT_ID], "ses:operation": ["SendRawEmail"]}
    mail = {"timestamp": "2026-11-22T10:00:00.000Z", "messageId": "ses-1", "tags": tags}
    return json.dumps({"eventType": kind, "mail": mail, key: details})


def sms_event(kind: str, **changes: Any) -> str:
    """As End User Messaging publishes it."""
    told = {
        "eventType": kind,
        "eventVersion": "1.0",
        "eventTimestamp": 1_795_341_603_000,
        "isFinal": True,
        "destinationPhoneNumber": "+972505550101",
        "messageId": "eum-1",
        "messageStatus": kind.removeprefix("TEXT_"),
        "messageStatusDescription": "What the carrier said of +972505550101",
        "context": {"store": "s1", "message": ID, "contact": CONTACT_ID},
    }
    return json.dumps(told | changes)


@pytest.fixture
def parts() -> Iterator[Any]:
    messages = MessagesDouble()
    messages.claim(
        Message(
            id=ID,
            store_id="s1",
            contact_id=CONTACT_ID,
            channel=Channel.EMAIL,
            kind=MessageKind.MARKETING,
            status=MessageStatus.SENT,
            created_at=NOW,
            at=NOW,
        )
    )
    known: Any = SimpleNamespace(messages=messages, contact_book=ContactBookDouble())
    wiring.use(known)
    yield known
    wiring.use(None)


def receive(text: str) -> None:
    with Client(app) as client:
        client.lambda_.invoke("delivery_reports", client.events.generate_sns_event(text))


@pytest.mark.parametrize(
    ("kind", "key", "details", "status"),
    [
        ("Delivery", "delivery", {"timestamp": "2026-11-22T10:00:03.000Z"}, MessageStatus.DELIVERED),
        ("Open", "open", {"timestamp": "2026-11-22T10:05:00.000Z"}, MessageStatus.OPENED),
        (
            "Click",
            "click",
            {"timestamp": "2026-11-22T10:06:00.000Z", "link": "https://x.example"},
            MessageStatus.CLICKED,
        ),
        ("Reject", "reject", {"reason": "Bad content"}, MessageStatus.FAILED),
        ("Bounce", "bounce", {"bounceType": "Permanent", "bounceSubType": "General"}, MessageStatus.BOUNCED),
        ("Bounce", "bounce", {"bounceType": "Transient", "bounceSubType": "MailboxFull"}, MessageStatus.BOUNCED),
        ("Complaint", "complaint", {"complaintFeedbackType": "abuse"}, MessageStatus.COMPLAINED),
    ],
)
def test_what_ses_reports_becomes_the_messages_status(
    parts: Any, kind: str, key: str, details: dict[str, Any], status: MessageStatus
) -> None:
    receive(notification(kind, key, **details))
    assert parts.messages.kept[ID].status is status


def test_only_a_permanent_bounce_suppresses(parts: Any) -> None:
    receive(notification("Bounce", "bounce", bounceType="Transient", bounceSubType="MailboxFull"))
    assert parts.contact_book.suppressed == []
    receive(notification("Bounce", "bounce", bounceType="Permanent", bounceSubType="General"))
    assert parts.contact_book.suppressed == [("s1", CONTACT_ID, Channel.EMAIL, "bounced")]
    assert parts.messages.kept[ID].history[-1].detail == "Permanent/General"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[]",
        "{}",
        notification("DeliveryDelay", "deliveryDelay"),
        notification("Send", "send"),
        '{"eventType": "Bounce", "mail": {"timestamp": "2026-11-22T10:00:00Z"}, "bounce": {}}',
        '{"eventType": "Bounce", "mail": {"tags": {"message": ["a"], "store": ["b"]}}, "bounce": []}',
        '{"eventType": "Bounce", "mail": 3}',
    ],
)
def test_what_is_no_report_on_a_message_of_ours_is_passed_over(parts: Any, text: str) -> None:
    assert report_from_ses(text) is None
    receive(text)
    assert parts.messages.kept[ID].status is MessageStatus.SENT


@pytest.mark.parametrize(
    ("kind", "status", "detail"),
    [
        ("TEXT_DELIVERED", MessageStatus.DELIVERED, None),
        ("TEXT_SUCCESSFUL", MessageStatus.DELIVERED, None),
        ("TEXT_INVALID", MessageStatus.BOUNCED, "TEXT_INVALID"),
        ("TEXT_CARRIER_UNREACHABLE", MessageStatus.FAILED, "TEXT_CARRIER_UNREACHABLE"),
        ("TEXT_UNREACHABLE", MessageStatus.FAILED, "TEXT_UNREACHABLE"),
        ("TEXT_BLOCKED", MessageStatus.FAILED, "TEXT_BLOCKED"),
        ("TEXT_TTL_EXPIRED", MessageStatus.FAILED, "TEXT_TTL_EXPIRED"),
    ],
)
def test_what_becomes_of_an_sms_becomes_the_messages_status(
    parts: Any, kind: str, status: MessageStatus, detail: str | None
) -> None:
    receive(sms_event(kind))
    kept = parts.messages.kept[ID]
    assert (kept.status, kept.history[-1].detail) == (status, detail)
    assert "+972" not in str(kept.history)


def test_a_carrier_that_took_it_and_then_lost_it(parts: Any) -> None:
    receive(sms_event("TEXT_SUCCESSFUL"))
    receive(sms_event("TEXT_CARRIER_UNREACHABLE", eventTimestamp=1_795_341_700_000))
    assert parts.messages.kept[ID].status is MessageStatus.FAILED


def test_a_number_that_does_not_exist_gets_no_more_sms(parts: Any) -> None:
    parts.messages.kept[ID] = parts.messages.kept[ID].model_copy(update={"channel": Channel.SMS})
    receive(sms_event("TEXT_INVALID"))
    assert parts.contact_book.suppressed == [("s1", CONTACT_ID, Channel.SMS, "bounced")]


@pytest.mark.parametrize(
    "text",
    [
        sms_event("TEXT_QUEUED"),
        sms_event("TEXT_PENDING"),
        sms_event("TEXT_SENT"),
        sms_event("TEXT_UNKNOWN"),
        sms_event("TEXT_DELIVERED", context={}),
        sms_event("TEXT_DELIVERED", context={"account": "x"}),
        sms_event("TEXT_DELIVERED", context=None),
        sms_event("TEXT_DELIVERED", context={"store": 1, "message": ["x"]}),
        sms_event("TEXT_DELIVERED", eventTimestamp=None),
        sms_event("TEXT_DELIVERED", eventTimestamp=10**30),
    ],
)
def test_what_says_nothing_of_an_sms_of_ours_is_passed_over(parts: Any, text: str) -> None:
    assert reports_from(text) == []
    receive(text)
    assert parts.messages.kept[ID].status is MessageStatus.SENT


def whatsapp_event(*statuses: Any, **entry: Any) -> str:
    told = {"id": "1", "changes": [{"field": "messages", "value": {"statuses": list(statuses)}}], **entry}
    return json.dumps({"context": {}, "whatsAppWebhookEntry": json.dumps(told), "messageId": "x"})


def whatsapp_status(status: str = "delivered", **changes: Any) -> dict[str, Any]:
    ours = f"s1:{CONTACT_ID}:{ID}"
    told = {"id": "wamid.1", "status": status, "timestamp": "1795341660", "recipient_id": "972505550101"}
    return {**told, "biz_opaque_callback_data": ours, **changes}


def test_what_becomes_of_a_whatsapp_message_becomes_its_status(parts: Any) -> None:
    receive(whatsapp_event(whatsapp_status("sent"), whatsapp_status("delivered"), whatsapp_status("read")))
    kept = parts.messages.kept[ID]
    assert [entry.status for entry in kept.history[-2:]] == ["delivered", "opened"]
    assert kept.status is MessageStatus.OPENED
    errors = [{"code": 131026, "title": "+972505550101 is not on WhatsApp"}]
    receive(whatsapp_event(whatsapp_status("failed", errors=errors)))
    kept = parts.messages.kept[ID]
    assert (kept.status, kept.history[-1].detail) == (MessageStatus.FAILED, "131026")
    assert "+972" not in str(kept.history)


@pytest.mark.parametrize(
    "text",
    [
        whatsapp_event(whatsapp_status("sent")),
        whatsapp_event(whatsapp_status(biz_opaque_callback_data="theirs")),
        whatsapp_event(whatsapp_status(biz_opaque_callback_data=None)),
        whatsapp_event(whatsapp_status(timestamp="soon")),
        whatsapp_event(3, None),
        whatsapp_event(changes=[{"value": {"messages": [{"from": "972505550101", "text": {"body": "hi"}}]}}]),
        whatsapp_event(changes="x"),
        json.dumps({"whatsAppWebhookEntry": 5}),
        json.dumps({"whatsAppWebhookEntry": "[]"}),
    ],
)
def test_what_says_nothing_of_a_whatsapp_message_of_ours_is_passed_over(parts: Any, text: str) -> None:
    receive(text)
    assert parts.messages.kept[ID].status is MessageStatus.SENT
