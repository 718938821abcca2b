"""Caps and duplicates by the places that a contact's messages took."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.contacts.consent import Channel
from chalicelib.errors import Conflict
from chalicelib.messages.message import BUSY, HistoryEntry, Message, MessageKind, MessageStatus
from chalicelib.messages.pace import SEND_RATE
from chalicelib.messages.ports import RecentRecords
from chalicelib.messages.recent import LONGEST_RUN, Place, Recent, joined
from chalicelib.messages.recent_places import Places
from chalicelib.messages.said import words_digest
from chalicelib.storage.contact_moves import export, move
from chalicelib.storage.recents import Recents
from chalicelib.storage.table import Table
from tests.conftest import HandClock
from tests.messages.shop import CONTACT_ID, NOW, MessagesDouble, RecentsDouble, store


class Book:
    """One contact's places and messages."""

    def __init__(self, **settings: Any) -> None:
        self.shop = store(settings={"duplicate_days": 0, **settings})
        self.messages, self.recents, self.clock = MessagesDouble(), RecentsDouble(), HandClock(NOW)
        self.places = Places(self.recents, self.messages)

    def ask(self, name: str, words: str | None = None, channel: Channel = Channel.EMAIL) -> str | None:
        return self.places.take(self.shop, self.message(name, words, channel), self.clock.now())

    def send(self, name: str, status: MessageStatus = MessageStatus.SENT, **told: Any) -> str | None:
        """Take a place, and become this."""
        refused = self.ask(name, **told)
        if refused is None:
            self.messages.claim(self.message(name, **told).model_copy(update={"status": status}))
        return refused

    def message(self, name: str, words: str | None = None, channel: Channel = Channel.EMAIL) -> Message:
        return Message(
            id=f"{CONTACT_ID}-{name}",
            store_id="s1",
            contact_id=CONTACT_ID,
            channel=channel,
            kind=MessageKind.MARKETING,
            status=MessageStatus.CLAIMED,
            created_at=self.clock.now(),
            at=self.clock.now(),
            words=words or name,
        )


def test_caps_count_a_day_a_week_and_their_own_channel() -> None:
    book = Book(caps={"email": {"per_day": 2, "per_week": 3}})
    assert [book.send(name) for name in "abc"] == [None, None, "frequency_cap"]
    assert book.send("text", channel=Channel.SMS) is None
    book.clock.advance(days=1)
    assert [book.send(name) for name in "de"] == [None, "frequency_cap"], "the week's three"
    book.clock.advance(days=5, hours=23, minutes=59)
    assert book.send("f") == "frequency_cap"
    book.clock.advance(minutes=1)
    assert [book.send(name) for name in "gh"] == [None, None], "a and b are a week old"
    assert book.send("i") == "frequency_cap"


def test_the_same_words_are_not_said_again_within_the_stores_days() -> None:
    book = Book(duplicate_days=3)
    assert [book.send("a", words="hello"), book.send("b", words="hello")] == [None, "duplicate"]
    assert book.send("c", words="hello, you") is None
    assert book.send("d", words="hello", channel=Channel.SMS) is None, "another channel"
    book.clock.advance(days=2, hours=22, minutes=59)
    assert book.send("e", words="hello") == "duplicate"
    book.clock.advance(minutes=1)
    assert book.send("f", words="hello") is None


def test_a_message_that_asks_again_keeps_its_place() -> None:
    book = Book(caps={"email": {"per_day": 1}})
    assert [book.ask("a"), book.ask("a"), book.ask("b"), book.ask("a")] == [None, None, "frequency_cap", None]
    assert [place.message[-1] for place in book.recents.kept[CONTACT_ID].places] == ["a"]
    assert book.recents.kept[CONTACT_ID].rev == 1, "asking again writes nothing"


def test_of_two_that_reach_for_the_last_place_at_once_one_gets_it() -> None:
    book = Book(caps={"email": {"per_day": 1}})
    save, meanwhile = book.recents.save, []

    def quicker(*what: Any) -> None:
        """Between the other's read and its write."""
        book.recents.save = save  # type: ignore[method-assign]
        meanwhile.append(book.ask("b"))
        save(*what)

    book.recents.save = quicker  # type: ignore[method-assign]
    assert (book.ask("a"), meanwhile) == ("frequency_cap", [None])


def test_who_is_never_quick_enough_is_told_so() -> None:
    book = Book(caps={"email": {"per_day": 1}})

    def conflict(*what: Any) -> None:
        raise Conflict("somebody was quicker")

    book.recents.save = conflict  # type: ignore[method-assign]
    with pytest.raises(Conflict):
        book.ask("a")


@pytest.mark.parametrize("status", list(MessageStatus))
def test_a_place_counts_while_its_message_went_out_or_may(status: MessageStatus) -> None:
    nobody_got = {MessageStatus.NOT_SENT, MessageStatus.FAILED, MessageStatus.BOUNCED, MessageStatus.COMPLAINED}
    book = Book(caps={"email": {"per_day": 1}})
    book.send("a", status)
    assert book.send("b") == (None if status in nobody_got else "frequency_cap")


def test_a_place_whose_run_was_cut_off_before_its_claim_is_free_when_that_run_cannot_live_any_more() -> None:
    book = Book(caps={"email": {"per_day": 1}}, duplicate_days=1)
    assert book.ask("a", words="hello") is None
    assert book.ask("b", words="hello") == "frequency_cap"
    book.clock.advance(seconds=LONGEST_RUN.total_seconds())
    assert book.send("b", words="hello") is None
    assert book.ask("a", words="hello") == "frequency_cap", "it must ask like any other now"


@pytest.mark.parametrize("waits", [BUSY, SEND_RATE])
def test_a_place_of_one_whose_provider_stayed_busy_is_free_the_next_day(waits: str) -> None:
    book = Book(caps={"email": {"per_week": 1}})
    book.ask("a")
    busy = HistoryEntry(at=NOW, status=waits)
    book.messages.claim(book.message("a").model_copy(update={"history": (busy,)}))
    assert book.send("b") == "frequency_cap"
    book.clock.advance(days=1)
    assert book.send("b") is None


def test_what_is_over_is_not_kept_and_the_rest_is_bounded() -> None:
    book = Book(duplicate_days=90)
    for number in range(130):
        book.send(f"m{number}")
        book.clock.advance(hours=1)
    assert len(book.recents.kept[CONTACT_ID].places) == 100
    book.clock.advance(days=90)
    book.send("last")
    assert [place.words for place in book.recents.kept[CONTACT_ID].places] == ["last"]
    many = Book(caps={"email": {"per_day": 120}})
    assert [many.send(f"m{number}") for number in range(121)] == [None] * 120 + ["frequency_cap"]


PLACE = Place(message=f"{CONTACT_ID}-a", channel=Channel.EMAIL, at=NOW, words="w")


@pytest.mark.parametrize("kept", ["table", "double"])
def test_the_tables_records_and_their_double_keep_the_same_promises(kept: str, request: pytest.FixtureRequest) -> None:
    made: dict[str, Callable[[], RecentRecords]] = {
        "table": lambda: Recents(request.getfixturevalue("table")),
        "double": RecentsDouble,
    }
    recents = made[kept]()
    assert recents.get("s1", CONTACT_ID) == Recent()
    recents.save("s1", CONTACT_ID, Recent(places=(PLACE,)))
    assert recents.get("s1", CONTACT_ID) == Recent(places=(PLACE,), rev=1)
    with pytest.raises(Conflict):
        recents.save("s1", CONTACT_ID, Recent())
    recents.save("s1", CONTACT_ID, Recent(rev=1))
    assert recents.get("s1", CONTACT_ID) == Recent(rev=2)


def test_two_contacts_that_are_one_have_what_both_were_sent_once() -> None:
    later = PLACE.model_copy(update={"message": f"{CONTACT_ID}-b", "at": NOW + timedelta(hours=1)})
    both = joined(Recent(places=(later,), rev=3), Recent(places=(PLACE, later), rev=8))
    assert both == Recent(places=(PLACE, later), rev=3)


def test_a_merge_brings_both_together_and_an_export_leaves_them_out(table: Table) -> None:
    other, recents = "01kah3m7q8b4h0v6t9p2e5c1xe", Recents(table)
    later = PLACE.model_copy(update={"message": f"{other}-b", "at": NOW + timedelta(hours=1)})
    recents.save("s1", other, Recent(places=(later,)))
    for _ in range(2):
        move(table, "s1", other, CONTACT_ID)
        assert recents.get("s1", CONTACT_ID) == Recent(places=(later,), rev=1), "nothing was there yet"
    recents.save("s1", other, Recent(places=(PLACE,)))
    move(table, "s1", other, CONTACT_ID)
    assert recents.get("s1", CONTACT_ID) == Recent(places=(PLACE, later), rev=2)
    assert recents.get("s1", other) == Recent()
    assert all(found == [] for found in export(table, "s1", CONTACT_ID).values())


def test_words_are_the_same_whatever_our_own_links_and_the_spaces() -> None:
    def said(text: str, subject: str | None = "Hello", channel: Channel = Channel.EMAIL) -> str:
        return words_digest(channel, subject, text, "https://agala.example/u/u1.s1.m1.sig")

    one = said("Tea is  back\nhttps://shop.example/tea Leave: https://agala.example/u/u1.s1.m1.sig")
    assert one == said("Tea is back https://shop.example/tea Leave: https://agala.example/p/abc ")
    assert one != said("Tea is back https://shop.example/cup Leave: https://agala.example/u/u1.s1.m1.sig")
    assert len({said("a"), said("a", "b"), said("b", "a"), said("a", None), said("a", channel=Channel.SMS)}) == 5
    assert said("to https://agala.example.evil/u") != said("to https://agala.example.other/u")
