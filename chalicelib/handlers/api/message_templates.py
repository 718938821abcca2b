"""`/v1/stores/{s}/message-templates`: a store's own email templates, each change a version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.errors import NotFound
from chalicelib.handlers.api.shapes import Answer, Body, Line, PageQuery, Query, Time, page
from chalicelib.handlers.http import Call, door
from chalicelib.handlers.request import after_cursor

if TYPE_CHECKING:
    from chalicelib.messages.template import MessageTemplate

message_templates = Blueprint(__name__)
_LIST = "/v1/stores/{store_id}/message-templates"
_PATH = f"{_LIST}/{{template_id}}"
_LANGUAGE = r"^[a-z]{2}$"


class TemplateBody(Body):
    """`content` by language, as in a `send_email` step of a journey (/v1/schemas/journey)."""

    name: Annotated[dict[Annotated[str, Field(pattern=_LANGUAGE)], Line], Field(min_length=1, max_length=20)]
    content: dict[str, Any]


class TemplateHead(Answer):
    """`languages` are those of its content."""

    id: str
    name: dict[str, str]
    version: int
    languages: list[str]
    created_at: Time
    updated_at: Time


class TemplateAnswer(TemplateHead):
    content: dict[str, Any]


class TemplateList(Answer):
    items: list[TemplateHead]
    next: str | None


class VersionQuery(Query):
    """`version`: another than the newest."""

    version: Annotated[int, Field(ge=1, le=1_000_000)] | None = None


@door(
    message_templates,
    "GET",
    _LIST,
    summary="The store's own email templates, by id",
    scope="store",
    query=PageQuery,
    answers=TemplateList,
)
def list_message_templates(call: Call) -> TemplateList:
    listing = f"templates:{call.store.id}"
    after = after_cursor(listing, call.query.cursor) or ""
    left = [one for one in call.wiring.message_templates.of_store(call.store.id) if one.id > after]
    kept, following = page(left, call.query.limit, listing, lambda one: one.id)
    return TemplateList(items=[TemplateHead(**_head(one)) for one in kept], next=following)


@door(
    message_templates,
    "GET",
    _PATH,
    summary="One template, its newest version or another",
    scope="store",
    query=VersionQuery,
    answers=TemplateAnswer,
)
def get_message_template(call: Call) -> TemplateAnswer:
    found = call.wiring.message_templates.get(call.store.id, call.path["template_id"], call.query.version)
    if found is None:
        raise NotFound("no such template")
    return _shown(found)


@door(
    message_templates,
    "GET",
    f"{_PATH}/versions",
    summary="All versions of a template, oldest first",
    scope="store",
    query=PageQuery,
    answers=TemplateList,
)
def list_versions(call: Call) -> TemplateList:
    listing = f"templates:{call.store.id}:{call.path['template_id']}"
    after = int(after_cursor(listing, call.query.cursor) or 0)
    known = call.wiring.message_templates.versions(call.store.id, call.path["template_id"])
    if not known:
        raise NotFound("no such template")
    left = [one for one in known if one.version > after]
    kept, following = page(left, call.query.limit, listing, lambda one: str(one.version))
    return TemplateList(items=[TemplateHead(**_head(one)) for one in kept], next=following)


@door(
    message_templates,
    "PUT",
    _PATH,
    summary="Save a template; what differs from the newest version is a new one",
    scope="store",
    body=TemplateBody,
    answers=TemplateAnswer,
)
def save_message_template(call: Call) -> TemplateAnswer:
    from chalicelib.messages.template import read_words, save_template

    given: TemplateBody = call.body
    records, now = call.wiring.message_templates, call.wiring.clock.now()
    content = read_words(given.content)
    return _shown(save_template(records, call.store.id, call.path["template_id"], given.name, content, now))


@door(
    message_templates,
    "DELETE",
    _PATH,
    summary="Take a template away; journeys that took its words over keep them",
    scope="store",
    status=204,
)
def delete_message_template(call: Call) -> None:
    found = call.wiring.message_templates.get(call.store.id, call.path["template_id"])
    if found is None:
        raise NotFound("no such template")
    call.wiring.message_templates.delete(found)


def _head(one: MessageTemplate) -> dict[str, Any]:
    kept = {name: getattr(one, name) for name in TemplateHead.model_fields if name != "languages"}
    return {**kept, "languages": list(one.content)}


def _shown(one: MessageTemplate) -> TemplateAnswer:
    from chalicelib.messages.template import dumped

    return TemplateAnswer(**_head(one), content=dumped(one.content))
