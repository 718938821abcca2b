"""The re-entry rule's answer to one event: under which key it may enter, if at all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from chalicelib.commerce.event import Event
from chalicelib.journeys.definition import Reentry
from chalicelib.journeys.enrolment import Enrolment, EnrolmentStatus
from chalicelib.journeys.facts import entered_since

ONCE = "once"
_KEY_PROPERTY = {"per_order": "order_id", "per_cart": "cart_token"}
_COUNTED = frozenset({"after_days", "once_at_a_time"})
ONE_OF_SEVERAL = frozenset({ONCE, *_COUNTED})
"""Modes in which one event that entered keeps others out."""


def entry_key(reentry: Reentry, event: Event, before: Sequence[Enrolment]) -> str | None:
    """The key of the enrolment that this event may make; None where the rule refuses.

    `before`: the contact's enrolments in this journey, oldest first. Counted keys (`r1`, `r2`, …) make two events
    that come at the same moment ask for the same key, so that the conditional put lets one of them in. Rules look
    at when the event happened, so telling it again later does not change the answer.
    """
    if reentry.mode == ONCE:
        return ONCE
    if reentry.mode not in _COUNTED:
        named = event.properties.get(_KEY_PROPERTY.get(reentry.mode, ""))
        return str(named) if named else event.id
    if before and not _may_follow(reentry, event, before[-1]):
        return None
    return f"r{len(before) + 1}"


def _may_follow(reentry: Reentry, event: Event, last: Enrolment) -> bool:
    if reentry.mode == "after_days":
        return event.occurred_at - entered_since(last) >= timedelta(days=reentry.days or 0)
    if last.open:
        return False
    # An event refused while somebody was on the way stays refused. A goal met by this very event does not count.
    return last.status is EnrolmentStatus.GOAL_MET or last.ended_at is None or event.occurred_at >= last.ended_at
