from __future__ import annotations

import json

from chalice.app import Chalice
from jsonschema import Draft202012Validator

from app import app
from tests.api.client import Caller, openapi
from tests.api.conftest import ApiWiring


def _routes(of: Chalice) -> set[tuple[str, str]]:
    return {(method.lower(), path) for path, methods in of.routes.items() for method in methods}


def test_every_route_of_the_api_is_in_the_document_and_the_other_way_round() -> None:
    documented = {(method, path) for path, methods in openapi()["paths"].items() for method in methods}
    routed = {(method, path) for method, path in _routes(app) if path.startswith("/v1/") or path == "/health"}
    assert documented == routed


def test_every_schema_in_the_document_is_one() -> None:
    for schema in openapi()["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_every_reference_in_the_document_leads_somewhere() -> None:
    text = json.dumps(openapi())
    for part in text.split('"$ref": "')[1:]:
        where = part.split('"', 1)[0]
        assert where.removeprefix("#/components/schemas/") in openapi()["components"]["schemas"], where


def test_operation_ids_are_unique() -> None:
    ids = [operation["operationId"] for methods in openapi()["paths"].values() for operation in methods.values()]
    assert len(ids) == len(set(ids))


def test_the_document_is_served_to_everybody(wired: ApiWiring) -> None:
    served = Caller(None)("GET", "/v1/openapi.json")
    assert served.status == 200
    assert served.json["openapi"].startswith("3.1")
    assert set(served.json["paths"]) == set(openapi()["paths"])
