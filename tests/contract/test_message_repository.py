"""The table's messages and their double in memory keep the same promises."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.contacts.consent import Channel
from chalicelib.errors import Conflict
from chalicelib.messages.message import Message, MessageKind, MessageStatus
from chalicelib.messages.ports import MessageRepository
from chalicelib.storage.messages import Messages
from tests.messages.shop import CONTACT_ID, NOW, MessagesDouble

MESSAGE = Message(
    id=f"{CONTACT_ID}-digest",
    store_id="s1",
    contact_id=CONTACT_ID,
    channel=Channel.EMAIL,
    kind=MessageKind.MARKETING,
    status=MessageStatus.CLAIMED,
    created_at=NOW,
    at=NOW,
)


@pytest.fixture(params=["table", "double"])
def messages(request: pytest.FixtureRequest) -> MessageRepository:
    made: dict[str, Callable[[], MessageRepository]] = {
        "table": lambda: Messages(request.getfixturevalue("table")),
        "double": MessagesDouble,
    }
    return made[request.param]()


def test_one_claim_wins(messages: MessageRepository) -> None:
    assert messages.get("s1", MESSAGE.id) is None
    assert [messages.claim(MESSAGE), messages.claim(MESSAGE)] == [True, False]
    assert messages.get("s1", MESSAGE.id) == messages.get("s1", MESSAGE.id, CONTACT_ID)


def test_the_quicker_of_two_writers_wins(messages: MessageRepository) -> None:
    messages.claim(MESSAGE)
    read = messages.get("s1", MESSAGE.id)
    assert read is not None
    sent = messages.save(read.model_copy(update={"status": MessageStatus.SENT}))
    with pytest.raises(Conflict):
        messages.save(read.model_copy(update={"status": MessageStatus.UNKNOWN}))
    assert messages.get("s1", MESSAGE.id) == sent
    assert messages.save(sent).rev == sent.rev + 1


def test_a_claim_can_be_saved_as_it_was_made(messages: MessageRepository) -> None:
    """The sender writes over its own claim without reading it back."""
    messages.claim(MESSAGE)
    assert messages.save(MESSAGE.model_copy(update={"status": MessageStatus.SENT})).status is MessageStatus.SENT


def test_a_contacts_messages_are_listed(messages: MessageRepository) -> None:
    messages.claim(MESSAGE)
    assert [found.id for found in messages.of_contact("s1", CONTACT_ID)] == [MESSAGE.id]
    assert messages.of_contact("s1", "01kah3m7q8b4h0v6t9p2e5c1xe") == []
