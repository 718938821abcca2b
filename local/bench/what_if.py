"""What-if over 90 days of a store: contacts per second, against a bare read of the same events, and what memory takes.

Half of the contacts bought something and enter a journey of two waits, a branch and three messages; the others only
looked at products. Decisions per second are calls of the step function's own code over records in memory.
"""

from __future__ import annotations

import json
import random
import resource
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.commerce.event import Event
from chalicelib.commerce.money import Money
from chalicelib.commerce.ports import ProductRecord
from chalicelib.commerce.store import Platform, Store
from chalicelib.contacts.consent import Channel, Consent, ConsentStatus
from chalicelib.contacts.contact import Contact
from chalicelib.journeys.definition import Definition
from chalicelib.journeys.past import Past
from chalicelib.journeys.what_if import what_if

FEW, MANY = 1_000, 10_000
DAYS = 90
START = datetime(2026, 8, 1, tzinfo=UTC)
_MAIL = {"en": {"subject": "Hello", "blocks": [{"type": "text", "text": "Tea"}]}}
_AGAIN = {"purchased": {"product": "trigger", "since": "entry"}}
RESTOCK = {
    "name": {"en": "Time to restock"},
    "trigger": {"type": "order_paid"},
    "reentry": {"mode": "per_order"},
    "goal": _AGAIN,
    "steps": [
        {"id": "thanks", "type": "send_email", "content": _MAIL},
        {"id": "while", "type": "wait", "for": {"days": 20}},
        {
            "id": "many",
            "type": "branch",
            "if": {"field": "orders_count", "is": "at_least", "value": 2},
            "then": [{"id": "again", "type": "send_email", "content": _MAIL}],
        },
        {"id": "more", "type": "wait", "for": {"days": 5}},
        {"id": "last", "type": "send_email", "content": _MAIL},
    ],
}


class NoGoods:
    def get_many(self, store_id: str, external_ids: list[str]) -> dict[str, ProductRecord]:
        return {}


def measure() -> dict[str, Any]:
    store = a_store()
    few, small = _run(store, FEW)
    many, large = _run(store, MANY)
    seconds = _bare_read(MANY)
    return {
        "contacts": MANY,
        "days": DAYS,
        "entered": many["entered"],
        "contacts_per_second": round(MANY / many["seconds"]),
        "seconds": round(many["seconds"], 1),
        "against_a_bare_read": round(many["seconds"] / seconds, 1),
        "decisions_per_second": round(many["invocations"] / many["seconds"]),
        "peak_mb": large,
        "memory_ratio": round(large / small, 3),
        "few": FEW,
        "few_contacts_per_second": round(FEW / few["seconds"]),
    }


def _run(store: Store, contacts: int) -> tuple[dict[str, Any], float]:
    """CPU time of this process without the making of the pasts, and its high-water mark so far in MB."""
    making = 0.0

    def pasts() -> Iterator[Past]:
        nonlocal making
        for number in range(contacts):
            before = time.process_time()
            made = past_of(store, number)
            making += time.process_time() - before
            yield made

    start = time.process_time()
    found = what_if(Definition.parse(RESTOCK), store, pasts(), START, START + timedelta(days=DAYS), NoGoods())
    spent = time.process_time() - start - making
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": spent, "entered": found.entered, "invocations": found.invocations}, round(peak, 1)


def _bare_read(contacts: int) -> float:
    """Every event out of its JSON once: the least that anything that looks at the same past must do."""
    store, spent = a_store(), 0.0
    for number in range(contacts):
        texts = [event.model_dump_json() for event in past_of(store, number).events]
        before = time.process_time()
        for text in texts:
            Event.model_validate(json.loads(text))
        spent += time.process_time() - before
    return spent


def a_store() -> Store:
    return Store(
        id="st-bench",
        platform=Platform.WOOCOMMERCE,
        name="Tea",
        url="https://tea.example",
        country="FR",
        currency="EUR",
        timezone="Europe/Paris",
        locale="en",
        created_at=START - timedelta(days=400),
    )


def past_of(store: Store, number: int) -> Past:
    dice = random.Random(number)
    consent = Consent(status=ConsentStatus.SUBSCRIBED, source="checkout", at=START - timedelta(days=300))
    contact = Contact(
        id=f"{number:026d}",
        store_id=store.id,
        email=f"shopper{number}@shopper.example",
        consent={Channel.EMAIL: consent},
        total_spent=Money(amount=0, currency=store.currency),
        created_at=START - timedelta(days=300),
    )
    events = [_viewed(dice, n) for n in range(dice.randrange(10))]
    if number % 2:
        for n in range(dice.choice((1, 1, 2))):
            events += _bought(f"{number}-{n}", _moment(dice))
    return Past(contact, sorted(events, key=lambda event: (event.occurred_at, event.id)))


def _moment(dice: random.Random) -> datetime:
    return START + timedelta(seconds=dice.randrange(DAYS * 86_400))


def _viewed(dice: random.Random, number: int) -> Event:
    at, product = _moment(dice), str(dice.randrange(20))
    return Event(id=f"view-{number}", type="product_viewed", occurred_at=at, properties={"product_id": product})


def _bought(order_id: str, at: datetime) -> list[Event]:
    total = {"amount": 2000, "currency": "EUR"}
    item = {"product_id": order_id[-3:], "name": "Tea", "quantity": 1, "total": total, "categories": []}
    told = {"order_id": order_id, "number": order_id, "total": total, "items": [item], "nth": 1}
    return [
        Event(id=f"{type_}:{order_id}", type=type_, occurred_at=at, properties=told)
        for type_ in ("order_placed", "order_paid")
    ]
