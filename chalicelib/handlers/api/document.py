"""The OpenAPI 3.1 document, made from the doors themselves. Built when first asked for."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from chalicelib.handlers.api.shapes import Problem
from chalicelib.handlers.http import CSV, DOORS, JSON, PATH_PATTERNS, PROBLEM, Door

_REFERENCE = "#/components/schemas/{model}"
_SECURITY: dict[str, list[dict[str, list[str]]]] = {
    "public": [],
    "code": [{"connection_code": []}],
    "signed": [{"signature": []}],
}
_EXPLAINED = {
    400: "The request cannot be read: no JSON, or JSON that is not plain UTF-8.",
    401: "No token or signature, or none that is good.",
    403: "A good token that may not do this, or not for this store.",
    404: "No such record.",
    409: "The record's present state does not allow it, or somebody else was quicker.",
    413: "The body is larger than 1 MiB.",
    415: "The body is not application/json.",
    422: "Something in the request is not as expected; `errors` names each field.",
    500: "A mistake on our side.",
    503: "A part that is needed is out for now. Nothing was done; repeat later.",
}


def document(version: str) -> dict[str, Any]:
    """The document of every door registered so far."""
    schemas, components = _schemas()
    paths: dict[str, dict[str, Any]] = {}
    for door in DOORS:
        paths.setdefault(door.path, {})[door.method.lower()] = _operation(door, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Agala",
            "version": version,
            "description": "Marketing automation for online stores. Times are RFC 3339 in UTC, money in minor units.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "connection_code": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The `key` inside a connection code; good once.",
                },
                "signature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-Agala-Signature",
                    "description": "Hexadecimal HMAC-SHA256, with the store's secret, of X-Agala-Timestamp "
                    "(Unix seconds, within 5 minutes of real time), a full stop and the raw body.",
                },
            },
        },
    }


def _schemas() -> tuple[dict[tuple[int, str], dict[str, Any]], dict[Any, Any]]:
    """The schema of each door's body, query and answer, and what they refer to."""
    wanted: list[tuple[tuple[int, str], Any, Any]] = []
    for number, door in enumerate(DOORS):
        if door.body is not None:
            wanted.append(((number, "body"), "validation", _adapter(door.body).core_schema))
        if door.query is not None:
            wanted.append(((number, "query"), "validation", _adapter(door.query).core_schema))
        if door.answers is not None:
            wanted.append(((number, "answer"), "serialization", _adapter(door.answers).core_schema))
    wanted.append(((-1, "problem"), "serialization", _adapter(Problem).core_schema))
    generator = GenerateJsonSchema(by_alias=True, ref_template=_REFERENCE)
    found, definitions = generator.generate_definitions(wanted)
    return {key: schema for (key, _mode), schema in found.items()}, dict(definitions.items())


def _adapter(kind: Any) -> TypeAdapter[Any]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        kind.model_rebuild()
    adapter = TypeAdapter(kind)
    adapter.rebuild()
    return adapter


def _operation(door: Door, schemas: dict[tuple[int, str], dict[str, Any]]) -> dict[str, Any]:
    number = DOORS.index(door)
    operation: dict[str, Any] = {
        "operationId": door.view,
        "summary": door.summary,
        "tags": [door.tag],
        "security": _SECURITY.get(door.scope, [{"token": []}]),
        "responses": _responses(door, schemas.get((number, "answer"))),
    }
    parameters = [_path_parameter(name) for name in re.findall(r"{(\w+)}", door.path)]
    if door.query is not None:
        parameters += _query_parameters(door.query)
    if door.scope == "signed":
        seconds = {"type": "string", "pattern": "^[0-9]{1,12}$"}
        parameters.append({"name": "X-Agala-Timestamp", "in": "header", "required": True, "schema": seconds})
    if parameters:
        operation["parameters"] = parameters
    if door.body is not None:
        content = {JSON: {"schema": schemas[number, "body"]}}
        if door.csv:
            content[CSV] = {"schema": {"type": "string"}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _responses(door: Door, schema: dict[str, Any] | None) -> dict[str, Any]:
    good: dict[str, Any] = {"description": door.summary}
    if door.status != 204:
        good["content"] = {door.media: {"schema": schema or {"type": "string"}}}
    responses: dict[str, Any] = {str(status): good for status in (door.status, *door.also)}
    problem = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status in _refusals(door):
        responses[str(status)] = {"description": _EXPLAINED[status], "content": problem}
    return responses


def _refusals(door: Door) -> list[int]:
    """The statuses of errors that this door can answer with."""
    statuses = [500, 503]
    if door.scope != "public":
        statuses += [401]
    if door.scope in ("store", "admin") or (door.scope == "any" and door.method != "GET"):
        statuses += [403]
    if "{" in door.path:
        statuses += [404]
    if door.body is not None:
        statuses += [400, 413, 415]
    if door.body is not None or door.query is not None:
        statuses += [422]
    if door.method != "GET":
        statuses += [409, 422]
    return sorted(set(statuses))


def _path_parameter(name: str) -> dict[str, Any]:
    schema = {"type": "string", "pattern": PATH_PATTERNS[name]}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameters(model: type[BaseModel]) -> list[dict[str, Any]]:
    """Parameters of simple types only: their schemas hold no references."""
    schema = model.model_json_schema(by_alias=True)
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _without_null(inner)}
        for name, inner in schema.get("properties", {}).items()
    ]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter is there or it is not; it is never null."""
    choices = [choice for choice in schema.get("anyOf", []) if choice != {"type": "null"}]
    if len(choices) != 1:
        return schema
    kept: dict[str, Any] = {name: value for name, value in schema.items() if name not in ("anyOf", "default")}
    kept.update(choices[0])
    return kept
