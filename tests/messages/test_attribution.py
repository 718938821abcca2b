"""An order is credited to the last touch before it, or to the coupon with which it was paid; whatever comes when."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from chalicelib.commerce.coupon import OwnedCoupon
from chalicelib.commerce.event import Event
from chalicelib.commerce.order import OrderStatus
from chalicelib.commerce.store import Store, StoreSettings
from chalicelib.contacts.consent import Channel
from chalicelib.journeys.errands import Errand
from chalicelib.messages.attribution import Attributing, NotesAttribution, last_touch
from chalicelib.messages.message import HistoryEntry, Message, MessageKind, MessageStatus
from chalicelib.messages.recent import Recent, Touch, joined
from chalicelib.messages.recount import Recount
from chalicelib.storage.attributions import Attributions
from chalicelib.storage.recents import Recents
from chalicelib.storage.table import Table
from tests.conftest import HandClock
from tests.journeys.world import World, minutes


class Heard:
    """A listener behind the other: nobody."""

    def listens(self, store: Store) -> bool:
        return True

    def on_events(self, *told: Any) -> None: ...

    def reconsider(self, *told: Any) -> None: ...

    def leave_cart(self, *told: Any) -> None: ...

    def stop_all(self, *told: Any) -> None: ...


class Shop(World):
    def __init__(self, table: Table, clock: HandClock) -> None:
        super().__init__(table, clock)
        self.records = Attributions(table)
        self.attributing = Attributing(
            self.records, self.orders, self.contacts, self.messages, Recents(table), self.coupons
        )
        self.listener = NotesAttribution(Heard(), self.attributing)

    def message(self, step: str, coupon: str | None = None, **changes: Any) -> Message:
        now = self.clock.now()
        found = Message(
            id=f"{self.contact}-{step}",
            store_id=self.store.id,
            contact_id=self.contact,
            journey="j",
            step=step,
            channel=Channel.EMAIL,
            kind=MessageKind.MARKETING,
            status=MessageStatus.SENT,
            coupon=coupon,
            created_at=now,
            at=now,
            **changes,
        )
        assert self.messages.claim(found)
        return found.model_copy(update={"rev": 0})

    def read(self, message: Message, status: MessageStatus, ago: timedelta = timedelta(0)) -> None:
        """The provider reports it, and whoever listens hears of it."""
        at = self.clock.now() - ago
        known = self.messages.get(self.store.id, message.id)
        assert known is not None
        entry = HistoryEntry(at=at, status=status.value)
        self.messages.save(known.model_copy(update={"history": (*known.history, entry), "status": status}))
        event = Event(
            id=f"message_{status}:{message.id}",
            type=f"message_{status}",
            occurred_at=at,
            properties={"message_id": message.id},
        )
        self.book.note(self.store.id, self.contact, event)
        self.listener.on_events(self.store, self.contact, [event])

    def place(self, order_id: str, coupons: tuple[str, ...] = (), **how: Any) -> None:
        event = self.order(order_id, **how)
        if coupons:
            record = self.orders.get(self.store.id, order_id)
            assert record is not None and record.order is not None
            order = record.order.model_copy(update={"coupons": coupons})
            self.orders.write(record.model_copy(update={"order": order}), [])
        self.listener.on_events(self.store, self.contact, [event])

    def earned(self, order_id: str) -> tuple[str | None, str, int] | None:
        found = self.records.get(self.store.id, order_id)
        return (found.step, found.via, found.net.amount) if found else None

    def obey(self, **settings: Any) -> None:
        wanted = {**self.store.settings.model_dump(), **settings}
        self.store = self.stores.save(self.store.model_copy(update={"settings": StoreSettings.model_validate(wanted)}))


@pytest.fixture
def shop(table: Table, clock: HandClock) -> Shop:
    return Shop(table, clock)


def test_the_last_click_within_the_window_earns_the_order_and_a_refund_takes_it_back(shop: Shop) -> None:
    first, second = shop.message("first"), shop.message("second")
    shop.read(first, MessageStatus.CLICKED, ago=timedelta(days=2))
    shop.read(second, MessageStatus.CLICKED, ago=timedelta(days=1))
    shop.place("o1")
    assert shop.earned("o1") == ("second", "click", 2000)
    shop.order("o1", status=OrderStatus.REFUNDED)
    refund = Event(
        id="order_refunded:1", type="order_refunded", occurred_at=shop.clock.now(), properties={"order_id": "o1"}
    )
    shop.listener.on_events(shop.store, shop.contact, [refund, refund])
    assert shop.earned("o1") == ("second", "click", 0)
    assert [one.order_id for one in shop.records.of_store(shop.store.id)] == ["o1"]


def test_a_click_before_the_window_or_after_the_order_and_an_open_earn_nothing(shop: Shop) -> None:
    shop.read(shop.message("old"), MessageStatus.CLICKED, ago=timedelta(days=5, seconds=1))
    shop.read(shop.message("seen"), MessageStatus.OPENED, ago=timedelta(days=1))
    shop.place("o1")
    shop.clock.advance(minutes=5)
    shop.read(shop.message("late"), MessageStatus.CLICKED)
    assert shop.earned("o1") is None


def test_where_the_store_says_so_an_open_earns_it_too(shop: Shop) -> None:
    shop.obey(attribution="open")
    shop.read(shop.message("clicked"), MessageStatus.CLICKED, ago=timedelta(days=2))
    shop.read(shop.message("seen"), MessageStatus.OPENED, ago=timedelta(days=1))
    shop.place("o1")
    assert shop.earned("o1") == ("seen", "open", 2000)


def test_a_click_that_is_reported_after_its_order_earns_it_all_the_same(shop: Shop) -> None:
    clicked = shop.message("clicked")
    shop.place("o1", ago=minutes(1))
    assert shop.earned("o1") is None
    shop.read(clicked, MessageStatus.CLICKED, ago=minutes(2))
    assert shop.earned("o1") == ("clicked", "click", 2000)


def test_a_coupon_of_ours_stands_above_any_click_and_goes_to_the_message_that_showed_it(shop: Shop) -> None:
    now = shop.clock.now()
    owned = OwnedCoupon(
        code="AAAA-BBBB-CCCC",
        store_id=shop.store.id,
        contact_id=shop.contact,
        enrolment="e",
        journey="birthday",
        step="gift",
        at=now - timedelta(days=40),
        ends_at=now + timedelta(days=9),
    )
    shop.coupons.claim(owned)
    shop.message("told", coupon="AAAA-BBBB-CCCC")
    shop.read(shop.message("clicked"), MessageStatus.CLICKED)
    shop.place("o1", coupons=("aaaa-bbbb-cccc",))
    found = shop.records.get(shop.store.id, "o1")
    assert found is not None
    assert (found.journey, found.step, found.via, found.coupon) == ("birthday", "gift", "coupon", "AAAA-BBBB-CCCC")
    assert found.message_id == f"{shop.contact}-told"


def test_a_window_of_nothing_credits_coupons_only(shop: Shop) -> None:
    shop.obey(attribution_days=0)
    shop.read(shop.message("clicked"), MessageStatus.CLICKED)
    shop.place("o1")
    assert shop.earned("o1") is None


def test_recounting_comes_to_the_same_and_follows_a_changed_rule(shop: Shop) -> None:
    shop.read(shop.message("clicked"), MessageStatus.CLICKED, ago=timedelta(days=3))
    shop.place("o1")
    recount = Recount(shop.contacts, shop.attributing, shop.clock)
    errand = Errand(
        store_id=shop.store.id,
        kind="recount",
        key="k",
        parameters={"since": "2020-01-01T00:00:00.000Z"},
        begun_at=shop.clock.now(),
    )
    before = shop.records.get(shop.store.id, "o1")
    done = recount.slice(shop.store, errand)
    assert (done.done, done.again_at) == (1, None)
    assert shop.records.get(shop.store.id, "o1") == before
    shop.obey(attribution_days=2)
    recount.slice(shop.store, errand)
    assert shop.records.get(shop.store.id, "o1") is None


def test_erasing_the_person_keeps_the_sum_and_nothing_of_them(shop: Shop) -> None:
    shop.read(shop.message("clicked"), MessageStatus.CLICKED)
    shop.place("o1")
    contact = shop.contacts.get(shop.store.id, shop.contact)
    assert contact is not None
    shop.contacts.forget(shop.store.id, contact, [], shop.clock.now())
    found = shop.records.get(shop.store.id, "o1")
    assert found is not None
    assert (found.contact_id, found.message_id, found.journey, found.net.amount) == (None, None, "j", 2000)
    assert shop.attributing.look(shop.store, "o1") == found


def test_the_rule_does_not_depend_on_the_order_of_what_is_told(shop: Shop) -> None:
    now = shop.clock.now()
    told = [("a", 5, "click"), ("b", 2, "click"), ("c", 2, "click"), ("d", 30, "click"), ("e", 1, "open")]
    touches = [Touch(at=now - timedelta(hours=hours), kind=kind, message=name) for name, hours, kind in told]  # type: ignore[arg-type]
    for some in permutations(touches):
        known = Recent().touched(*some[:2]).touched(*some).touches
        found = last_touch(shop.store, known, now)
        assert found is not None and found.message == "c"


def test_two_contacts_that_are_one_have_clicked_together() -> None:
    now = HandClock().now()
    one, other = (Touch(at=now, kind="click", message=name) for name in "ab")
    assert joined(Recent().touched(one), Recent().touched(other, one)).touches == (one, other)
