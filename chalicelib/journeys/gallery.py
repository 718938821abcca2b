"""The ready journeys: one YAML file each in `templates/`, in Hebrew and English."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

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
    """All templates, in the order of their ids. Read once; nobody may change what is inside."""
    return tuple(sorted(map(_read, _FOLDER.glob("*.yaml")), key=lambda template: template.id))


def _read(path: Path) -> Template:
    return Template.model_validate(yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader))  # noqa: S506 - a safe one, whichever it is
