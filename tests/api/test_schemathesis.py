"""Schemathesis asks every route of the OpenAPI document for good and for bad, through the runtime's own gateway.

No 5xx, no status and no content type that the document does not know, no answer that breaks its schema, and no request
that breaks its schema answered as if it were good.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from app import app
from chalicelib import wiring
from chalicelib.access import ConnectionCode, Token, token_hash
from chalicelib.handlers import http
from chalicelib.storage.table import Table, create_table
from local.gateway import Gateway, HttpRequest
from tests.api.client import Caller
from tests.api.conftest import ADMIN, SHOP, ApiWiring
from tests.api.test_journeys import THANKS
from tests.conftest import HandClock
from tests.memory_client import MemoryTables

EXAMPLES = int(os.environ.get("AGALA_SCHEMATHESIS_EXAMPLES", "12"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]


def wsgi(gateway: Gateway) -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
    """The gateway as a WSGI application."""

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        headers = [
            (name[5:].replace("_", "-").lower(), value) for name, value in environ.items() if name.startswith("HTTP_")
        ]
        if environ.get("CONTENT_TYPE"):
            headers.append(("content-type", environ["CONTENT_TYPE"]))
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        target = f"{quote(environ['PATH_INFO'].encode('latin-1'))}?{environ.get('QUERY_STRING', '')}"
        answer = gateway.answer(HttpRequest(environ["REQUEST_METHOD"], target, tuple(headers), body))
        start_response(f"{answer.status} x", [("Content-Type", answer.content_type), *answer.headers])
        return [answer.body]

    return application


class Shop:
    """What the requests are about: a store with a contact and a journey."""

    def __init__(self) -> None:
        call = Caller(ADMIN)
        self.store_id = call("POST", "/v1/stores", SHOP).json["id"]
        path = f"/v1/stores/{self.store_id}"
        call("PUT", f"{path}/journeys/thanks", THANKS)
        call("POST", f"{path}/journeys/thanks/activate")
        made = call("POST", f"{path}/contacts", {"email": "dana@shopper.example", "first_name": "דנה"})
        self.contact_id = made.json.get("id", "0" * 26)

    def place(self, case: Any) -> None:
        """Most requests go to what is there; those that would end it go nowhere."""
        given = case.path_parameters or {}
        if case.method == "DELETE" or case.path.endswith("/archive"):
            return
        for name, value in (("store_id", self.store_id), ("contact_id", self.contact_id), ("journey_id", "thanks")):
            if name in given:
                given[name] = value


@pytest.fixture(scope="module")
def shop(tables: MemoryTables) -> Iterator[Shop]:
    name = f"agala-{uuid.uuid4().hex[:12]}"
    create_table(tables.dynamodb(), name)
    clock = HandClock()
    made = ApiWiring(Table(tables.dynamodb(), name), clock)
    made.tokens.put(Token(id="0" * 26, name="admin", hash=token_hash(ADMIN), stores=("*",), created_at=clock.now()))
    wiring.use(made)
    yield Shop()
    wiring.use(None)


OPERATIONS = [
    found.ok() for found in schemathesis.openapi.from_wsgi("/v1/openapi.json", wsgi(Gateway(app))).get_all_operations()
]


def _askable() -> Iterator[Any]:
    """Each operation with good requests, and with bad ones where something can be bad."""
    for operation in OPERATIONS:
        yield pytest.param(operation, True, id=f"{operation.label} good")
        if operation.body or operation.query or operation.path_parameters:
            yield pytest.param(operation, False, id=f"{operation.label} bad")


def _any_code(request: Any) -> ConnectionCode:
    now = wiring.get().clock.now()
    code = ConnectionCode(hash=token_hash(uuid.uuid4().hex), created_at=now, expires_at=now + timedelta(hours=1))
    wiring.get().connections.put_code(code)
    return code


@pytest.fixture
def admitted(good: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Good requests come past the signature and the connection code, to what stands behind them."""
    if good:
        monkeypatch.setattr(http, "_check_signature", lambda store_id, request, raw: None)
        monkeypatch.setattr(http, "_code", _any_code)


@pytest.mark.usefixtures("admitted")
@pytest.mark.parametrize(("operation", "good"), list(_askable()))
def test_no_request_breaks_the_contract(operation: Any, good: bool, shop: Shop) -> None:
    mode = GenerationMode.POSITIVE if good else GenerationMode.NEGATIVE

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        if not _bad_path(case):
            shop.place(case)
        answer = case.call(headers={"Authorization": f"Bearer {ADMIN}"})
        # What is too large is refused before it is read: schemathesis does not count 413 among the refusals.
        case.validate_response(answer, checks=CHECKS[:-1] if answer.status_code == 413 else CHECKS)

    ask()


def _bad_path(case: Any) -> bool:
    path = case.meta.components.get(ParameterLocation.PATH)
    return bool(path and path.mode.is_negative)
