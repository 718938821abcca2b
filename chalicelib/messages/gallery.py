"""The ready message templates: one YAML file each in `templates/`, in Hebrew and English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from chalicelib.messages.content_model import EmailContent

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # a tenth of the time, where it was built with libyaml
_FOLDER = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class MessageTemplate:
    """`name`, `description` and `use` (the moment it is for) by language; `content` can be a step's as it is."""

    id: str
    name: Mapping[str, str]
    description: Mapping[str, str]
    use: Mapping[str, str]
    content: Mapping[str, EmailContent]


@cache
def written() -> dict[str, dict[str, Any]]:
    """All templates as their files have them, by id. Read once; nobody may change what is inside.

    Journeys take the words from here: what a served definition holds is checked when it is saved.
    """
    files = (_read(path) for path in sorted(_FOLDER.glob("*.yaml")))
    return {found["id"]: found for found in files}


@cache
def message_templates() -> tuple[MessageTemplate, ...]:
    """All templates, in the order of their ids, checked. Raises ValidationError, TypeError of a file that is wrong."""
    from chalicelib.messages.content_model import EmailContent  # whoever only lists journeys need not load the forms

    return tuple(
        MessageTemplate(
            **found | {"content": {of: EmailContent.model_validate(one) for of, one in found["content"].items()}}
        )
        for _, found in sorted(written().items())
    )


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a safe one, whichever it is
    return found
