"""`POST /v1/stores/{s}/journeys/{j}/what-if`: what would have come of a journey, over its past or given events."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.clock import parse_rfc3339, rfc3339
from chalicelib.errors import BadInput, FieldMistake, NotFound
from chalicelib.handlers.api.shapes import Answer, Body, Cursor, Line, Properties, Time
from chalicelib.handlers.http import PATH_PATTERNS, Call, door
from chalicelib.handlers.request import after_cursor, cursor

if TYPE_CHECKING:
    from chalicelib.commerce.event import Event
    from chalicelib.contacts.contact import Contact
    from chalicelib.journeys.definition import Definition
    from chalicelib.journeys.past import Past
    from chalicelib.journeys.rehearsal import Assume
    from chalicelib.journeys.what_if_answer import WhatIf

what_if = Blueprint(__name__)

SECONDS = 20.0  # real ones, after which a part is answered: API Gateway waits for 29
MOST_EVENTS = 5000


class WhatIfContact(Body):
    """One of them; an `id` is believed before an `email`. An email that the store does not know is a new contact's."""

    id: Annotated[str, Field(pattern=PATH_PATTERNS["contact_id"])] | None = None
    email: Annotated[str, Field(min_length=3, max_length=254)] | None = None


class WhatIfEvent(Body):
    """Any event as the timeline has it, also those that only stores tell."""

    id: Line
    type: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.:-]{0,63}$")]
    contact: WhatIfContact
    occurred_at: Time
    properties: Properties = Field(default_factory=dict)


class WhatIfAssume(Body):
    """Which share of the messages is opened and clicked (a click is an open too): the same ones every time."""

    opened: Annotated[float, Field(ge=0, le=1)] = 0.0
    clicked: Annotated[float, Field(ge=0, le=1)] = 0.0


class WhatIfAsked(Body):
    """`version` is the draft, or what is live where there is none, unless one is named; `definition` is tried without
    being saved. `days` count back from now, or with `events`, which take the place of the store's past, from the first
    of them on. `cursor` is the `next` of a part that was answered.
    """

    days: Annotated[int, Field(ge=1, le=365)] = 90
    version: Literal["draft", "live"] | None = None
    definition: dict[str, Any] | None = None
    events: Annotated[list[WhatIfEvent], Field(min_length=1, max_length=MOST_EVENTS)] | None = None
    assume: WhatIfAssume = Field(default_factory=WhatIfAssume)
    cursor: Cursor | None = None


class WhatIfStep(Answer):
    """`ways`: how often each way was taken, or what came of the message."""

    step: str
    type: str
    reached: int
    standing: int
    ways: dict[str, int]


class WhatIfMessages(Answer):
    """`day` in the store's zone. `held_by` kept it back first; `held` still does at the end."""

    step: str
    channel: str
    day: date
    outcome: Literal["sent", "not_sent", "failed", "held"]
    reason: str | None
    held_by: str | None
    count: int


class WhatIfStage(Answer):
    at: Time
    what: str
    step: str | None
    detail: str | None


class WhatIfPass(Answer):
    contact_id: str
    entered_at: Time
    status: str
    reason: str | None
    path: list[WhatIfStage]


class WhatIfCost(Answer):
    """In millionths of a US dollar, at AWS's list prices; without SMS and WhatsApp, whose price is the provider's."""

    state_transitions: int
    table: int
    functions: int
    emails: int
    total: int


class WhatIfAnswer(Answer):
    """Counts of the contacts that were looked at, which add up with those of the parts before. `next`: there is more.

    `read_units` and `write_units` of the table are estimated from counted ones.
    """

    start: Time
    end: Time
    contacts: int
    entrants: int
    entered: int
    statuses: dict[str, int]
    reasons: dict[str, int]
    steps: list[WhatIfStep]
    messages: list[WhatIfMessages]
    passes: list[WhatIfPass]
    transitions: int
    invocations: int
    read_units: int
    write_units: int
    cost: WhatIfCost
    notes: list[str]
    next: str | None


@door(
    what_if,
    "POST",
    "/v1/stores/{store_id}/journeys/{journey_id}/what-if",
    summary="What would have come of it: run over the store's past, or over given events, without a trace",
    scope="store",
    body=WhatIfAsked,
    answers=WhatIfAnswer,
)
def ask_what_if(call: Call) -> WhatIfAnswer:
    from chalicelib.journeys.rehearsal import Assume

    asked: WhatIfAsked = call.body
    definition = _definition(call, asked)
    assume = Assume(asked.assume.opened, asked.assume.clicked)
    if asked.events is not None:
        return _over_events(call, asked.events, asked.days, definition, assume)
    return _over_the_past(call, asked, definition, assume)


def _over_the_past(call: Call, asked: WhatIfAsked, definition: Definition, assume: Assume) -> WhatIfAnswer:
    from chalicelib.journeys.past_reading import StorePasts
    from chalicelib.journeys.what_if import may_begin

    listing = f"what-if:{call.store.id}:{call.path['journey_id']}:{asked.days}"
    until, _, place = (after_cursor(listing, asked.cursor) or "").partition(" ")
    try:
        end = parse_rfc3339(until) if until else call.wiring.clock.now()
        start = end - timedelta(days=asked.days)
    except (ValueError, OverflowError):
        raise BadInput(
            "The body is not as expected.", [FieldMistake("cursor", "expected the `next` of a part")]
        ) from None
    deadline = time.monotonic() + SECONDS
    reading = StorePasts(call.wiring.contacts, call.wiring.timeline, call.wiring.decisions)
    late = False

    def enough() -> bool:
        nonlocal late
        late = time.monotonic() > deadline
        return late

    pasts = reading.read(call.store.id, start, lambda past: may_begin(definition, past, start, end), place or None)
    found = _ran(call, definition, pasts, start, end, assume, enough)
    following = cursor(listing, f"{rfc3339(end)} {reading.place}") if late else None
    return _shown(found, following)


def _over_events(
    call: Call, given: list[WhatIfEvent], days: int, definition: Definition, assume: Assume
) -> WhatIfAnswer:
    from concurrent.futures import ThreadPoolExecutor

    from chalicelib.journeys.past_reading import THREADS, pasts_of

    told = list(_told(call, given))
    start = min(event.occurred_at for _, event in told)
    known = {contact.id for contact, _ in told if not contact.id.startswith(_NEW)}
    contacts = call.wiring.contacts
    with ThreadPoolExecutor(THREADS) as threads:
        orders = dict(zip(known, threads.map(lambda one: contacts.orders(call.store.id, one), known), strict=True))
    deadline = time.monotonic() + SECONDS

    def in_time() -> None:
        if time.monotonic() > deadline:
            raise BadInput("These events take too long.", [FieldMistake("events", "send fewer, or in several calls")])

    found = _ran(
        call, definition, pasts_of(told, orders), start, start + timedelta(days=days), assume, lambda: False, in_time
    )
    return _shown(found, None)


_NEW = "new"


def _told(call: Call, given: list[WhatIfEvent]) -> Iterator[tuple[Contact, Event]]:
    """Each event with its contact, as the store knows it. Raises `BadInput` for one that names nobody."""
    from chalicelib.commerce.event import Event
    from chalicelib.contacts.identity import EMAIL, identities_of
    from chalicelib.contacts.person import Person

    store, contacts = call.store, call.wiring.contacts
    emails = [identities_of(Person(email=one.contact.email), store.country).email for one in given]
    pointers: dict[tuple[str, str], Any] = {}
    pairs = sorted({(EMAIL, email) for email in emails if email})
    for first in range(0, len(pairs), _TOGETHER):
        pointers |= contacts.pointers(store.id, pairs[first : first + _TOGETHER])
    ids = {one.contact.id for one in given if one.contact.id}
    ids |= {owner for pointer in pointers.values() for owner in pointer.contacts}
    known: dict[str, Contact] = {}
    for some in _portions(sorted(ids)):
        known |= contacts.read(store.id, some)
    mistakes: list[FieldMistake] = []
    newcomers: dict[str, Contact] = {}
    for index, (one, email) in enumerate(zip(given, emails, strict=True)):
        pointer = pointers.get((EMAIL, email or ""))
        owner = one.contact.id or (pointer.contacts[0] if pointer and pointer.contacts else None)
        contact = known.get(owner or "")
        if one.contact.id and contact is None:
            mistakes.append(FieldMistake(f"events[{index}].contact.id", "there is no such contact"))
        elif contact is None and email is None:
            mistakes.append(FieldMistake(f"events[{index}].contact", "expected an id, or an email address"))
        else:
            contact = contact or newcomers.setdefault(email or "", _newcomer(call, email, len(newcomers), one))
            event = Event(id=one.id, type=one.type, occurred_at=one.occurred_at, properties=one.properties)
            yield contact, event
    if mistakes:
        raise BadInput("The body is not as expected.", mistakes[:50])


_TOGETHER = 100


def _portions(ids: list[str]) -> Iterator[list[str]]:
    return (ids[first : first + _TOGETHER] for first in range(0, len(ids), _TOGETHER))


def _newcomer(call: Call, email: str | None, number: int, first: WhatIfEvent) -> Contact:
    from chalicelib.commerce.money import Money
    from chalicelib.contacts.contact import Contact

    return Contact(
        id=f"{_NEW}{number + 1}",
        store_id=call.store.id,
        email=email,
        total_spent=Money(amount=0, currency=call.store.currency),
        created_at=first.occurred_at,
    )


def _ran(
    call: Call,
    definition: Definition,
    pasts: Iterable[Past],
    start: datetime,
    end: datetime,
    assume: Assume,
    enough: Any,
    meanwhile: Any = lambda: None,
) -> WhatIf:
    from chalicelib.journeys.what_if import what_if as run

    journey, products = call.path["journey_id"], call.wiring.products
    return run(definition, call.store, pasts, start, end, products, journey, assume, enough, meanwhile)


def _shown(found: WhatIf, following: str | None) -> WhatIfAnswer:
    told = asdict(found)
    told["cost"]["total"] = found.cost.total
    return WhatIfAnswer(**told, next=following)


def _definition(call: Call, asked: WhatIfAsked) -> Definition:
    """What is asked about. Raises `NotFound`, and `BadInput` for what could not be activated either."""
    from chalicelib.journeys.definition import Definition
    from chalicelib.journeys.texts import text_mistakes

    if asked.definition is None:
        definition = Definition.kept(_saved(call, asked.version))
    else:
        try:
            definition = Definition.parse(asked.definition)
            if mistakes := list(text_mistakes(definition)):
                raise BadInput("the journey has mistakes", mistakes)
        except BadInput as wrong:
            inside = [FieldMistake(f"definition.{one.field}", one.message) for one in wrong.mistakes]
            raise BadInput(wrong.detail, inside) from None
    return definition


def _saved(call: Call, version: str | None) -> dict[str, Any]:
    records, store_id = call.wiring.journeys, call.store.id
    journey = records.get(store_id, call.path["journey_id"])
    if journey is None:
        raise NotFound("no such journey")
    if version != "live" and journey.draft is not None:
        return journey.draft
    live = records.version(store_id, journey.id, journey.live_version) if journey.live_version else None
    if live is None or version == "draft":
        raise NotFound(f"the journey has no {version or 'live'} version")
    return live.definition
