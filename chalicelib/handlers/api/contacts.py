"""`/v1/stores/{s}/contacts`: the people of a store."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Literal

from chalice.app import Blueprint
from pydantic import Discriminator, Field, Tag, ValidationError

from chalicelib.commerce.money import Money
from chalicelib.contacts.consent import Channel, Consent, ConsentStatus
from chalicelib.contacts.contact import Contact
from chalicelib.errors import BadInput, FieldMistake, NotFound
from chalicelib.handlers.api.shapes import AHEAD, Answer, Body, FieldProblem, Line, PageQuery, Time, Timezone, sift
from chalicelib.handlers.http import Call, Reply, door
from chalicelib.handlers.request import MANY, ONE, after_cursor, field_mistakes

contacts = Blueprint(__name__)

Email = Annotated[str, Field(min_length=3, max_length=254)]
Phone = Annotated[str, Field(min_length=3, max_length=40)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Text = Annotated[str, Field(max_length=5000)]


class ContactQuery(PageQuery):
    email: Email | None = None
    phone: Phone | None = None
    external_id: Line | None = None
    list: Line | None = None
    segment: Line | None = None


class ConsentNew(Body):
    """`at` is now if absent, `source` is `api`. `text` is what the person agreed to, `place` the page where.

    `confirmed`: they confirmed it to you already, so a double opt-in does not ask again; `text` and `source` are then
    needed, for they are the proof.
    """

    status: ConsentStatus
    source: Line | None = None
    at: Time | None = None
    text: Annotated[str, Field(max_length=2000)] | None = None
    place: Line | None = None
    confirmed: bool = False


FieldName = Annotated[str, Field(pattern=r"^[^.\s][^.]{0,63}$")]
FieldValue = bool | int | float | Text | Annotated[list[Text], Field(max_length=100)] | None


class ContactChange(Body):
    """What is here changes. `lists` and `tags` are then exactly these; `fields` are merged, `null` takes one away."""

    email: Email | None = None
    phone: Phone | None = None
    first_name: Line | None = None
    last_name: Line | None = None
    locale: Annotated[str, Field(pattern=r"^[a-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,2}$")] | None = None
    timezone: Timezone | None = None
    lists: Annotated[list[Name], Field(max_length=200)] | None = None
    tags: Annotated[list[Name], Field(max_length=200)] | None = None
    fields: Annotated[dict[FieldName, FieldValue], Field(max_length=200)] | None = None
    consent: dict[Channel, ConsentNew] | None = None


class ContactNew(ContactChange):
    """Whoever any of these identities name is added to (two who turn out to be one are merged), anybody else is made.
    One identity at least. `country` helps to read the phone; the store's if absent."""

    external_id: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    joined_from: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^|]*$")] | None = None


_EACH = "A contact as it is made alone. What is none is refused in its place, and the others are taken."


class ContactBatch(Body):
    """Each is taken or refused for itself."""

    contacts: Annotated[
        list[Any], Field(min_length=1, max_length=1000, json_schema_extra={"items": {"description": _EACH}})
    ]


def _one_or_many(body: Any) -> str:
    return MANY if isinstance(body, dict) and "contacts" in body else ONE


ContactPost = Annotated[
    Annotated[ContactNew, Tag(ONE)] | Annotated[ContactBatch, Tag(MANY)], Discriminator(_one_or_many)
]


class ConsentAnswer(Answer):
    """`text`: what they agreed to, `place` the message or page in which. Of a double opt-in, `requested_at` and
    `requested_from` tell of the wish, `confirmed_at` when its owner confirmed it."""

    status: ConsentStatus
    source: str | None
    at: Time | None
    text: str | None
    place: str | None
    confirmed_at: Time | None
    requested_at: Time | None
    requested_from: str | None


class Consents(Answer):
    email: ConsentAnswer
    sms: ConsentAnswer
    whatsapp: ConsentAnswer


class BenefitAnswer(Answer):
    """A coupon, gift or free shipping that a journey gave."""

    kind: str
    code: str
    at: Time
    journey: str
    step: str
    expires_at: Time | None
    used_at: Time | None


class ContactAnswer(Answer):
    """`phone` in E.164. `timezone` null: the store's. `audiences` are advertising ones. `total_spent` is net of
    refunds; `orders_count` counts orders paid and not given back."""

    id: str
    email: str | None
    phone: str | None
    external_ids: list[str]
    first_name: str | None
    last_name: str | None
    locale: str | None
    timezone: str | None
    consent: Consents
    suppressed: dict[Channel, str]
    lists: list[str]
    tags: list[str]
    audiences: list[str]
    fields: dict[str, Any]
    last_benefit: BenefitAnswer | None
    joined_from: str | None
    orders_count: int
    total_spent: Money
    first_order_at: Time | None
    last_order_at: Time | None
    created_at: Time


class ContactList(Answer):
    items: list[ContactAnswer]
    next: str | None


class Taken(Answer):
    """What became of one of many: `errors` where it was refused, else its id."""

    id: str | None
    status: Literal["created", "changed", "refused"]
    errors: list[FieldProblem]


class TakenList(Answer):
    """In the order in which they were given."""

    items: list[Taken]


@door(
    contacts,
    "GET",
    "/v1/stores/{store_id}/contacts",
    summary="Contacts, oldest first",
    scope="store",
    query=ContactQuery,
    answers=ContactList,
)
def list_contacts(call: Call) -> ContactList:
    asked: ContactQuery = call.query
    if asked.segment is not None:
        raise BadInput("The query is not as expected.", [FieldMistake("segment", "segments are not available yet")])
    listing = f"contacts:{call.store.id}:{asked.list or ''}"
    after = after_cursor(listing, asked.cursor)
    if asked.email or asked.phone or asked.external_id:
        found = [contact for contact in _named(call, asked) if asked.list is None or asked.list in contact.lists]
        return ContactList(items=[shown(contact) for contact in found], next=None)
    records = call.wiring.contacts
    kept, following = sift(
        lambda last, count: records.list(call.store.id, after=last, limit=count),
        (lambda contact: asked.list in contact.lists) if asked.list is not None else None,
        records.sort_key,
        asked.limit,
        listing,
        after,
    )
    return ContactList(items=[shown(contact) for contact in kept], next=following)


@door(
    contacts,
    "POST",
    "/v1/stores/{store_id}/contacts",
    summary="Make or merge one contact, or up to 1,000 of them",
    scope="store",
    body=ContactPost,
    answers=ContactAnswer | TakenList,
    also=(201,),
)
def post_contacts(call: Call) -> Reply:
    """201 where one new contact was made, 200 where a known one was changed and for many."""
    if isinstance(call.body, ContactBatch):
        return Reply(TakenList(items=_all_taken(call, call.body.contacts)))
    contact, made = _take(call, call.body)
    return Reply(shown(contact), status=201 if made else 200)


@door(
    contacts,
    "GET",
    "/v1/stores/{store_id}/contacts/{contact_id}",
    summary="One contact",
    scope="store",
    answers=ContactAnswer,
)
def get_contact(call: Call) -> ContactAnswer:
    """A contact that was merged is shown as who it is now."""
    return shown(_found(call))


@door(
    contacts,
    "PATCH",
    "/v1/stores/{store_id}/contacts/{contact_id}",
    summary="Change a contact",
    scope="store",
    body=ContactChange,
    answers=ContactAnswer,
)
def change_contact(call: Call) -> ContactAnswer:
    from chalicelib.contacts.book import ContactPatch

    given: ContactChange = call.body
    told = {name: getattr(given, name) for name in given.model_fields_set}
    nulls = [FieldMistake(name, "must not be null") for name in told if name in _NEVER_NULL and told[name] is None]
    if nulls:
        raise BadInput("The body is not as expected.", nulls)
    if "consent" in told:
        told["consent"] = _consent(call, given)
    contact = call.wiring.contact_book.patch(call.store, _found(call).id, ContactPatch(**told))
    return shown(contact)


@door(
    contacts,
    "DELETE",
    "/v1/stores/{store_id}/contacts/{contact_id}",
    summary="Erase a contact and all that is held on the person",
    scope="store",
    status=204,
)
def erase_contact(call: Call) -> None:
    call.wiring.contact_book.erase(call.store.id, _found(call).id)


@door(
    contacts,
    "GET",
    "/v1/stores/{store_id}/contacts/{contact_id}/export",
    summary="Everything that is held on a contact",
    scope="store",
    answers=dict[str, Any],
)
def export_contact(call: Call) -> Reply:
    held = call.wiring.contact_book.export(call.store.id, _found(call).id)
    return Reply(json.dumps(held, ensure_ascii=False))


_NEVER_NULL = ("email", "phone", "lists", "tags", "fields", "consent")
_SIDE_BY_SIDE = 8


def shown(contact: Contact) -> ContactAnswer:
    """A contact as the API shows it: always the three channels, `never_asked` where nobody asked."""
    told_apart = ("consent", "last_benefit")
    kept = {name: getattr(contact, name) for name in ContactAnswer.model_fields if name not in told_apart}
    benefit = BenefitAnswer(**dict(contact.last_benefit)) if contact.last_benefit else None
    consent = {}
    for channel in Channel:
        known = contact.consent_for(channel)
        consent[channel.value] = ConsentAnswer(**{name: getattr(known, name) for name in ConsentAnswer.model_fields})
    return ContactAnswer(**kept, last_benefit=benefit, consent=Consents(**consent))


def _found(call: Call) -> Contact:
    contact = call.wiring.contacts.get(call.store.id, call.path["contact_id"])
    if contact is None:
        raise NotFound("no such contact")
    return contact


def _named(call: Call, asked: ContactQuery) -> list[Contact]:
    """Whoever has all the identities asked for."""
    from chalicelib.contacts.identity import CUSTOMER, EMAIL, PHONE, normalise_email, normalise_phone

    wanted: list[tuple[str, str | None]] = []
    if asked.email:
        wanted.append((EMAIL, normalise_email(asked.email)))
    if asked.phone:
        wanted.append((PHONE, normalise_phone(asked.phone, call.store.country)))
    if asked.external_id:
        wanted.append((CUSTOMER, asked.external_id))
    found: list[Contact | None] = [
        call.wiring.contacts.find(call.store.id, kind, value) if value else None for kind, value in wanted
    ]
    first = found[0]
    return [first] if first and all(contact and contact.id == first.id for contact in found) else []


def _take(call: Call, given: ContactNew) -> tuple[Contact, bool]:
    """The contact, and whether it is new: whether nobody had any of the identities."""
    from chalicelib.contacts.book import ContactInput
    from chalicelib.contacts.identity import identities_of
    from chalicelib.contacts.person import Person

    told = {name: value for name in given.model_fields_set if (value := getattr(given, name)) is not None}
    if given.consent:
        told["consent"] = _consent(call, given)
    person = Person(email=given.email, phone=given.phone, customer_id=given.external_id, country=given.country)
    known = call.wiring.contacts.pointers(call.store.id, identities_of(person, call.store.country).pairs())
    contact = call.wiring.contact_book.upsert(call.store, ContactInput(**told))
    return contact, not known


def _all_taken(call: Call, given: list[Any]) -> list[Taken]:
    """Side by side, for an API Gateway answers within 29 seconds; but who may be one person, one after the other."""
    from concurrent.futures import ThreadPoolExecutor

    taken: list[Taken | None] = [None] * len(given)

    def take(places: list[int]) -> None:
        for place in places:
            taken[place] = _taken(call, given[place])

    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        for done in [pool.submit(take, places) for places in _perhaps_one_person(given)]:
            done.result()
    return [one for one in taken if one is not None]


def _perhaps_one_person(given: list[Any]) -> list[list[int]]:
    """The places of those that share an identity, directly or through others; each group in the order given."""
    leader = list(range(len(given)))
    first: dict[tuple[str, str], int] = {}

    def lead(place: int) -> int:
        while leader[place] != place:
            place = leader[place]
        return place

    for place, told in enumerate(given):
        for kind in ("email", "phone", "external_id"):
            if isinstance(told, dict) and told.get(kind):
                text = str(told[kind]).strip().casefold()
                identity = (kind, "".join(filter(str.isdigit, text))[-7:] if kind == "phone" else text)
                ends = lead(first.setdefault(identity, place)), lead(place)
                leader[max(ends)] = min(ends)
    groups: dict[int, list[int]] = {}
    for place in range(len(given)):
        groups.setdefault(lead(place), []).append(place)
    return list(groups.values())


def _taken(call: Call, given: Any) -> Taken:
    try:
        contact, made = _take(call, ContactNew.model_validate_json(json.dumps(given), strict=True))
    except ValidationError as problem:
        return _refused(field_mistakes(problem), "not as expected")
    except BadInput as problem:
        return _refused(problem.mistakes, problem.detail)
    return Taken(id=contact.id, status="created" if made else "changed", errors=[])


def _refused(mistakes: list[FieldMistake], detail: str) -> Taken:
    errors = [FieldProblem(field=mistake.field, message=mistake.message) for mistake in mistakes]
    return Taken(id=None, status="refused", errors=errors or [FieldProblem(field="body", message=detail)])


def _consent(call: Call, given: ContactChange) -> dict[Channel, Consent]:
    """Raises `BadInput` for a time to come: it would win over everything that is said until then."""
    now = call.wiring.clock.now()
    told = given.consent or {}
    late = [f"consent.{channel}.at" for channel, consent in told.items() if consent.at and consent.at > now + AHEAD]
    if late:
        raise BadInput("The body is not as expected.", [FieldMistake(field, "is in the future") for field in late])
    bare = [f"consent.{c}" for c, one in told.items() if one.confirmed and not _is_proof(one)]
    if bare:
        mistakes = [
            FieldMistake(f"{field}.confirmed", "needs subscribed, a source and a text: the proof") for field in bare
        ]
        raise BadInput("The body is not as expected.", mistakes)
    return {channel: _told(consent, now) for channel, consent in told.items()}


def _is_proof(consent: ConsentNew) -> bool:
    return consent.status is ConsentStatus.SUBSCRIBED and bool(consent.source) and bool((consent.text or "").strip())


def _told(consent: ConsentNew, now: datetime) -> Consent:
    at = consent.at or now
    confirmed_at = at if consent.confirmed else None
    told = {name: getattr(consent, name) for name in ("status", "text", "place")}
    return Consent(**told, source=consent.source or "api", at=at, confirmed_at=confirmed_at)
