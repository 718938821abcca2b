"""`start_journey` and `stop_journey`: one journey takes a contact into another, or out of it.

The other's event is this one's, under an id of its own, so whatever is asked again finds the pass that it made. Its
trigger is not asked; its re-entry rule and its goal are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.clock import Clock, parse_rfc3339
from chalicelib.commerce.event import Event
from chalicelib.commerce.store import Store
from chalicelib.journeys.enrol import Enroller
from chalicelib.journeys.enrolment import Enrolment, EnrolmentStatus
from chalicelib.journeys.entry import STARTED_BY
from chalicelib.journeys.exits import order_of, token_in
from chalicelib.journeys.facts import as_entered, wanted_for
from chalicelib.journeys.journey import JourneyStatus
from chalicelib.journeys.ports import DecisionRecords, EnrolmentRecords, Found, JourneyRecords, StepCannot, Wanted
from chalicelib.journeys.published import Edition, Published
from chalicelib.journeys.reentry import entry_key

MOST_STARTS = 5
_STARTED = "started:"


class OtherJourneys:
    """A `ports.OtherJourneys`."""

    def __init__(
        self,
        journeys: JourneyRecords,
        enrolments: EnrolmentRecords,
        decisions: DecisionRecords,
        enroller: Enroller,
        clock: Clock,
    ) -> None:
        self._journeys, self._enrolments, self._decisions = journeys, enrolments, decisions
        self._enroller, self._clock = enroller, clock
        self._published = Published(journeys)

    def start(self, store: Store, contact_id: str, journey_id: str, by: Enrolment, step: str) -> str | None:
        """Why the contact did not enter, if not. Raises `StepCannot` for a journey that is not there, and for the sixth
        start in a row: journeys that start each other in a circle."""
        journey = self._journeys.head(store.id, journey_id)
        if journey is None:
            raise StepCannot("no_such_journey")
        event = _event_for(by, step)
        before = [one for one in self._enrolments.of_contact(store.id, contact_id) if one.journey == journey_id]
        stands = next((one for one in before if one.event.get("id") == event.id), None)
        if stands is not None:
            self._enroller.launch(stands)  # if a crash swallowed it
            return None
        if event.properties[STARTED_BY]["depth"] > MOST_STARTS:
            raise StepCannot("too_many_starts")
        if journey.status is not JourneyStatus.ACTIVE or journey.live_version is None:
            return "skipped:not_active"
        edition = self._published.get(store.id, journey_id, journey.live_version)
        key = entry_key(edition.definition.reentry, event, before)
        if key is None:
            return "skipped:reentry"
        found = self._around(store.id, contact_id, edition, event)
        entered = self._enroller.let_in(store, contact_id, edition, key, event, found)
        return None if entered else "skipped:reentry"

    def stop(self, store_id: str, contact_id: str, journey_id: str, by: Enrolment) -> None:
        """End what the contact is in there, but for the pass that asks for it."""
        for one in self._enrolments.of_contact(store_id, contact_id):
            if one.journey == journey_id and one.open and one.id != by.id:
                self._enroller.end(one, EnrolmentStatus.EXITED, f"stopped_by:{by.journey}")

    def _around(self, store_id: str, contact_id: str, edition: Edition, event: Event) -> Found:
        """What the entry is decided by: whether order, cart or goal are over already."""
        seen, goal = as_entered(event), edition.definition.goal
        order_id, token = order_of(seen), token_in(seen)
        own = Wanted(orders=[order_id] if order_id else [], carts=[token] if token else [])
        return self._decisions.read(store_id, contact_id, own | wanted_for([goal] if goal else [], seen))


def _event_for(by: Enrolment, step: str) -> Event:
    properties: Mapping[str, Any] = by.event.get("properties") or {}
    told = properties.get(STARTED_BY) if str(by.event.get("id")).startswith(_STARTED) else None  # none that was sent in
    depth = told.get("depth") if isinstance(told, Mapping) else None
    started_by = {"journey": by.journey, "step": step, "depth": (depth if isinstance(depth, int) else 0) + 1}
    return Event(
        id=f"{_STARTED}{by.id}:{step}",
        type=by.event["type"],
        occurred_at=parse_rfc3339(by.event["occurred_at"]),
        properties={**properties, STARTED_BY: started_by},
    )
