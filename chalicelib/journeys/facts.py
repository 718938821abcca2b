"""Loading just those facts about a contact that some conditions ask for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.clock import parse_rfc3339, rfc3339
from chalicelib.commerce.event import Event
from chalicelib.commerce.events import enriched, products_in
from chalicelib.contacts.contact import Contact
from chalicelib.ids import message_id
from chalicelib.journeys.conditions import Condition, Facts, needs, steps_mentioned
from chalicelib.journeys.enrolment import Enrolment
from chalicelib.journeys.ports import ContactRecords, ProductRecords


def as_entered(event: Event) -> dict[str, Any]:
    """The event as an enrolment keeps it."""
    return {
        "id": event.id,
        "type": event.type,
        "occurred_at": rfc3339(event.occurred_at),
        "properties": event.properties,
    }


def entered_since(enrolment: Enrolment) -> datetime:
    """From when "since the journey began" counts: the event that began it, however late we heard of it."""
    occurred_at = enrolment.event.get("occurred_at")
    return min(enrolment.entered_at, parse_rfc3339(occurred_at)) if occurred_at else enrolment.entered_at


def with_catalogue(products: ProductRecords, store_id: str, events: Iterable[Event]) -> list[Event]:
    """Events of the timeline with what the catalogue says of their products today, as journeys are told them."""
    told = list(events)
    wanted = sorted({product for event in told for product in products_in(event)})
    known = products.get_many(store_id, wanted) if wanted else {}
    return [enriched(event, known) for event in told]


@dataclass(frozen=True)
class FactsReader:
    contacts: ContactRecords

    def before_entry(
        self, store_id: str, contact_id: str, event: Event, conditions: Iterable[Condition], now: datetime
    ) -> Facts | None:
        """For a trigger's `where`. None if the contact is gone."""
        seen = as_entered(event)
        contact = self.contacts.get(store_id, contact_id)
        if contact is None:
            return None
        subjects = {subject for condition in conditions for subject in needs(condition, seen)}
        purchases = self.contacts.purchases(store_id, contact.id, subjects) if subjects else {}
        return Facts(contact=contact, now=now, purchases=purchases, event=seen)

    def on_the_way(
        self, enrolment: Enrolment, conditions: Iterable[Condition], now: datetime, contact: Contact | None = None
    ) -> Facts | None:
        """For goals and branches of an enrolment; a `contact` just read is not read again. None if it is gone."""
        asked = list(conditions)
        subjects = {subject for condition in asked for subject in needs(condition, enrolment.event)}
        steps = {message_id(enrolment.id, step): step for condition in asked for step in steps_mentioned(condition)}
        since = entered_since(enrolment)
        if contact is not None and not subjects and not steps:
            return Facts(contact=contact, now=now, event=enrolment.event, entered_at=since)
        found, _, messages, purchases = self.contacts.decision(
            enrolment.store_id, enrolment.contact_id, enrolment.id, steps, subjects
        )
        if found is None:
            return None
        return Facts(
            contact=found,
            now=now,
            purchases=purchases,
            event=enrolment.event,
            entered_at=since,
            messages={steps[identifier]: message for identifier, message in messages.items()},
        )
