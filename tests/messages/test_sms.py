from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.contacts.consent import Channel
from chalicelib.messages.content import RenderingError
from chalicelib.messages.message import Message, MessageKind, MessageStatus
from chalicelib.messages.ports import Sms
from chalicelib.messages.sms import LONGEST, LONGEST_IN_OTHER_ALPHABETS, SmsComposer, render_sms
from tests.messages.shop import NOW, contact, data, event, product, store

CART = "https://hadar.example/?agala_cart=" + "k" * 60
LEAVE = "https://agala.example/u/token"
EVENT = event(cart_token="t1", restore_url=CART)


def text(source: str, **changes: Any) -> str:
    return render_sms(source, data(**({"event": EVENT} | changes)))


def test_marketing_says_that_it_is_from_whom_and_how_to_leave() -> None:
    assert text("היי {{ contact.first_name }}, העגלה מחכה: {{ cart.restore_url }}") == (
        f"פרסומת: בית קפה הדר\nהיי דנה, העגלה מחכה: {CART}\nלהסרה: {LEAVE}"
    )


def test_outside_of_israel_it_does_not_say_advertisement() -> None:
    shop = store(country="GB", name="Tea & Co")
    assert text("Hi!", store=shop, language="en") == f"Tea & Co\nHi!\nOpt out: {LEAVE}"


def test_the_senders_name_is_not_said_twice() -> None:
    assert text("העגלה שלך בבית קפה הדר") == f"פרסומת: העגלה שלך בבית קפה הדר\nלהסרה: {LEAVE}"


def test_a_transactional_sms_is_the_words_alone() -> None:
    assert text("ההזמנה {{ order.number }} בדרך", kind=MessageKind.TRANSACTIONAL) == "ההזמנה 1019 בדרך"


def test_values_are_text_not_html_and_lines_of_empty_fields_are_closed_up() -> None:
    source = "Tea & <b>more</b>: {{ product.name }}\n\n\n{% if store.talk_to_us_url %}Talk: …{% endif %}\n\nBye"
    shown = text(source, products={"12": product(name="Earl <Grey>")}, kind=MessageKind.TRANSACTIONAL)
    assert shown == "Tea & <b>more</b>: Earl <Grey>\n\nBye"


@pytest.mark.parametrize("name", ["https://evil.example", "win at evil.example/prize", "www.evil"])
def test_nobody_smuggles_a_link_in_as_a_name(name: str) -> None:
    assert "evil" not in text("Hi {{ contact.first_name }} {{ contact.last_name }}!", contact=contact(first_name=name))
    assert "evil" not in text("Hi {{ contact.first_name }} {{ contact.last_name }}!", contact=contact(last_name=name))


def test_a_name_with_a_dot_or_a_dash_stays() -> None:
    assert "Jean-Luc J. Smith" in text("Hi {{ contact.first_name }}", contact=contact(first_name="Jean-Luc J. Smith"))


@pytest.mark.parametrize("source", ["", "   ", "{{ contact.fields.nothing }}", "{% for i in (1..9999) %}x{% endfor %}"])
def test_what_comes_to_nothing_or_does_too_much_fails_by_name(source: str) -> None:
    with pytest.raises(RenderingError, match=r"^text: "):
        text(source)


def test_marketing_without_a_way_to_leave_is_not_made() -> None:
    with pytest.raises(RenderingError, match="unsubscribe_url"):
        text("Hi", unsubscribe_url=None)


class TestTooLong:
    def test_words_are_shortened_and_links_never(self) -> None:
        shown = text(f"{'מילה ארוכה ' * 100}\n{CART}\n{'עוד ' * 300}")
        assert len(shown) <= LONGEST_IN_OTHER_ALPHABETS
        assert f"\n{CART}\n" in shown
        assert shown.startswith("פרסומת: בית קפה הדר\nמילה ארוכה")
        assert shown.endswith(f"\nלהסרה: {LEAVE}")

    def test_the_plain_alphabet_has_more_room(self) -> None:
        shop = store(country="GB", name="Tea")
        shown = text(f"{'word ' * 400}{CART}", store=shop, language="en")
        assert LONGEST - 20 < len(shown) <= LONGEST
        assert CART in shown

    def test_links_that_alone_are_too_long_fail_the_message(self) -> None:
        with pytest.raises(RenderingError, match="links alone"):
            text(f"שלום {CART}{'k' * LONGEST_IN_OTHER_ALPHABETS}")

    @settings(max_examples=50)
    @given(st.lists(st.one_of(st.sampled_from([CART, "שלום", "€uro", "😀" * 40]), st.text(max_size=200)), max_size=30))
    def test_whatever_is_written_fits_or_fails(self, words: list[str]) -> None:
        source = " ".join(words).replace("{", "(")
        try:
            shown = text(source)
        except RenderingError:
            return
        assert len(shown.encode("utf-16-le")) // 2 <= LONGEST
        assert shown.endswith(LEAVE)
        assert all(link == CART for link in shown.split() if link.startswith(CART[:30]) and CART in source)


def test_where_a_reply_is_heard_it_may_say_stop() -> None:
    leave = f"\nלהסרה: {LEAVE} או להשיב הסר"
    message = Message(
        id="c-x",
        store_id="s1",
        contact_id="c",
        channel=Channel.SMS,
        kind=MessageKind.MARKETING,
        status=MessageStatus.CLAIMED,
        created_at=NOW,
        at=NOW,
    )

    def made(sender: dict[str, Any], default: str | None = None, hears: bool | None = None) -> Sms:
        shop = store(settings={"sender": sender})
        return SmsComposer(default, hears).compose("שלום", data(event=EVENT, store=shop), message)

    assert made({"sms": "+972505550199"}).text.endswith(leave)
    assert made({}, "12345").text.endswith(leave)
    assert made({"sms": "Hadar", "sms_replies": True}).text.endswith(leave)
    assert made({"sms": "Hadar"}, hears=True).text.endswith(leave)
    for silent in (
        made({"sms": "Hadar"}),
        made({}),
        made({"sms": "12345", "sms_replies": False}),
        made({"sms": "12345"}, hears=False),
    ):
        assert silent.text.endswith(LEAVE) and silent.parts == 1
