"""A contact's own fields: the newest telling of each holds, and what was counted since is counted on top of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chalicelib.contacts.contact import Contact, Provenance
from chalicelib.contacts.field_change import COUNTING, FieldChange, changed, difference, total
from chalicelib.errors import StepCannot

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER_TOLD = Provenance(at=LONG_AGO, source="")


def set_fields(contact: Contact, values: dict[str, Any], at: datetime, source: str) -> Contact:
    """As somebody told them, the newest value of each; None takes a field away.

    What was counted after `at` (a telling may arrive late) is counted on top of it.
    """
    for name, value in values.items():
        mark = _mark(contact, name)
        if mark is None or (mark.at, mark.source) <= (at, source):
            contact = _told(contact, name, value, Provenance(at=at, source=source), mark)
    return contact


def change_field(contact: Contact, name: str, change: FieldChange, at: datetime, source: str) -> Contact:
    """As a step changes it, over what is there: it is the newest by coming last, whatever its moment.

    Raises `StepCannot` where it counts with what is no number.
    """
    present = contact.fields.get(name)
    value = changed(change, name, contact.fields)
    if value == present and type(value) is type(present):
        return contact
    if change.kind in COUNTING:
        return count(contact, name, difference(value, present), at)
    mark = _mark(contact, name) or _NEVER_TOLD
    return _put(contact, name, value, Provenance(at=max(at, mark.at), source=source))


def count(contact: Contact, name: str, by: int | float, at: datetime) -> Contact:
    """Raises `StepCannot` if the field is no number."""
    value = total(contact.fields.get(name), by)
    mark = _mark(contact, name) or _NEVER_TOLD
    counted = {"counted": total(mark.counted, by), "counted_at": max(at, mark.counted_at or at)}
    return _put(contact, name, value, mark.model_copy(update=counted))


def join_fields(stays: Contact, goes: Contact) -> Contact:
    """Those of both: the newest telling of each, and on top of it what either counted."""
    for name, value in goes.fields.items():
        theirs, mine = _mark(goes, name) or _NEVER_TOLD, _mark(stays, name) or _NEVER_TOLD
        told = mine if (mine.at, mine.source) > (theirs.at, theirs.source) else theirs
        base = stays.fields.get(name) if told is mine else value
        other = theirs if told is mine else mine
        stays = _put(stays, name, *_on_top(base, other, told))
    return stays


def _told(contact: Contact, name: str, value: Any, mark: Provenance, before: Provenance | None) -> Contact:
    if before is not None and before.counted_at is not None and before.counted_at > mark.at:
        value, mark = _on_top(value, before, mark)
    return _put(contact, name, value, mark)


def _on_top(value: Any, counted: Provenance, mark: Provenance) -> tuple[Any, Provenance]:
    """The value and its mark with what another mark counted; a value that is no number stays as it is."""
    if counted.counted is None:
        return value, mark
    times = [at for at in (mark.counted_at, counted.counted_at) if at is not None]
    try:
        together = {"counted": total(mark.counted, counted.counted), "counted_at": max(times)}
        return total(value, counted.counted), mark.model_copy(update=together)
    except StepCannot:
        return value, mark


def _mark(contact: Contact, name: str) -> Provenance | None:
    return contact.provenance.get(f"fields.{name}")


def _put(contact: Contact, name: str, value: Any, mark: Provenance) -> Contact:
    fields = {key: kept for key, kept in contact.fields.items() if key != name}
    if value is not None:
        fields[name] = value
    provenance = {**contact.provenance, f"fields.{name}": mark}
    return contact.model_copy(update={"fields": fields, "provenance": provenance})
