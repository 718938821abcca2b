"""What a decision costs a contact with a short and with a long past: request units, by count. The aim is the same.

The journey asks for everything that can be asked: purchases, looks at products, messages, answers, segments; it is
entered, waits for an answer, is told what it does not wait for, is woken and left. The past is older than the pass.
Nothing is read for the first time in this process: somebody went this way before.
The clock is slow, for a wait for an event begins anew where its task comes a minute of the store's clock late.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from chalicelib.commerce.event import Event
from chalicelib.commerce.intake import ContactRef
from chalicelib.commerce.store import Store
from chalicelib.journeys.enrolment import Enrolment
from chalicelib.messages.message import MessageStatus
from chalicelib.messages.reports import Report
from chalicelib.storage.journeys import Enrolments
from chalicelib.storage.messages import Messages
from chalicelib.storage.table import Table
from local.bench.house import House, open_house, shopper
from local.bench.purchase import LONG, SHORT, SLOWLY, lengthen, open_shop, told
from local.demo import play

PATIENCE = 60.0  # real seconds
_WORDS = {"he": "הקנייה שלך", "en": "Your purchase"}
_MAIL = {"subject": "{{ store.name }}", "preheader": "…", "blocks": [{"type": "order_items"}]}
_ASKED = {
    "all": [
        {"not": {"purchased": {"category": "no-such", "within_days": 365, "at_least_orders": 3}}},
        {"not": {"purchased": {"product": "trigger", "since": "entry"}}},
        {"not": {"viewed": {"category": "no-such", "within_days": 30, "at_least_times": 20}}},
        {"not": {"segment": {"id": "resellers"}}},
        {"not": {"survey": {"survey": "taste", "question": "sweet", "is": "equals", "value": "never"}}},
    ]
}


def measure(short: int = SHORT, long: int = LONG) -> dict[str, Any]:
    """Bills by part of the journey, for both."""
    with open_house(SLOWLY) as house:
        store_id = open_shop(house)
        lives = {}
        for number, entries in ((1, 0), (2, short), (3, long)):
            contact = Contact(house, store_id, number)
            contact.buys(1000 + number)
            if entries:
                lengthen(house, store_id, number, entries)
            lives[entries] = contact
        play.activate(house, store_id, "heavy", _heavy())
        bills = {entries: _lived(contact, 2000 + contact.number) for entries, contact in lives.items()}
    ratios = {part: round(_sum(bills[long][part]) / _sum(bills[short][part]), 3) for part in bills[short]}
    return {"entries": [short, long], "short": bills[short], "long": bills[long], "ratios": ratios}


class Contact:
    """One of the shop's, known since a first purchase."""

    def __init__(self, house: House, store_id: str, number: int) -> None:
        self.house, self.number = house, number
        store = house.parts.stores.get(store_id)
        assert store is not None
        self.store: Store = store
        self._told = 0

    @property
    def id(self) -> str:
        email = shopper(self.number).email
        (contact,) = self.house.all(f"/v1/stores/{self.store.id}/contacts?email={email}")
        return str(contact["id"])

    def buys(self, order: int) -> None:
        self.house.take(self.store.id, *told(self.house, self.number, order))

    def tell(self, whom: str, type_: str, **properties: Any) -> None:
        """An event over the API, and what at once follows from it."""
        self._told += 1
        name = f"bench-{self.number}-{self._told}"
        event = Event(id=name, type=type_, occurred_at=self.house.now(), properties=properties)
        self.house.parts.intake.record_event(self.store, ContactRef(id=whom), event)

    def stands(self, whom: str, step: str, parked: bool = False) -> bool:
        """Whether the newest pass waits there. Looked up where no meter runs."""
        passes = Enrolments(self._table).of_contact(self.store.id, whom)
        return bool(passes) and passes[-1].at_step == step and (not parked or _has_token(passes[-1]))

    def newest_message(self, whom: str) -> str:
        return max(Messages(self._table).of_contact(self.store.id, whom), key=lambda one: one.created_at).id

    def billed(self, action: Callable[[], Any], came: Callable[[], bool] = lambda: True) -> dict[str, Any]:
        """The bill of it, and of all that follows until `came`."""
        with self.house.meter.bill() as bill:
            action()
            deadline = time.monotonic() + PATIENCE
            while not came():
                if time.monotonic() > deadline:
                    raise RuntimeError("what was to follow did not come in time")
                time.sleep(0.02)
            self.house.settle()
        return bill.as_json()

    @property
    def _table(self) -> Table:
        return Table(self.house.unmetered(), self.house.parts.table.name)


def _has_token(enrolment: Enrolment) -> bool:
    return enrolment.parked is not None and enrolment.parked.token is not None


def _lived(contact: Contact, order: int) -> dict[str, Any]:
    whom = contact.id

    def opened() -> None:
        now, message = contact.house.now(), contact.newest_message(whom)
        contact.house.parts.reports.take(Report(contact.store.id, message, MessageStatus.OPENED, now))

    return {
        "purchase": contact.billed(lambda: contact.buys(order), lambda: contact.stands(whom, "pause")),
        "message_and_parking": contact.billed(lambda: None, lambda: contact.stands(whom, "answer", parked=True)),
        "other_event": contact.billed(lambda: contact.tell(whom, "page_viewed")),
        "message_opened": contact.billed(opened),
        "woken": contact.billed(
            lambda: contact.tell(whom, "survey_answered", survey="taste", answers={"sweet": "yes"}),
            lambda: contact.stands(whom, "long"),
        ),
        "exit": contact.billed(lambda: contact.tell(whom, "segment_entered", segment="left")),
    }


def _heavy() -> dict[str, Any]:
    content = {"he": _MAIL, "en": _MAIL}
    mail = {"title": _WORDS, "type": "send_email", "kind": "marketing", "content": content}
    answer = {"type": "survey_answered", "form": "taste", "where": _ASKED}
    opened = {"message": {"step": "mail", "is": "opened"}}
    return {
        "name": _WORDS,
        "description": _WORDS,
        "trigger": {"type": "order_paid", "where": _ASKED},
        "reentry": {"mode": "every_time"},
        "goal": {"not": _ASKED},
        "exits": [{"type": "segment_entered", "segment": "left", "where": _ASKED}],
        "steps": [
            {"id": "pause", "title": _WORDS, "type": "wait", "for": {"minutes": 3}},
            {"id": "mail", **mail},
            {
                "id": "answer",
                "title": _WORDS,
                "type": "wait",
                "until_event": {"event": answer, "at_most": {"days": 60}},
            },
            {
                "id": "read",
                "title": _WORDS,
                "type": "branch",
                "if": {"all": [opened, _ASKED]},
                "then": [{"id": "thanks", **mail}],
            },
            {"id": "long", "title": _WORDS, "type": "wait", "for": {"days": 90}},
            {"id": "last", **mail},
        ],
    }


def _sum(bill: dict[str, Any]) -> float:
    return float(bill["read_units"] + bill["write_units"])
