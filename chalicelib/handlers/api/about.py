"""What the service says of itself: its health, its OpenAPI document, the schema of a journey."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from chalice.app import Blueprint

from chalicelib.handlers.api.shapes import Answer
from chalicelib.handlers.http import Call, Reply, door

VERSION = "0.1.0"

about = Blueprint(__name__)


class Health(Answer):
    status: str
    version: str


@door(about, "GET", "/health", summary="Whether the service is up", scope="public", answers=Health)
def health(call: Call) -> Health:
    return Health(status="ok", version=VERSION)


@door(about, "GET", "/v1/openapi.json", summary="This document", scope="public", answers=dict[str, Any])
def openapi(call: Call) -> Reply:
    return Reply(_document())


@lru_cache(maxsize=1)
def _document() -> str:
    from chalicelib.handlers.api.document import document

    return json.dumps(document(VERSION), ensure_ascii=False)


@door(
    about, "GET", "/v1/schemas/journey", summary="The JSON Schema of a journey", scope="public", answers=dict[str, Any]
)
def journey_schema(call: Call) -> Reply:
    from chalicelib.journeys.definition import json_schema

    return Reply(json.dumps(json_schema(), ensure_ascii=False))
