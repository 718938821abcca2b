"""What steps change of their contact: lists, tags, audiences, own fields, consent. Journeys hear of each change."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from chalicelib.clock import Clock
from chalicelib.commerce.event import Event
from chalicelib.contacts.consent import ConsentStatus
from chalicelib.contacts.field_change import FieldChange
from chalicelib.journeys.actions import ChangeAudience, ChangeList, ChangeSubscription, ChangeTag, SetField
from chalicelib.journeys.passing import Passing
from chalicelib.journeys.ports import ContactChanges, EventListener
from chalicelib.journeys.units import units_in

ContactChange = ChangeList | ChangeTag | ChangeAudience | ChangeSubscription | SetField
_CONSENT = {"subscribe": ConsentStatus.SUBSCRIBED, "unsubscribe": ConsentStatus.UNSUBSCRIBED}


class ContactActs:
    def __init__(self, book: ContactChanges, listener: EventListener, clock: Clock) -> None:
        self._book, self._listener, self._clock = book, listener, clock

    def change(self, step: ContactChange, passing: Passing) -> str | None:
        """What history shall say of it. Raises `StepCannot`."""
        events = self._changed(step, passing)
        if events is None:
            return "skipped:no_units"
        self._listener.on_events(passing.store, passing.facts.contact.id, events)
        passing.changed = True
        return None

    def _changed(self, step: ContactChange, passing: Passing) -> list[Event] | None:
        book, store_id, contact_id = self._book, passing.store.id, passing.facts.contact.id
        cause = passing.cause(step.id)
        match step:
            case ChangeList():
                change = book.add_to_list if step.type == "add_to_list" else book.remove_from_list
                return change(store_id, contact_id, step.list, cause)
            case ChangeTag():
                change = book.add_tag if step.type == "add_tag" else book.remove_tag
                return change(store_id, contact_id, step.tag, cause)
            case ChangeAudience():
                change = book.join_audience if step.type == "add_to_audience" else book.leave_audience
                return change(store_id, contact_id, step.audience, cause)
            case ChangeSubscription():
                source = f"journey:{step.reason}"
                return book.set_consent(store_id, contact_id, step.channel, _CONSENT[step.type], source, cause)
            case SetField():
                field_change = self._field_change(step, passing)
                if field_change is None:
                    return None
                return book.change_field(store_id, contact_id, step.field, field_change, cause)

    def _field_change(self, step: SetField, passing: Passing) -> FieldChange | None:
        """None where nothing is to be counted."""
        value = step.value
        if step.units_of is not None:
            value = units_in(passing.enrolment.event, step.units_of)
            if value == 0:
                return None
        if step.change == "today":
            value = self._clock.now().astimezone(ZoneInfo(passing.store.timezone)).date().isoformat()
        return FieldChange(step.change, value, step.fields, step.only_if_empty, step.undo_on_refund)
