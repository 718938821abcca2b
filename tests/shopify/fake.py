"""A fake Shopify on the loopback: many shops by the first part of the path, each with its own Admin API and grants."""

from __future__ import annotations

import json
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from graphql import GraphQLSchema

from chalicelib.clock import Clock, SystemClock
from tests.shopify import grants
from tests.shopify.execute import answer, operation_name
from tests.shopify.schema import schema
from tests.shopify.shop import Asked, Failure, FakeShop

__all__ = ["FakeShop", "FakeShopify"]


class FakeShopify:
    """Made where the schema is (else the test is skipped). `close()` it.

    Its time is the clock's: a bucket of points fills and a token ends as the clock goes on.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.schema: GraphQLSchema = schema()
        self.clock: Clock = clock or SystemClock()
        self.closing = threading.Event()
        self._shops: dict[str, FakeShop] = {}
        self._lock = threading.RLock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def address(self, shop: str) -> str:
        """What stands for `https://{shop}`."""
        self.shop(shop)
        return f"{self.url}/{shop}"

    def shop(self, domain: str) -> FakeShop:
        """Made when first asked for."""
        with self._lock:
            if domain not in self._shops:
                made = FakeShop(domain, self.clock, len(self._shops) + 1)
                made.files_at = f"{self.url}/{domain}/files"
                self._shops[domain] = made
            return self._shops[domain]

    def known(self, domain: str) -> FakeShop | None:
        return self._shops.get(domain)

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Reply(Exception):
    """What to answer. `cut`: so many bytes fewer than the headers promise."""

    def __init__(self, status: int, body: bytes, headers: dict[str, str] | None = None, cut: int = 0) -> None:
        self.status, self.body, self.headers, self.cut = status, body, headers or {}, cut

    @classmethod
    def json(cls, status: int, value: Any, headers: dict[str, str] | None = None) -> _Reply:
        told = {"Content-Type": "application/json; charset=utf-8", **(headers or {})}
        return cls(status, json.dumps(value).encode(), told)


def _handler(fake: FakeShopify) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            domain, _, place = parts.path.lstrip("/").partition("/")
            shop = fake.known(domain)
            if shop is None:
                self._send(_Reply(404, b'{"errors":"Not Found"}'))
                return
            with fake._lock:
                reply, hangs = self._reply(shop, place, parts.query, body)
            if hangs:
                fake.closing.wait(30)
                return
            self._send(reply)

        def _reply(self, shop: FakeShop, place: str, query: str, body: bytes) -> tuple[_Reply, bool]:
            if found := re.fullmatch(r"admin/api/([a-z0-9-]+)/graphql\.json", place):
                return _admin(fake.schema, shop, self.command, found[1], self.headers, body)
            if place.startswith("files/"):
                return _file(shop, place.removeprefix("files/"), self.headers), False
            if place == "admin/oauth/access_token" and self.command == "POST":
                status, told = grants.exchange(shop, _fields(self.headers, body))
                return _Reply.json(status, told), False
            if place == "admin/oauth/authorize":
                back = grants.approve(shop, dict(parse_qsl(query)))
                if back is None:
                    return _Reply.json(400, {"error": "invalid_request"}), False
                return _Reply(302, b"", {"Location": back}), False
            return _Reply(404, b'{"errors":"Not Found"}'), False

        def _send(self, reply: _Reply) -> None:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            try:
                self.wfile.write(reply.body[: len(reply.body) - reply.cut])
                if reply.cut:
                    self.wfile.flush()
                    self.connection.shutdown(socket.SHUT_RDWR)
            except OSError:  # the client went away
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_DELETE = _answer

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


def _fields(headers: Any, body: bytes) -> dict[str, str]:
    if "json" in (headers.get("Content-Type") or ""):
        told = json.loads(body or b"{}")
        return {name: str(value) for name, value in told.items()}
    return dict(parse_qsl(body.decode()))


def _admin(
    schema: GraphQLSchema, shop: FakeShop, method: str, version: str, headers: Any, body: bytes
) -> tuple[_Reply, bool]:
    try:
        told = json.loads(body)
        query, variables = told["query"], told.get("variables") or {}
    except (ValueError, TypeError, KeyError):
        return _Reply.json(400, {"errors": {"query": "Required parameter missing or invalid"}}), False
    token = headers.get("X-Shopify-Access-Token") or ""
    name = operation_name(query)
    shop.asked.append(Asked(name, query, variables, token, version))
    failure = shop.failure(name)
    if failure is not None and not failure.after_doing:
        return _failed(failure), failure.hangs
    if shop.closed:
        return _Reply.json(402, {"errors": "Unavailable Shop"}), False
    if method != "POST":
        return _Reply.json(405, {"errors": "Method Not Allowed"}), False
    grant = shop.tokens.get(token)
    if grant is None or (grant.expires_at is not None and grant.expires_at <= shop.clock.now().timestamp()):
        told = {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}
        return _Reply.json(401, told), False
    scopes = shop.scopes if grant.scopes is None else grant.scopes
    given = _Reply.json(200, answer(schema, shop, scopes, query, variables), _version(shop, version))
    return (_failed(failure), failure.hangs) if failure else (given, False)


def _version(shop: FakeShop, asked: str) -> dict[str, str]:
    told = {"X-Shopify-API-Version": shop.version or asked}
    return {**told, "X-Shopify-API-Deprecated-Reason": shop.deprecated} if shop.deprecated else told


def _failed(failure: Failure) -> _Reply:
    return _Reply(failure.status, failure.body, dict(failure.headers), failure.cut)


def _file(shop: FakeShop, name: str, headers: Any) -> _Reply:
    shop.file_headers.append({key.lower(): value for key, value in headers.items()})
    content = shop.files.get(name)
    if content is None:
        return _Reply(403, b"<?xml version='1.0' encoding='UTF-8'?><Error><Code>ExpiredToken</Code></Error>")
    start, status = 0, 200
    found = re.fullmatch(r"bytes=(\d+)-", headers.get("Range") or "")
    told = {"Content-Type": "application/jsonl"}
    if found and shop.file_ranges:
        start, status = int(found[1]), 206
        if start >= len(content):
            return _Reply(416, b"", {"Content-Range": f"bytes */{len(content)}"})
        told["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
    body, cut = content[start:], 0
    if 0 < shop.file_cut < len(body):
        cut, shop.file_cut = len(body) - shop.file_cut, 0
    return _Reply(status, body, told, cut)
