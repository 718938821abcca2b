"""What only the embedded runtime answers itself: the outbox, the clock, played provider reports and replies, the start
page."""

from __future__ import annotations

import hmac
import json
from pathlib import Path
from urllib.parse import unquote

from chalicelib.clock import rfc3339
from chalicelib.errors import AgalaError, BadInput, Conflict, NotFound, TryLater
from local.clock import FastClock
from local.gateway import HttpAnswer, HttpRequest, json_answer, problem
from local.outbox import Outbox
from local.reports import STATUSES, Reports

_PAGE = Path(__file__).parent / "start_page"
_PICTURES = Path(__file__).parent / "demo" / "pictures"
_KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_SAFE = (
    ("Cache-Control", "no-cache"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    # Emails are shown in sandboxed frames of this page: their pictures and inline styles may load, no script may.
    (
        "Content-Security-Policy",
        "default-src 'self'; img-src * data: blob:; style-src 'self' 'unsafe-inline'; script-src 'self'; "
        "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
)


class LocalDoors:
    """Answers None for what is not its own: that is the Chalice app's."""

    def __init__(self, admin_token: str, clock: FastClock, outbox: Outbox, reports: Reports) -> None:
        self._admin_token, self._clock, self._outbox, self._reports = admin_token, clock, outbox, reports

    def answer(self, request: HttpRequest) -> HttpAnswer | None:
        path = request.path
        if path == "/" or path.startswith("/start/"):
            name = "index.html" if path == "/" else path.removeprefix("/start/")
            return self._only(request, ("GET", "HEAD")) or _file(_PAGE, name)
        if path.startswith("/local/pictures/"):  # the demo shop's; emails show them, so they need no token
            return self._only(request, ("GET", "HEAD")) or _file(_PICTURES, path.removeprefix("/local/pictures/"))
        if not path.startswith("/local/"):
            return None
        if not self._admin(request):
            challenge = (("WWW-Authenticate", "Bearer"),)
            return problem(401, "Unauthorised", "send the admin token: Authorization: Bearer …", challenge)
        if path == "/local/outbox":
            return self._only(request, ("GET", "HEAD")) or json_answer({"items": self._outbox.messages(), "next": None})
        if path == "/local/clock":
            return self._only(request, ("GET", "HEAD")) or json_answer(
                {"now": rfc3339(self._clock.now()), "speed": self._clock.speed}
            )
        if path.startswith("/local/replies/"):
            return self._only(request, ("POST",)) or self._play_reply(request, unquote(path.split("/", 3)[3]))
        if path.startswith("/local/deliveries/"):
            return self._only(request, ("POST",)) or self._play_report(request, unquote(path.split("/", 3)[3]))
        return problem(404, "Not found", "there is nothing at this address")

    def _admin(self, request: HttpRequest) -> bool:
        scheme, _, token = (request.header("authorization") or "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), self._admin_token.encode())

    def _play_report(self, request: HttpRequest, message_id: str) -> HttpAnswer:
        status, link = _report_in(request.body)
        if status is None:
            return problem(422, "Bad input", f"status must be one of {', '.join(STATUSES)}")
        try:
            self._reports.play(message_id, status, link)
        except AgalaError as trouble:
            return _refusal(trouble)
        return json_answer({"message_id": message_id, "status": status}, 202)

    def _play_reply(self, request: HttpRequest, message_id: str) -> HttpAnswer:
        try:
            told = json.loads(request.body)
            text = told["text"]
        except (ValueError, TypeError, KeyError, RecursionError):
            text = None
        if not isinstance(text, str) or not 1 <= len(text) <= 5000:
            return problem(422, "Bad input", "expected a text: what is written back")
        try:
            self._reports.play_reply(message_id, text)
        except AgalaError as trouble:
            return _refusal(trouble)
        return json_answer({"message_id": message_id}, 202)

    @staticmethod
    def _only(request: HttpRequest, methods: tuple[str, ...]) -> HttpAnswer | None:
        if request.method in methods:
            return None
        allowed = ", ".join(methods)
        return problem(405, "Method not allowed", f"allowed here: {allowed}", (("Allow", allowed),))


def _report_in(body: bytes) -> tuple[str | None, str | None]:
    """Status and, of a click, the link."""
    try:
        told = json.loads(body)
        status, link = told["status"], told.get("link")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None, None
    known = isinstance(status, str) and status in STATUSES
    return (status if known else None), (link if isinstance(link, str) else None)


def _refusal(trouble: AgalaError) -> HttpAnswer:
    for kind, status, title in (
        (NotFound, 404, "Not found"),
        (Conflict, 409, "Conflict"),
        (BadInput, 422, "Bad input"),
        (TryLater, 503, "Try later"),
    ):
        if isinstance(trouble, kind):
            return problem(status, title, str(trouble) or title)
    raise trouble


def _file(folder: Path, name: str) -> HttpAnswer:
    file = folder / name
    if "/" in name or name.startswith(".") or file.suffix not in _KINDS or not file.is_file():
        return problem(404, "Not found", "there is nothing at this address")
    return HttpAnswer(200, file.read_bytes(), f"{_KINDS[file.suffix]}; charset=utf-8", _SAFE)
