from typing import Any

import pytest

from chalicelib.clock import rfc3339
from chalicelib.contacts.consent import Channel, Consent, ConsentStatus
from chalicelib.contacts.contact import Contact
from chalicelib.ids import message_id
from chalicelib.journeys.ports import NotNow, ProviderBusy
from chalicelib.messages.links import SignedLinks
from chalicelib.messages.message import HistoryEntry, Message, MessageKind, MessageStatus
from chalicelib.messages.ports import SendRejected, SendUncertain
from chalicelib.messages.reports import Report, apply_report
from chalicelib.messages.send import EmailSender
from tests.conftest import HandClock
from tests.messages.shop import (
    NOW,
    ChannelDouble,
    ContactBookDouble,
    MessagesDouble,
    ProductsDouble,
    contact,
    content,
    enrolment,
    product,
    store,
)

ID = message_id(enrolment().id, "mail-1")


class Crash(BaseException):
    """The Lambda dies here."""


class Bench:
    """A sender and all it touches."""

    def __init__(self, knows: bool = True) -> None:
        self.messages, self.channel, self.clock = MessagesDouble(), ChannelDouble(knows), HandClock(NOW)
        self.links = SignedLinks("https://agala.example", [b"key"])
        self.person, self.shop = contact(), store()
        self.content: dict[str, Any] = {"he": content(), "en": content(subject="Hello {{ contact.first_name }}")}

    def send(self, kind: MessageKind = MessageKind.MARKETING, step: str = "mail-1") -> Message:
        sender = EmailSender(
            self.messages, self.channel, self.links, ProductsDouble(product()), self.clock, "default@agala.example"
        )
        return sender.send(self.shop, self.person, enrolment(), "thank-you-new", step, kind, self.content)

    @property
    def record(self) -> Message:
        return self.messages.kept[ID]

    def statuses(self) -> list[str]:
        return [entry.status for entry in self.record.history]


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def ses() -> Bench:
    """As with a provider that cannot look a message up."""
    return Bench(knows=False)


def test_an_email_goes_out_and_is_recorded(bench: Bench) -> None:
    message = bench.send()
    [email] = bench.channel.sent
    assert (message.status, message.provider_id) == (MessageStatus.SENT, f"provider-{ID}")
    assert bench.statuses() == ["claimed", "sent"]
    assert (email.to, email.sender, email.sender_name) == ("dana@example.test", "shop@hadar.example", "בית קפה הדר")
    assert email.subject == message.subject == "פרסומת: שלום דנה"


def test_marketing_can_be_left_with_one_click(bench: Bench) -> None:
    bench.send()
    headers = bench.channel.sent[0].headers
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    token = headers["List-Unsubscribe"].removeprefix("<https://agala.example/u/").removesuffix(">")
    found = bench.links.read_unsubscribe(token)
    assert found is not None and (found.message_id, found.channel) == (ID, Channel.EMAIL)
    assert token in bench.channel.sent[0].html and token in bench.channel.sent[0].text


def test_a_transactional_email_has_no_unsubscribe_header(bench: Bench) -> None:
    bench.send(MessageKind.TRANSACTIONAL)
    assert "List-Unsubscribe" not in bench.channel.sent[0].headers


def test_a_repeat_sends_nothing_more(bench: Bench) -> None:
    assert bench.send() == bench.send()
    assert len(bench.channel.sent) == 1


def test_the_contacts_language_is_used(bench: Bench) -> None:
    bench.person = contact(locale="en-US", first_name="Dana")
    assert bench.send().subject == "פרסומת: Hello Dana"


def test_the_default_sender_steps_in(bench: Bench) -> None:
    bench.shop = store(settings={"sender": {}})
    bench.send()
    assert bench.channel.sent[0].sender == "default@agala.example"


@pytest.mark.parametrize(
    ("person", "reason"),
    [
        (contact(email=None), "no_email"),
        (contact(suppressed={"email": "bounced"}), "suppressed"),
        (contact(consent={}), "no_consent"),
        (contact(consent={Channel.EMAIL: Consent(status=ConsentStatus.UNSUBSCRIBED)}), "unsubscribed"),
    ],
)
def test_what_is_not_sent_is_explained(bench: Bench, person: Contact, reason: str) -> None:
    bench.person = person
    message = bench.send()
    assert (message.status, message.reason) == (MessageStatus.NOT_SENT, reason)
    assert bench.record.history[-1].detail == reason
    assert bench.channel.sent == []
    bench.person = contact()
    assert bench.send().status is MessageStatus.NOT_SENT, "what was decided stays decided"


def test_quiet_hours_send_the_step_away_until_they_end(bench: Bench) -> None:
    bench.shop = store(settings={"quiet_hours": {"email": {"from": "11:00", "to": "13:00"}}})
    with pytest.raises(NotNow) as caught:
        bench.send()
    assert (str(caught.value), caught.value.reason) == ("2026-11-22T11:00:00.000Z", "quiet_hours")
    assert bench.messages.kept == {}
    bench.clock.advance(hours=1)
    assert bench.send().status is MessageStatus.SENT


def test_a_stopped_store_holds_messages_until_it_is_live_again(bench: Bench) -> None:
    bench.shop = store(settings={"sending": "stopped"})
    with pytest.raises(NotNow) as caught:
        bench.send(MessageKind.TRANSACTIONAL)
    bench.clock.advance(hours=1)
    assert (str(caught.value), caught.value.reason) == (rfc3339(bench.clock.now()), "sending_stopped")
    bench.shop = store()
    assert bench.send(MessageKind.TRANSACTIONAL).status is MessageStatus.SENT


def test_a_cap_counts_what_went_out_lately(bench: Bench) -> None:
    bench.shop = store(settings={"caps": {"email": {"per_day": 1}}})
    assert bench.send(step="mail-1").status is MessageStatus.SENT
    assert bench.send(step="mail-2").reason == "frequency_cap"
    assert bench.send(MessageKind.TRANSACTIONAL, step="mail-3").status is MessageStatus.SENT
    bench.clock.advance(days=1, seconds=1)
    assert bench.send(step="mail-4").status is MessageStatus.SENT


def test_content_that_cannot_be_rendered_fails_by_name_and_the_journey_goes_on(bench: Bench) -> None:
    bench.content = {"he": content({"type": "text", "text": "{% for i in (1..9999) %}{{contact.email}}{% endfor %}"})}
    message = bench.send()
    assert (message.status, message.reason) == (MessageStatus.FAILED, "rendering")
    detail = message.history[-1].detail or ""
    assert "blocks[0]" in detail and "dana" not in detail
    assert bench.channel.sent == []


def test_a_busy_provider_is_tried_again_with_the_same_message(bench: Bench) -> None:
    bench.channel.trouble = [ProviderBusy("Throttling")]
    with pytest.raises(ProviderBusy):
        bench.send()
    assert bench.record.status is MessageStatus.CLAIMED
    assert bench.send().status is MessageStatus.SENT
    assert bench.statuses() == ["claimed", "provider_busy", "claimed", "sent"]
    assert [email.message_id for email in bench.channel.sent] == [ID]


def test_a_busy_provider_that_cannot_look_up_is_tried_again_too(ses: Bench) -> None:
    ses.channel.trouble = [ProviderBusy("Throttling"), ProviderBusy("Throttling")]
    for _ in range(2):
        with pytest.raises(ProviderBusy):
            ses.send()
    assert ses.send().status is MessageStatus.SENT


def test_who_unsubscribes_while_the_provider_is_busy_gets_nothing(ses: Bench) -> None:
    ses.channel.trouble = [ProviderBusy()]
    with pytest.raises(ProviderBusy):
        ses.send()
    ses.person = contact(consent={Channel.EMAIL: Consent(status=ConsentStatus.UNSUBSCRIBED)})
    assert (ses.send().status, ses.record.reason) == (MessageStatus.NOT_SENT, "unsubscribed")
    assert ses.channel.sent == []


def test_a_rejection_fails_the_message_and_lets_the_journey_go_on(bench: Bench) -> None:
    bench.channel.trouble = [SendRejected("MessageRejected")]
    message = bench.send()
    assert (message.status, message.reason) == (MessageStatus.FAILED, "rejected")
    assert message.history[-1].detail == "MessageRejected"
    assert bench.send() == message


def test_an_uncertain_send_is_shown_as_unknown_and_never_sent_again(ses: Bench) -> None:
    ses.channel.trouble = [SendUncertain("ReadTimeoutError")]
    assert ses.send().status is MessageStatus.UNKNOWN
    assert ses.send().status is MessageStatus.UNKNOWN
    assert ses.channel.sent == []


@pytest.mark.parametrize("knows", [True, False])
def test_a_crash_before_the_hand_over(knows: bool) -> None:
    """After the claim, before the provider had it: sent where the provider can tell, unknown where not."""
    bench = Bench(knows)
    bench.channel.trouble = [Crash()]
    with pytest.raises(Crash):
        bench.send()
    message = bench.send()
    assert message.status is (MessageStatus.SENT if knows else MessageStatus.UNKNOWN)
    assert len(bench.channel.sent) == (1 if knows else 0)
    assert bench.send() == message


@pytest.mark.parametrize("knows", [True, False])
def test_a_crash_between_the_hand_over_and_the_record(knows: bool) -> None:
    """The provider has it: completed where it can tell, unknown where not, and in no case sent twice."""
    bench = Bench(knows)
    bench.messages.crash_on_save = Crash()
    with pytest.raises(Crash):
        bench.send()
    bench.messages.crash_on_save = None
    message = bench.send()
    assert message.status is (MessageStatus.SENT if knows else MessageStatus.UNKNOWN)
    assert message.provider_id == (f"provider-{ID}" if knows else None)
    assert len(bench.channel.sent) == 1


@pytest.mark.parametrize("knows", [True, False])
def test_a_second_crash_after_a_busy_provider_is_still_sent_at_most_once(knows: bool) -> None:
    bench = Bench(knows)
    bench.channel.trouble = [ProviderBusy()]
    with pytest.raises(ProviderBusy):
        bench.send()
    bench.channel.trouble = [Crash()]
    with pytest.raises(Crash):
        bench.send()
    assert bench.send().status is (MessageStatus.SENT if knows else MessageStatus.UNKNOWN)
    assert len(bench.channel.sent) == (1 if knows else 0)


def test_two_runs_of_one_step_send_once(bench: Bench) -> None:
    """The second run claims while the first is still rendering."""
    get = bench.messages.get
    answers = [None]
    bench.messages.get = lambda *ids: answers.pop() if answers else get(*ids)  # type: ignore[method-assign]
    bench.messages.claim(
        Message(
            id=ID,
            store_id="s1",
            contact_id=contact().id,
            channel=Channel.EMAIL,
            kind=MessageKind.MARKETING,
            status=MessageStatus.CLAIMED,
            created_at=NOW,
            at=NOW,
            history=(HistoryEntry(at=NOW, status="claimed"),),
        )
    )
    assert bench.send().status is MessageStatus.CLAIMED
    assert bench.channel.sent == []


def test_a_report_quicker_than_our_own_record_is_kept(bench: Bench) -> None:
    send = bench.channel.send

    def send_and_report(email: Any) -> str:
        provider_id = send(email)
        report = Report("s1", ID, MessageStatus.DELIVERED, NOW)
        apply_report(report, bench.messages, ContactBookDouble())
        return provider_id

    bench.channel.send = send_and_report  # type: ignore[method-assign]
    message = bench.send()
    assert message.status is MessageStatus.DELIVERED
    assert message.provider_id == f"provider-{ID}"
