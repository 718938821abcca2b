"""`/v1/stores/{s}/privacy-requests`: what the platform asked for people's sake, and the exports kept for the owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from chalice.app import Blueprint

from chalicelib.errors import NotFound
from chalicelib.handlers.api.shapes import Answer, PageQuery, Time, page
from chalicelib.handlers.http import Call, Reply, door
from chalicelib.handlers.request import after_cursor

if TYPE_CHECKING:
    from chalicelib.commerce.privacy import PrivacyRequest

privacy = Blueprint(__name__)


class PrivacyRequestAnswer(Answer):
    """Nothing in it is personal. `platform_request` is the platform's id of a data request.

    `contact_ids`: whom it was about; none for a whole shop (`whole_shop`), and none where nobody was known. An export
    is there while `available`: until `expires_at`, unless somebody in it was erased.
    """

    id: str
    kind: Literal["export", "erasure"]
    status: Literal["running", "done", "nothing_kept", "failed"]
    platform_request: str | None
    contact_ids: list[str]
    whole_shop: bool
    asked_at: Time
    done_at: Time | None
    expires_at: Time | None
    available: bool


class PrivacyRequestList(Answer):
    items: list[PrivacyRequestAnswer]
    next: str | None


@door(
    privacy,
    "GET",
    "/v1/stores/{store_id}/privacy-requests",
    summary="What the platform asked for people's sake: to hand out what is held on them, and to forget them",
    scope="store",
    query=PageQuery,
    answers=PrivacyRequestList,
)
def list_privacy_requests(call: Call) -> PrivacyRequestList:
    """Oldest first, and for good."""
    asked: PageQuery = call.query
    listing = f"privacy-requests:{call.store.id}"
    records = call.wiring.privacy_requests
    found = records.list(call.store.id, after=after_cursor(listing, asked.cursor), limit=asked.limit + 1)
    kept, following = page(found, asked.limit, listing, records.sort_key)
    return PrivacyRequestList(items=[_shown(call, request) for request in kept], next=following)


@door(
    privacy,
    "GET",
    "/v1/stores/{store_id}/privacy-requests/{request_id}/export",
    summary="The export that was made for a data request, to be handed on to the person",
    scope="store",
    answers=dict[str, Any],
)
def get_privacy_export(call: Call) -> Reply:
    """404 once its 30 days are over, or somebody in it was erased."""
    records = call.wiring.privacy_requests
    request = records.get(call.store.id, call.path["request_id"])
    if request is None or not request.is_kept(call.wiring.clock.now()):
        raise NotFound("no such export")
    return Reply(records.content(request))


def _shown(call: Call, request: PrivacyRequest) -> PrivacyRequestAnswer:
    return PrivacyRequestAnswer(
        id=request.id,
        kind=request.kind.value,
        status=request.status.value,
        platform_request=request.platform_request,
        contact_ids=list(request.contact_ids),
        whole_shop=request.whole_shop,
        asked_at=request.asked_at,
        done_at=request.done_at,
        expires_at=request.kept_until,
        available=request.is_kept(call.wiring.clock.now()),
    )
