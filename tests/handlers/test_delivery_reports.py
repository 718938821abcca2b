import json
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib import wiring
from chalicelib.commerce.event import Event
from chalicelib.contacts.consent import Channel
from chalicelib.contacts.contact import Contact
from chalicelib.errors import TryLater
from chalicelib.handlers.delivery_reports import report_from_ses, reports_from
from chalicelib.messages.channels.sns_messages import SnsMessages
from chalicelib.messages.message import Message, MessageKind, MessageStatus
from chalicelib.messages.replies import Reply
from chalicelib.messages.reports import Reports
from local.sns import CERTIFICATE, TOPIC, Sns
from tests.messages.shop import CONTACT_ID, NOW, ContactBookDouble, MessagesDouble, contact, store

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


class Journeys:
    """Who hears of events, and the timeline that keeps them."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Event] = {}
        self.heard: list[Event] = []
        self.trouble: Exception | None = None

    def append(self, store_id: str, contact_id: str, event: Event) -> None:
        self.kept[contact_id, event.id] = event

    def on_events(self, store: Any, contact_id: str, events: list[Event]) -> None:
        if self.trouble:
            raise self.trouble
        self.heard += events


class Contacts:
    """One contact, whom another may have become."""

    def __init__(self) -> None:
        self.now: Contact | None = contact()

    def get(self, store_id: str, contact_id: str) -> Contact | None:
        return self.now


@pytest.fixture
def parts() -> Iterator[Any]:
    messages = MessagesDouble()
    messages.claim(
        Message(
            id=ID,
            store_id="s1",
            contact_id=CONTACT_ID,
            journey="welcome",
            step="mail",
            channel=Channel.EMAIL,
            kind=MessageKind.MARKETING,
            status=MessageStatus.SENT,
            created_at=NOW,
            at=NOW,
        )
    )
    book, journeys, contacts = ContactBookDouble(), Journeys(), Contacts()
    stores = SimpleNamespace(get=lambda store_id: store())
    reports = Reports(messages, contacts, book, journeys.append, stores, lambda: journeys)
    told: list[Reply] = []

    def take(reply: Reply) -> int:
        told.append(reply)
        return 1

    known: Any = SimpleNamespace(
        messages=messages,
        contact_book=book,
        journeys=journeys,
        contacts=contacts,
        reports=reports,
        replies=SimpleNamespace(told=told, take=take),
        sns_messages=SnsMessages([TOPIC], SNS.certificate),
    )
    wiring.use(known)
    yield known
    wiring.use(None)


SNS = Sns()


def receive(text: str, **changes: Any) -> None:
    record = SNS.record(text, NOW)
    record["Sns"] |= changes
    with Client(app) as client:
        client.lambda_.invoke("delivery_reports", {"Records": [record]})


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
    receive(notification("DeliveryDelay", "deliveryDelay", delayType="IPFailure", timestamp=at(1)))
    receive(notification("DeliveryDelay", "deliveryDelay", delayType="IPFailure", timestamp=at(2)))
    assert parts.contact_book.suppressed == []
    kept = parts.messages.kept[ID]
    told = [(entry.status, entry.detail) for entry in kept.history]
    assert kept.status is MessageStatus.SENT, "it may yet arrive"
    assert told == [("delayed", "Transient/MailboxFull"), ("delayed", "IPFailure")], "each reason once"
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


# What journeys hear of it


def at(minute: int) -> str:
    return f"2026-11-22T10:{minute:02}:00.000Z"


def heard(parts: Any) -> list[tuple[str, str | None]]:
    return [(event.type, event.properties.get("link")) for event in parts.journeys.heard]


def test_journeys_hear_each_kind_once_and_a_click_once_for_each_link(parts: Any) -> None:
    receive(notification("Open", "open", timestamp=at(5)))
    receive(notification("Delivery", "delivery", timestamp=at(1)))
    receive(notification("Open", "open", timestamp=at(7)))
    for minute, link in ((8, "https://a.example"), (9, "https://b.example"), (10, "https://a.example")):
        receive(notification("Click", "click", timestamp=at(minute), link=link))
    assert heard(parts) == [
        ("message_opened", None),
        ("message_delivered", None),
        ("message_clicked", "https://a.example"),
        ("message_clicked", "https://b.example"),
    ]
    opened = parts.journeys.heard[0]
    about = {"message_id": ID, "journey": "welcome", "step": "mail", "channel": "email"}
    assert (opened.id, opened.properties) == (f"message_opened:{ID}", about)
    assert opened.occurred_at == NOW + timedelta(minutes=5)
    assert len(parts.journeys.kept) == 4
    assert next(e.detail for e in parts.messages.kept[ID].history if e.status == "clicked") == "https://a.example"


def test_a_bounce_is_a_failure_and_a_complaint_is_told_as_one(parts: Any) -> None:
    receive(notification("Complaint", "complaint", timestamp=at(1)))
    assert heard(parts) == [("message_complained", None)]
    receive(notification("Bounce", "bounce", bounceType="Permanent", timestamp=at(2)))
    receive(notification("Reject", "reject", timestamp=at(3)))
    assert heard(parts) == [("message_complained", None), ("message_failed", None)]


def test_an_sms_that_waits_says_so(parts: Any) -> None:
    receive(sms_event("TEXT_PENDING"))
    kept = parts.messages.kept[ID]
    assert (kept.status, kept.history[-1].status, kept.history[-1].detail) == ("sent", "delayed", "TEXT_PENDING")
    assert heard(parts) == []


def test_a_report_that_was_interrupted_is_told_by_its_repeat(parts: Any) -> None:
    opened = notification("Open", "open", timestamp=at(5))
    parts.journeys.trouble = TryLater("journeys are busy")
    with pytest.raises(TryLater):
        receive(opened)
    parts.journeys.trouble = None
    receive(opened)
    receive(opened)
    assert {event.id for event in parts.journeys.heard} == {f"message_opened:{ID}"}
    assert len(parts.messages.kept[ID].history) == len(parts.journeys.kept) == 1


def test_after_a_merge_the_contact_that_stayed_is_told_and_of_an_erased_one_nobody(parts: Any) -> None:
    parts.contacts.now = contact(id="01other")
    receive(notification("Open", "open", timestamp=at(5)))
    assert [contact_id for contact_id, _ in parts.journeys.kept] == ["01other"]
    parts.contacts.now = None
    receive(notification("Click", "click", timestamp=at(6), link="https://a.example"))
    assert len(parts.journeys.heard) == 1
    parts.messages.kept[ID] = parts.messages.kept[ID].model_copy(update={"status": MessageStatus.NOT_SENT})
    parts.contacts.now = contact()
    receive(notification("Delivery", "delivery", timestamp=at(7)))
    assert len(parts.journeys.heard) == 1


def test_what_the_manager_did_with_an_alert_is_nothing_that_the_contact_did(parts: Any) -> None:
    parts.messages.kept[ID] = parts.messages.kept[ID].model_copy(update={"to_manager": True})
    receive(notification("Open", "open", timestamp=at(5)))
    assert parts.messages.kept[ID].status is MessageStatus.OPENED
    assert parts.journeys.heard == []


# Who may tell


@pytest.mark.parametrize(
    "changes",
    [
        {"Message": sms_event("TEXT_INVALID")},
        {"Signature": "AAAA"},
        {"Signature": "not base64"},
        {"Signature": None},
        {"SignatureVersion": "1"},
        {"SignatureVersion": "3"},
        {"SigningCertUrl": "https://sns.eu-west-1.amazonaws.com.evil.example/a.pem"},
        {"SigningCertUrl": "https://evil.example/SimpleNotificationService-1.pem"},
        {"SigningCertUrl": "http://sns.eu-west-1.amazonaws.com/a.pem"},
        {"SigningCertUrl": "https://sns.eu-west-1.amazonaws.com/../a.pem"},
        {"SigningCertUrl": "https://x@sns.eu-west-1.amazonaws.com/a.pem"},
        {"SigningCertUrl": None},
        {"TopicArn": "arn:aws:sns:eu-west-1:666666666666:agala-delivery-reports"},
        {"Timestamp": "2026-11-22T10:00:01.000Z"},
        {"Subject": "more"},
    ],
)
def test_what_sns_did_not_sign_changes_nothing(parts: Any, changes: dict[str, Any], caplog: Any) -> None:
    receive(notification("Complaint", "complaint", timestamp=at(1)), **changes)
    assert parts.messages.kept[ID].status is MessageStatus.SENT and parts.replies.told == []
    assert parts.contact_book.changes == []


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", [None, "Amazon SES Email Event Notification"])
def test_both_of_snss_signatures_are_good(parts: Any, version: str, subject: str | None) -> None:
    sns = Sns(version=version)
    asked: list[str] = []

    def fetch(address: str) -> str:
        asked.append(address)
        return sns.certificate(address)

    parts.sns_messages = SnsMessages([TOPIC], fetch)
    for minute in (1, 2):
        record = sns.record(notification("Open", "open", timestamp=at(minute)), NOW, subject)
        with Client(app) as client:
            client.lambda_.invoke("delivery_reports", {"Records": [record]})
    assert [entry.status for entry in parts.messages.kept[ID].history] == ["opened", "opened"]
    assert asked == [CERTIFICATE], "asked for once"


def test_what_sns_signed_for_another_topic_is_not_for_us(parts: Any) -> None:
    other = Sns(topic=TOPIC.replace("000000000000", "666666666666"))
    parts.sns_messages = SnsMessages([TOPIC], other.certificate)
    with Client(app) as client:
        record = other.record(notification("Complaint", "complaint", timestamp=at(1)), NOW)
        client.lambda_.invoke("delivery_reports", {"Records": [record]})
    assert parts.messages.kept[ID].status is MessageStatus.SENT


def test_a_certificate_that_cannot_be_had_is_asked_for_again(parts: Any) -> None:
    def out(address: str) -> str:
        raise TryLater("the certificate of SNS is out of reach")

    parts.sns_messages = SnsMessages([TOPIC], out)
    with pytest.raises(TryLater):
        receive(notification("Open", "open", timestamp=at(5)))


# What people write back


def test_an_sms_that_comes_in_is_a_reply(parts: Any) -> None:
    told = {
        "originationNumber": "+972505550101",
        "destinationNumber": "+972505550199",
        "messageKeyword": "KEYWORD_1",
        "messageBody": "הסר",
        "previousPublishedMessageId": "eum-1",
        "inboundMessageId": "in-1",
    }
    receive(json.dumps(told))
    receive(json.dumps({**told, "originationNumber": 5}))
    assert parts.replies.told == [Reply(Channel.SMS, "in-1", "+972505550101", "הסר", NOW, ("+972505550199",))]


def test_a_whatsapp_message_that_comes_in_is_a_reply(parts: Any) -> None:
    arn = "arn:aws:social-messaging:eu-west-1:000000000000:phone-number-id/0123"
    said: list[dict[str, Any]] = [
        {"type": "text", "text": {"body": "תודה"}},
        {"type": "button", "button": {"text": "הסר"}},
        {"type": "interactive", "interactive": {"button_reply": {"id": "1", "title": "כן"}}},
        {"type": "image", "image": {"id": "1"}},
        {"type": "system", "system": {"body": "changed their number"}},
    ]
    messages = [
        {"from": "972505550101", "id": f"wamid.{n}", "timestamp": "1795341660", **one} for n, one in enumerate(said)
    ]
    entry = {"id": "1", "changes": [{"field": "messages", "value": {"messages": [*messages, 3, {"from": "1"}]}}]}
    context = {"MetaPhoneNumberIds": [{"metaPhoneNumberId": "77", "arn": arn}]}
    receive(json.dumps({"context": context, "whatsAppWebhookEntry": json.dumps(entry)}))
    assert [(reply.id, reply.text) for reply in parts.replies.told] == [
        ("wamid.0", "תודה"),
        ("wamid.1", "הסר"),
        ("wamid.2", "כן"),
        ("wamid.3", ""),
    ]
    assert {"0123", "phone-number-id-0123", "77"} <= set(parts.replies.told[0].numbers)
