"""What a contact looked at, wished for, asked to hear of, answered and belongs to."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from chalicelib.errors import NotFound
from chalicelib.handlers.api.shapes import Answer, Time
from chalicelib.handlers.http import Call, door

engagement = Blueprint(__name__)


class ViewAnswer(Answer):
    """One look at a product's page, or (`product_id` null) at a category's."""

    at: Time
    product_id: str | None
    categories: list[str]
    seconds: int
    out_of_stock: bool


class LinkedAnswer(Answer):
    kind: str
    id: str
    fields: dict[str, Any]
    at: Time


class LastAnswer(Answer):
    """When the contact was last seen on the site, opened a message, clicked in one."""

    visit: Time | None
    open: Time | None
    click: Time | None


class EngagementAnswer(Answer):
    """`views` newest first. `asked` to hear of: `product:12`, `category:7`. `answers` by survey (or form) and question.
    `topics` from 0 to 100."""

    views: list[ViewAnswer]
    wish_list: list[str]
    asked: list[str]
    segments: list[str]
    topics: dict[str, float]
    answers: dict[str, dict[str, Any]]
    linked: list[LinkedAnswer]
    last: LastAnswer


@door(
    engagement,
    "GET",
    "/v1/stores/{store_id}/contacts/{contact_id}/engagement",
    summary="What a contact did on the site, and told of itself",
    scope="store",
    answers=EngagementAnswer,
)
def contact_engagement(call: Call) -> EngagementAnswer:
    contact = call.wiring.contacts.get(call.store.id, call.path["contact_id"])
    if contact is None:
        raise NotFound("no such contact")
    known = call.wiring.contacts.engagement(call.store.id, contact.id)
    return EngagementAnswer(
        views=[
            ViewAnswer(
                at=view.at,
                product_id=view.product or None,
                categories=list(view.categories),
                seconds=view.seconds,
                out_of_stock=view.out_of_stock,
            )
            for view in reversed(known.views)
        ],
        wish_list=sorted(known.wishes()),
        asked=sorted(known.asks()),
        segments=[name for name in known.segments if known.in_segment(name)],
        topics={name: told.value for name, told in known.topics.items()},
        answers={
            survey: {question: told.value for question, told in by.items()} for survey, by in known.answers.items()
        },
        linked=[
            LinkedAnswer(kind=kind, id=record_id, fields=record.fields, at=record.at)
            for kind, records in known.linked.items()
            for record_id, record in records.items()
            if not record.gone
        ],
        last=LastAnswer(visit=known.last.get("visit"), open=known.last.get("open"), click=known.last.get("click")),
    )
