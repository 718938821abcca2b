"""The ready journeys: one YAML file each in `templates/`, in Hebrew and English."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from chalicelib.messages.gallery import written

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # a tenth of the time, where it was built with libyaml
_FOLDER = Path(__file__).parent / "templates"


class Template(BaseModel):
    """`touches` is the number of messages one contact can get in one pass. `definition` can be PUT as it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    name: dict[str, str]
    description: dict[str, str]
    touches: int = Field(ge=0)
    definition: dict[str, Any]


@cache
def gallery() -> tuple[Template, ...]:
    """All templates, in the order of their ids. Read once; nobody may change what is inside.

    An email step that only names a message template has its words here, so that a definition is whole.
    """
    return tuple(sorted(map(_read, _FOLDER.glob("*.yaml")), key=lambda template: template.id))


def _read(path: Path) -> Template:
    found = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a safe one, whichever it is
    _fill_in(found["definition"])
    return Template.model_validate(found)


def _fill_in(node: Any) -> None:
    """Each step's words, in branches and splits too."""
    if isinstance(node, list):
        for inner in node:
            _fill_in(inner)
    if not isinstance(node, dict):
        return
    if node.get("type") == "send_email" and "content" not in node:
        node["content"] = deepcopy(written()[node["template"]]["content"])
    for inner in node.values():
        _fill_in(inner)
