"""`/v1/journey-templates`: the gallery of ready journeys."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from chalicelib.handlers.api.shapes import Answer, PageQuery, page
from chalicelib.handlers.http import Call, door
from chalicelib.handlers.request import after_cursor

templates = Blueprint(__name__)


class TemplateAnswer(Answer):
    """`name` and `description` by language. `touches`: messages that one contact can get in one pass.
    `definition` can be saved as a journey and activated just as it is."""

    id: str
    name: dict[str, str]
    description: dict[str, str]
    touches: int
    definition: dict[str, Any]


class TemplateList(Answer):
    items: list[TemplateAnswer]
    next: str | None


@door(
    templates,
    "GET",
    "/v1/journey-templates",
    summary="The ready journeys",
    scope="any",
    query=PageQuery,
    answers=TemplateList,
)
def list_templates(call: Call) -> TemplateList:
    from chalicelib.journeys.gallery import gallery

    after = after_cursor("templates", call.query.cursor) or ""
    left = [template for template in gallery() if template.id > after]
    kept, following = page(left, call.query.limit, "templates", lambda template: template.id)
    return TemplateList(items=[TemplateAnswer(**template.model_dump()) for template in kept], next=following)
