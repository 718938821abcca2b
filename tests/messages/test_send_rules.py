"""The policy's rules as they come out of a whole send."""

from __future__ import annotations

import pytest

from chalicelib.journeys.ports import NotNow
from chalicelib.messages.message import MessageKind, MessageStatus
from tests.messages.shop import contact, store
from tests.messages.test_send import Bench


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
