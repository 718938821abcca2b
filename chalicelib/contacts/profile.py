"""How a profile takes in what is told about a person: pure, and the same in any order of arrival."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chalicelib.clock import rfc3339
from chalicelib.commerce.event import Event
from chalicelib.commerce.money import Money
from chalicelib.commerce.store import Store
from chalicelib.contacts.consent import Channel, Consent, ConsentChange, ConsentStatus
from chalicelib.contacts.contact import Benefit, Contact, Provenance
from chalicelib.contacts.double_opt_in import told_apart
from chalicelib.contacts.identity import Identities
from chalicelib.contacts.own_fields import LONG_AGO as _LONG_AGO
from chalicelib.contacts.own_fields import join_fields, set_fields
from chalicelib.contacts.person import Person
from chalicelib.contacts.purchases import ContactOrder, totals

_NAMES = ("first_name", "last_name", "locale", "timezone")
# In a tie the refusal wins.
_CAUTION = {
    ConsentStatus.NEVER_ASKED: 0,
    ConsentStatus.SUBSCRIBED: 1,
    ConsentStatus.PENDING: 2,
    ConsentStatus.UNSUBSCRIBED: 3,
}


@dataclass(frozen=True)
class Telling:
    """Something told about a person. `at` is when that was so, `source` who says it (`order:15`, `api`).

    `since` is since when we could have known the person (an order's placing, an account's making). `fields` are own
    fields as the person told them at `fields_at`. `placed_at` is when the order that is told of was placed.
    """

    person: Person
    at: datetime
    source: str
    since: datetime
    joined_from: str
    consent: tuple[ConsentChange, ...] = ()
    fields: dict[str, Any] = field(default_factory=dict)
    fields_at: datetime = _LONG_AGO
    placed_at: datetime | None = None

    @property
    def birth(self) -> Provenance:
        """What the oldest telling leaves as the reason of `created_at`."""
        return Provenance(at=self.since, source=f"{self.joined_from}|{self.source}|{rfc3339(self.at)}")


def newborn(store_id: str, contact_id: str, currency: str, telling: Telling) -> Contact:
    return Contact(
        id=contact_id,
        store_id=store_id,
        total_spent=Money(amount=0, currency=currency),
        created_at=telling.since,
        joined_from=telling.joined_from,
        provenance={"created_at": telling.birth},
    )


def absorb(contact: Contact, telling: Telling, told: Identities, store: Store, attached: bool = True) -> Contact:
    """The contact with what this telling adds. `attached` False: the store has deleted that customer."""
    values: dict[str, Any] = {name: (getattr(telling.person, name) or "").strip() or None for name in _NAMES}
    found = _newest(contact, values, telling.at, telling.source)
    found = _addresses(found, "email", told.email, telling)
    found = _addresses(found, "phone", told.phone, telling)
    if told.customer and attached:
        found = _with(found, external_ids=tuple(sorted({*found.external_ids, told.customer})))
    found = with_choices(found, telling.consent, store)
    found = _with(found, last_placed_at=_later(found.last_placed_at, telling.placed_at))
    if telling.fields:
        found = set_fields(found, telling.fields, telling.fields_at, telling.source)
    return _born(found, telling.birth)


def join(stays: Contact, goes: Contact) -> Contact:
    """One profile of two. What `goes` still has in its partition is on its way: `merging`."""
    found = stays
    for name in _NAMES:
        if mark := goes.provenance.get(name):
            found = _newest(found, {name: getattr(goes, name)}, mark.at, mark.source)
    found = join_fields(found, goes)
    for kind, others in (("email", goes.emails), ("phone", goes.phones)):
        mark = goes.provenance.get(kind, Provenance(at=_LONG_AGO, source=""))
        found = _address(found, kind, others, mark)
    found = _with(
        found,
        external_ids=tuple(sorted({*found.external_ids, *goes.external_ids})),
        consent=merge_consent(found.consent, [ConsentChange(channel=c, consent=v) for c, v in goes.consent.items()]),
        asked=merge_consent(found.asked, [ConsentChange(channel=c, consent=v) for c, v in goes.asked.items()]),
        suppressed={**goes.suppressed, **found.suppressed},
        last_placed_at=_later(found.last_placed_at, goes.last_placed_at),
        lists=tuple(sorted({*found.lists, *goes.lists})),
        audiences=tuple(sorted({*found.audiences, *goes.audiences})),
        replied=later_replies(found.replied, goes.replied),
        last_benefit=max(filter(None, (found.last_benefit, goes.last_benefit)), key=_given, default=None),
        tags=tuple(sorted({*found.tags, *goes.tags})),
        merging=tuple(sorted({*found.merging, *goes.merging, goes.id})),
    )
    return _born(found, goes.provenance.get("created_at", Provenance(at=goes.created_at, source="")))


def pointer_only(contact: Contact, into: str) -> Contact:
    """What stays of a merged contact: no more than where it went."""
    return Contact(
        id=contact.id,
        store_id=contact.store_id,
        total_spent=contact.total_spent.model_copy(update={"amount": 0}),
        created_at=contact.created_at,
        merged_into=into,
        rev=contact.rev,
    )


def with_choices(contact: Contact, changes: Iterable[ConsentChange], store: Store | None) -> Contact:
    """The one place through which every choice about a channel comes: what stands, and what waits for a yes."""
    stands, wishes = told_apart(store, changes)
    return _with(contact, consent=merge_consent(contact.consent, stands), asked=merge_consent(contact.asked, wishes))


def merge_consent(known: dict[Channel, Consent], changes: Iterable[ConsentChange]) -> dict[Channel, Consent]:
    """The latest `at` wins per channel; a tie refuses."""
    found = dict(known)
    for change in changes:
        present = found.get(change.channel)
        if present is None or _weight(change.consent) > _weight(present):
            found[change.channel] = change.consent
    return {channel: found[channel] for channel in sorted(found)}


def _weight(consent: Consent) -> tuple[bool, datetime, int, str, str]:
    asked = consent.status is not ConsentStatus.NEVER_ASKED
    return asked, consent.at or _LONG_AGO, _CAUTION[consent.status], consent.source or "", consent.text or ""


def replace_names(contact: Contact, values: dict[str, Any], at: datetime, source: str) -> Contact:
    """As somebody with the right to it says, also to nothing."""
    marks = {name: Provenance(at=at, source=source) for name in values}
    return _with(contact, **values, provenance={**contact.provenance, **marks})


def later_replies(known: dict[Channel, datetime], told: dict[Channel, datetime]) -> dict[Channel, datetime]:
    """Of each channel the later one."""
    return {c: max(one[c] for one in (known, told) if c in one) for c in sorted({*known, *told})}


def refold(contact: Contact, orders: Iterable[ContactOrder]) -> Contact:
    """The totals that follow from all the contact's orders, in the store's currency."""
    sums = totals(orders, contact.total_spent.currency)
    return _with(
        contact,
        orders_count=sums.orders_count,
        total_spent=sums.total_spent,
        first_order_at=sums.first_order_at,
        last_order_at=sums.last_order_at,
    )


def created_event(contact: Contact) -> Event:
    return Event(
        id=f"contact_created:{contact.store_id}:{contact.id}",
        type="contact_created",
        occurred_at=contact.created_at,
        properties={"joined_from": contact.joined_from},
    )


def _newest(contact: Contact, values: dict[str, Any], at: datetime, source: str) -> Contact:
    """Each value that is told, unless a newer one is known; of two at once the greater source, then value, wins."""
    changed: dict[str, Any] = {}
    provenance = dict(contact.provenance)
    for name, value in values.items():
        mark = provenance.get(name)
        if value is None or (mark and (mark.at, mark.source, getattr(contact, name) or "") > (at, source, value)):
            continue
        changed[name] = value
        provenance[name] = Provenance(at=at, source=source)
    return _with(contact, **changed, provenance=provenance)


def _addresses(contact: Contact, kind: str, value: str | None, telling: Telling) -> Contact:
    mark = Provenance(at=telling.at, source=telling.source)
    return _address(contact, kind, (value,) if value else (), mark)


def _address(contact: Contact, kind: str, values: tuple[str, ...], mark: Provenance) -> Contact:
    """All of `values` become this contact's; the first is the one in use if it is the newest."""
    if not values:
        return contact
    found = _newest(contact, {kind: values[0]}, mark.at, mark.source)
    known = contact.emails if kind == "email" else contact.phones
    others = {*known, *values} - {getattr(found, kind)}
    return _with(found, **{f"other_{kind}s": tuple(sorted(others))})


def _born(contact: Contact, birth: Provenance) -> Contact:
    mark = contact.provenance.get("created_at", Provenance(at=contact.created_at, source="~"))
    if (birth.at, birth.source) >= (mark.at, mark.source):
        return contact
    provenance = {**contact.provenance, "created_at": birth}
    joined_from = birth.source.partition("|")[0] or contact.joined_from
    return _with(contact, created_at=birth.at, joined_from=joined_from, provenance=provenance)


def _given(benefit: Benefit) -> tuple[datetime, str]:
    return benefit.at, benefit.code


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(filter(None, (one, other)), default=None)


def _with(contact: Contact, **changes: Any) -> Contact:
    return contact.model_copy(update=changes)
