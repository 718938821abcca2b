"""What any shop's story is made of: acts at their hours, and what must have come of them in the end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from local.demo.carts import CartCall
from local.demo.delivery import Delivery
from local.demo.shop import Shopper

DAY = timedelta(days=1)
END = timedelta(days=11)
# Carts are filled between one and three at night and count as left in the morning, when quiet hours are over. Nine
# hours, not one: on the demo's clock half a day is a few seconds, and a machine that lags must not turn the story.
FIRST_NIGHT, SECOND_NIGHT = timedelta(hours=2), timedelta(hours=26)
LEFT_AFTER = timedelta(hours=9)
ERASED = "somebody who was erased"  # stands for the address: that a message was sent stays known, to whom does not


@dataclass(frozen=True)
class Outcome:
    """One message that must be there in the end: `result` is `sent`, or the reason it was not."""

    email: str
    journey: str
    step: str
    result: str


@dataclass(frozen=True)
class Act:
    """At `at` (since the story's start) `deliveries` and then `carts` arrive; `then` names what else somebody does."""

    at: timedelta
    what: str
    deliveries: tuple[Delivery, ...] = ()
    carts: tuple[CartCall, ...] = ()
    then: str | None = None
    who: Shopper | None = None


@dataclass(frozen=True)
class Left:
    """What must have become of a cart: whether it counted as left, its state, and the order that came of it."""

    abandoned: bool
    state: str
    order_id: int | None = None


@dataclass
class Story:
    """One shop's. `steps` maps each journey to its sending steps, first to last; `secret` signs what the shop says.

    `carts` by their tokens; `no_carts` are tokens of which no cart may come. `expected` counts every message that must
    be there; `optional` may be: their hour lies beyond the end. `erased` are those of whom nothing may be left, with
    their orders.
    """

    start: datetime
    pictures: str
    steps: dict[str, list[str]]
    secret: str
    acts: list[Act] = field(default_factory=list)
    carts: dict[str, Left] = field(default_factory=dict)
    no_carts: list[str] = field(default_factory=list)
    expected: Counter[Outcome] = field(default_factory=Counter)
    optional: Counter[Outcome] = field(default_factory=Counter)
    erased: dict[Shopper, tuple[int, ...]] = field(default_factory=dict)

    def add(
        self,
        at: timedelta,
        what: str,
        *told: Delivery | CartCall,
        then: str | None = None,
        who: Shopper | None = None,
    ) -> None:
        deliveries = tuple(one for one in told if isinstance(one, Delivery))
        self.acts.append(Act(at, what, deliveries, tuple(one for one in told if isinstance(one, CartCall)), then, who))

    def expect(self, email: str, journey: str, *results: str, optional: bool = False) -> None:
        """The journey's sending steps in order, one result each."""
        goal = self.optional if optional else self.expected
        goal.update(Outcome(email, journey, step, r) for step, r in zip(self.steps[journey], results, strict=False))


def hour_of(who: Shopper) -> timedelta:
    """When somebody comes to the shop first: one every half an hour of the first day."""
    return timedelta(hours=3, minutes=30 * who.number)


def filled(who: Shopper, night: timedelta) -> timedelta:
    """When somebody fills their cart in this night."""
    return night + timedelta(minutes=2 * who.number)


def evening_after(who: Shopper) -> timedelta:
    """Half a day after the first message about a cart of the second night, and half a day before the next."""
    return filled(who, SECOND_NIGHT) + LEFT_AFTER + timedelta(hours=12)
