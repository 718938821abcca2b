"""Orders that came in another order than they were paid: which enrolments would stand had they not, and how they read.

What a message was claimed of stays as it is. Everything here may be repeated and ends in the same records.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from chalicelib.clock import Clock, parse_rfc3339
from chalicelib.commerce.event import FRESH, Event
from chalicelib.ids import message_id
from chalicelib.journeys.actions import Wait
from chalicelib.journeys.enrolment import Enrolment, EnrolmentStatus
from chalicelib.journeys.enrolment_changes import MAY_BE_WITHDRAWN, EnrolmentChanges
from chalicelib.journeys.entry import OF_ORDERS, STARTED_BY, happened_after, matches, place, same_words
from chalicelib.journeys.exits import ON_ORDERS
from chalicelib.journeys.facts import as_entered, entered_since, wanted_for, with_catalogue
from chalicelib.journeys.plan import first_step
from chalicelib.journeys.ports import DecisionRecords, ProductRecords, TimelineRecords, Wanted
from chalicelib.journeys.published import Edition, Published
from chalicelib.journeys.reentry import ONE_OF_SEVERAL
from chalicelib.journeys.waits import Waits

_PAGE = 100


class TrueOrder:
    def __init__(
        self,
        decisions: DecisionRecords,
        products: ProductRecords,
        timeline: TimelineRecords,
        published: Published,
        changes: EnrolmentChanges,
        clock: Clock,
    ) -> None:
        self._decisions, self._products, self._timeline = decisions, products, timeline
        self._published, self._changes, self._clock = published, changes, clock
        self._waits = Waits(products)

    def recent_orders(self, store_id: str, contact_id: str) -> list[Event]:
        """Order events that may still begin something, oldest first, as the timeline has them now."""
        recent = self.since(store_id, contact_id, self._clock.now() - FRESH)
        return sorted((event for event in recent if event.type in ON_ORDERS), key=place)

    def put_right(self, enrolments: Iterable[Enrolment], orders: Sequence[Event]) -> None:
        """Withdraw what would not have begun, and let the others' events read as they do now.

        `enrolments` are all of one contact, `orders` its `recent_orders`.
        """
        now, mine = self._clock.now(), list(enrolments)
        taken = {(enrolment.journey, enrolment.event.get("id")) for enrolment in mine}
        for enrolment in mine:
            others = [event for event in orders if (enrolment.journey, event.id) not in taken]
            if self._is_misplaced(enrolment, others, now):
                self._changes.withdraw(enrolment)
            else:
                self._reread(enrolment, now)

    def is_untouched(self, enrolment: Enrolment) -> bool:
        """No message of it was claimed, and it is not further than that."""
        if enrolment.status not in MAY_BE_WITHDRAWN:
            return False
        sends = [
            found.step.id
            for found in self._edition_of(enrolment).definition.located()
            if found.step.type.startswith("send_")
        ]
        wanted = Wanted(messages=[message_id(enrolment.id, step) for step in sends])
        return not self._decisions.read(enrolment.store_id, enrolment.contact_id, wanted).messages

    def _is_misplaced(self, enrolment: Enrolment, others: Sequence[Event], now: datetime) -> bool:
        """Whether it would not be there, or not with this event, had all orders come in their true order."""
        if enrolment.event.get("type") not in ON_ORDERS or STARTED_BY in enrolment.event.get("properties", {}):
            return False
        if enrolment.status is EnrolmentStatus.GOAL_MET and entered_since(enrolment) <= now - FRESH:
            return False  # its event would start nothing any more, and it reached what it was for
        if not self.is_untouched(enrolment):
            return False
        edition = self._edition_of(enrolment)
        store_id, contact_id = enrolment.store_id, enrolment.contact_id
        today = self._told_today(enrolment)
        if today is not None and not self._would_enter(store_id, contact_id, edition, today, now):
            return True
        if today is not None and self._waits_otherwise(enrolment, edition, today, now):
            return True
        return edition.definition.reentry.mode in ONE_OF_SEVERAL and any(
            happened_after(enrolment, event) and self._would_enter(store_id, contact_id, edition, event, now)
            for event in others
        )

    def _would_enter(self, store_id: str, contact_id: str, edition: Edition, event: Event, now: datetime) -> bool:
        where = edition.definition.trigger.where
        wanted = wanted_for([where] if where else [], as_entered(event))
        return matches(edition, event, self._decisions.read(store_id, contact_id, wanted), now)

    def _waits_otherwise(self, enrolment: Enrolment, edition: Edition, today: Event, now: datetime) -> bool:
        """Whether a lifetime that was not known when it entered moves the end of its first wait."""
        first, due = first_step(edition.definition), enrolment.due_at
        if not isinstance(first, Wait) or first.lifetime is None or enrolment.at_step != first.id:
            return False
        if due is None or due <= now or today.occurred_at <= now - FRESH:
            return False
        return self._waits.lifetime_end(enrolment.store_id, first.lifetime, as_entered(today), now) != due

    def _reread(self, enrolment: Enrolment, now: datetime) -> None:
        """Its event in the words of the oldest telling and with what the catalogue says, whichever came first."""
        if enrolment.event.get("type") not in OF_ORDERS or not self.is_untouched(enrolment):
            return
        today = self._told_today(enrolment)
        if today is None or today.occurred_at <= now - FRESH:
            return

        def reread(present: Enrolment) -> Enrolment:
            return present if same_words(present, today) else present.model_copy(update={"event": as_entered(today)})

        self._changes.change(enrolment, reread)

    def _edition_of(self, enrolment: Enrolment) -> Edition:
        return self._published.get(enrolment.store_id, enrolment.journey, enrolment.version)

    def _told_today(self, enrolment: Enrolment) -> Event | None:
        """The enrolment's event as it reads now: its time and its order's rank may have changed since."""
        since = parse_rfc3339(enrolment.event["occurred_at"]) - FRESH
        events = self.since(enrolment.store_id, enrolment.contact_id, since)
        return next((event for event in events if event.id == enrolment.event["id"]), None)

    def since(self, store_id: str, contact_id: str, moment: datetime) -> list[Event]:
        """The contact's timeline from this moment on, newest first, as journeys are told it."""
        found: list[Event] = []
        before: str | None = None
        while page := self._timeline.of_contact(store_id, contact_id, before=before, limit=_PAGE, since=moment):
            found += page
            if len(page) < _PAGE:
                break
            before = self._timeline.sort_key(page[-1])
        return with_catalogue(self._products, store_id, (event for event in found if event.occurred_at >= moment))
