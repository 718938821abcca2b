from __future__ import annotations

from typing import Any

import pytest

from chalicelib.contacts.consent import Channel
from chalicelib.messages.content import RenderData, RenderingError
from chalicelib.messages.content_model import WhatsAppContent
from chalicelib.messages.message import Message, MessageKind, MessageStatus
from chalicelib.messages.whatsapp import WhatsAppComposer
from tests.messages.shop import CONTACT_ID, NOW, contact, event, store

OPT_OUT = "https://agala.example/u/x"


def text(words: str, template: str | None = None, kind: MessageKind = MessageKind.MARKETING, **known: Any) -> str:
    known = {"unsubscribe_url": OPT_OUT, "contact": contact(), **known}
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
    return WhatsAppComposer("n").compose(WhatsAppContent(text=words, template=template), data, message).text


def test_marketing_says_what_it_is_who_sends_it_and_how_to_have_no_more() -> None:
    assert text("היי {{ contact.first_name }}\nיש חדש") == (f"פרסומת: בית קפה הדר\nהיי דנה\nיש חדש\nלהסרה: {OPT_OUT}")


def test_a_templates_variable_is_one_line_and_not_longer_than_meta_takes() -> None:
    assert text("היי\n\n{{ contact.first_name }}", "t") == f"פרסומת: בית קפה הדר היי דנה להסרה: {OPT_OUT}"
    long = text("מילה " * 1000, "t")
    assert len(long) <= 1024
    assert long.startswith("פרסומת: בית קפה הדר מילה") and long.endswith(f"… להסרה: {OPT_OUT}")
    assert len(text("מילה " * 1000)) <= 4096


def test_a_transactional_one_is_the_words_alone() -> None:
    assert text("הזמנה {{ order.number }}", "t", MessageKind.TRANSACTIONAL, unsubscribe_url=None) == "הזמנה 1019"


def test_what_cannot_be_made_says_so() -> None:
    with pytest.raises(RenderingError, match="text: empty"):
        text("{{ contact.fields.nothing }}")
    with pytest.raises(RenderingError, match="unsubscribe_url"):
        text("x", unsubscribe_url=None)
