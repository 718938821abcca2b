"""What if this journey had run: who would have entered, which way each went, what was sent, what it would have cost.

The very Enroller, Steps, policy and state machine that do the work are run over the store's past on a virtual clock
(`journeys.rehearsal`), one contact after the other; only sums are kept, so memory does not grow with the contacts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from chalicelib.commerce.store import Store
from chalicelib.journeys.definition import Definition
from chalicelib.journeys.past import Past
from chalicelib.journeys.ports import ProductRecords
from chalicelib.journeys.rehearsal import UNOPENED, Assume, Rehearsal
from chalicelib.journeys.rehearsed_days import may_be_due
from chalicelib.journeys.triggers import DateTrigger, HolidayTrigger, InactivityTrigger, ThresholdTrigger, event_type
from chalicelib.journeys.what_if_answer import WhatIf
from chalicelib.journeys.what_if_tally import Tally


def what_if(
    definition: Definition,
    store: Store,
    pasts: Iterable[Past],
    start: datetime,
    end: datetime,
    products: ProductRecords,
    journey_id: str = "what-if",
    assume: Assume = UNOPENED,
    enough: Callable[[], bool] = lambda: False,
    meanwhile: Callable[[], object] = lambda: None,
) -> WhatIf:
    """`enough` is asked after each contact; what is left is not looked at then. `meanwhile` is called again and again
    on the way; what it raises ends it.
    """
    rehearsal = Rehearsal(store, journey_id, definition, products, start, assume)
    tally = Tally(rehearsal, end)
    for past in pasts:
        tally.contacts += 1
        if may_begin(definition, past, start, end):
            rehearsal.run(past, end, meanwhile)
            tally.add()
        if enough():
            break
    return tally.answer()


def may_begin(definition: Definition, past: Past, start: datetime, end: datetime) -> bool:
    """Whether anything in the contact's past could have begun the journey: most of a store's contacts need no more."""
    if isinstance(definition.trigger, DateTrigger | HolidayTrigger | InactivityTrigger):
        return may_be_due(definition.trigger, past)
    # A threshold is reached by an order, and nobody told of it while no journey asked.
    wanted = "order_paid" if isinstance(definition.trigger, ThresholdTrigger) else event_type(definition.trigger)
    return any(event.type == wanted and start <= event.occurred_at <= end for event in past.events)
