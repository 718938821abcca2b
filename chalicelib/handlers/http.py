"""The page that all HTTP doors share: who asks, what comes in, what goes out, and every error as problem+json.

`door` registers a view with its Chalice blueprint and with the OpenAPI document at once, so that neither can
know a route that the other does not.
"""

from __future__ import annotations

import binascii
import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from chalice.app import Blueprint, Request, Response

from chalicelib import wiring
from chalicelib.access import ALL_STORES, ConnectionCode, Token, token_hash
from chalicelib.errors import (
    AgalaError,
    BadInput,
    Conflict,
    FieldMistake,
    Forbidden,
    NotFound,
    TryLater,
    Unauthorised,
    told,
)
from chalicelib.handlers.request import MAX_BODY, Unreadable, parse_body, parse_query, read_text, text_mistake
from chalicelib.store_adapters.signatures import verify_call

if TYPE_CHECKING:
    from pydantic import BaseModel

    from chalicelib.commerce.store import Store

Scope = Literal["public", "any", "store", "admin", "code", "signed"]
JSON, CSV = "application/json", "text/csv"
PROBLEM = "application/problem+json"
SECRET_AGE = 5.0  # seconds: a signature that fails against an older secret is tried against a fresh one
_log = logging.getLogger("agala")

_TITLES = {
    400: "Bad request",
    401: "Not authorised",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Too large",
    415: "Unsupported media type",
    422: "Not as expected",
    500: "Internal error",
    503: "Try again later",
}
_STATUS: dict[type[AgalaError], int] = {
    BadInput: 422,
    NotFound: 404,
    Conflict: 409,
    Unauthorised: 401,
    Forbidden: 403,
    TryLater: 503,
}

# What an id in a path may look like. Anything else names no record: 404.
PATH_PATTERNS = {
    "store_id": r"^[0-9a-z]{26}$",
    "token_id": r"^[0-9a-z]{26}$",
    "contact_id": r"^[0-9a-z]{26}$",
    "journey_id": r"^[a-z0-9][a-z0-9-]{0,39}$",
    "template_id": r"^[a-z0-9][a-z0-9-]{0,39}$",
    "enrolment_id": r"^[0-9a-z]{26}-[0-9a-z]{20}$",
    "delivery_id": r"^[0-9A-Za-z_.-]{1,128}$",
    "request_id": r"^[0-9a-z]{20}$",
    "external_id": r"^[^/\x00-\x1f\x7f]{1,128}$",
    "handover": r"^[A-Za-z0-9_-]{20,100}$",
    "gateway_channel": r"^(sms|whatsapp)$",
    "cart_token": r"^[0-9A-Za-z_.:-]{1,128}$",
}


@dataclass(frozen=True)
class Door:
    """One route. `answers` is the model of its good answer (None: no body); `media` is that answer's content type.
    `body` and `query` are what it takes; `also` are further good statuses with the same answer; `csv`: it takes a table
    of text/csv in the place of its body, which is then the text."""

    method: str
    path: str
    summary: str
    scope: Scope
    status: int
    answers: Any
    body: Any
    query: type[BaseModel] | None
    media: str
    also: tuple[int, ...]
    tag: str
    view: str
    csv: bool = False


DOORS: list[Door] = []


@dataclass(frozen=True)
class Call:
    """One request after its checks. `raw` is the body as it came.

    `store` is there for doors of scope `store` and `signed`, `token` for those of scope `any`, `store` and `admin`,
    `code` for those of scope `code`.
    """

    path: dict[str, str]
    query: Any
    body: Any
    token: Token | None
    base_url: str
    raw: bytes = b""
    code: ConnectionCode | None = None
    _store: Store | None = None

    @property
    def wiring(self) -> wiring.Wiring:
        return wiring.get()

    @property
    def store(self) -> Store:
        """Read when a signed door first asks: some do without the table."""
        store = self._store or self.wiring.stores.get(self.path["store_id"])
        if store is None:
            raise NotFound("no such store")
        return store


@dataclass(frozen=True)
class Reply:
    """An answer with a status or headers of its own; `body` is a model, or text for another media type."""

    body: BaseModel | str | None
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)


View = Callable[[Call], Any]
_DOOR_OF: dict[View, Door] = {}


def door(
    blueprint: Blueprint,
    method: str,
    path: str,
    *,
    summary: str,
    scope: Scope,
    answers: Any = None,
    status: int = 200,
    body: Any = None,
    query: type[BaseModel] | None = None,
    media: str = JSON,
    also: tuple[int, ...] = (),
    csv: bool = False,
) -> Callable[[View], View]:
    """Register the view below it under this route, with Chalice and with the OpenAPI document."""

    def register(view: View) -> View:
        tag = view.__module__.rsplit(".", 1)[-1]
        this = Door(method, path, summary, scope, status, answers, body, query, media, also, tag, view.__name__, csv)
        DOORS.append(this)
        _DOOR_OF[view] = this

        def answer(**given: str) -> Response:
            return _answer(this, view, blueprint.current_request, given)

        answer.__name__ = view.__name__
        # Any content type comes through, because Chalice's own 415 is no problem+json; `read_json` checks it.
        blueprint.route(path, methods=[method], content_types=["*/*"])(answer)
        return view

    return register


def proxied(view: View, event: dict[str, Any]) -> dict[str, Any]:
    """The answer of one door's own Lambda to API Gateway's proxy event (REST API, payload 1.0)."""
    this = _DOOR_OF[view]
    found = event.get("pathParameters") or {}
    given = {name: str(found.get(name, "")) for name in re.findall(r"{(\w+)}", this.path)}
    plain = {
        "multiValueQueryStringParameters": None,
        "stageVariables": None,
        "body": "",
        **event,
        "headers": event.get("headers") or {},
        "pathParameters": given,
        "requestContext": {
            "httpMethod": "POST",
            "resourcePath": "",
            "identity": {},
            **(event.get("requestContext") or {}),
        },
    }
    try:
        answer = _answer(this, view, Request(plain, None), given)
    except (binascii.Error, ValueError):  # a body that says it is base64 and is not
        answer = problem(400, "The body cannot be read.")
    return {"statusCode": answer.status_code, "headers": answer.headers, "body": answer.body}


def _answer(this: Door, view: View, request: Any, given: dict[str, str]) -> Response:
    try:
        return _response(this, view(_call(this, request, given)))
    except Unreadable as refusal:
        return problem(refusal.status, refusal.detail)
    except AgalaError as refusal:
        return _refused(refusal)
    except Exception as mistake:  # noqa: BLE001  the last line: it must answer, and must not leak
        _log.error("%s %s failed: %s", this.method, this.path, told(mistake))
        return problem(500, "Something went wrong on our side.")


def _call(this: Door, request: Any, given: dict[str, str]) -> Call:
    token = _token(request) if this.scope in ("any", "store", "admin") else None
    code = _code(request) if this.scope == "code" else None
    if token and this.scope == "admin" and ALL_STORES not in token.stores:
        raise Forbidden("this token may not do that")
    path = {name: _path_value(this, name, value) for name, value in given.items()}
    store = None
    if token and this.scope == "store":
        if not token.covers(path["store_id"]):
            raise Forbidden("this token is not for that store")
        store = wiring.get().stores.get(path["store_id"])
        if store is None:
            raise NotFound("no such store")
    query = parse_query(this.query, parameters(request)) if this.query else None
    raw = _raw(request) if this.body is not None or this.scope == "signed" else b""
    if this.scope == "signed":
        _check_signature(path["store_id"], request, raw)
    return Call(path, query, _body(this, request, raw), token, base_url(request), raw, code, store)


def _raw(request: Any) -> bytes:
    try:
        raw: bytes | str | None = request.raw_body
        return raw.encode("utf-8") if isinstance(raw, str) else raw or b""
    except UnicodeEncodeError:
        raise Unreadable(400, "The body is not UTF-8.") from None


def _body(this: Door, request: Any, raw: bytes) -> Any:
    if this.body is None:
        return None
    kind = request.headers.get("content-type") or ""
    if this.csv and kind.split(";")[0].strip().lower() == CSV:
        return read_text(raw)
    from pydantic import TypeAdapter

    return parse_body(TypeAdapter(this.body), raw, kind)


def _check_signature(store_id: str, request: Any, raw: bytes) -> None:
    """Raises `NotFound`, `Unreadable` (413), `Unauthorised`: nothing is parsed before."""
    parts = wiring.get()
    if len(raw) > MAX_BODY:
        raise Unreadable(413, "The body is larger than 1 MiB.")
    secret = parts.secrets.webhook_secret(store_id)
    if secret is None:
        raise NotFound("no such store")
    headers = {name.lower(): value for name, value in request.headers.items()}
    if verify_call(secret, headers, raw, parts.unix_time()):
        return
    newer = parts.secrets.webhook_secret(store_id, newer_than=SECRET_AGE)  # it may have been changed a moment ago
    if not newer or newer == secret or not verify_call(newer, headers, raw, parts.unix_time()):
        raise Unauthorised("the signature is missing, wrong or older than 5 minutes")


def parameters(request: Any) -> dict[str, list[str]]:
    """Of the address, by name, each as often as it was given."""
    given = request.query_params
    return {name: given.getlist(name) for name in given} if given else {}


def _path_value(this: Door, name: str, value: str) -> str:
    """Decoded by API Gateway. Raises `NotFound` for what cannot be an id, `BadInput` where it would make one."""
    if text_mistake(value) or not re.fullmatch(PATH_PATTERNS[name][1:-1], value):
        if this.method == "PUT" and this.path.endswith(f"{{{name}}}"):
            raise BadInput("The address is not as expected.", [FieldMistake(name, f"expected {PATH_PATTERNS[name]}")])
        raise NotFound(f"no such {name.removesuffix('_id')}")
    return value


def _token(request: Any) -> Token:
    """Raises `Unauthorised`, with one and the same answer whatever is wrong."""
    secret = _bearer(request)
    if secret:
        token = wiring.get().tokens.find(token_hash(secret))
        if token and token.good_at(wiring.get().clock.now()):
            return token
    raise Unauthorised("a valid bearer token is needed")


def _code(request: Any) -> ConnectionCode:
    """Raises `Unauthorised`, in words that help the owner who holds the code: nobody else can guess one."""
    secret = _bearer(request)
    code = wiring.get().connections.code(token_hash(secret)) if secret else None
    if code is None:
        raise Unauthorised("this is no connection code that Agala made")
    if wiring.get().clock.now() >= code.expires_at:
        raise Unauthorised("this connection code has expired: make a new one")
    if code.used_at is not None:
        raise Unauthorised("this connection code was used already: make a new one")
    return code


def _bearer(request: Any) -> str | None:
    kind, _, secret = (request.headers.get("authorization") or "").partition(" ")
    secret = secret.strip()
    return secret if kind.lower() == "bearer" and 0 < len(secret) <= 512 and secret.isascii() else None


def base_url(request: Any) -> str:
    """Where we are reached: the setting, else what this request was sent to (with API Gateway's stage)."""
    configured = wiring.get().settings.public_url
    if configured:
        return configured
    host = request.headers.get("host") or ""
    if not re.fullmatch(r"[A-Za-z0-9.:\[\]-]{1,255}", host):
        host = "localhost"
    scheme = "http" if request.headers.get("x-forwarded-proto", "http") == "http" else "https"
    stage = request.context.get("stage")
    prefix = f"/{stage}" if stage and str(request.context.get("path", "")).startswith(f"/{stage}/") else ""
    return f"{scheme}://{host}{prefix}"


def _response(this: Door, result: Any) -> Response:
    reply = result if isinstance(result, Reply) else Reply(result)
    status = reply.status or this.status
    if reply.body is None:
        return Response(body="", status_code=status, headers=dict(reply.headers))
    text = reply.body if isinstance(reply.body, str) else reply.body.model_dump_json(by_alias=True)
    return Response(body=text, status_code=status, headers={"Content-Type": this.media, **reply.headers})


def _refused(refusal: AgalaError) -> Response:
    status = next((code for kind, code in _STATUS.items() if isinstance(refusal, kind)), 500)
    mistakes = refusal.mistakes if isinstance(refusal, BadInput) else []
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="agala"'
    if status == 503:
        headers["Retry-After"] = "5"
    return problem(status, str(refusal), mistakes, headers)


def problem(
    status: int, detail: str, mistakes: list[FieldMistake] | None = None, headers: dict[str, str] | None = None
) -> Response:
    """RFC 9457 problem+json; `errors` names each bad field."""
    body: dict[str, Any] = {"type": "about:blank", "title": _TITLES[status], "status": status, "detail": detail}
    if mistakes:
        body["errors"] = [{"field": m.field, "message": m.message} for m in mistakes]
    return Response(body=json.dumps(body), status_code=status, headers={"Content-Type": PROBLEM, **(headers or {})})


def problems(event: Any, get_response: Callable[[Any], Response]) -> Response:
    """Middleware: Chalice's own refusals (405, 415, its 500) become problem+json too."""
    response = get_response(event)
    body = response.body
    if response.status_code >= 400 and isinstance(body, dict) and "Code" in body:
        status = response.status_code if response.status_code in _TITLES else 500
        kept = {name: str(value) for name, value in response.headers.items() if name.lower() == "allow"}
        return problem(status, _TITLES[status] + ".", headers=kept)
    return response
