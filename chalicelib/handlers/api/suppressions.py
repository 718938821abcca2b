"""`/v1/stores/{s}/suppressions`: addresses that are never written to, brought from elsewhere, asked about, lifted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.contacts.consent import Channel
from chalicelib.errors import BadInput, FieldMistake, NotFound
from chalicelib.handlers.api.shapes import Answer, Body, Query, Time
from chalicelib.handlers.http import Call, door

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.contacts.suppressing import Unwanted

suppressions = Blueprint(__name__)

_PATH = "/v1/stores/{store_id}/suppressions"
_MOST, _MOST_TOLD, _SIDE_BY_SIDE = 1000, 200, 8
Text = Annotated[str, Field(min_length=1, max_length=1000)]
Reason = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^@\x00-\x1f\x7f]+$")]


class SuppressionNew(Body):
    """One email or one phone. `channels`: on which nothing goes there (all that it has, if absent)."""

    email: Text | None = None
    phone: Text | None = None
    channels: Annotated[list[Channel], Field(max_length=3)] | None = None
    reason: Text | None = None


class SuppressionBatch(Body):
    """Each row is taken or refused for itself. As text/csv: a first row that names `email` or `phone`, and perhaps
    `channels` and `reason`; up to 10,000 more."""

    suppressions: Annotated[list[SuppressionNew], Field(min_length=1, max_length=_MOST)]


class AddressQuery(Query):
    """One of the two."""

    email: Text | None = None
    phone: Text | None = None


class LiftQuery(AddressQuery):
    """`reason`: why it is lifted; it is kept, and must not name the address."""

    reason: Reason
    channel: Literal["email", "sms", "whatsapp"] | None = None


class RowProblem(Answer):
    """`row` counts from 1, in a table from the first one after the names, empty ones included."""

    row: int
    field: str
    message: str


class SuppressionsTaken(Answer):
    """Addresses and channels are counted one by one: a phone has two. `rows` are the first refused ones."""

    added: int
    held_already: int
    refused: int
    rows: list[RowProblem]


class SuppressionAnswer(Answer):
    """`lifted_at`, `lifted_reason`: it holds no more."""

    channel: Channel
    reason: str
    source: str
    since: Time
    lifted_at: Time | None
    lifted_reason: str | None


class SuppressionsHeld(Answer):
    """Of one address, by channel."""

    held: bool
    items: list[SuppressionAnswer]


@door(
    suppressions,
    "POST",
    _PATH,
    summary="Never write to these addresses, whoever's they are or will be",
    scope="store",
    body=SuppressionBatch,
    answers=SuppressionsTaken,
    csv=True,
)
def add_suppressions(call: Call) -> SuppressionsTaken:
    """Only hashes are kept. 422 where no row makes sense; the same list again changes nothing."""
    from chalicelib.contacts.suppressing import Refused, rows_of, unwanted

    rows: Sequence[tuple[int, Mapping[str, Any]]]
    if isinstance(call.body, str):
        source, rows = "csv", rows_of(call.body)
    else:
        given = [one.model_dump(mode="json") for one in call.body.suppressions]
        source, rows = "api", list(enumerate(given, start=1))
    good, bad = [], []
    for number, row in rows:
        try:
            good.append(unwanted(row, call.store.country))
        except Refused as wrong:
            bad.append(RowProblem(row=number, field=wrong.field, message=wrong.message))
    if not good and bad:
        mistakes = [FieldMistake(f"suppressions[{one.row - 1}].{one.field}", one.message) for one in bad[:50]]
        raise BadInput("No row is as expected.", mistakes)
    added = _added(call, good, source)
    asked = sum(len(one.channels) for one in good)
    return SuppressionsTaken(added=added, held_already=asked - added, refused=len(bad), rows=bad[:_MOST_TOLD])


@door(
    suppressions,
    "GET",
    _PATH,
    summary="Whether an address is held back, why and since when",
    scope="store",
    query=AddressQuery,
    answers=SuppressionsHeld,
)
def get_suppressions(call: Call) -> SuppressionsHeld:
    channels, address = _address(call)
    return _shown(call, channels, address)


@door(
    suppressions,
    "DELETE",
    _PATH,
    summary="Let an address be written to again",
    scope="store",
    query=LiftQuery,
    answers=SuppressionsHeld,
)
def lift_suppressions(call: Call) -> SuppressionsHeld:
    """On all its channels, or on the one named. Nobody is subscribed by it: what advertises still needs consent."""
    channels, address = _address(call)
    asked: LiftQuery = call.query
    if asked.channel is not None and asked.channel not in channels:
        raise BadInput("The query is not as expected.", [FieldMistake("channel", "expected one that the address has")])
    wanted = channels if asked.channel is None else (Channel(asked.channel),)
    now, listed = call.wiring.clock.now(), call.wiring.suppression_list
    lifted = [listed.remove(call.store.id, channel, address, asked.reason, now) for channel in wanted]
    answer = _shown(call, channels, address)
    if not any(lifted) and not answer.items:
        raise NotFound("this address is not on the list")
    return answer


def _address(call: Call) -> tuple[tuple[Channel, ...], str]:
    from chalicelib.contacts.suppressing import Refused, address_of

    try:
        return address_of(call.query.email, call.query.phone, call.store.country)
    except Refused as wrong:
        mistake = FieldMistake(wrong.field, wrong.message)
        raise BadInput("The query is not as expected.", [mistake]) from None


def _added(call: Call, wanted: Sequence[Unwanted], source: str) -> int:
    """Side by side, for an API Gateway answers within 29 seconds."""
    from concurrent.futures import ThreadPoolExecutor

    listed, store_id, now = call.wiring.suppression_list, call.store.id, call.wiring.clock.now()

    def add(one: tuple[Channel, str, str]) -> bool:
        channel, address, reason = one
        return listed.add(store_id, channel, address, reason, source, now)

    each = {(channel, one.address): one.reason for one in reversed(wanted) for channel in one.channels}
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as hands:
        return sum(hands.map(add, [(channel, address, reason) for (channel, address), reason in each.items()]))


def _shown(call: Call, channels: Sequence[Channel], address: str) -> SuppressionsHeld:
    found = call.wiring.suppression_list.of_address(call.store.id, channels, address)
    items = [
        SuppressionAnswer(
            channel=one.channel,
            reason=one.reason,
            source=one.source,
            since=one.at,
            lifted_at=one.lifted_at,
            lifted_reason=one.lifted_reason,
        )
        for one in found
    ]
    return SuppressionsHeld(held=any(one.holds for one in found), items=items)
