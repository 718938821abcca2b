"""What a date costs: entries of the index and request units for each contact who is due, of a list that is not."""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.commerce.store import Store
from chalicelib.contacts.book import ContactInput
from local.bench.house import House, make_store, open_house
from local.demo import play

PATIENCE = 60.0  # real seconds
_SOON = timedelta(hours=3)  # of store time: some seconds here
_INDEX = "after-call.dynamodb.Query"


def measure(contacts: int = 300, due: int = 3) -> dict[str, Any]:
    """A list of `contacts`, of whom `due` have their birthday today; then the looks of a day on which nobody is due.

    `items_read_per_due` counts whatever queries of listings returned while the day was done.
    """
    with open_house() as house:
        store_id = make_store(house)
        store = house.parts.stores.get(store_id)
        assert store is not None
        for number in range(contacts - due):
            _add(house, store, number, house.now().date() + timedelta(days=30 + number % 300))
        there = house.now().astimezone(ZoneInfo(store.timezone)) + _SOON
        for number in range(contacts - due, contacts):
            _add(house, store, number, there.date())
        at = there.strftime("%H:%M")
        play.activate(house, store_id, "birthday", _birthday(at))
        house.parts.calendar.look(store)  # contacts of before come into the index
        house.settle()
        with house.meter.bill() as idle:
            house.parts.calendar.look(store)
        read = _counted(house)
        _await(house, there)
        with house.meter.bill() as day_done:
            house.parts.calendar.look(store)
            house.settle()
        (errand,) = house.parts.errands.of_kind(store_id, "due")
        assert (errand.done, errand.ended_at is not None) == (due, True)
        return {
            "contacts": contacts,
            "due": due,
            "items_read_per_due": sum(read) / due,
            "idle_look": idle.as_json(),
            "day": day_done.as_json(),
        }


def _add(house: House, store: Store, number: int, birthday: date) -> None:
    month_day = f"{birthday:%m-%d}"
    year = 1992 if month_day == "02-29" else 1990
    given = ContactInput(email=f"p{number}@mail.test", fields={"birthday": f"{year}-{month_day}"})
    house.parts.contact_book.upsert(store, given)


def _counted(house: House) -> list[int]:
    """Filled, from now on, with how many items each query of a listing returns."""
    found: list[int] = []

    def note(parsed: dict[str, Any], **_: Any) -> None:
        found.append(sum("gsi1pk" in item and item["sk"]["S"].startswith("Y#") for item in parsed.get("Items", [])))

    client: Any = house.parts.table._client  # its events are what is counted
    client.meta.events.register(_INDEX, note)
    return found


def _await(house: House, moment: datetime) -> None:
    deadline = time.monotonic() + PATIENCE
    while house.now() < moment:
        if time.monotonic() > deadline:
            raise RuntimeError("the day did not come in time")
        time.sleep(0.05)


def _birthday(at: str) -> dict[str, Any]:
    words = {"he": "יום הולדת", "en": "Birthday"}
    mail = {"subject": "{{ contact.first_name }}", "preheader": "…", "blocks": [{"type": "text", "text": "…"}]}
    return {
        "name": words,
        "description": words,
        "trigger": {"type": "date_field", "field": "birthday", "yearly": True, "at": at},
        "reentry": {"mode": "every_time"},
        "steps": [
            {"id": "later", "title": words, "type": "wait", "for": {"days": 30}},
            {
                "id": "mail",
                "title": words,
                "type": "send_email",
                "kind": "marketing",
                "content": {"he": mail, "en": mail},
            },
        ],
    }
