from datetime import timedelta
from typing import Any

import pytest
from botocore.config import Config
from botocore.session import get_session
from botocore.stub import Stubber

from chalicelib.clock import rfc3339
from chalicelib.errors import TryLater
from chalicelib.ids import message_id
from chalicelib.journeys.ports import NotNow, ProviderBusy
from chalicelib.messages.channels.ses_account import SesAccount
from chalicelib.messages.email import EmailComposer
from chalicelib.messages.links import SignedLinks
from chalicelib.messages.making import Medium
from chalicelib.messages.message import Message, MessageKind, MessageStatus
from chalicelib.messages.pace import Limits, Pace, Turn, UsedUp
from chalicelib.messages.ports import NobodySuppressed
from chalicelib.messages.send import Sender
from chalicelib.messages.tracking import Tracker
from chalicelib.storage import keys
from chalicelib.storage.followed import FollowedLinks
from chalicelib.storage.messages import Messages
from chalicelib.storage.recents import Recents
from chalicelib.storage.table import Table
from chalicelib.storage.turns import Turns
from tests.conftest import HandClock
from tests.messages.shop import NOW, ChannelDouble, ProductsDouble, contact, content, enrolment, store

MARKETING, TRANSACTIONAL = MessageKind.MARKETING, MessageKind.TRANSACTIONAL


class Account:
    def __init__(self, rate: float = 4.0, daily: int | None = None, sent: int = 0) -> None:
        self.now: Limits | None = Limits(rate, daily, sent, 1)

    def limits(self) -> Limits | None:
        return self.now


def after(turn: Turn | UsedUp) -> float:
    assert isinstance(turn, Turn)
    return (turn.at - NOW).total_seconds()


def test_any_number_of_hands_keep_the_rate_together(table: Table) -> None:
    hands = [Pace("email", Account(), Turns(table)) for _ in range(3)]
    turns = [after(hands[n % 3].turn(MARKETING, NOW)) for n in range(30)]
    assert turns == pytest.approx([n / 3 for n in range(30)], abs=1e-4), "three quarters of four a second"
    assert after(hands[0].turn(TRANSACTIONAL, NOW)) == 0, "an order's confirmation has a queue of its own"
    assert after(hands[1].turn(TRANSACTIONAL, NOW)) == pytest.approx(1.0), "of a quarter of the rate"
    later = NOW + timedelta(hours=1)
    assert hands[1].turn(MARKETING, later) == Turn(later), "who finds nobody waiting goes at once"


def test_a_turn_is_one_write_nearly_always(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    update = table.update

    def counted(*args: Any, **more: Any) -> Any:
        asked.append(args[2])
        return update(*args, **more)

    turns = Turns(table)
    turns.take("email:marketing", timedelta(seconds=1), NOW)
    monkeypatch.setattr(table, "update", counted)
    for n in range(20):
        turns.take("email:marketing", timedelta(seconds=1), NOW + timedelta(seconds=n / 2))
    assert len(asked) == 20
    for n in range(20, 40):
        turns.take("email:marketing", timedelta(seconds=1), NOW + timedelta(seconds=10 * n))
    assert len(asked) == 40


def test_where_everybody_is_quicker_the_step_is_tried_again(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Turns(table)
    first.take("q", timedelta(seconds=1), NOW)
    item = table.get(*keys.turns("q"))
    assert item is not None and item["taken"] == 1
    monkeypatch.setattr(Turns, "_behind", first._at_once)
    with pytest.raises(TryLater):
        first.take("q", timedelta(seconds=1), NOW)


def test_the_days_last_part_is_transactional_mails(table: Table) -> None:
    account = Account(daily=100, sent=93)
    pace = Pace("email", account, Turns(table))
    assert [isinstance(pace.turn(MARKETING, NOW), Turn) for _ in range(4)] == [True, True, False, False]
    assert [isinstance(pace.turn(TRANSACTIONAL, NOW), Turn) for _ in range(6)] == [True] * 5 + [False]
    used = pace.turn(MARKETING, NOW)
    assert used == UsedUp(NOW + timedelta(hours=1))
    account.now = Limits(4.0, 100, 10, 2)
    assert isinstance(pace.turn(MARKETING, NOW), Turn), "the account is read anew"


def test_without_an_answer_of_the_account_nothing_is_held_up(table: Table) -> None:
    account = Account()
    account.now = None
    assert Pace("email", account, Turns(table)).turn(MARKETING, NOW) == Turn(NOW)


def test_ses_tells_its_limits_and_is_asked_every_few_minutes() -> None:
    client = get_session().create_client(
        "sesv2", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x", config=Config()
    )
    time = [0.0]
    account = SesAccount(client, lambda: time[0])
    quota = {"Max24HourSend": 50_000.0, "MaxSendRate": 14.0, "SentLast24Hours": 120.0}
    with Stubber(client) as stub:
        stub.add_client_error("get_account", "TooManyRequestsException", http_status_code=429)
        assert account.limits() is None and account.limits() is None
        time[0] = 11.0
        stub.add_response("get_account", {"SendQuota": quota})
        assert account.limits() == account.limits() == Limits(14.0, 50_000, 120, 1)
        time[0] = 400.0
        stub.add_client_error("get_account", "ServiceUnavailable", http_status_code=503)
        assert account.limits() == Limits(14.0, 50_000, 120, 1), "an older answer serves while there is none"
        time[0] = 411.0
        stub.add_response("get_account", {"SendQuota": {**quota, "Max24HourSend": -1.0}})
        assert account.limits() == Limits(14.0, None, 120, 2)
        stub.assert_no_pending_responses()


class Crash(BaseException):
    """The Lambda dies here."""


class Office:
    """Sends to one contact after another, with a real table, at one email a second."""

    def __init__(self, table: Table, rate: float = 4 / 3) -> None:
        self.clock, self.channel, self.slept = HandClock(NOW), ChannelDouble(knows=False), list[float]()
        self.table, self.messages = table, Messages(table)
        self.pace = Pace("email", Account(rate), Turns(table))

    def send(self, step: str) -> Message:
        def sleep(seconds: float) -> None:
            self.slept.append(seconds)
            self.clock.advance(seconds=seconds)

        medium: Medium[Any, Any] = Medium(EmailComposer("shop@hadar.example"), self.channel, self.pace)
        links = SignedLinks("https://agala.example", [b"key"])
        tracker = Tracker(links, FollowedLinks(self.table))
        sender = Sender(
            self.messages,
            Recents(self.table),
            NobodySuppressed(),
            links,
            ProductsDouble(),
            tracker,
            self.clock,
            lambda *_: medium,
            sleep,
        )
        person = contact(consent={"email": {"status": "subscribed", "at": NOW}})
        return sender.send(
            "email",  # type: ignore[arg-type]
            store(settings={"duplicate_days": 0}),
            person,
            enrolment(),
            "thank-you-new",
            step,
            MARKETING,
            {"he": content()},
        )

    def record(self, step: str) -> Message:
        found = self.messages.get("s1", message_id(enrolment().id, step))
        assert found is not None
        return found


def test_who_is_far_behind_goes_away_and_comes_back_to_its_own_turn(table: Table) -> None:
    office = Office(table)
    assert [office.send(f"s{n}").status for n in range(3)] == ["sent"] * 3
    assert office.slept == pytest.approx([1.0, 1.0], abs=0.01), "a near turn is waited for"
    for _ in range(5):
        office.pace.turn(MARKETING, office.clock.now())  # others
    with pytest.raises(NotNow) as told:
        office.send("mine")
    turn = rfc3339(NOW + timedelta(seconds=8))
    assert (told.value.until, told.value.reason) == (turn, "send_rate")
    record = office.record("mine")
    assert (record.status, record.history[-1].status, record.history[-1].detail) == ("claimed", "send_rate", turn)
    with pytest.raises(NotNow) as again:
        office.send("mine")  # woken early: no other turn
    assert again.value.until == turn and office.record("mine") == record
    office.clock.time = NOW + timedelta(seconds=7)
    assert office.send("mine").status == "sent"
    assert [entry.status for entry in office.record("mine").history] == ["send_rate", "claimed", "sent"]
    assert office.slept[-1] == pytest.approx(1.0, abs=0.01)
    assert [email.message_id for email in office.channel.sent][-1] == office.record("mine").id


def test_a_crash_at_any_line_costs_a_turn_and_never_a_message(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office(table)
    office.send("first")
    for _ in range(5):
        office.pace.turn(MARKETING, NOW)

    def dies(*_: Any) -> bool:
        raise Crash

    with monkeypatch.context() as patched, pytest.raises(Crash):  # after the turn, before its record
        patched.setattr(Messages, "claim", dies)
        office.send("mine")
    with pytest.raises(NotNow):
        office.send("mine")
    office.clock.advance(seconds=7)
    with monkeypatch.context() as patched, pytest.raises(Crash):  # back, and before the claim
        patched.setattr(Messages, "save", dies)
        office.send("mine")
    assert office.send("mine").status is MessageStatus.SENT
    assert len(office.channel.sent) == 2


def test_who_was_held_up_elsewhere_for_long_takes_a_new_turn(table: Table) -> None:
    office = Office(table)
    for _ in range(5):
        office.pace.turn(MARKETING, NOW)
    with pytest.raises(NotNow):
        office.send("mine")
    office.clock.advance(hours=9)
    now = office.clock.now()
    for _ in range(5):
        office.pace.turn(MARKETING, now)
    with pytest.raises(NotNow) as told:
        office.send("mine")
    assert told.value.until == rfc3339(now + timedelta(seconds=5))


def test_two_runs_of_one_step_have_one_turn_between_them(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office(table)
    for _ in range(5):
        office.pace.turn(MARKETING, NOW)
    claim = office.messages.claim

    def beaten(message: Message) -> bool:
        claim(message)  # the other run
        return claim(message)

    monkeypatch.setattr(office.messages, "claim", beaten)
    with pytest.raises(ProviderBusy):
        office.send("mine")
    monkeypatch.undo()
    with pytest.raises(NotNow):
        office.send("mine")
    assert office.channel.sent == [] and len(office.record("mine").history) == 1


def test_a_used_up_day_is_asked_again_in_an_hour(table: Table) -> None:
    office = Office(table)
    office.pace = Pace("email", Account(daily=100, sent=100), Turns(table))
    with pytest.raises(NotNow) as told:
        office.send("mine")
    assert (told.value.until, told.value.reason) == (rfc3339(NOW + timedelta(hours=1)), "daily_quota")
