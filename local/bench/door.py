"""The webhook door's CPU against a bare handler that only verifies and enqueues the same body.

Both talk to a real boto3 SQS client whose HTTP is answered on the spot: what is counted is work of this process,
the handler's own, and boto3's for one SendMessage. Batches alternate; CPU seconds of the process; the median batch.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from chalicelib import wiring
from chalicelib.handlers.webhooks import webhook_door
from chalicelib.settings import Settings

RECORDED = Path(__file__).parents[2] / "tests" / "recorded" / "woocommerce" / "order.updated.http"
SECRET = "bench-webhook-secret"
QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/deliveries"
ROUNDS, CALLS = 30, 100

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def recorded_order() -> tuple[dict[str, str], str]:
    """The headers and the body of a real order's delivery."""
    head, _, body = RECORDED.read_bytes().replace(b"\r\n\r\n", b"\n\n", 1).partition(b"\n\n")
    lines = head.decode().splitlines()[1:]
    return {name: value for name, _, value in (line.partition(": ") for line in lines)}, body.decode()


def event(headers: dict[str, str], body: str) -> dict[str, Any]:
    """What API Gateway hands to the function."""
    return {
        "httpMethod": "POST",
        "headers": headers,
        "pathParameters": {"platform": "woocommerce", "store_id": "bench"},
        "body": body,
        "isBase64Encoded": False,
    }


def bare_handler(sqs: Any) -> Handler:
    """The floor: nothing that a door could leave out."""
    secret = SECRET.encode()

    def handle(event: dict[str, Any], _: Any) -> dict[str, Any]:
        body = event["body"]
        signed = base64.b64encode(hmac.new(secret, body.encode(), hashlib.sha256).digest()).decode()
        if not hmac.compare_digest(signed, event["headers"]["X-WC-Webhook-Signature"]):
            return {"statusCode": 401, "body": ""}
        sqs.send_message(QueueUrl=QUEUE, MessageBody=body)
        return {"statusCode": 200, "body": ""}

    return handle


class _Answer(AWSResponse):
    """What SQS says to a message that it took."""

    def __init__(self, url: str, body: bytes) -> None:
        super().__init__(url, 200, HTTPHeaders(), None)
        self._content = body


def sqs_client() -> Any:
    """A real client; its requests are built and signed, and answered before they leave."""
    made: Any = boto3.client("sqs", region_name="eu-west-1", aws_access_key_id="bench", aws_secret_access_key="bench")
    body = json.dumps({"MessageId": "1", "MD5OfMessageBody": "0" * 32}).encode()
    made.meta.events.register("before-send.sqs.SendMessage", lambda request, **_: _Answer(request.url, body))
    return made


class _Parameters:
    """The parameter store, holding the one secret."""

    def get_parameter(self, **_: Any) -> dict[str, Any]:
        return {"Parameter": {"Value": SECRET}}


class _Wiring(wiring.Wiring):
    def __init__(self, sqs: Any) -> None:
        super().__init__(Settings.from_environment({"AGALA_QUEUE_URL": QUEUE}))
        self._clients = {"sqs": sqs, "ssm": _Parameters()}

    def client(self, service: str) -> Any:
        return self._clients[service]


def measure(rounds: int = ROUNDS, calls: int = CALLS) -> dict[str, Any]:
    """CPU microseconds per delivery of both, and their ratio."""
    headers, body = recorded_order()
    delivery = event(headers, body)
    floor = bare_handler(sqs_client())
    wiring.use(_Wiring(sqs_client()))
    try:
        batches: dict[str, list[float]] = {"door": [], "floor": []}
        for number in range(rounds + 1):  # the first warms both up
            for name, handler in (("door", webhook_door), ("floor", floor)):
                seconds = _batch(handler, delivery, calls)
                if number:
                    batches[name].append(seconds / calls)
    finally:
        wiring.use(None)
    door, bare = (statistics.median(batches[name]) for name in ("door", "floor"))
    return {
        "body_bytes": len(body.encode()),
        "door_cpu_us": round(door * 1e6, 1),
        "floor_cpu_us": round(bare * 1e6, 1),
        "ratio": round(door / bare, 3),
    }


def _batch(handler: Handler, delivery: dict[str, Any], calls: int) -> float:
    start = time.process_time()
    for _ in range(calls):
        answer = handler(delivery, None)
        if answer["statusCode"] != 200:
            raise RuntimeError(f"a delivery was answered {answer['statusCode']}")
    return time.process_time() - start
