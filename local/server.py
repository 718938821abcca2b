"""A threaded HTTP/1.1 server on this machine's loopback address, strict about what it reads."""

from __future__ import annotations

import contextlib
import errno
import logging
import socketserver
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from local.gateway import HttpAnswer, HttpRequest, problem

_log = logging.getLogger(__name__)

LARGEST_BODY = 1024 * 1024 + 64 * 1024  # bytes; the doors draw their own line at 1 MiB
_DRAINED = 16 * 1024 * 1024  # of a body that is too large, so that its sender reads our answer
_NO_BODY = (204, 304)

Answerer = Callable[[HttpRequest], HttpAnswer]


class PortInUse(Exception):
    """Another program listens there."""


class Server(ThreadingHTTPServer):
    """Answers with `answerer`, one thread per connection. `port` 0 takes a free one. Raises `PortInUse`."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def __init__(self, port: int, answerer: Answerer) -> None:
        self.answerer = answerer
        try:
            super().__init__(("127.0.0.1", port), _Connection)
        except OSError as trouble:
            if trouble.errno != errno.EADDRINUSE:
                raise
            raise PortInUse(f"port {port} is taken") from trouble

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # HTTPServer would ask the name service for our own name
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):  # they hung up: nothing to tell
            _log.exception("connection failed")


class _BadRequest(Exception):
    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30  # seconds of silence, in a request or between two
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave together
    server: Server

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # every method, so that an unknown one is a 405 and not a page of HTML
            return self._serve
        raise AttributeError(name)

    def _serve(self) -> None:
        try:
            body = self._body()
        except _BadRequest as bad:
            self.close_connection = True
            self._write(problem(bad.status, bad.status.phrase, bad.detail))
            return
        request = HttpRequest(self.command, self.path, tuple(self.headers.items()), body, str(self.client_address[0]))
        try:
            answer = self.server.answerer(request)
        except Exception:  # noqa: BLE001 (the last line: a client always gets an answer)
            _log.exception("request failed")
            answer = problem(500, "Internal error", "the server failed; its log says how")
        self._write(answer)

    def _body(self) -> bytes:
        if "transfer-encoding" in self.headers:
            raise _BadRequest(HTTPStatus.LENGTH_REQUIRED, "send the body with a Content-Length")
        lengths = set(self.headers.get_all("content-length") or ["0"])
        said = lengths.pop().strip()
        if lengths or not (said.isascii() and said.isdigit()):
            raise _BadRequest(HTTPStatus.BAD_REQUEST, "Content-Length must be one whole number of bytes")
        length = int(said) if len(said) < 20 else sys.maxsize
        if length > LARGEST_BODY:
            self._drain(min(length, _DRAINED))
            raise _BadRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body may have 1 MiB")
        try:
            body = self.rfile.read(length)
        except TimeoutError:
            raise _BadRequest(HTTPStatus.REQUEST_TIMEOUT, "the body did not come") from None
        if len(body) != length:
            raise _BadRequest(HTTPStatus.BAD_REQUEST, "the body is shorter than its Content-Length")
        return body

    def handle_expect_100(self) -> bool:
        said = self.headers.get("content-length", "")
        if said.isascii() and said.isdigit() and len(said) < 20 and int(said) <= LARGEST_BODY:
            proceed = super().handle_expect_100()
            self.wfile.flush()
            return proceed
        return True  # no `100 Continue`: `_body` refuses

    def _drain(self, length: int) -> None:
        with contextlib.suppress(OSError):
            self.connection.settimeout(2)
            while length > 0 and (piece := self.rfile.read(min(length, 65536))):
                length -= len(piece)

    def _write(self, answer: HttpAnswer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, _one_line(value))
        if answer.status not in _NO_BODY:
            self.send_header("Content-Type", _one_line(answer.content_type))
            self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD" and answer.status not in _NO_BODY:
            self.wfile.write(answer.body)
        self.wfile.flush()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the standard library finds wrong before a request is one (bad line, headers too long)."""
        self.close_connection = True
        self.request_version = self.protocol_version  # a line that was never understood would count as HTTP/0.9
        self._write(problem(code, HTTPStatus(code).phrase, message or HTTPStatus(code).description))

    def version_string(self) -> str:
        return "agala"

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: an address line may hold an email or a phone."""


def _one_line(value: str) -> str:
    return value.replace("\r", " ").replace("\n", " ").encode("latin-1", "replace").decode("latin-1")
