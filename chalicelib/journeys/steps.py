"""What a journey's state machine calls: does the steps of one task for one enrolment, each at most once.

Whatever is asked is asked again after a crash or a lost answer. So a step that was done is known from the
enrolment's history (a branch or split keeps the way it took), a message from its claim, and every change to the
enrolment is written over the revision that was read: if somebody else was quicker, all is looked at anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from chalicelib.clock import Clock, rfc3339
from chalicelib.commerce.store import Store
from chalicelib.errors import Conflict, TryLater, told
from chalicelib.ids import contact_of
from chalicelib.journeys.actions import Branch, Split, Step, Wait
from chalicelib.journeys.acts import Acts, Passing
from chalicelib.journeys.conditions import Condition, evaluate
from chalicelib.journeys.enrolment import Enrolment, EnrolmentStatus
from chalicelib.journeys.exits import CartExits, exit_reason, order_of, token_in
from chalicelib.journeys.facts import messages_asked, newest_cart_asked, on_the_way, orders_asked, subjects_asked
from chalicelib.journeys.journey import JourneyStatus
from chalicelib.journeys.passages import answer, ended, held, noted, resumed_here, waiting
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
    ProductRecords,
    ProviderBusy,
    Sender,
    StepFailed,
    Wanted,
)
from chalicelib.journeys.published import Published
from chalicelib.journeys.waits import Waits

_ATTEMPTS = 10
Following = str | dict[str, str | None] | None
"""The step after this task: an id, None where the journey is over, or one of these for each way that it may go."""


class Steps:
    def __init__(
        self,
        decisions: DecisionRecords,
        journeys: JourneyRecords,
        enrolments: EnrolmentRecords,
        products: ProductRecords,
        book: ContactChanges,
        listener: EventListener,
        sender: Sender,
        clock: Clock,
    ) -> None:
        self._decisions = decisions
        self._journeys = journeys
        self._enrolments = enrolments
        self._acts = Acts(decisions, enrolments, book, listener, sender, clock)
        self._clock = clock
        self._published = Published(journeys)
        self._waits = Waits(products)
        self._cart_exits = CartExits(decisions)

    def run(
        self, store_id: str, enrolment_id: str, generation: int, steps: Sequence[str], next: Following = None
    ) -> dict[str, Any]:
        """Do these steps and answer {"until"?: end of the computed wait that follows (RFC 3339), "go"?: the way}.

        Raises `Ended`, `Held`, `NotNow` and `ProviderBusy` as described in `ports`, and `TryLater` when a part that
        is needed is out. Any other error ends the enrolment as failed, and becomes `StepFailed`.
        """
        for _ in range(_ATTEMPTS):
            try:
                return self._attempt(store_id, enrolment_id, generation, steps, next)
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

    def _attempt(
        self, store_id: str, enrolment_id: str, generation: int, steps: Sequence[str], following: Following
    ) -> dict[str, Any]:
        found = self._decisions.read(store_id, contact_of(enrolment_id), Wanted(store=True, enrolment=enrolment_id))
        enrolment = found.enrolment
        if enrolment is None or enrolment.generation != generation:
            raise Ended("no such enrolment in this generation")
        if enrolment.status is EnrolmentStatus.HELD:
            raise Held("the journey is paused")
        if enrolment.status is not EnrolmentStatus.RUNNING:
            raise Ended(f"the enrolment is over: {enrolment.status}")
        if found.store is None:
            self._end(enrolment, EnrolmentStatus.STOPPED, "store_deleted")
        return self._pass(found.store, enrolment, steps, following)

    def _pass(self, store: Store, enrolment: Enrolment, steps: Sequence[str], following: Following) -> dict[str, Any]:
        definition = self._published.get(store.id, enrolment.journey, enrolment.version).definition
        todo = [definition.step(step) for step in steps]
        conditions = [step.condition for step in todo if isinstance(step, Branch)]
        conditions += [definition.goal] if definition.goal else []
        found = self._around(enrolment, conditions)
        first = steps[0] if steps else following if isinstance(following, str) else None
        enrolment = self._may_go_on(enrolment, found, definition.step(first) if first else None)
        facts = on_the_way(enrolment, conditions, found, self._clock.now())
        if facts is None:
            raise Ended("the contact is gone")
        if definition.goal is not None and evaluate(definition.goal, facts):
            self._end(enrolment, EnrolmentStatus.GOAL_MET, "goal_met")
        if over := self._cart_exits.reason(enrolment, found.carts):
            self._end(enrolment, EnrolmentStatus.EXITED, over)
        cart = found.carts.get(token_in(enrolment.event) or "")
        passing = Passing(store, enrolment, enrolment.model_copy(update={"started": True}), facts, cart)
        for step in todo:
            self._do(step, passing)
        after = following.get(passing.go or "") if isinstance(following, dict) else following
        return self._onward(passing, definition.step(after) if after else None)

    def _around(self, enrolment: Enrolment, conditions: Sequence[Condition]) -> Found:
        """What this enrolment may go on by, and just what these conditions ask for, read at once."""
        order_id, token = order_of(enrolment.event), token_in(enrolment.event)
        wanted = Wanted(
            journey=enrolment.journey,
            orders=orders_asked(conditions, enrolment.event) | ({order_id} if order_id else set()),
            carts=[token] if token else [],
            newest_cart=newest_cart_asked(conditions, enrolment.event),
            messages=list(messages_asked(conditions, enrolment.id)),
            subjects=subjects_asked(conditions, enrolment.event),
        )
        return self._decisions.read(enrolment.store_id, enrolment.contact_id, wanted)

    def _may_go_on(self, enrolment: Enrolment, found: Found, step: Step | None) -> Enrolment:
        """Held while the journey is paused; over when journey or order are."""
        if found.journey is None:
            self._end(enrolment, EnrolmentStatus.STOPPED, "store_deleted")
        if found.journey.status is JourneyStatus.STOPPED:
            self._end(enrolment, EnrolmentStatus.STOPPED, "journey_stopped")
        if reason := exit_reason(found.orders.get(order_of(enrolment.event) or "")):
            self._end(enrolment, EnrolmentStatus.EXITED, reason)
        if found.journey.status is JourneyStatus.PAUSED and step is not None:
            return self._hold(enrolment, step)
        return enrolment

    def _hold(self, enrolment: Enrolment, step: Step) -> Enrolment:
        """Raises `Held`, unless the journey was resumed at this very moment and the sweep may have missed us."""
        now = self._clock.now()
        if isinstance(step, Wait):  # it begins now, paused or not
            until = self._waits.end(enrolment.store_id, step, enrolment.event, now)
            enrolment = waiting(enrolment, now, step.id, until)
        stopped = self._enrolments.save(held(enrolment, now, step.id))
        journey = self._journeys.head(enrolment.store_id, enrolment.journey)
        if journey is None or journey.status is JourneyStatus.PAUSED:
            raise Held("the journey is paused")
        return self._enrolments.save(resumed_here(stopped, self._clock.now()))

    def _do(self, step: Step, passing: Passing) -> None:
        done = answer(passing.enrolment, step.id)
        if done is None:
            detail = self._acts.do(step, passing)
            passing.enrolment = noted(passing.enrolment, self._clock.now(), "step", step.id, detail)
        else:
            detail = done.detail
        if isinstance(step, Branch | Split):
            passing.go = detail

    def _onward(self, passing: Passing, following: Step | None) -> dict[str, Any]:
        """Record where the enrolment is now, and tell the state machine what it must know."""
        enrolment, now = passing.enrolment, self._clock.now()
        answered: dict[str, Any] = {"go": passing.go} if passing.go else {}
        if following is None:
            self._enrolments.save(ended(enrolment, now, EnrolmentStatus.COMPLETED, "completed"))
            return answered
        if isinstance(following, Wait):
            if enrolment.at_step != following.id or enrolment.due_at is None:
                due_at = self._waits.end(enrolment.store_id, following, enrolment.event, now)
                enrolment = waiting(enrolment, now, following.id, due_at)
            if following.computed:
                answered["until"] = rfc3339(enrolment.due_at or now)
        else:
            enrolment = enrolment.model_copy(update={"at_step": following.id, "due_at": None})
        if enrolment != passing.read:
            self._enrolments.save(enrolment)
        return answered

    def _end(self, enrolment: Enrolment, status: EnrolmentStatus, reason: str) -> NoReturn:
        self._enrolments.save(ended(enrolment, self._clock.now(), status, reason))
        raise Ended(reason)
