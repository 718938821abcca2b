"""A store's journey: a draft, published versions that never change, and whether it takes people in."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict


class JourneyStatus(StrEnum):
    DRAFT = "draft"
    ACTIVE = "active"
    PAUSED = "paused"
    STOPPED = "stopped"
    ARCHIVED = "archived"


class Journey(BaseModel):
    """The head. `trigger_type` and `gathers` (several events before anybody enters) are the live version's,
    so that an event that does not concern the journey reads no definition.

    `active_since`: since when it takes people in by a trigger of this type; days before that are nobody's.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    store_id: str
    status: JourneyStatus = JourneyStatus.DRAFT
    draft: dict[str, Any] | None = None
    live_version: int | None = None
    trigger_type: str | None = None
    has_goal: bool = False
    gathers: bool = False
    active_since: datetime | None = None
    name: dict[str, str] = {}
    created_at: datetime
    updated_at: datetime
    rev: int = 0


class JourneyVersion(BaseModel):
    """Published and immutable. `machine` and `resume_machine` are what `Workflows.publish` returned."""

    model_config = ConfigDict(frozen=True)

    store_id: str
    journey: str
    version: int
    definition: dict[str, Any]
    machine: str
    resume_machine: str
    published_at: datetime
