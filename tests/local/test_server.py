from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from chalice.app import Blueprint, Chalice, Response

from local.gateway import Gateway
from local.server import LARGEST_BODY, PortInUse, Server


def sample_app() -> Any:
    app: Any = Chalice(app_name="sample")
    app.api.binary_types = []
    blueprint: Any = Blueprint(__name__)
    together = threading.Barrier(8)

    @app.route("/whole", methods=["GET"])
    def whole() -> Any:
        return app.current_request.to_original_event()

    @app.route("/stores/{store_id}/things/{thing_id}", methods=["GET", "DELETE"])
    def thing(store_id: str, thing_id: str) -> Any:
        return {"store": store_id, "thing": thing_id}

    @app.route("/stores/{store_id}/things/all", methods=["GET"])
    def things(store_id: str) -> Any:
        return {"store": store_id, "all": True}

    @app.route("/raw", methods=["POST"], content_types=["application/json", "text/plain", "application/octet-stream"])
    def raw() -> Any:
        body = app.current_request.raw_body
        return {"hex": body.hex() if isinstance(body, bytes) else body}

    @blueprint.route("/mine/{number}", methods=["GET"])
    def mine(number: str) -> Any:
        together.wait(10)  # eight requests are always under way at once
        request = blueprint.current_request
        return {"given": number, "read": request.query_params["number"], "said": request.headers["x-number"]}

    @app.route("/picture", methods=["GET"])
    def picture() -> Any:
        return Response("<svg/>", headers={"Content-Type": "image/svg+xml"})

    @app.route("/cookies", methods=["GET"])
    def cookies() -> Any:
        return Response("", status_code=204, headers={"Set-Cookie": ["a=1", "b=2"]})

    app.register_blueprint(blueprint)
    return app


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server(0, Gateway(sample_app()).answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def ask(server: Server, method: str, path: str, body: Any = None, headers: Any = None) -> tuple[int, Any, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, answer.headers, content


def talk(server: Server, raw: bytes) -> bytes:
    """Bytes as they are, and what comes back until the server hangs up."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as line:
        line.sendall(raw)
        line.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := line.recv(65536):
            answer += piece
    return answer


def test_forty_concurrent_requests_are_not_mixed_up(server: Server) -> None:
    def one(number: int) -> bool:
        _, _, body = ask(server, "GET", f"/mine/{number}?number={number}", headers={"X-Number": str(number)})
        return bool(json.loads(body) == {"given": str(number), "read": str(number), "said": str(number)})

    with ThreadPoolExecutor(40) as pool:
        results = list(pool.map(one, range(40)))
    assert results == [True] * 40


def test_path_parameters_are_decoded(server: Server) -> None:
    status, _, body = ask(server, "GET", "/stores/%D7%97%D7%A0%D7%95%D7%AA/things/a%2Fb%20;c%3A1")
    assert status == 200
    assert json.loads(body) == {"store": "חנות", "thing": "a/b ;c:1"}
    assert json.loads(ask(server, "GET", "/stores/s/things/all/")[2]) == {"store": "s", "all": True}


def test_the_event_is_api_gateways(server: Server) -> None:
    _, _, body = ask(server, "GET", "/whole?a=1&a=%D7%91&empty=", headers={"X-Thing": "1"})
    event = json.loads(body)
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "ב"], "empty": [""]}
    assert event["queryStringParameters"] == {"a": "ב", "empty": ""}
    assert event["multiValueHeaders"]["X-Thing"] == ["1"]
    assert event["resource"] == event["requestContext"]["resourcePath"] == "/whole"
    assert event["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"
    assert event["body"] is None


@pytest.mark.parametrize("body", ['{"name": "רחל", "nul": "\u0000"}'.encode(), b"\xff\xfe\x00binary", b"\r\n \n"])
def test_the_body_comes_byte_for_byte(server: Server, body: bytes) -> None:
    _, _, answer = ask(server, "POST", "/raw", body, {"Content-Type": "application/json"})
    assert bytes.fromhex(json.loads(answer)["hex"]) == body


def test_a_picture_needs_no_accept_header(server: Server) -> None:
    answer = talk(server, b"GET /picture HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"image/svg+xml" in answer
    assert answer.endswith(b"<svg/>")


def test_head_answers_as_get_without_the_body(server: Server) -> None:
    status, headers, body = ask(server, "HEAD", "/picture")
    assert (status, headers["Content-Length"], body) == (200, "6", b"")


def test_what_is_not_there_and_what_may_not_be_done_are_problems(server: Server) -> None:
    status, headers, body = ask(server, "GET", "/nothing/here")
    assert (status, headers["Content-Type"]) == (404, "application/problem+json")
    assert json.loads(body)["title"] == "Not found"
    for method in ("POST", "TRACE", "BREW"):
        status, headers, _ = ask(server, method, "/stores/s/things/t")
        assert (status, headers["Content-Type"]) == (405, "application/problem+json")
        assert headers["Allow"] == "DELETE, GET, HEAD, OPTIONS"
    assert ask(server, "OPTIONS", "/picture")[0] == 204


def test_repeated_headers_stay_repeated(server: Server) -> None:
    status, headers, _ = ask(server, "GET", "/cookies")
    assert (status, headers.get_all("Set-Cookie")) == (204, ["a=1", "b=2"])


def test_a_connection_is_kept_and_one_that_asks_is_closed(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    for _ in range(3):
        connection.request("GET", "/whole")
        assert connection.getresponse().read()
        line = connection.sock
        connection.request("POST", "/raw", b"{}", {"Content-Type": "application/json"})
        assert connection.getresponse().read()
        assert connection.sock is line
    connection.request("GET", "/whole", headers={"Connection": "close"})
    assert connection.getresponse().headers["Connection"] == "close"


def test_a_body_that_is_too_large_is_refused(server: Server) -> None:
    status, headers, _ = ask(server, "POST", "/raw", b"x" * (LARGEST_BODY + 1), {"Content-Type": "text/plain"})
    assert (status, headers["Connection"]) == (413, "close")
    assert ask(server, "POST", "/raw", b"x" * LARGEST_BODY, {"Content-Type": "text/plain"})[0] == 200
    huge = b"POST /raw HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\nx"
    assert talk(server, huge).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST /raw HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST /raw HTTP/1.1\r\nHost: x\r\nContent-Length: ten\r\n\r\n", b"400"),
        (b"POST /raw HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", b"400"),
        (b"POST /raw HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nshort", b"400"),
        (b"POST /raw HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"411"),
        (b"POST /raw HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9999999\r\n\r\n", b"413"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/9.9\r\n\r\n", b"505"),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n", b"431"),
    ],
)
def test_a_request_that_is_none_is_refused_with_a_problem(server: Server, head: bytes, status: bytes) -> None:
    answer = talk(server, head)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b"application/problem+json" in answer


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1/picture", "//picture", "/picture?x=%zz&%ff=%ff#part", "/picture/"]
)
def test_odd_ways_of_writing_an_address_are_understood(server: Server, target: str) -> None:
    answer = talk(server, f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 200")


def test_a_port_in_use_is_named(server: Server) -> None:
    with pytest.raises(PortInUse, match=str(server.port)):
        Server(server.port, lambda request: None)  # type: ignore[arg-type,return-value]
