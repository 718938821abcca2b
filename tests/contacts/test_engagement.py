from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.commerce.event import Event
from chalicelib.commerce.intake import ContactRef
from chalicelib.contacts.book import ContactInput
from chalicelib.contacts.engagement import VIEWS_KEPT, Engagement
from chalicelib.contacts.engagement_fold import concerns, fold, join
from chalicelib.journeys.ports import Wanted
from chalicelib.storage import keys
from chalicelib.storage.decisions import Decisions
from chalicelib.storage.table import Table
from tests.commerce.shop import START, STORE, Shop
from tests.conftest import HandClock

NAMES = ("a", "b", "c")
NOA, DAN = "noa@mail.test", "dan@mail.test"


@pytest.fixture
def shop(table: Table, clock: HandClock) -> Shop:
    return Shop(table, clock)


def event(name: str, type_: str, minutes: float = 0, **properties: Any) -> Event:
    return Event(id=name, type=type_, occurred_at=START + timedelta(minutes=minutes), properties=properties)


def folded(*events: Event) -> Engagement:
    known = Engagement()
    for one in events:
        known = fold(known, one)
    return known


def invented(chance: random.Random, index: int) -> Event:
    name = chance.choice(NAMES)
    type_, properties = chance.choice(
        [
            (
                "product_viewed",
                {"product_id": name, "seconds": chance.randint(0, 9), "in_stock": chance.random() < 0.5},
            ),
            ("category_viewed", {"category": name}),
            ("page_viewed", {}),
            ("site_left", {}),
            ("wish_list_changed", {"added": [name], "removed": [chance.choice(NAMES)]}),
            ("watch_requested", {"product_id": name, "cancelled": chance.random() < 0.5}),
            ("watch_requested", {"category": name}),
            ("segment_entered", {"segment": name}),
            ("segment_left", {"segment": name}),
            ("survey_answered", {"survey": name, "answers": {chance.choice(NAMES): chance.randint(1, 5)}}),
            ("form_answered", {"form": name, "answers": {"q": None}}),
            ("topic_interest", {"topic": name, "score": chance.randint(0, 100)}),
            ("linked_record_changed", {"kind": "pet", "id": name, "fields": {"age": chance.randint(1, 9)}}),
            ("linked_record_changed", {"kind": "pet", "id": name, "deleted": True}),
            ("message_opened", {"message_id": name}),
            ("message_clicked", {"message_id": name}),
            ("showroom_visited", {"anything": [name]}),
            ("product_viewed", {"product_id": 7}),
        ]
    )
    # Few moments, so that many events share one.
    return event(f"e{index}", type_, chance.randint(0, 20), **properties)


def test_the_same_events_in_any_order_and_however_often_are_one_engagement() -> None:
    for seed in range(40):
        chance = random.Random(seed)
        events = [invented(chance, index) for index in range(chance.choice((5, 60, 400)))]
        wanted = folded(*events)
        again = [*events, *chance.choices(events, k=20)]
        chance.shuffle(again)
        assert folded(*again) == wanted
        half = len(again) // 2
        assert join(folded(*again[half:]), folded(*again[:half])) == wanted  # as two contacts who become one


def test_the_newest_telling_holds() -> None:
    known = folded(
        event("1", "wish_list_changed", 5, added=["tea", "cup"]),
        event("2", "wish_list_changed", 3, removed=["tea"]),
        event("3", "wish_list_changed", 6, removed=["cup"]),
        event("4", "watch_requested", 2, product_id="tea", cancelled=True),
        event("5", "watch_requested", 1, product_id="tea"),
        event("6", "watch_requested", 1, category="pots"),
        event("7", "segment_entered", 1, segment="vip"),
        event("8", "linked_record_changed", 9, kind="pet", id="rex", deleted=True),
        event("9", "linked_record_changed", 8, kind="pet", id="rex", fields={"name": "Rex"}),
        event("a", "message_clicked", 4),
        event("b", "page_viewed", 7),
    )
    assert (known.wishes(), known.asks()) == ({"tea"}, {"category:pots"})
    assert known.in_segment("vip") and not known.in_segment("other")
    assert known.linked["pet"]["rex"].gone and not known.linked["pet"]["rex"].fields
    assert {a: (at - START).seconds / 60 for a, at in known.last.items()} == {"open": 4, "click": 4, "visit": 7}


def test_only_the_newest_views_are_kept_and_the_item_stays_small() -> None:
    events = [event(f"e{i:04}", "product_viewed", i, product_id=f"p{i}") for i in range(VIEWS_KEPT + 50)]
    known = folded(*reversed(events))
    assert [view.event_id for view in known.views] == [one.id for one in events[-VIEWS_KEPT:]]
    many = folded(*(event(f"w{i}", "wish_list_changed", i, added=[f"p{i}"]) for i in range(400)))
    assert "p399" in many.wished and "p0" not in many.wished


def test_what_is_no_concern_of_engagement_leaves_it_alone() -> None:
    known = folded(event("1", "page_viewed"))
    assert not concerns(event("2", "order_paid"))
    assert fold(known, event("2", "order_paid")) is known


def engagement(shop: Shop, contact_id: str) -> Engagement:
    found = Decisions(shop.table).read("shop", contact_id, Wanted(engagement=True)).engagement
    assert found is not None
    return found


def test_an_event_and_what_folds_of_it_are_written_together_and_once(shop: Shop) -> None:
    noa = ContactRef(email=NOA)
    viewed = event("v1", "product_viewed", product_id="tea", categories=["hot"], seconds=30)
    (contact_id,) = shop.intake.record_event(STORE, noa, viewed).contact_ids
    shop.intake.record_event(STORE, ContactRef(id=contact_id), viewed)
    shop.intake.record_event(STORE, ContactRef(id=contact_id), event("v2", "product_viewed", 1, product_id="cup"))
    shop.intake.record_event(STORE, noa, event("own", "showroom_visited", 1, product_id="cup"))
    known = engagement(shop, contact_id)
    assert [(view.product, view.seconds, view.categories) for view in known.views] == [
        ("tea", 30, ("hot",)),
        ("cup", 0, ()),
    ]
    assert known.rev == 2


def test_what_we_note_ourselves_is_read_and_written_only_where_it_concerns(shop: Shop) -> None:
    contact_id = shop.book.upsert(STORE, ContactInput(email=NOA)).id
    for _ in range(2):
        shop.book.note("shop", contact_id, event("o1", "message_opened", message_id="m"))
        shop.book.note("shop", contact_id, event("d1", "message_delivered", message_id="m"))
    known = engagement(shop, contact_id)
    assert (known.last, known.rev) == ({"open": START}, 1)
    told = [one.type for one in shop.timeline.of_contact("shop", contact_id)]
    assert sorted(told) == ["contact_created", "message_delivered", "message_opened"]
    shop.book.note("shop", "0" * 26, event("o2", "message_opened"))  # erased since: nothing stays of it
    assert engagement(shop, contact_id) == known


def test_two_contacts_who_become_one_did_what_both_did(shop: Shop) -> None:
    (by_mail,) = shop.intake.record_event(
        STORE, ContactRef(email=NOA), event("v1", "product_viewed", product_id="tea")
    ).contact_ids
    (by_phone,) = shop.intake.record_event(
        STORE, ContactRef(phone="+972505550101"), event("v2", "product_viewed", 1, product_id="cup")
    ).contact_ids
    assert by_mail != by_phone
    shop.book.upsert(STORE, ContactInput(email=NOA, phone="+972505550101"))
    for asked in (by_mail, by_phone):
        assert [view.product for view in engagement(shop, asked).views] == ["tea", "cup"]


def test_it_is_in_the_export_and_goes_with_the_contact(shop: Shop) -> None:
    (contact_id,) = shop.intake.record_event(
        STORE, ContactRef(email=DAN), event("s1", "survey_answered", survey="why", answers={"q": "price"})
    ).contact_ids
    (shown,) = shop.book.export("shop", contact_id)["engagement"]
    assert shown["answers"]["why"]["q"]["value"] == "price"
    shop.book.erase("shop", contact_id)
    assert shop.table.get(keys.contact("shop", contact_id), keys.ENGAGEMENT) is None
