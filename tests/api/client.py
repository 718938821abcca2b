"""A caller of the app: builds API Gateway's events, and holds every answer against the OpenAPI document."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from jsonschema import Draft202012Validator

from app import app
from chalicelib.handlers.api.document import document


@cache
def openapi() -> dict[str, Any]:
    return document("test")


@dataclass(frozen=True)
class Answered:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def fields(self) -> list[str]:
        """The fields that a problem names."""
        return [error["field"] for error in self.json.get("errors", [])]


@dataclass
class Caller:
    token: str | None
    base: dict[str, str] = field(default_factory=lambda: {"host": "agala.example", "x-forwarded-proto": "https"})

    def __call__(
        self,
        method: str,
        path: str,
        json_body: Any = None,
        *,
        body: bytes | str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answered:
        sent = dict(self.base)
        if self.token is not None:
            sent["authorization"] = f"Bearer {self.token}"
        if json_body is not None:
            body = json.dumps(json_body).encode()
        if body is not None:
            sent["content-type"] = "application/json"
        sent |= headers or {}
        parts = urlsplit(path)
        route, captured = match(parts.path)
        event = {
            "requestContext": {"httpMethod": method, "resourcePath": route, "path": parts.path, "identity": {}},
            "path": parts.path,
            "headers": sent,
            "pathParameters": captured,
            "multiValueQueryStringParameters": parse_qs(parts.query, keep_blank_values=True) or None,
            "stageVariables": {},
            "body": body,
        }
        answer = app(event, None)
        found = Answered(answer["statusCode"], {k.lower(): v for k, v in answer["headers"].items()}, answer["body"])
        if method.lower() in openapi()["paths"].get(route, {}):
            conforms(route, method, found)
        return found


def match(path: str) -> tuple[str, dict[str, str]]:
    parts = path.split("/")
    for route in sorted(app.routes):
        pattern = route.split("/")
        if len(parts) != len(pattern):
            continue
        captured = {
            p[1:-1]: unquote(given, errors="surrogateescape")
            for p, given in zip(pattern, parts, strict=True)
            if p.startswith("{")
        }
        if all(p.startswith("{") or p == given for p, given in zip(pattern, parts, strict=True)):
            return route, captured
    raise LookupError(path)


def conforms(route: str, method: str, found: Answered) -> None:
    """The answer's status, content type and body are what the document says."""
    said = openapi()["paths"][route][method.lower()]["responses"]
    assert str(found.status) in said, f"{method} {route} answered {found.status}, which the document does not know"
    content = said[str(found.status)].get("content")
    if content is None:
        assert found.text == ""
        return
    media = found.headers["content-type"]
    assert media in content, f"{method} {route} answered {media}"
    if media.endswith("json"):
        schema = {**content[media]["schema"], "components": openapi()["components"]}
        Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(
            json.loads(found.text)
        )
