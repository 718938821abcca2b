"""The schedule of journeys that begin by the calendar: which days are due, each begun as an errand, once.

Looked at every few minutes. A day is due when its time of day has come in the store's zone; what nobody looked for (a
deployment, an outage) is made up at the next look, up to `due_days.MADE_UP` days back, older days are noted as skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

from chalicelib.clock import Clock
from chalicelib.commerce.store import Store
from chalicelib.errors import Conflict
from chalicelib.journeys.due_days import CalendarTrigger, asks_index, concerns_anybody, days_to_do
from chalicelib.journeys.errands import Errands
from chalicelib.journeys.journey import Journey, JourneyStatus
from chalicelib.journeys.local_time import zone_of
from chalicelib.journeys.ports import JourneyRecords
from chalicelib.journeys.published import Published
from chalicelib.journeys.triggers import ON_SCHEDULE, DateTrigger, HolidayTrigger, InactivityTrigger

DUE = "due"
INDEX_DATES = "index_dates"
_SKIPPED_SHOWN = 60
_ALL = "contacts"


class Done(BaseModel):
    """Of one journey: every day until `until` is decided; `skipped` were too long ago to be made up, the newest."""

    model_config = ConfigDict(frozen=True)

    until: date
    skipped: tuple[date, ...] = ()


class Ledger(BaseModel):
    """Of one store. `indexed`: contacts of before the index of days was there are in it. `rev` counts writes."""

    model_config = ConfigDict(frozen=True)

    store_id: str
    indexed: bool = False
    done: dict[str, Done] = Field(default_factory=dict)
    rev: int = 0


class Ledgers(Protocol):
    """`storage.calendar.Ledgers`."""

    def get(self, store_id: str) -> Ledger | None: ...

    def save(self, ledger: Ledger) -> Ledger:
        """Raises `Conflict` if somebody was quicker."""
        ...


class Calendar:
    def __init__(self, journeys: JourneyRecords, ledgers: Ledgers, errands: Errands, clock: Clock) -> None:
        self._journeys, self._ledgers, self._errands, self._clock = journeys, ledgers, errands, clock
        self._published = Published(journeys)

    def look(self, store: Store) -> int:
        """Begin what is due in this store; how many errands that was. Raises `TryLater`: look again.

        A day is noted as done after its errand is there, and the errand's name makes it one: whatever is interrupted
        or done twice at once begins the same errands.
        """
        live = list(self._live(store))
        if not live:
            return 0
        before = self._ledgers.get(store.id) or Ledger(store_id=store.id)
        ledger, now, begun = before, self._clock.now(), 0
        if not ledger.indexed and any(asks_index(trigger) for _, trigger in live):
            ledger = ledger.model_copy(update={"indexed": self._has_indexed(store)})
        for journey, trigger in live:
            if asks_index(trigger) and not ledger.indexed:
                continue  # who is not in the index yet would be forgotten: these days wait for it
            ledger, count = self._catch_up(store, journey, trigger, ledger, now)
            begun += count
        if ledger != before:
            with suppress(Conflict):  # another look was quicker: it notes the same, or the next one does
                self._ledgers.save(ledger)
        return begun

    def _live(self, store: Store) -> Iterator[tuple[Journey, CalendarTrigger]]:
        for journey in self._journeys.of_store(store.id):
            if journey.status is not JourneyStatus.ACTIVE or journey.trigger_type not in ON_SCHEDULE:
                continue
            if journey.live_version is not None:
                trigger = self._published.get(store.id, journey.id, journey.live_version).definition.trigger
                if isinstance(trigger, DateTrigger | HolidayTrigger | InactivityTrigger):
                    yield journey, trigger

    def _has_indexed(self, store: Store) -> bool:
        return self._errands.begin(store, INDEX_DATES, _ALL).ended_at is not None

    def _catch_up(
        self, store: Store, journey: Journey, trigger: CalendarTrigger, ledger: Ledger, now: datetime
    ) -> tuple[Ledger, int]:
        done = ledger.done.get(journey.id)
        zone = zone_of(store.timezone)
        since = journey.active_since or journey.updated_at
        days = days_to_do(trigger, zone, since, done.until if done else None, now)
        due = [day for day in days.due if concerns_anybody(trigger, day)]
        for day in due:
            about = {
                "journey": journey.id,
                "version": journey.live_version,
                "day": day.isoformat(),
                "zone": store.timezone,
            }
            self._errands.begin(store, DUE, f"{journey.id}:{day.isoformat()}", about, at=now)
        if days.through is None or (done is not None and days.through == done.until):
            return ledger, len(due)
        skipped = ((done.skipped if done else ()) + days.skipped)[-_SKIPPED_SHOWN:]
        kept = {**ledger.done, journey.id: Done(until=days.through, skipped=skipped)}
        return ledger.model_copy(update={"done": kept}), len(due)
