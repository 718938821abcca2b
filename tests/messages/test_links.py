import hashlib
import hmac
from base64 import urlsafe_b64encode
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.contacts.consent import Channel
from chalicelib.messages.links import Confirmation, SignedLinks, Unsubscription

LINKS = SignedLinks("https://agala.example/", [b"first"])


def token_of(links: SignedLinks, channel: Channel = Channel.EMAIL) -> str:
    return links.unsubscribe_url("s1", "c1-digest", channel).rpartition("/")[2]


def test_a_link_says_what_it_was_made_for() -> None:
    assert LINKS.unsubscribe_url("s1", "c1-digest", Channel.EMAIL).startswith(
        "https://agala.example/u/u1.s1.c1-digest.email."
    )
    assert LINKS.unsubscribe_url("s1", "c1-digest", Channel.SMS).startswith("https://agala.example/u/u2.s1.c1.s.")
    for channel in Channel:
        message_id = "c1-digest" if channel is Channel.EMAIL else None
        assert LINKS.read_unsubscribe(token_of(LINKS, channel)) == Unsubscription("s1", "c1", channel, message_id)


def test_links_in_sms_sent_before_they_were_short_are_still_good() -> None:
    """With the signature that they were sent with."""
    key, said = SignedLinks("", [b"first"]), "u1.s1.c1-digest.sms"
    signature = urlsafe_b64encode(hmac.new(b"first", said.encode(), hashlib.sha256).digest())[:22].decode()
    assert key.read_unsubscribe(f"{said}.{signature}") == Unsubscription("s1", "c1", Channel.SMS, "c1-digest")


def test_a_changed_key_still_reads_the_links_sent_before() -> None:
    rotated = SignedLinks("https://agala.example", [b"second", b"first"])
    assert rotated.read_unsubscribe(token_of(LINKS)) is not None
    assert LINKS.read_unsubscribe(token_of(rotated)) is None


@settings(max_examples=50)
@given(st.data(), st.sampled_from(Channel))
def test_no_changed_token_is_good(changed: st.DataObject, channel: Channel) -> None:
    token = token_of(LINKS, channel)
    at = changed.draw(st.integers(0, len(token) - 1))
    letter = changed.draw(st.characters(codec="utf-8").filter(lambda c: c != token[at]))
    assert LINKS.read_unsubscribe(token[:at] + letter + token[at + 1 :]) is None
    assert LINKS.read_unsubscribe(token[:at]) is None


def test_parts_cannot_be_moved_between_fields() -> None:
    moved = token_of(LINKS).replace("u1.s1.c1-digest", "u1.s1c1.-digest")
    assert LINKS.read_unsubscribe(moved) is None
    short = token_of(LINKS, Channel.SMS)
    assert LINKS.read_unsubscribe(short.replace(".s.", ".w.")) is None


def test_a_key_is_needed() -> None:
    with pytest.raises(ValueError, match="key"):
        SignedLinks("https://agala.example", [b""])


@pytest.mark.parametrize("channel", Channel)
def test_a_link_is_good_for_its_own_page_only(channel: Channel) -> None:
    """Whoever holds one must not be able to make another of it by changing its first letter."""
    asked_at = datetime(2026, 11, 21, 22, 0, 5, 999_000, tzinfo=UTC)
    leave, choose, confirm = (
        url.rpartition("/")[2]
        for url in (
            LINKS.unsubscribe_url("s1", "c1-digest", channel),
            LINKS.preferences_url("s1", "c1-digest", channel),
            LINKS.confirm_url("s1", "c1", channel, asked_at, "dana@shopper.example"),
        )
    )
    message_id = "c1-digest" if channel is Channel.EMAIL else None
    assert LINKS.read_preferences(choose) == Unsubscription("s1", "c1", channel, message_id)
    confirmation = LINKS.read_confirmation(confirm)
    assert confirmation is not None and LINKS.is_mark_of(confirmation.mark, "dana@shopper.example")
    assert not LINKS.is_mark_of(confirmation.mark, "noa@shopper.example")
    assert confirmation == Confirmation("s1", "c1", channel, int(asked_at.timestamp()), confirmation.mark)
    readers = (LINKS.read_unsubscribe, LINKS.read_preferences, LINKS.read_confirmation)
    for token in (leave, choose, confirm):
        assert sum(read(token) is not None for read in readers) == 1
        for letter in "upc":
            assert not any(read(letter + token[1:]) for read in readers if letter != token[0])
    assert LINKS.read_confirmation(confirm.replace(".c1.", ".c2.")) is None
