from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.contacts.consent import Channel
from chalicelib.messages.content import RenderData, RenderingError
from chalicelib.messages.content_model import WhatsAppContent
from chalicelib.messages.fields import Alert
from chalicelib.messages.message import Message, MessageKind, MessageStatus
from chalicelib.messages.ports import NotAllowed, WhatsApp
from chalicelib.messages.whatsapp import WhatsAppComposer
from tests.messages.shop import CONTACT_ID, NOW, contact, event, store

OPT_OUT = "https://agala.example/u/x"


LATELY = contact(replied={"whatsapp": NOW - timedelta(hours=23, minutes=59)})


def text(words: str, template: str | None = None, kind: MessageKind = MessageKind.MARKETING, **known: Any) -> str:
    return composed(WhatsAppContent(text=words, template=template), kind, **known).text


def composed(content: WhatsAppContent, kind: MessageKind = MessageKind.MARKETING, **known: Any) -> WhatsApp:
    known = {"unsubscribe_url": OPT_OUT, "contact": LATELY, **known}
    data = RenderData(store=store(), language="he", kind=kind, event=event(), **known)
    message = Message(
        id=f"{CONTACT_ID}-x",
        store_id="s1",
        contact_id=CONTACT_ID,
        channel=Channel.WHATSAPP,
        kind=kind,
        to="+972505550101",
        status=MessageStatus.CLAIMED,
        created_at=NOW,
        at=NOW,
    )
    return WhatsAppComposer("n").compose(content, data, message)


def test_marketing_says_what_it_is_who_sends_it_and_how_to_have_no_more() -> None:
    assert text("היי {{ contact.first_name }}\nיש חדש") == (
        f"פרסומת: בית קפה הדר\nהיי דנה\nיש חדש\nלהסרה: {OPT_OUT} או להשיב הסר"
    )


def test_a_templates_variable_is_one_line_and_not_longer_than_meta_takes() -> None:
    assert text("היי\n\n{{ contact.first_name }}", "t") == f"פרסומת: בית קפה הדר היי דנה להסרה: {OPT_OUT} או להשיב הסר"
    long = text("מילה " * 1000, "t")
    assert len(long) <= 1024
    assert long.startswith("פרסומת: בית קפה הדר מילה") and long.endswith(f"… להסרה: {OPT_OUT} או להשיב הסר")
    assert len(text("מילה " * 1000)) <= 4096


def test_a_transactional_one_is_the_words_alone() -> None:
    assert text("הזמנה {{ order.number }}", "t", MessageKind.TRANSACTIONAL, unsubscribe_url=None) == "הזמנה 1019"


def test_what_cannot_be_made_says_so() -> None:
    with pytest.raises(RenderingError, match="text: empty"):
        text("{{ contact.fields.nothing }}")
    with pytest.raises(RenderingError, match="unsubscribe_url"):
        text("x", unsubscribe_url=None)


def test_a_templates_places_are_filled_in_their_order_each_in_one_line() -> None:
    content = WhatsAppContent(
        text="x",
        template="cart_waits",
        variables=(
            "{{ contact.first_name | default: 'שלום' }}",
            "הזמנה\n {{ order.number }}",
            "{% for n in (1..400) %}מילה {% endfor %}",
        ),
    )
    message = composed(content, contact=contact())
    assert message.variables[:2] == ("דנה", "הזמנה 1019")
    assert len(message.variables[2]) <= 1024 and message.variables[2].endswith("מילה…")
    assert message.text.startswith("דנה\nהזמנה 1019\n")
    empty = content.model_copy(update={"variables": ("ok", "{{ contact.fields.nothing }}")})
    with pytest.raises(RenderingError, match=r"^variables\[1\]: empty"):
        composed(empty)


@pytest.mark.parametrize("ago", [None, timedelta(hours=24)])
def test_a_free_text_reaches_only_who_wrote_within_a_day_a_template_everybody(ago: timedelta | None) -> None:
    person = contact(replied={"whatsapp": NOW - ago} if ago else {"sms": NOW})
    with pytest.raises(NotAllowed, match="session_over"):
        text("x", contact=person)
    assert text("x", "t", contact=person)
    alert = Alert(to_name=None, subject="x", rows=())
    assert text("x", kind=MessageKind.TRANSACTIONAL, contact=person, alert=alert) == "x"
