"""API Gateway for the embedded runtime: an HTTP request becomes a proxy event for the Chalice app, and its answer one.

chalice.local's own gateway is not used whole: it decodes no path parameter, drops repeated headers and
shares the current request between threads. Its route matcher is.
"""

from __future__ import annotations

import base64
import json
import threading
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from chalice.app import Chalice, Request
from chalice.local import RouteMatcher

from local.lambdas import LambdaContext


@dataclass(frozen=True)
class HttpRequest:
    """`target` as on the request line; `headers` in order, names as sent; `body` the exact bytes."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    source_ip: str = "127.0.0.1"

    @property
    def path(self) -> str:
        """Without the query, still percent-encoded; absolute request lines and doubled slashes are taken too."""
        target = self.target
        if "://" in target.split("?", 1)[0]:
            parts = urlsplit(target)
            target = parts.path or "/"
        return "/" + target.split("?", 1)[0].split("#", 1)[0].lstrip("/")

    @property
    def query(self) -> str:
        return self.target.partition("?")[2].split("#", 1)[0]

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


@dataclass(frozen=True)
class HttpAnswer:
    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = field(default=())


def json_answer(content: Any, status: int = 200) -> HttpAnswer:
    return HttpAnswer(status, json.dumps(content, ensure_ascii=False).encode())


def problem(status: int, title: str, detail: str, headers: tuple[tuple[str, str], ...] = ()) -> HttpAnswer:
    """RFC 9457, as everywhere in the API."""
    body = json.dumps({"type": "about:blank", "status": status, "title": title, "detail": detail}).encode()
    return HttpAnswer(status, body, "application/problem+json", headers)


class Gateway:
    """Thread-safe: each thread has its own `app.current_request`."""

    def __init__(self, app: Chalice) -> None:
        self._app = app
        if not isinstance(app, _ThreadedChalice):  # there is one app in a process, and gateways may follow each other
            app.__class__ = type("ThreadedChalice", (_ThreadedChalice, type(app)), {})
        self._matcher = RouteMatcher(list(app.routes))

    def answer(self, request: HttpRequest) -> HttpAnswer:
        try:
            # urlparse, inside, would take these as the beginning of something else than the path
            match = self._matcher.match_route(request.path.replace(";", "%3B"))
        except ValueError:
            return problem(404, "Not found", "there is nothing at this address")
        methods = self._app.routes[match.route]
        method = request.method
        if method == "HEAD" and "HEAD" not in methods:
            method = "GET"
        if method not in methods:
            allowed = ", ".join(sorted({*methods, "OPTIONS"} | ({"HEAD"} if "GET" in methods else set())))
            if method == "OPTIONS":
                return HttpAnswer(204, headers=(("Allow", allowed),))
            return problem(405, "Method not allowed", f"allowed here: {allowed}", (("Allow", allowed),))
        names = {part[1:-1] for part in match.route.split("/") if part.startswith("{")}
        captured = {name: unquote(value) for name, value in match.captured.items() if name in names}
        event = self._event(request, method, match.route, captured)
        return _answer(self._app(event, LambdaContext("api")))

    def _event(self, request: HttpRequest, method: str, route: str, captured: dict[str, str]) -> dict[str, Any]:
        query = parse_qs(request.query, keep_blank_values=True)
        many: dict[str, list[str]] = {}
        for name, value in request.headers:
            many.setdefault(name, []).append(value)
        headers = {name: values[-1] for name, values in many.items()}
        if self._app.api.binary_types and not any(name.lower() == "accept" for name in headers):
            headers["Accept"] = "*/*"  # a client that names no wish takes a picture too
        body, encoded = _text_or_base64(request.body)
        path = unquote(request.path)
        return {
            "resource": route,
            "path": path,
            "httpMethod": method,
            "headers": headers,
            "multiValueHeaders": many,
            "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
            "multiValueQueryStringParameters": query or None,
            "pathParameters": captured or None,
            "stageVariables": None,
            "requestContext": {
                "resourcePath": route,
                "httpMethod": method,
                "path": path,
                "stage": "api",
                "requestId": str(uuid.uuid4()),
                "identity": {"sourceIp": request.source_ip, "userAgent": request.header("user-agent")},
            },
            "body": body,
            "isBase64Encoded": encoded,
        }


class _ThreadedChalice:
    """Chalice keeps the request it is answering on the app: here, one for each thread."""

    _own = threading.local()

    @property
    def current_request(self) -> Request | None:
        return getattr(self._own, "request", None)

    @current_request.setter
    def current_request(self, request: Request | None) -> None:
        self._own.request = request

    @property
    def lambda_context(self) -> Any:
        return getattr(self._own, "context", None)

    @lambda_context.setter
    def lambda_context(self, context: Any) -> None:
        self._own.context = context


def _text_or_base64(body: bytes) -> tuple[str | None, bool]:
    if not body:
        return None, False
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), True


def _answer(answer: dict[str, Any]) -> HttpAnswer:
    body = answer.get("body") or ""
    content = base64.b64decode(body) if answer.get("isBase64Encoded") else str(body).encode()
    headers = [(name, str(value)) for name, value in (answer.get("headers") or {}).items()]
    headers += [
        (name, str(value)) for name, values in (answer.get("multiValueHeaders") or {}).items() for value in values
    ]
    kind = next((value for name, value in headers if name.lower() == "content-type"), "application/json")
    rest = tuple(h for h in headers if h[0].lower() not in ("content-type", "content-length", "connection"))
    return HttpAnswer(int(answer["statusCode"]), content, kind, rest)
