from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from pydantic import ValidationError

from chalicelib.clock import rfc3339
from chalicelib.contacts.consent import Channel, Consent, ConsentStatus
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.identity import normalise_email, normalise_phone
from chalicelib.errors import TryLater
from chalicelib.ids import message_id
from chalicelib.journeys.ports import NotNow, ProviderBusy
from chalicelib.messages.content_model import WhatsAppContent
from chalicelib.messages.email import EmailComposer
from chalicelib.messages.followed import MessageLinks
from chalicelib.messages.links import LEAVE, SignedLinks
from chalicelib.messages.making import Medium
from chalicelib.messages.message import HistoryEntry, Message, MessageKind, MessageStatus
from chalicelib.messages.mime import to_mime
from chalicelib.messages.ports import SendRejected, SendUncertain
from chalicelib.messages.reports import Report, apply_report
from chalicelib.messages.send import Sender
from chalicelib.messages.sms import SmsComposer
from chalicelib.messages.tracking import Tracker
from chalicelib.messages.whatsapp import WhatsAppComposer
from chalicelib.storage.followed import FollowedLinks
from tests.conftest import HandClock
from tests.memory_client import memory_table
from tests.messages.shop import (
    NOW,
    ChannelDouble,
    ContactBookDouble,
    MessagesDouble,
    ProductsDouble,
    RecentsDouble,
    SuppressionsDouble,
    contact,
    content,
    enrolment,
    product,
    store,
)

ID = message_id(enrolment().id, "mail-1")
SUBSCRIBED = Consent(status=ConsentStatus.SUBSCRIBED, source="checkout", at=NOW)
BOTH = pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.SMS])


class Crash(BaseException):
    """The Lambda dies here."""


class Bench:
    """A sender and all it touches, at noon in the shop."""

    def __init__(self, knows: bool = True, through: Channel = Channel.EMAIL) -> None:
        self.through = through
        self.messages, self.channel, self.clock = MessagesDouble(), ChannelDouble(knows), HandClock(NOW)
        self.recents, self.suppressions = RecentsDouble(), SuppressionsDouble()
        self.links = SignedLinks("https://agala.example", [b"key"])
        self.followed = FollowedLinks(memory_table())
        self.tracker = Tracker(self.links, self.followed)
        self.person, self.shop = contact(consent={through: SUBSCRIBED}), store()
        self.content: dict[str, Any] = {"he": content(), "en": content(subject="Hello {{ contact.first_name }}")}
        if through is Channel.SMS:
            self.content = {"he": "שלום {{ contact.first_name }}", "en": "Hello {{ contact.first_name }}"}

    def send(self, kind: MessageKind = MessageKind.MARKETING, step: str = "mail-1") -> Message:
        media: dict[Channel, Medium[Any, Any]] = {
            Channel.EMAIL: Medium(EmailComposer("default@agala.example"), self.channel),
            Channel.SMS: Medium(SmsComposer("+972505550199"), self.channel),
            Channel.WHATSAPP: Medium(WhatsAppComposer("n"), self.channel),
        }
        sender = Sender(
            self.messages,
            self.recents,
            self.suppressions,
            self.links,
            ProductsDouble(product()),
            self.tracker,
            self.clock,
            lambda channel, _: media[channel],
        )
        return sender.send(self.through, self.shop, self.person, enrolment(), "thank-you-new", step, kind, self.content)

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
    assert found is not None and (found.contact_id, found.channel) == (contact().id, Channel.EMAIL)
    assert token in bench.channel.sent[0].html and token in bench.channel.sent[0].text


def test_a_transactional_email_has_no_unsubscribe_header(bench: Bench) -> None:
    bench.send(MessageKind.TRANSACTIONAL)
    assert not {"List-Unsubscribe", "List-Id"} & bench.channel.sent[0].headers.keys()


@pytest.mark.parametrize(
    ("sender", "list_id"), [("news@hadar.example", "<s1.hadar.example>"), ("a@קפה.example", "<s1.xn--8db5ai.example>")]
)
def test_answers_go_where_the_store_says_and_its_list_has_a_name(bench: Bench, sender: str, list_id: str) -> None:
    bench.shop = store(settings={"sender": {"email": sender, "reply_to": "help@hadar.example"}})
    bench.send()
    [email] = bench.channel.sent
    read = message_from_bytes(to_mime(email), policy=default)
    assert (read["Reply-To"], read["List-Id"]) == ("help@hadar.example", list_id)
    assert read["Message-ID"].strip().startswith(f"<{email.message_id}@")
    assert read["Feedback-ID"] == "thank-you-new.mail-1:s1:marketing:agala"


def test_an_sms_is_kept_with_its_parts() -> None:
    bench = Bench(through=Channel.SMS)
    bench.content = {"he": "שלום " * 20}
    assert bench.send().parts == bench.channel.sent[0].parts == 3
    assert Bench().send().parts is None


def test_what_the_channel_forbids_is_not_sent_and_says_why(bench: Bench) -> None:
    bench.through = Channel.WHATSAPP
    bench.person = contact(consent={Channel.WHATSAPP: SUBSCRIBED})
    bench.content = {"he": WhatsAppContent(text="שלום")}
    message = bench.send()
    assert (message.status, message.reason) == (MessageStatus.NOT_SENT, "session_over")
    assert bench.statuses() == ["not_sent"] and bench.channel.sent == []


@pytest.mark.parametrize("address", ["a@b.example, c@d.example", "a@b.example;c@d.example", "a@b.example c@d.example"])
def test_a_list_of_addresses_in_one_field_goes_nowhere(bench: Bench, address: str) -> None:
    assert normalise_email(address) is None
    bench.person = contact(email=address, consent={Channel.EMAIL: SUBSCRIBED})
    email = bench.send()
    with pytest.raises(SendRejected, match="InvalidAddress"):
        to_mime(bench.channel.sent[0])
    assert email.to == address
    with pytest.raises(ValidationError, match="reply_to"):
        store(settings={"sender": {"reply_to": address}})


@pytest.mark.parametrize(
    "text",
    ["050-555-0101, 050-555-0102", "0505550101/0505550102", "0505550101;0505550102", "+972505550101 +972505550102"],
)
def test_a_list_of_phones_in_one_field_is_nobodys(text: str) -> None:
    assert normalise_phone(text, "IL") is None


@BOTH
def test_a_repeat_sends_nothing_more(channel: Channel) -> None:
    bench = Bench(through=channel)
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


def test_an_sms_goes_out_and_is_recorded() -> None:
    bench = Bench(through=Channel.SMS)
    message = bench.send()
    [sms] = bench.channel.sent
    assert (message.status, message.provider_id, message.channel) == (
        MessageStatus.SENT,
        f"provider-{ID}",
        Channel.SMS,
    )
    assert (message.to, message.subject) == ("+972505550101", None)
    assert (sms.to, sms.sender, sms.sender_name) == ("+972505550101", "+972505550199", "בית קפה הדר")
    assert sms.text.startswith("פרסומת: בית קפה הדר\nשלום דנה\nלהסרה: https://agala.example/l/")
    followed = bench.links.read_followed(sms.text.rpartition("/")[2].removesuffix(" או להשיב הסר"))
    assert followed is not None and followed[1] == LEAVE
    kept = bench.followed.get(followed[0])
    assert kept is not None, "without another link there is a record to lead on all the same"
    found = bench.links.read_unsubscribe(
        bench.links.leave_url(kept.store_id, kept.message_id, kept.channel).rpartition("/")[2]
    )
    assert found is not None
    assert (found.contact_id, found.channel, found.message_id) == (contact().id, Channel.SMS, message.id)


@pytest.mark.parametrize(
    ("person", "reason"),
    [
        (contact(phone=None, consent={Channel.SMS: SUBSCRIBED}), "no_phone"),
        (contact(suppressed={"sms": "bounced"}, consent={Channel.SMS: SUBSCRIBED}), "suppressed"),
        (contact(), "no_consent"),
        (contact(consent={Channel.SMS: Consent(status=ConsentStatus.UNSUBSCRIBED)}), "unsubscribed"),
    ],
)
def test_an_sms_that_is_not_sent_is_explained(person: Contact, reason: str) -> None:
    bench = Bench(through=Channel.SMS)
    bench.person = person
    message = bench.send()
    assert (message.channel, message.status, message.reason) == (Channel.SMS, MessageStatus.NOT_SENT, reason)
    assert bench.channel.sent == []


def test_sms_rest_at_night_and_emails_do_not() -> None:
    bench, mail = Bench(through=Channel.SMS), Bench()
    bench.clock.advance(hours=11)
    mail.clock.advance(hours=11)
    with pytest.raises(NotNow) as caught:
        bench.send()
    assert (str(caught.value), caught.value.reason) == ("2026-11-23T07:00:00.000Z", "quiet_hours")
    assert mail.send().status is MessageStatus.SENT


def test_a_cap_counts_its_own_channel_only() -> None:
    bench = Bench(through=Channel.SMS)
    bench.shop = store(settings={"caps": {"sms": {"per_day": 1}, "email": {"per_day": 1}}})
    bench.person = contact(consent={Channel.SMS: SUBSCRIBED, Channel.EMAIL: SUBSCRIBED})
    assert bench.send(step="sms-1").status is MessageStatus.SENT
    assert bench.send(step="sms-2").reason == "frequency_cap"
    bench.through, bench.content = Channel.EMAIL, {"he": content()}
    assert bench.send(step="mail-1").status is MessageStatus.SENT


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


@BOTH
def test_a_busy_provider_is_tried_again_with_the_same_message(channel: Channel) -> None:
    bench = Bench(through=channel)
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


def test_links_that_cannot_be_kept_hold_the_message_back_and_lose_nothing(ses: Bench) -> None:
    """Also where the provider could not tell whether it has it."""
    keep = ses.followed.keep

    def out(links: MessageLinks) -> None:
        raise TryLater("the table is busy")

    ses.followed.keep = out  # type: ignore[method-assign]
    with pytest.raises(TryLater):
        ses.send()
    assert ses.channel.sent == []
    ses.followed.keep = keep  # type: ignore[method-assign]
    assert ses.send().status is MessageStatus.SENT
    assert ses.record.links and ses.followed.get(ses.record.links)
    assert f"/l/{ses.record.links}0" in ses.channel.sent[0].html


def test_the_links_of_a_message_that_was_made_again_without_any_are_still_known() -> None:
    """So that an erasure finds them."""
    bench = Bench(through=Channel.SMS)
    bench.content = {"he": "הנה https://hadar.example/1"}
    bench.channel.trouble = [ProviderBusy()]
    with pytest.raises(ProviderBusy):
        bench.send()
    code = bench.record.links
    assert code and bench.followed.get(code)
    bench.content = {"he": "בלי קישור"}
    assert bench.send().links == code


@BOTH
def test_a_rejection_fails_the_message_and_lets_the_journey_go_on(channel: Channel) -> None:
    bench = Bench(through=channel)
    bench.channel.trouble = [SendRejected("MessageRejected")]
    message = bench.send()
    assert (message.status, message.reason) == (MessageStatus.FAILED, "rejected")
    assert message.history[-1].detail == "MessageRejected"
    assert bench.send() == message


@BOTH
def test_an_uncertain_send_is_shown_as_unknown_and_never_sent_again(channel: Channel) -> None:
    ses = Bench(knows=False, through=channel)
    ses.channel.trouble = [SendUncertain("ReadTimeoutError")]
    assert ses.send().status is MessageStatus.UNKNOWN
    assert ses.send().status is MessageStatus.UNKNOWN
    assert ses.channel.sent == []


@BOTH
@pytest.mark.parametrize("knows", [True, False])
def test_a_crash_before_the_hand_over(knows: bool, channel: Channel) -> None:
    """After the claim, before the provider had it: sent where the provider can tell, unknown where not."""
    bench = Bench(knows, channel)
    bench.channel.trouble = [Crash()]
    with pytest.raises(Crash):
        bench.send()
    message = bench.send()
    assert message.status is (MessageStatus.SENT if knows else MessageStatus.UNKNOWN)
    assert len(bench.channel.sent) == (1 if knows else 0)
    assert bench.send() == message


@BOTH
@pytest.mark.parametrize("knows", [True, False])
def test_a_crash_between_the_hand_over_and_the_record(knows: bool, channel: Channel) -> None:
    """The provider has it: completed where it can tell, unknown where not, and in no case sent twice."""
    bench = Bench(knows, channel)
    bench.messages.crash_on_save = Crash()
    with pytest.raises(Crash):
        bench.send()
    bench.messages.crash_on_save = None
    message = bench.send()
    assert message.status is (MessageStatus.SENT if knows else MessageStatus.UNKNOWN)
    assert message.provider_id == (f"provider-{ID}" if knows else None)
    assert len(bench.channel.sent) == 1


@BOTH
@pytest.mark.parametrize("knows", [True, False])
def test_a_second_crash_after_a_busy_provider_is_still_sent_at_most_once(knows: bool, channel: Channel) -> None:
    bench = Bench(knows, channel)
    bench.channel.trouble = [ProviderBusy()]
    with pytest.raises(ProviderBusy):
        bench.send()
    bench.channel.trouble = [Crash()]
    with pytest.raises(Crash):
        bench.send()
    assert bench.send().status is (MessageStatus.SENT if knows else MessageStatus.UNKNOWN)
    assert len(bench.channel.sent) == (1 if knows else 0)


@BOTH
def test_two_runs_of_one_step_send_once(channel: Channel) -> None:
    """The second run claims while the first is still rendering."""
    bench = Bench(through=channel)
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
