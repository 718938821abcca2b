"""The index of days follows the records that it is of, in their own transaction."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.contacts.book import ContactInput, ContactPatch
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.engagement import Activity, Engagement
from chalicelib.contacts.engagement_fold import join
from chalicelib.contacts.ports import Writing
from chalicelib.errors import Conflict
from chalicelib.journeys.calendar import Done, Ledger
from chalicelib.journeys.due_days import JOINED, Span
from chalicelib.storage import keys
from chalicelib.storage.calendar import DayIndex, Ledgers
from chalicelib.storage.table import Table
from tests.commerce.shop import DAN, NOA, START, STORE, S, Shop, day, order
from tests.conftest import HandClock


@pytest.fixture
def shop(table: Table, clock: HandClock) -> Shop:
    return Shop(table, clock)


def entries(shop: Shop, contact_id: str) -> list[str]:
    found = shop.table.query(keys.contact(STORE.id, contact_id), prefix=keys.DAYS)
    return [f"{item['sk']} {str(item['gsi1sk']).rpartition('#')[0]}" for item in found]


def whoever(shop: Shop, name: str, low: str, high: str, limit: int = 100) -> list[str]:
    """Page by page."""
    index, found, after = DayIndex(shop.table), [], None
    while some := index.within(STORE.id, Span(name, low, high), after, limit):
        found += [contact_id for _, contact_id in some]
        after = some[-1][0]
    return found


def test_entries_come_move_and_go_with_the_fields(shop: Shop) -> None:
    fields = {"birthday": "1990-05-17", "visit": "2026-12-31T23:30:00+02:00", "size": 42, "note": "2026"}
    noa = shop.book.upsert(STORE, ContactInput(email="noa@mail.test", fields=fields))
    assert entries(shop, noa.id) == ["Y#date:birthday 05-17#1990", "Y#date:visit T12-31#2026"]
    changed = shop.book.patch(STORE, noa.id, ContactPatch(fields={"birthday": "1990-05-18", "visit": None}))
    assert entries(shop, noa.id) == ["Y#date:birthday 05-18#1990"]
    assert whoever(shop, "date:birthday", "05-18#", "05-18$") == [noa.id]
    assert not whoever(shop, "date:birthday", "05-17#", "05-17$")
    with pytest.raises(Conflict):  # over an older revision neither the profile nor its entries change
        stale = changed.model_copy(update={"fields": {"birthday": "2000-01-01"}, "rev": 0})
        shop.contacts.write(STORE.id, [Writing(noa.id, contact=stale)])
    assert entries(shop, noa.id) == ["Y#date:birthday 05-18#1990"]
    shop.book.erase(STORE.id, noa.id)
    assert entries(shop, noa.id) == []


def test_the_last_order_is_an_entry_that_is_written_once_a_day(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.tell(order("1", 1, S.PAID, NOA, placed=1, paid=1))
    noa = shop.contacts.find(STORE.id, "email", "noa@mail.test")
    assert noa is not None and entries(shop, noa.id) == [f"Y#last:order {day(1).date()}"]
    written: list[str] = []
    transact = shop.table.transact

    def watched(operations: list[object]) -> None:
        written.extend(str(getattr(one, "item", {}).get("sk", getattr(one, "sk", ""))) for one in operations)
        transact(operations)  # type: ignore[arg-type]

    monkeypatch.setattr(shop.table, "transact", watched)
    shop.tell(order("2", 1.01, S.PAID, NOA, placed=1.01, paid=1.01))
    assert keys.PROFILE in written and not any(sk.startswith(keys.DAYS) for sk in written)
    shop.tell(order("3", 4, S.PAID, NOA, placed=4, paid=4))
    assert entries(shop, noa.id) == [f"Y#last:order {day(4).date()}"]
    shop.tell(order("3", 5, S.CANCELLED, NOA, placed=4, paid=4))
    assert entries(shop, noa.id) == [f"Y#last:order {day(1).date()}"]


def test_of_two_who_are_one_person_the_entries_are_the_winners(shop: Shop) -> None:
    noa = shop.book.upsert(STORE, ContactInput(email="noa@mail.test", fields={"birthday": "1990-05-17"}))
    shop.tell(order("1", 2, S.PAID, DAN, placed=2, paid=2))
    dan = shop.contacts.find(STORE.id, "email", "dan@mail.test")
    assert dan is not None
    dan = shop.book.patch(STORE, dan.id, ContactPatch(fields={"birthday": "1990-06-01", "wedding": "2015-08-09"}))
    shop.resolver.merge(STORE, noa, dan)
    birthday = shop.contacts.read(STORE.id, [noa.id])[noa.id].fields["birthday"]
    assert entries(shop, dan.id) == []
    assert entries(shop, noa.id) == [
        f"Y#date:birthday {birthday[5:]}#{birthday[:4]}",
        "Y#date:wedding 08-09#2015",
        f"Y#last:order {day(2).date()}",
    ]
    both = DayIndex(shop.table).contacts(STORE.id, [noa.id, dan.id])
    assert [one.id for one in both] == [noa.id], "each is found once, under the id that it has now"


def test_the_last_visit_open_and_click_are_entries_and_a_merge_keeps_the_later_ones(shop: Shop) -> None:
    noa = shop.book.upsert(STORE, ContactInput(email="noa@mail.test"))
    dan = shop.book.upsert(STORE, ContactInput(email="dan@mail.test"))

    def heard(contact: Contact, kind: Activity, at: float) -> None:
        known = shop.contacts.engagement(STORE.id, contact.id)
        after = join(known, Engagement(last={kind: day(at)}))
        writing = Writing(contact.id, engagement=after)
        assert writing.items == 1 + (after.last != known.last)
        shop.contacts.write(STORE.id, [writing])

    heard(noa, "visit", 1)
    heard(noa, "visit", 3)
    heard(noa, "click", 2)
    heard(dan, "visit", 2)
    heard(dan, "open", 4)
    assert entries(shop, noa.id) == [f"Y#last:click {day(2).date()}", f"Y#last:visit {day(3).date()}"]
    (exported,) = shop.book.export(STORE.id, noa.id)["engagement"]
    assert "last" in exported and "indexed" not in exported
    shop.resolver.merge(STORE, noa, dan)
    days = {"click": day(2).date(), "open": day(4).date(), "visit": day(3).date()}
    assert entries(shop, dan.id) == []
    assert entries(shop, noa.id) == [f"Y#last:{kind} {last}" for kind, last in days.items()]


def test_whoever_has_many_dates_is_found_by_the_first_twenty(shop: Shop) -> None:
    many = {f"date-{number:02}": "2026-01-01" for number in range(60)}
    noa = shop.book.upsert(STORE, ContactInput(email="noa@mail.test", fields=many))
    assert len(entries(shop, noa.id)) == 20
    writing = Writing(noa.id, contact=noa.model_copy(update={"indexed": {}}))
    assert writing.items == 21, "whoever shares out a transaction's room counts them"


def test_a_span_is_paged_over_all_shards_in_order(shop: Shop, clock: HandClock) -> None:
    made: list[Contact] = []
    for number in range(24):
        fields = {"birthday": f"1990-05-{17 + number % 2}"}
        made.append(shop.book.upsert(STORE, ContactInput(email=f"p{number}@mail.test", fields=fields)))
        clock.advance(hours=1)
    wanted = sorted(one.id for one in made if one.fields["birthday"] == "1990-05-17")
    assert whoever(shop, "date:birthday", "05-17#", "05-17$", limit=5) == wanted
    start = (clock.now() - timedelta(hours=24)).isoformat()[:10]
    assert set(whoever(shop, JOINED, start, "9", limit=7)) == {one.id for one in made}


def test_a_ledger_is_written_over_the_revision_that_was_read(table: Table) -> None:
    ledgers = Ledgers(table)
    first = ledgers.save(Ledger(store_id="s", indexed=True, done={"j": Done(until=START.date())}))
    assert ledgers.get("s") == first
    ledgers.save(first)
    with pytest.raises(Conflict):
        ledgers.save(first)
