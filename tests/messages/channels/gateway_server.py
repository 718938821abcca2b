"""A provider's server in the place of an invented one: it answers as told, and keeps what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import requests
from requests.adapters import HTTPAdapter

from chalicelib.messages.channels.gateway import GatewayHttp


class Asked(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class GatewayServer(ThreadingHTTPServer):
    """`answer` is (status, body), or closes the connection (None)."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[Asked] = []
        self.answer: tuple[int, bytes] | None = (200, b"{}")
        self.location: str | None = None

    def __enter__(self) -> GatewayServer:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.shutdown()
        self.server_close()

    @property
    def http(self) -> GatewayHttp:
        """Calls that end here, whatever host they name."""
        return _Redirected(lambda: self.server_address[1])


class _Handler(BaseHTTPRequestHandler):
    server: GatewayServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append(Asked(self.command, self.path, headers, body))
        if self.server.answer is None:
            self.close_connection = True
            return
        status, content = self.server.answer
        self.send_response(status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_POST

    def log_message(self, *_: Any) -> None:
        """Nothing to the test's output."""


class _Redirected(GatewayHttp):
    def __init__(self, port: Callable[[], Any]) -> None:
        super().__init__()
        self._port = port

    def session(self) -> requests.Session:
        session = super().session()
        session.mount("https://", _ToHere(self._port()))
        return session


class _ToHere(HTTPAdapter):
    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        assert request.url is not None
        host = request.url.split("/")[2]
        request.headers["Host"] = host
        request.url = request.url.replace(f"https://{host}", f"http://127.0.0.1:{self._port}", 1)
        return super().send(request, *args, **more)
