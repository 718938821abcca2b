"""`/v1/stores/{s}/events`: something happened that no store platform tells."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.handlers.api.shapes import Answer, Body, Line, Properties, Time
from chalicelib.handlers.http import PATH_PATTERNS

events = Blueprint(__name__)

AHEAD = timedelta(minutes=10)  # how far a sender's clock may be before ours


class EventContact(Body):
    """One of them at least; with several, `id` is believed first, then `email`."""

    id: Annotated[str, Field(pattern=PATH_PATTERNS["contact_id"])] | None = None
    email: Annotated[str, Field(min_length=3, max_length=254)] | None = None
    phone: Annotated[str, Field(min_length=3, max_length=40)] | None = None


class EventNew(Body):
    """`id` is the sender's own: the same id again changes nothing. `occurred_at` is now if absent."""

    id: Line
    type: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.:-]{0,63}$")]
    contact: EventContact
    occurred_at: Time | None = None
    properties: Properties = Field(default_factory=dict)


class EventTaken(Answer):
    """`repeated`: this id came before, and nothing changed."""

    id: str
    contact_id: str
    repeated: bool
