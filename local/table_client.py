"""DynamoDB's wire protocol, spoken straight to our table server: a quarter of boto3's work for each call.

On one machine the whole product shares one Python process, and signing, validating and resolving an endpoint for
every read was most of what it did. The calls and the answers are boto3's; a contract test holds both to the same.
"""

from __future__ import annotations

import base64
import http.client
import json
import threading
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError, EndpointConnectionError

_VERSION = "DynamoDB_20120810"
_HEADERS = {
    "Content-Type": "application/x-amz-json-1.0",
    "Authorization": "AWS4-HMAC-SHA256 Credential=local/20260101/eu-west-1/dynamodb/aws4_request, "
    "SignedHeaders=host, Signature=0",
}
_ATTEMPTS = 3
_TIMEOUT = 20.0  # seconds for an answer


class TableClient:
    """`client.get_item(TableName=…, …)` and every other operation of DynamoDB's API. Thread-safe.

    Raises botocore's ClientError as boto3 does, EndpointConnectionError when the server does not answer.
    """

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._address = urlsplit(endpoint)
        self._own = threading.local()

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        if operation.startswith("_"):
            raise AttributeError(operation)
        called = partial(self._call, "".join(word.capitalize() for word in operation.split("_")))
        self.__dict__[operation] = called
        return called

    def _call(self, operation: str, **request: Any) -> dict[str, Any]:
        body = json.dumps(request, default=_base64).encode()
        status, content = self._exchange(operation, body)
        answer: dict[str, Any] = json.loads(content, object_hook=binary) if content else {}
        if status != 200:
            code = str(answer.get("__type", status)).rpartition("#")[2]
            error = {"Code": code, "Message": answer.get("message") or answer.get("Message") or ""}
            response: Any = {**answer, "Error": error, "ResponseMetadata": {"HTTPStatusCode": status}}
            raise ClientError(response, operation)
        return answer

    def _exchange(self, operation: str, body: bytes) -> tuple[int, bytes]:
        headers = {**_HEADERS, "X-Amz-Target": f"{_VERSION}.{operation}"}
        for attempt in range(_ATTEMPTS):
            connection = self._connection()
            try:
                connection.request("POST", "/", body, headers)
                answer = connection.getresponse()
                return answer.status, answer.read()
            except (OSError, http.client.HTTPException) as trouble:
                connection.close()  # the next attempt opens it again; as with boto3, a write may then come twice
                if attempt == _ATTEMPTS - 1:
                    raise EndpointConnectionError(endpoint_url=self._endpoint, error=trouble) from trouble
        raise AssertionError("unreachable")

    def _connection(self) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection(self._address.hostname or "", self._address.port, timeout=_TIMEOUT)
            self._own.connection = connection
        return connection


def _base64(value: Any) -> str:
    return base64.b64encode(bytes(value)).decode()


def binary(node: dict[str, Any]) -> dict[str, Any]:
    """`{"B": text}` is binary; an attribute that is named B holds a node and no text."""
    if len(node) == 1:
        if isinstance(text := node.get("B"), str):
            return {"B": base64.b64decode(text)}
        if isinstance(texts := node.get("BS"), list):
            return {"BS": [base64.b64decode(text) for text in texts]}
    return node
