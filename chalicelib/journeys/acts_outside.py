"""Steps that reach other systems: `call_webhook`, `start_journey`, `stop_journey`.

A webhook may be called again with the same `X-Agala-Id` after a crash, never after an answer of 2xx was noted.
"""

from __future__ import annotations

from typing import Any

from chalicelib.clock import Clock
from chalicelib.commerce.trouble import ShopTrouble, TroubleCode
from chalicelib.journeys.actions import CallWebhook, OtherJourney
from chalicelib.journeys.passing import Passing, come_back
from chalicelib.journeys.ports import EnrolmentRecords, Outside, StepCannot

_LATER = frozenset({408, 429})


class OutsideActs:
    def __init__(self, outside: Outside, enrolments: EnrolmentRecords, clock: Clock) -> None:
        self._outside, self._enrolments, self._clock = outside, enrolments, clock

    def call(self, step: CallWebhook, passing: Passing) -> None:
        """2xx is done; no answer, 408, 429 and 5xx are tried again for a day. Raises `StepCannot`, `NotNow`."""
        webhooks = self._outside.webhooks()
        try:
            status = webhooks.call(passing.store.id, step.url, passing.cause(step.id), _body(step, passing))
        except ShopTrouble as trouble:
            reason = f"webhook_{trouble.code}"
            if trouble.code is TroubleCode.PRIVATE_ADDRESS:
                raise StepCannot(reason) from None
        else:
            if 200 <= status < 300:
                return
            reason = f"webhook_{status}"
            if status < 500 and status not in _LATER:
                raise StepCannot(reason)
        come_back(passing, self._enrolments, step.id, reason, self._clock.now())

    def go_elsewhere(self, step: OtherJourney, passing: Passing) -> str | None:
        """What history shall say of it. Raises `StepCannot`."""
        contact_id, others = passing.facts.contact.id, self._outside.other_journeys
        if step.type == "start_journey":
            return others.start(passing.store, contact_id, step.journey, passing.enrolment, step.id)
        others.stop(passing.store.id, contact_id, step.journey, passing.enrolment)
        return None


def _body(step: CallWebhook, passing: Passing) -> dict[str, Any]:
    contact = passing.facts.contact
    return {
        "id": passing.cause(step.id),
        "journey": passing.enrolment.journey,
        "step": step.id,
        "contact": {
            "id": contact.id,
            "email": contact.email,
            "phone": contact.phone,
            "first_name": contact.first_name,
            "last_name": contact.last_name,
            "fields": {name: contact.fields.get(name) for name in step.fields},
        },
        "event": passing.enrolment.event,
    }
