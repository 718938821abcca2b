from datetime import timedelta

import pytest

from chalicelib.contacts.consent import Channel, ConsentStatus
from chalicelib.errors import NotFound
from chalicelib.messages.message import Message, MessageKind, MessageStatus
from chalicelib.messages.reports import DELAYED, Report, apply_report
from tests.messages.shop import CONTACT_ID, NOW, ContactBookDouble, MessagesDouble

ID = f"{CONTACT_ID}-messagedigest"


@pytest.fixture
def book() -> ContactBookDouble:
    return ContactBookDouble()


@pytest.fixture
def messages() -> MessagesDouble:
    kept = MessagesDouble()
    kept.claim(
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
    return kept


def report(status: MessageStatus, minutes: int = 1) -> Report:
    return Report("s1", ID, status, NOW + timedelta(minutes=minutes))


def test_a_message_moves_forward_only(messages: MessagesDouble, book: ContactBookDouble) -> None:
    told = [MessageStatus.CLICKED, MessageStatus.DELIVERED, MessageStatus.OPENED]
    for minutes, status in enumerate(told):
        apply_report(report(status, minutes), messages, book)
    assert messages.kept[ID].status is MessageStatus.CLICKED
    assert [entry.status for entry in messages.kept[ID].history] == ["clicked", "delivered", "opened"]


def test_the_same_report_twice_counts_once(messages: MessagesDouble, book: ContactBookDouble) -> None:
    first = apply_report(report(MessageStatus.DELIVERED), messages, book)
    assert apply_report(report(MessageStatus.DELIVERED), messages, book) == first


def test_a_dead_address_is_suppressed_and_a_full_mailbox_is_not(
    messages: MessagesDouble, book: ContactBookDouble
) -> None:
    apply_report(Report("s1", ID, DELAYED, NOW, detail="Transient/MailboxFull"), messages, book)
    assert messages.kept[ID].status is MessageStatus.SENT
    assert book.suppressed == []
    apply_report(report(MessageStatus.BOUNCED, minutes=2), messages, book)
    assert book.suppressed == [("s1", CONTACT_ID, Channel.EMAIL, "bounced")]


def test_a_complaint_unsubscribes_and_suppresses(messages: MessagesDouble, book: ContactBookDouble) -> None:
    apply_report(report(MessageStatus.CLICKED), messages, book)
    apply_report(report(MessageStatus.COMPLAINED, minutes=2), messages, book)
    assert messages.kept[ID].status is MessageStatus.COMPLAINED
    assert book.suppressed == [("s1", CONTACT_ID, Channel.EMAIL, "complained")]
    [(_, _, change)] = book.changes
    assert (change.consent.status, change.consent.source) == (ConsentStatus.UNSUBSCRIBED, "complaint")


def test_a_report_after_a_crash_of_ours_settles_an_unknown_message(
    messages: MessagesDouble, book: ContactBookDouble
) -> None:
    messages.kept[ID] = messages.kept[ID].model_copy(update={"status": MessageStatus.UNKNOWN, "reason": "interrupted"})
    settled = apply_report(report(MessageStatus.DELIVERED), messages, book)
    assert settled is not None and (settled.status, settled.reason) == (MessageStatus.DELIVERED, None)


def test_what_was_never_sent_stays_so(messages: MessagesDouble, book: ContactBookDouble) -> None:
    messages.kept[ID] = messages.kept[ID].model_copy(update={"status": MessageStatus.NOT_SENT})
    apply_report(report(MessageStatus.BOUNCED), messages, book)
    assert messages.kept[ID].status is MessageStatus.NOT_SENT
    assert book.suppressed == []


def test_a_report_on_a_message_that_is_not_here_does_nothing(book: ContactBookDouble) -> None:
    assert apply_report(report(MessageStatus.DELIVERED), MessagesDouble(), book) is None


def test_only_providers_words_are_reports(messages: MessagesDouble, book: ContactBookDouble) -> None:
    with pytest.raises(ValueError, match="expected one of"):
        apply_report(report(MessageStatus.SENT), messages, book)


def test_a_report_on_an_erased_contact_is_no_fault(messages: MessagesDouble, book: ContactBookDouble) -> None:
    book.trouble = NotFound("no such contact")
    bounced = apply_report(report(MessageStatus.BOUNCED), messages, book)
    assert bounced is not None and bounced.status is MessageStatus.BOUNCED
