"""Keeps what the triggers of a store's journeys gather, and lets the contact in when it is over.

The record is kept before somebody is sent to look, and says afterwards that they were: whatever is interrupted is
finished by the next event, the same one told again too. The event is told before the record says that it is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Protocol

from chalicelib.clock import Clock
from chalicelib.commerce.event import Event
from chalicelib.commerce.events import enriched, products_in
from chalicelib.commerce.store import Store
from chalicelib.errors import Conflict, TryLater
from chalicelib.ids import digest
from chalicelib.journeys.about import concerns
from chalicelib.journeys.errands import Errand, Errands, Slice
from chalicelib.journeys.gathering import VISITS, Gathering, added, begun, gathers, moved, told
from chalicelib.journeys.journey import Journey, JourneyStatus
from chalicelib.journeys.ports import DecisionRecords, ProductRecords, Wanted
from chalicelib.journeys.published import Edition, Published
from chalicelib.journeys.triggers import ViewTrigger

GATHER = "gather"
"""The kind of its errands."""
_ATTEMPTS = 10
_MERGE_UNDER_WAY = timedelta(minutes=1)
Enter = Callable[[Store, str, Journey, Event], None]


class GatheringRecords(Protocol):
    """`storage.gatherings.Gatherings`."""

    def get(self, store_id: str, contact_id: str, journey_id: str) -> Gathering | None: ...

    def save(self, contact_id: str, gathering: Gathering) -> Gathering:
        """Over the revision that was read. Raises `errors.Conflict` if somebody was quicker."""
        ...


class JourneyHeads(Protocol):
    def head(self, store_id: str, journey_id: str) -> Journey | None: ...


class Gatherer:
    """Also the work of its errands (`errands.Work`). `enter` lets a contact into a journey by an event."""

    def __init__(
        self,
        records: GatheringRecords,
        errands: Callable[[], Errands],
        journeys: JourneyHeads,
        decisions: DecisionRecords,
        products: ProductRecords,
        published: Published,
        enter: Enter,
        clock: Clock,
    ) -> None:
        self._records, self._errands, self._journeys, self._decisions = records, errands, journeys, decisions
        self._products, self._published, self._enter, self._clock = products, published, enter, clock

    def hear(self, store: Store, contact_id: str, journeys: Iterable[Journey], events: Sequence[Event]) -> None:
        """Events of one contact, oldest first, of which `journeys` that take people in may gather some."""
        for journey in journeys:
            edition = self._gathering(journey) if journey.gathers else None
            if edition is None:
                continue
            trigger = edition.definition.trigger
            for event in events:
                own = event.type == trigger.type and concerns(trigger, event.properties)
                if own or (isinstance(trigger, ViewTrigger) and event.type in VISITS):
                    self._note(store, contact_id, journey, edition, event, own)

    def slice(self, store: Store, errand: Errand) -> Slice:
        """Look whether it is over."""
        now, about = self._clock.now(), errand.parameters
        contact = self._decisions.read(store.id, about["contact_id"], Wanted()).contact
        if contact is None:
            return Slice()
        if contact.merging:  # the record may be on its way to where we would look
            return Slice(again_at=now + _MERGE_UNDER_WAY)
        gathering = self._records.get(store.id, contact.id, about["journey"])
        if gathering is None or gathering.over_at is not None or digest(gathering.first) != about["first"]:
            return Slice()
        journey = self._journeys.head(store.id, about["journey"])
        edition = self._gathering(journey)
        try:
            if journey is None or edition is None:
                over = gathering.model_copy(update={"over_at": gathering.last_at})
                self._records.save(contact.id, over)
                return Slice()
            look_at = gathering.looked_at(edition.definition.trigger)
            if now < look_at:
                return Slice(again_at=look_at)
            self._finish(store, contact.id, journey, edition, gathering)
        except Conflict:
            return Slice(again_at=now)
        return Slice(done=1)

    def _gathering(self, journey: Journey | None) -> Edition | None:
        """What it gathers by, if it takes people in and does gather."""
        if journey is None or journey.status is not JourneyStatus.ACTIVE or journey.live_version is None:
            return None
        edition = self._published.get(journey.store_id, journey.id, journey.live_version)
        return None if gathers(edition.definition.trigger) is None else edition

    def _note(self, store: Store, contact_id: str, journey: Journey, edition: Edition, event: Event, own: bool) -> None:
        for _ in range(_ATTEMPTS):
            try:
                if self._noted(store, contact_id, journey, edition, event, own):
                    return
            except Conflict:
                continue
        raise TryLater("what is gathered is being changed by others")

    def _noted(
        self, store: Store, contact_id: str, journey: Journey, edition: Edition, event: Event, own: bool
    ) -> bool:
        """False: look once more. Raises `Conflict`."""
        known, now = self._records.get(store.id, contact_id, journey.id), self._clock.now()
        if known is not None and known.over_at is None:
            if event.occurred_at > known.ends_at(edition.definition.trigger):  # over, though nobody looked yet
                self._finish(store, contact_id, journey, edition, known)
                return False
            changed = added(known, event, now) if own else moved(known, event, now)
            if changed != known:
                known = self._records.save(contact_id, changed)
        elif not own or (known is not None and known.over_at is not None and event.occurred_at <= known.over_at):
            return True  # it belongs to what is over
        else:
            known = self._records.save(contact_id, begun(known, store.id, journey.id, event, now))
        if not known.sent:
            self._send_for(store, contact_id, edition, known)
        return True

    def _send_for(self, store: Store, contact_id: str, edition: Edition, gathering: Gathering) -> None:
        first = digest(gathering.first)
        parameters = {"journey": gathering.journey, "contact_id": contact_id, "first": first}
        key = f"{gathering.journey}:{contact_id}:{first}"
        at = gathering.looked_at(edition.definition.trigger)
        self._errands().begin(store, GATHER, key, parameters, at=at)
        self._records.save(contact_id, gathering.model_copy(update={"sent": True}))

    def _finish(self, store: Store, contact_id: str, journey: Journey, edition: Edition, gathering: Gathering) -> None:
        """Raises `Conflict` if more was gathered meanwhile: told again then, it is the same event."""
        event = self._with_goods(store.id, told(gathering, edition.definition.trigger))
        self._enter(store, contact_id, journey, event)
        self._records.save(contact_id, gathering.model_copy(update={"over_at": event.occurred_at}))

    def _with_goods(self, store_id: str, event: Event) -> Event:
        """As the catalogue has its items: names, pictures, pages, categories."""
        wanted = products_in(event)
        if not wanted:
            return event
        known = self._products.get_many(store_id, sorted(wanted))
        whole = enriched(event, known)
        for item in whole.properties["items"]:
            record = known.get(str(item.get("product_id")))
            if not item.get("name") and record is not None and record.current is not None:
                item["name"] = record.current.name
        return whole
