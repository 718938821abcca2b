"""`/v1/stores/{s}/attribution`: what orders were earned by, one by one and summed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.clock import rfc3339
from chalicelib.commerce.money import Money
from chalicelib.contacts.consent import Channel
from chalicelib.errors import BadInput, FieldMistake
from chalicelib.handlers.api.shapes import Answer, Body, PageQuery, Query, Time, sift
from chalicelib.handlers.http import PATH_PATTERNS, Call, door
from chalicelib.handlers.request import after_cursor
from chalicelib.messages.attribution import Attribution

attribution = Blueprint(__name__)
_PATH = "/v1/stores/{store_id}/attribution"
_MOST_SUMMED = 20_000
_USUAL = timedelta(days=30)


class AttributionQuery(PageQuery):
    journey: Annotated[str, Field(pattern=PATH_PATTERNS["journey_id"])] | None = None
    since: Time | None = None
    before: Time | None = None


class AttributionAnswer(Answer):
    """`via`: the coupon with which the order was paid, else the last click (or open) before it, at `touched_at`. `net`
    is what the shop kept of it. `contact_id` and `message_id` are null once their person was erased."""

    order_id: str
    contact_id: str | None
    journey: str | None
    step: str | None
    message_id: str | None
    channel: Channel | None
    via: Literal["coupon", "click", "open"]
    coupon: str | None
    touched_at: Time
    placed_at: Time
    total: Money
    net: Money


class AttributionList(Answer):
    items: list[AttributionAnswer]
    next: str | None


@door(
    attribution,
    "GET",
    _PATH,
    summary="Orders that messages earned, by when they were placed, oldest first",
    scope="store",
    query=AttributionQuery,
    answers=AttributionList,
)
def list_attributions(call: Call) -> AttributionList:
    asked: AttributionQuery = call.query
    store_id, records = call.store.id, call.wiring.attributions
    listing = f"attributions:{store_id}:{asked.journey or ''}:{_said(asked.since)}:{_said(asked.before)}"
    after = after_cursor(listing, asked.cursor) or _from(asked.since)

    def keep(one: Attribution) -> bool:
        return asked.journey == one.journey

    found, following = sift(
        lambda last, count: records.of_store(store_id, after=last, before=asked.before, limit=count),
        keep if asked.journey else None,
        records.sort_key,
        asked.limit,
        listing,
        after,
    )
    return AttributionList(items=[_shown(one) for one in found], next=following)


class SumQuery(Query):
    since: Time | None = None
    before: Time | None = None


class SumLine(Answer):
    """`revenue`: what the shop kept of these orders, in the store's currency."""

    journey: str | None
    step: str | None
    channel: Channel | None
    via: Literal["coupon", "click", "open"]
    orders: int
    revenue: Money


class Sums(Answer):
    """An order of which everything was refunded was not earned, and is not counted. Orders in another currency than the
    store's are counted, but not summed. `complete` false: there were more orders than are summed at once, and these are
    the earliest."""

    since: Time
    before: Time
    orders: int
    revenue: Money
    items: list[SumLine]
    complete: bool


@door(
    attribution,
    "GET",
    f"{_PATH}/sums",
    summary="What messages earned between two times (else the last 30 days), by journey, step and channel",
    scope="store",
    query=SumQuery,
    answers=Sums,
)
def sum_attributions(call: Call) -> Sums:
    before = call.query.before or call.wiring.clock.now()
    since = call.query.since or before - _USUAL
    if since > before:
        raise BadInput("The times are not as expected.", [FieldMistake("since", "expected a time before `before`")])
    records, currency = call.wiring.attributions, call.store.currency
    found = records.of_store(call.store.id, after=_from(since), before=before, limit=_MOST_SUMMED + 1)
    kept = [one for one in found[:_MOST_SUMMED] if one.net.amount or not one.total.amount]
    lines: dict[tuple[str, ...], list[Attribution]] = {}
    for one in kept:
        lines.setdefault((one.journey or "", one.step or "", one.channel or "", one.via), []).append(one)
    return Sums(
        since=since,
        before=before,
        orders=len(kept),
        revenue=_sum(kept, currency),
        items=[
            SumLine(
                journey=together[0].journey,
                step=together[0].step,
                channel=together[0].channel,
                via=together[0].via,
                orders=len(together),
                revenue=_sum(together, currency),
            )
            for _, together in sorted(lines.items())
        ],
        complete=len(found) <= _MOST_SUMMED,
    )


class RecountBody(Body):
    """`since`: orders placed before it stay as they are; without it, all are looked at."""

    since: Time | None = None


class RecountAnswer(Answer):
    """`done` is how many orders were looked at so far; `ended_at` null: it goes on."""

    id: str
    begun_at: Time
    done: int
    ended_at: Time | None


@door(
    attribution,
    "POST",
    f"{_PATH}/recount",
    summary="Work all of it out again from the records, with the rule as it is set now",
    scope="store",
    body=RecountBody,
    answers=RecountAnswer,
    status=202,
)
def recount(call: Call) -> RecountAnswer:
    from chalicelib.messages.recount import KIND

    since, now = call.body.since or call.store.created_at - timedelta(days=3650), call.wiring.clock.now()
    about = {"since": rfc3339(since)}
    errand = call.wiring.errands.begin(call.store, KIND, rfc3339(now), about)
    return RecountAnswer(id=errand.id, begun_at=errand.begun_at, done=errand.done, ended_at=errand.ended_at)


def _said(moment: datetime | None) -> str:
    return rfc3339(moment) if moment else ""


def _from(since: datetime | None) -> str | None:
    """Just before everything of that moment."""
    return rfc3339(since) if since else None


def _sum(found: list[Attribution], currency: str) -> Money:
    return Money(amount=sum(one.net.amount for one in found if one.net.currency == currency), currency=currency)


def _shown(one: Attribution) -> AttributionAnswer:
    return AttributionAnswer(**{name: getattr(one, name) for name in AttributionAnswer.model_fields})
