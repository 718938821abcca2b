from __future__ import annotations

import json
import subprocess
import sys

from chalicelib.messages.links import SignedLinks


def test_the_door_serves_every_route_in_a_process_of_its_own() -> None:
    """As Lambda does, which loads its module alone."""
    script = """
import json, sys
from types import SimpleNamespace
from chalicelib import wiring
from chalicelib.handlers.links_door import links_door
from chalicelib.messages.links import SignedLinks
links = SignedLinks("", [b"key"])
nobody = SimpleNamespace(get=lambda *_: None, see=lambda *_: None, send=lambda *_: None)
from chalicelib.clock import SystemClock
wiring.use(SimpleNamespace(links=links, stores=nobody, followed=nobody, activities=nobody, clock=SystemClock()))
for method, resource, token in json.loads(sys.argv[1]):
    context = {"httpMethod": method, "resourcePath": resource, "identity": {"sourceIp": "192.0.2.1"}}
    event = {"requestContext": context, "pathParameters": {"token": token}, "headers": {"User-Agent": "x"},
             "multiValueQueryStringParameters": None, "body": None, "isBase64Encoded": False, "stageVariables": None}
    answer = links_door(event, None)
    print(method, resource, answer["statusCode"], answer["headers"]["Content-Type"])
assert "app" not in sys.modules and "chalicelib.journeys.steps" not in sys.modules
"""
    links = SignedLinks("", [b"key"])
    code = links.message_code("s", "m")
    pixel, link = links.pixel_url(code).removeprefix("/o/"), links.followed_url(code, "0").removeprefix("/l/")
    wanted = [
        ("GET", "/o/{token}", pixel, 200, "image/gif"),
        ("HEAD", "/o/{token}", pixel, 200, "image/gif"),
        ("GET", "/l/{token}", link, 404, "text/html; charset=utf-8"),
        ("HEAD", "/l/{token}", link, 404, "text/html; charset=utf-8"),
        ("GET", "/u/{token}", "bad", 404, "text/html; charset=utf-8"),
        ("POST", "/u/{token}", "bad", 404, "text/html; charset=utf-8"),
    ]
    asked = json.dumps([one[:3] for one in wanted])
    done = subprocess.run([sys.executable, "-c", script, asked], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == [f"{m} {r} {status} {kind}" for m, r, _, status, kind in wanted], done.stderr
