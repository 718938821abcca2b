"""A journey's life: draft, active, paused, stopped, archived. People on their way keep the version they entered.

What each does to them: `pause` holds them when they wake, `resume` sends them on, `stop` ends them; `archive` takes
nobody in any more and hides the journey, and those on their way finish it. All may be repeated after a crash.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.clock import Clock, rfc3339
from chalicelib.commerce.store import Store
from chalicelib.errors import BadInput, Conflict, FieldMistake, NotFound, TryLater
from chalicelib.journeys.actions import OtherJourney
from chalicelib.journeys.compile import compile_journey, compile_resume
from chalicelib.journeys.coupon_terms import coupon_mistakes
from chalicelib.journeys.definition import Definition, warnings_of
from chalicelib.journeys.errands import Errand, Errands
from chalicelib.journeys.gathering import gathers
from chalicelib.journeys.journey import Journey, JourneyStatus, JourneyVersion
from chalicelib.journeys.multitude import LET_GO, MOVE, REDRIVE, STOP, SWEEP
from chalicelib.journeys.ports import JourneyRecords, Workflows
from chalicelib.journeys.texts import text_mistakes
from chalicelib.journeys.triggers import event_type
from chalicelib.messages.template import Words, with_words
from chalicelib.settings import Settings

_JOURNEY_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_ATTEMPTS = 10


class Lifecycle:
    def __init__(
        self,
        journeys: JourneyRecords,
        errands: Errands,
        workflows: Workflows,
        settings: Settings,
        clock: Clock,
        words: Callable[[str, str], Words | None] = lambda store_id, template: None,
    ) -> None:
        """`words` gives a template's, of this store's own or of the ready ones, by its name."""
        self._words = words
        self._journeys = journeys
        self._errands = errands
        self._workflows = workflows
        self._settings = settings
        self._clock = clock

    def save_draft(self, store: Store, journey_id: str, data: Any) -> tuple[Journey, list[FieldMistake]]:
        """Keep a definition (JSON data) as the draft, beside what is live. Returns what to warn about.

        Raises `BadInput` naming each mistake, `Conflict` for an archived journey.
        """
        if not _JOURNEY_ID.fullmatch(journey_id):
            expected = "1 to 40 of a-z, 0-9 and -, not beginning with -"
            raise BadInput("this is no journey id", [FieldMistake("id", f"expected {expected}")])
        definition = self.read(store, data)
        if mistakes := list(text_mistakes(definition)):
            raise BadInput("the journey has mistakes", mistakes)

        def with_draft(present: Journey | None) -> Journey:
            now = self._clock.now()
            journey = present or Journey(id=journey_id, store_id=store.id, created_at=now, updated_at=now)
            if journey.status is JourneyStatus.ARCHIVED:
                raise Conflict("the journey is archived")
            return journey.model_copy(
                update={"draft": definition.dump(), "name": dict(definition.name), "updated_at": now}
            )

        return self._change(store.id, journey_id, with_draft), self.warnings(store.id, definition)

    def read(self, store: Store, data: Any, more: Mapping[str, Words] | None = None) -> Definition:
        """A definition (JSON data), with the words of the templates that its steps name; `more` are those that come
        with it. Raises `BadInput`."""
        filled, mistakes = with_words(data, lambda name: (more or {}).get(name) or self._words(store.id, name))
        if mistakes:
            raise BadInput("the journey has mistakes", mistakes)
        return Definition.parse(filled)

    def warnings(self, store_id: str, definition: Definition) -> list[FieldMistake]:
        """What does not stop the journey, but its owner should know: see `definition.warnings_of`; and journeys that it
        starts or stops and that are not there."""
        found = warnings_of(definition)
        for place in definition.located():
            step = place.step
            if isinstance(step, OtherJourney) and self._journeys.head(store_id, step.journey) is None:
                found.append(
                    FieldMistake(f"{place.path}.journey", f"step {step.id!r}: there is no journey {step.journey!r} yet")
                )
        return found

    def activate(self, store: Store, journey_id: str) -> Journey:
        """Publish the draft as a new version and take people in; held people go on, in the version they entered.

        Without a change since the last version nothing is published. Raises `NotFound`, `Conflict` (archived), and
        `BadInput` naming what makes the journey start itself, and the coupons that the store's platform cannot make.
        """
        journey = self._get(store.id, journey_id)
        if journey.status is JourneyStatus.ARCHIVED:
            raise Conflict("an archived journey cannot be activated")
        definition = Definition.parse(journey.draft)
        if circles := _starts_itself(definition, journey_id):
            raise BadInput("the journey has mistakes", circles)
        if mistakes := list(coupon_mistakes(definition, store, self._clock.now())):
            raise BadInput("the shop cannot make the journey's coupons", mistakes)
        number = self._publish(journey, definition)

        def live(present: Journey | None) -> Journey:
            if present is None or present.status is JourneyStatus.ARCHIVED:
                raise Conflict("an archived journey cannot be activated")
            now, kind = self._clock.now(), event_type(definition.trigger)
            goes_on = present.status is JourneyStatus.ACTIVE and present.trigger_type == kind
            changes = {
                "status": JourneyStatus.ACTIVE,
                "active_since": present.active_since if goes_on else now,
                "live_version": max(number, present.live_version or 0),
                "trigger_type": kind,
                "has_goal": definition.goal is not None,
                "gathers": gathers(definition.trigger) is not None,
                "updated_at": now,
            }
            return present if number < (present.live_version or 0) else present.model_copy(update=changes)

        activated = self._change(store.id, journey_id, live)
        self._let_go_on(store, activated)
        return activated

    def pause(self, store: Store, journey_id: str) -> Journey:
        """Take nobody in; whoever wakes is held. Raises `NotFound`, `Conflict` unless active."""
        return self._move(store.id, journey_id, JourneyStatus.PAUSED, {JourneyStatus.ACTIVE})

    def resume(self, store: Store, journey_id: str) -> Journey:
        """Take people in again and send the held ones on, from where they were held.

        Raises `NotFound`, `Conflict` unless paused (or active: a resume that was interrupted is finished).
        """
        journey = self._move(store.id, journey_id, JourneyStatus.ACTIVE, {JourneyStatus.PAUSED})
        self._let_go_on(store, journey)
        return journey

    def stop(self, store: Store, journey_id: str, reason: str = "journey_stopped") -> Journey:
        """End everybody on the way (the first hundred at once) and take nobody in, until it is activated again.

        Raises `NotFound`, `Conflict`.

        `reason` is what each ended enrolment shows.
        """
        may_stop = {JourneyStatus.ACTIVE, JourneyStatus.PAUSED}
        journey = self._move(store.id, journey_id, JourneyStatus.STOPPED, may_stop)
        self._errands.begin(store, STOP, _key(journey), {"journey": journey_id, "reason": reason})
        return journey

    def stop_every(self, store: Store, reason: str = "journey_stopped") -> None:
        """Stop all journeys of a store that leaves."""
        for journey in self._journeys.of_store(store.id):
            if journey.status in (JourneyStatus.ACTIVE, JourneyStatus.PAUSED):
                self.stop(store, journey.id, reason)

    def archive(self, store: Store, journey_id: str) -> Journey:
        """Hide it for good and take nobody in; those on their way finish, held ones go on. Raises `NotFound`."""
        journey = self._move(store.id, journey_id, JourneyStatus.ARCHIVED, set(JourneyStatus))
        self._let_go_on(store, journey)
        return journey

    def _get(self, store_id: str, journey_id: str) -> Journey:
        journey = self._journeys.get(store_id, journey_id)
        if journey is None:
            raise NotFound("no such journey")
        return journey

    def _move(self, store_id: str, journey_id: str, to: JourneyStatus, allowed: set[JourneyStatus]) -> Journey:
        def moved(present: Journey | None) -> Journey:
            if present is None:
                raise NotFound("no such journey")
            if present.status is to:
                return present
            if present.status not in allowed:
                raise Conflict(f"a journey that is {present.status} cannot become {to}")
            now = self._clock.now()
            since = now if to is JourneyStatus.ACTIVE else present.active_since
            return present.model_copy(update={"status": to, "updated_at": now, "active_since": since})

        return self._change(store_id, journey_id, moved)

    def _change(self, store_id: str, journey_id: str, change: Callable[[Journey | None], Journey]) -> Journey:
        for _ in range(_ATTEMPTS):
            present = self._journeys.get(store_id, journey_id)
            changed = change(present)
            if changed == present:
                return changed
            try:
                return self._journeys.save(changed)
            except Conflict:
                continue
        raise TryLater("the journey is being changed by others")

    def _publish(self, journey: Journey, definition: Definition) -> int:
        """The number of the version that holds this definition: the live one, or a new one."""
        data = definition.dump()
        number = journey.live_version or 0
        for _ in range(_ATTEMPTS):
            standing = self._journeys.version(journey.store_id, journey.id, number) if number else None
            if standing is not None and standing.definition == data:
                return number
            if standing is None and number:
                try:
                    self._journeys.publish(self._made(journey, definition, number))
                except Conflict:
                    continue  # taken meanwhile: perhaps by the same definition
                return number
            number += 1
        raise TryLater("the journey is being published by others")

    def _made(self, journey: Journey, definition: Definition, number: int) -> JourneyVersion:
        name = f"{journey.store_id}-{journey.id}-{number}"
        arn = self._settings.step_function_arn
        return JourneyVersion(
            store_id=journey.store_id,
            journey=journey.id,
            version=number,
            definition=definition.dump(),
            machine=self._workflows.publish(name, compile_journey(definition, arn)),
            resume_machine=self._workflows.publish(f"{name}-resume", compile_resume(definition, arn)),
            published_at=self._clock.now(),
        )

    def move(self, store: Store, journey_id: str, to: int | None = None) -> Errand:
        """Everybody who is on the way in another version goes on in version `to` (the live one), at the same step.

        The errand's report counts who was moved and who could not be, by reason and step. Raises `NotFound`.
        """
        journey = self._get(store.id, journey_id)
        to = to or journey.live_version
        if to is None or self._journeys.version(store.id, journey_id, to) is None:
            raise NotFound("no such version")
        key = f"{journey_id}:{to}:{rfc3339(self._clock.now())}"
        return self._errands.begin(store, MOVE, key, {"journey": journey_id, "to": to})

    def redrive(self, store: Store, journey_id: str) -> Errand:
        """Everybody whose pass failed tries that step again. Raises `NotFound`, `Conflict` unless it is active."""
        journey = self._get(store.id, journey_id)
        if journey.status is not JourneyStatus.ACTIVE:
            raise Conflict(f"the journey is {journey.status}")
        key = f"{journey_id}:{rfc3339(self._clock.now())}"
        return self._errands.begin(store, REDRIVE, key, {"journey": journey_id})

    def sweep(self, store: Store, journey_id: str) -> Errand:
        """Everybody in it is looked at, from the first who ever entered. Raises `NotFound`."""
        journey = self._get(store.id, journey_id)
        now = self._clock.now()
        return self._errands.begin(store, SWEEP, f"{journey.id}:{rfc3339(now)}", {"journey": journey_id}, at=now)

    def _let_go_on(self, store: Store, journey: Journey) -> None:
        self._errands.begin(store, LET_GO, _key(journey), {"journey": journey.id})


def _key(journey: Journey) -> str:
    """The same for an act that is repeated after a crash, for it finds the journey changed already."""
    return f"{journey.id}:{journey.rev}"


def _starts_itself(definition: Definition, journey_id: str) -> list[FieldMistake]:
    """The only circle that a tree of steps can have."""
    return [
        FieldMistake(
            f"{place.path}.journey",
            f"step {place.step.id!r}: a journey cannot start itself; use reentry and its trigger",
        )
        for place in definition.located()
        if isinstance(place.step, OtherJourney)
        and (place.step.type, place.step.journey) == ("start_journey", journey_id)
    ]
