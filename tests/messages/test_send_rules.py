"""The policy's rules as they come out of a whole send."""

from __future__ import annotations

import pytest

from chalicelib.contacts.consent import Channel
from chalicelib.journeys.ports import NotNow, ProviderBusy
from chalicelib.messages.content_model import WhatsAppContent
from chalicelib.messages.message import MessageKind, MessageStatus
from tests.messages.shop import contact, content, store
from tests.messages.test_send import SUBSCRIBED, Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_an_address_on_the_stores_list_gets_nothing_whoever_has_it_now(bench: Bench) -> None:
    bench.suppressions.listed = {"dana@example.test": "imported"}
    message = bench.send(MessageKind.TRANSACTIONAL)
    assert (message.status, message.reason) == (MessageStatus.NOT_SENT, "suppression_list")
    assert (bench.record.history[-1].detail, bench.channel.sent) == ("imported", [])


def test_marketing_waits_for_the_end_of_shabbat_where_the_contact_is(bench: Bench) -> None:
    bench.clock.advance(days=5, hours=8)  # Friday 27 November, 18:00 UTC
    with pytest.raises(NotNow) as caught:
        bench.send()
    assert (str(caught.value), caught.value.reason) == ("2026-11-28T15:15:00.000Z", "rest_day")
    assert bench.send(MessageKind.TRANSACTIONAL, step="order").status is MessageStatus.SENT
    bench.person = bench.person.model_copy(update={"timezone": "America/New_York"})
    assert bench.send().status is MessageStatus.SENT, "it is noon there"


def test_the_same_words_are_sent_once_in_the_stores_days(bench: Bench) -> None:
    assert bench.send(step="mail-1").status is MessageStatus.SENT
    again = bench.send(step="mail-2")
    assert (again.status, again.reason) == (MessageStatus.NOT_SENT, "duplicate")
    assert bench.send(MessageKind.TRANSACTIONAL, step="mail-3").status is MessageStatus.SENT
    bench.person = contact(first_name="נועה")
    assert bench.send(step="mail-4").status is MessageStatus.SENT, "other words"
    bench.person = contact()
    bench.clock.advance(days=1)
    assert bench.send(step="mail-5").status is MessageStatus.SENT


def test_nothing_is_counted_where_the_store_counts_nothing(bench: Bench) -> None:
    bench.shop = store(settings={"duplicate_days": 0, "caps": {"sms": {"per_day": 1}}})
    assert [bench.send(step=f"mail-{n}").status for n in range(3)] == [MessageStatus.SENT] * 3
    assert bench.recents.kept == {}


def test_two_whatsapp_templates_with_one_name_in_them_are_two_things_said() -> None:
    """What Meta approved stands in the template: its places alone do not tell what is said."""
    bench = Bench(through=Channel.WHATSAPP)

    def content(template: str) -> dict[str, WhatsAppContent]:
        return {"he": WhatsAppContent(text="x", template=template, variables=("{{ contact.first_name }}",))}

    bench.content = content("cart_waits")
    assert bench.send(step="w-1").status is MessageStatus.SENT
    bench.content = content("we_miss_you")
    assert bench.send(step="w-2").status is MessageStatus.SENT
    assert bench.send(step="w-3").reason == "duplicate"


@pytest.mark.parametrize("through", list(Channel))
def test_one_words_to_two_carts_are_two_things_said_and_a_retry_is_no_duplicate(through: Channel) -> None:
    bench = Bench(through=through)
    if through is Channel.EMAIL:
        button = {"type": "button", "text": "לסל", "url": "https://tea.example/{{ contact.fields.cart }}"}
        bench.content = {"he": content({"type": "text", "text": "שלום"}, button)}
    elif through is Channel.SMS:
        bench.content = {"he": "שלום https://tea.example/{{ contact.fields.cart }}"}
    else:
        words = "https://tea.example/{{ contact.fields.cart }}"
        bench.content = {"he": WhatsAppContent(text="x", template="t", variables=(words,))}
    consent = {through: SUBSCRIBED}
    bench.person = contact(consent=consent, fields={"cart": "one"})
    bench.channel.trouble = [ProviderBusy("429")]
    with pytest.raises(ProviderBusy):
        bench.send(step="m-1")
    bench.clock.advance(hours=1)
    assert bench.send(step="m-1").status is MessageStatus.SENT
    assert bench.send(step="m-2").reason == "duplicate"
    bench.person = contact(consent=consent, fields={"cart": "two"})
    assert bench.send(step="m-3").status is MessageStatus.SENT
