"""`/v1/journey-templates` and `/v1/message-templates`: the galleries of ready journeys and ready emails."""

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


class MessageTemplateAnswer(Answer):
    """`name`, `description` and `use` (the moment it is for) by language; `content` by language is what the `content`
    of a journey's email step can be, just as it is."""

    id: str
    name: dict[str, str]
    description: dict[str, str]
    use: dict[str, str]
    content: dict[str, dict[str, Any]]


class MessageTemplateList(Answer):
    items: list[MessageTemplateAnswer]
    next: str | None


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


@door(
    templates,
    "GET",
    "/v1/message-templates",
    summary="The ready emails",
    scope="any",
    query=PageQuery,
    answers=MessageTemplateList,
)
def list_ready_emails(call: Call) -> MessageTemplateList:
    from chalicelib.messages.gallery import written

    after = after_cursor("message-templates", call.query.cursor) or ""
    left = [template for template_id, template in sorted(written().items()) if template_id > after]
    kept, following = page(left, call.query.limit, "message-templates", lambda template: template["id"])
    return MessageTemplateList(items=[MessageTemplateAnswer(**template) for template in kept], next=following)
