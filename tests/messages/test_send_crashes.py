"""The process may die before and after every call that sending makes: at most one message goes out, what nobody can
know is shown as unknown, and the contact's places are right afterwards.

Every part that the sender talks to stands behind a door that counts the calls, so each point is tried, also those that
are added later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chalicelib.contacts.consent import Channel, Consent, ConsentStatus
from chalicelib.ids import message_id
from chalicelib.journeys.ports import ProviderBusy
from chalicelib.messages.content_model import WhatsAppContent
from chalicelib.messages.email import EmailComposer
from chalicelib.messages.links import SignedLinks
from chalicelib.messages.making import Medium
from chalicelib.messages.message import Message, MessageKind, MessageStatus
from chalicelib.messages.ports import SendRejected, SendUncertain
from chalicelib.messages.recent import LONGEST_RUN
from chalicelib.messages.send import Sender
from chalicelib.messages.sms import SmsComposer
from chalicelib.messages.tracking import Tracker
from chalicelib.messages.whatsapp import WhatsAppComposer
from chalicelib.storage.followed import FollowedLinks
from tests.conftest import HandClock
from tests.memory_client import memory_table
from tests.messages.shop import (
    CONTACT_ID,
    NOW,
    ChannelDouble,
    MessagesDouble,
    ProductsDouble,
    RecentsDouble,
    SuppressionsDouble,
    contact,
    content,
    enrolment,
    store,
)

SENT, UNKNOWN, FAILED = MessageStatus.SENT, MessageStatus.UNKNOWN, MessageStatus.FAILED
SUBSCRIBED = Consent(status=ConsentStatus.SUBSCRIBED, source="checkout", at=NOW)
WORDS: dict[Channel, Callable[[str], Any]] = {
    Channel.EMAIL: lambda words: content({"type": "text", "text": words}),
    Channel.SMS: lambda words: words,
    Channel.WHATSAPP: lambda words: WhatsAppContent(text=words),
}
CHANNELS = pytest.mark.parametrize("channel", list(Channel))
PROVIDERS = pytest.mark.parametrize("knows", [True, False], ids=["can tell", "cannot tell"])


class Crash(BaseException):
    """The process dies here."""


class Doors:
    """Counts the calls that go through; at the one that was chosen, before or after it, `happens`."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.chosen: int | None = None
        self.happens: Callable[[], object] = lambda: None

    def before(self, chosen: int | None, happens: Callable[[], object]) -> None:
        """The `chosen`th point from now on; two to each call: before it and after it."""
        self.passed, self.chosen, self.happens = [], chosen, happens

    def pass_(self, point: str) -> None:
        self.passed.append(point)
        if self.chosen == len(self.passed) - 1:
            self.chosen = None
            self.happens()

    def through(self, name: str, part: Any) -> Any:
        doors = self

        class Door:
            def __getattr__(self, method: str) -> Any:
                def call(*given: Any, **named: Any) -> Any:
                    doors.pass_(f"before {name}.{method}")
                    answer = getattr(part, method)(*given, **named)
                    doors.pass_(f"after {name}.{method}")
                    return answer

                return call

        return Door()


class House:
    """A shop that sends one marketing message a day to a contact, over one channel."""

    def __init__(self, channel: Channel, knows: bool, **settings: Any) -> None:
        self.channel, self.doors, self.clock = channel, Doors(), HandClock(NOW)
        self.shop = store(settings={"caps": {channel.value: {"per_day": 1}}, **settings})
        self.person = contact(consent={channel: SUBSCRIBED}, replied={Channel.WHATSAPP: NOW})
        self.messages, self.recents, self.provider = MessagesDouble(), RecentsDouble(), ChannelDouble(knows)
        composer: Any = {
            Channel.EMAIL: EmailComposer("default@agala.example"),
            Channel.SMS: SmsComposer("+972505550199"),
            Channel.WHATSAPP: WhatsAppComposer("number-1"),
        }[channel]
        through = self.doors.through
        medium: Medium[Any, Any] = Medium(through("composer", composer), through("provider", self.provider))
        links = SignedLinks("https://agala.example", [b"key"])
        self.sender = Sender(
            through("messages", self.messages),
            through("recents", self.recents),
            through("suppressions", SuppressionsDouble()),
            through("links", links),
            through("storefront", ProductsDouble()),
            through("tracker", Tracker(links, FollowedLinks(memory_table()))),
            self.clock,
            lambda asked, store: medium,
        )

    def send(self, step: str = "one", words: str | None = None) -> Message:
        told = {"he": WORDS[self.channel](words or step)}
        return self.sender.send(
            self.channel, self.shop, self.person, enrolment(), "thanks", step, MessageKind.MARKETING, told
        )

    def crash_at(self, point: int | None, step: str = "one") -> str | None:
        """Send; where it died. None: there is no such point, and nothing happened to it. A busy provider is met."""

        def die() -> None:
            raise Crash

        self.doors.before(point, die)
        try:
            self.send(step)
        except Crash:
            return self.doors.passed[-1]
        except ProviderBusy:
            return "busy"
        finally:
            self.doors.before(None, lambda: None)
        return None

    def handed_over(self, step: str = "one") -> int:
        return sum(one.message_id == _id(step) for one in self.provider.sent)

    def record(self, step: str = "one") -> Message | None:
        return self.messages.kept.get(_id(step))

    def places(self) -> list[str]:
        return [place.message for place in self.recents.get("s1", CONTACT_ID).places]


def _id(step: str) -> str:
    return message_id(enrolment().id, step)


def houses_that_crashed(channel: Channel, knows: bool, trouble: Callable[[], list[Any]]) -> Iterator[tuple[House, str]]:
    """One for each point of a send, dead there."""
    for point in range(100):
        house = House(channel, knows)
        house.provider.trouble = trouble()
        died = house.crash_at(point)
        if died is None:
            return
        yield house, died
    raise AssertionError("a send is not that long")


@CHANNELS
@PROVIDERS
def test_a_crash_at_any_point_sends_once_or_shows_that_nobody_knows(channel: Channel, knows: bool) -> None:
    points = []
    in_doubt = False
    for house, died in houses_that_crashed(channel, knows, list):
        points.append(died)
        in_doubt = (in_doubt or died == "after messages.claim") and died != "after messages.save"
        message = house.send()
        if knows or not in_doubt:
            assert (message.status, house.handed_over()) == (SENT, 1), died
        else:
            was_out = (
                points.index(died) >= points.index("after provider.send") if "after provider.send" in points else 0
            )
            assert (message.status, house.handed_over()) == (UNKNOWN, int(was_out)), died
        assert house.places() == [_id("one")], died
        assert (house.send(), house.handed_over(), house.record()) == (message, int(house.handed_over()), message)
        assert house.send("two").reason == "frequency_cap", died
    assert {f"{side} {call}" for side in ("before", "after") for call in CALLS} <= set(points)


CALLS = (
    "messages.get",
    "suppressions.holds",
    "links.unsubscribe_url",
    "composer.compose",
    "recents.get",
    "recents.save",
    "messages.claim",
    "provider.send",
    "messages.save",
)


@CHANNELS
@PROVIDERS
@pytest.mark.parametrize("trouble", [ProviderBusy("Throttling"), SendUncertain("ReadTimeout"), SendRejected("Refused")])
def test_a_crash_around_a_provider_in_trouble(channel: Channel, knows: bool, trouble: Exception) -> None:
    for house, died in houses_that_crashed(channel, knows, lambda: [trouble]):
        for _ in range(3):
            house.crash_at(None)
        message = house.record()
        assert message is not None and message.status in (SENT, UNKNOWN, FAILED), died
        assert house.handed_over() <= 1
        if message.status is SENT:
            assert house.handed_over() == 1
        if message.status is UNKNOWN:
            assert not knows or isinstance(trouble, SendUncertain), died
        if message.status is FAILED:
            assert isinstance(trouble, SendRejected) and house.handed_over() == 0
        free = message.status is FAILED
        assert house.send("two").status is (SENT if free else MessageStatus.NOT_SENT), died
        if died == "busy":
            break  # the send is over here


@PROVIDERS
def test_a_second_crash_wherever_it_comes_changes_nothing_of_that(knows: bool) -> None:
    """All pairs of points, of a message that is cut off and cut off again when it is tried once more."""
    for first in range(100):
        for second in range(100):
            house = House(Channel.SMS, knows)
            died = house.crash_at(first)
            again = house.crash_at(second)
            message = house.send()
            assert house.handed_over() <= 1, (died, again)
            assert message.status is SENT or (not knows and message.status is UNKNOWN), (died, again)
            assert message.status is UNKNOWN or house.handed_over() == 1, (died, again)
            assert house.places() == [_id("one")]
            if again is None:
                break
        if died is None:
            return


@PROVIDERS
def test_a_message_that_was_cut_off_and_never_tried_again_keeps_its_place_only_if_it_may_have_gone_out(
    knows: bool,
) -> None:
    claimed = False
    for house, died in houses_that_crashed(Channel.SMS, knows, list):
        claimed = claimed or died == "after messages.claim"
        has_place = house.places() != []
        assert (house.send("two").reason == "frequency_cap") is has_place, died
        house.clock.advance(seconds=LONGEST_RUN.total_seconds())
        third = house.send("three")
        assert (third.status is SENT) is (has_place and not claimed), died
        if third.status is SENT and house.record() is None:
            assert house.send().reason == "frequency_cap", "it asks like any other now"
        assert len(house.provider.sent) <= 1, died


@CHANNELS
@pytest.mark.parametrize("same_words", [False, True], ids=["the last place", "the same words"])
def test_two_journeys_at_the_same_instant_never_both_pass(channel: Channel, same_words: bool) -> None:
    """The other one's send comes wholly between two calls of this one's, at each point."""
    settings: dict[str, Any] = {"caps": None} if same_words else {"duplicate_days": 0}
    words = "the same" if same_words else None
    points = 0
    while True:
        house = House(channel, True, **settings)
        others: list[Message] = []
        house.doors.before(points, lambda house=house, others=others: others.append(house.send("two", words)))  # type: ignore[misc]
        mine = house.send("one", words)
        if not others:
            break
        reasons = sorted(filter(None, (mine.reason, others[0].reason)))
        assert reasons == ["duplicate" if same_words else "frequency_cap"], points
        assert len(house.provider.sent) == 1, points
        points += 1
    assert points == len(house.doors.passed) > 15
