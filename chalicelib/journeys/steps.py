"""What a journey's state machine calls: does the steps of one task for one enrolment, each at most once.

Whatever is asked is asked again after a crash or a lost answer. So a step that was done is known from the
enrolment's history (a branch or split keeps the way it took), a message from its claim, and every change to the
enrolment is written over the revision that was read: if somebody else was quicker, all is looked at anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NoReturn

from chalicelib.clock import Clock
from chalicelib.commerce.store import Store
from chalicelib.contacts.contact import Contact
from chalicelib.errors import Conflict, TryLater, told
from chalicelib.ids import contact_of
from chalicelib.journeys.actions import Branch, Split, Step, Wait
from chalicelib.journeys.acts import Acts
from chalicelib.journeys.conditions import Condition, evaluate
from chalicelib.journeys.definition import Definition, asked_by
from chalicelib.journeys.enrolment import Enrolment, EnrolmentStatus
from chalicelib.journeys.exits import CartExits, exit_reason, order_of, token_in
from chalicelib.journeys.facts import on_the_way, steps_of, wanted_for
from chalicelib.journeys.journey import JourneyStatus
from chalicelib.journeys.launch import Launcher, time_left
from chalicelib.journeys.limits import LONGEST_EXECUTION
from chalicelib.journeys.parked import Awaited, has_happened, parked_in
from chalicelib.journeys.passages import (
    answer,
    ended,
    failure,
    handed_over,
    happened,
    held,
    noted,
    resumed_here,
    timed_out,
    waiting,
)
from chalicelib.journeys.passing import Passing
from chalicelib.journeys.plan import plan
from chalicelib.journeys.ports import (
    ContactChanges,
    DecisionRecords,
    Ended,
    EnrolmentRecords,
    EventListener,
    Found,
    Held,
    JourneyRecords,
    NotNow,
    Outside,
    ProductRecords,
    ProviderBusy,
    Sender,
    StepCannot,
    StepFailed,
    TimelineRecords,
    Wanted,
    Workflows,
)
from chalicelib.journeys.published import Published
from chalicelib.journeys.waits import Waits, asks_contact

_ATTEMPTS = 10
_MAY_WAKE_EARLY = timedelta(minutes=1)  # the service's clock is not ours
_MAY_PARK_LATE = timedelta(minutes=1)
_SHARE_LATE = 200  # or so small a part of what is left, whichever is longer
Following = str | dict[str, str | None] | None
"""The step after this task: an id, None where the journey is over, or one of these for each way that it may go."""


class Steps:
    def __init__(
        self,
        decisions: DecisionRecords,
        journeys: JourneyRecords,
        enrolments: EnrolmentRecords,
        products: ProductRecords,
        timeline: TimelineRecords,
        book: ContactChanges,
        listener: EventListener,
        sender: Sender,
        workflows: Workflows,
        outside: Outside,
        clock: Clock,
    ) -> None:
        self._decisions = decisions
        self._journeys = journeys
        self._enrolments = enrolments
        self._acts = Acts(decisions, enrolments, book, listener, sender, outside, clock)
        self._clock = clock
        self._published = Published(journeys)
        self._launcher = Launcher(self._published, enrolments, workflows, clock)
        self._workflows = workflows
        self._waits = Waits(products)
        self._awaited = Awaited(decisions, products, timeline)
        self._cart_exits = CartExits(decisions)

    def run(
        self, store_id: str, enrolment_id: str, generation: int, steps: Sequence[str], next: Following = None
    ) -> dict[str, Any]:
        """Do these steps and answer {"until"?: end of the computed wait that follows (RFC 3339), "seconds"?: limit of
        the wait for an event that follows, "go"?: the way}.

        Raises `Ended`, `Held`, `NotNow` and `ProviderBusy` as described in `ports`, and `TryLater` when a part that
        is needed is out. Any other error ends the enrolment as failed, and becomes `StepFailed`.
        """

        def go(store: Store, enrolment: Enrolment) -> dict[str, Any]:
            return self._pass(store, enrolment, steps, next)

        return self._do_once(store_id, enrolment_id, generation, go)

    def park(
        self, store_id: str, enrolment_id: str, generation: int, step: str, token: str, seconds: int
    ) -> dict[str, Any]:
        """Wait in this step for its event with the state machine's task token, which is valid for so many seconds.

        The token is answered at once if the event came already, or the time is over. Parking again is harmless.
        Raises as `run` does.
        """

        def wait(store: Store, enrolment: Enrolment) -> dict[str, Any]:
            self._park(enrolment, step, token, seconds)
            return {}

        return self._do_once(store_id, enrolment_id, generation, wait)

    def _do_once(
        self, store_id: str, enrolment_id: str, generation: int, do: Callable[[Store, Enrolment], dict[str, Any]]
    ) -> dict[str, Any]:
        for _ in range(_ATTEMPTS):
            try:
                return do(*self._on_the_way(store_id, enrolment_id, generation))
            except Conflict:
                continue  # somebody changed the enrolment (or the contact) meanwhile
            except (Ended, Held, NotNow, ProviderBusy, TryLater):
                raise
            except Exception as mistake:  # noqa: BLE001 (whatever it is, the enrolment must say so)
                self._fail(store_id, enrolment_id, generation, f"error:{type(mistake).__name__}")
                raise StepFailed(told(mistake)) from None
        raise TryLater("the enrolment is being changed by others")

    def _fail(self, store_id: str, enrolment_id: str, generation: int, reason: str) -> None:
        """Nobody shall look as if still on the way whose execution failed; the error itself is in the log."""
        wanted = Wanted(enrolment=enrolment_id)
        enrolment = self._decisions.read(store_id, contact_of(enrolment_id), wanted).enrolment
        if enrolment is not None and enrolment.open and enrolment.generation == generation:
            try:
                self._enrolments.save(ended(enrolment, self._clock.now(), EnrolmentStatus.FAILED, reason))
            except Conflict:
                raise TryLater("the enrolment is being changed by others") from None

    def _on_the_way(self, store_id: str, enrolment_id: str, generation: int) -> tuple[Store, Enrolment]:
        found = self._decisions.read(store_id, contact_of(enrolment_id), Wanted(store=True, enrolment=enrolment_id))
        enrolment = found.enrolment
        if enrolment is None or enrolment.generation != generation:
            if enrolment is not None:
                self._launcher.launch(enrolment)  # a crash may have come between its record and its start
            raise Ended("no such enrolment in this generation")
        if enrolment.status is EnrolmentStatus.HELD:
            raise Held("the journey is paused")
        if enrolment.status is not EnrolmentStatus.RUNNING:
            raise Ended(f"the enrolment is over: {enrolment.status}")
        if found.store is None:
            self._end(enrolment, EnrolmentStatus.STOPPED, "store_deleted")
        return found.store, enrolment

    def _pass(self, store: Store, enrolment: Enrolment, steps: Sequence[str], following: Following) -> dict[str, Any]:
        definition = self._published.get(store.id, enrolment.journey, enrolment.version).definition
        first = steps[0] if steps else following if isinstance(following, str) else None
        read, enrolment = enrolment, self._after_wait(definition, enrolment, first)
        todo = [definition.step(step) for step in steps]
        conditions = [condition for step in todo for condition in asked_by(step)]
        conditions += [definition.goal] if definition.goal else []
        found = self._around(enrolment, conditions)
        enrolment = self._may_go_on(store, enrolment, found, definition.step(first) if first else None)
        facts = on_the_way(enrolment, conditions, found, self._clock.now())
        if facts is None:
            raise Ended("the contact is gone")
        if definition.goal is not None and evaluate(definition.goal, facts):
            self._end(enrolment, EnrolmentStatus.GOAL_MET, "goal_met")
        if over := self._cart_exits.reason(enrolment, found.carts):
            self._end(enrolment, EnrolmentStatus.EXITED, over)
        cart = found.carts.get(token_in(enrolment.event) or "")
        if steps and self._is_old(enrolment, self._clock.now()):
            self._hand_over(enrolment.model_copy(update={"at_step": first, "due_at": None}))
        passing = Passing(store, read, enrolment.model_copy(update={"started": True}), facts, cart)
        for step in todo:
            self._do(step, passing)
        after = following.get(passing.go or "") if isinstance(following, dict) else following
        return self._onward(passing, definition.step(after) if after else None)

    def _around(self, enrolment: Enrolment, conditions: Sequence[Condition]) -> Found:
        """What this enrolment may go on by, and just what these conditions ask for, read at once."""
        order_id, token = order_of(enrolment.event), token_in(enrolment.event)
        own = Wanted(journey=enrolment.journey, orders=[order_id] if order_id else [], carts=[token] if token else [])
        wanted = own | wanted_for(conditions, enrolment.event, enrolment.id)
        return self._decisions.read(enrolment.store_id, enrolment.contact_id, wanted)

    def _after_wait(self, definition: Definition, enrolment: Enrolment, first: str | None) -> Enrolment:
        """As it is when the wait before `first` is over. One that is not due yet goes on in the next generation."""
        wait = definition.step(enrolment.at_step) if enrolment.at_step else None
        if not isinstance(wait, Wait) or first is None or plan(definition).next_of(wait.id) != first:
            return enrolment
        if wait.until_event is not None and has_happened(enrolment, wait.id):
            return enrolment
        now, due_at = self._clock.now(), enrolment.due_at
        was_cut = due_at is not None and (wait.until_event is not None or self._is_old(enrolment, due_at))
        if due_at is not None and was_cut and due_at - now > _MAY_WAKE_EARLY:
            self._hand_over(enrolment)
        if wait.until_event is None or any(p.what == "timed_out" and p.step == wait.id for p in enrolment.history):
            return enrolment
        return timed_out(enrolment, now, wait.id)

    def _may_go_on(self, store: Store, enrolment: Enrolment, found: Found, step: Step | None) -> Enrolment:
        """Held while the journey is paused; over when journey or order are."""
        if found.journey is None:
            self._end(enrolment, EnrolmentStatus.STOPPED, "store_deleted")
        if found.journey.status is JourneyStatus.STOPPED:
            self._end(enrolment, EnrolmentStatus.STOPPED, "journey_stopped")
        if reason := exit_reason(found.orders.get(order_of(enrolment.event) or "")):
            self._end(enrolment, EnrolmentStatus.EXITED, reason)
        if found.journey.status is JourneyStatus.PAUSED and step is not None:
            return self._hold(store, enrolment, found.contact, step)
        return enrolment

    def _hold(self, store: Store, enrolment: Enrolment, contact: Contact | None, step: Step) -> Enrolment:
        """Raises `Held`, unless the journey was resumed at this very moment and the sweep may have missed us."""
        now = self._clock.now()
        if isinstance(step, Wait):  # it begins now, paused or not
            until = self._waits.end(store, step, contact, enrolment.event, now)
            enrolment = waiting(enrolment, now, step.id, until)
        stopped = self._enrolments.save(held(enrolment, now, step.id))
        journey = self._journeys.head(enrolment.store_id, enrolment.journey)
        if journey is None or journey.status is JourneyStatus.PAUSED:
            raise Held("the journey is paused")
        return self._enrolments.save(resumed_here(stopped, self._clock.now()))

    def _do(self, step: Step, passing: Passing) -> None:
        done = answer(passing.enrolment, step.id)
        if done is None:
            try:
                detail = self._acts.do(step, passing)
            except StepCannot as cannot:
                detail = f"failed:{cannot}"
            now = self._clock.now()
            passing.enrolment = noted(passing.enrolment, now, "step", step.id, detail)
            passing.facts = replace(passing.facts, steps=steps_of(passing.enrolment, now))
        else:
            detail = done.detail
        if isinstance(step, Branch | Split):
            passing.go = detail
        if step.on_failure == "end" and (reason := failure(detail)):
            there = passing.enrolment.model_copy(update={"at_step": step.id})
            self._end(there, EnrolmentStatus.FAILED, f"{step.id}:{reason}")

    def _onward(self, passing: Passing, following: Step | None) -> dict[str, Any]:
        """Record where the enrolment is now, and tell the state machine what it must know."""
        enrolment, now = passing.enrolment, self._clock.now()
        answered: dict[str, Any] = {"go": passing.go} if passing.go else {}
        if following is None:
            self._enrolments.save(ended(enrolment, now, EnrolmentStatus.COMPLETED, "completed"))
            return answered
        if isinstance(following, Wait):
            if enrolment.at_step != following.id or enrolment.due_at is None:
                contact = self._contact_now(passing) if asks_contact(following) else passing.facts.contact
                due_at = self._waits.end(passing.store, following, contact, enrolment.event, now)
                enrolment = waiting(enrolment, now, following.id, due_at)
            if self._is_old(enrolment, enrolment.due_at or now):
                self._hand_over(enrolment)
            if following.computed:
                answered |= time_left(following, enrolment.due_at, now)
        else:
            enrolment = enrolment.model_copy(update={"at_step": following.id, "due_at": None})
        if enrolment != passing.read:
            self._enrolments.save(enrolment)
        return answered

    def _contact_now(self, passing: Passing) -> Contact:
        """A step of this very task may have changed the contact."""
        if not passing.changed:
            return passing.facts.contact
        found = self._decisions.read(passing.store.id, passing.facts.contact.id, Wanted())
        return found.contact or passing.facts.contact

    @staticmethod
    def _is_old(enrolment: Enrolment, moment: datetime) -> bool:
        """Whether the present execution may not last until then."""
        return moment - (enrolment.execution_at or enrolment.entered_at) > LONGEST_EXECUTION

    def _hand_over(self, enrolment: Enrolment) -> NoReturn:
        """Go on in the next generation, at `at_step`: its record first, and whoever asks after a crash starts it."""
        self._launcher.launch(self._enrolments.save(handed_over(enrolment, self._clock.now())))
        raise Ended("it goes on in an execution of the next generation")

    def _park(self, enrolment: Enrolment, step: str, token: str, seconds: int) -> None:
        if enrolment.at_step != step:
            return  # told twice: it went on meanwhile
        definition = self._published.get(enrolment.store_id, enrolment.journey, enrolment.version).definition
        wait, now = definition.step(step), self._clock.now()
        assert isinstance(wait, Wait)
        parked = parked_in(enrolment, step)
        tokened = parked.model_copy(update={"token": token})
        changed = enrolment.model_copy(update={"parked": tokened, "started": True})
        if parked.happened_at is None and (event := self._awaited.came_before(enrolment, wait, now)):
            changed = happened(changed, now, tokened, event.id)
        over = has_happened(changed, step) or now >= parked.until
        late = now + timedelta(seconds=seconds) - parked.until
        if not over and late > max(_MAY_PARK_LATE, (parked.until - now) / _SHARE_LATE):
            self._hand_over(enrolment)  # retries took long: a time-out that is set anew ends when the wait does
        if changed != enrolment:
            self._enrolments.save(changed)
        if over:
            self._workflows.answer(token, {})

    def _end(self, enrolment: Enrolment, status: EnrolmentStatus, reason: str) -> NoReturn:
        self._enrolments.save(ended(enrolment, self._clock.now(), status, reason))
        raise Ended(reason)
