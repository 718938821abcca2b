"""A store's own email templates: words and blocks in some languages, to be named by the steps of journeys.

Every change is a version of its own. A journey takes the words over when it is saved: what is live, and people on
their way, stay as they are whatever becomes of the template, until the journey is saved and published again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Protocol

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from chalicelib.contacts.retry import persist
from chalicelib.errors import BadInput, FieldMistake
from chalicelib.journeys.limits import LARGEST
from chalicelib.journeys.mistakes import mistakes_of, refuse_outsized
from chalicelib.messages.content import check_content
from chalicelib.messages.content_model import EmailContent, Language

Words = Mapping[str, EmailContent]
"""By language."""


class MessageTemplate(BaseModel):
    """`name` by language. `version` counts from 1; `updated_at` is this version's time. `rev` counts writes."""

    model_config = ConfigDict(frozen=True)

    id: str
    store_id: str
    name: dict[str, str]
    content: dict[str, EmailContent]
    version: int
    created_at: datetime
    updated_at: datetime
    rev: int = 0


class MessageTemplates(Protocol):
    """`storage.message_templates.MessageTemplates`."""

    def get(self, store_id: str, template_id: str, version: int | None = None) -> MessageTemplate | None:
        """The newest, or that version of it."""
        ...

    def of_store(self, store_id: str) -> Sequence[MessageTemplate]:
        """By id."""
        ...

    def versions(self, store_id: str, template_id: str) -> Sequence[MessageTemplate]:
        """Oldest first, also of one that was deleted."""
        ...

    def save(self, template: MessageTemplate) -> MessageTemplate:
        """The next version. Raises `Conflict` if somebody was quicker."""
        ...


def save_template(
    records: MessageTemplates, store_id: str, template_id: str, name: Mapping[str, str], content: Words, now: datetime
) -> MessageTemplate:
    """The next version, or the newest where it is the same. A number never means two things, also after a deletion.

    Raises `TryLater`."""

    def saved() -> MessageTemplate:
        present = records.get(store_id, template_id)
        if present is not None and (present.content, present.name) == (dict(content), dict(name)):
            return present
        last = max((one.version for one in records.versions(store_id, template_id)), default=0)
        made = MessageTemplate(
            id=template_id,
            store_id=store_id,
            name=dict(name),
            content=dict(content),
            version=last + 1,
            created_at=present.created_at if present else now,
            updated_at=now,
            rev=present.rev if present else 0,
        )
        return records.save(made)

    return persist(saved)


def dumped(content: Words) -> dict[str, Any]:
    """Content as JSON data, as it was given."""
    return {
        language: one.model_dump(mode="json", by_alias=True, exclude_unset=True) for language, one in content.items()
    }


def with_words(data: Any, words: Callable[[str], Words | None]) -> tuple[Any, list[FieldMistake]]:
    """A definition's JSON data with content in every step that only names a template, and the names nobody knows.

    A step that has content of its own keeps it.
    """
    mistakes: list[FieldMistake] = []
    return _filled(data, "", words, mistakes), mistakes


def _filled(data: Any, path: str, words: Callable[[str], Words | None], mistakes: list[FieldMistake]) -> Any:
    if isinstance(data, list):
        return [_filled(one, f"{path}[{index}]", words, mistakes) for index, one in enumerate(data)]
    if not isinstance(data, dict):
        return data
    if data.get("type") == "send_email":
        return _step(data, path, words, mistakes)
    ways = ("steps", "then", "else", "ways")
    return {
        name: _filled(one, f"{path}.{name}".lstrip("."), words, mistakes) if name in ways else one
        for name, one in data.items()
    }


def _step(
    step: dict[str, Any], path: str, words: Callable[[str], Words | None], mistakes: list[FieldMistake]
) -> dict[str, Any]:
    name = step.get("template")
    if not isinstance(name, str) or step.get("content"):
        return step
    found = words(name)
    if found is None:
        told = f"step {str(step.get('id'))[:60]!r}: there is no template {name[:60]!r}; save it first"
        mistakes.append(FieldMistake(f"{path}.template", told))
        return step
    return {**step, "content": dumped(found)}


def read_words(data: Any, place: str = "content") -> dict[str, EmailContent]:
    """Content by language, from JSON data. Raises `BadInput` naming each field; texts and addresses too."""
    refuse_outsized(data, LARGEST)
    try:
        content = _WORDS.validate_python(data)
    except ValidationError as error:
        mistakes = mistakes_of(error, data)
        told = [FieldMistake(f"{place}.{one.field}" if one.field else place, one.message) for one in mistakes]
        raise BadInput("the content has mistakes", told) from None
    wrong = [
        FieldMistake(f"{place}.{language}.{one.field}", one.message)
        for language, words in content.items()
        for one in check_content(words)
    ]
    if wrong:
        raise BadInput("the content has mistakes", wrong)
    return content


_WORDS: TypeAdapter[dict[str, EmailContent]] = TypeAdapter(
    Annotated[dict[Language, EmailContent], Field(min_length=1, max_length=20)]
)
